import joblib
import numpy as np
import pandas as pd
import pytest
from imblearn.under_sampling import RandomUnderSampler
from sklearn.dummy import DummyClassifier
from sklearn.metrics import roc_auc_score

from bento.features.catalogue import CATALOGUE
from bento.policy import DEFAULT_COSTS
from research.cli import CommandError
from research.comparison import candidates
from research.comparison.candidates import ARMS, CLASSIFIER, FAMILIES, NONE, SMOTED, UNDER, WEIGHTS
from research.comparison.estimators import PriorCorrected
from research.data.splits import fold_rows
from research.training.cross_fitting import catalogue_names

NUMBERS = tuple(name for name in catalogue_names(with_age=False) if not CATALOGUE[name].categories)[:10]
NAMES = (*NUMBERS, "application_occupation")
ROWS = 1200


def made_up(seed: int = 1, signal: float = 1.5) -> tuple[np.ndarray, np.ndarray, list]:
    """Rows x features, some missing; about one outcome in six, told by the first two features; two folds."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(ROWS, len(NUMBERS)))
    log_odds = -2.0 + signal * numbers[:, :2].mean(axis=1)
    target = (random.random(ROWS) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    codes = random.integers(0, len(CATALOGUE["application_occupation"].categories), (ROWS, 1)).astype(float)
    matrix = np.hstack([numbers, codes])
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix, target, fold_rows(target, np.arange(ROWS), 2, seed)


def quick(family: str, arm: str, seed: int = 0) -> PriorCorrected:
    model = candidates.build(family, arm, NAMES, seed, jobs=1)
    few = {"n_estimators": 40} if family != "logistic" else {}
    return model.set_params(**{f"{CLASSIFIER}{name}": value for name, value in few.items()})


def nothing() -> None:
    pass


def test_the_prior_is_corrected_as_by_hand():
    # Odds of 4 at one in two; in the population the odds are 8 to 92 instead of 1 to 1.
    odds = 4 * 8 / 92
    assert candidates.corrected(np.array([0.8]), 0.08, 0.5)[0] == pytest.approx(odds / (1 + odds))
    assert candidates.corrected(np.array([0.3]), 0.2, 0.2)[0] == pytest.approx(0.3)


def test_corrected_scores_keep_their_order_and_get_the_share_of_defaults_back():
    matrix, target, _ = made_up()
    model = quick("logistic", WEIGHTS).fit(matrix, target)
    raw = model.estimator_.predict_proba(matrix)[:, 1]
    probability = model.predict_proba(matrix)[:, 1]
    assert raw.mean() > 0.4
    assert probability.mean() == pytest.approx(target.mean(), abs=0.02)
    np.testing.assert_array_equal(np.argsort(raw), np.argsort(probability))
    assert set(model.predict(matrix)) <= {0, 1}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_tells_risk_at_the_natural_share_under_every_arm(family: str, arm: str):
    matrix, target, folds = made_up()
    judged = candidates.judge(quick(family, arm), matrix, target, folds, nothing)
    assert np.isfinite(judged.probability).all()
    assert roc_auc_score(target, judged.probability) > 0.6
    assert target.mean() / 2 < judged.probability.mean() < target.mean() * 2
    assert len(judged.fit_seconds) == len(judged.score_ms_per_1000) == 2


def test_class_weights_weigh_both_outcomes_alike_in_every_family():
    matrix, target, _ = made_up()
    for family, chosen in FAMILIES.items():
        fitted = quick(family, WEIGHTS).fit(matrix, target).estimator_
        parameter, value = chosen.weights
        given = fitted.named_steps["rest"].named_steps["classifier"].get_params()[parameter]
        assert given == (value or pytest.approx(np.sum(target == 0) / np.sum(target == 1)))


@pytest.mark.parametrize(("arm", "sampler"), [(UNDER, RandomUnderSampler), (SMOTED, candidates.Smote)])
@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_the_sampler_sees_the_training_rows_of_its_fold_and_no_other(family, arm, sampler, monkeypatch):
    matrix, target, folds = made_up()
    matrix[:, 0] = np.arange(ROWS)  # names the row
    sampled: list[tuple[np.ndarray, int]] = []
    judged_rows: list[np.ndarray] = []
    before, scored = sampler.fit_resample, candidates.Selected.transform

    def recorded(self, X, y):
        given = before(self, X, y)
        sampled.append((np.asarray(X)[:, 0], len(y)))
        assert np.mean(given[1]) == 0.5
        return given

    def seen(self, X):
        judged_rows.append(X[:, 0].astype(int))
        return scored(self, X)

    monkeypatch.setattr(sampler, "fit_resample", recorded)
    monkeypatch.setattr(candidates.Selected, "transform", seen)
    candidates.judge(quick(family, arm), matrix, target, folds, nothing)
    assert len(sampled) == len(folds)
    for (train, judged), (first_column, rows) in zip(folds, sampled, strict=True):
        assert rows == len(train)
        # Scaled on the way, but in order: these are the training rows, each once, and as many.
        assert np.all(np.diff(first_column) >= 0)
        np.testing.assert_array_equal(judged_rows.pop(0), train)
        np.testing.assert_array_equal(judged_rows.pop(0), judged)


def _auc_on_noise(sampled_before_the_split: bool, arm: str) -> float:
    """Out-of-fold AUC where nothing can be learned: any gain over one half is a leak."""
    matrix, target, folds = made_up(seed=5, signal=0.0)
    if sampled_before_the_split:
        selected = candidates.Selected(NAMES).fit(matrix, target).transform(matrix)
        frame = candidates.Completed().fit(selected).transform(selected)
        sampled, target = candidates.Smote(0).fit_resample(frame, target)
        matrix = sampled[list(NAMES)].to_numpy(dtype=float)
        folds = fold_rows(target, np.arange(len(target)), 2, 1)
        arm = NONE
    return roc_auc_score(target, candidates.judge(quick("lightgbm", arm), matrix, target, folds, nothing).probability)


@pytest.mark.parametrize("arm", [UNDER, SMOTED])
def test_noise_stays_noise_since_sampling_is_inside_the_fold(arm: str):
    assert 0.4 < _auc_on_noise(sampled_before_the_split=False, arm=arm) < 0.6


def test_noise_would_look_like_skill_if_sampling_were_outside_the_fold():
    assert _auc_on_noise(sampled_before_the_split=True, arm=SMOTED) > 0.75


def test_made_up_clients_are_complete_and_of_known_categories():
    matrix, target, _ = made_up()
    selected = candidates.Selected(NAMES).fit(matrix, target).transform(matrix)
    assert isinstance(selected["application_occupation"].dtype, pd.CategoricalDtype)
    frame = candidates.Completed().fit(selected).transform(selected)
    assert not frame.isna().any().any()
    rows, outcomes = candidates.Smote(0).fit_resample(frame, target)
    assert not rows.isna().any().any()
    assert set(rows["application_occupation"]) <= set(range(len(CATALOGUE["application_occupation"].categories)))
    assert outcomes.mean() == 0.5


def test_categories_are_completed_from_the_training_rows():
    kind = pd.CategoricalDtype([0, 1, 2])
    train = pd.DataFrame({"amount": [1.0, 3.0, np.nan], "code": pd.Series([2, 2, 1], dtype=kind)})
    other = pd.DataFrame({"amount": [np.nan], "code": pd.Series([np.nan], dtype=kind)})
    done = candidates.Completed().fit(train).transform(other)
    assert done["amount"].to_list() == [0.0]
    assert done["code"].to_list() == [2]


def test_a_selection_is_made_once_for_each_fold_and_served_to_every_candidate(tmp_path, monkeypatch):
    matrix, target, folds = made_up()
    ranked: list[int] = []
    rank = candidates.rank

    def counted(rows, *arguments):
        ranked.append(len(rows))
        return rank(rows, *arguments)

    monkeypatch.setattr(candidates, "rank", counted)
    memory = joblib.Memory(tmp_path, verbose=0)
    for family, arm in (("logistic", NONE), ("lightgbm", WEIGHTS), ("lightgbm", UNDER)):
        model = candidates.build(family, arm, NAMES, 0, 1, memory)
        candidates.judge(model, matrix, target, folds, nothing)
    assert ranked == [len(train) for train, _ in folds]


@pytest.mark.parametrize(("metric", "best"), [("log_loss", 0.1), ("auc", 1e-6)])
def test_the_grid_is_scored_on_everything_at_once_and_the_best_is_by_the_named_metric(metric, best, monkeypatch):
    matrix, target, folds = made_up()
    fits: list[int] = []
    grid = {"C": [1e-6, 0.1]}
    original = candidates.metrics

    def favoured(target, probability, costs):
        # With hardly any weight all probabilities are near the mean; pretend that they order clients perfectly.
        return original(target, probability, costs) | ({"auc": 1.0} if probability.std() < 0.01 else {})

    monkeypatch.setattr(candidates, "metrics", favoured)
    model = candidates.build("logistic", NONE, NAMES, 0, 1)
    setting, rows = candidates.search(
        model, grid, matrix, target, folds, DEFAULT_COSTS, metric, 1, lambda: fits.append(1)
    )
    assert setting == {"C": best}
    assert len(fits) == candidates.points(grid) * len(folds) == 4
    assert all(set(candidates.METRICS) < set(row) for row in rows)
    assert all(0 < row["log_loss"] < 1 and 0 < row["cost"] < 10 for row in rows)


def test_infinite_features_are_named_and_missing_ones_are_fine():
    matrix, target, folds = made_up()
    candidates.check(matrix, target, NAMES, folds)
    matrix[3:5, 2] = -np.inf
    with pytest.raises(CommandError, match=f"feature {NAMES[2]} is infinite in 2 of 1200 rows"):
        candidates.check(matrix, target, NAMES, folds)


def test_a_fold_of_one_outcome_is_refused():
    matrix, target, folds = made_up()
    goods = np.flatnonzero(target == 0)
    with pytest.raises(CommandError, match="fold 2 has 10 rows to judge, all of one outcome"):
        candidates.check(matrix, target, NAMES, [*folds, (np.arange(ROWS), goods[:10])])


def test_memory_is_seen_at_its_peak():
    with candidates.PeakMemory() as memory:
        large = np.ones(8_000_000)
        while memory.peak - memory.before < large.nbytes / 2:
            pass
    assert memory.peak > memory.before


def test_a_constant_probability_is_judged_too():
    matrix, target, folds = made_up()
    judged = candidates.judge(DummyClassifier(), matrix, target, folds, nothing)
    assert judged.probability.mean() == pytest.approx(target.mean(), abs=1e-3)
