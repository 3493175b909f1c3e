"""Credit files of the clients in a folder of tables, as a caller would send them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from bento.data.credit_file import CreditFile
from bento.data.readers import find_file, read_application, read_file
from bento.data.tables import HISTORIES, TABLES
from research.data.example_credit_files import credit_file


def credit_files(folder: Path, clients: Sequence[int]) -> Iterator[CreditFile]:
    """Yield the credit file of each training application named by SK_ID_CURR, in the order of `clients`.

    All tables are read once. Each file goes through JSON and its validation, as a request does.

    Raises:
        KeyError: a client has no training application.
        ValidationError: the service would not accept the file.
    """
    of_clients = pl.col("SK_ID_CURR").is_in(clients)
    tables = {"application": read_application(folder, "application_train").filter(of_clients)}
    tables |= {name: _rows(folder, name, of_clients) for name in HISTORIES if name != "bureau_balance"}
    credits_elsewhere = tables["bureau"].select("SK_ID_CURR", "SK_ID_BUREAU")
    months = _rows(folder, "bureau_balance", pl.col("SK_ID_BUREAU").is_in(credits_elsewhere["SK_ID_BUREAU"].implode()))
    tables["bureau_balance"] = months.join(credits_elsewhere, on="SK_ID_BUREAU", maintain_order="left")
    by_client = {name: rows.partition_by("SK_ID_CURR", as_dict=True) for name, rows in tables.items()}
    for client in clients:
        histories = {name: by_client[name].get((client,), tables[name].clear()) for name in HISTORIES}
        histories["bureau_balance"] = histories["bureau_balance"].drop("SK_ID_CURR")
        content = credit_file({"application": by_client["application"][client,], **histories})
        yield CreditFile.model_validate_json(json.dumps(content))


def _rows(folder: Path, name: str, where: pl.Expr) -> pl.DataFrame:
    path = find_file(folder, name)
    return read_file(path, TABLES[name], where=where) if path else TABLES[name].empty()
