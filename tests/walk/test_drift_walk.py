"""drift.yml, walked through on a journal whose applicants are not those of the training."""

import base64
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bento.data.credit_file import CreditFile
from bento.journal.vault import Vault
from bento.model.scoring_model import ScoringModel
from research.deployment.cloud.journal import allow_watch
from research.deployment.cloud.stacks import Stacks
from research.registry.archive import opened
from research.reporting.simulated_decisions import write_decisions
from research.tracking import FOLDER_IN_LOGGED_MODEL
from tests.support import journals
from tests.support.clients import make_credit_files
from tests.walk.conftest import REGION, World, keep_champion
from tests.walk.github import REPOSITORY, GitHub
from tests.walk.runner import Result, run

DECISIONS = 150
"""One in two hours; the watch needs a hundred."""
DAYS = "14"
WATCH = "watch: Watch; red where there is something to do"


@pytest.fixture(scope="module")
def github(world: World, champion: Path, tmp_path_factory: pytest.TempPathFactory) -> GitHub:
    """Return a repository with a champion, and a runner that reaches the journal, encrypted under production's key."""
    folder = tmp_path_factory.mktemp("drift")
    secret = world.client("secretsmanager").get_secret_value(SecretId=world.secret("production", "MasterKey"))
    vault = Vault(base64.b64decode(secret["SecretString"]))
    files = [CreditFile.model_validate_json(json.dumps(file)) for file in make_credit_files(DECISIONS)]
    with journals.opened(f"sqlite:///{folder}/journal.db", vault) as journal, opened(champion) as (_, logged):
        model = ScoringModel(logged / FOLDER_IN_LOGGED_MODEL)
        write_decisions(journal, model, files, datetime.now(UTC) - timedelta(days=13), per_month=DECISIONS)
    role = allow_watch(Stacks(REGION, 0.05), "production", REPOSITORY).outputs["WatchRole"]
    github = GitHub(
        folder=folder / "github",
        variables={"": {"JOURNAL_RUNNER": "inside"}, "drift": {"AWS_REGION": REGION, "AWS_WATCH_ROLE": role}},
        environment=world.github.environment
        | {"BENTOML_HOME": str(folder / "bentoml"), "SCORING_DATA": "", "MLFLOW_TRACKING_URI": ""},
    )
    keep_champion(github, champion)
    return github


@pytest.fixture(scope="module")
def watch(github: GitHub) -> Result:
    """Return the run of drift.yml; a file stands for the database, whose address is written before."""

    def exchange_address(step: str, folder: Path) -> None:
        if step == WATCH:
            address = folder / "build" / "journal" / "url"
            assert address.read_text().startswith("postgresql://scoring_service:")
            address.write_text(f"sqlite:///{github.folder.parent}/journal.db")

    return run("drift.yml", github, inputs={"days": DAYS}, before=exchange_address)


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

    assert {"index.json", "watch.jsonl"} <= {path.name for path in results.iterdir()}
    assert {"drift.html", "watch.json", "watch.md"} <= {path.name for path in results.glob("*_watch/*")}


def test_the_keys_do_not_outlive_the_watch(watch: Result, github: GitHub):
    assert "watch: Address and keys of the journal" in watch.steps
    assert not list(github.folder.rglob("master.key"))


def test_without_a_runner_that_reaches_the_journal_nothing_is_done(github: GitHub):
    result = run("drift.yml", dataclasses.replace(github, variables={"": {}}))

    assert result.failed is None
    assert result.steps == []
