from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.data.files import DataError
from bento.data.readers import NULL_TEXTS, read_application, read_client, read_file, read_history, readable
from bento.data.tables import APPLICATION, BUREAU, HISTORIES, TABLES, TARGET


@pytest.fixture
def bureau(synthetic_folder: Path) -> pl.DataFrame:
    return pl.read_parquet(synthetic_folder / "bureau.parquet").head(20)


def _broken(tmp_path: Path, text: str) -> str:
    path = tmp_path / "bureau.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_file(path, BUREAU)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_csv_and_parquet_give_the_same_frame(bureau: pl.DataFrame, tmp_path: Path):
    bureau.write_csv(tmp_path / "bureau.csv")
    bureau.write_parquet(tmp_path / "bureau.parquet")
    from_csv = read_file(tmp_path / "bureau.csv", BUREAU)
    assert_frame_equal(from_csv, read_file(tmp_path / "bureau.parquet", BUREAU))
    assert from_csv.schema == pl.Schema(BUREAU.schema)


def test_integers_may_be_written_with_a_decimal_point(bureau: pl.DataFrame, tmp_path: Path):
    bureau.with_columns(pl.col("DAYS_CREDIT").cast(pl.Float64)).write_csv(tmp_path / "bureau.csv")
    assert_frame_equal(read_file(tmp_path / "bureau.csv", BUREAU), bureau)


IDS = [(name, column.name) for name, table in TABLES.items() for column in table if column.kind == "id"]
CATEGORIES = [(name, column.name) for name, table in TABLES.items() for column in table if column.kind == "category"]


def _table(folder: Path, name: str) -> pl.DataFrame:
    stem = "application_train" if name == "application" else name
    return pl.read_parquet(folder / f"{stem}.parquet").select(list(TABLES[name].schema)).head(8)


def _with_value(frame: pl.DataFrame, column: str, row: int, value: str) -> pl.DataFrame:
    """Return the frame with one cell, of a row numbered as in a file, as text."""
    is_row = pl.int_range(pl.len()) == row - 2
    return frame.with_columns(
        pl.when(is_row).then(pl.lit(value)).otherwise(pl.col(column).cast(pl.String)).alias(column)
    )


@pytest.mark.parametrize(("name", "column"), IDS)
def test_whole_ids_may_be_written_with_decimals(synthetic_folder: Path, tmp_path: Path, name: str, column: str):
    frame = _table(synthetic_folder, name)
    floats = frame.with_columns(pl.col(column).cast(pl.Float64))
    floats.write_csv(tmp_path / f"{name}.csv")
    floats.write_parquet(tmp_path / f"{name}.parquet")
    assert f"{frame[column][0]}.0," in (tmp_path / f"{name}.csv").read_text()
    for suffix in ("csv", "parquet"):
        assert_frame_equal(read_file(tmp_path / f"{name}.{suffix}", TABLES[name]), frame)


@pytest.mark.parametrize(("name", "column"), IDS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "there is no id; write it, or delete the row"),
        ('""', "there is no id; write it, or delete the row"),
        ("100002.5", "100002.5 is not a whole number; correct it"),
        ("9007199254740993", "9007199254740992 is above any id; correct it"),
        ("abc", "'abc' is not a number; correct it"),
    ],
)
def test_a_wrong_id_is_named_with_its_row(
    synthetic_folder: Path, tmp_path: Path, name: str, column: str, value: str, expected: str
):
    path = tmp_path / f"{name}.csv"
    _with_value(_table(synthetic_folder, name), column, 4, "VALUE").write_csv(path)
    path.write_text(path.read_text().replace("VALUE", value))
    for reads in ({}, {"names": []}, {"where": pl.col(column) == 1}):
        with pytest.raises(DataError) as caught:
            read_file(path, TABLES[name], **reads)
        assert str(caught.value) == f"{path}: row 4, column {column}: {expected}"


def test_rows_are_numbered_with_the_blank_lines(bureau: pl.DataFrame, tmp_path: Path):
    lines = _with_value(bureau, "SK_ID_BUREAU", 6, "").write_csv().replace('""', "").splitlines()
    message = _broken(tmp_path, "\n".join([*lines[:3], "", "", *lines[3:]]) + "\n")
    assert "row 8, column SK_ID_BUREAU: there is no id" in message


def test_a_blank_line_is_no_row_whatever_columns_are_read(bureau: pl.DataFrame, tmp_path: Path):
    lines = bureau.write_csv().splitlines()
    (tmp_path / "bureau.csv").write_text("\n".join([*lines[:3], "", "  ", *lines[3:], "", ""]))
    assert_frame_equal(read_file(tmp_path / "bureau.csv", BUREAU), bureau)
    assert_frame_equal(read_file(tmp_path / "bureau.csv", BUREAU, ["AMT_ANNUITY"]), bureau.select("AMT_ANNUITY"))
    client = bureau["SK_ID_CURR"][-1]
    of_client = pl.col("SK_ID_CURR") == client
    assert_frame_equal(read_file(tmp_path / "bureau.csv", BUREAU, where=of_client), bureau.filter(of_client))


def test_a_null_id_in_parquet_is_named_with_its_row(bureau: pl.DataFrame, tmp_path: Path):
    path = tmp_path / "bureau.parquet"
    is_other = pl.int_range(pl.len()) != 2
    for null in (["SK_ID_BUREAU"], ["SK_ID_CURR"], bureau.columns):
        frame = bureau.with_columns(pl.when(is_other).then(pl.col(null)))
        frame.write_parquet(path)
        with pytest.raises(DataError, match=r"row 3, column SK_ID_(CURR|BUREAU): there is no id"):
            read_file(path, BUREAU)


@pytest.mark.parametrize("text", ['""', *(text for text in NULL_TEXTS if text), "  ", " NaN "])
def test_what_programs_write_for_nothing_is_null(synthetic_folder: Path, tmp_path: Path, text: str):
    for name, column in CATEGORIES:
        frame = _with_value(_table(synthetic_folder, name), column, 4, "VALUE")
        path = tmp_path / f"{name}.csv"
        frame.write_csv(path)
        path.write_text(path.read_text().replace("VALUE", text))
        assert read_file(path, TABLES[name])[column][2] is None
        frame.with_columns(pl.col(column).replace("VALUE", text.strip('"'))).write_parquet(path.with_suffix(".parquet"))
        assert read_file(path.with_suffix(".parquet"), TABLES[name])[column][2] is None


def test_quoting_every_field_changes_nothing(synthetic_folder: Path, tmp_path: Path):
    for name, table in TABLES.items():
        frame = _table(synthetic_folder, name)
        for mark in ("", "\ufeff"):
            text = frame.with_columns(pl.all().cast(pl.String).fill_null("")).write_csv(quote_style="always")
            (tmp_path / f"{name}.csv").write_text(mark + text, encoding="utf-8")
            assert_frame_equal(read_file(tmp_path / f"{name}.csv", table), frame)


def test_no_category_is_written_as_a_missing_value():
    assert not {category for name, column in CATEGORIES for category in TABLES[name][column].categories} & {*NULL_TEXTS}


@pytest.mark.parametrize("blanks", [" {}", "{}  ", "\t{} ", "\u00a0{}"])
def test_blanks_around_a_category_are_cut_off(synthetic_folder: Path, tmp_path: Path, blanks: str):
    for name, column in CATEGORIES:
        frame = _table(synthetic_folder, name)
        with_blanks = frame.with_columns(pl.format(blanks, pl.col(column)).alias(column))
        with_blanks.write_csv(tmp_path / f"{name}.csv")
        with_blanks.write_parquet(tmp_path / f"{name}.parquet")
        for suffix in ("csv", "parquet"):
            assert_frame_equal(read_file(tmp_path / f"{name}.{suffix}", TABLES[name]), frame)


def test_nan_is_read_as_null(bureau: pl.DataFrame, tmp_path: Path):
    bureau.with_columns(AMT_CREDIT_SUM=pl.lit(float("nan"))).write_csv(tmp_path / "bureau.csv")
    assert read_file(tmp_path / "bureau.csv", BUREAU)["AMT_CREDIT_SUM"].null_count() == len(bureau)


def test_a_column_that_is_nearly_always_null_may_be_absent(synthetic_folder: Path, tmp_path: Path):
    previous = TABLES["previous_application"]
    frame = read_file(synthetic_folder / "previous_application.parquet", previous).head(5)
    frame.drop("RATE_INTEREST_PRIMARY").write_csv(tmp_path / "previous_application.csv")
    read = read_file(tmp_path / "previous_application.csv", previous)
    assert read["RATE_INTEREST_PRIMARY"].null_count() == 5
    assert read.columns == list(previous.schema)


def test_a_misspelt_column_is_named_with_its_remedy(bureau: pl.DataFrame, tmp_path: Path):
    message = _broken(tmp_path, bureau.rename({"DAYS_CREDIT": "DAY_CREDIT"}).write_csv())
    assert "no column DAYS_CREDIT" in message
    assert "rename column 'DAY_CREDIT'" in message


def test_a_missing_column_is_named(bureau: pl.DataFrame, tmp_path: Path):
    assert "no column CREDIT_TYPE; add it" in _broken(tmp_path, bureau.drop("CREDIT_TYPE").write_csv())


@pytest.mark.parametrize("name", TABLES)
def test_a_header_in_another_case_is_named(synthetic_folder: Path, tmp_path: Path, name: str):
    path = tmp_path / f"{name}.csv"
    frame = _table(synthetic_folder, name)
    for changed in (frame.rename(str.lower), frame.rename(lambda column: f" {column}")):
        changed.write_csv(path)
        first, written = frame.columns[0], changed.columns[0]
        with pytest.raises(DataError) as caught:
            read_file(path, TABLES[name])
        assert (
            str(caught.value)
            == f"{path}: column {written!r} is written otherwise than {first}, as are all; rename them"
        )


@pytest.mark.parametrize(
    ("first_lines", "expected"),
    [
        ("# exported by a program\n", "the column names are in line 2; delete the lines above it"),
        (
            "# exported by a program\n# of a bank, on a day\n",
            "the column names are in line 3; delete the lines above it",
        ),
        ("\n", "the first line is blank; delete it, so that the column names come first"),
        (None, "the first line holds no column name, such as SK_ID_CURR; write the header there"),
    ],
)
def test_a_header_that_is_not_the_first_line_is_named(
    bureau: pl.DataFrame, tmp_path: Path, first_lines: str | None, expected: str
):
    text = bureau.write_csv()
    assert expected in _broken(tmp_path, text.partition("\n")[2] if first_lines is None else first_lines + text)


def test_some_columns_in_another_case_are_named(bureau: pl.DataFrame, tmp_path: Path):
    message = _broken(tmp_path, bureau.rename({"AMT_ANNUITY": "amt_annuity"}).write_csv())
    assert "no column AMT_ANNUITY; rename column 'amt_annuity' to it" in message


def test_a_missing_required_column_is_not_to_be_added_empty(synthetic_folder: Path, tmp_path: Path):
    path = tmp_path / "application_test.csv"
    for column, remedy in (("AMT_CREDIT", "add it"), ("CNT_CHILDREN", "add it (it may be empty)")):
        _table(synthetic_folder, "application").drop(column).write_csv(path)
        with pytest.raises(DataError) as caught:
            read_file(path, APPLICATION)
        assert str(caught.value) == f"{path}: has no column {column}; {remedy}"


def test_a_wrong_type_is_named_with_row_and_column(bureau: pl.DataFrame, tmp_path: Path):
    text = bureau.with_columns(pl.col("AMT_CREDIT_SUM").cast(pl.String)).with_row_index()
    text = text.with_columns(
        AMT_CREDIT_SUM=pl.when(pl.col("index") == 3).then(pl.lit("much")).otherwise("AMT_CREDIT_SUM")
    )
    message = _broken(tmp_path, text.drop("index").write_csv())
    assert "row 5, column AMT_CREDIT_SUM: 'much' is not a number" in message


def test_blanks_before_a_number_are_skipped(bureau: pl.DataFrame, tmp_path: Path):
    lines = bureau.write_csv().splitlines()
    lines[3] = " " + lines[3].replace(",", ", ")
    (tmp_path / "bureau.csv").write_text("\n".join(lines))
    assert_frame_equal(read_file(tmp_path / "bureau.csv", BUREAU), bureau)
    lines[5] = "x" + lines[5]
    assert f"row 6, column SK_ID_CURR: 'x{bureau['SK_ID_CURR'][4]}' is not a number" in _broken(
        tmp_path, "\n".join(lines)
    )


def test_an_error_of_polars_does_not_repeat_a_value():
    with pytest.raises(DataError) as caught, readable(Path("bureau.parquet")):
        raise pl.exceptions.ComputeError("could not parse `1,Cash loans,F\nas dtype `i64` at column 'A'")
    assert str(caught.value) == "bureau.parquet: cannot be read: could not parse a value"


def test_a_fraction_in_an_integer_column_is_named(bureau: pl.DataFrame, tmp_path: Path):
    message = _broken(tmp_path, bureau.with_columns(CNT_CREDIT_PROLONG=pl.lit(1.5)).write_csv())
    assert "row 2, column CNT_CREDIT_PROLONG: 1.5 is not a whole number" in message


def test_a_column_of_the_wrong_type_in_parquet_is_named(bureau: pl.DataFrame, tmp_path: Path):
    path = tmp_path / "bureau.parquet"
    bureau.with_columns(pl.col("AMT_CREDIT_SUM").cast(pl.String)).write_parquet(path)
    with pytest.raises(DataError, match="column AMT_CREDIT_SUM holds String, not number"):
        read_file(path, BUREAU)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        (";".join(BUREAU.schema) + "\n", "separator is not a comma"),
        (",".join([*BUREAU.schema, "DAYS_CREDIT"]) + "\n", "column DAYS_CREDIT appears more than once"),
    ],
)
def test_a_file_that_is_not_a_table_is_named(tmp_path: Path, text: str, expected: str):
    assert expected in _broken(tmp_path, text)


def test_a_broken_parquet_file_is_named(tmp_path: Path):
    path = tmp_path / "bureau.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match=r"bureau\.parquet: cannot be read"):
        read_file(path, BUREAU)


def test_a_missing_history_file_is_read_as_empty(tmp_path: Path):
    assert all(read_history(tmp_path, name).schema == TABLES[name].schema for name in HISTORIES)
    assert all(read_history(tmp_path, name).is_empty() for name in HISTORIES)


def test_a_folder_without_applications_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"neither application_train\.csv"):
        read_application(tmp_path, "application_train")
    with pytest.raises(DataError, match="no such folder"):
        read_application(tmp_path / "nowhere", "application_train")


def test_a_repeated_client_is_refused(synthetic_folder: Path, tmp_path: Path):
    frame = read_application(synthetic_folder, "application_train", [TARGET]).head(3)
    pl.concat([frame, frame.tail(1)]).write_csv(tmp_path / "application_train.csv")
    with pytest.raises(DataError, match=f"client {frame['SK_ID_CURR'][2]} appears more than once"):
        read_application(tmp_path, "application_train", [TARGET])


def test_a_file_with_only_a_header_is_named(tmp_path: Path):
    (tmp_path / "application_test.csv").write_text(",".join(APPLICATION.schema) + "\n")
    with pytest.raises(DataError, match="holds no row"):
        read_application(tmp_path, "application_test")


def test_one_client_is_read_with_all_histories(synthetic_folder: Path):
    histories = {name: read_history(synthetic_folder, name) for name in HISTORIES}
    client = histories["credit_card_balance"].join(
        pl.read_parquet(synthetic_folder / "application_train.parquet"), on="SK_ID_CURR", how="semi"
    )["SK_ID_CURR"][0]
    tables = read_client(synthetic_folder, "application_train", client)
    assert tables["application"]["SK_ID_CURR"].to_list() == [client]
    for name, frame in histories.items():
        if name != "bureau_balance":
            assert_frame_equal(tables[name], frame.filter(pl.col("SK_ID_CURR") == client))
    assert set(tables["bureau_balance"]["SK_ID_BUREAU"]) <= set(tables["bureau"]["SK_ID_BUREAU"])
    with pytest.raises(DataError, match="there is no client 1;"):
        read_client(synthetic_folder, "application_train", 1)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["mes données (2026)", "x [ab]", "x*", "x?", "a {b}; $c 'd' \"e\" #f %20"])
def test_any_name_of_a_folder_is_read_and_no_other_folder(name: str, suffix: str, bureau: pl.DataFrame, tmp_path: Path):
    for folder, rows in ((name, bureau), ("xa", bureau.head(1)), ("x a", bureau.head(1))):
        (tmp_path / folder).mkdir()
        getattr(rows, f"write_{suffix}")(tmp_path / folder / f"bureau.{suffix}")
    bureau.write_parquet(tmp_path / "bureau.parquet")
    read = read_file(tmp_path / name / f"bureau.{suffix}", BUREAU)
    assert_frame_equal(read, read_file(tmp_path / "bureau.parquet", BUREAU))
