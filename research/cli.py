"""What every command shares: help that teaches, faults in one line, exit codes that mean something."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bento.data.readers import DataError
from bento.model.scoring_model import ModelError

ROOT = Path(__file__).resolve().parents[1]
SERVING_PYTHON = ROOT / ".venv-serve" / "bin" / "python"
"""Of the environment that holds only what the container holds."""

FAULT = 2
"""Exit code where the user can put it right: input, registry, port."""
INTERRUPTED = 130

NO_TELEMETRY = {"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


class CommandError(RuntimeError):
    """Something the user can put right; the message says what, in one line."""


def shown(path: Path) -> Path:
    """A path as it is printed: from the root of the project, where it lies within."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """An argument parser whose help ends with an example."""
    return argparse.ArgumentParser(
        description=description, epilog=f"example: {example}", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )


def add_data_option(arguments: argparse.ArgumentParser) -> None:
    """`--data DIR`, the same for every command that reads data."""
    arguments.add_argument(
        "--data",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder with the eight files as Kaggle names them, CSV or Parquet; "
        "without it data/raw where the real files are, else synthetic data made on the spot",
    )


def run(main: Callable[[], int | None]) -> None:
    """Run a command and exit: 0 done, 2 for a fault the user can put right (one line), 130 when interrupted."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("bento").setLevel(logging.INFO)
    logging.getLogger("research").setLevel(logging.INFO)
    os.environ.update(NO_TELEMETRY)
    try:
        code = main()
    except (CommandError, DataError, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        code = FAULT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
