"""Clients made up for tests of fairness, and a check of figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib import pyplot as plt
from scipy.special import expit

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import DataSource, ModelFeature
from research.data.dataset import Rows

SOURCE = DataSource(data="synthetic", clients=3000, seed=1, fingerprint="0" * 64)
CLIENTS = 3000
NAMES = ["application_ext_source_2", "application_ext_source_3"]
AGE = "application_age_years"


@dataclass
class MadeUp:
    """Clients whose default depends on a score, on age and on gender."""

    features: pl.DataFrame
    target: np.ndarray
    audit: pl.DataFrame
    probability: np.ndarray
    source = SOURCE

    def rows(self, split: str) -> Rows:
        assert split == "development"
        return Rows(self.features, self.target, self.audit)


def made_up_clients() -> MadeUp:
    """Draw clients whose default depends on a score, on age and on gender."""
    random = np.random.default_rng(1)
    scores, age = random.random((2, CLIENTS)), random.uniform(21, 65, CLIENTS)
    gender = random.choice(["F", "M"], CLIENTS, p=[0.65, 0.35])
    log_odds = -1.2 - 3.5 * scores[0] - 0.05 * (age - 43) + 1.6 * (gender == "M")
    target = (random.random(CLIENTS) < expit(log_odds)).astype(np.int64)
    features = pl.DataFrame([*scores, age], schema=[*NAMES, AGE])
    audit = pl.DataFrame(
        {
            "gender": pl.Series(gender).set(pl.Series(np.arange(CLIENTS) < 30), None),
            "age_years": age,
            "person": np.arange(CLIENTS),
        }
    )
    return MadeUp(features, target, audit, expit(-1.2 - 3.5 * scores[0]))


def declared_columns(names: Sequence[str]) -> list[ModelFeature]:
    """Return columns of a model with their declared categories, and no typical values."""
    return [ModelFeature(name=name, categories=list(CATALOGUE[name].categories)) for name in names]


def is_drawn(path: Path) -> bool:
    """Return whether a figure is more than a blank page."""
    return float(plt.imread(path)[..., :3].std()) > 0.02
