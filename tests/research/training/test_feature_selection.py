import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from research.cli import CommandError
from research.training import boosting, cross_fitting
from research.training.feature_selection import choose, rank
from research.training.quoted import DIRECTION_SETS, DIRECTIONS, Directions, direction
from research.types import TrainingMatrix

ROWS = 3000


def _data(matrix: np.ndarray, target: np.ndarray, *names: str) -> TrainingMatrix:
    columns = [ModelFeature(name=name) for name in names]
    return TrainingMatrix(matrix=matrix, target=target, columns=columns, person=np.arange(len(matrix)))


@pytest.fixture(scope="module")
def noisy() -> TrainingMatrix:
    """Two signals among forty features of noise."""
    random = np.random.default_rng(3)
    matrix = random.normal(size=(ROWS, 42))
    risk = 1 / (1 + np.exp(2 - matrix[:, 10] + matrix[:, 30]))
    target = (random.random(ROWS) < risk).astype(np.int64)
    return _data(matrix, target, *({10: "riskier", 30: "safer"}.get(at, f"noise_{at}") for at in range(42)))


def test_signals_rank_first_and_most_noise_goes(noisy: TrainingMatrix):
    ranking = rank(noisy, seed=1)
    assert set(ranking.names[:2]) == {"riskier", "safer"}
    assert len(ranking.names) < 20
    assert not ranking.dropped
    assert len({*ranking.names, *ranking.noise}) == 42


def test_the_best_features_go_into_the_noise_where_asked_for(noisy: TrainingMatrix):
    ranking = rank(noisy, seed=1)
    assert ranking.best() == ranking.names
    assert ranking.best(1) == ranking.names[:1]
    assert ranking.best(41) == [*ranking.names, *ranking.noise][:41]


def test_the_same_seed_gives_the_same_ranking(noisy: TrainingMatrix):
    assert rank(noisy, seed=5) == rank(noisy, seed=5)
    assert rank(noisy, seed=5) != rank(noisy, seed=6)


def test_a_choice_of_nothing_is_refused():
    matrix = np.arange(40.0).reshape(20, 2) ** [1, 2]
    data = _data(matrix, np.arange(20, dtype=np.int64) % 2, "first", "second")
    with pytest.raises(CommandError, match="of 20 rows no feature tells defaults better than noise"):
        choose(data, seed=1, count=None)


def test_constants_go_and_a_pattern_of_missing_values_stays():
    random = np.random.default_rng(1)
    target = random.integers(0, 2, ROWS)
    present_for_defaults = np.where(target == 1, 4.0, np.nan)
    matrix = np.column_stack([np.full(ROWS, 7.0), np.full(ROWS, np.nan), present_for_defaults, random.random(ROWS)])
    ranking = rank(_data(matrix, target, "same", "never", "sometimes", "random"), seed=1)
    assert ranking.dropped == {"same": "constant", "never": "constant"}
    assert ranking.names[0] == "sometimes"


def test_only_the_first_of_correlated_features_stays():
    random = np.random.default_rng(1)
    value = random.random(ROWS)
    target = (random.random(ROWS) < value).astype(np.int64)
    gaps = np.where(random.random(ROWS) < 0.3, np.nan, value)
    flag = np.where(random.random(ROWS) < 0.5, 1.0, np.nan)
    matrix = np.column_stack([value, value, -value, np.log(value), gaps, 1 - gaps, flag, 2 * flag])
    names = ("first", "copy", "reversed", "log", "gaps", "gaps_reversed", "flag", "flag_twice")
    assert rank(_data(matrix, target, *names), seed=1).dropped == {
        "copy": "rank correlation with first",
        "reversed": "rank correlation with first",
        "log": "rank correlation with first",
        "gaps_reversed": "rank correlation with gaps",
        "flag_twice": "rank correlation with flag",
    }


def test_features_are_chosen_on_training_rows_only(noisy: TrainingMatrix, monkeypatch):
    monkeypatch.setattr(cross_fitting, "n_parallel_fits", lambda rows: 1)
    names = [name for name, feature in CATALOGUE.items() if not feature.is_category][: len(noisy.columns)]
    # On pure noise, a choice that used validation rows would seem to predict them.
    data = _data(noisy.matrix, np.random.default_rng(9).integers(0, 2, ROWS), *names)
    chosen_on: list[np.ndarray] = []

    def recorded(data: TrainingMatrix, seed: int) -> list[str]:
        chosen_on.append(data.matrix)
        return rank(data, seed).best(5)

    fitted = boosting.fit(data, 3, 1, recorded)

    for fold, validation in fitted.out_of_fold.by_fold():
        validation_rows = {row.tobytes() for row in data.matrix[validation]}
        assert validation_rows.isdisjoint({row.tobytes() for row in chosen_on[fold]})
        assert len(chosen_on[fold]) + len(validation_rows) == ROWS
    assert abs(roc_auc_score(data.target, fitted.out_of_fold.log_odds) - 0.5) < 0.03
    assert len(chosen_on[3]) == ROWS
    assert len(fitted.features) <= 5
    assert fitted.predictor.feature_names == [feature.name for feature in fitted.features]


def _against_the_rule() -> TrainingMatrix:
    """Six features, four of them monotone by default, whose true effects go up and down."""
    monotone = [name for name in CATALOGUE if direction(name, DIRECTIONS)]
    free = [name for name, feature in CATALOGUE.items() if not (direction(name, "quoted") or feature.is_category)]
    random = np.random.default_rng(2)
    matrix = np.where(random.random((ROWS, 6)) < 0.1, np.nan, random.random((ROWS, 6)))
    wave = np.sin(9 * np.nan_to_num(matrix)).sum(axis=1)
    target = (random.random(ROWS) < 1 / (1 + np.exp(-wave))).astype(np.int64)
    return _data(matrix, target, *monotone[:3], monotone[-1], *free[:2])


def _violations(booster: lightgbm.Booster, directions: Directions = DIRECTIONS) -> int:
    """Count random clients whose risk falls where a feature moves the risky way."""
    random = np.random.default_rng(4)
    count = 0
    for position, name in enumerate(booster.feature_name()):
        clients = random.random((3000, booster.num_feature()))
        raised = clients.copy()
        raised[:, position] += random.random(3000)
        change = booster.predict(raised, raw_score=True) - booster.predict(clients, raw_score=True)
        count += int(np.sum(change * direction(name, directions) < -1e-12))
    return count


@pytest.mark.parametrize("directions", DIRECTION_SETS)
def test_raising_a_monotone_feature_never_lowers_the_risk(directions: Directions):
    data = _against_the_rule()
    parameters = boosting.booster_params(data, boosting.PARAMETERS, constraints=True, directions=directions)
    booster, _ = boosting.train_booster(data, np.arange(ROWS), 1, parameters, max_rounds=400)
    assert _violations(booster, directions) == 0


@pytest.mark.parametrize("constraints", [True, False])
def test_only_with_constraints_the_served_booster_is_monotone(constraints: bool):
    fitted = boosting.fit(_against_the_rule(), 2, 1, constraints=constraints)
    assert (_violations(lightgbm.Booster(model_str=fitted.predictor.text)) == 0) == constraints


def test_one_switch_leaves_out_exactly_the_features_computed_from_age():
    everything, ageless = (cross_fitting.catalogue_names(with_age, left_out=()) for with_age in (True, False))
    assert everything == list(CATALOGUE)
    left_out = set(everything) - set(ageless)
    assert left_out == {name for name, feature in CATALOGUE.items() if feature.uses_age}
    assert left_out
