"""Training and the service accept the same files, and read the same from them."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from bento.data.credit_file import CreditFile, frames
from bento.data.readers import read_client
from bento.data.tables import APPLICATION, TABLES, TARGET, Column
from bento.data.validation import check_folder
from tests.support.clients import credit_file, make_clients
from tests.support.sampling import examples

pytestmark = pytest.mark.end_to_end

STEM = "application_train"
CLIENTS = 60
"""Clients of a folder, so that one value that is wrong is no share of a column that would be refused for its sake."""


@pytest.fixture(scope="module")
def population() -> dict[str, pl.DataFrame]:
    return make_clients(CLIENTS, seed=3)


@pytest.fixture(scope="module", params=["csv", "parquet"])
def folder(request: pytest.FixtureRequest, population: dict[str, pl.DataFrame], tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("same") / request.param
    folder.mkdir()
    for stem, table in population.items():
        _write(folder, stem, table)
    return folder


def _write(folder: Path, stem: str, table: pl.DataFrame) -> None:
    """Write a table in the format that the folder is named after, its numbers as floats, as pandas writes them."""
    numbers = [column.name for column in TABLES.get(stem, APPLICATION) if column.kind in ("integer", "number")]
    floats = table.with_columns(pl.col(numbers).cast(pl.Float64))
    getattr(floats, f"write_{folder.name}")(folder / f"{stem}.{folder.name}")


def _of_client(population: dict[str, pl.DataFrame], client: int) -> dict[str, pl.DataFrame]:
    """Return the rows of one client, by table."""
    tables = {TABLES.get(stem, APPLICATION).name: table for stem, table in population.items()}
    mine = {name: table.filter(SK_ID_CURR=client) for name, table in tables.items() if name != "bureau_balance"}
    mine["bureau_balance"] = tables["bureau_balance"].join(mine["bureau"], on="SK_ID_BUREAU", how="semi")
    mine["application"] = mine["application"].drop(TARGET.name)
    return {name: mine[name] for name in TABLES}


def _client_with_all_histories(population: dict[str, pl.DataFrame]) -> int:
    clients = population[STEM]["SK_ID_CURR"]
    return next(
        client for client in clients if not any(map(pl.DataFrame.is_empty, _of_client(population, client).values()))
    )


def _is_accepted(file: dict[str, Any]) -> bool:
    try:
        CreditFile.model_validate_json(json.dumps(file))
    except ValidationError:
        return False
    return True


def _values(column: Column) -> st.SearchStrategy[Any]:
    """Return values at and beyond all limits of a column's declaration, and within them."""
    if column.kind == "category":
        return st.sampled_from([None, "unheard of", *column.categories])
    low, high = column.minimum, column.maximum
    assert low is not None
    assert high is not None
    plausible = (limit for limit in (column.plausible_minimum, column.plausible_maximum) if limit is not None)
    around = [limit + step for limit in (low, high, *plausible) for step in (-1, 0, 1)]
    within = st.floats(low, high) if column.kind == "number" else st.integers(int(low), int(high)).map(float)
    return st.sampled_from([None, low + 0.5, (low + high) / 2, *around, *column.missing_codes]) | within


@st.composite
def _changes(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a table, and new values for some of its columns."""
    table = draw(st.sampled_from(sorted(TABLES)))
    columns = [column for column in TABLES[table] if column.kind != "id"]
    chosen = draw(st.lists(st.sampled_from(columns), min_size=1, max_size=3, unique_by=lambda column: column.name))
    return table, {column.name: draw(_values(column)) for column in chosen}


def _changed(table: pl.DataFrame, row: int, changes: dict[str, Any]) -> pl.DataFrame:
    columns = (table[name] if table[name].dtype == pl.String else table[name].cast(pl.Float64) for name in changes)
    return table.with_columns(
        column.scatter(row, value) for column, value in zip(columns, changes.values(), strict=True)
    )


@given(_changes())
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
def test_a_row_is_accepted_in_files_and_in_a_request_or_in_neither(
    population: dict[str, pl.DataFrame], folder: Path, change: tuple[str, dict[str, Any]]
):
    table, changes = change
    stem = STEM if table == APPLICATION.name else table
    client = _client_with_all_histories(population)
    key = "SK_ID_BUREAU" if table == "bureau_balance" else "SK_ID_CURR"
    row = population[stem][key].index_of(_of_client(population, client)[table][key][0])
    assert row is not None
    changed = population | {stem: _changed(population[stem], row, changes)}
    file = credit_file(_of_client(changed, client))
    try:
        _write(folder, stem, changed[stem])
        faults = check_folder(folder).faults
        assert _is_accepted(file) == (not faults), faults
        if not faults:
            received = frames([CreditFile.model_validate_json(json.dumps(file))])
            for name, read in read_client(folder, STEM, client).items():
                assert_frame_equal(read, received[name])
    finally:
        _write(folder, stem, population[stem])


@pytest.mark.parametrize("name", TABLES)
def test_only_required_columns_must_hold_a_value(population: dict[str, pl.DataFrame], folder: Path, name: str):
    stem = STEM if name == APPLICATION.name else name
    client = _client_with_all_histories(population)
    optional = [column.name for column in TABLES[name] if not column.required and column.kind != "id"]
    emptied = population | {
        stem: population[stem].with_columns(pl.lit(None).cast(population[stem][c].dtype).alias(c) for c in optional)
    }
    assert _is_accepted(credit_file(_of_client(emptied, client)))
    try:
        _write(folder, stem, emptied[stem])
        assert check_folder(folder).faults == []
    finally:
        _write(folder, stem, population[stem])


REQUIRED = [(name, column.name) for name, table in TABLES.items() for column in table if column.required]


@pytest.mark.parametrize(("name", "column"), [(name, column) for name, column in REQUIRED if column != "SK_ID_CURR"])
def test_a_required_column_must_hold_a_value_in_both(
    population: dict[str, pl.DataFrame], folder: Path, name: str, column: str
):
    stem = STEM if name == APPLICATION.name else name
    client = _client_with_all_histories(population)
    emptied = pl.when(pl.col("SK_ID_CURR") != client).then(pl.col(column)).alias(column)
    changed = population | {stem: population[stem].with_columns(emptied)}
    assert not _is_accepted(credit_file(_of_client(changed, client)))
    try:
        _write(folder, stem, changed[stem])
        assert any(column in fault for fault in check_folder(folder).faults)
    finally:
        _write(folder, stem, population[stem])


ID_COLUMNS = [(name, column.name) for name, table in TABLES.items() for column in table if column.kind == "id"]


@pytest.mark.parametrize(("name", "column"), ID_COLUMNS)
@pytest.mark.parametrize("value", [0, 2**53])
def test_an_id_outside_its_range_is_refused_in_both(
    population: dict[str, pl.DataFrame], folder: Path, name: str, column: str, value: int
):
    stem = STEM if name == APPLICATION.name else name
    file = credit_file(_of_client(population, _client_with_all_histories(population)))
    rows = file[name] if isinstance(file[name], list) else [file[name]]
    rows[0][column] = value
    assert not _is_accepted(file)
    try:
        _write(folder, stem, population[stem].with_columns(population[stem][column].scatter(0, value)))
        assert any(column in fault for fault in check_folder(folder).faults)
    finally:
        _write(folder, stem, population[stem])
