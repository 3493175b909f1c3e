import joblib
import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from bento.features.catalogue import CATALOGUE
from bento.policy import DEFAULT_COSTS
from research.cli import CommandError
from research.comparison import candidates, estimators
from research.comparison.candidates import FAMILIES, NONE, SMOTED, UNDER, WEIGHTS, PeakMemory
from research.comparison.estimators import (
    LogOddsMean,
    PriorCorrected,
    RankedFeatures,
    complete_and_scale,
    corrected,
    smote,
    with_category_types,
)
from research.data.splits import fold_rows
from research.training.cross_fitting import catalogue_names
from research.training.spline import SplineLogistic
from research.types import FoldSplit, TrainingMatrix
from tests.research.made_up import declared_columns

NUMBERS = tuple(name for name in catalogue_names(with_age=False) if not CATALOGUE[name].categories)[:10]
NAMES = (*NUMBERS, "application_occupation")
COLUMNS = tuple(declared_columns(NAMES))
ROWS = 1200


@parametrize_with_checks(
    [
        RankedFeatures(),
        PriorCorrected(LogisticRegression()),
        PriorCorrected(LogisticRegression(), trained_at=0.5),
        LogOddsMean(HistGradientBoostingClassifier(max_iter=5), SplineLogistic()),
    ]
)
def test_estimators_keep_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def made_up(seed: int = 1, signal: float = 1.5) -> tuple[TrainingMatrix, list[FoldSplit]]:
    """Return clients with missing values and two folds; one client in six defaults, by two outside scores."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(ROWS, len(NUMBERS)))
    log_odds = -2.0 - signal * numbers[:, :2].mean(axis=1)  # in the direction that is declared
    target = (random.random(ROWS) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    codes = random.integers(0, len(CATALOGUE["application_occupation"].categories), (ROWS, 1)).astype(float)
    matrix = np.hstack([numbers, codes])
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    data = TrainingMatrix(matrix=matrix, target=target, columns=list(COLUMNS), person=np.arange(ROWS))
    return data, fold_rows(target, data.person, 2, seed)


def quick(family: str, arm: str, seed: int = 0) -> PriorCorrected:
    model = candidates.build(family, arm, COLUMNS, seed, jobs=1)
    few = [name for name in model.get_params() if name.endswith("n_estimators")]
    return model.set_params(**dict.fromkeys(few, 120))


def nothing() -> None:
    pass


def test_the_prior_is_corrected_as_by_hand():
    # Odds of 4 at one in two; in the population the odds are 8 to 92 instead of 1 to 1.
    odds = 4 * 8 / 92
    assert corrected(np.array([0.8]), 0.08, 0.5)[0] == pytest.approx(odds / (1 + odds))
    assert corrected(np.array([0.3]), 0.2, 0.2)[0] == pytest.approx(0.3)


def test_corrected_scores_keep_order_and_average_the_default_rate():
    data, _ = made_up()
    model = quick("logistic", WEIGHTS).fit(data.matrix, data.target)
    raw = model.estimator_.predict_proba(data.matrix)[:, 1]
    probability = model.predict_proba(data.matrix)[:, 1]
    assert raw.mean() > 0.4
    assert probability.mean() == pytest.approx(data.target.mean(), abs=0.02)
    np.testing.assert_array_equal(np.argsort(raw), np.argsort(probability))
    assert set(model.predict(data.matrix)) <= {0, 1}


@pytest.mark.parametrize(("family", "arm"), [(name, arm) for name, family in FAMILIES.items() for arm in family.arms])
def test_every_family_predicts_at_the_natural_share_under_every_arm(family: str, arm: str):
    data, splits = made_up()
    scores = candidates.score_folds(quick(family, arm), data, splits, nothing)
    assert np.isfinite(scores.probability).all()
    assert roc_auc_score(data.target, scores.probability) > 0.6
    assert data.target.mean() / 2 < scores.probability.mean() < data.target.mean() * 2
    assert len(scores.fit_seconds) == len(scores.score_ms_per_1000) == 2


def test_class_weights_balance_both_outcomes_in_every_family():
    data, _ = made_up()
    for family, chosen in FAMILIES.items():
        if WEIGHTS not in chosen.arms:
            continue
        fitted = quick(family, WEIGHTS).fit(data.matrix, data.target).estimator_
        parameter, value = chosen.weights
        weight = fitted.named_steps["rest"].named_steps["classifier"].get_params()[parameter]
        assert weight == (value or pytest.approx(np.sum(data.target == 0) / np.sum(data.target == 1)))


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
@pytest.mark.parametrize("arm", [UNDER, SMOTED])
def test_the_sampler_is_given_the_training_rows_of_its_fold_only(family: str, arm: str, monkeypatch):
    data, splits = made_up()
    data.matrix[:, 0] = np.arange(ROWS)  # names the row
    sampled: list[tuple[np.ndarray, int]] = []
    sampler = RandomUnderSampler if arm == UNDER else FunctionSampler
    original = sampler.fit_resample

    def recorded(self, X, y):
        resampled = original(self, X, y)
        sampled.append((np.asarray(X)[:, 0], len(y)))
        assert np.mean(resampled[1]) == 0.5
        return resampled

    monkeypatch.setattr(sampler, "fit_resample", recorded)
    candidates.score_folds(quick(family, arm), data, splits, nothing)

    assert len(sampled) == len(splits)
    for (train, _), (first_column, rows) in zip(splits, sampled, strict=True):
        assert rows == len(train)
        # Clipped and scaled before, which keeps order and differences: these are the training rows.
        assert np.all(np.diff(first_column) >= 0)
        assert np.corrcoef(first_column, train)[0, 1] > 0.999


def _selected(data: TrainingMatrix) -> pd.DataFrame:
    selector = RankedFeatures(tuple(data.columns)).set_output(transform="pandas")
    return selector.fit(data.matrix, data.target).transform(data.matrix)


def _auc_on_noise(sampled_before_the_split: bool, arm: str) -> float:
    """Return the out-of-fold AUC where nothing can be learned: any gain over one half is a leak."""
    data, splits = made_up(seed=5, signal=0.0)
    if sampled_before_the_split:
        sampled, target = smote(_complete(_selected(data)), data.target, seed=0)
        matrix = sampled[list(NAMES)].to_numpy(dtype=float)
        data = TrainingMatrix(matrix=matrix, target=target, columns=data.columns, person=np.arange(len(target)))
        splits = fold_rows(target, data.person, 2, 1)
        arm = NONE
    return roc_auc_score(data.target, candidates.score_folds(quick("lightgbm", arm), data, splits, nothing).probability)


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    return with_category_types(complete_and_scale().fit_transform(frame))


@pytest.mark.parametrize("arm", [UNDER, SMOTED])
def test_noise_stays_noise_since_sampling_is_inside_the_fold(arm: str):
    assert 0.4 < _auc_on_noise(sampled_before_the_split=False, arm=arm) < 0.6


def test_noise_would_look_like_skill_if_sampling_were_outside_the_fold():
    assert _auc_on_noise(sampled_before_the_split=True, arm=SMOTED) > 0.75


def test_synthetic_clients_are_complete_and_have_catalogue_categories():
    data, _ = made_up()
    complete = _complete(_selected(data))
    assert isinstance(complete["application_occupation"].dtype, pd.CategoricalDtype)
    assert not complete.isna().any().any()
    rows, outcomes = smote(complete, data.target, seed=0)
    assert not rows.isna().any().any()
    assert set(rows["application_occupation"]) <= set(range(len(CATALOGUE["application_occupation"].categories)))
    assert outcomes.mean() == 0.5


def test_missing_values_are_imputed_from_the_training_rows():
    number, category = NAMES[0], NAMES[-1]
    train = pd.DataFrame({number: [1.0, 3.0, np.nan], category: [2.0, 2.0, 1.0]})
    other = pd.DataFrame({number: [np.nan], category: [np.nan]})
    imputed = with_category_types(complete_and_scale().fit(train).transform(other))
    assert imputed[number].to_list() == [0.0]
    assert imputed[category].to_list() == [2]


def test_a_column_without_any_value_is_imputed_too():
    number, category = NAMES[0], NAMES[-1]
    empty = pd.DataFrame({number: [np.nan] * 2, category: [np.nan] * 2})
    assert _complete(empty).to_numpy(dtype=float).tolist() == [[0, 0], [0, 0]]


def test_features_are_selected_once_for_each_fold_and_used_by_all(tmp_path, monkeypatch):
    data, splits = made_up()
    ranked: list[int] = []
    rank = estimators.rank

    def counted(rows: TrainingMatrix, seed: int):
        ranked.append(len(rows))
        return rank(rows, seed)

    monkeypatch.setattr(estimators, "rank", counted)
    memory = joblib.Memory(tmp_path, verbose=0)
    for family, arm in (("logistic", NONE), ("lightgbm", WEIGHTS), ("lightgbm", UNDER)):
        candidates.score_folds(candidates.build(family, arm, COLUMNS, 0, 1, memory), data, splits, nothing)
    assert ranked == [len(train) for train, _ in splits]


@pytest.mark.parametrize(("metric", "best"), [("log_loss", 0.1), ("auc", 1e-6)])
def test_the_best_setting_of_the_grid_is_that_of_the_named_metric(metric, best, monkeypatch):
    data, splits = made_up()
    fits: list[int] = []
    grid = {"C": [1e-6, 0.1]}
    original = candidates.metrics

    def favoured(target, probability, costs):
        # With hardly any weight all probabilities are near the mean; pretend that they order clients perfectly.
        return original(target, probability, costs) | ({"auc": 1.0} if probability.std() < 0.01 else {})

    monkeypatch.setattr(candidates, "metrics", favoured)
    model = candidates.build("logistic", NONE, COLUMNS, 0, 1)
    setting, rows = candidates.search(model, grid, data, splits, DEFAULT_COSTS, metric, 1, lambda: fits.append(1))
    assert setting == {"C": best}
    assert len(fits) == len(rows) * len(splits) == 4
    assert all(set(candidates.METRICS) < set(row) for row in rows)
    assert all(0 < row["log_loss"] < 1 and 0 < row["cost"] < 10 for row in rows)


def test_infinite_features_are_named_and_missing_ones_are_fine():
    data, splits = made_up()
    candidates.check(data, splits)
    data.matrix[3:5, 2] = -np.inf
    with pytest.raises(CommandError, match=f"feature {NAMES[2]} is infinite in 2 of 1200 rows"):
        candidates.check(data, splits)


def test_a_fold_of_one_outcome_is_refused():
    data, splits = made_up()
    goods = np.flatnonzero(data.target == 0)
    with pytest.raises(CommandError, match="fold 2 has 10 validation rows, all of one outcome"):
        candidates.check(data, [*splits, (np.arange(ROWS), goods[:10])])


def test_memory_is_sampled_at_its_peak():
    with PeakMemory() as memory:
        large = np.ones(8_000_000)
        while memory.peak - memory.before < large.nbytes / 2:
            pass
    assert memory.peak > memory.before


def test_a_constant_probability_is_scored_too():
    data, splits = made_up()
    scores = candidates.score_folds(DummyClassifier(), data, splits, nothing)
    assert scores.probability.mean() == pytest.approx(data.target.mean(), abs=1e-3)
