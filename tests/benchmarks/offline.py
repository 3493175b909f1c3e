"""All features of a folder of Parquet files, in this process: `python -m tests.benchmarks.offline ours DIR`."""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from bento.data.cleaning import clean
from bento.data.files import find_file
from bento.data.readers import read_application, read_history
from bento.data.tables import APPLICATION, HISTORIES, TABLES
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, needed_columns, table_of
from tests.benchmarks.measure import Clock, Figures, peak_memory

APPLICATIONS = ("application_train", "application_test")


class Tables(Mapping[str, pl.DataFrame]):
    """The cleaned tables of a folder, each read on access; one history is kept in memory at a time."""

    def __init__(self, folder: Path, names: Sequence[str] | None = None) -> None:
        self.clock = Clock()
        self.rows: dict[str, int] = {}
        self._folder, self._columns = folder, needed_columns(names)
        self._loaded: dict[str, pl.DataFrame] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._loaded:
            self._loaded = {kept: frame for kept, frame in self._loaded.items() if kept == APPLICATION.name}
            with self.clock.part("read"):
                frame = self._read(name)
            with self.clock.part("clean"):
                self._loaded |= clean({name: frame})
            self.rows[name] = len(frame)
        return self._loaded[name]

    def _read(self, name: str) -> pl.DataFrame:
        columns = self._columns[name]
        if name != APPLICATION.name:
            return read_history(self._folder, name, columns)
        stems = [stem for stem in APPLICATIONS if find_file(self._folder, stem)]
        return pl.concat(read_application(self._folder, stem, names=columns) for stem in stems)

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


def ours(folder: Path) -> Figures:
    """Read the needed columns, clean and build; training and new applications together."""
    return _build(folder)


def ours_by_table(folder: Path) -> Figures:
    """Measure the features of each table alone; work that two tables need is done twice here.

    Peak memory is left out: it is that of the process so far, not of one table.
    """
    by_table: defaultdict[str, list[str]] = defaultdict(list)
    for name in CATALOGUE:
        by_table[table_of(name)].append(name)
    figures = {table: _build(folder, names) for table, names in by_table.items()}
    return {
        table: {name: value for name, value in alone.items() if name != "peak_memory_mib"}
        for table, alone in figures.items()
    }


def _build(folder: Path, names: Sequence[str] | None = None) -> Figures:
    tables, whole = Tables(folder, names), Clock()
    with whole.part("features"):
        features = build_features(tables, names)
    rest = Clock(
        {"features": whole.wall["features"] - sum(tables.clock.wall.values())},
        {"features": whole.cpu["features"] - sum(tables.clock.cpu.values())},
    )
    clock = Clock(tables.clock.wall | rest.wall, tables.clock.cpu | rest.cpu)
    return {"rows": sum(tables.rows.values())} | _figures(clock, *features.drop("SK_ID_CURR").shape)


def in_pandas(folder: Path) -> Figures:
    """The same job in the usual pandas style: read the files, then one-hot and aggregate everything."""
    import pandas as pd

    from tests.benchmarks.pandas_recipe import simple_features

    clock = Clock()
    with clock.part("read"):
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in HISTORIES}
        applications = [pd.read_parquet(folder / f"{name}.parquet") for name in APPLICATIONS]
        tables["application"] = pd.concat(applications, ignore_index=True).drop(columns="TARGET")
    with clock.part("features"):
        features = simple_features(tables)
    return _figures(clock, *features.drop(columns="SK_ID_CURR").shape)


def _figures(clock: Clock, clients: int, features: int) -> Figures:
    seconds = sum(clock.wall.values())
    return {
        "clients": clients,
        "features": features,
        "seconds": seconds,
        "cpu_seconds": sum(clock.cpu.values()),
        "parts_seconds": clock.wall,
        "clients_per_second": clients / seconds,
        "values_per_second": clients * features / seconds,
        "peak_memory_mib": peak_memory(),
    }


JOBS = {"ours": ours, "ours_by_table": ours_by_table, "pandas": in_pandas}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    print(json.dumps(JOBS[options.job](options.folder)))  # noqa: T201


if __name__ == "__main__":
    main()
