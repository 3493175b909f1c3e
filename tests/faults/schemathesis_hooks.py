"""Make generated requests keep two rules that a schema cannot state: rows are of the client and have different keys."""

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Leave the client out of the rows of a history, which then belong to that of the file, and repeated ids."""
    body = case.body
    if not isinstance(body, dict):
        return
    batch = body.get("credit_files")
    for file in [body, *(batch if isinstance(batch, list) else ())]:
        histories = file.values() if isinstance(file, dict) else ()
        for rows in [rows for rows in histories if isinstance(rows, list)]:
            _leave_out_ids([row for row in rows if isinstance(row, dict)])


def _leave_out_ids(rows: list[dict[str, Any]]) -> None:
    earlier: set[tuple[str, float]] = set()
    for row in rows:
        for name in ("SK_ID_CURR", "SK_ID_BUREAU", "SK_ID_PREV"):
            value = row.get(name)
            if not _is_id(value):
                continue
            if name == "SK_ID_CURR" or (name, value) in earlier:
                del row[name]
            else:
                earlier.add((name, value))


def _is_id(value: Any) -> bool:
    """Return whether the schema allows a value as an id; wrong values stay in the request."""
    return isinstance(value, int | float) and 0 < value < 2**53 and value == int(value)
