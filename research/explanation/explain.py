"""Explains a model: SHAP over many clients and for one, and LIME as a second view whose stability is measured."""

import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from lime.lime_tabular import LimeTabularExplainer
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import spearmanr

from bento.features.catalogue import CATALOGUE
from bento.features.definitions import GROUP_LABELS, Group
from bento.model.manifest import ModelFeature
from bento.model.scoring_model import ScoringModel, encode
from bento.policy import Decision, decide
from research.cli import CommandError, add_data_option, parser, run
from research.data.dataset import DATA, Data, open_data
from research.explanation import figures
from research.tracking import champion, connect

SEED = 1
ROWS = 2000
"""Clients that SHAP is drawn of and LIME takes its neighbours from."""
LISTED = 30
LIME_SAMPLES = 5000
LIME_SEEDS = 5
LIME_CLIENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles of the log-odds whose clients LIME is tried on."""
TOP = 10

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LimeView:
    """What LIME says of one client, once for each seed."""

    weights: Matrix
    """Seeds x features: what the client's own value adds to the probability, against other clients' values."""
    fit: Vector
    """Share of the neighbours' variance (R², weighted by nearness) that LIME's linear model tells, by seed."""

    @property
    def top(self) -> list[set[int]]:
        """The features of greatest weight, by seed."""
        return [set(np.argsort(-np.abs(weights), kind="stable")[:TOP].tolist()) for weights in self.weights]

    def stability(self) -> dict[str, float]:
        """How far the seeds agree on the main features.

        `overlap` is the mean share that two seeds have in common: the variables stability index of Visani et al.,
        "Statistical stability indices for LIME", 2020. `jaccard` counts the common ones among those of either seed.
        """
        pairs = list(combinations(self.top, 2))
        return {
            "overlap": float(np.mean([len(first & second) / len(first) for first, second in pairs])),
            "jaccard": float(np.mean([len(first & second) / len(first | second) for first, second in pairs])),
        }

    def agreement(self, shap: Vector) -> dict[str, float]:
        """How far LIME agrees with the SHAP contributions of the same client, mean over the seeds.

        Returns:
            `sign`: share of LIME's main features that push the way SHAP says. `overlap`: share of them among SHAP's
            main ones. `rank_correlation`: Spearman's, of all features' signed values.
        """
        main = set(np.argsort(-np.abs(shap), kind="stable")[:TOP].tolist())
        signs = [np.sign(weights[list(top)]) == np.sign(shap[list(top)]) for weights, top in self._by_seed]
        return {
            "sign": float(np.mean(signs)),
            "overlap": float(np.mean([len(top & main) / len(top) for top in self.top])),
            "rank_correlation": float(np.mean([spearmanr(weights, shap).statistic for weights in self.weights])),
        }

    @property
    def _by_seed(self) -> list[tuple[Vector, set[int]]]:
        return list(zip(self.weights, self.top, strict=True))


class Lime:
    """LIME on bins: quarters of the known values of a number, codes of a category, and "missing" as a bin of its own.

    LIME takes no missing values, and its own draws inside a bin are never those of a real client, nor whole numbers.
    Here it is given the numbers of the bins, all as categories; where a neighbour leaves the client's bin, it gets the
    value of a random client of that bin, and where it stays, the client's own. So missing stays missing, and the first
    neighbour is the client as the model scored it.

    Args:
        model: any model; it is asked for log-odds only.
        features: the clients (rows) that neighbours take their values from.
    """

    def __init__(self, model: ScoringModel, features: pl.DataFrame) -> None:
        self.model, self.columns = model, model.manifest.features
        self.matrix = encode(features, self.columns)
        self.bins = np.column_stack(
            [bins(values, column) for values, column in zip(self.matrix.T, self.columns, strict=True)]
        )

    def explain(self, row: int, seed: int) -> LimeView:
        """LIME of the client in this row, with `LIME_SEEDS` seeds from this one on."""
        found = [self._once(row, seed + number) for number in range(LIME_SEEDS)]
        return LimeView(np.array([weights for weights, _ in found]), np.array([fit for _, fit in found]))

    def _once(self, row: int, seed: int) -> tuple[Vector, float]:
        random = np.random.default_rng(seed)

        def predict(neighbours: Matrix) -> Matrix:
            probability = expit(self.model.log_odds(decode(self._values(neighbours, row, random), self.columns)))
            return np.column_stack([1 - probability, probability])

        explainer = LimeTabularExplainer(
            self.bins, categorical_features=range(len(self.columns)), feature_selection="none", random_state=seed
        )
        found = explainer.explain_instance(
            self.bins[row], predict, num_features=len(self.columns), num_samples=LIME_SAMPLES
        )
        weights = np.zeros(len(self.columns))
        for position, weight in found.as_map()[1]:
            weights[position] = weight
        return weights, float(found.score)

    def _values(self, neighbours: Matrix, row: int, random: np.random.Generator) -> Matrix:
        values = np.repeat(self.matrix[[row]], len(neighbours), axis=0)
        for position in range(len(self.columns)):
            there = self.bins[:, position]
            for number in np.setdiff1d(neighbours[:, position], there[row]):
                moved = np.flatnonzero(neighbours[:, position] == number)
                values[moved, position] = random.choice(self.matrix[there == number, position], len(moved))
        return values


def bins(values: Vector, column: ModelFeature) -> Vector:
    """Number of the bin of each value: quarters of the known numbers, or codes of the category; the last is missing.

    >>> bins(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), ModelFeature(name="a")).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    known = ~np.isnan(values)
    if column.categories:
        return np.where(known, values, len(column.categories))
    edges = np.unique(np.quantile(values[known], [0.25, 0.5, 0.75])) if known.any() else np.empty(0)
    return np.where(known, np.searchsorted(edges, values), len(edges) + 1).astype(np.float64)


def decode(matrix: Matrix, columns: list[ModelFeature]) -> pl.DataFrame:
    """The inverse of `encode`: categories as words, NaN as null where it stands for an unknown category."""
    numbers = pl.from_numpy(matrix, schema=[column.name for column in columns])
    return numbers.with_columns(
        pl.col(column.name)
        .fill_nan(None)
        .cast(pl.UInt32)
        .replace_strict(dict(enumerate(column.categories)), default=None, return_dtype=pl.String)
        for column in columns
        if column.categories
    )


def by_group(contributions: Matrix, names: list[str]) -> tuple[Matrix, list[Group]]:
    """Contributions (rows x features) added up by concept (rows x groups), which is exact: SHAP values are additive."""
    groups = [group for group in GROUP_LABELS if any(CATALOGUE[name].group == group for name in names)]
    of = np.array([CATALOGUE[name].group for name in names])
    return np.column_stack([contributions[:, of == group].sum(axis=1) for group in groups]), groups


def explain(model: ScoringModel, features: pl.DataFrame, out: Path, seed: int = SEED) -> dict[str, Any]:
    """Draw SHAP and LIME of these clients into `out`, and tell them in numbers.

    Args:
        model: of any family; all SHAP values are its own, exact contributions to the log-odds.
        features: clients x features, at least those of the model; of more than `ROWS`, a sample is taken. The caller
            decides of which split they are.
        out: a folder, made if need be; shap_beeswarm, shap_groups, shap_dependence, shap_waterfall and lime (.png).
        seed: of the sample, of LIME and of the order in which points are drawn.

    Returns:
        What can be written as JSON: source of the training data, mean |SHAP| by feature and group, typical clients,
        LIME's settings, stability and agreement with SHAP by client.
    """
    out.mkdir(parents=True, exist_ok=True)
    features = _sample(features, seed)
    contributions, base = model.contributions(features)
    log_odds, probability = model.log_odds(features), model.probability(features)
    grouped, groups = by_group(contributions, model.feature_names)
    view = figures.View.of(model, features, contributions, base)
    typical = _typical(log_odds, [decide(each, model.threshold, model.review_band) for each in probability])
    importance = np.abs(contributions).mean(axis=0)

    lime = Lime(model, features)
    tried = [_nearest(log_odds, np.quantile(log_odds, quantile)) for quantile in LIME_CLIENTS]
    drawn = typical.get("refused", tried[-1])
    looked_at = {row: lime.explain(row, seed) for row in {*tried, drawn}}

    figures.beeswarm(view, out / "shap_beeswarm.png", seed)
    figures.groups(np.abs(grouped).mean(axis=0), groups, view, out / "shap_groups.png")
    figures.dependence(view, out / "shap_dependence.png", seed)
    titles = {
        row: f"Typical client ({name}): probability {probability[row]:.1%}, threshold {model.threshold:.1%}"
        for name, row in typical.items()
    }
    figures.waterfalls(view, titles, out / "shap_waterfall.png")
    figures.lime(view, drawn, looked_at[drawn].weights, float(probability[drawn]), out / "lime.png")

    clients = [
        {
            "probability_of_default": float(probability[row]),
            "stability": looked_at[row].stability(),
            "agreement": looked_at[row].agreement(contributions[row]),
            "fit": float(looked_at[row].fit.mean()),
        }
        for row in tried
    ]
    return {
        **model.manifest.training_data.model_dump(),
        "rows": len(features),
        "sample_seed": seed,
        "base_value": base,
        "largest_additivity_error": float(np.abs(base + contributions.sum(axis=1) - log_odds).max()),
        "features": [
            {
                "feature": (name := model.feature_names[position]),
                "label": CATALOGUE[name].en,
                "group": CATALOGUE[name].group,
                "mean_abs_shap": float(importance[position]),
            }
            for position in np.argsort(-importance, kind="stable")[:LISTED]
        ],
        "groups": [
            {
                "group": groups[position],
                "label": GROUP_LABELS[groups[position]]["en"],
                "mean_abs_shap": float(np.abs(grouped[:, position]).mean()),
            }
            for position in np.argsort(-np.abs(grouped).mean(axis=0), kind="stable")
        ],
        "typical": {name: {"probability_of_default": float(probability[row])} for name, row in typical.items()},
        "lime": {
            "settings": {
                "num_samples": LIME_SAMPLES,
                "num_features": len(model.feature_names),
                "seeds": list(range(seed, seed + LIME_SEEDS)),
                "top": TOP,
                "neighbours": "quarters of the known values; missing is a bin of its own",
            },
            "clients": clients,
            **{
                part: {key: float(np.mean([client[part][key] for client in clients])) for key in clients[0][part]}
                for part in ("stability", "agreement")
            },
            "fit": float(np.mean([client["fit"] for client in clients])),
        },
    }


def explain_client(
    model: ScoringModel, features: pl.DataFrame, client: pl.DataFrame, out: Path, name: str, seed: int = SEED
) -> dict[str, Any]:
    """Draw the waterfall and LIME of one client (one row) into `out`, as `NAME_waterfall.png` and `NAME_lime.png`.

    Args:
        model: of any family.
        features: of other clients, from whom LIME's neighbours take their values.
        client: the one row to explain.
        out: a folder, made if need be.
        name: begins the names of the files.
        seed: of the sample and of LIME.

    Returns:
        Probability of default, and LIME's stability and agreement with SHAP.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = pl.concat([_sample(features, seed).select(model.feature_names), client.select(model.feature_names)])
    row = len(rows) - 1
    contributions, base = model.contributions(rows)
    view = figures.View.of(model, rows, contributions, base)
    probability = float(model.probability(client)[0])
    decision = decide(probability, model.threshold, model.review_band)
    title = f"Probability of default {probability:.1%}, threshold {model.threshold:.1%}: {decision}"
    figures.waterfalls(view, {row: title}, out / f"{name}_waterfall.png")
    found = Lime(model, rows).explain(row, seed)
    figures.lime(view, row, found.weights, probability, out / f"{name}_lime.png")
    return {
        "probability_of_default": probability,
        "stability": found.stability(),
        "agreement": found.agreement(contributions[row]),
    }


def _sample(features: pl.DataFrame, seed: int) -> pl.DataFrame:
    if len(features) <= ROWS:
        return features
    return features[np.sort(np.random.default_rng(seed).permutation(len(features))[:ROWS])]


def _typical(log_odds: Vector, decisions: list[Decision]) -> dict[str, int]:
    """Of the clients of each decision, the one whose log-odds are nearest to their median."""
    rows = {}
    for decision in Decision:
        members = np.array([row for row, decided in enumerate(decisions) if decided == decision], dtype=np.int64)
        if len(members):
            rows[decision.value] = int(members[_nearest(log_odds[members], np.median(log_odds[members]))])
    return rows


def _nearest(values: Vector, wanted: float) -> int:
    return int(np.argmin(np.abs(values - wanted)))


def main() -> None:
    """The command line."""
    arguments = parser(
        "Explain a trained model by SHAP and LIME on the test split.",
        "python -m research.explanation.explain --client 100002",
    )
    add_data_option(arguments)
    arguments.add_argument("--run", help="MLflow run id: a folder of data/results; by default that of the champion")
    arguments.add_argument("--client", type=int, metavar="SK_ID_CURR", help="explain this client of the training file")
    arguments.add_argument("--seed", type=int, default=SEED)
    options = arguments.parse_args()
    out = DATA / "results" / (options.run or champion(connect()).run_id)
    model = ScoringModel(out / "model")
    data = open_data(options.data)
    if data.source.fingerprint != model.manifest.training_data.fingerprint:
        raise CommandError(f"{data.folder}: not the data that {out.name} was trained on; name that folder by --data")
    features = data.rows("test").features
    if options.client is not None:
        found = explain_client(model, features, _client(data, options.client), out, str(options.client), options.seed)
        print(json.dumps(found, indent=1))
    else:
        found = explain(model, features, out, options.seed)
        (out / "explanations.json").write_text(json.dumps(found, indent=1) + "\n")
        for row in found["groups"]:
            print(f"{row['label']:36} {row['mean_abs_shap']:.3f}")
        lime = found["lime"]
        print(f"LIME: {lime['stability']['overlap']:.0%} of the top {TOP} shared by two seeds, ", end="")
        print(f"{lime['agreement']['sign']:.0%} with the sign of SHAP")
    print(f"figures: {out}")


def _client(data: Data, client: int) -> pl.DataFrame:
    row = data.features().filter(pl.col("SK_ID_CURR") == client)
    if row.is_empty():
        raise CommandError(f"{data.folder}: application_train holds no client {client}")
    return row


if __name__ == "__main__":
    run(main)
