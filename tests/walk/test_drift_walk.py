"""drift.yml, walked through on a journal whose applicants are not those of the training."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from research.registry.archive import opened
from research.reporting.simulated_decisions import write_decisions
from research.tracking import FOLDER_IN_LOGGED_MODEL
from tests.support import journals
from tests.support.clients import make_credit_files
from tests.walk.conftest import keep_champion
from tests.walk.runner import GitHub, Result, run

DECISIONS = 150
"""One in two hours; the watch needs a hundred."""
DAYS = "14"
WATCH = "watch: Watch; red where there is something to do"


@pytest.fixture(scope="module")
def github(champion: Path, tmp_path_factory: pytest.TempPathFactory) -> GitHub:
    """Return a repository with a champion, a runner that reaches the journal, and the journal's address."""
    folder = tmp_path_factory.mktemp("drift")
    address = f"sqlite:///{folder}/journal.db"
    files = [CreditFile.model_validate_json(json.dumps(file)) for file in make_credit_files(DECISIONS)]
    with journals.opened(address) as journal, opened(champion) as (_, logged):
        model = ScoringModel(logged / FOLDER_IN_LOGGED_MODEL)
        write_decisions(journal, model, files, datetime.now(UTC) - timedelta(days=13), per_month=DECISIONS)
    github = GitHub(
        folder=folder / "github",
        variables={"": {"JOURNAL_RUNNER": "inside"}},
        secrets={"JOURNAL_URL": address},
        environment={"BENTOML_HOME": str(folder / "bentoml"), "SCORING_DATA": "", "MLFLOW_TRACKING_URI": ""},
    )
    keep_champion(github, champion)
    return github


@pytest.fixture(scope="module")
def watch(github: GitHub) -> Result:
    return run("drift.yml", github, inputs={"days": DAYS})


def issues(github: GitHub) -> list[dict[str, str]]:
    return list(json.loads((github.folder / "issues.json").read_text()))


def test_what_asks_for_action_is_red_and_opens_an_issue(watch: Result, github: GitHub):
    assert watch.failed == WATCH, watch.output

    (issue,) = issues(github)
    assert issue["title"] == "The watch over the decisions asks for action"
    assert issue["text"] in watch.summary
    assert "What to do:" in issue["text"]


def test_its_results_are_kept_for_the_next_watch(watch: Result, github: GitHub):
    (results,) = github.folder.glob("runs/*/drift")

    assert {"drift.html", "watch.json", "watch.jsonl", "watch.md"} <= {path.name for path in results.iterdir()}


def test_the_master_key_does_not_outlive_the_watch(watch: Result, github: GitHub):
    assert "watch: Remove the keys" in watch.steps
    assert not list(github.folder.rglob("master.key"))


def test_without_a_runner_that_reaches_the_journal_nothing_is_done(github: GitHub):
    result = run("drift.yml", dataclasses.replace(github, variables={"": {}}))

    assert result.failed is None
    assert result.steps == []
