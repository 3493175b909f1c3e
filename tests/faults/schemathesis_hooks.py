"""Make generated requests keep rules that a schema cannot state: on keys, on owners of rows, and on ages."""

from typing import Any

import schemathesis

AGE_IN_DAYS = 14_600
"""Of a client whom the rules accept."""
DATES = ("DAYS_EMPLOYED", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "DAYS_LAST_PHONE_CHANGE")
"""Dates of the application that cannot lie before the birth."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Leave the client out of the rows of a history, and repeated ids, and bring valid dates into an order."""
    body = case.body
    if not isinstance(body, dict):
        return
    batch = body.get("credit_files")
    for file in [body, *(batch if isinstance(batch, list) else ())]:
        histories = file.values() if isinstance(file, dict) else ()
        for rows in [rows for rows in histories if isinstance(rows, list)]:
            _leave_out_ids([row for row in rows if isinstance(row, dict)])
        application = file.get("application") if isinstance(file, dict) else None
        if isinstance(application, dict):
            _order_dates(application)


def _leave_out_ids(rows: list[dict[str, Any]]) -> None:
    earlier: set[tuple[str, float]] = set()
    for row in rows:
        for name in ("SK_ID_CURR", "SK_ID_BUREAU", "SK_ID_PREV"):
            value = row.get(name)
            if not _is_whole(value, 1, 2**53 - 1):
                continue
            if name == "SK_ID_CURR" or (name, value) in earlier:
                del row[name]
            else:
                earlier.add((name, value))


def _order_dates(application: dict[str, Any]) -> None:
    if _is_whole(application.get("DAYS_BIRTH"), -40_178, -1):
        application["DAYS_BIRTH"] = -AGE_IN_DAYS
    for name in DATES:
        if _is_whole(application.get(name), -30_000 if name == "DAYS_EMPLOYED" else -40_178, -AGE_IN_DAYS - 1):
            application[name] = -AGE_IN_DAYS


def _is_whole(value: object, low: int, high: int) -> bool:
    """Return whether the schema allows a value, up to a bound; wrong values stay in the request."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and value == int(value)
    )
