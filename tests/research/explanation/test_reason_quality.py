import json
from pathlib import Path

import numpy as np
import pytest

from bento.features.catalogue import CATALOGUE
from bento.i18n import Wording
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.reasons import Fact, Reason, features_to_quote
from bento.scoring.score import score
from research.data.dataset import Data
from research.explanation import reason_quality
from research.explanation.reason_quality import (
    KINDS,
    Decisions,
    Fall,
    decisions,
    falls,
    features_behind,
    fidelity,
    stability,
    trained_again,
    with_values,
)
from research.registry import trained_run
from research.registry.trained_run import TrainedRun
from research.reporting.publish import PUBLISHED
from research.results import REASONS_FILE, RESULTS_FILE, ReasonQuality, read
from tests.research.commands import run_command
from tests.support.small_model import write_small_model

pytestmark = pytest.mark.end_to_end

FILES = 30
TREES = 15
TEXT = Wording(en="", fr="")


@pytest.fixture(scope="module")
def run(model_folder: Path, data: Data, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """A finished run of few trees."""
    results = tmp_path_factory.mktemp("data") / "results" / "r"
    results.mkdir(parents=True)
    (results / "model").symlink_to(model_folder)
    content = json.loads((PUBLISHED / RESULTS_FILE).read_text())
    content["metrics"]["trees"] = TREES
    (results / RESULTS_FILE).write_text(json.dumps(content))
    return TrainedRun(results, ScoringModel(model_folder), data)


@pytest.fixture(scope="module")
def rules(run: TrainedRun) -> Rules:
    return Rules(Rulebook.read(), run.model.reference.usual)


@pytest.fixture(scope="module")
def decided(run: TrainedRun, rules: Rules) -> Decisions:
    return decisions(run.model, rules, run.data, FILES, seed=1)


def _reason(code: str, group: str, *features: str) -> Reason:
    quoted = [Fact(feature=name, value=1.0, unit="", text=TEXT) for name in features]
    return Reason(code=code, group=group, direction="raises", contribution=0.5, text=TEXT, facts=quoted)


def test_refused_files_of_the_test_split_are_examined(run: TrainedRun, rules: Rules, decided: Decisions):
    clients = {int(credit_file.application["SK_ID_CURR"]) for credit_file, _ in decided.refused}

    assert len(clients) == len(decided.refused) == FILES < len(decided.without_fact)
    assert clients <= set(run.data.test_features()["SK_ID_CURR"].to_list())
    scored = score(run.model, [credit_file for credit_file, _ in decided.refused], rules=rules, reasons=True)
    assert all(run.model.decide(application.probability) is Decision.REFUSED for application in scored)
    assert [application.reasons[0] for application in scored] == [reason for _, reason in decided.refused]


def test_the_features_of_a_fact_are_all_of_its_thing():
    names = ["application_ext_source_1", "application_ext_source_mean", "application_credit", "application_income"]

    behind = features_behind(_reason("R01", "external_scores", "application_ext_source_1"), names, {}, {})

    assert behind == ["application_ext_source_1", "application_ext_source_mean"]


def test_of_a_concept_without_a_fact_all_features_count():
    names = ["application_hour", "application_email", "application_credit"]

    assert features_behind(_reason("R05", "identity_contact"), names, {}, {}) == [
        "application_hour",
        "application_email",
    ]


def test_of_something_unknown_only_what_is_unknown_counts(run: TrainedRun, decided: Decisions):
    names = ["application_occupation", "application_organization", "application_credit"]
    values = {"application_occupation": None, "application_organization": "Police", "application_credit": 1.0}
    application = {"NAME_INCOME_TYPE": "Working", "ORGANIZATION_TYPE": "Police"}
    unknown, _ = reason_quality.unknown_of("application_occupation", values, application)

    assert features_behind(_reason(unknown.code, "employment"), names, values, application) == [
        "application_occupation"
    ]


def test_the_pd_falls_as_the_model_says_it_does(run: TrainedRun, decided: Decisions):
    results = list(falls(run.model, decided.refused, seed=1))

    assert len(results) == FILES
    for (credit_file, reason), result in zip(decided.refused, results, strict=True):
        medians = run.model.reference.peer_group(credit_file.application).medians
        features = run.model.features([credit_file], others=features_to_quote(run.model.feature_names))
        behind = features_behind(reason, run.model.feature_names, features.row(0, named=True), credit_file.application)
        changed = features.row(0, named=True) | {name: medians[name] for name in behind}
        usual = features.clear().vstack(type(features)([changed], schema=features.schema))
        expected = 1 - run.model.probability(usual)[0] / run.model.probability(features)[0]
        assert result.fall == pytest.approx(expected)
        assert reason.facts or result.kind != KINDS[0]
    assert np.mean([result.fall > 0 for result in results]) > 0.8


def test_the_other_concept_is_drawn_among_those_of_the_model_but_the_reasons(run: TrainedRun, decided, monkeypatch):
    changed: list[list[str]] = []

    def recorded(features, values, names):
        changed.append(list(names))
        return with_values(features, values, names)

    monkeypatch.setattr(reason_quality, "with_values", recorded)
    list(falls(run.model, decided.refused, seed=1))

    for (_, reason), other in zip(decided.refused, changed[1::2], strict=True):
        (group,) = {CATALOGUE[name].group for name in other}
        assert group != reason.group
        assert other == [name for name in run.model.feature_names if CATALOGUE[name].group == group]


def test_fidelity_counts_falls_and_larger_falls():
    results = [Fall(KINDS[0], 0.2, 0.1), Fall(KINDS[0], 0.1, 0.3), Fall(KINDS[0], -0.1, -0.2), Fall(KINDS[0], 0.0, 0.0)]

    measured = fidelity(results, seed=1)

    assert (measured.files, measured.falls.value, measured.falls_more.value, measured.both.value) == (4, 0.5, 0.5, 0.25)
    assert measured.falls.low < 0.5 < measured.falls.high
    assert (measured.median_fall, measured.median_fall_of_other) == (pytest.approx(0.05), pytest.approx(0.05))
    assert fidelity([], seed=1).both.value is None


def test_the_same_model_gives_the_same_first_reasons(run: TrainedRun, rules: Rules, decided: Decisions):
    same = stability("the same", run.model, rules, decided.refused, seed=1)

    assert (same.same_first.value, same.first_among_reasons.value) == (1, 1)


def test_a_model_trained_again_differs_and_refuses_all(run: TrainedRun, rules: Rules, decided: Decisions, tmp_path):
    again = trained_again(run, tmp_path / "seed", 7, bootstrap=False)
    drawn = trained_again(run, tmp_path / "bootstrap", 7, bootstrap=True)

    files = [credit_file for credit_file, _ in decided.refused]
    for model in (again, drawn):
        assert model.manifest.features != run.model.manifest.features
        assert all(item.decision is Decision.REFUSED for item in score(model, files, rules=rules, reasons=False))
        shares = stability("again", model, rules, decided.refused, seed=1)
        assert 0.2 < shares.same_first.value < 1
        assert shares.same_first.value <= shares.first_among_reasons.value
    assert (again.folder / "model.txt").read_bytes() != (drawn.folder / "model.txt").read_bytes()


def test_the_command_writes_the_results_of_the_run(run: TrainedRun, monkeypatch, capsys):
    monkeypatch.setattr(trained_run, "DATA", run.results.parent.parent)

    options = ("--run", "r", "--data", str(run.data.folder), "--files", "10", "--seeds", "1")
    assert run_command(reason_quality, *options) == 0

    written = read(ReasonQuality, run.results / REASONS_FILE)
    assert (written.run, written.fidelity.files) == ("r", 10)
    assert sum(part.files for part in written.fidelity_by_kind.values()) == 10
    assert [row.model for row in written.stability] == ["seed 2", "seed 3, a bootstrap of the clients"]
    assert "10 refusals" in capsys.readouterr().out


@pytest.mark.parametrize("family", ["linear", "blend"])
def test_a_model_of_another_family_is_trained_again_as_that_family(
    run: TrainedRun, synthetic_folder: Path, tmp_path: Path, family: str
):
    model = write_small_model(tmp_path / "model", synthetic_folder, family=family)

    again = trained_again(TrainedRun(run.results, model, run.data), tmp_path / "again", 7, bootstrap=True)

    assert (again.manifest.family, len(again.feature_names)) == (family, len(model.feature_names))
    features = run.data.rows("test").features
    assert np.corrcoef(again.log_odds(features), model.log_odds(features))[0, 1] > 0.3
