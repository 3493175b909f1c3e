"""Checks the files of a folder against the declared tables: what is at fault, what is cleaned, what is passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bento.data.readers import DataError, find_file, is_row, readable, scan_file
from bento.data.tables import APPLICATION, HISTORIES, TABLES, TARGET, Column, Table


@dataclass(frozen=True)
class Finding:
    """Something that rows of one column have in common and that was not to be expected of them.

    A hard finding is a fault: the file cannot be used. A soft one is cleaned or passed, as `treatment` says.
    """

    file: str
    column: str
    what: str
    rows: int
    share: float
    example: str
    treatment: str
    hard: bool

    def __str__(self) -> str:
        shown = f", such as {self.example}" if self.example else ""
        return f"{self.file}: column {self.column}: {self.rows:,} rows {self.what}{shown}: {self.treatment}"


@dataclass(frozen=True)
class Report:
    """What a check found: the rows of each file, the findings, and the files that cannot be read at all."""

    rows: dict[str, int]
    findings: list[Finding]
    unreadable: list[str]

    @property
    def faults(self) -> list[str]:
        """What keeps the data from being used, one line each."""
        return [*self.unreadable, *(str(finding) for finding in self.findings if finding.hard)]


def check_folder(folder: Path, stems: Sequence[str] = ("application_train", "application_test")) -> Report:
    """Check the applications of `stems` that the folder holds, and its history files.

    The files are streamed: memory does not grow with the number of rows but for the keys.
    """
    rows: dict[str, int] = {}
    findings: list[Finding] = []
    unreadable: list[str] = []
    parents: dict[str, pl.LazyFrame] = {}
    for stem in (*stems, *HISTORIES):
        path = find_file(folder, stem)
        if path is None:
            continue
        table = TABLES.get(stem, APPLICATION)
        columns = (*table, TARGET) if stem == "application_train" else tuple(table)
        try:
            with readable(path, columns):
                lines = scan_file(path, columns)
                rows[path.name], found = _check(path.name, table, columns, lines)
                findings += found
                if table.parent and table.parent[0] in parents:
                    findings += _orphans(path.name, table, lines, rows[path.name], parents[table.parent[0]])
        except DataError as error:
            unreadable.append(str(error))
            continue
        if table.name in ("application", "bureau"):
            keys = lines.select(table.key)
            parents[table.name] = pl.concat([parents[table.name], keys]) if table.name in parents else keys
    return Report(rows, findings, unreadable)


def _check(file: str, table: Table, columns: Sequence[Column], lines: pl.LazyFrame) -> tuple[int, list[Finding]]:
    tests = [(column, *test) for column in columns for test in _tests(column)]
    counted = [test.sum().alias(f"{number} count") for number, (_, test, *_) in enumerate(tests)]
    shown = [
        pl.col(column.name).filter(test).first().alias(f"{number} example")
        for number, (column, test, *_) in enumerate(tests)
    ]
    found = (
        lines.filter(is_row(columns)).select(pl.len(), *counted, *shown).collect(engine="streaming").row(0, named=True)
    )
    rows: int = found["len"]
    findings = [
        _finding(file, column.name, what, found[f"{number} count"], rows, found[f"{number} example"], treatment, hard)
        for number, (column, _, what, treatment, hard) in enumerate(tests)
        if found[f"{number} count"]
    ]
    if table.key:
        repeated = lines.filter(is_row(columns)).group_by(table.key).len().filter(pl.col("len") > 1)
        twice = repeated.select(pl.col("len").sum(), *(pl.col(key).first() for key in table.key))
        answer = twice.collect(engine="streaming").row(0, named=True)
        if answer["len"]:
            key = " and ".join(table.key)
            example = " and ".join(str(answer[name]) for name in table.key)
            remedy = "keep one row of each"
            findings.append(_finding(file, key, "share their key", answer["len"], rows, example, remedy, True))
    return rows, findings


def _tests(column: Column) -> list[tuple[pl.Expr, str, str, bool]]:
    """What may be wrong with a column: test of a value, its name, what is done about it, whether it is a fault."""
    value = pl.col(column.name)
    tests = []
    if column.kind == "id":
        tests.append((value.is_null(), "have no id", "give each row one", True))
    if column.name == TARGET.name:
        tests.append((value.is_null(), "have no outcome", "leave them out", True))
    if column.kind == "integer":
        tests.append((value != value.round(), "are not whole numbers", "correct or empty them", True))
    if column.minimum is not None:
        tests.append((value < column.minimum, f"are below {column.minimum:g}", "correct or empty them", True))
    if column.maximum is not None:
        tests.append((value > column.maximum, f"are above {column.maximum:g}", "correct or empty them", True))
    if column.categories:
        unknown = value.is_not_null() & ~value.is_in(column.categories)
        tests.append((unknown, "hold an unknown category", "passed, scored as missing", False))
    for code in column.missing_codes:
        shown = f"{code:g}" if isinstance(code, int | float) else code
        tests.append((value == code, f"hold the code {shown} for unknown", "cleaned to null", False))
    if column.plausible_minimum is not None:
        low = value < column.plausible_minimum
        tests.append((low, f"are below a plausible {column.plausible_minimum:g}", "cleaned to null", False))
    if column.plausible_maximum is not None:
        high = value > column.plausible_maximum
        tests.append((high, f"are above a plausible {column.plausible_maximum:g}", "cleaned to null", False))
    return tests


def _orphans(file: str, table: Table, lines: pl.LazyFrame, rows: int, parent: pl.LazyFrame) -> list[Finding]:
    assert table.parent is not None  # noqa: S101 - the caller asks for children only
    name, column = table.parent
    lost = lines.select(column).drop_nulls().join(parent, on=column, how="anti")
    count, example = lost.select(pl.len(), pl.col(column).first().alias("example")).collect(engine="streaming").row(0)
    if not count:
        return []
    return [_finding(file, column, f"belong to no row of {name}", count, rows, example, "passed, ignored", False)]


def _finding(
    file: str, column: str, what: str, count: int, rows: int, example: object, treatment: str, hard: bool
) -> Finding:
    shown = "" if example is None else f"{example:g}" if isinstance(example, float) else str(example)
    return Finding(file, column, what, count, count / rows, shown, treatment, hard)
