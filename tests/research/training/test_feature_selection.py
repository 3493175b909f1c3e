import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from research.cli import CommandError
from research.training import boosting, cross_fitting
from research.training import feature_selection as selection
from research.training.feature_selection import choose, rank

ROWS = 3000


def _columns(*names: str) -> list[ModelFeature]:
    return [ModelFeature(name=name) for name in names]


@pytest.fixture(scope="module")
def noisy() -> tuple[np.ndarray, np.ndarray, list[ModelFeature]]:
    """Two signals among forty features of noise."""
    random = np.random.default_rng(3)
    matrix = random.normal(size=(ROWS, 42))
    risk = 1 / (1 + np.exp(2 - matrix[:, 10] + matrix[:, 30]))
    target = (random.random(ROWS) < risk).astype(np.int64)
    names = [{10: "riskier", 30: "safer"}.get(position, f"noise_{position}") for position in range(42)]
    return matrix, target, _columns(*names)


def test_signals_rank_first_and_most_noise_goes(noisy):
    ranking = rank(*noisy, seed=1)
    assert set(ranking.names[:2]) == {"riskier", "safer"}
    assert len(ranking.names) < 20
    assert not ranking.dropped
    assert len({*ranking.names, *ranking.noise}) == 42
    assert ranking.best() == ranking.names
    assert ranking.best(1) == ranking.names[:1]
    assert ranking.best(41) == [*ranking.names, *ranking.noise][:41]


def test_the_same_seed_gives_the_same_ranking(noisy):
    assert rank(*noisy, seed=5) == rank(*noisy, seed=5)
    assert rank(*noisy, seed=5) != rank(*noisy, seed=6)


def test_a_choice_of_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(selection, "BEST_FEATURES", None)
    matrix = np.arange(40.0).reshape(20, 2) ** [1, 2]
    target = np.arange(20, dtype=np.int64) % 2
    with pytest.raises(CommandError, match="of 20 rows no feature tells defaults better than noise"):
        choose(matrix, target, _columns("first", "second"), seed=1)


def test_constants_go_and_a_pattern_of_missing_values_stays():
    random = np.random.default_rng(1)
    target = random.integers(0, 2, ROWS)
    known_for_defaults = np.where(target == 1, 4.0, np.nan)
    matrix = np.column_stack([np.full(ROWS, 7.0), np.full(ROWS, np.nan), known_for_defaults, random.random(ROWS)])
    ranking = rank(matrix, target, _columns("same", "never", "sometimes", "random"), seed=1)
    assert ranking.dropped == {"same": "constant", "never": "constant"}
    assert ranking.names[0] == "sometimes"


def test_twins_go_whatever_their_scale_and_the_first_stays():
    random = np.random.default_rng(1)
    value = random.random(ROWS)
    target = (random.random(ROWS) < value).astype(np.int64)
    gaps = np.where(random.random(ROWS) < 0.3, np.nan, value)
    flag = np.where(random.random(ROWS) < 0.5, 1.0, np.nan)
    matrix = np.column_stack([value, value, -value, np.log(value), gaps, 1 - gaps, flag, 2 * flag])
    columns = _columns("first", "copy", "reversed", "log", "gaps", "gaps_reversed", "flag", "flag_twice")
    ranking = rank(matrix, target, columns, seed=1)
    assert ranking.dropped == {
        "copy": "twin of first",
        "reversed": "twin of first",
        "log": "twin of first",
        "gaps_reversed": "twin of gaps",
        "flag_twice": "twin of flag",
    }


def test_features_are_chosen_on_training_rows_only(noisy, monkeypatch):
    matrix, _, columns = noisy
    monkeypatch.setattr(cross_fitting, "at_a_time", lambda rows: 1)
    # Of pure noise, a choice that saw the judged rows would seem to foretell them.
    target = np.random.default_rng(9).integers(0, 2, ROWS)
    seen: list[np.ndarray] = []

    def foretold(rows, outcomes, columns, seed):
        seen.append(rows)
        return rank(rows, outcomes, columns, seed).best(5)

    names = [name for name, feature in CATALOGUE.items() if not feature.is_category][: len(columns)]
    fitted = boosting.fit(matrix, target, cross_fitting.model_features(names), np.arange(ROWS), 3, 1, foretold)
    for fold in range(3):
        judged = {row.tobytes() for row in matrix[fitted.fold == fold]}
        assert judged.isdisjoint({row.tobytes() for row in seen[fold]})
        assert len(seen[fold]) + len(judged) == ROWS
    assert abs(roc_auc_score(target, fitted.out_of_fold) - 0.5) < 0.03
    assert len(seen[3]) == ROWS
    assert len(fitted.features) <= 5
    assert fitted.predictor.feature_names == [feature.name for feature in fitted.features]


def _against_the_rule() -> tuple[np.ndarray, np.ndarray, list[ModelFeature]]:
    """Six features, four of them monotone, whose truth goes up and down."""
    monotone = [feature.name for feature in CATALOGUE.values() if feature.monotone]
    free = [name for name, feature in CATALOGUE.items() if not (feature.monotone or feature.is_category)]
    random = np.random.default_rng(2)
    matrix = np.where(random.random((ROWS, 6)) < 0.1, np.nan, random.random((ROWS, 6)))
    wave = np.sin(9 * np.nan_to_num(matrix)).sum(axis=1)
    target = (random.random(ROWS) < 1 / (1 + np.exp(-wave))).astype(np.int64)
    return matrix, target, cross_fitting.model_features([*monotone[:3], monotone[-1], *free[:2]])


def _broken(booster: lightgbm.Booster) -> int:
    """How many of random clients see their risk fall where a feature moves the risky way."""
    random = np.random.default_rng(4)
    count = 0
    for position, name in enumerate(booster.feature_name()):
        feature = CATALOGUE[name]
        probes = random.random((3000, booster.num_feature()))
        risen = probes.copy()
        risen[:, position] += random.random(3000)
        change = booster.predict(risen, raw_score=True) - booster.predict(probes, raw_score=True)
        count += int(np.sum(change * feature.risk < -1e-12)) if feature.monotone else 0
    return count


def test_raising_a_monotone_feature_never_moves_the_risk_the_wrong_way():
    matrix, target, columns = _against_the_rule()
    parameters = boosting.PARAMETERS | {"num_threads": 1} | boosting.constrained(columns)
    booster, _ = boosting.grow(matrix, target, columns, np.arange(ROWS), 1, parameters, most_rounds=400)
    assert _broken(booster) == 0


def test_the_switch_holds_the_served_booster():
    assert _broken(boosting.fit(*_against_the_rule(), np.arange(ROWS), 2, 1, constraints=False).predictor.booster) > 0
    assert _broken(boosting.fit(*_against_the_rule(), np.arange(ROWS), 2, 1, constraints=True).predictor.booster) == 0


def test_one_switch_leaves_out_exactly_the_features_computed_from_age():
    everything, ageless = (cross_fitting.catalogue_names(with_age) for with_age in (True, False))
    assert everything == list(CATALOGUE)
    left_out = set(everything) - set(ageless)
    assert left_out == {name for name, feature in CATALOGUE.items() if feature.uses_age}
    assert left_out
