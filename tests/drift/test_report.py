import json
from pathlib import Path

import polars as pl
import pytest

from drift.__main__ import main
from tests.drift.population import applications, write

ROWS = 1500
COLUMNS = ("AMT_CREDIT", "NAME_CONTRACT_TYPE", "CODE_GENDER", "EXT_SOURCE_1")


def report(data: Path, *options: str) -> int:
    return main(["report", "--data", str(data), "--out", str(data / "out"), *options, "--columns", *COLUMNS])


def written(data: Path) -> tuple[dict, str]:
    return json.loads((data / "out" / "drift.json").read_text()), (data / "out" / "drift.html").read_text()


@pytest.fixture
def same(tmp_path: Path) -> Path:
    return write(tmp_path, applications(ROWS, 1), applications(ROWS, 2))


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    test = applications(ROWS, 2, AMT_CREDIT=pl.col("AMT_CREDIT") + 10, EXT_SOURCE_1=pl.lit(None))
    return write(tmp_path, applications(ROWS, 1), test)


def test_one_population_has_no_drift(same, capsys):
    assert report(same) == 0

    summary, html = written(same)
    assert summary["verdict"] == "no drift"
    assert (summary["columns_judged"], summary["columns_drifted"], summary["share_drifted"]) == (4, 0, 0)
    assert summary["reference"] == {"table": "application_train", "rows": ROWS, "rows_compared": ROWS}
    assert "No drift: 0 of 4 columns drifted" in html
    assert capsys.readouterr().out.splitlines()[-1].startswith("No drift: 0 of 4 columns drifted (0.0%, limit 3.0%)")


def test_a_shift_is_drift_and_stands_first(shifted, capsys):
    assert report(shifted) == 1

    summary, html = written(shifted)
    assert summary["verdict"] == "drift"
    assert [column["column"] for column in summary["columns"] if column["drifted"]] == ["EXT_SOURCE_1", "AMT_CREDIT"]
    emptied, credit = summary["columns"][:2]
    assert (emptied["score"], emptied["note"], emptied["missing_current"]) == (None, "no value in current", 1)
    assert credit["score"] > credit["threshold"] == 0.2
    assert html.index("EXT_SOURCE_1") < html.index("no value in current") < html.index('id="root_')
    output = capsys.readouterr()
    assert output.out.splitlines()[1].startswith("EXT_SOURCE_1")
    assert "comparing 4 columns" in output.err


def test_gender_is_compared_and_marked_but_no_identifier(same, capsys):
    report(same)
    marks = {column["column"]: column["audit_only"] for column in written(same)[0]["columns"]}
    assert marks["CODE_GENDER"]
    assert not marks["AMT_CREDIT"]

    assert main(["report", "--data", str(same), "--out", str(same), "--columns", "SK_ID_CURR"]) == 2
    assert "no column SK_ID_CURR to compare" in capsys.readouterr().err


def test_thresholds_and_share_decide(shifted):
    lenient = ("--threshold", "9")
    assert report(shifted, *lenient, "--share", "0.25") == 1
    assert report(shifted, *lenient, "--share", "0.5") == 0
    assert written(shifted)[0]["thresholds"]["number"] == {"statistic": "wasserstein", "threshold": 9}


def test_the_sample_is_drawn_by_seed(same):
    def scores(seed: int) -> list[float]:
        report(same, "--sample", "1000", "--seed", str(seed))
        return [column["score"] for column in written(same)[0]["columns"]]

    first = scores(1)
    assert written(same)[0]["current"] == {"table": "application_test", "rows": ROWS, "rows_compared": 1000}
    assert scores(1) == first != scores(2)


@pytest.mark.parametrize(
    ("note", "line", "facts"),
    [
        (None, "data: real, 3,000 clients", ("real", 3000, None)),
        ({"clients": 5000, "seed": 7}, "data: synthetic, 5,000 clients, seed 7", ("synthetic", 5000, 7)),
    ],
)
def test_report_and_page_begin_with_where_the_data_comes_from(same, note, line, facts):
    if note:
        (same / "synthetic.json").write_text(json.dumps(note))

    report(same)

    summary, html = written(same)
    assert tuple(summary.values())[:3] == (summary["data"], summary["clients"], summary["seed"]) == facts
    assert html.startswith("<!DOCTYPE html>")
    assert html.index("<body>") < html.index(line) < html.index('id="root_')


def test_a_table_without_any_value_still_makes_a_page(tmp_path):
    empty = {name: pl.lit(None) for name in COLUMNS}
    write(tmp_path, applications(ROWS, 1, **empty), applications(ROWS, 2, **empty))

    assert report(tmp_path) == 0

    assert "no value on either side" in written(tmp_path)[1]


def one_line(capsys) -> str:
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    return error


def test_too_few_rows_are_refused_by_file(tmp_path, capsys):
    write(tmp_path, applications(ROWS, 1), applications(300, 2))

    assert report(tmp_path) == 2

    error = one_line(capsys)
    assert "application_test.parquet: holds 300 rows" in error
    assert "at least 1,000" in error
    assert not (tmp_path / "out" / "drift.json").exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["report", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "no such folder" in one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_output_folder_that_is_a_file_is_refused(same, capsys):
    (same / "out").write_text("")

    assert report(same) == 2
    assert "out" in one_line(capsys)


def test_without_data_the_message_says_how_to_make_some(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert main(["report"]) == 2
    assert "make data" in one_line(capsys)


def test_real_data_goes_before_synthetic_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder in ("data/raw", "data/synthetic"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "application_train.csv").write_text("")

    assert main(["report"]) == 2
    assert "data/raw/application_train.csv" in one_line(capsys)


@pytest.mark.parametrize("note", ["", "[]", '{"clients": 5}', '{"clients": "many", "seed": 1}'])
def test_a_broken_note_on_synthetic_data_is_refused(same, capsys, note):
    (same / "synthetic.json").write_text(note)

    assert report(same) == 2
    assert "synthetic.json: does not name clients and seed" in one_line(capsys)


def test_a_misspelt_column_is_refused_with_the_near_one(same, capsys):
    assert main(["report", "--data", str(same), "--columns", "AMT_CREDITS"]) == 2
    assert "is it AMT_CREDIT?" in one_line(capsys)


@pytest.mark.parametrize(
    "options",
    [
        ("--share", "1.5"),
        ("--share", "0"),
        ("--threshold", "nan"),
        ("--sample", "999"),
        ("--method", "chi"),
        ("--seed", "-1"),
    ],
)
def test_an_option_out_of_range_is_refused(options, capsys):
    with pytest.raises(SystemExit) as refused:
        main(["report", *options])

    assert refused.value.code == 2
    assert f"argument {options[0]}" in capsys.readouterr().err
