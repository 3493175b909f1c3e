"""Warnings about a credit file: what was not understood, and the fields that it lacks and nearly all others hold."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from bento.data.credit_file import MAX_WARNINGS, CreditFile, FieldWarning, warnings
from bento.data.tables import APPLICATION, TABLES, Column
from bento.features.catalogue import needed_columns
from bento.i18n import NARROW_SPACE, Wording
from bento.model.scoring_model import ScoringModel

TYPICAL = Wording(
    en="not given; a typical value is taken",
    fr=f"non fourni{NARROW_SPACE}; une valeur typique est retenue",
)
LEARNT = Wording(
    en="not given; the model uses what it has learnt of files without it",
    fr=f"non fourni{NARROW_SPACE}; le modèle applique ce qu'il a appris des dossiers sans cette donnée",
)
KEY = Wording(
    en="not given; rows of one credit cannot be separated from those of another",
    fr=f"non fourni{NARROW_SPACE}; les lignes d'un crédit ne se distinguent pas de celles d'un autre",
)
NOT_READ = Wording(
    en="not given; the model does not read it",
    fr=f"non fourni{NARROW_SPACE}; le modèle ne le lit pas",
)


class _Field(NamedTuple):
    """A field that a credit file should hold, and the warning where it does not."""

    table: str
    column: str
    warning: FieldWarning


def file_warnings(model: ScoringModel, credit_file: CreditFile) -> list[FieldWarning]:
    """Return the warnings about a credit file that a model scores, at most `MAX_WARNINGS`.

    A field is missing where nearly all files of the training clients hold it and this one does not: it is null or
    absent in the application, or in every row of a history. A history without rows lacks nothing. What was not
    understood comes first, then missing fields that the model reads, then those that it does not.
    """
    missing = {
        (table, column)
        for table, columns in _expected_columns(model).items()
        for column in _unknown_in_all(_rows(credit_file, table), columns)
    }
    lacking = [field.warning for field in _expected_fields(model) if (field.table, field.column) in missing]
    return [*warnings(credit_file), *lacking][:MAX_WARNINGS]


def _rows(credit_file: CreditFile, table: str) -> Sequence[Mapping[str, Any]]:
    return [credit_file.application] if table == APPLICATION.name else getattr(credit_file, table)


def _unknown_in_all(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Sequence[str]:
    """Return the columns of which every row lacks the value; none where there are no rows."""
    if not rows:
        return ()
    for row in rows:
        columns = [column for column in columns if row.get(column) is None]
        if not columns:  # nearly always after the first row
            break
    return columns


@lru_cache(maxsize=4)
def _expected_columns(model: ScoringModel) -> dict[str, list[str]]:
    """Return the columns that a credit file should hold, by table."""
    columns: dict[str, list[str]] = {}
    for field in _expected_fields(model):
        columns.setdefault(field.table, []).append(field.column)
    return columns


@lru_cache(maxsize=4)
def _expected_fields(model: ScoringModel) -> list[_Field]:
    """Return the fields that a credit file should hold, those that the model reads first."""
    read = {feature: needed_columns([feature]) for feature in model.feature_names}
    fields = [
        _Field(name, column.name, FieldWarning(kind="missing_field", field=f"{name}.{column.name}", message=message))
        for name, given in model.reference.fields.items()
        for column in TABLES[name]
        if column.name in given.expected()
        for message in [_message(column, name, read, model.typical_features)]
    ]
    return sorted(fields, key=lambda field: field.warning.message == NOT_READ)


def _message(
    column: Column, table: str, read: Mapping[str, Mapping[str, Sequence[str]]], typical: Collection[str]
) -> Wording:
    """State how a file without this column is scored; `read` holds the columns that each feature is computed from."""
    if column.kind == "id":  # read with any other column of its table
        others = {other.name for other in TABLES[table] if other.kind != "id"}
        return KEY if any(others.intersection(columns[table]) for columns in read.values()) else NOT_READ
    readers = [feature for feature, columns in read.items() if column.name in columns[table]]
    if not readers:
        return NOT_READ
    return TYPICAL if any(feature in typical for feature in readers) else LEARNT
