"""Spread the rows of a portfolio's tables over parts of some clients each, in one pass over each file."""

import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.data.readers import readable
from bento.data.tables import TABLES
from bento.portfolio.inputs import Inputs
from bento.portfolio.output import Counts, PortfolioError, write_whole

BATCH_VALUES = 4_000_000
"""Values of a table, rows times columns, that are spread at once: 32 MB of numbers, of which there are some copies.

500,000 rows took 2.4 GiB of the applications, with their 121 columns, of a portfolio with that number of clients.
"""
_WANTED = "wanted.json"


@dataclass(frozen=True)
class Clients:
    """The clients of a portfolio in the order of their ids, cut into parts of the same size."""

    ids: NDArray[np.int64]
    """SK_ID_CURR, sorted: 8 bytes a client is the memory that grows with the portfolio."""
    part_clients: int

    @property
    def parts(self) -> int:
        """Number of parts."""
        return -(-len(self.ids) // self.part_clients)

    def in_part(self, part: int) -> int:
        """Return how many clients a part has."""
        return min(self.part_clients, len(self.ids) - part * self.part_clients)

    def part_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the part of each SK_ID_CURR; -1 for one that is no client."""
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[places] == ids, places // self.part_clients, -1)


def spread(
    inputs: Inputs, columns: Mapping[str, Sequence[str]], clients: Clients, wanted: Sequence[int], work: Path
) -> Counts:
    """Write the rows of the `wanted` parts below `work`, where a table that an earlier start has spread is kept.

    Raises:
        DataError: a file cannot be read; a row has no id.
        OSError: the folder cannot be written.
    """
    if work.exists() and not _is_usable(work, wanted):
        shutil.rmtree(work)
    if not work.exists():
        write_whole(work / _WANTED, json.dumps(list(wanted)).encode(), durable=False)
    rows, orphans = {}, {}
    for table in TABLES:
        done = _counts_file(work, table)
        if not done.is_file():
            for old in work.glob(f"*/{table}-*.arrow"):
                old.unlink()
            counts = _spread_table(inputs, table, columns[table], clients, frozenset(wanted), work)
            write_whole(done, json.dumps(counts).encode(), durable=False)
        rows[table], orphans[table] = json.loads(done.read_bytes())
    return Counts(rows=rows, orphans=orphans)


def tables_of(work: Path, part: int, columns: Mapping[str, Sequence[str]]) -> dict[str, pl.DataFrame]:
    """Read the rows of one part: ids and integers as floats, and in each table the client in SK_ID_CURR."""
    tables = {}
    for name in TABLES:
        paths = sorted((work / str(part)).glob(f"{name}-*.arrow"))
        frames = [_read(path) for path in paths]
        tables[name] = pl.concat(frames) if frames else empty(name, columns[name])
    return tables


def forget(work: Path, part: int) -> None:
    """Delete the rows of a part."""
    shutil.rmtree(work / str(part))


def _counts_file(work: Path, table: str) -> Path:
    return work / f"{table}.counts.json"


def _is_usable(work: Path, wanted: Sequence[int]) -> bool:
    """Whether what an earlier start spread is that of all wanted parts, and none of them was made of it and deleted."""
    recorded = work / _WANTED
    if not recorded.is_file() or not set(wanted) <= set(json.loads(recorded.read_bytes())):
        return False
    is_complete = all(_counts_file(work, table).is_file() for table in TABLES)
    return not is_complete or all((work / str(part)).is_dir() for part in wanted)


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_ipc(path.read_bytes())
    except pl.exceptions.PolarsError as error:
        raise PortfolioError(f"{path}: is damaged; delete {path.parents[1]} and run this again") from error


def _spread_table(
    inputs: Inputs, table: str, names: Sequence[str], clients: Clients, wanted: frozenset[int], work: Path
) -> tuple[int, int]:
    owner = _Owners(inputs) if table == "bureau_balance" and inputs.files[table] else None
    rows = orphans = 0
    for number, batch in enumerate(_batches(inputs, table, names)):
        with_client = owner.named(batch) if owner else batch
        parts = clients.part_of(with_client["SK_ID_CURR"].cast(pl.Int64).fill_null(-1).to_numpy())
        rows, orphans = rows + len(parts), orphans + int((parts < 0).sum())
        by_part = with_client.with_columns(pl.Series("part", parts)).partition_by(
            "part", as_dict=True, include_key=False
        )
        for (part,), content in by_part.items():
            if part in wanted:
                buffer = io.BytesIO()
                content.write_ipc(buffer, compression="lz4")
                write_whole(work / str(part) / f"{table}-{number:06d}.arrow", buffer.getvalue(), durable=False)
    return rows, orphans


def _batches(inputs: Inputs, table: str, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    for path, rows in inputs.scans(table, names):
        with readable(path, TABLES[table]):
            for batch in rows.collect_batches(chunk_size=max(1, BATCH_VALUES // len(names)), engine="streaming"):
                inputs.check_ids(table, path, batch)
                yield batch


class _Owners:
    """The client of each credit at another lender: 16 bytes a credit, in memory while bureau_balance is spread."""

    def __init__(self, inputs: Inputs) -> None:
        self._owners = inputs.owners()
        self._credits = self._owners["SK_ID_BUREAU"].to_numpy()

    def named(self, months: pl.DataFrame) -> pl.DataFrame:
        """Add SK_ID_CURR to rows of bureau_balance; null where bureau has no such credit."""
        ids = months["SK_ID_BUREAU"].cast(pl.Int64).to_numpy()
        if not len(self._credits):
            return months.with_columns(SK_ID_CURR=pl.lit(None, pl.Float64))
        places = np.minimum(np.searchsorted(self._credits, ids), len(self._credits) - 1)
        clients = self._owners["SK_ID_CURR"].gather(places).cast(pl.Float64)
        return months.with_columns(SK_ID_CURR=clients.set(pl.Series(self._credits[places] != ids), None))


def empty(table: str, names: Sequence[str]) -> pl.DataFrame:
    """Return a table without rows, as `tables_of` gives it."""
    schema = {column.name: pl.String if column.kind == "category" else pl.Float64 for column in TABLES[table]}
    chosen = {name: schema[name] for name in names}
    return pl.DataFrame(schema=chosen | {"SK_ID_CURR": pl.Float64})
