"""Decisions of the running service are watched: drift is found, outcomes are measured, an action is named."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest

from bento.settings import Settings
from drift.__main__ import main
from drift.performance import PerformanceReport
from drift.summary import DriftReport
from research.data.credit_files import credit_file_contents
from research.synthetic import write
from tests.support.deadlines import timeout_s
from tests.support.services import REQUEST_TIMEOUT_S

DECISIONS = 2000
BATCH = 50
EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


@pytest.fixture(scope="module")
def applicants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clients that the model has not seen."""
    folder = tmp_path_factory.mktemp("applicants") / "clients"
    write(folder, 2500, seed=9)
    return folder


@pytest.fixture(scope="module")
def period(service_url: str, applicants: Path) -> str:
    """Have the service decide on these clients, the external scores of the second half emptied; return the period."""
    clients = pl.read_parquet(applicants / "application_train.parquet")["SK_ID_CURR"][:DECISIONS].to_list()
    contents = list(credit_file_contents(applicants, clients))
    for content in contents[DECISIONS // 2 :]:
        for name in EXTERNAL:
            content["application"].pop(name, None)
    start = datetime.now(UTC)
    with httpx.Client(base_url=service_url, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
        for first in range(0, DECISIONS, BATCH):
            answer = client.post("/predict_batch", json={"credit_files": contents[first : first + BATCH]}).json()
            assert not [result["problem"] for result in answer["results"] if result["problem"]]
    return f"journal:{start.isoformat()}..{datetime.now(UTC).isoformat()}"


@pytest.fixture
def command(period: str, synthetic_folder: Path, tmp_path: Path) -> list[str]:
    return ["--current", period, "--journal", Settings.read().journal_address, "--out", str(tmp_path)]


def test_shifted_decisions_of_the_service_are_drift(command: list[str], synthetic_folder: Path, tmp_path: Path):
    assert main(["report", "--data", str(synthetic_folder), *command]) == 1

    report = DriftReport.model_validate_json((tmp_path / "drift.json").read_text())
    assert report.current.rows == DECISIONS
    assert {column.column for column in report.columns[:3]} == set(EXTERNAL)
    assert report.probability.drifted


def test_outcomes_of_a_third_are_measured_and_an_action_is_named(
    command: list[str], synthetic_folder: Path, applicants: Path, tmp_path: Path
):
    clients = pl.read_parquet(applicants / "application_train.parquet")[:DECISIONS]
    third = clients.select("SK_ID_CURR", "TARGET")[: DECISIONS // 3]
    third.write_csv(tmp_path / "outcomes.csv")
    truth = clients.select("SK_ID_CURR").join(pl.read_parquet(applicants / "oracle.parquet"), on="SK_ID_CURR")
    outcomes = ["--outcomes", str(tmp_path / "outcomes.csv")]

    assert main(["performance", *command, *outcomes]) == 0
    assert main(["watch", "--data", str(synthetic_folder), *command, *outcomes]) == 1

    overall = PerformanceReport.model_validate_json((tmp_path / "performance.json").read_text()).overall
    assert overall.decisions == DECISIONS
    assert 0 < overall.outcomes < DECISIONS / 3
    true_rate = float(np.mean(truth["PROBABILITY"].to_numpy()))
    assert overall.estimate.default_rate == pytest.approx(true_rate, rel=0.5)
    content = json.loads((tmp_path / "watch.json").read_text())
    assert content["action"] == "look"
    assert any("EXT_SOURCE_2: missing in 50%" in finding["text"] for finding in content["findings"])
