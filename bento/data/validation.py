"""Check the files of a folder against the declared tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bento.data.readers import DataError, find_file, is_row, readable, scan_file
from bento.data.tables import APPLICATION, HISTORIES, TABLES, TARGET, Column, Table


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Rows of one column that break the declaration of the table in the same way."""

    file: str
    column: str
    what: str
    """The predicate of the sentence: "are below 0"."""
    rows: int
    share: float
    """Share of all rows of the file."""
    example: str
    treatment: str
    """The remedy where the finding is hard; otherwise how the values are handled: "cleaned to null"."""
    hard: bool
    """Whether it is a fault, so that the file cannot be used."""

    def __str__(self) -> str:
        shown = f", such as {self.example}" if self.example else ""
        return f"{self.file}: column {self.column}: {self.rows:,} rows {self.what}{shown}: {self.treatment}"


@dataclass(frozen=True)
class Report:
    """The result of a check: the rows of each file, the findings, and the errors of files that cannot be read."""

    rows: dict[str, int]
    findings: list[Finding]
    unreadable: list[str]

    @property
    def faults(self) -> list[str]:
        """The reasons why the data cannot be used, one line each."""
        return [*self.unreadable, *(str(finding) for finding in self.findings if finding.hard)]


def check_folder(folder: Path, stems: Sequence[str] = ("application_train", "application_test")) -> Report:
    """Check the applications of `stems` that the folder holds, and its history files.

    The files are streamed: only keys are held in memory.
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
                rows[path.name], of_file = _check(path.name, table, columns, lines)
                findings += of_file
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
    first_values = [pl.col(column.name).filter(test).first() for column, test, *_ in tests]
    examples = [value.alias(f"{number} example") for number, value in enumerate(first_values)]
    query = lines.filter(is_row(columns)).select(pl.len(), *counted, *examples)
    results = query.collect(engine="streaming").row(0, named=True)
    rows: int = results["len"]
    findings = [
        _finding(file, column.name, what, count, rows, results[f"{number} example"], treatment, hard=hard)
        for number, (column, _, what, treatment, hard) in enumerate(tests)
        if (count := results[f"{number} count"])
    ]
    if table.key:
        has_key = pl.all_horizontal(pl.col(table.key).is_not_null())
        repeated = lines.filter(is_row(columns), has_key).group_by(table.key).len().filter(pl.col("len") > 1)
        summary = repeated.select(pl.col("len").sum(), *(pl.col(key).first() for key in table.key))
        first = summary.collect(engine="streaming").row(0, named=True)
        if first["len"]:
            key = " and ".join(table.key)
            example = " and ".join(str(first[name]) for name in table.key)
            remedy = "keep one row of each"
            findings.append(_finding(file, key, "share their key", first["len"], rows, example, remedy, hard=True))
    return rows, findings


def _tests(column: Column) -> list[tuple[pl.Expr, str, str, bool]]:
    """Return the tests of a column: expression, predicate, treatment, and whether it is a fault (see `Finding`)."""
    value = pl.col(column.name)
    tests = []
    if column.kind == "id":
        tests.append((value.is_null(), "have no id", "give each row one", True))
    elif column.required:
        tests.append((value.is_null(), "have no value", "write it, or leave the row out", True))
    if column.name == TARGET.name:
        tests.append((value.is_null(), "have no outcome", "leave them out", True))
    if column.kind == "integer":
        tests.append((value != value.round(), "are not whole numbers", "correct or empty them", True))
    if column.minimum is not None:
        tests.append((value < column.minimum, f"are below {column.minimum:g}", "correct or empty them", True))
    if column.maximum is not None:
        tests.append((value > column.maximum, f"are above {column.maximum:g}", "correct or empty them", True))
    if (latest := column.maximum_beside_codes) is not None:
        beyond = (value > latest) & ~value.is_in(column.missing_codes)
        tests.append((beyond, f"are above {latest:g} and no code", "correct or empty them", True))
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
    orphans = lines.select(column).drop_nulls().join(parent, on=column, how="anti")
    count, example = (
        orphans.select(pl.len(), pl.col(column).first().alias("example")).collect(engine="streaming").row(0)
    )
    if not count:
        return []
    return [_finding(file, column, f"belong to no row of {name}", count, rows, example, "passed, ignored", hard=False)]


def _finding(
    file: str, column: str, what: str, count: int, rows: int, example: object, treatment: str, *, hard: bool
) -> Finding:
    text = "" if example is None else f"{example:g}" if isinstance(example, float) else str(example)
    return Finding(
        file=file,
        column=column,
        what=what,
        rows=count,
        share=count / rows,
        example=text,
        treatment=treatment,
        hard=hard,
    )
