"""The command: sources, files, exit codes, and a clear answer to input that cannot be used."""

import json
from pathlib import Path

import polars as pl
import pytest

from drift.__main__ import main
from drift.summary import DriftReport
from tests.drift.population import applications, write
from tests.support.drift_runs import last_run

pytestmark = pytest.mark.end_to_end

ROWS = 1500
COLUMNS = ("AMT_CREDIT", "NAME_CONTRACT_TYPE", "CODE_GENDER", "EXT_SOURCE_1")


def report(data: Path, *options: str | Path) -> int:
    return main(["report", "--data", str(data), "--out", str(data / "out"), *map(str, options)])


def written(data: Path) -> tuple[DriftReport, str]:
    content = (last_run(data / "out") / "drift.json").read_text()
    return DriftReport.model_validate_json(content), (last_run(data / "out") / "drift.html").read_text()


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    return error


@pytest.fixture
def same(tmp_path: Path) -> Path:
    return write(tmp_path, applications(ROWS, 1), applications(ROWS, 3))


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    test = applications(ROWS, 3, AMT_CREDIT=pl.col("AMT_CREDIT") + 10, EXT_SOURCE_1=pl.lit(None))
    return write(tmp_path, applications(ROWS, 1), test)


def test_one_population_has_no_drift(same, model_folder, capsys):
    assert report(same, "--model", model_folder) == 0

    content, html = written(same)
    assert content.verdict == "no drift"
    assert (len(content.columns), content.drifted_columns) == (120, [])
    assert content.reference.rows == content.current.rows_scored == ROWS
    assert "No drift" in html
    assert capsys.readouterr().out.splitlines()[-1].startswith("No drift: 0 of ")


def test_each_report_has_a_folder_and_a_sentence_in_both_languages(same, model_folder):
    report(same, "--model", model_folder, "--columns", *COLUMNS)
    report(same, "--model", model_folder)

    runs = json.loads((same / "out" / "index.json").read_text())
    columns = [len(json.loads((same / "out" / run["json"]).read_text())["columns"]) for run in runs]
    assert columns == [120, 4]
    assert [(run["kind"], run["verdict"], run["exit_code"]) for run in runs] == [("report", "no drift", 0)] * 2
    sentence = runs[1]["sentence"]
    rate = written(same)[0].probability.approval_reference
    approved = f"{100 * rate:.1f}".removesuffix(".0")
    assert sentence["en"].startswith(f"No drift: 0 of 4 columns drifted; approved by the model {approved}%, now ")
    assert sentence["fr"].startswith(
        "Pas de dérive\u202f: 0 colonnes sur 4 ont dérivé\u202f; accordés par le modèle\u202f: "
    )
    assert (same / "out" / runs[0]["markdown"]).read_text().startswith("# No drift: 0 of")


def test_scores_that_vanish_are_drift_and_stand_first(clients, model_folder, tmp_path, capsys):
    names = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
    whole = pl.read_parquet(clients / "application_train.parquet")
    emptied = whole[3000:].with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in names)
    whole[:3000].write_csv(tmp_path / "before.csv")
    emptied.write_parquet(tmp_path / "after.parquet")

    code = report(
        tmp_path,
        *("--reference", tmp_path / "before.csv", "--current", tmp_path / "after.parquet", "--model", model_folder),
    )

    assert code == 1
    content, html = written(tmp_path)
    assert {column.column for column in content.columns[:3]} == set(names)
    assert any("holds no bureau" in note for note in content.notes)
    assert html.index("EXT_SOURCE_1") < html.index('id="root_')
    output = capsys.readouterr()
    assert "PD: mean" in output.out
    assert output.out.splitlines()[-1].startswith("Drift: the PD changed")


def test_the_page_is_self_contained_and_small(shifted, model_folder):
    report(shifted, "--model", model_folder)

    html = written(shifted)[1]
    assert html.startswith("<!DOCTYPE html>")
    assert html.index("<body>") < html.index("data: real, 1,500 clients") < html.index('id="root_')
    assert 'src="http' not in html
    assert len(html) < 6_000_000


def test_gender_is_compared_and_marked(same, model_folder):
    report(same, "--model", model_folder, "--columns", *COLUMNS)

    marks = {column.column: column.audit_only for column in written(same)[0].columns}
    assert marks == {name: name == "CODE_GENDER" for name in COLUMNS}


def test_the_schema_describes_the_report(same, model_folder, capsys):
    assert main(["report", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)

    report(same, "--model", model_folder)

    assert schema["properties"].keys() == json.loads((last_run(same / "out") / "drift.json").read_text()).keys()


def test_without_a_model_a_shift_cannot_be_weighed(shifted, monkeypatch, capsys):
    monkeypatch.setattr("drift.report.champion", lambda _: None)

    assert report(shifted, "--columns", *COLUMNS) == 2

    assert "there is no model to weigh them by" in capsys.readouterr().out
    assert [column.column for column in written(shifted)[0].drifted_columns] == ["EXT_SOURCE_1", "AMT_CREDIT"]


def test_the_sample_is_drawn_by_seed(clients, model_folder, tmp_path):
    def features(seed: int) -> list[float]:
        report(tmp_path, "--reference", clients, "--current", clients, "--model", model_folder, "--sample", "1000",
               "--seed", str(seed))  # fmt: skip
        content = written(tmp_path)[0]
        assert content.reference.rows_scored == 1000
        return [feature.values.psi for feature in content.features]

    first = features(1)
    assert features(1) == first != features(2)


def test_a_column_of_a_wrong_type_is_named_and_the_rest_judged(same, model_folder, capsys):
    frame = pl.read_parquet(same / "application_test.parquet")
    frame.with_columns(AMT_CREDIT=pl.lit("much")).write_csv(same / "wrong.csv")

    assert report(same, "--current", same / "wrong.csv", "--model", model_folder) == 2

    content = written(same)[0]
    assert content.verdict == "could not tell"
    assert any("column AMT_CREDIT" in fault for fault in content.faults)
    assert sum(not column.note for column in content.columns) == 119
    assert "not judged: " in capsys.readouterr().out


def test_columns_absent_and_undeclared_are_named(same, model_folder):
    frame = pl.read_parquet(same / "application_test.parquet")
    frame.rename({"AMT_CREDIT": "AMOUNT"}).write_parquet(same / "other.parquet")

    report(same, "--current", same / "other.parquet", "--model", model_folder)

    content = written(same)[0]
    assert content.verdict == "could not tell"
    assert content.faults == ["other.parquet has no column AMT_CREDIT"]
    assert "other.parquet: column AMOUNT not declared, not compared" in content.notes


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_too_few_rows_are_refused_by_file(tmp_path, capsys, rows):
    write(tmp_path, applications(ROWS, 1), applications(ROWS, 2)[:rows])

    assert report(tmp_path) == 2

    assert f"application_test.parquet: holds {rows} rows" in one_line(capsys)
    assert not list((tmp_path / "out").iterdir())


def test_columns_without_values_and_constant_ones_are_judged(tmp_path, model_folder):
    changes = {"EXT_SOURCE_1": pl.lit(None), "AMT_CREDIT": pl.lit(9.0), "NAME_CONTRACT_TYPE": pl.lit("Cash loans")}
    write(tmp_path, applications(ROWS, 1, **changes), applications(ROWS, 2, **changes))

    report(tmp_path, "--model", model_folder)

    content = written(tmp_path)[0]
    results = {column.column: column for column in content.columns}
    assert results["EXT_SOURCE_1"].note == "no value on either side"
    assert not any(results[name].drifted for name in changes)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.csv", "none.csv: there is no such file"),
        ("nowhere", "nowhere: no such folder"),
        ("journal:2026", "name a period as journal:2026-01-01..2026-02-01"),
        ("journal:2026-02-01..2026-01-01", "the period ends before it begins"),
        ("journal:2026-01-01..2026-02-01", "holds no journal"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_line(same, tmp_path, monkeypatch, capsys, source, message):
    monkeypatch.chdir(tmp_path)

    assert report(same, "--current", source, "--journal", f"sqlite:///{tmp_path}/none.db") == 2

    assert message in one_line(capsys)


def test_a_model_that_is_not_there_is_one_line(same, capsys):
    assert report(same, "--model", "credit_scoring:none") == 2
    assert "credit_scoring:none" in one_line(capsys)


def test_output_folder_that_is_a_file_is_refused(same, capsys):
    (same / "out").write_text("")

    assert report(same) == 2
    assert "out" in one_line(capsys)


def test_without_data_the_message_says_how_to_make_some(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert main(["report"]) == 2
    assert "make data" in one_line(capsys)


@pytest.mark.parametrize("note", ["", "[]", '{"clients": 5}', '{"clients": "many", "seed": 1}'])
def test_a_broken_note_on_synthetic_data_is_refused(same, capsys, note):
    (same / "synthetic.json").write_text(note)

    assert report(same) == 2
    assert "synthetic.json: does not name clients and seed" in one_line(capsys)


def test_a_misspelt_column_is_refused_with_the_near_one(same, capsys):
    assert report(same, "--columns", "AMT_CREDITS") == 2
    assert "is it AMT_CREDIT?" in one_line(capsys)


@pytest.mark.parametrize("options", [("--sample", "999"), ("--seed", "-1")])
def test_an_option_out_of_range_is_refused(options, capsys):
    with pytest.raises(SystemExit) as refused:
        main(["report", *options])

    assert refused.value.code == 2
    assert f"argument {options[0]}" in capsys.readouterr().err


def test_the_report_becomes_a_run_of_mlflow_on_request(same, model_folder, registry):
    import mlflow

    mlflow.set_tracking_uri(registry)  # a test before this one may have set another
    report(same, "--model", model_folder, "--mlflow")

    (run,) = mlflow.search_runs(experiment_names=["drift"], output_format="list")
    assert run.data.tags["verdict"] == "no drift"
    assert run.data.metrics["drifted_columns"] == 0
    artifacts = [item.path for item in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
    assert artifacts == ["drift.html", "drift.json"]
