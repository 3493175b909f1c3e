"""Write synthetic credit files as JSON: the examples of a model folder and of the UI."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.tables import HISTORIES
from research.cli import ROOT, shown
from research.synthetic import generate

SEED = 20
OUT = ROOT / "ui" / "examples"
EXAMPLE = "python -m research examples --out ui/examples"
CLIENTS = 400
"""Synthetic clients drawn to choose the examples from."""


def credit_file(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """Return the tables of one client as a request body, without nulls and empty tables."""
    content: dict[str, Any] = {"application": _without_nulls(tables["application"])[0]}
    return content | {name: _without_nulls(tables[name]) for name in HISTORIES if not tables[name].is_empty()}


def example_credit_files(count: int) -> list[dict[str, Any]]:
    """Return `count` synthetic credit files, always the same: the first without history, the last with a long one."""
    tables = generate(CLIENTS, seed=SEED)
    files = []
    for application in tables["application_train"].drop("TARGET").iter_slices(1):
        client = pl.col("SK_ID_CURR") == application["SK_ID_CURR"][0]
        of_client = {name: tables[name].filter(client) for name in HISTORIES if name != "bureau_balance"}
        of_client["bureau_balance"] = tables["bureau_balance"].join(of_client["bureau"], on="SK_ID_BUREAU", how="semi")
        files.append(credit_file({"application": application, **of_client}))
    files.sort(key=lambda file: (_history_rows(file), file["application"]["SK_ID_CURR"]))
    # The longest tenth of the histories would fill most of the file that holds the examples.
    last = int(len(files) * 0.9)
    examples = [files[round(position * last / (count - 1))] for position in range(count)]
    return [{"application": examples[0]["application"]}, *examples[1:]]


def _history_rows(file: dict[str, Any]) -> int:
    return sum(len(file.get(name, ())) for name in HISTORIES)


def _without_nulls(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in frame.to_dicts()]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of files and their folder."""
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder to write to; by default {shown(OUT)}")


def run(options: argparse.Namespace) -> None:
    """Write the files."""
    options.out.mkdir(parents=True, exist_ok=True)
    for file in example_credit_files(options.count):
        path = options.out / f"client_{file['application']['SK_ID_CURR']}.json"
        path.write_text(json.dumps(file, indent=1) + "\n")
        print(f"{path}: {_history_rows(file)} history rows", file=sys.stderr)
