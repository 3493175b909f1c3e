"""The credit file: the model of a request, derived from the declared tables, and its frames."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, ValidationError, model_validator, with_config
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema
from typing_extensions import TypedDict

from bento.data.tables import APPLICATION, CURRENCY, HISTORIES, TABLES, Column, Table
from bento.i18n import Wording

MAX_WARNINGS = 50
"""Warnings in one answer."""
MAX_HISTORY_ROWS = 10_000
"""Rows of one history; about ten times the longest history of the real data."""
MAX_NAME_LENGTH = 50
"""Characters of a column or category of the request that an answer repeats."""
MAX_LISTED_ERRORS = 1000
"""Errors of one request that are listed: to list a hundred thousand takes seconds and much memory."""


class FieldWarning(BaseModel):
    """Part of a request that was not understood, and how it was scored nevertheless."""

    kind: Literal["unknown_column", "unknown_category", "missing_link", "other_currency"]
    field: str = Field(examples=["application.NAME_INCOME_TYPE"])
    message: Wording


class Received(BaseModel):
    """A request: unknown fields are errors, and at most `MAX_LISTED_ERRORS` errors are listed."""

    # Rejected values are personal data: they must not reach a log or an error text.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **settings: Any) -> Self:
        """Validate JSON; more than `MAX_LISTED_ERRORS` errors become a single one."""
        try:
            return super().model_validate_json(json_data, **settings)
        except ValidationError as error:
            raise _bounded(error) from None

    @classmethod
    def model_validate(cls, obj: Any, **settings: Any) -> Self:
        """Validate a Python object; more than `MAX_LISTED_ERRORS` errors become a single one."""
        if isinstance(obj, dict) and len(obj) > MAX_LISTED_ERRORS:  # without an error object for each of them
            raise _too_many(cls.__name__)
        try:
            return super().model_validate(obj, **settings)
        except ValidationError as error:
            raise _bounded(error) from None


def _bounded(error: ValidationError) -> ValidationError:
    return error if error.error_count() <= MAX_LISTED_ERRORS else _too_many(error.title)


def _too_many(title: str) -> ValidationError:
    message = f"More than {MAX_LISTED_ERRORS} fields are missing or wrong"
    error = InitErrorDetails(type=PydanticCustomError("too_many_faults", message), loc=(), input=None)
    return ValidationError.from_exception_data(title, [error], hide_input=True)


def _field(column: Column) -> Any:
    extra: dict[str, Any] = {"unit": column.unit} if column.unit else {}
    kind: Any = float
    if column.kind == "category":
        kind, extra["examples"] = Annotated[str, Field(strict=True)], list(column.categories)
    else:
        bounds: dict[str, Any] = {"strict": True, "allow_inf_nan": False, "ge": column.minimum, "le": column.maximum}
        if column.kind == "number":
            kind = Annotated[float, Field(**bounds)]
        else:
            extra["type"] = "integer"
            # 3.0 is whole, but 2.9999999999999996 is not; `multiple_of=1` would let it pass, to be truncated to 2.
            whole: list[CoreSchema] = [core_schema.float_schema(**bounds), core_schema.int_schema()]
            kind = Annotated[int, GetPydanticSchema(lambda *_: core_schema.chain_schema(whole))]
    kind = Annotated[kind, Field(description=column.description, json_schema_extra=extra)]
    return kind if column.required else NotRequired[kind | None]


def _row_type(table: Table) -> Any:
    row = TypedDict(f"{table.name}_row", {column.name: _field(column) for column in table})  # type: ignore[misc]
    row.__doc__ = table.description
    return with_config(ConfigDict(extra="allow"))(row)


def _row(table: str) -> Any:
    """Return the annotation that has pydantic validate a dict as a row of the table."""
    row_type = _row_type(TABLES[table])
    return GetPydanticSchema(lambda _, handler: handler.generate_schema(row_type))


_Rows = Field(max_length=MAX_HISTORY_ROWS)


class CreditFile(Received):
    """One loan application in raw columns, and the client's history in six other tables.

    Columns that are left out count as unknown, tables that are left out as empty.
    """

    application: Annotated[dict[str, Any], _row("application")]
    bureau: Annotated[list[Annotated[dict[str, Any], _row("bureau")]], _Rows] = []
    bureau_balance: Annotated[list[Annotated[dict[str, Any], _row("bureau_balance")]], _Rows] = []
    previous_application: Annotated[list[Annotated[dict[str, Any], _row("previous_application")]], _Rows] = []
    POS_CASH_balance: Annotated[list[Annotated[dict[str, Any], _row("POS_CASH_balance")]], _Rows] = []
    installments_payments: Annotated[list[Annotated[dict[str, Any], _row("installments_payments")]], _Rows] = []
    credit_card_balance: Annotated[list[Annotated[dict[str, Any], _row("credit_card_balance")]], _Rows] = []

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
    """Return warnings of unknown columns and categories, other currencies and missing links, each once."""
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
    name: {column.name: frozenset(column.categories) for column in table if column.kind == "category"}
    for name, table in TABLES.items()
}


def _oddities(credit_file: CreditFile) -> Iterator[tuple[Any, str, str, str]]:
    for name in TABLES:
        content = getattr(credit_file, name)
        rows = [content] if name == APPLICATION.name else content
        for column in sorted(set[str]().union(*rows) - _COLUMNS[name]):
            field = f"{name}.{column[:MAX_NAME_LENGTH]}"
            yield "unknown_column", field, "unknown column, ignored", "colonne inconnue, ignorée"
        for column, categories in _CATEGORIES[name].items():
            for value in sorted({row.get(column) for row in rows} - categories - {None}):
                word = repr(value[:MAX_NAME_LENGTH])
                yield (
                    "unknown_category",
                    f"{name}.{column}",
                    f"unknown category {word}, taken as missing",
                    f"catégorie inconnue {word}, traitée comme manquante",
                )
    others = _CATEGORIES["bureau"]["CREDIT_CURRENCY"] - {CURRENCY}
    if any(row.get("CREDIT_CURRENCY") in others for row in credit_file.bureau):
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
