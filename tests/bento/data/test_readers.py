from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.data.readers import DataError, read_application, read_client, read_file, read_history
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


def test_a_wrong_type_is_named_with_row_and_column(bureau: pl.DataFrame, tmp_path: Path):
    text = bureau.with_columns(pl.col("AMT_CREDIT_SUM").cast(pl.String)).with_row_index()
    text = text.with_columns(
        AMT_CREDIT_SUM=pl.when(pl.col("index") == 3).then(pl.lit("much")).otherwise("AMT_CREDIT_SUM")
    )
    message = _broken(tmp_path, text.drop("index").write_csv())
    assert "row 5, column AMT_CREDIT_SUM: 'much' is not a number" in message


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


def test_a_missing_history_file_is_read_as_empty_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    assert all(read_history(tmp_path, name).is_empty() for name in HISTORIES)
    assert all(name in caplog.text for name in HISTORIES)


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
