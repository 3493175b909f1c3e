from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from bento.data.files import DataError
from bento.data.readers import read_file
from bento.data.tables import APPLICATION, BUREAU, HISTORIES, TABLES
from bento.data.validation import Finding, Report, check_folder


@pytest.fixture
def folder(synthetic_folder: Path, tmp_path: Path) -> Path:
    """Forty applications and their credits at other lenders, as CSV."""
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet").head(40)
    applications.write_csv(tmp_path / "application_train.csv")
    bureau = pl.read_parquet(synthetic_folder / "bureau.parquet")
    bureau.join(applications, on="SK_ID_CURR", how="semi").write_csv(tmp_path / "bureau.csv")
    return tmp_path


def _change(folder: Path, stem: str, **columns: pl.Expr) -> Report:
    path = folder / f"{stem}.csv"
    pl.read_csv(path, infer_schema_length=None).with_columns(**columns).write_csv(path)
    return check_folder(folder)


def _rewrite(folder: Path, text: str, encoding: str = "utf-8") -> Report:
    (folder / "bureau.csv").write_bytes(text.encode(encoding))
    return check_folder(folder)


def _text(folder: Path) -> str:
    return (folder / "bureau.csv").read_text()


def test_sound_files_have_no_fault_and_findings_name_a_treatment(folder: Path):
    report = check_folder(folder)
    assert report.faults == []
    assert report.rows["application_train.csv"] == 40
    assert report.rows["bureau.csv"] == len(pl.read_csv(folder / "bureau.csv", infer_schema=False))
    assert all(finding.treatment.startswith(("cleaned", "passed")) for finding in report.findings)


def test_the_synthetic_data_has_no_fault(synthetic_folder: Path):
    assert check_folder(synthetic_folder).faults == []


@pytest.mark.parametrize(
    ("stem", "column", "value", "expected"),
    [
        ("application_train", "CNT_CHILDREN", -1, "40 rows are below 0, such as -1 in row 2: correct or empty them"),
        ("application_train", "CNT_CHILDREN", 1.5, "40 rows are not whole numbers, such as 1.5 in row 2"),
        ("application_train", "EXT_SOURCE_2", 7.0, "40 rows are above 1"),
        ("application_train", "DAYS_BIRTH", 3, "40 rows are above -1"),
        ("application_train", "TARGET", None, "40 rows have no outcome"),
        ("application_train", "SK_ID_CURR", 5, "40 rows share their key, such as 5"),
    ],
)
def test_a_hard_fault_is_counted_and_named(folder: Path, stem: str, column: str, value: object, expected: str):
    report = _change(folder, stem, **{column: pl.lit(value)})
    (fault,) = [line for line in report.faults if line.startswith(f"{stem}.csv: column {column}:")]
    assert fault.startswith(f"{stem}.csv: column {column}: {expected}")


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("CREDIT_TYPE", "Barter", "hold an unknown category, such as Barter: passed"),
        ("AMT_CREDIT_SUM_DEBT", -5.0, "are below a plausible 0, such as -5: cleaned"),
        ("DAYS_ENDDATE_FACT", -42_023, "are below a plausible -40000, such as -42023: cleaned"),
        ("SK_ID_CURR", 7, "belong to no row of application, such as 7: passed, ignored"),
    ],
)
def test_a_soft_finding_is_counted_with_its_treatment(folder: Path, column: str, value: object, expected: str):
    rows = len(_text(folder).splitlines()) - 1
    report = _change(folder, "bureau", **{column: _in_rows(column, rows // 4, pl.lit(value))})
    assert report.faults == []
    (finding,) = [finding for finding in report.findings if expected in str(finding)]
    assert rows // 4 <= finding.rows < rows // 2


def _in_rows(column: str, rows: int, value: object) -> pl.Expr:
    """Return the column with a value in its first rows."""
    return _first(rows, value, pl.col(column))


def _first(rows: int, value: object, other: object) -> pl.Expr:
    """Return a value in the first rows, another in the others."""
    return pl.when(pl.int_range(pl.len()) < rows).then(value).otherwise(other)


def _findings(synthetic_folder: Path, folder: Path, name: str, columns: Mapping[str, pl.Expr]) -> list[Finding]:
    """Return the findings about changed columns of one table of 100 rows."""
    stem = "application_train" if name == "application" else name
    frame = pl.read_parquet(synthetic_folder / f"{stem}.parquet").head(100)
    frame.with_columns(**columns).write_csv(folder / f"{stem}.csv")
    return [finding for finding in check_folder(folder).findings if finding.column in columns]


def _categories(name: str) -> dict[str, tuple[str, ...]]:
    return {column.name: column.categories for column in TABLES[name] if column.categories}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("unknown", "of_which_null", "hard"),
    [(100, 0, True), (100, 80, True), (50, 0, True), (49, 0, False), (60, 30, False), (1, 0, False)],
)
def test_unknown_categories_are_a_fault_from_half_of_the_values(
    synthetic_folder: Path, tmp_path: Path, name: str, unknown: int, of_which_null: int, *, hard: bool
):
    categories = _categories(name)
    values = {
        column: _first(of_which_null, None, _first(unknown, pl.lit("Barter"), pl.lit(of_column[0])))
        for column, of_column in categories.items()
    }

    findings = _findings(synthetic_folder, tmp_path, name, values)

    by_column = {finding.column: finding for finding in findings if finding.what == "hold an unknown category"}
    assert by_column.keys() == categories.keys()
    for column, finding in by_column.items():
        assert (finding.rows, finding.hard, finding.example) == (unknown - of_which_null, hard, "Barter")
        assert finding.share == finding.rows / (100 - of_which_null)
        assert finding.row == (2 + of_which_null if hard else None)
        assert (f"write the declared ones ('{categories[column][0]}'" in finding.treatment) == hard


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("change", [str.swapcase, lambda text: f"_{text}", lambda text: text[:-1] + "é"])
def test_categories_in_another_spelling_are_a_fault(
    synthetic_folder: Path, tmp_path: Path, name: str, change: Callable[[str], str]
):
    renamed = {column: {category: change(category) for category in of} for column, of in _categories(name).items()}
    other = {column: names for column, names in renamed.items() if set(names).isdisjoint(names.values())}
    values = {column: pl.col(column).cast(pl.String).replace(names) for column, names in other.items()}
    findings = _findings(synthetic_folder, tmp_path, name, values)
    assert {finding.column for finding in findings if finding.hard and finding.share == 1} == other.keys()
    assert len(other) >= len(renamed) - 1  # the months of bureau_balance are numbers, or letters


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if any(column.usual for column in table)])
@pytest.mark.parametrize("per_unit", [{"currency": 1000, "days": 365.25}, {"currency": 1e-3, "days": 30.44}])
@pytest.mark.parametrize(("rows", "hard"), [(100, True), (50, True), (49, False), (5, False), (4, None)])
def test_another_unit_is_a_fault_from_half_of_the_values(
    synthetic_folder: Path, tmp_path: Path, name: str, per_unit: dict[str, float], rows: int, *, hard: bool | None
):
    usual = {column.name: column for column in TABLES[name] if column.usual is not None}
    values = {
        column: _first(rows, pl.lit(float(round(of.usual / per_unit[of.unit]))), pl.lit(float(of.usual)))
        for column, of in usual.items()
    }
    findings = _findings(synthetic_folder, tmp_path, name, values)
    reported = {finding.column: finding.hard for finding in findings if "than the usual" in finding.what}
    assert reported == ({} if hard is None else dict.fromkeys(usual, hard))


def test_incomes_of_zero_are_a_fault(folder: Path):
    (fault,) = _change(folder, "application_train", AMT_INCOME_TOTAL=pl.lit(0)).faults
    assert fault.startswith("application_train.csv: column AMT_INCOME_TOTAL: 40 rows are ")


def test_ages_in_years_and_months_are_faults(synthetic_folder: Path, tmp_path: Path):
    for days in (365.25, 30.44):
        years = pl.int_range(pl.len()) / 2 + 20
        ages = {"DAYS_BIRTH": (-years * 365.25 / days).round()}
        (finding,) = _findings(synthetic_folder, tmp_path, "application", ages)
        assert finding.hard
        assert finding.treatment == "write it in days"


def test_few_values_have_no_scale(folder: Path):
    report = _change(folder, "application_train", AMT_INCOME_TOTAL=pl.lit(147))
    assert any("than the usual" in fault for fault in report.faults)
    assert not any("than the usual" in fault for fault in _report_of_first(folder, 29).faults)


def _report_of_first(folder: Path, rows: int) -> Report:
    path = folder / "application_train.csv"
    pl.read_csv(path, infer_schema_length=None).head(rows).write_csv(path)
    return check_folder(folder)


@pytest.mark.parametrize("column", [column.name for column in APPLICATION if column.required and column.kind != "id"])
def test_a_required_column_without_values_is_a_fault(folder: Path, column: str):
    for rows in (1, 40):
        report = _change(folder, "application_train", **{column: _in_rows(column, rows, None)})
        (finding,) = [finding for finding in report.findings if finding.what == "hold no value"]
        assert (finding.column, finding.rows, finding.share, finding.hard) == (column, rows, rows / 40, True)


@pytest.mark.parametrize("name", TABLES)
def test_an_optional_column_without_values_is_reported(synthetic_folder: Path, tmp_path: Path, name: str):
    optional = [column for column in TABLES[name] if not column.required and column.kind != "id"]
    expected = {(column.name, 100, False) for column in optional if not column.optional_in_files}

    findings = _findings(synthetic_folder, tmp_path, name, {column.name: pl.lit(None) for column in optional})
    assert {(finding.column, finding.rows, finding.hard) for finding in findings} == expected
    assert {finding.what for finding in findings} == {"hold no value"}

    values = {column.name: _first(99, None, pl.col(column.name).drop_nulls().first()) for column in optional}
    findings = _findings(synthetic_folder, tmp_path, name, values)
    assert "hold no value" not in {finding.what for finding in findings}


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_outcome_of_all_clients_is_a_fault(folder: Path, outcome: int):
    report = _change(folder, "application_train", TARGET=pl.lit(outcome))
    (fault,) = report.faults
    expected = f"40 rows have the same outcome, such as {outcome}: give clients of both outcomes"
    assert fault == f"application_train.csv: column TARGET: {expected}"


@pytest.mark.parametrize("name", HISTORIES)
def test_rows_that_all_belong_to_no_row_are_a_fault(synthetic_folder: Path, tmp_path: Path, name: str):
    parent, column = TABLES[name].parent or ("", "")
    for stem in ("application_train", "bureau"):
        pl.read_parquet(synthetic_folder / f"{stem}.parquet").write_csv(tmp_path / f"{stem}.csv")
    for rows, hard in ((100, True), (99, False), (1, False)):
        shifted = _in_rows(column, rows, pl.col(column) + 10**6)
        findings = _findings(synthetic_folder, tmp_path, name, {column: shifted})
        (finding,) = [finding for finding in findings if finding.what == f"belong to no row of {parent}"]
        assert (finding.rows, finding.share, finding.hard) == (rows, rows / 100, hard)


def test_months_without_any_credit_are_a_fault(folder: Path):
    months = pl.DataFrame({"SK_ID_BUREAU": [5000001], "MONTHS_BALANCE": [0], "STATUS": ["0"]})
    months.write_csv(folder / "bureau_balance.csv")
    (folder / "bureau.csv").unlink()
    (fault,) = check_folder(folder).faults
    assert "bureau_balance.csv: column SK_ID_BUREAU: 1 rows belong to no row of bureau" in fault


def test_history_may_belong_to_applications_that_are_not_checked(folder: Path):
    (folder / "application_train.csv").rename(folder / "all.csv")
    applications = pl.read_csv(folder / "all.csv", infer_schema_length=None)
    applications.head(20).write_csv(folder / "application_train.csv")
    applications.tail(20).drop("TARGET").write_csv(folder / "application_test.csv")
    assert not any(
        "belong to no row" in str(finding) for finding in check_folder(folder, ["application_train"]).findings
    )


@pytest.mark.parametrize("stem", ["application_train", "bureau"])
def test_an_undeclared_column_is_named(folder: Path, stem: str):
    report = _change(folder, stem, AMT_CREDT=pl.lit(1), **{"": pl.lit(2)})
    assert report.faults == []
    assert f"{stem}.csv: ignored, for they are not declared: columns 'AMT_CREDT', ''" in report.notes


def test_an_empty_id_is_a_fault_with_its_row(folder: Path):
    lines = _text(folder).splitlines()
    lines[7] = "," + lines[7].partition(",")[2]
    (fault,) = _rewrite(folder, "\n".join(lines) + "\n").faults
    assert fault == "bureau.csv: column SK_ID_CURR: 1 rows have no id, such as in row 8: write it, or delete the row"


def test_an_empty_id_in_every_row_of_a_block_is_a_fault(folder: Path):
    report = _change(folder, "application_train", SK_ID_CURR=_in_rows("SK_ID_CURR", 15, None))
    assert any("column SK_ID_CURR: 15 rows have no id" in fault for fault in report.faults)


def test_a_file_without_rows_is_named(folder: Path):
    for stem in ("application_train", "bureau"):
        path = folder / f"{stem}.csv"
        path.write_text(path.read_text().partition("\n")[0] + "\n")
    report = check_folder(folder)
    assert [fault.partition(": ")[2] for fault in report.faults] == ["holds no row; give at least one application"]
    assert "bureau.csv: holds no row, no client has such a history" in report.notes


def test_remarks_are_notes_and_findings_from_a_share_on(folder: Path):
    rows = len(_text(folder).splitlines()) - 1
    few, many = rows // 21, rows // 19 + 1
    for count, expected in ((few, 0), (many, 1)):
        types = _first(count, pl.lit("Barter"), pl.lit("Mortgage"))
        report = _change(folder, "bureau", CREDIT_TYPE=types)
        assert sum("Barter: passed, scored as missing (" in remark for remark in report.remarks) == expected
    assert set(report.notes) < set(report.remarks)
    assert not any("cleaned to null" in remark for remark in report.remarks)
    assert any("cleaned to null" in str(finding) for finding in report.findings)


@pytest.mark.parametrize("stem", ["application_train", "bureau"])
def test_no_fault_shows_the_row_of_a_client(folder: Path, stem: str):
    path = folder / f"{stem}.csv"
    lines = path.read_text().splitlines()
    fields = lines[4].split(",")
    for broken in (
        ",".join(fields[:-3]),
        '"' + lines[4],
        lines[4] + '"',
        "x" + lines[4],
        lines[4] + ",1",
        "," + lines[4],
    ):
        path.write_text("\n".join([*lines[:4], broken, *lines[5:]]))
        for fault in check_folder(folder).faults:
            assert not any(",".join(pair) in fault for pair in pairwise(fields) if all(pair))


def test_a_repeated_key_of_two_columns_is_a_fault(folder: Path):
    credit = pl.read_csv(folder / "bureau.csv")["SK_ID_BUREAU"][0]
    months = pl.DataFrame({"SK_ID_BUREAU": [credit] * 3, "MONTHS_BALANCE": [0, -1, -1], "STATUS": ["0", "0", "C"]})
    months.write_csv(folder / "bureau_balance.csv")
    (fault,) = check_folder(folder).faults
    assert f"SK_ID_BUREAU and MONTHS_BALANCE: 2 rows share their key, such as {credit} and -1" in fault


def test_blank_lines_are_ignored(folder: Path):
    rows = check_folder(folder).rows
    lines = _text(folder).splitlines()
    report = _rewrite(folder, "\n".join([*lines[:3], "", *lines[3:], "", ""]) + "\n")
    assert (report.faults, report.rows) == ([], rows)
    assert read_file(folder / "bureau.csv", BUREAU)["SK_ID_BUREAU"].null_count() == 0


def test_a_byte_order_mark_is_ignored(folder: Path):
    assert _rewrite(folder, _text(folder), "utf-8-sig").faults == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text[:-30], " fields instead of 17; copy or export the file again"),
        (lambda text: text.replace(",", ";"), "the separator is not a comma"),
        (lambda text: text.replace(",", "\t"), "the separator is not a comma"),
        (lambda text: text.partition("\n")[0] + "\n" + text, "row 2, column SK_ID_CURR: 'SK_ID_CURR' is not a number"),
        (lambda text: text.replace("CREDIT_TYPE", "CREDIT_TYP"), "no column CREDIT_TYPE; rename column 'CREDIT_TYP'"),
        (lambda text: "", "the file is empty"),
    ],
)
def test_a_broken_file_is_named_in_one_line(folder: Path, change, expected: str):
    (fault,) = _rewrite(folder, change(_text(folder))).faults
    assert "bureau.csv: " in fault
    assert expected in fault
    assert "\n" not in fault
    with pytest.raises(DataError) as caught:
        read_file(folder / "bureau.csv", BUREAU)
    assert str(caught.value) == fault


@pytest.mark.parametrize(("row", "at"), [(1, 1), (2, 1), (20, 1), (2, 10), (20, 10)])
def test_another_encoding_is_named_with_its_line(folder: Path, row: int, at: int):
    lines = _text(folder).splitlines()
    lines[row - 1] = lines[row - 1].replace("_ID_", "_ÏD_") if row == 1 else lines[row - 1].replace(",", "é,", at)
    for encoding, line in (("latin-1", row), ("utf-16", 1)):
        (fault,) = _rewrite(folder, "\n".join(lines) + "\n", encoding).faults
        expected = f"line {line} holds characters that are not UTF-8; save the file again with that encoding"
        assert fault == f"{folder / 'bureau.csv'}: {expected}"


def test_one_broken_file_does_not_hide_the_faults_of_another(folder: Path):
    (folder / "POS_CASH_balance.csv").write_text("")
    faults = _change(folder, "application_train", CNT_CHILDREN=pl.lit(-1)).faults
    assert len(faults) == 2
