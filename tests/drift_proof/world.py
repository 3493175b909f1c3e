"""A population large enough to draw samples from: applications, features, PD and true probabilities."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from bento.model.scoring_model import ScoringModel
from drift.champion import Scores
from drift.judge import Weighed
from drift.populations import Population, of_file


@dataclass(frozen=True)
class World:
    """One population, all of it scored."""

    population: Population
    scores: Scores
    model: ScoringModel

    @classmethod
    def of(cls, folder: Path, model: ScoringModel) -> "World":
        """Read application_train of a folder, with TARGET, and score it."""
        population = of_file(folder / "application_train.parquet", with_target=True)
        rows = np.arange(population.rows)
        features = population.features(model.feature_names)
        return cls(population, Scores(features, model.probability(features), rows), model)

    def halves(self, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw two samples of `rows` applications without overlap: their positions."""
        order = np.random.default_rng(seed).permutation(self.population.rows)
        return np.sort(order[:rows]), np.sort(order[rows : 2 * rows])

    def part(self, rows: np.ndarray) -> tuple[Population, Scores]:
        """Return the applications at these positions, and their scores."""
        population = replace(self.population, applications=self.population.applications[rows], target=None)
        scores = Scores(self.scores.features[rows], self.scores.probability[rows], np.arange(len(rows)))
        return population, scores

    def rescored(self, rows: np.ndarray, applications: pl.DataFrame) -> tuple[Population, Scores]:
        """Return changed applications at these positions, scored again."""
        population = replace(self.population, applications=applications, target=None)
        features = population.features(self.model.feature_names)
        return population, Scores(features, self.model.probability(features), np.arange(len(rows)))

    def weighed(self, reference: Scores, current: Scores) -> Weighed:
        """Return what the model says of two samples."""
        return Weighed(tag="proof", model=self.model, reference=reference, current=current)
