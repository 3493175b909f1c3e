"""A registry that fails halfway, commands that run at once, and a champion that is gone."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import bentoml
import mlflow
import pytest
from mlflow.exceptions import MlflowException

from bento import NAME
from research import tracking
from research.cli import ROOT, CommandError
from research.data.dataset import DATA, Data
from research.deployment.import_model import import_model
from research.registry import promote as gate
from research.registry.promote import promote
from research.registry.rollback import rollback
from research.results import GATE_FILE, GateCheck
from tests.support.commands import research
from tests.support.deadlines import timeout_s
from tests.support.registry import Register, version_of

pytestmark = pytest.mark.end_to_end

ALIASES = ("champion", "previous", "challenger")
COMMAND_TIMEOUT_S = 240.0
"""Seconds for a command that judges a model; it takes about ten."""
STEPS = [
    ("set_registered_model_alias", "previous"),
    ("set_registered_model_alias", "champion"),
    ("delete_registered_model_alias", "challenger"),
    ("set_model_version_tag", "gate"),
]
"""Writes of a promotion once its checks are in the tags: method of the client, and what it writes."""


def aliases(client: mlflow.MlflowClient) -> dict[str, str | None]:
    return {alias: version_of(client, alias) for alias in ALIASES}


@pytest.fixture(autouse=True)
def without_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check in a new process, which takes seconds and is tested with the gate."""
    monkeypatch.setattr(gate, "contract", lambda _: GateCheck(name="contract", passed=True, found="not tried"))
    monkeypatch.setattr("research.registry.rollback.contract", gate.contract)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Make the folder of results of each run, as training does, and return the folders."""
    folders: list[Path] = []
    log_model = tracking.log_model

    def log(*arguments: Any) -> Any:
        version = log_model(*arguments)
        folders.append(DATA / "results" / str(version.run_id))
        folders[-1].mkdir(parents=True)
        return version

    monkeypatch.setattr(tracking, "log_model", log)
    return folders


def fail_at(monkeypatch: pytest.MonkeyPatch, method: str, name: str, times: int = 1) -> None:
    """Make a method of the client fail where it writes `name`, the first `times` times."""
    write, left = getattr(mlflow.MlflowClient, method), [times]

    def failing(client: mlflow.MlflowClient, *arguments: Any) -> Any:
        if name in arguments and left[0]:
            left[0] -= 1
            raise MlflowException("(sqlite3.OperationalError) database is locked\n[SQL: UPDATE]")
        return write(client, *arguments)

    monkeypatch.setattr(mlflow.MlflowClient, method, failing)


@pytest.mark.parametrize(("method", "name"), STEPS)
def test_promotion_that_fails_halfway_leaves_everything_as_it_was(
    method: str, name: str, client, register: Register, results: list[Path], data: Data, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(2):
        register()
        promote(data)
    register()
    before = aliases(client)

    with monkeypatch.context() as patch:
        fail_at(patch, method, name)
        with pytest.raises(MlflowException, match="database is locked"):
            promote(data)

    assert before == {"champion": "2", "previous": "1", "challenger": "3"}
    assert aliases(client) == before
    assert "gate" not in client.get_model_version(NAME, "3").tags
    assert list(results[-1].iterdir()) == []
    assert promote(data).promoted
    assert aliases(client) == {"champion": "3", "previous": "2", "challenger": None}
    assert [path.name for path in results[-1].iterdir()] == [GATE_FILE]
    assert json.loads((results[-1] / GATE_FILE).read_text())["promoted"]


def test_results_that_cannot_be_written_leave_the_champion(client, register: Register, results: list[Path], data: Data):
    register()
    (results[-1] / f"{GATE_FILE}.unfinished").mkdir()

    with pytest.raises(OSError, match=GATE_FILE):
        promote(data)

    assert aliases(client) == {"champion": None, "previous": None, "challenger": "1"}


def test_aliases_that_cannot_be_put_back_are_named(client, register: Register, data: Data, monkeypatch):
    register()
    promote(data)
    register()
    fail_at(monkeypatch, "set_registered_model_alias", "champion", times=2)

    words = r"could not be put back .* see \(make mlflow\) that .* are: previous none, champion 1, challenger 2"
    with pytest.raises(CommandError, match=words):
        promote(data)


@pytest.mark.parametrize(("method", "name"), [*STEPS[:2], ("set_model_version_tag", "rolled_back")])
def test_rollback_that_fails_halfway_leaves_everything_as_it_was(
    method: str, name: str, client, register: Register, data: Data, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(3):
        register()
        promote(data)
    before = aliases(client)

    with monkeypatch.context() as patch:
        fail_at(patch, method, name)
        with pytest.raises(MlflowException, match="database is locked"):
            rollback()

    assert aliases(client) == before == {"champion": "3", "previous": "2", "challenger": None}
    rollback()
    assert aliases(client) == {"champion": "2", "previous": "1", "challenger": None}


def test_rollback_after_a_promotion_that_was_killed_halfway(client, register: Register, data: Data):
    for _ in range(2):
        register()
        promote(data)
    client.set_registered_model_alias(NAME, tracking.PREVIOUS, "2")  # the next promotion's first step

    rollback()

    assert aliases(client) == {"champion": "1", "previous": None, "challenger": None}


def test_two_promotions_at_once_move_the_aliases_once(client, register: Register, data: Data, tmp_path: Path):
    register()
    environment = os.environ | {"MLFLOW_TRACKING_URI": mlflow.get_tracking_uri()}
    command = research("promote", "--data", data.folder)
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) for _ in range(3)
    ]

    errors = [process.communicate(timeout=timeout_s(COMMAND_TIMEOUT_S))[1] for process in processes]

    assert sorted(process.returncode for process in processes) == [0, 2, 2], errors
    for process, error in zip(processes, errors, strict=True):
        assert "Traceback" not in error
        assert len([line for line in error.splitlines() if line.startswith("error: ")]) == (process.returncode != 0)
    assert aliases(client) == {"champion": "1", "previous": None, "challenger": None}


def test_deleted_champion_is_replaced_and_the_one_before_stays(client, register: Register, data: Data):
    for _ in range(2):
        register()
        promote(data)
    client.delete_model_version(NAME, "2")
    with pytest.raises(CommandError, match="no champion of credit_scoring is registered; make one with"):
        tracking.champion(client)
    register()

    assert promote(data).promoted

    assert aliases(client) == {"champion": "3", "previous": "1", "challenger": None}
    rollback()
    assert version_of(client, "champion") == "1"


def test_champion_whose_run_was_deleted_is_served_and_replaced(client, register: Register, data: Data):
    champion = register()
    promote(data)
    client.delete_run(champion.run_id)
    register()

    bentoml.models.delete(import_model(tracking.champion(client)).tag)
    assert promote(data).promoted


def test_champion_without_artifacts_is_named_with_the_remedy(client, register: Register, data: Data, tmp_path: Path):
    for _ in range(2):
        register()
        promote(data)
    champion = tracking.champion(client)
    for experiment in (tmp_path / "mlruns").iterdir():
        shutil.rmtree(experiment)
    register()
    models, before = {model.tag for model in bentoml.models.list()}, aliases(client)

    for number, command in (
        ("2", lambda: import_model(champion)),
        ("2", lambda: promote(data)),
        ("1", rollback),
    ):
        words = rf"artifacts of {NAME} version {number} cannot be fetched .*; where they are gone, bring .*--new-data"
        with pytest.raises(CommandError, match=words):
            command()

    assert {model.tag for model in bentoml.models.list()} == models
    assert aliases(client) == before
    assert promote(data, new_data=True).promoted
