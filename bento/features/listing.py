"""The catalogue of features as a table: `python -m bento features --help`."""

import argparse
import csv
import sys

from bento.features.catalogue import CATALOGUE, table_of
from bento.settings import Settings

FIELDS = ("name", "table", "group", "unit", "risk", "monotone", "uses_age", "en", "fr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the format."""
    parser.add_argument("--format", choices=("markdown", "csv"), default="markdown", help="default: %(default)s")
    parser.set_defaults(run=_run)


def rows() -> list[dict[str, object]]:
    """Return the catalogue as rows of `FIELDS`."""
    return [
        {name: table_of(feature.name) if name == "table" else getattr(feature, name) for name in FIELDS}
        for feature in CATALOGUE.values()
    ]


def markdown() -> str:
    """Return the catalogue as a Markdown table."""
    lines = [f"| {' | '.join(FIELDS)} |", f"|{'---|' * len(FIELDS)}"]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows()]
    return "\n".join(lines)


def _run(options: argparse.Namespace, _: Settings) -> int:
    if options.format == "markdown":
        print(markdown())
        return 0
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    writer.writerows(rows())
    return 0
