"""In which direction the trained model moves: the promise of the monotone features, and what everybody expects."""

import numpy as np
import polars as pl
import pytest

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from research.training.quoted import DIRECTIONS, direction
from tests.model_behaviour.conftest import Json, Score

STEPS = 25
"""Values that each feature takes, from its lowest to its highest among the clients."""
TOLERANCE = 1e-9
"""Log-odds by which a step may go against the direction: sums in another order differ in their last bits."""
SOURCES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


def _monotone(model: ScoringModel) -> list[str]:
    return [name for name in model.feature_names if direction(name, DIRECTIONS)]


def _with(file: Json, **columns: float | None) -> Json:
    """Return the credit file with other values in its application."""
    return file | {"application": file["application"] | columns}


def _log_odds(scored: Score, files: list[Json]) -> np.ndarray:
    return np.array([application.log_odds for application in scored(files)])


@pytest.fixture(scope="module")
def features(model: ScoringModel, files: list[Json]) -> pl.DataFrame:
    return model.features([CreditFile.model_validate(file) for file in files])


def test_the_model_uses_features_with_a_promised_direction(model: ScoringModel):
    assert len(_monotone(model)) >= 5


def test_a_monotone_feature_never_moves_the_risk_against_its_direction(model: ScoringModel, features: pl.DataFrame):
    for name in _monotone(model):
        low, high = (0.0 if edge is None else float(edge) for edge in (features[name].min(), features[name].max()))
        width = high - low or 1.0
        values = np.linspace(low - width, high + width, STEPS)
        by_value = [model.log_odds(features.with_columns(pl.lit(value).alias(name))) for value in values]
        steps = np.diff(np.array(by_value), axis=0) * direction(name, DIRECTIONS)
        assert steps.min() >= -TOLERANCE, name


def test_at_least_one_monotone_feature_moves_the_risk(model: ScoringModel, features: pl.DataFrame):
    moved = [
        name
        for name in _monotone(model)
        if np.ptp([model.log_odds(features.with_columns(pl.lit(x).alias(name))).mean() for x in (0.05, 0.95)]) > 0.1
    ]
    assert moved


def test_better_external_scores_never_raise_the_risk(scored: Score, files: list[Json]):
    """Two scores rise by the same amount and the third is unknown.

    Range, differences and ratios of the scores, whose direction is not promised, then stay as they are.
    """
    by_level = []
    for level in np.linspace(0, 0.6, 13).tolist():
        columns = {"EXT_SOURCE_1": 0.1 + level, "EXT_SOURCE_2": 0.3 + level, "EXT_SOURCE_3": None}
        by_level.append(_log_odds(scored, [_with(file, **columns) for file in files]))
    assert np.diff(np.array(by_level), axis=0).max() <= TOLERANCE
    assert np.mean(by_level[-1]) < np.mean(by_level[0]) - 0.1


@pytest.mark.parametrize("column", SOURCES)
def test_a_better_external_score_lowers_the_mean_risk(scored: Score, files: list[Json], column: str):
    worse, better = (_log_odds(scored, [_with(file, **{column: value}) for file in files]) for value in (0.1, 0.9))
    assert better.mean() <= worse.mean()


def test_a_larger_income_does_not_raise_the_mean_risk(scored: Score, files: list[Json]):
    incomes = [file["application"]["AMT_INCOME_TOTAL"] for file in files]
    poorer, richer = (
        _log_odds(
            scored, [_with(file, AMT_INCOME_TOTAL=by * income) for file, income in zip(files, incomes, strict=True)]
        )
        for by in (0.5, 2)
    )
    assert richer.mean() <= poorer.mean()
