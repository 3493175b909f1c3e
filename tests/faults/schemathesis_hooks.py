"""Make generated requests keep rules that a schema cannot state: rows belong to their client, who is an adult."""

from typing import Any

import schemathesis

AGE_IN_DAYS = 14_600
"""Of a client whom the rules accept."""
DATES = ("DAYS_EMPLOYED", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "DAYS_LAST_PHONE_CHANGE")
"""Dates of the application that cannot lie before the birth."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Leave the client out of the rows of a history, and bring valid dates of the application into an order."""
    body = case.body
    if not isinstance(body, dict):
        return
    batch = body.get("credit_files")
    for file in [body, *(batch if isinstance(batch, list) else ())]:
        histories = file.values() if isinstance(file, dict) else ()
        for row in [row for rows in histories if isinstance(rows, list) for row in rows]:
            if isinstance(row, dict) and _is_whole(row.get("SK_ID_CURR"), 1, 2**53 - 1):
                del row["SK_ID_CURR"]
        application = file.get("application") if isinstance(file, dict) else None
        if isinstance(application, dict):
            _order_dates(application)


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
