"""Prints the catalogue: `python -m bento.features --help`."""

import argparse
import csv
import signal
import sys

from bento.features.catalogue import CATALOGUE, table_of

FIELDS = ("name", "table", "group", "unit", "risk", "monotone", "uses_age", "en", "fr")


def rows() -> list[dict[str, object]]:
    """The catalogue as rows of `FIELDS`."""
    return [
        {name: table_of(feature.name) if name == "table" else getattr(feature, name) for name in FIELDS}
        for feature in CATALOGUE.values()
    ]


def markdown() -> str:
    """The catalogue as a Markdown table."""
    lines = [f"| {' | '.join(FIELDS)} |", f"|{'---|' * len(FIELDS)}"]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows()]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Every feature: name, source table, concept group, unit, direction the business expects (+1: a "
        "higher value means more risk), whether a model may be held to it, whether it uses the date of birth, meaning.",
        epilog="example: python -m bento.features --format csv > features.csv",
    )
    parser.add_argument("--format", choices=("markdown", "csv"), default="markdown")
    if parser.parse_args().format == "markdown":
        print(markdown())  # noqa: T201
        return
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    writer.writerows(rows())


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader such as head may stop early
    main()
