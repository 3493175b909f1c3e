"""Log filter for rejected requests: field names and error types are logged, values never."""

import logging
import traceback

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bento.api.problems import REQUEST_MODEL_SUFFIX

MAX_LOGGED_FIELDS = 20
REQUEST_ERRORS = ("bentoml._internal.server.http_app", "uvicorn.error")
"""Where BentoML and uvicorn report a request that failed: as an error, with a traceback and the rejected values."""


class _RejectedFields(logging.Filter):
    """Replace a validation error and its traceback by the paths and types of its faults.

    An error of the request becomes INFO. One of any other model is a fault of the service: it stays an error, with the
    place in the code. Records of other exceptions stay as they are.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record, and always let it pass."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, ValidationError):
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            fields = [f"{'.'.join(map(str, _declared(fault))) or 'body'} ({fault['type']})" for fault in faults]
            summary = ", ".join(fields[:MAX_LOGGED_FIELDS])
            if len(fields) > MAX_LOGGED_FIELDS:
                summary += f" and {len(fields) - MAX_LOGGED_FIELDS} more"
            record.exc_info = record.exc_text = None
            if error.title.endswith(REQUEST_MODEL_SUFFIX):
                record.msg, record.args = "rejected: %s", (summary,)
                record.levelno, record.levelname = logging.INFO, "INFO"
            else:
                where = "".join(traceback.format_tb(error.__traceback__))
                record.msg, record.args = "the service failed, %s does not fit: %s\n%s", (error.title, summary, where)
        return True


def _declared(fault: ErrorDetails) -> tuple[str | int, ...]:
    """Return the path of a fault, without the name of an unknown field, which the sender chose."""
    return fault["loc"][:-1] if fault["type"] == "extra_forbidden" else fault["loc"]


def keep_personal_data_out() -> None:
    """Install the filter, unless it is there."""
    for logger in map(logging.getLogger, REQUEST_ERRORS):
        if not any(isinstance(present, _RejectedFields) for present in logger.filters):
            logger.addFilter(_RejectedFields())
