"""Write a synthetic population as Parquet, whole or not at all."""

import json
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pyarrow.parquet as pq
from polars import CompatLevel

from research.synthetic.population import TABLES, check, chunks

VERSION = "1"
DESCRIPTION = "synthetic.json"


def write(out: Path, clients: int, seed: int = 1) -> None:
    """Write one Parquet file per table and `synthetic.json` to the folder `out`, replacing an earlier population.

    Raises ValueError if `out` holds anything else, or if `clients` < 1 or `seed` < 0. The files appear together, once
    all are complete.
    """
    out = Path(out).resolve()
    check(clients, seed)
    _check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        _write_tables(beside, clients, seed)
        description = {"clients": clients, "seed": seed, "generator": VERSION}
        (beside / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        beside.chmod(0o755)
        _check_free(out)
        _swap(beside, out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _swap(beside: Path, out: Path) -> None:
    """Replace `out` by the folder `beside`; an error leaves `out` as it was."""
    if not out.exists():
        beside.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    out.rename(old / out.name)
    try:
        beside.rename(out)
    finally:
        if not out.exists():
            (old / out.name).rename(out)
        shutil.rmtree(old, ignore_errors=True)


def _check_free(out: Path) -> None:
    if out.is_file():
        raise ValueError(f"{out} is a file, not a folder")
    if out.is_dir():
        own = {f"{name}.parquet" for name in TABLES} | {DESCRIPTION}
        strange = sorted(entry.name for entry in out.iterdir() if entry.name not in own)
        if strange:
            raise ValueError(f"{out} holds other data ({', '.join(strange[:3])}): choose an empty folder")


def _write_tables(folder: Path, clients: int, seed: int) -> None:
    with ExitStack() as stack:
        writers: dict[str, pq.ParquetWriter] = {}
        for tables in chunks(clients, seed):
            for name, frame in tables.items():
                table = frame.to_arrow(compat_level=CompatLevel.oldest())
                if name not in writers:
                    writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                if len(frame):
                    writers[name].write_table(table)
