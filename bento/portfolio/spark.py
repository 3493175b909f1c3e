"""The engine for many machines: Spark brings the rows of each part together, and the part is computed as locally.

Rows travel as Arrow files of hundreds of thousands of rows, not one by one: each task cuts what it reads by part, one
shuffle brings all of a part to one task, and that task writes the part as the engine for one machine does. A task that
Spark runs twice writes the same file twice, so that no client is doubled; nothing but receipts reaches the driver.
"""

import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark import SparkFiles
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession, functions

from bento.data.files import DataError
from bento.data.header import present_columns
from bento.data.readers import as_declared, wrong_value
from bento.data.tables import APPLICATION, TABLES, Column
from bento.portfolio.inputs import find_inputs
from bento.portfolio.jobs import Job, JobSpec
from bento.portfolio.local import ONE_THREAD
from bento.portfolio.output import Counts, Manifest, OutputFolder, PortfolioError, Receipt, manifest_of, write_whole
from bento.portfolio.spark_inputs import SparkInputs, local_inputs, remote_inputs
from bento.portfolio.spread import empty

GATEWAY = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit, which chooses the master."""
BATCH_ROWS = 500_000
"""Rows that a task cuts by part at once: at most 200 MB."""
QUANTILE_ERROR = 0.001
"""Relative error of the bounds of the parts: one has up to that share of all clients more than it should."""
_PACKED = "part int, table string, content binary"
_RECEIPT = "part int, receipt string"


def run_spark(spark: SparkSession, inputs: SparkInputs, spec: JobSpec, job: Job, output: OutputFolder) -> Manifest:
    """Compute every part that is not yet written, and write the manifest.

    Args:
        spark: the session.
        inputs: the files.
        spec: of the job, made again in each Python process of an executor.
        job: made of `spec`.
        output: the folder, locked, which every executor sees under the same path.

    Raises:
        DataError: a file cannot be used. Parts that are written stay.
        PortfolioError: Spark failed.
    """
    start = time.monotonic()
    if (finished := output.manifest()) is not None and _is_whole(output, finished.parts):
        return finished
    with _spark_errors():
        tables = {name: _table(spark, inputs, name, job.columns[name]) for name in TABLES}
        for name, key in ((APPLICATION.name, "SK_ID_CURR"), ("bureau", "SK_ID_BUREAU")):
            _check_unique(tables[name], name, key)
        bounds = _bounds(tables[APPLICATION.name], output)
        parts = len(bounds) + 1
        receipts = {part: receipt for part in range(parts) if (receipt := output.receipt(part)) is not None}
        todo = frozenset(range(parts)) - receipts.keys()
        _ship_code(spark)
        if spec.model is not None:
            spark.sparkContext.addFile(str(spec.model), recursive=True)
        packed = reduce(
            DataFrame.union,
            (_packed(spark, tables, name, job.columns[name], bounds, todo) for name in TABLES),
        )
        compute = _part_function(spec, output, {name: tuple(names) for name, names in job.columns.items()})
        grouped = packed.repartition(max(1, len(todo)), "part").groupBy("part")
        for row in grouped.applyInArrow(compute, _RECEIPT).collect() if todo else []:
            receipts[row["part"]] = Receipt.model_validate_json(row["receipt"])
    whole = [receipts[part] for part in sorted(receipts)]
    if not any(receipt.clients for receipt in whole):
        raise DataError(f"{inputs.place}: the applications hold no row; give at least one")
    manifest = manifest_of(output.run, whole, _sum(whole), inputs.notes, time.monotonic() - start)
    output.finish(manifest)
    shutil.rmtree(output.work)
    return manifest


@contextlib.contextmanager
def session(master: str | None) -> Iterator[SparkSession]:
    """Yield the session that is active, as on Databricks, or one that is made here and stopped at the end.

    Without a master it is that of spark-submit, else all cores of this machine, where a task is tried four times.
    """
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    builder = SparkSession.builder.appName("portfolio")
    for name, value in ONE_THREAD.items():  # a task has one core
        os.environ[name] = value
        builder = builder.config(f"spark.executorEnv.{name}", value)
    if master or GATEWAY not in os.environ:
        builder = builder.master(master or "local[*,4]")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with _spark_errors():
        made = builder.getOrCreate()
    try:
        made.sparkContext.setLogLevel("ERROR")
        yield made
    finally:
        made.stop()


def inputs_of(spark: SparkSession, data: str) -> SparkInputs:
    """Find the files of a folder, or of an address of Spark; raise DataError where they cannot be used."""
    if "://" not in data:
        return local_inputs(find_inputs(Path(data)))
    with _spark_errors():
        return remote_inputs(spark, data)


@contextlib.contextmanager
def _spark_errors() -> Iterator[None]:
    """Turn an error of Spark into one line: that of a task of this module where it raised one, else Spark's first."""
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        text = str(error)
        own = re.findall(r"^(?:[\w.]+\.)?(DataError|PortfolioError|ModelError|OSError): (.+)$", text, re.MULTILINE)
        if own:
            kind, line = own[-1]
            raise (DataError if kind == "DataError" else PortfolioError)(line) from error
        file = re.search(r"(?:file|path)[^\n]*?((?:\w+:/)?/[^\s,:'\"]+)", text)
        python = re.findall(r"^[\w.]*Error: .+$", text, re.MULTILINE)
        lines = [*python[-1:], *(line for line in text.splitlines() if line.strip())]
        where = f"{file[1]}: " if file else ""
        if "JAVA_GATEWAY_EXITED" in text:
            raise PortfolioError(
                "Spark finds no Java; install 17 or 21 (docs/portfolio.md), or set JAVA_HOME"
            ) from error
        raise PortfolioError(f"{where}Spark failed: {lines[0][:300]}; correct that and run this again") from error


def _table(spark: SparkSession, inputs: SparkInputs, name: str, names: Sequence[str]) -> DataFrame | None:
    """Return the needed columns of a table that its files hold; raise DataError where another one is missing."""
    rows = inputs.table(spark, name)
    if rows is None:
        return None
    present = present_columns(Path(inputs.files[name][0]), rows.columns, TABLES[name].columns)
    return rows.select([column.name for column in present if column.name in names])


def _id(name: str) -> Any:
    """Return an id as an integer; null where it is none, which tasks refuse."""
    return functions.col(name).try_cast("double").try_cast("long")


def _check_unique(rows: DataFrame | None, table: str, key: str) -> None:
    if rows is None:
        return
    ids = rows.select(_id(key).alias(key)).where(functions.col(key).isNotNull())
    repeated = ids.groupBy(key).count().where("count > 1").limit(1).collect()
    if repeated:
        raise DataError(f"{table}: column {key}: {repeated[0][key]} appears more than once; keep one row of it")


def _bounds(applications: DataFrame | None, output: OutputFolder) -> list[int]:
    """Return the first SK_ID_CURR of each part but the first; kept, as a run that resumes needs the same."""
    kept = output.work / "bounds.json"
    if kept.is_file():
        bounds: list[int] = json.loads(kept.read_bytes())
        return bounds
    assert applications is not None  # noqa: S101 - there are no inputs without applications
    ids = applications.select(_id("SK_ID_CURR").alias("id"))
    parts = -(-ids.count() // output.run.part_clients)
    shares = [number / parts for number in range(1, parts)]
    bounds = sorted({int(bound) for bound in ids.approxQuantile("id", shares, QUANTILE_ERROR)}) if shares else []
    write_whole(kept, json.dumps(bounds).encode())
    return bounds


def _packed(
    spark: SparkSession,
    tables: Mapping[str, DataFrame | None],
    name: str,
    names: Sequence[str],
    bounds: Sequence[int],
    todo: frozenset[int],
) -> DataFrame:
    """Return the rows of a table as Arrow files, each with the rows of one part."""
    rows = tables[name]
    if rows is None:
        return spark.createDataFrame([], _PACKED)
    if name == "bureau_balance":
        owners = tables["bureau"]
        credit = _id("SK_ID_BUREAU")
        if owners is None:
            rows = rows.withColumn("SK_ID_CURR", functions.lit(None).cast("double"))
        else:
            owner = owners.select(credit.alias("credit"), _id("SK_ID_CURR").cast("double").alias("SK_ID_CURR"))
            rows = rows.withColumn("credit", credit).join(owner, "credit", "left").drop("credit")
    return rows.mapInArrow(_packer(name, tuple(names), np.array(bounds, np.int64), todo), _PACKED)


ArrowBatches = Iterator[pa.RecordBatch]


def _packer(
    table: str, names: tuple[str, ...], bounds: np.ndarray[Any, Any], todo: frozenset[int]
) -> Callable[[ArrowBatches], ArrowBatches]:
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
    """Yield the rows of small batches together, about `BATCH_ROWS` at once."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(part) for part in waiting) >= BATCH_ROWS:
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


def _part_function(
    spec: JobSpec, output: OutputFolder, columns: Mapping[str, tuple[str, ...]]
) -> Callable[[pa.Table], pa.Table]:
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
    return (replace(spec, model=Path(SparkFiles.get(spec.model.name))) if spec.model else spec).job()


def _ship_code(spark: SparkSession) -> None:
    """Have every executor import this package as it is here; the packages that it needs must be installed there."""
    root = Path(__file__).parents[1]
    folder = tempfile.mkdtemp(prefix="credit_scoring_code_")
    archive = shutil.make_archive(f"{folder}/bento", "zip", root.parent, root.name)
    spark.sparkContext.addPyFile(archive)


def _is_whole(output: OutputFolder, receipts: Sequence[Receipt]) -> bool:
    return all(output.receipt(receipt.part) == receipt for receipt in receipts)


def _sum(receipts: Sequence[Receipt]) -> Counts:
    rows, orphans = Counter[str](), Counter[str]()
    for receipt in receipts:
        if receipt.input is not None:
            rows.update(receipt.input.rows)
            orphans.update(receipt.input.orphans)
    return Counts(rows=dict(rows), orphans=dict(orphans))
