"""Which clients of a portfolio cannot be scored, and why: what the service would refuse as an invalid request."""

from collections.abc import Iterator, Mapping
from functools import cache

import polars as pl

from bento.data.column_tests import ColumnTest, column_tests
from bento.data.tables import APPLICATION, TABLES
from bento.rules.check import Rules
from bento.rules.measures import Inputs

NOT_SCORED = pl.Schema({"SK_ID_CURR": pl.Int64, "table": pl.String, "column": pl.String, "reason": pl.String})
"""Columns of the table of clients that were not scored; a client has a row for each reason."""


def unusable(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the clients with a value that no request may hold, or with two rows of one key, as `NOT_SCORED`.

    The rows of every table name their client in SK_ID_CURR, also those of bureau_balance.
    """
    rows = [NOT_SCORED.to_frame()]
    for name, table in tables.items():
        rows += [*_wrong_values(name, table), *_repeated(name, table)]
    return pl.concat(rows).unique(maintain_order=True)


def impossible(applications: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return the clients whose application is impossible by the lender's rules, as `NOT_SCORED`."""
    inputs = Inputs(lambda name: applications[name].to_list(), len(applications), None, rules.rulebook.income_months)
    applies = [pl.Series(rules.applies(rule, inputs)) for rule in rules.rulebook.active("impossible")]
    hit = applications.filter(pl.any_horizontal(applies)) if applies else applications.clear()
    faults = [
        (row["SK_ID_CURR"], APPLICATION.name, fault.field, f"impossible by the rule {fault.code}")
        for row in hit.iter_rows(named=True)
        for fault in rules.faults(row)
    ]
    return pl.DataFrame(faults, NOT_SCORED, orient="row")


def _wrong_values(name: str, table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    tests = [test for test in _tests(name) if test.column in table.columns]
    if table.is_empty() or not tests:
        return
    met = table.select(test.condition.any().alias(str(number)) for number, test in enumerate(tests)).row(0)
    for test, is_met in zip(tests, met, strict=True):
        if is_met:
            yield _reason(table.filter(test.condition), name, test.column, f"values {test.what}")


def _repeated(name: str, table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    key = [column for column in TABLES[name].key if column in table.columns]
    if name == APPLICATION.name or not key or len(key) < len(TABLES[name].key):
        return
    keys = table.select("SK_ID_CURR", *(column for column in key if column != "SK_ID_CURR")).drop_nulls()
    repeated = keys.filter(keys.is_duplicated())
    if len(repeated):
        yield _reason(repeated, name, key[-1], "two rows have the same key")


def _reason(rows: pl.DataFrame, table: str, column: str, reason: str) -> pl.DataFrame:
    clients = rows.select(pl.col("SK_ID_CURR").cast(pl.Int64).unique(maintain_order=True))
    return clients.with_columns(table=pl.lit(table), column=pl.lit(column), reason=pl.lit(reason))


@cache
def _tests(table: str) -> tuple[ColumnTest, ...]:
    """Return the tests of which one value is enough to be a fault."""
    return tuple(test for column in TABLES[table] for test in column_tests(column) if test.fault_from == 0)
