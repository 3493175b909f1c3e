"""Performance and watch on a journal: outcomes that arrive, estimates of the rest, and the action they call for."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bento.journal.store import Journal
from bento.model.scoring_model import ScoringModel
from drift.__main__ import main
from drift.performance import PerformanceReport
from tests.drift.journal import files, record
from tests.support.journals import opened, review

pytestmark = pytest.mark.end_to_end

START = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = "journal:2026-03-01..2026-05-01"
COUNT = 1200
STEP = timedelta(minutes=60)
"""Between decisions: they fill 50 days, so two months."""
EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture
def run(clients: Path, model_folder: Path, tmp_path: Path):
    def command(name: str, url: str, *options: str | Path) -> int:
        data = ("--data", clients) if name == "watch" else ()
        words = [name, "--current", PERIOD, "--journal", url, "--model", model_folder, "--out", tmp_path / "out"]
        return main([str(word) for word in (*words, *data, *options)])

    return command


def address(journal: Journal) -> str:
    return journal.engine.url.render_as_string(hide_password=False)


def truth(clients: Path) -> pl.DataFrame:
    return pl.read_parquet(clients / "oracle.parquet")


def write_outcomes(clients: Path, path: Path, contents: list[dict[str, Any]], odds: float = 1.0) -> Path:
    """Draw outcomes from the true probabilities, whose odds are multiplied."""
    applicants = [content["application"]["SK_ID_CURR"] for content in contents]
    rows = pl.DataFrame({"SK_ID_CURR": applicants}).join(truth(clients), on="SK_ID_CURR", how="left")
    odds_of = rows["PROBABILITY"].to_numpy() / (1 - rows["PROBABILITY"].to_numpy()) * odds
    target = (np.random.default_rng(3).random(len(rows)) < odds_of / (1 + odds_of)).astype(int)
    rows.select("SK_ID_CURR", TARGET=pl.Series(target)).write_csv(path)
    return path


def content_of(tmp_path: Path) -> PerformanceReport:
    return PerformanceReport.model_validate_json((tmp_path / "out" / "performance.json").read_text())


def test_performance_measures_granted_loans_and_estimates_all(clients, model, run, journal_url, tmp_path):
    contents = files(clients, 0, COUNT)
    outcomes = write_outcomes(clients, tmp_path / "outcomes.csv", contents[: COUNT // 2])
    with opened(journal_url) as journal:
        record(journal, model, contents, START, STEP)

        assert run("performance", address(journal), "--outcomes", outcomes) == 0

    report = content_of(tmp_path)
    overall = report.overall
    assert (overall.decisions, [month.group for month in report.by_month]) == (COUNT, ["2026-03", "2026-04"])
    assert 0 < overall.outcomes < COUNT / 2
    assert overall.auc.low < overall.auc.value < overall.auc.high
    assert overall.gini.value == pytest.approx(2 * overall.auc.value - 1, abs=1e-3)
    assert "refused applicants have no outcome" in report.caveat.lower()
    assert {group.group.split(":")[0] for group in report.by_group} == {"CODE_GENDER", "age", "NAME_CONTRACT_TYPE"}
    applicants = [content["application"]["SK_ID_CURR"] for content in contents]
    rate = truth(clients).filter(pl.col("SK_ID_CURR").is_in(applicants))["PROBABILITY"].mean()
    assert overall.estimate.default_rate == pytest.approx(rate, rel=0.25)
    assert overall.estimate.low < overall.estimate.cost < overall.estimate.high


def test_outcomes_repeated_contradicting_and_of_others_are_named(clients, model, run, journal_url, tmp_path, capsys):
    contents = files(clients, 0, 150)
    with opened(journal_url) as journal:
        ids = record(journal, model, contents, START, STEP)
        rows = [f"{ids[0]},0", f"{ids[0]},0", f"{ids[1]},0", f"{ids[1]},1", "unknown,1", f"{ids[2]},"]
        (tmp_path / "outcomes.csv").write_text("\n".join(["decision_id,TARGET", *rows]) + "\n")

        assert run("performance", address(journal), "--outcomes", tmp_path / "outcomes.csv") == 0

    notes = content_of(tmp_path).notes
    assert "outcomes.csv: 1 rows of other decisions, the first in row 6" in notes
    assert "outcomes.csv: 1 repeated rows, counted once" in notes
    assert "outcomes.csv: 1 decisions with contradicting outcomes, left out" in notes
    assert content_of(tmp_path).overall.auc is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("decision_id,TARGET\na,0\nb,2\n", "row 3, column TARGET: write 1 for a default"),
        ("decision_id,OUTCOME\na,0\n", "has no column TARGET"),
        ("id,TARGET\na,0\n", "has no column SK_ID_CURR"),
    ],
)
def test_a_file_of_outcomes_that_cannot_be_used_is_one_line(clients, model, run, tmp_path, capsys, text, message):
    (tmp_path / "outcomes.csv").write_text(text)
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, files(clients, 0, 120), START)

        assert run("performance", address(journal), "--outcomes", tmp_path / "outcomes.csv") == 2

    assert message in capsys.readouterr().err


def test_reviews_decide_and_overturned_ones_are_counted(clients, model, run, tmp_path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        contents = files(clients, 0, 150)
        ids = record(journal, model, contents, START, STEP)
        before = run("performance", address(journal)) or content_of(tmp_path).overall.approval_rate
        granted = [one for one in ids if journal.find(one).decision == "granted"]
        for decision_id in granted[:15]:
            journal.add_review(decision_id, review(verdict="overturned", outcome="refused"))

        run("performance", address(journal))

    report = content_of(tmp_path)
    assert (report.overrides.reviews, report.overrides.overturned) == (15, 15)
    assert report.overall.approval_rate == pytest.approx(before - 0.1, abs=1e-3)


def test_a_quiet_period_needs_no_action_and_is_compared_with_the_next(clients, model, run, tmp_path, capsys):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, files(clients, 0, COUNT), START, STEP)

        assert run("watch", address(journal)) == 0
        first = (tmp_path / "out" / "watch.md").read_text()
        assert run("watch", address(journal), "--current", "journal:2026-03-01..2026-04-01") == 0

    second = (tmp_path / "out" / "watch.md").read_text()
    assert "nothing" in first.splitlines()[0]
    assert "Before (journal:2026-03-01..2026-05-01): nothing" in second
    assert len((tmp_path / "out" / "watch.jsonl").read_text().splitlines()) == 2
    months = json.loads((tmp_path / "out" / "watch.json").read_text())["months"]
    assert [month["month"] for month in months] == ["2026-03"]
    assert (tmp_path / "out" / "drift.html").is_file()


def test_scores_that_vanish_call_for_a_look_at_the_source(clients, model, run, journal_url, tmp_path, capsys):
    emptied = {name: pl.lit(None, dtype=pl.Float64) for name in EXTERNAL}
    with opened(journal_url) as journal:
        record(journal, model, files(clients, 0, COUNT // 2), START, STEP)
        record(journal, model, files(clients, COUNT // 2, COUNT // 2, **emptied), START + timedelta(days=26), STEP)

        assert run("watch", address(journal)) == 1

    first = capsys.readouterr().out.splitlines()
    assert first[0].endswith(": look")
    assert any(line.startswith("- look: EXT_SOURCE_2: missing in 5") for line in first)
    assert any(line.startswith("| 2026-04 ! |") for line in first)


@pytest.mark.parametrize(("odds", "action"), [(1.0, "nothing"), (3.0, "recalibrate")])
def test_defaults_beyond_the_predicted_ones_call_for_calibration(clients, model, run, tmp_path, odds, action):
    contents = files(clients, 0, COUNT)
    outcomes = write_outcomes(clients, tmp_path / "outcomes.csv", contents, odds)
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, contents, START, STEP)

        code = run("watch", address(journal), "--outcomes", outcomes)

    content = json.loads((tmp_path / "out" / "watch.json").read_text())
    assert (content["action"], code) == (action, int(action != "nothing"))


def test_outcomes_without_relation_to_the_pd_call_for_training(clients, model, run, tmp_path):
    contents = files(clients, 0, COUNT)
    outcomes = write_outcomes(clients, tmp_path / "outcomes.csv", contents)
    frame = pl.read_csv(outcomes)
    frame.with_columns(TARGET=pl.Series(np.arange(COUNT) % 8 == 0).cast(pl.Int64)).write_csv(outcomes)
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, contents, START, STEP)

        assert run("watch", address(journal), "--outcomes", outcomes) == 1

    assert json.loads((tmp_path / "out" / "watch.json").read_text())["action"] == "retrain"


def test_the_summary_is_posted_to_the_address_of_the_setting(clients, model, run, tmp_path, monkeypatch):
    bodies = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("DRIFT_WEBHOOK", f"http://127.0.0.1:{server.server_port}/hook")
    try:
        with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
            record(journal, model, files(clients, 0, 300), START, STEP)

            run("watch", address(journal))
    finally:
        server.shutdown()
        thread.join()

    assert bodies == [{"text": (tmp_path / "out" / "watch.md").read_text().rstrip("\n")}]


def test_a_webhook_that_does_not_answer_is_a_warning(clients, model, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DRIFT_WEBHOOK", "http://127.0.0.1:9/hook")
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, files(clients, 0, 300), START, STEP)

        assert run("watch", address(journal)) == 0

    assert "warning: DRIFT_WEBHOOK" in capsys.readouterr().err
