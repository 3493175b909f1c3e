"""The log is one JSON object a line, or text of one line, with the id of the request."""

import io
import json
import logging

import pytest
from bentoml._internal.log import SERVER_LOGGING_CONFIG

from bento.api import log_lines
from bento.api.log_lines import REQUEST_ID, LogFormat, configure

LOG = logging.getLogger("bentoml.test")


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Set up the handlers of a serving process, and return where they write."""
    stream = io.StringIO()
    for name in (None, *SERVER_LOGGING_CONFIG["loggers"]):
        handler = logging.StreamHandler(stream)
        handler.name = "tracehandler"
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "handlers", [handler])
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "level", logging.INFO)
    logging.root.manager._clear_cache()
    return stream


def logged(output: io.StringIO) -> list[str]:
    return output.getvalue().removesuffix("\n").split("\n")


def test_every_handler_of_bentoml_is_configured():
    assert set(SERVER_LOGGING_CONFIG["handlers"]) == {"tracehandler"}
    assert set(SERVER_LOGGING_CONFIG["loggers"]) == set(log_lines._LOGGERS)


def test_json_holds_level_logger_message_and_fields(output: io.StringIO):
    configure("json")

    LOG.info("answered %s", 7, extra={"status": 200})

    (line,) = logged(output)
    content = json.loads(line)
    assert content.pop("time").startswith("20")
    assert content == {"level": "INFO", "logger": "bentoml.test", "message": "answered 7", "status": 200}


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.promise("a line of the log cannot be forged: line breaks and terminal escapes are escaped")
def test_line_breaks_and_escapes_are_escaped(log_format: LogFormat, output: io.StringIO):
    configure(log_format)

    LOG.info("no such path: %s", "x\n2026-01-01 [INFO] forged\r\x1b[31m\u2028")

    (line,) = logged(output)
    assert line.isprintable()
    assert "\\n2026" in line


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_every_line_of_a_request_has_its_id(log_format: LogFormat, output: io.StringIO):
    configure(log_format)
    token = REQUEST_ID.set("the-id")

    LOG.warning("the journal does not answer")
    REQUEST_ID.reset(token)
    LOG.warning("outside of a request")

    within, outside = logged(output)
    assert "the-id" in within
    assert "request_id" not in outside


def test_a_traceback_is_one_json_line(output: io.StringIO):
    configure("json")

    try:
        _ = 1 // 0
    except ZeroDivisionError:
        LOG.exception("failed")

    (line,) = logged(output)
    assert "ZeroDivisionError" in json.loads(line)["exception"]


@pytest.mark.parametrize("name", ["uvicorn.error", "circus", "other"])
def test_a_warning_of_a_library_is_one_line(name: str, output: io.StringIO):
    configure("json")

    logging.getLogger(name).warning("careful")

    assert [json.loads(line)["message"] for line in logged(output)] == ["careful"]


def test_handlers_of_another_program_stay():
    before = [(handler, handler.formatter) for handler in logging.getLogger().handlers]

    configure("json")

    assert [(handler, handler.formatter) for handler in logging.getLogger().handlers] == before
