"""What the service logs of rejected requests: which fields, never their values."""

import logging

from pydantic import ValidationError
from pydantic_core import ErrorDetails

MOST_FIELDS = 20
REQUEST_ERRORS = "bentoml._internal.server.http_app"
"""The logger to which BentoML reports a request that failed: as an error, with a traceback and the rejected values."""


class _RejectedFields(logging.Filter):
    """Of a request that does not fit its model, paths and kinds of fault; whatever else fails stays as it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always let the record pass, shortened."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, ValidationError):
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            fields = [f"{'.'.join(map(str, _declared(fault))) or 'body'} ({fault['type']})" for fault in faults]
            left_out = f" and {len(fields) - MOST_FIELDS} more" if len(fields) > MOST_FIELDS else ""
            record.msg, record.args = "rejected: %s%s", (", ".join(fields[:MOST_FIELDS]), left_out)
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.exc_info = None
        return True


def _declared(fault: ErrorDetails) -> tuple[str | int, ...]:
    """Where a fault is, without the name of an unknown field: that is the sender's own."""
    return fault["loc"][:-1] if fault["type"] == "extra_forbidden" else fault["loc"]


def keep_personal_data_out() -> None:
    """Install the filter; once is enough."""
    logger = logging.getLogger(REQUEST_ERRORS)
    if not any(isinstance(found, _RejectedFields) for found in logger.filters):
        logger.addFilter(_RejectedFields())
