"""What the service logs of rejected requests: which fields, never their values."""

import logging
import traceback

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bento.api.problems import OF_A_REQUEST

MAX_LOGGED_FIELDS = 20
REQUEST_ERRORS = ("bentoml._internal.server.http_app", "uvicorn.error")
"""Where BentoML and uvicorn report a request that failed: as an error, with a traceback and the rejected values."""


class _RejectedFields(logging.Filter):
    """Of what does not fit its model, paths and kinds of fault; whatever else fails stays as it is.

    Where it is not the request that does not fit, the service is at fault, and the log says where.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always let the record pass, shortened."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, ValidationError):
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            fields = [f"{'.'.join(map(str, _declared(fault))) or 'body'} ({fault['type']})" for fault in faults]
            words = ", ".join(fields[:MAX_LOGGED_FIELDS])
            if len(fields) > MAX_LOGGED_FIELDS:
                words += f" and {len(fields) - MAX_LOGGED_FIELDS} more"
            record.exc_info = record.exc_text = None
            if error.title.endswith(OF_A_REQUEST):
                record.msg, record.args = "rejected: %s", (words,)
                record.levelno, record.levelname = logging.INFO, "INFO"
            else:
                where = "".join(traceback.format_tb(error.__traceback__))
                record.msg, record.args = "the service failed, %s does not fit: %s\n%s", (error.title, words, where)
        return True


def _declared(fault: ErrorDetails) -> tuple[str | int, ...]:
    """Where a fault is, without the name of an unknown field: that is the sender's own."""
    return fault["loc"][:-1] if fault["type"] == "extra_forbidden" else fault["loc"]


def keep_personal_data_out() -> None:
    """Install the filter; once is enough."""
    for logger in map(logging.getLogger, REQUEST_ERRORS):
        if not any(isinstance(found, _RejectedFields) for found in logger.filters):
            logger.addFilter(_RejectedFields())
