"""The commands of the service: `python -m bento --help`."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from bento import FAULT, INTERRUPTED, CorrectableError, os_fault
from bento.addresses import without_secrets
from bento.settings import Settings

COMMANDS = {
    "serve": ("bento.serve", "start the service of a built Bento on this machine", "python -m bento serve --port 3000"),
    "keys": (
        "bento.api.key_commands",
        "make, list and revoke API keys",
        "python -m bento keys new-key --scope score --scope read --note 'loan officers'",
    ),
    "journal": (
        "bento.journal.commands",
        "upgrade, back up, verify, replay or purge the journal of decisions; JOURNAL_URL says where it is, "
        "SCORING_MASTER_KEY_FILE what decrypts it",
        "python -m bento journal replay --random 1000",
    ),
    "verify": (
        "bento.model.verify",
        "load a model folder and recompute its examples: 0 when it answers them, 2 when it does not",
        "python -m bento verify results/model",
    ),
    "portfolio": (
        "bento.portfolio.commands",
        "decide on every client of a folder of tables, or write their features; a run that stopped is resumed",
        "python -m bento portfolio score --data data/raw --out data/scored",
    ),
    "features": (
        "bento.features.listing",
        "list every feature: name, source table, concept group, unit, direction the business expects (+1: a higher "
        "value means more risk), whether a model may be held to it, whether it uses the date of birth, meaning",
        "python -m bento features --format csv > features.csv",
    ),
    "wording": (
        "bento.scoring.wording.listing",
        "list every sentence for clients and officers in both languages: reasons, facts, rules, other loans, warnings",
        "python -m bento wording > docs/wording.md",
    ),
}
"""For each command its module, which declares the arguments and what runs, its description and an example."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: 0 done, 2 an error that the user can correct (in one line), 130 interrupted.

    `journal replay` also ends with 1, where a decision comes out differently. A reader of the output that stops early
    is no error.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parser(arguments[0] if arguments else None).parse_args(arguments)
        code = int(options.run(options, Settings.read()))
        sys.stdout.flush()  # what cannot be written is noticed here, not after the end of this function
        return code
    except BrokenPipeError:
        # The reader, such as head, stopped early. Python would try to write the rest again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CorrectableError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {os_fault(error)}", file=sys.stderr)
        return FAULT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Repeats no secret of an argument that it refuses."""

    def error(self, message: str) -> NoReturn:
        super().error(without_secrets(message))


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser of all commands; only the module of the chosen one is imported, as a start must be quick."""
    parser = _Parser(
        prog="python -m bento",
        description="The credit scoring service and its journal. Each command has a --help.",
        epilog=f"example: {COMMANDS['serve'][2]}",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, description, example) in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description, epilog=f"example: {example}")
        if name == chosen:
            importlib.import_module(module).add_arguments(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
