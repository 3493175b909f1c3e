"""The cleaned tables of one credit file as arrays: what `frames` and `clean` make of many, without a query."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bento.data.cleaning import IS_OPEN, IS_OPEN_FROM, cleaned_values
from bento.data.credit_file import CreditFile
from bento.data.tables import APPLICATION, HISTORIES, TABLES
from bento.features.rows import Array, ClientRows


def client_tables(credit_file: CreditFile, columns: Mapping[str, Sequence[str]]) -> dict[str, ClientRows]:
    """Return the tables of a credit file, cleaned, with some `columns` of each; history rows belong to its client."""
    client, application = credit_file.application["SK_ID_CURR"], APPLICATION.name
    tables = {application: _table(application, [credit_file.application], columns[application], client)}
    return tables | {name: _table(name, getattr(credit_file, name), columns[name], client) for name in HISTORIES}


def _table(table: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], client: float) -> ClientRows:
    def read(name: str) -> Array:
        if name == "SK_ID_CURR":
            return np.full(len(rows), client, np.float64)
        if name == IS_OPEN and table == "previous_application":
            days = np.array([row.get(IS_OPEN_FROM) for row in rows], np.float64)
            return np.where(np.isnan(days), np.nan, days > 0)
        values = cleaned_values(table, name, [row.get(name) for row in rows])
        return np.array(values, object if name in _CATEGORIES[table] else np.float64)

    return ClientRows(len(rows), columns, read)


_CATEGORIES = {
    name: frozenset(column.name for column in table if column.kind == "category") for name, table in TABLES.items()
}
