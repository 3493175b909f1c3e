"""Commands on the file of API keys: `python -m bento keys --help`."""

import argparse
import sys
from pathlib import Path

from bento.api.keys import SCOPES, new_key, read_keys, revoke
from bento.settings import KEYS_FILE_VARIABLE, Settings

MAX_DAYS = 3650
"""Of a key that expires: a longer time is most likely an entry error."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `new-key`, `list` and `revoke`."""
    commands = parser.add_subparsers(dest="keys_command", metavar="COMMAND", required=True)
    for name, run, description in (
        ("new-key", _new_key, "make a key and print it, once; the file keeps its hash"),
        ("list", _list, "list the keys of the file"),
        ("revoke", _revoke, "remove a key from the file; a running service notices"),
    ):
        command = commands.add_parser(name, help=description, description=description)
        command.set_defaults(run=run)
        command.add_argument(
            "--file", type=Path, help=f"by default the one that {KEYS_FILE_VARIABLE} names, otherwise keys.json"
        )
        if name == "new-key":
            command.add_argument("--scope", action="append", choices=SCOPES, required=True, help="may be repeated")
            command.add_argument("--note", default="", help="whose key it is")
            command.add_argument(
                "--name", help="of the person, for the scope review: it stands as the reviewer in the journal"
            )
            command.add_argument(
                "--expires", type=_days, metavar="DAYS", help="refuse the key after these days; by default never"
            )
        if name == "revoke":
            command.add_argument("id", help="the id of the key, as `list` shows it")


def _file(options: argparse.Namespace, settings: Settings) -> Path:
    return options.file or Path(settings.keys_file or "keys.json")


def _days(text: str) -> int:
    """Return the days that an option names; raise ArgumentTypeError where they are none or too many."""
    days = int(text)
    if not 1 <= days <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{days} is not between 1 and {MAX_DAYS}")
    return days


def _new_key(options: argparse.Namespace, settings: Settings) -> int:
    path = _file(options, settings)
    text, key = new_key(path, options.scope, options.note, options.name, options.expires)
    print(text)
    until = "" if key.expires_at is None else f", until {key.expires_at:%Y-%m-%d %H:%M} UTC"
    print(f"key {key.id} for {', '.join(sorted(key.scopes))}, in {path}{until}", file=sys.stderr)
    return 0


def _list(options: argparse.Namespace, settings: Settings) -> int:
    for key in read_keys(_file(options, settings)).keys:
        until = "no expiry" if key.expires_at is None else f"until {key.expires_at:%Y-%m-%d}"
        until = "expired" if key.is_expired else until
        who = "  ".join(text for text in (key.name, key.note) if text)
        print(f"{key.id}  {key.created_at:%Y-%m-%d}  {','.join(sorted(key.scopes))}  {until}  {who}".rstrip())
    return 0


def _revoke(options: argparse.Namespace, settings: Settings) -> int:
    revoke(_file(options, settings), options.id)
    print(f"key {options.id} is revoked")
    return 0
