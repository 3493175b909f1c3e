"""Form of the log: one JSON object a line, or text; every line of a request has its id."""

import logging
import os
from contextvars import ContextVar
from typing import Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from bento.settings import LOG_FORMAT_VARIABLE

LogFormat = Literal["json", "text"]

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request in work."""

_HANDLER = "tracehandler"
"""Name of the handlers that BentoML gives the loggers of a serving process."""
_LOGGERS = ("bentoml", "uvicorn.error", "circus")
_OF_BENTOML = ("component", "levelname_bracketed", "service_name", "trace_msg")
"""What BentoML adds to a record for its own format."""
_TEXT = "%(asctime)s [%(levelname)s] %(message)s"


class _RequestId(logging.Filter):
    """Add the id of the request to a record, unless the record names one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete the record, and always let it pass."""
        if not hasattr(record, "request_id") and (request_id := REQUEST_ID.get()) is not None:
            record.request_id = request_id
        return True


class _Text(logging.Formatter):
    """The message, with the id of its request behind it; a line break in the message cannot begin a line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in logging
        """Return the line before a traceback."""
        record.message = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in record.message)
        request_id = getattr(record, "request_id", None)
        return super().formatMessage(record) + ("" if request_id is None else f" request_id={request_id}")


def install() -> None:
    """Give the log the form that the environment names, at import, so that BentoML's lines about the start have it."""
    configure("json" if os.environ.get(LOG_FORMAT_VARIABLE) == "json" else "text")  # `Settings` refuses another value


def configure(log_format: LogFormat) -> None:
    """Have a serving process log in a format; without effect where BentoML has not set up its handlers."""
    formatter = _json() if log_format == "json" else _Text(_TEXT, "%Y-%m-%dT%H:%M:%S%z")
    for logger in (logging.getLogger(), *map(logging.getLogger, _LOGGERS)):
        for handler in logger.handlers:
            if handler.name == _HANDLER:
                handler.setFormatter(formatter)
                handler.filters = [_RequestId()]
                logger.propagate = False  # BentoML would print some lines twice, by this handler and by the root's


def _json() -> JsonFormatter:
    return JsonFormatter(
        ["levelname", "name", "message"],
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        reserved_attrs=[*RESERVED_ATTRS, *_OF_BENTOML],
    )
