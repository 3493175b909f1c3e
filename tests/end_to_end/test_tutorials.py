"""The tutorials, walked through as printed: from files to a decision, a drift report, another lender's model."""

import re
import shutil
from pathlib import Path

import httpx
import pytest

from research.cli import ROOT
from research.deployment.processes import free_port
from tests.docs.test_another_lender import block as lender_block
from tests.docs.test_another_lender import invented_lender
from tests.support.deadlines import timeout_s, wait_until
from tests.support.doc_blocks import blocks, manual_environment, project_copy, replaced, run_block, running_block
from tests.support.services import READY_TIMEOUT_S, REQUEST_TIMEOUT_S

TUTORIALS = ROOT / "docs" / "tutorials"
TRAIN_TIMEOUT_S = 600.0
"""Seconds to tune and train on a thousand clients; forty on a quiet machine."""
BUILT_AND_READY_TIMEOUT_S = 3 * READY_TIMEOUT_S
"""Seconds for three commands in a row: import a model, build its Bento, serve it."""
URL = "http://127.0.0.1:3000"


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a project in which nothing was trained yet."""
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/data/mlflow.db", "BENTOML_HOME": str(folder / "bentoml")}
    return manual_environment(**store, CI="true")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=timeout_s(REQUEST_TIMEOUT_S)).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.promise(
    "the tutorials lead to a promoted model, a served decision and a drift report, as they are printed"
)
def test_the_tutorials_lead_to_a_decision_and_a_drift_report(synthetic_folder: Path, tmp_path: Path):
    folder = project_copy(tmp_path / "project")
    (folder / "data").mkdir()
    shutil.copytree(synthetic_folder, folder / "data" / "raw")
    environment, port = _environment(folder), free_port()
    _, check, train, promote, serve, ask = blocks(TUTORIALS / "first_model.md")
    train = re.sub(r"^make mlflow.*\n", "", train, flags=re.MULTILINE)  # a server, which test_commands starts

    for block in (check, train, promote):
        done = run_block(block, folder, environment, TRAIN_TIMEOUT_S)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "promoted: it is champion now" in done.stdout

    serve = replaced(serve, {"make serve": f"make serve PORT={port}"})
    with running_block(serve, folder, environment, tmp_path / "log") as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.poll() is not None or _answers(url), BUILT_AND_READY_TIMEOUT_S)
        assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
        decided = run_block(replaced(ask, {URL: url}), folder, environment)
        assert '"probability_of_default":' in decided.stdout, decided.stdout + decided.stderr

    report, period, outcomes = blocks(TUTORIALS / "monitor.md")
    assert run_block(report, folder, environment, TRAIN_TIMEOUT_S).returncode == 0
    assert list((folder / "data" / "results" / "drift").glob("*_report/drift.html"))
    done = run_block(replaced(period, {"2026-06-01..2026-07-01": "2020-01-01..2100-01-01"}), folder, environment)
    assert done.returncode in (1, 2), done.stderr  # one decision is too few to judge
    assert "Traceback" not in done.stderr
    assert "--outcomes" in run_block(outcomes, folder, environment).stdout


def test_another_lenders_tables_become_a_registered_model(tmp_path: Path):
    folder = project_copy(tmp_path / "project")
    (folder / "tables").mkdir()
    for name, text in zip(("applications", "payments"), invented_lender(), strict=True):
        (folder / "tables" / f"{name}.csv").write_text(text)
    (folder / "lender.py").write_text(lender_block("python"))
    (block,) = blocks(TUTORIALS / "another_lender.md")
    environment = _environment(folder) | {"PYTHONPATH": str(folder)}

    done = run_block(block, folder, environment, TRAIN_TIMEOUT_S)

    assert "credit_scoring version 1 registered, alias challenger" in done.stdout, done.stdout + done.stderr[-3000:]
    assert re.search(r"version 1 (promoted|refused|stays)|refused", done.stdout), done.stdout[-2000:]
