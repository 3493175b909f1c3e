"""What runs in the tasks of Spark: rows are packed by part into Arrow files, and a part is computed from its files."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyspark import SparkFiles

from bento.data.files import DataError
from bento.data.readers import as_declared, wrong_value
from bento.data.tables import APPLICATION, TABLES, Column
from bento.portfolio.jobs import Job, JobSpec
from bento.portfolio.output import Counts, OutputFolder
from bento.portfolio.spread import BATCH_VALUES, empty

PACKED = "part int, table string, content binary"
RECEIPT = "part int, receipt string"

ArrowBatches = Iterator[pa.RecordBatch]


def packer(
    table: str, names: tuple[str, ...], bounds: np.ndarray[Any, Any], todo: frozenset[int]
) -> Callable[[ArrowBatches], ArrowBatches]:
    """Return the function that turns rows of a table into `PACKED`: an Arrow file for each part in `todo`.

    `bounds` are the first SK_ID_CURR of each part but the first.
    """

    def pack(batches: ArrowBatches) -> ArrowBatches:
        for rows in _gathered(batches):
            typed = _typed(rows, table, names)
            clients = typed["SK_ID_CURR"].to_numpy()
            # Months of a credit that bureau does not hold belong to no client: any part may count them.
            spread = typed["SK_ID_BUREAU"].to_numpy() % (len(bounds) + 1) if table == "bureau_balance" else 0
            parts = np.where(np.isnan(clients), spread, np.searchsorted(bounds, clients, side="right")).astype(np.int32)
            by_part = typed.with_columns(pl.Series("part", parts)).partition_by("part", as_dict=True, include_key=False)
            packed = [(part, table, _ipc(content)) for (part,), content in by_part.items() if part in todo]
            yield from _record_batches(packed)

    return pack


def _gathered(batches: ArrowBatches) -> Iterator[pl.DataFrame]:
    """Yield the rows of small batches together, about `BATCH_VALUES` at once."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows * part.num_columns for part in waiting) >= BATCH_VALUES:
            yield pl.DataFrame(pa.Table.from_batches(waiting))
            waiting = []
    if waiting:
        yield pl.DataFrame(pa.Table.from_batches(waiting))


def _typed(rows: pl.DataFrame, table: str, names: Sequence[str]) -> pl.DataFrame:
    """Return rows as `bento.data.readers.scan_file` gives them, with the client of a month of a credit elsewhere.

    Raises:
        DataError: a number is text, or a row has no id.
    """
    columns = [TABLES[table][name] for name in names]
    present = [column for column in columns if column.name in rows.columns]
    numbers = [column for column in present if column.kind != "category"]
    numeric = rows.with_columns(_number(rows[column.name], table, column) for column in numbers)
    typed = as_declared(numeric.lazy(), present, columns).collect()
    ids = [column for column in present if column.kind == "id"]
    wrong = typed.select(wrong_value(column).any().alias(column.name) for column in ids)
    for column in ids:
        if wrong[column.name][0]:
            raise DataError(
                f"{table}: column {column.name}: a row has no id, or one that is no whole number; correct it, or "
                "delete the row"
            )
    return typed.select(*names, *({"SK_ID_CURR"} - set(names)))


def _number(values: pl.Series, table: str, column: Column) -> pl.Series:
    if values.dtype != pl.String:
        return values.cast(pl.Float64)
    text = values.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if (numbers.is_null() & text.is_not_null() & (text != "")).any():
        remedy = "correct it" if column.kind == "id" else "correct it, or leave it empty where it is not known"
        raise DataError(f"{table}: column {column.name} holds text that is not a number; {remedy}")
    return numbers


def _ipc(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_ipc(buffer, compression="lz4")
    return buffer.getvalue()


def _record_batches(packed: Sequence[tuple[int, str, bytes]]) -> ArrowBatches:
    schema = pa.schema([("part", pa.int32()), ("table", pa.string()), ("content", pa.binary())])
    for row in packed:  # one by one: together they might be larger than a batch may be
        yield pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True))], schema)


def part_function(
    spec: JobSpec, output: OutputFolder, columns: Mapping[str, tuple[str, ...]]
) -> Callable[[pa.Table], pa.Table]:
    """Return the function that computes and writes the part whose `PACKED` it is given, and returns its `RECEIPT`."""

    def compute(packed: pa.Table) -> pa.Table:
        part = packed["part"][0].as_py()
        frames: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
        for name, content in zip(packed["table"].to_pylist(), packed["content"], strict=True):
            frames[name].append(pl.read_ipc(content.as_buffer().to_pybytes()))
        tables = {name: pl.concat(parts) if parts else empty(name, columns[name]) for name, parts in frames.items()}
        clients = tables[APPLICATION.name]["SK_ID_CURR"]
        own = {name: rows.filter(pl.col("SK_ID_CURR").is_in(clients)) for name, rows in tables.items()}
        counts = Counts(
            rows={name: len(rows) for name, rows in tables.items()},
            orphans={name: len(rows) - len(own[name]) for name, rows in tables.items()},
        )
        receipt = output.write(part, len(clients), _job(spec).compute(own), counts)
        return pa.table({"part": pa.array([part], pa.int32()), "receipt": [receipt.model_dump_json()]})

    return compute


@cache
def _job(spec: JobSpec) -> Job:
    """Make the job once in each Python process of an executor, of the model folder that was shipped to it."""
    return (replace(spec, model=Path(SparkFiles.get(str(spec.model)))) if spec.model else spec).job()
