"""Synthetic credit files: the golden examples of a model folder and the example clients of the UI."""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.tables import HISTORIES
from research.cli import ROOT, parser, run
from research.synthetic import generate

SEED = 20
CLIENTS = 400
"""Synthetic clients drawn to choose the examples from."""


def credit_file(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """The tables of one client in the form of a request: nulls and empty tables left out."""
    content: dict[str, Any] = {"application": _without_nulls(tables["application"])[0]}
    return content | {name: _without_nulls(tables[name]) for name in HISTORIES if not tables[name].is_empty()}


def example_credit_files(count: int) -> list[dict[str, Any]]:
    """`count` synthetic credit files, the first without any history, the last with a long one; always the same."""
    tables = generate(CLIENTS, seed=SEED)
    files = []
    for application in tables["application_train"].drop("TARGET").iter_slices(1):
        client = pl.col("SK_ID_CURR") == application["SK_ID_CURR"][0]
        ours = {name: tables[name].filter(client) for name in HISTORIES if name != "bureau_balance"}
        ours["bureau_balance"] = tables["bureau_balance"].join(ours["bureau"], on="SK_ID_BUREAU", how="semi")
        files.append(credit_file({"application": application, **ours}))
    files.sort(key=lambda file: (_history_rows(file), file["application"]["SK_ID_CURR"]))
    # From nine tenths up the histories get so long that a few would weigh more than all others.
    last = int(len(files) * 0.9)
    chosen = [files[round(place * last / (count - 1))] for place in range(count)]
    return [{"application": chosen[0]["application"]}, *chosen[1:]]


def _history_rows(file: dict[str, Any]) -> int:
    return sum(len(file.get(name, ())) for name in HISTORIES)


def _without_nulls(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in frame.to_dicts()]


def main() -> None:
    """The command line."""
    arguments = parser(
        "Write synthetic credit files as JSON.", "python -m research.data.example_credit_files --out ui/examples"
    )
    arguments.add_argument("--count", type=int, default=4)
    arguments.add_argument("--out", type=Path, default=ROOT / "ui" / "examples")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for file in example_credit_files(options.count):
        path = options.out / f"client_{file['application']['SK_ID_CURR']}.json"
        path.write_text(json.dumps(file, indent=1) + "\n")
        print(f"{path}: {_history_rows(file)} history rows", file=sys.stderr)


if __name__ == "__main__":
    run(main)
