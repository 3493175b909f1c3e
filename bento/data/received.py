"""What every document of a request has in common: repeated keys and numbers beyond all floats are refused."""

import codecs
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from bento.data.json_keys import Place, kept_keys, repeated_keys

MAX_LISTED_ERRORS = 1000
"""Errors of one request that are listed: to list a hundred thousand takes seconds and much memory."""
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BYTE_ORDER_MARK = "the document begins with a byte order mark; send UTF-8 without one"


class Received(BaseModel):
    """A request: unknown fields and repeated keys are errors, and at most `MAX_LISTED_ERRORS` errors are listed."""

    # Rejected values are personal data: they must not reach a log or an error text.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **settings: Any) -> Self:
        """Validate JSON; a key that one of its objects holds twice is an error, as is what pydantic refuses.

        Repeated keys come first: which of two values the other errors are about, the sender could not tell.
        """
        document = json_data.encode(errors="surrogatepass") if isinstance(json_data, str) else bytes(json_data)
        try:
            received, kept = cls._read(document, **settings)
        except ValidationError as error:
            if _is_no_json(error):
                raise (no_json(cls.__name__, _BYTE_ORDER_MARK) if document.startswith(_MARKS) else error) from None
            _refuse_repeated_keys(cls.__name__, document, kept=-1)
            raise _bounded(error) from None
        _refuse_repeated_keys(cls.__name__, document, kept)
        return received

    @classmethod
    def model_validate(cls, obj: Any, **settings: Any) -> Self:
        """Validate a Python object; more than `MAX_LISTED_ERRORS` errors become a single one."""
        if isinstance(obj, dict) and len(obj) > MAX_LISTED_ERRORS:  # without an error object for each of them
            raise _too_many(cls.__name__)
        try:
            return super().model_validate(obj, **settings)
        except ValidationError as error:
            raise _bounded(error) from None

    @classmethod
    def _read(cls, document: bytes, **settings: Any) -> tuple[Self, int]:
        """Return the validated document, and the number of its keys that the parser kept (`kept_keys`)."""
        received = super().model_validate_json(document, **settings)
        return received, kept_keys({name: getattr(received, name) for name in received.model_fields_set}, levels=2)


def no_json(title: str, reason: str) -> ValidationError:
    """Return the error of a document that is no JSON."""
    fault = InitErrorDetails(type="json_invalid", loc=(), input=None, ctx={"error": reason})
    return ValidationError.from_exception_data(title, [fault], hide_input=True)


def finite(value: Any) -> Any:
    """Refuse NaN and numbers beyond all floats in an unknown column, however deep: neither is JSON."""
    errors = [
        InitErrorDetails(type="finite_number", loc=path, input=None)
        for path in islice(_not_finite(value), MAX_LISTED_ERRORS + 1)
    ]
    if errors:
        raise ValidationError.from_exception_data("value", errors, hide_input=True)
    return value


def _is_no_json(error: ValidationError) -> bool:
    return error.error_count() == 1 and error.errors(include_url=False)[0]["type"] == "json_invalid"


def _refuse_repeated_keys(title: str, document: bytes, kept: int) -> None:
    paths = list(islice(repeated_keys(document, kept), MAX_LISTED_ERRORS + 1))
    if paths:
        kind = PydanticCustomError("repeated_key", "The object holds this key more than once; keep one of them")
        errors = [InitErrorDetails(type=kind, loc=path, input=None) for path in paths]
        raise _bounded(ValidationError.from_exception_data(title, errors, hide_input=True))


def _bounded(error: ValidationError) -> ValidationError:
    return error if error.error_count() <= MAX_LISTED_ERRORS else _too_many(error.title)


def _too_many(title: str) -> ValidationError:
    message = f"More than {MAX_LISTED_ERRORS} fields are missing or wrong"
    error = InitErrorDetails(type=PydanticCustomError("too_many_faults", message), loc=(), input=None)
    return ValidationError.from_exception_data(title, [error], hide_input=True)


def _not_finite(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _not_finite(item, (*place, key))
