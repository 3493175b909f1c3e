"""The engine for many machines: Spark brings the rows of each part together, and the part is computed as locally.

Rows travel as Arrow files of hundreds of thousands of rows, not one by one: each task cuts what it reads by part, one
shuffle brings all of a part to one task, and that task writes the part as the engine for one machine does. A task that
Spark runs twice writes the same file twice, so that no client is doubled; nothing but receipts reaches the driver.
"""

import atexit
import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, reduce
from pathlib import Path
from typing import Any

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession, functions

from bento.data.files import DataError
from bento.data.header import present_columns
from bento.data.tables import APPLICATION, TABLES
from bento.model.scoring_model import digests
from bento.portfolio.inputs import find_inputs
from bento.portfolio.jobs import Job, JobSpec
from bento.portfolio.local import ONE_THREAD
from bento.portfolio.output import Counts, Manifest, OutputFolder, PortfolioError, Receipt, manifest_of, write_whole
from bento.portfolio.spark_inputs import SparkInputs, local_inputs, remote_inputs
from bento.portfolio.spark_tasks import PACKED, RECEIPT, packer, part_function

GATEWAY = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit, which chooses the master."""
QUANTILE_ERROR = 0.001
"""Relative error of the bounds of the parts: one has up to that share of all clients more than it should."""


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
        spec = _shipped(spark, spec)
        packed = reduce(
            DataFrame.union,
            (_packed(spark, tables, name, job.columns[name], bounds, todo) for name in TABLES),
        )
        compute = part_function(spec, output, {name: tuple(names) for name, names in job.columns.items()})
        grouped = packed.repartition(max(1, len(todo)), "part").groupBy("part")
        for row in grouped.applyInArrow(compute, RECEIPT).collect() if todo else []:
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
        return spark.createDataFrame([], PACKED)
    if name == "bureau_balance":
        owners = tables["bureau"]
        credit = _id("SK_ID_BUREAU")
        if owners is None:
            rows = rows.withColumn("SK_ID_CURR", functions.lit(None).cast("double"))
        else:
            owner = owners.select(credit.alias("credit"), _id("SK_ID_CURR").cast("double").alias("SK_ID_CURR"))
            rows = rows.withColumn("credit", credit).join(owner, "credit", "left").drop("credit")
    return rows.mapInArrow(packer(name, tuple(names), np.array(bounds, np.int64), todo), PACKED)


def _shipped(spark: SparkSession, spec: JobSpec) -> JobSpec:
    """Send this code and the model folder to every executor, once in a session; return the job with the folder's name.

    The packages that the code needs must be installed there. Spark takes no second file of the same name with another
    content, so the folder has a name by its content.
    """
    root, archive = Path(__file__).parents[1], _folder_to_ship() / "bento.zip"
    if not archive.exists():
        shutil.make_archive(str(archive.with_suffix("")), "zip", root.parent, root.name)
    spark.sparkContext.addPyFile(str(archive))
    if spec.model is None:
        return spec
    content = hashlib.sha256("".join(digests(spec.model).values()).encode()).hexdigest()
    folder = _folder_to_ship() / f"model_{content[:16]}"
    if not folder.exists():
        shutil.copytree(spec.model, folder)
    spark.sparkContext.addFile(str(folder), recursive=True)
    return replace(spec, model=Path(folder.name))


@cache
def _folder_to_ship() -> Path:
    folder = tempfile.mkdtemp(prefix="credit_scoring_spark_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _is_whole(output: OutputFolder, receipts: Sequence[Receipt]) -> bool:
    return all(output.receipt(receipt.part) == receipt for receipt in receipts)


def _sum(receipts: Sequence[Receipt]) -> Counts:
    rows, orphans = Counter[str](), Counter[str]()
    for receipt in receipts:
        if receipt.input is not None:
            rows.update(receipt.input.rows)
            orphans.update(receipt.input.orphans)
    return Counts(rows=dict(rows), orphans=dict(orphans))
