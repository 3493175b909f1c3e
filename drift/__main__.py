"""Run one command of drift: `python -m drift COMMAND`; `--help` lists them."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from bento import FAULT, INTERRUPTED, CorrectableError, os_fault
from bento.data.files import DataError
from drift import performance, report, runs_list, watch

COMMANDS: dict[str, Any] = {"report": report, "performance": performance, "watch": watch, "list": runs_list}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 2 for an error that the user can correct (one line)."""
    parser = argparse.ArgumentParser(prog="python -m drift", description="Detect changes in the population.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        description = module.__doc__ or name
        command = commands.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
    options = parser.parse_args(arguments)
    try:
        code: int = COMMANDS[options.command].run(options)
        return code
    except (DataError, CorrectableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAULT
    except OSError as error:
        print(f"error: {os_fault(error)}", file=sys.stderr)
        return FAULT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
