"""Decisions of the running service are watched: drift is found, outcomes are measured, an action is named."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest

from bento.policy import DEFAULT_COSTS
from drift.__main__ import main
from drift.distributions import Floats
from drift.estimate import expected_costs
from drift.performance import PerformanceReport
from drift.populations import of_journal, period
from drift.summary import DriftReport
from research.data.credit_files import credit_file_contents
from research.synthetic import write
from tests.support.deadlines import timeout_s
from tests.support.drift_runs import last_run
from tests.support.services import REQUEST_TIMEOUT_S, Service, served

DECISIONS = 2000
SHIFTED = DECISIONS // 2
WITH_OUTCOME = DECISIONS // 3
BATCH = 50
EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


@pytest.fixture(scope="module")
def applicants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clients that the model has not seen."""
    folder = tmp_path_factory.mktemp("applicants") / "clients"
    write(folder, 2500, seed=9)
    return folder


@contextmanager
def decided(bento_tag: str, journal_url: str, applicants: Path, folder: Path) -> Iterator[tuple[Service, str]]:
    """Have a service decide on these clients, the last of them without external scores; yield it and the period."""
    clients = pl.read_parquet(applicants / "application_train.parquet")["SK_ID_CURR"][:DECISIONS].to_list()
    contents = list(credit_file_contents(applicants, clients))
    for content in contents[DECISIONS - SHIFTED :]:
        for name in EXTERNAL:
            content["application"].pop(name, None)
    with served(bento_tag, journal_url, folder) as service:
        start = datetime.now(UTC)
        with httpx.Client(base_url=service.url, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
            for first in range(0, DECISIONS, BATCH):
                answer = client.post("/predict_batch", json={"credit_files": contents[first : first + BATCH]}).json()
                assert not [result["problem"] for result in answer["results"] if result["problem"]]
        yield service, f"journal:{start.isoformat()}..{datetime.now(UTC).isoformat()}"


def truth_of(applicants: Path, clients: pl.Series) -> Floats:
    """Return the true probabilities of default of clients, in their order."""
    oracle = pl.read_parquet(applicants / "oracle.parquet")
    ids = pl.DataFrame({"SK_ID_CURR": clients.cast(oracle.schema["SK_ID_CURR"])})
    return ids.join(oracle, on="SK_ID_CURR", how="left", maintain_order="left")["PROBABILITY"].to_numpy()


def test_shifted_decisions_are_found_measured_and_acted_on(
    bento_tag: str, journal_url: str, synthetic_folder: Path, applicants: Path, tmp_path: Path
):
    train = pl.read_parquet(applicants / "application_train.parquet")
    train.select("SK_ID_CURR", "TARGET")[:WITH_OUTCOME].write_csv(tmp_path / "outcomes.csv")
    reference = ["--data", str(synthetic_folder)]
    outcomes = ["--outcomes", str(tmp_path / "outcomes.csv")]

    with decided(bento_tag, journal_url, applicants, tmp_path) as (service, current):
        command = ["--current", current, "--journal", journal_url, "--out", str(tmp_path / "out")]
        codes = [
            main(["report", *reference, *command]),
            main(["performance", *command, *outcomes]),
            main(["watch", *reference, *command, *outcomes]),
        ]
        population = of_journal(service.journal, *period(current))

    assert codes == [1, 0, 1]
    report = DriftReport.model_validate_json((last_run(tmp_path / "out") / "drift.json").read_text())
    assert report.current.rows == DECISIONS
    assert {column.column for column in report.columns[:3]} == set(EXTERNAL)
    assert report.probability is not None
    assert report.probability.drifted

    overall = PerformanceReport.model_validate_json(
        (last_run(tmp_path / "out") / "performance.json").read_text()
    ).overall
    truth = truth_of(applicants, population.applications["SK_ID_CURR"])
    refused = np.array([decision.decision != "granted" for decision in population.decisions])
    true_cost = 1000 * float(expected_costs(truth, refused, DEFAULT_COSTS).mean())
    assert overall.decisions == DECISIONS
    assert overall.estimate.cost == pytest.approx(true_cost, rel=0.2)
    assert overall.estimate.default_rate == pytest.approx(float(truth.mean()), rel=0.2)
    assert overall.realised_cost is not None
    granted = ~refused[:WITH_OUTCOME]
    assert overall.outcomes == int(granted.sum())
    true_cost_of_granted = 1000 * float(expected_costs(truth, refused, DEFAULT_COSTS)[:WITH_OUTCOME][granted].mean())
    assert overall.realised_cost.low < true_cost_of_granted < overall.realised_cost.high

    content = json.loads((last_run(tmp_path / "out") / "watch.json").read_text())
    assert content["action"] == "look"
    assert any("EXT_SOURCE_2: missing in 50%" in finding["text"] for finding in content["findings"])
