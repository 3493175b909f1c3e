"""Explain clients by LIME, and measure its stability over seeds and its agreement with SHAP."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from lime.lime_tabular import LimeTabularExplainer
from scipy.special import expit
from scipy.stats import spearmanr

from bento.model.manifest import ModelFeature
from bento.model.scoring_model import ScoringModel, encode
from research.types import Floats

LIME_SAMPLES = 5000
"""Neighbours of a client."""
LIME_SEEDS = 5
TOP = 10
"""Main features whose stability and agreement are measured."""


@dataclass(frozen=True)
class LimeView:
    """LIME's explanations of one client, one for each seed."""

    weights: Floats
    """Seeds x features: what the client's value adds to the probability, against other clients' values."""
    fit: Floats
    """R² of LIME's linear model on the weighted neighbours, by seed."""

    @property
    def top(self) -> list[set[int]]:
        """The features of greatest weight, by seed."""
        return [set(np.argsort(-np.abs(weights), kind="stable")[:TOP].tolist()) for weights in self.weights]

    def stability(self) -> dict[str, float]:
        """Measure how far the seeds agree on the main features.

        `overlap` is the mean share that two seeds have in common: the variables stability index of Visani et al.,
        "Statistical stability indices for LIME", 2020. `jaccard` is the Jaccard index.
        """
        pairs = list(combinations(self.top, 2))
        return {
            "overlap": float(np.mean([len(first & second) / len(first) for first, second in pairs])),
            "jaccard": float(np.mean([len(first & second) / len(first | second) for first, second in pairs])),
        }

    def agreement(self, shap: Floats) -> dict[str, float]:
        """Measure how far LIME agrees with the SHAP contributions of the same client, mean over the seeds.

        `sign` and `overlap` are shares of LIME's main features: with the sign of SHAP, and among SHAP's main features;
        `rank_correlation` is Spearman's, of all features' signed values.
        """
        main = set(np.argsort(-np.abs(shap), kind="stable")[:TOP].tolist())
        by_seed = zip(self.weights, self.top, strict=True)
        signs = [np.sign(weights[list(top)]) == np.sign(shap[list(top)]) for weights, top in by_seed]
        return {
            "sign": float(np.mean(signs)),
            "overlap": float(np.mean([len(top & main) / len(top) for top in self.top])),
            "rank_correlation": float(np.mean([spearmanr(weights, shap).statistic for weights in self.weights])),
        }


class Lime:
    """LIME on bins: quartiles of a number, codes of a category, and a separate bin for missing values.

    LIME takes no missing values, and its own draws inside a bin are no values of clients, nor whole numbers. Here it is
    given the numbers of the bins, all as categories; where a neighbour is in another bin than the client, it gets the
    value of a random client of that bin, otherwise the client's value. So missing stays missing, and the first
    neighbour is the client as the model scored it.
    """

    def __init__(self, model: ScoringModel, features: pl.DataFrame, samples: int = LIME_SAMPLES) -> None:
        self.model, self.columns, self.samples = model, model.manifest.features, samples
        self.matrix = encode(features, self.columns)
        self.bins = np.column_stack([*map(bins, self.matrix.T, self.columns)])

    def explain(self, row: int, seed: int) -> LimeView:
        """Explain the client in this row with `LIME_SEEDS` seeds from this one on."""
        weights, fits = zip(*(self._once(row, seed + number) for number in range(LIME_SEEDS)), strict=True)
        return LimeView(np.array(weights), np.array(fits))

    def _once(self, row: int, seed: int) -> tuple[Floats, float]:
        random = np.random.default_rng(seed)

        def predict(neighbours: Floats) -> Floats:
            probability = expit(self.model.log_odds(decode(self._values(neighbours, row, random), self.columns)))
            return np.column_stack([1 - probability, probability])

        explainer = LimeTabularExplainer(
            self.bins, categorical_features=range(len(self.columns)), feature_selection="none", random_state=seed
        )
        explanation = explainer.explain_instance(
            self.bins[row], predict, num_features=len(self.columns), num_samples=self.samples
        )
        weights = np.zeros(len(self.columns))
        for position, weight in explanation.as_map()[1]:
            weights[position] = weight
        return weights, float(explanation.score)

    def _values(self, neighbours: Floats, row: int, random: np.random.Generator) -> Floats:
        values = np.repeat(self.matrix[[row]], len(neighbours), axis=0)
        for position in range(len(self.columns)):
            there = self.bins[:, position]
            for number in np.setdiff1d(neighbours[:, position], there[row]):
                moved = np.flatnonzero(neighbours[:, position] == number)
                values[moved, position] = random.choice(self.matrix[there == number, position], len(moved))
        return values


def bins(values: Floats, column: ModelFeature) -> Floats:
    """Return the bin of each value: quartiles of a number, or codes of a category; the last bin is missing.

    >>> bins(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), ModelFeature(name="a")).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    present = ~np.isnan(values)
    if column.categories:
        return np.where(present, values, len(column.categories))
    edges = np.unique(np.quantile(values[present], [0.25, 0.5, 0.75])) if present.any() else np.empty(0)
    return np.where(present, np.searchsorted(edges, values), len(edges) + 1).astype(np.float64)


def decode(matrix: Floats, columns: list[ModelFeature]) -> pl.DataFrame:
    """Invert `encode`: categories as words, and null where the code is NaN."""
    numbers = pl.from_numpy(matrix, schema=[column.name for column in columns])
    return numbers.with_columns(
        pl.col(column.name)
        .fill_nan(None)
        .cast(pl.UInt32)
        .replace_strict(dict(enumerate(column.categories)), default=None, return_dtype=pl.String)
        for column in columns
        if column.categories
    )
