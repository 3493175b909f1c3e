"""The catalogue of features and how they are computed: `python -m bento features --help`."""

import argparse
import csv
import sys

from bento.features.catalogue import CATALOGUE, table_of
from bento.features.definitions import Feature
from bento.features.formula_text import feature_formula
from bento.features.reading import CATALOGUE_HEADING, INTRODUCTION, reading
from bento.settings import Settings

FIELDS = ("name", "table", "formula", "group", "unit", "risk", "monotone", "uses_age", "en", "fr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the format."""
    parser.add_argument("--format", choices=("markdown", "csv"), default="markdown", help="default: %(default)s")
    parser.set_defaults(run=_run)


def rows() -> list[dict[str, object]]:
    """Return the catalogue as rows of `FIELDS`."""
    return [{name: _value(feature, name) for name in FIELDS} for feature in CATALOGUE.values()]


def _value(feature: Feature, field: str) -> object:
    if field == "table":
        return table_of(feature.name)
    return feature_formula(feature) if field == "formula" else getattr(feature, field)


def markdown() -> str:
    """Return `docs/features.md`: how the rows are read, and the catalogue as a Markdown table."""
    lines = [f"| {' | '.join(FIELDS)} |", f"|{'---|' * len(FIELDS)}"]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows()]
    return "\n".join([INTRODUCTION, reading(), CATALOGUE_HEADING, *lines])


def _run(options: argparse.Namespace, _: Settings) -> int:
    if options.format == "markdown":
        print(markdown())
        return 0
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    writer.writerows(rows())
    return 0
