import json
from pathlib import Path

import numpy as np
import pytest

from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.counterfactual import Change
from bento.scoring.score import score
from research.data.dataset import Data
from research.explanation import counterfactuals
from research.explanation.counterfactuals import Outcome, is_confirmed, outcomes, report
from research.registry import trained_run
from research.results import COUNTERFACTUALS_FILE, Counterfactuals, read
from tests.research.commands import run_command

FILES = 40


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="module")
def rules(model: ScoringModel) -> Rules:
    return Rules(Rulebook.read(), model.reference.usual)


@pytest.fixture(scope="module")
def results(model: ScoringModel, rules: Rules, data: Data) -> list[Outcome]:
    return list(outcomes(model, rules, data, FILES, seed=1))


def test_only_files_of_the_test_split_that_are_not_granted_are_examined(model, rules, data, results):
    clients = [int(result.credit_file.application["SK_ID_CURR"]) for result in results]

    assert len(set(clients)) == FILES
    assert set(clients) <= set(data.test_features()["SK_ID_CURR"].to_list())
    decided = score(model, [result.credit_file for result in results], rules=rules, reasons=False)
    assert [scored.decision for scored in decided] == [result.decision for result in results]
    assert {result.decision for result in results} == {Decision.REFUSED, Decision.REVIEW}


def test_every_proposal_is_confirmed(results):
    assert sum(bool(result.proposals) for result in results) >= 3
    assert all(result.confirmed for result in results)


@pytest.mark.parametrize(
    "change",
    [
        {"changes": []},
        {"changes": [{"column": "AMT_CREDIT", "value": 1.0, "needed": 1e8}]},
        {"changes": [{"column": "AMT_INCOME_TOTAL", "value": 1.0, "needed": 1.0}]},
        {"changes": [{"column": "AMT_ANNUITY", "value": 1.0, "needed": 1e7}]},
    ],
)
def test_a_proposal_that_is_not_what_it_says_is_not_confirmed(model, rules, results, change):
    result = next(result for result in results if result.proposals)
    # without validation: no proposal of the service changes another column
    changes = {key: [Change.model_construct(**item) for item in items] for key, items in change.items()}
    proposal = result.proposals[0].model_copy(update=changes)

    assert is_confirmed(model, rules, result.credit_file, result.proposals[0])
    assert not is_confirmed(
        model, rules, result.credit_file, result.proposals[0].model_copy(update={"probability_of_default": 0.5})
    )
    assert not is_confirmed(model, rules, result.credit_file, proposal)


def test_the_report_counts_files_and_the_medians_of_the_nearest(model, results):
    counted = report(results, model, "r", seed=1)

    proposing = [result for result in results if result.proposals]
    reviewed = sum(result.decision is Decision.REVIEW for result in results)
    assert (counted.files, counted.reviewed, counted.not_confirmed) == (FILES, reviewed, 0)
    assert counted.with_proposal.value == len(proposing) / FILES
    assert counted.with_proposal.low < counted.with_proposal.value < counted.with_proposal.high
    kinds = [proposal.kind for result in results for proposal in result.proposals]
    assert counted.by_kind == {kind: kinds.count(kind) / FILES for kind in counterfactuals.KINDS}
    assert counted.with_two == sum(len(result.proposals) == 2 for result in results) / FILES
    cuts = []
    for result in proposing:
        needed = {change.column: change.needed for change in result.proposals[0].changes}
        asked = result.credit_file.application["AMT_CREDIT"]
        cuts.append(1 - needed.get("AMT_CREDIT", asked) / asked)
    assert counted.medians.loan_cut == pytest.approx(np.median(cuts))
    assert counted.medians.cost == np.median([result.proposals[0].cost for result in proposing])


def test_without_a_proposal_there_are_no_medians(model, results):
    none = [result for result in results if not result.proposals]

    counted = report(none, model, "r", seed=1)

    assert counted.with_proposal.value == 0
    assert set(counted.medians.model_dump().values()) == {None}


def test_the_command_writes_the_results_of_the_run(model, data, monkeypatch, tmp_path, capsys):
    run = tmp_path / "results" / "r"
    run.mkdir(parents=True)
    (run / "model").symlink_to(model.folder)
    monkeypatch.setattr(trained_run, "DATA", tmp_path)

    code = run_command(counterfactuals, "--run", "r", "--data", str(data.folder), "--files", "10")

    written = read(Counterfactuals, run / COUNTERFACTUALS_FILE)
    assert (code, written.files, written.run) == (0, 10, "r")
    assert written.fingerprint == data.source.fingerprint
    assert "10 applications not granted" in capsys.readouterr().out


def test_a_proposal_that_fails_ends_the_command_with_code_1(model, data, monkeypatch, tmp_path):
    run = tmp_path / "results" / "r"
    run.mkdir(parents=True)
    (run / "model").symlink_to(model.folder)
    monkeypatch.setattr(trained_run, "DATA", tmp_path)
    monkeypatch.setattr(counterfactuals, "is_confirmed", lambda *_: False)

    assert run_command(counterfactuals, "--run", "r", "--data", str(data.folder), "--files", str(FILES)) == 1
    assert json.loads((run / COUNTERFACTUALS_FILE).read_text())["not_confirmed"] > 0
