from pathlib import Path

import polars as pl
import pytest

from bento.data.readers import DataError, read_file
from bento.data.tables import BUREAU
from bento.data.validation import Report, check_folder


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
        ("application_train", "CNT_CHILDREN", -1, "40 rows are below 0"),
        ("application_train", "CNT_CHILDREN", 1.5, "40 rows are not whole numbers, such as 1.5"),
        ("application_train", "EXT_SOURCE_2", 7.0, "40 rows are above 1"),
        ("application_train", "DAYS_BIRTH", 3, "40 rows are above -1"),
        ("application_train", "TARGET", None, "40 rows have no outcome"),
        ("application_train", "SK_ID_CURR", 5, "40 rows share their key, such as 5"),
    ],
)
def test_a_hard_fault_is_counted_and_named(folder: Path, stem: str, column: str, value: object, expected: str):
    report = _change(folder, stem, **{column: pl.lit(value)})
    (fault,) = [line for line in report.faults if f"column {column}" in line]
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
    report = _change(folder, "bureau", **{column: pl.lit(value)})
    assert report.faults == []
    assert any(expected in str(finding) and finding.share == 1 for finding in report.findings)


def test_orphan_rows_are_one_finding(folder: Path):
    orphans = pl.DataFrame({"SK_ID_BUREAU": range(5000), "MONTHS_BALANCE": [0] * 5000, "STATUS": ["0"] * 5000})
    orphans.with_columns(pl.col("SK_ID_BUREAU") + 1).write_csv(folder / "bureau_balance.csv")
    (finding,) = [finding for finding in check_folder(folder).findings if finding.file == "bureau_balance.csv"]
    assert (finding.rows, finding.column, finding.hard) == (5000, "SK_ID_BUREAU", False)


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
        (lambda text: text[:-30], "the last row is cut after"),
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


def test_another_encoding_is_named(folder: Path):
    text = _text(folder).replace("Consumer credit", "Crédit", 1)
    (fault,) = _rewrite(folder, text, "latin-1").faults
    assert "not UTF-8; save it again" in fault


def test_one_broken_file_does_not_hide_the_faults_of_another(folder: Path):
    (folder / "POS_CASH_balance.csv").write_text("")
    faults = _change(folder, "application_train", CNT_CHILDREN=pl.lit(-1)).faults
    assert len(faults) == 2
