"""Check the files of a folder against the declared tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from bento.data.column_tests import MIN_REPORTED_SHARE, ColumnTest, column_tests
from bento.data.files import STEMS, DataError, absence, check_is_folder, find_file, misnamed_file, packed_files
from bento.data.readers import ROW, file_columns, readable, scan_file
from bento.data.tables import APPLICATION, HISTORIES, TABLES, TARGET, Column, Table

MAX_NAMES, MAX_NAME_LENGTH = 5, 50
"""Undeclared columns that a line names, and characters of a name or value that it repeats."""
MAX_KNOWN_ORPHAN_SHARE = 0.15
"""Share of rows without a parent that is no news: it is 0.11 of bureau_balance in the public data."""
_OTHER_EXPORT = "take all files from the same export, so that their ids match"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Rows of one column that break the declaration of the table in the same way."""

    file: str
    column: str
    what: str
    """The predicate of the sentence: "are below 0"."""
    rows: int
    share: float
    """Share of the column's values, or of all rows where the finding is about nulls or keys."""
    example: str
    treatment: str
    """The remedy where the finding is hard; otherwise how the values are handled: "cleaned to null"."""
    hard: bool
    """Whether it is a fault, so that the file cannot be used."""
    is_declared: bool = False
    """Whether it is a known anomaly of the data, declared with the column."""
    row: int | None = None
    """Row of the example, where the finding is hard; the header of a CSV file is row 1."""

    def __str__(self) -> str:
        return f"{self.file}: column {self.column}: {self.rows:,} rows {self.predicate}"

    @property
    def predicate(self) -> str:
        """What is the matter with the rows, with an example, and the treatment."""
        row = "" if self.row is None else f"in row {self.row:,}"
        shown = " ".join(part for part in (self.example, row) if part)
        such_as = f", such as {shown}" if shown else ""
        return f"{self.what}{such_as}: {self.treatment}"


@dataclass(frozen=True)
class Report:
    """The result of a check: the rows of each file, the findings, and the errors of files that cannot be read."""

    rows: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Lines on missing and empty tables, undeclared columns and archives that are not read."""

    @property
    def faults(self) -> list[str]:
        """The reasons why the data cannot be used, one line each."""
        return [*self.unreadable, *(str(finding) for finding in self.findings if finding.hard)]

    @property
    def remarks(self) -> list[str]:
        """What a command that uses the data reports: the notes, and what is passed though the public data lacks it."""
        passed = (finding for finding in self.findings if not finding.hard and not finding.is_declared)
        return [
            *self.notes,
            *(f"{finding} ({finding.share:.0%})" for finding in passed if finding.share >= MIN_REPORTED_SHARE),
        ]


def check_folder(folder: Path, stems: Sequence[str] = STEMS[:2]) -> Report:
    """Check the applications of `stems` in the folder, and its history files.

    The files are streamed: only keys are held in memory. History rows may belong to applications that are not checked.

    Raises:
        DataError: there is no such folder.
    """
    check_is_folder(folder)
    report = Report()
    keys: dict[str, list[pl.LazyFrame]] = {"application": [], "bureau": []}
    for stem in STEMS:
        table = TABLES.get(stem, APPLICATION)
        is_checked = stem in stems or stem in HISTORIES
        try:
            path = find_file(folder, stem)
            if path is None:
                if is_checked:
                    _report_absence(report, folder, stem)
                continue
            columns = (*table, TARGET) if stem == "application_train" else tuple(table)
            with readable(path, columns):
                lines = scan_file(path, columns)
                if is_checked:
                    _report_ignored(report, folder, path, columns)
                    _check_file(report, path, table, columns, lines)
                    if table.parent and table.parent[0] in keys:
                        _check_parents(report, path, table, lines, keys[table.parent[0]])
        except DataError as error:
            if is_checked:
                report.unreadable.append(str(error))
                keys.pop(table.name, None)  # what belongs to this table cannot be checked
            continue
        if table.name in keys:
            keys[table.name].append(lines.select(table.key))
    return report


def _report_absence(report: Report, folder: Path, stem: str) -> None:
    """Report a missing table: a fault where training is impossible, or a misnamed file seems to hold it."""
    if stem == "application_train" or misnamed_file(folder, stem) is not None:
        report.unreadable.append(absence(folder, stem))
    else:
        effect = "no client has such a history" if stem in HISTORIES else "there are no new applications"
        report.notes.append(f"{absence(folder, stem)}, otherwise {effect}")


def _report_ignored(report: Report, folder: Path, path: Path, columns: Sequence[Column]) -> None:
    declared = {column.name for column in columns}
    undeclared = [name for name in file_columns(path) if name not in declared]
    if undeclared:
        names = ", ".join(repr(name[:MAX_NAME_LENGTH]) for name in undeclared[:MAX_NAMES])
        others = f" and {len(undeclared) - MAX_NAMES} more" if len(undeclared) > MAX_NAMES else ""
        report.notes.append(f"{path.name}: ignored, for they are not declared: columns {names}{others}")
    if path.parent == folder and path.suffix != ".gz":
        try:
            hidden = packed_files(folder, path.stem)
        except DataError as error:
            report.notes.append(str(error))
        else:
            report.notes.extend(
                [f"{file.relative_to(folder)}: not read, for {path.name} is beside it" for file in hidden]
            )


def _check_file(report: Report, path: Path, table: Table, columns: Sequence[Column], lines: pl.LazyFrame) -> None:
    """Count the rows of a file, test its columns and its key, and add the findings to the report."""
    tests = [test for column in columns for test in column_tests(column)]
    counts = [test.condition.sum().alias(f"{number} count") for number, test in enumerate(tests)]
    first_values = [pl.col(test.column).filter(test.condition).first() for test in tests]
    examples = [value.alias(f"{number} example") for number, value in enumerate(first_values)]
    values = [pl.col(column.name).count() for column in columns]
    results = lines.select(pl.len().alias("rows"), *values, *counts, *examples).collect(engine="streaming")
    result = results.row(0, named=True)
    rows = report.rows[path.name] = result["rows"]
    if not rows:
        if table is APPLICATION:
            raise DataError(f"{path}: holds no row; give at least one application")
        report.notes.append(f"{path.name}: holds no row, no client has such a history")
        return
    findings = []
    for number, test in enumerate(tests):
        base = rows if test.of_rows else result[test.column]
        finding = _finding(path, test, result[f"{number} count"], base, result[f"{number} example"])
        if finding is not None:
            findings.append((test, finding))
    report.findings.extend(_with_rows(path, columns, findings))
    if TARGET in columns:
        report.findings.extend(_check_outcomes(path, lines, rows))
    report.findings.extend(_check_key(path, table, lines, rows))


def _finding(path: Path, test: ColumnTest, count: int, base: int, example: object) -> Finding | None:
    """Return what a test found in `count` of `base` values or rows, or None where that is too little to report."""
    if not count or count / base < test.reported_from or base < test.min_values:
        return None
    hard = count / base >= test.fault_from
    return Finding(
        file=path.name,
        column=test.column,
        what=test.what,
        rows=count,
        share=count / base,
        example=_text(example),
        treatment=test.remedy if hard else test.treatment,
        hard=hard,
        is_declared=test.is_declared,
    )


def _with_rows(path: Path, columns: Sequence[Column], findings: Sequence[tuple[ColumnTest, Finding]]) -> list[Finding]:
    """Return the findings; hard ones with the row of their example, for which the file is read again."""
    hard = [number for number, (_, finding) in enumerate(findings) if finding.hard]
    if not hard:
        return [finding for _, finding in findings]
    first = [pl.col(ROW).filter(findings[number][0].condition).first().alias(str(number)) for number in hard]
    row_of = scan_file(path, columns, numbered=True).select(first).collect(engine="streaming").row(0, named=True)
    return [replace(finding, row=row_of.get(str(number))) for number, (_, finding) in enumerate(findings)]


def _check_outcomes(path: Path, lines: pl.LazyFrame, rows: int) -> list[Finding]:
    outcome = pl.col(TARGET.name)
    low, high = lines.select(outcome.min().alias("low"), outcome.max().alias("high")).collect(engine="streaming").row(0)
    if low is None or low != high:
        return []
    remedy = "give clients of both outcomes"
    return [_fault(path, TARGET.name, "have the same outcome", rows, rows, _text(low), remedy)]


def _check_key(path: Path, table: Table, lines: pl.LazyFrame, rows: int) -> list[Finding]:
    if not table.key:
        return []
    # A group for each row is most of the memory of a check; as integers, keys take a fifth less of it.
    key = [pl.col(name).cast(pl.Int64 if table[name].kind == "id" else pl.Int32, strict=False) for name in table.key]
    repeated = lines.select(key).drop_nulls().group_by(table.key).len().filter(pl.col("len") > 1)
    summary = repeated.select(pl.col("len").sum(), *(pl.col(key).first() for key in table.key))
    count, *first = summary.collect(engine="streaming").row(0)
    if not count:
        return []
    example = " and ".join(_text(value) for value in first)
    return [_fault(path, " and ".join(table.key), "share their key", count, rows, example, "keep one row of each")]


def _check_parents(
    report: Report, path: Path, table: Table, lines: pl.LazyFrame, parents: Sequence[pl.LazyFrame]
) -> None:
    """Report the rows that belong to no row of the parent table; a fault where all do."""
    assert table.parent is not None  # noqa: S101 - the caller asks for children only
    name, column = table.parent
    rows = report.rows[path.name]
    orphans = lines.select(column).drop_nulls()
    if parents:
        orphans = orphans.join(pl.concat(parents), on=column, how="anti")
    count, example = (
        orphans.select(pl.len(), pl.col(column).first().alias("example")).collect(engine="streaming").row(0)
    )
    if not count:
        return
    finding = _fault(path, column, f"belong to no row of {name}", count, rows, _text(example), _OTHER_EXPORT)
    if count < rows:
        is_declared = count / rows <= MAX_KNOWN_ORPHAN_SHARE
        finding = replace(finding, hard=False, treatment="passed, ignored", is_declared=is_declared)
    report.findings.append(finding)


def _fault(path: Path, column: str, what: str, count: int, rows: int, example: str, remedy: str) -> Finding:
    return Finding(
        file=path.name,
        column=column,
        what=what,
        rows=count,
        share=count / rows,
        example=example,
        treatment=remedy,
        hard=True,
    )


def _text(value: object) -> str:
    return "" if value is None else f"{value:.16g}" if isinstance(value, float) else str(value)[:MAX_NAME_LENGTH]
