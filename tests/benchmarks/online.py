"""One credit file, JSON text to feature row, over and over: `python -m tests.benchmarks.online --help`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from bento.data.credit_file import CreditFile
from bento.data.tables import HISTORIES, TABLES
from bento.features.build import client_features
from bento.features.catalogue import CATALOGUE, needed_columns
from bento.features.client_file import client_tables
from tests.benchmarks.measure import Clock, Figures, repeat


def ours(text: str, names: Sequence[str], seconds: float) -> Figures:
    """Parse and check, read the tables, compute: the path of the service, which cleans a column when it is read."""
    columns = needed_columns(names)

    def job(clock: Clock) -> None:
        with clock.part("parse"):
            file = CreditFile.model_validate_json(text)
        with clock.part("features"):
            client_features(client_tables(file, columns), names)

    return {"features": len(names)} | repeat(job, seconds)


def in_pandas(text: str, seconds: float) -> Figures:
    """Parse, make frames of the declared columns and types, one-hot and aggregate; nothing is checked."""
    import pandas as pd

    from tests.benchmarks.pandas_recipe import simple_features

    types = {
        name: {column.name: "str" if column.kind == "category" else "float64" for column in table}
        for name, table in TABLES.items()
    }

    def job(clock: Clock) -> None:
        with clock.part("parse"):
            content = json.loads(text)
        with clock.part("frames"):
            rows = {"application": [content["application"]], **{name: content.get(name, []) for name in HISTORIES}}
            tables = {name: pd.DataFrame(rows[name], columns=list(types[name])).astype(types[name]) for name in rows}
        with clock.part("features"):
            simple_features(tables)

    return repeat(job, seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: prints figures as JSON, for each file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("job", choices=["ours", "pandas"])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.json")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each file and set of features")
    parser.add_argument("--served", type=Path, help="JSON list of the features that the latest model asks for")
    options = parser.parse_args(arguments)
    figures: Figures = {}
    for path in options.files:
        text = path.read_text()
        if options.job == "pandas":
            figures[path.stem] = {"pandas": in_pandas(text, options.seconds)}
        else:
            sets = {"served": json.loads(options.served.read_text()), "all": list(CATALOGUE)}
            figures[path.stem] = {name: ours(text, features, options.seconds) for name, features in sets.items()}
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
