"""What every command shares: options, error messages of one line, exit codes that mean something."""

import argparse
import contextlib
import fcntl
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from bento import FAULT, INTERRUPTED, CorrectableError, os_fault
from bento.addresses import without_secrets
from bento.data.files import DataError

ROOT = Path(__file__).resolve().parents[1]
SERVING_PYTHON = ROOT / ".venv-serve" / "bin" / "python"
"""Interpreter of the environment that holds only what the container holds."""

NO_TELEMETRY = {"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


LIBRARY_FAULTS = {
    "mlflow.exceptions": (
        "MlflowException",
        "MLflow failed ({reason}); see that MLFLOW_TRACKING_URI names a store that answers and may be written, and "
        "that no other program holds it, then run this again",
    ),
    "sqlalchemy.exc": (
        "SQLAlchemyError",
        "the database of MLflow failed ({reason}); see that the one in MLFLOW_TRACKING_URI answers and may be written, "
        "then run this again",
    ),
    "bentoml.exceptions": (
        "BentoMLException",
        "BentoML failed ({reason}); see that BENTOML_HOME, by default ~/bentoml, is a store that may be written, then "
        "run this again",
    ),
    "botocore.client": (
        "ClientError",
        "AWS refused ({reason}); grant the right or mend what it names, then run this again",
    ),
    "botocore.exceptions": (
        "BotoCoreError",
        "AWS cannot be asked ({reason}); see that credentials are set (aws sts get-caller-identity) and the region is "
        "right, then run this again",
    ),
}
"""By module, the exception of a library that the user can correct, and the message."""


class CommandError(CorrectableError):
    """An error that the user can correct; its message of one line says how."""


def shown(path: Path) -> Path:
    """Return a path as it is printed: relative to the root of the project where it is inside.

    >>> shown(ROOT / "data" / "raw"), shown(Path("/etc"))
    (PosixPath('data/raw'), PosixPath('/etc'))
    """
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def last_line(output: str, default: str) -> str:
    r"""Return the last line of a program's output, or `default` where the program printed nothing.

    >>> last_line("Traceback\nValueError: too small\n", "no message"), last_line("", "no message")
    ('ValueError: too small', 'no message')
    """
    return (output.strip().splitlines() or [default])[-1]


_NO_REASON = "(raised as a result of Query-invoked autoflush"
"""Begin of a line that SQLAlchemy writes before the reason."""


def first_line(error: Exception) -> str:
    r"""Return the first line of an error's message, or its class where it has none.

    >>> first_line(ValueError("too small\n[SQL: …]")), first_line(ValueError())
    ('too small', 'ValueError')
    """
    lines = [line for line in str(error).strip().splitlines() if not line.startswith(_NO_REASON)]
    return (lines or [type(error).__name__])[0]


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of each option that has one; a path is described in words."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        hidden = action.default is None or isinstance(action.default, Path)
        return action.help if hidden else super()._get_help_string(action)


def parser(description: str, example: str, program: str | None = None) -> argparse.ArgumentParser:
    """Return an argument parser whose help ends with an example."""
    return argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=f"example: {example}",
        formatter_class=HelpFormatter,
    )


def user_path(text: str) -> Path:
    """Return the path that an option names; `~` is the user's home, also where no shell has replaced it."""
    return Path(text).expanduser()


def add_data_option(arguments: argparse.ArgumentParser) -> None:
    """Add `--data DIR`, the same for every command that reads data."""
    arguments.add_argument(
        "--data",
        type=user_path,
        default=None,
        metavar="DIR",
        help="folder with the eight files as Kaggle names them, CSV (also zipped) or Parquet; "
        "without it data/raw where the real files are, else synthetic data made on the spot",
    )


@contextlib.contextmanager
def exclusive(lock: Path, activity: str) -> Iterator[None]:
    """Let one process at a time do an activity: it holds a lock file, for which others wait, and print that they do."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process that {activity} ({shown(lock)})", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def library_faults() -> dict[type[Exception], str]:
    """Return class and message of `LIBRARY_FAULTS`, for the modules that are imported: others cannot have raised."""
    return {
        getattr(sys.modules[module], name): message
        for module, (name, message) in LIBRARY_FAULTS.items()
        if module in sys.modules
    }


def correctable() -> tuple[type[Exception], ...]:
    """Return the classes of all errors that the user can correct."""
    return CorrectableError, DataError, OSError, *library_faults()


def described(error: Exception) -> str:
    """Return an error that the user can correct as one line that says how."""
    if isinstance(error, OSError):
        return os_fault(error)
    for kind, message in library_faults().items():
        if isinstance(error, kind):
            return message.format(reason=first_line(error))
    return str(error)


def run(command: Callable[[], int | None]) -> NoReturn:
    """Run a command and exit: 0 done, 2 for an error that the user can correct (one line), 130 when interrupted."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("bento").setLevel(logging.INFO)
    logging.getLogger("research").setLevel(logging.INFO)
    os.environ.update(NO_TELEMETRY)
    try:
        code = command()
    except correctable() as error:
        print(f"error: {without_secrets(described(error))}", file=sys.stderr)
        code = error.exit_code if isinstance(error, CorrectableError) else FAULT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
