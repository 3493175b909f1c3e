"""Credit files of the clients in a folder of tables, as a caller would send them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.credit_file import CreditFile
from bento.data.files import find_file
from bento.data.readers import read_application, read_file
from bento.data.tables import HISTORIES, TABLES
from research.data.example_credit_files import credit_file

Json = dict[str, Any]


def credit_files(folder: Path, clients: Sequence[int]) -> Iterator[CreditFile]:
    """Yield the credit files of `credit_file_contents`, each read from JSON and validated as a request is.

    Raises:
        KeyError: a client has no training application.
        ValidationError: the service would not accept the file.
    """
    for content in credit_file_contents(folder, clients):
        yield CreditFile.model_validate_json(json.dumps(content))


def credit_file_contents(folder: Path, clients: Sequence[int]) -> Iterator[Json]:
    """Yield the content of the credit file of each training application, in the order of `clients`, by SK_ID_CURR.

    All tables are read once.

    Raises:
        KeyError: a client has no training application.
    """
    of_clients = _is_one_of("SK_ID_CURR", pl.Series(clients))
    tables = {"application": read_application(folder, "application_train").filter(of_clients)}
    tables |= {name: _rows(folder, name, of_clients) for name in HISTORIES if name != "bureau_balance"}
    credits_elsewhere = tables["bureau"].select("SK_ID_CURR", "SK_ID_BUREAU")
    months = _rows(folder, "bureau_balance", _is_one_of("SK_ID_BUREAU", credits_elsewhere["SK_ID_BUREAU"]))
    tables["bureau_balance"] = months.join(credits_elsewhere, on="SK_ID_BUREAU", maintain_order="left")
    by_client = {name: rows.partition_by("SK_ID_CURR", as_dict=True) for name, rows in tables.items()}
    for client in clients:
        histories = {name: by_client[name].get((client,), tables[name].clear()) for name in HISTORIES}
        histories["bureau_balance"] = histories["bureau_balance"].drop("SK_ID_CURR")
        yield credit_file({"application": by_client["application"][client,], **histories})


def _rows(folder: Path, name: str, where: pl.Expr) -> pl.DataFrame:
    path = find_file(folder, name)
    return read_file(path, TABLES[name], where=where) if path else TABLES[name].empty()


def _is_one_of(column: str, ids: pl.Series) -> pl.Expr:
    """Return the condition that a row has one of these ids, which are floats while a file is read, and exact as such."""
    return pl.col(column).cast(pl.Float64).is_in(ids.cast(pl.Float64).implode())
