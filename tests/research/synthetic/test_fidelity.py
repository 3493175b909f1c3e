"""The synthetic population is within the bounds, and the fidelity command reports it."""

import json

import polars as pl
import pytest

from research.__main__ import run_command
from research.cli import CommandError
from research.synthetic import generate, write
from research.synthetic.calibration_statistics import STATISTICS_FILE, statistics, table_statistics
from research.synthetic.fidelity_metrics import Bounds, correlation_error, measure

CLIENTS = 8000


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return generate(CLIENTS)


def test_bounds_hold_with_room_for_few_clients(tables):
    wide = Bounds(null_rate=0.05, share=0.05, ks=0.08, auc=0.06, rows=0.08, default_rate=0.01)
    broken = [finding for finding in measure(tables, wide) if not finding.passed]
    assert broken == []


def test_bounds_detect_wrong_marginals(tables):
    train = tables["application_train"].with_columns(
        pl.col("EXT_SOURCE_3").shuffle(seed=1), pl.lit("F").alias("CODE_GENDER"), pl.col("DAYS_BIRTH") + 2000
    )
    findings = measure(tables | {"application_train": train})
    broken = {(finding.column.split("=")[0], finding.measure) for finding in findings if not finding.passed}
    assert {("EXT_SOURCE_3", "AUC"), ("CODE_GENDER", "share"), ("DAYS_BIRTH", "KS")} <= broken
    assert findings[0].distance > findings[0].bound


def test_the_chance_of_both_samples_is_within_the_bound(tables):
    table, column = "application_test", "COMMONAREA_MODE"

    findings = {(item.table, item.column): item for item in measure(tables) if item.measure == "KS"}

    level = findings[table, column].fact
    rows = 1 / statistics()["samples"][table] + 1 / len(tables[table])
    error = (level * (1 - level) * rows / (1 - table_statistics(table)[column].null_rate)) ** 0.5
    assert findings[table, column].bound == pytest.approx(Bounds().ks + 2 * error)


def test_correlations_are_kept(tables):
    assert correlation_error(tables["application_train"])["mean"] < 0.03


def test_test_clients_differ_as_the_real_ones_do(tables):
    train, test = tables["application_train"], tables["application_test"]
    revolving = pl.col("NAME_CONTRACT_TYPE") == "Revolving loans"
    assert train.select(revolving.mean()).item() > 0.07
    assert test.select(revolving.mean()).item() < 0.03
    assert train["EXT_SOURCE_1"].is_null().mean() - test["EXT_SOURCE_1"].is_null().mean() > 0.08
    assert train["AMT_CREDIT"].mean() > test["AMT_CREDIT"].mean() + 30_000
    assert test["FLAG_EMAIL"].mean() > train["FLAG_EMAIL"].mean() + 0.06


def test_calibration_statistics_hold_no_rows():
    assert STATISTICS_FILE.stat().st_size < 300_000
    assert statistics()["source"] == "marginal statistics of the public Home Credit Default Risk data (Kaggle, 2018)"


def test_command_writes_its_findings(tmp_path, capsys):
    data = tmp_path / "data"
    write(data, 600, seed=5)
    real = tmp_path / "real"
    real.mkdir()
    generate(300, seed=6)["application_train"].write_csv(real / "application_train.csv")
    code = run_command("fidelity", ["--data", str(data), "--real", str(real), "--out", str(tmp_path / "out")])
    report = json.loads((tmp_path / "out" / "fidelity.json").read_text())
    assert code == (0 if report["passed"] else 1)
    assert (report["data"], report["clients"], report["seed"]) == ("synthetic", 600, 5)
    assert {"null rate", "share", "KS", "AUC", "rows per client"} <= {item["measure"] for item in report["findings"]}
    assert report["told_apart"][0]["auc"] < 0.7  # both are synthetic
    assert (tmp_path / "out" / "fidelity.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "worst first" in printed
    assert "distinguished from synthetic" in printed


@pytest.mark.parametrize("fault", ["no folder", "a table lacks", "no description", "no real data", "broken parquet"])
def test_command_refuses_bad_input(tmp_path, fault):
    data = tmp_path / "data"
    if fault != "no folder":
        write(data, 5)
    if fault == "a table lacks":
        (data / "bureau.parquet").unlink()
    if fault == "no description":
        (data / "synthetic.json").write_text("{")
    if fault == "broken parquet":
        (data / "bureau.parquet").write_bytes(b"PAR1")
    real = ["--real", str(tmp_path)] if fault == "no real data" else []
    with pytest.raises(CommandError, match=str(tmp_path)):
        run_command("fidelity", ["--data", str(data), *real])
    assert not (tmp_path / "data-fidelity").exists()
