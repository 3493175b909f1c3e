"""The model that the report weighs changes by: the newest in the BentoML store, or the one that is named."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from bento import NAME
from bento.journal.replay import model_of
from bento.model.scoring_model import ScoringModel
from drift.distributions import Floats, Positions
from drift.populations import Population


@dataclass(frozen=True)
class Scores:
    """What the model reads of some applications, and what it answers; a row for each."""

    features: pl.DataFrame
    probability: Floats
    rows: Positions
    """Positions of these applications in the population."""


def champion(name: str | None) -> tuple[str, ScoringModel] | None:
    """Return the model of a folder or of a tag of the BentoML store; without a name the newest there, or None.

    Raises:
        ModelError: it is missing, broken or of other feature code.
    """
    if name is not None and Path(name).is_dir():
        return name, ScoringModel.verified(Path(name))
    if name is None:
        import bentoml  # noqa: PLC0415 - takes seconds

        models = [model for model in bentoml.models.list() if model.tag.name == NAME]
        if not models:
            return None
        name = str(max(models, key=lambda model: model.info.creation_time).tag)
    return name, model_of(name)


def scores(model: ScoringModel, population: Population, sample: int, seed: int) -> Scores:
    """Compute features and PD of a population, or of `sample` applications of it, drawn by `seed`."""
    rows = np.arange(population.rows)
    if population.rows > sample:
        rows = np.sort(np.random.default_rng(seed).permutation(population.rows)[:sample])
    features = population.features(model.feature_names, rows)
    return Scores(features, model.probability(features), rows)
