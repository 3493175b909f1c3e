"""What every command shares: options, error messages of one line, exit codes that mean something."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from bento import FAULT, INTERRUPTED, CorrectableError
from bento.addresses import without_secrets
from bento.data.files import DataError
from bento.model.scoring_model import ModelError

ROOT = Path(__file__).resolve().parents[1]
SERVING_PYTHON = ROOT / ".venv-serve" / "bin" / "python"
"""Interpreter of the environment that holds only what the container holds."""

NO_TELEMETRY = {"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


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


def add_data_option(arguments: argparse.ArgumentParser) -> None:
    """Add `--data DIR`, the same for every command that reads data."""
    arguments.add_argument(
        "--data",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder with the eight files as Kaggle names them, CSV (also zipped) or Parquet; "
        "without it data/raw where the real files are, else synthetic data made on the spot",
    )


def run(command: Callable[[], int | None]) -> NoReturn:
    """Run a command and exit: 0 done, 2 for an error that the user can correct (one line), 130 when interrupted."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("bento").setLevel(logging.INFO)
    logging.getLogger("research").setLevel(logging.INFO)
    os.environ.update(NO_TELEMETRY)
    try:
        code = command()
    except (CommandError, DataError, ModelError) as error:
        print(f"error: {without_secrets(str(error))}", file=sys.stderr)
        code = FAULT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
