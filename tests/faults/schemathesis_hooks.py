"""Make generated requests keep a rule that a schema cannot state: the rows of a file belong to its client."""

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Leave the client out of the rows of a history: they then belong to the client of the file."""
    body = case.body
    if not isinstance(body, dict):
        return
    batch = body.get("credit_files")
    for file in [body, *(batch if isinstance(batch, list) else ())]:
        histories = file.values() if isinstance(file, dict) else ()
        for row in [row for rows in histories if isinstance(rows, list) for row in rows]:
            if isinstance(row, dict) and _is_id(row.get("SK_ID_CURR")):
                del row["SK_ID_CURR"]


def _is_id(value: object) -> bool:
    """Return whether the schema allows a value as an id; wrong values stay in the request."""
    return isinstance(value, int | float) and 0 < value < 2**53 and value == int(value)
