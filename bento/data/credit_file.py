"""The credit file: the model of a request, derived from the declared tables, and its frames."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Annotated, Any, Literal, NotRequired, Self

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    ValidationError,
    model_validator,
    with_config,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, PydanticKnownError, core_schema
from typing_extensions import TypedDict

from bento.data.anomalies import anomalies
from bento.data.category_labels import CATEGORY_LABELS
from bento.data.received import Received, finite
from bento.data.tables import APPLICATION, CURRENCY, HISTORIES, TABLES, Column, Table
from bento.i18n import Wording

MAX_WARNINGS = 100
"""Warnings in one answer."""
MAX_HISTORY_ROWS = 10_000
"""Rows of one history; about ten times the longest history of the real data."""
MAX_NAME_LENGTH = 50
"""Characters of a column or category of the request that an answer repeats."""


class FieldWarning(BaseModel):
    """Part of a request that was not understood, or is missing, and how it was scored nevertheless."""

    kind: Literal[
        "unknown_column",
        "unknown_category",
        "implausible_value",
        "taken_as_missing",
        "other_currency",
        "missing_link",
        "missing_field",
    ]
    field: str = Field(examples=["application.NAME_INCOME_TYPE"])
    message: Wording


def _field(column: Column) -> Any:
    extra: dict[str, Any] = {"unit": column.unit} if column.unit else {}
    kind: Any = float
    if column.kind == "category":
        kind, extra["examples"] = Annotated[str, Field(strict=True)], list(column.categories)
        labels = CATEGORY_LABELS.get(column.name, {})
        if labels.keys() >= set(column.categories):
            words = ((category, labels[category]) for category in column.categories)
            extra["labels"] = {category: {"en": en, "fr": fr} for category, (en, fr) in words}
    else:
        bounds: dict[str, Any] = {"strict": True, "allow_inf_nan": False, "ge": column.minimum, "le": column.maximum}
        if column.kind == "number":
            kind = Annotated[float, Field(**bounds)]
        else:
            extra["type"] = "integer"
            # 3.0 is whole, but 2.9999999999999996 is not; `multiple_of=1` would let it pass, to be truncated to 2.
            whole: list[CoreSchema] = [core_schema.float_schema(**bounds), core_schema.int_schema()]
            if (latest := column.maximum_beside_codes) is not None:
                check = partial(_not_beyond, column)
                whole[-1] = core_schema.no_info_after_validator_function(check, whole[-1])
                extra["not"] = {"exclusiveMinimum": latest, "exclusiveMaximum": column.maximum}
            kind = Annotated[int, GetPydanticSchema(lambda *_: core_schema.chain_schema(whole))]
    kind = Annotated[kind, Field(description=column.description, json_schema_extra=extra)]
    return kind if column.required else NotRequired[kind | None]


def _not_beyond(column: Column, value: int) -> int:
    """Refuse a value above `maximum_beside_codes` that is no code for unknown."""
    if value > (column.maximum_beside_codes or 0) and value not in column.missing_codes:
        raise PydanticKnownError("less_than_equal", {"le": column.maximum_beside_codes})
    return value


def _row_type(table: Table) -> Any:
    fields = {column.name: _field(column) for column in table}
    unknown = Annotated[Any, AfterValidator(finite)]
    row = TypedDict(f"{table.name}_row", fields, extra_items=unknown)  # type: ignore[misc]
    row.__doc__ = table.description
    return with_config(ConfigDict(extra="allow"))(row)


def _row(table: str) -> Any:
    """Return the annotation that has pydantic validate a dict as a row of the table."""
    row_type = _row_type(TABLES[table])
    return GetPydanticSchema(lambda _, handler: handler.generate_schema(row_type))


_Rows: Any = Field(default=[], max_length=MAX_HISTORY_ROWS)


class CreditFile(Received):
    """One loan application in raw columns, and the client's history in six other tables.

    Columns that are left out count as unknown, tables that are left out as empty.
    """

    application: Annotated[dict[str, Any], _row("application")]
    bureau: Annotated[list[Annotated[dict[str, Any], _row("bureau")]], _Rows]
    bureau_balance: Annotated[list[Annotated[dict[str, Any], _row("bureau_balance")]], _Rows]
    previous_application: Annotated[list[Annotated[dict[str, Any], _row("previous_application")]], _Rows]
    POS_CASH_balance: Annotated[list[Annotated[dict[str, Any], _row("POS_CASH_balance")]], _Rows]
    installments_payments: Annotated[list[Annotated[dict[str, Any], _row("installments_payments")]], _Rows]
    credit_card_balance: Annotated[list[Annotated[dict[str, Any], _row("credit_card_balance")]], _Rows]

    @model_validator(mode="after")
    def _rows_belong_to_the_client(self) -> Self:
        client = self.application["SK_ID_CURR"]
        errors = [
            InitErrorDetails(
                type=PydanticCustomError("other_client", "Row belongs to another client than the application"),
                loc=(name, number, "SK_ID_CURR"),
                input=None,
            )
            for name in HISTORIES
            for number, row in enumerate(getattr(self, name))
            if row.get("SK_ID_CURR", client) not in (client, None)
        ]
        if errors:
            raise ValidationError.from_exception_data("CreditFile", errors, hide_input=True)
        return self

    @model_validator(mode="after")
    def _rows_have_different_keys(self) -> Self:
        errors = [
            InitErrorDetails(
                type=PydanticCustomError(
                    "repeated_row", "An earlier row has the same {key}", {"key": " and ".join(key)}
                ),
                loc=(name, number, key[-1]),
                input=None,
            )
            for name, key in _KEYS.items()
            for number in _repeated_rows(getattr(self, name), key)
        ]
        if errors:
            raise ValidationError.from_exception_data("CreditFile", errors, hide_input=True)
        return self


_KEYS = {name: TABLES[name].key for name in HISTORIES if TABLES[name].key}


def _repeated_rows(rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]) -> list[int]:
    """Return the numbers of the rows whose key, all of it known, is that of an earlier row."""
    keys = [*zip(*([row.get(part) for row in rows] for part in key), strict=True)]
    if len(set(keys)) == len(keys):
        return []
    first: dict[tuple[Any, ...], int] = {}
    return [number for number, key in enumerate(keys) if first.setdefault(key, number) != number and None not in key]


def frames(
    credit_files: Sequence[CreditFile], columns: Mapping[str, Sequence[str]] | None = None
) -> dict[str, pl.DataFrame]:
    """Return the credit files of different clients as one frame for each table, with some `columns` of it or all.

    History rows without SK_ID_CURR get that of their application.
    """
    rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in TABLES}
    owners: dict[str, list[float]] = {name: [] for name in HISTORIES}
    for credit_file in credit_files:
        rows[APPLICATION.name].append(credit_file.application)
        for name in HISTORIES:
            history = getattr(credit_file, name)
            rows[name] += history
            owners[name] += [credit_file.application["SK_ID_CURR"]] * len(history)
    schemas = _SCHEMAS if columns is None else {name: _schema(name, tuple(columns[name])) for name in TABLES}
    return {name: _frame(schema, rows[name], owners.get(name)) for name, schema in schemas.items()}


def warnings(credit_file: CreditFile) -> list[FieldWarning]:
    """Return warnings of unknown columns and categories, values taken as missing, and missing links, each once."""
    unique: dict[tuple[str, str], FieldWarning] = {}
    for kind, field, en, fr in _oddities(credit_file):
        unique.setdefault((field, en), FieldWarning(kind=kind, field=field, message=Wording(en=en, fr=fr)))
        if len(unique) == MAX_WARNINGS:
            break
    return list(unique.values())


_SCHEMAS = {name: pl.Schema(table.schema) for name, table in TABLES.items()}


@cache
def _schema(table: str, columns: tuple[str, ...]) -> pl.Schema:
    return pl.Schema({name: _SCHEMAS[table][name] for name in columns})


def _frame(schema: pl.Schema, rows: Sequence[Mapping[str, Any]], owners: list[float] | None) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=schema)
    frame = pl.from_dicts(rows, schema=schema, strict=False)  # three times as fast as lists of values
    if owners is not None and "SK_ID_CURR" in schema:
        clients = pl.Series("SK_ID_CURR", owners, schema["SK_ID_CURR"], strict=False)
        frame.replace_column(frame.get_column_index("SK_ID_CURR"), clients)
    return frame


_COLUMNS = {name: {column.name for column in table} for name, table in TABLES.items()}
_CATEGORIES = {
    name: {column.name: frozenset({*column.categories, None}) for column in table if column.kind == "category"}
    for name, table in TABLES.items()
}
"""By table and column, the declared categories, and None for an unknown one."""
_OTHER_CURRENCIES = _CATEGORIES["bureau"]["CREDIT_CURRENCY"] - {CURRENCY, None}


def _oddities(credit_file: CreditFile) -> Iterator[tuple[Any, str, str, str]]:
    for name in TABLES:
        content = getattr(credit_file, name)
        rows = [content] if name == APPLICATION.name else content
        if not rows:
            continue
        for column in sorted(set[str]().union(*rows) - _COLUMNS[name]):
            field = f"{name}.{column[:MAX_NAME_LENGTH]}"
            yield "unknown_column", field, "unknown column, ignored", "colonne inconnue, ignorée"
        for column, categories in _CATEGORIES[name].items():
            for value in sorted({row.get(column) for row in rows} - categories):
                word = repr(value[:MAX_NAME_LENGTH])
                yield (
                    "unknown_category",
                    f"{name}.{column}",
                    f"unknown category {word}, taken as missing",
                    f"catégorie inconnue {word}, traitée comme manquante",
                )
        for kind, column, en, fr in anomalies(name, rows):
            yield kind, f"{name}.{column}", en, fr
    if any(row.get("CREDIT_CURRENCY") in _OTHER_CURRENCIES for row in credit_file.bureau):
        yield (
            "other_currency",
            "bureau.CREDIT_CURRENCY",
            "amounts of credits in another currency, taken as unknown",
            "montants des crédits dans une autre devise, traités comme inconnus",
        )
    credits = {row.get("SK_ID_BUREAU") for row in credit_file.bureau}
    if any(row.get("SK_ID_BUREAU") not in credits for row in credit_file.bureau_balance):
        yield (
            "missing_link",
            "bureau_balance.SK_ID_BUREAU",
            "months of a credit that bureau does not hold, ignored",
            "mois d'un crédit absent de bureau, ignorés",
        )
