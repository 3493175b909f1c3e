"""Settings of a command as a dataclass, and its command-line options derived from the fields."""

import argparse
from dataclasses import field, fields
from typing import Any, TypeVar

from research.cli import CommandError

FOLDS = 5
SEED = 1

Settings = TypeVar("Settings")


def option(default: Any, description: str) -> Any:
    """Declare a field that is an option too, of the type of its default; a tuple is names with commas between them."""
    return field(default=default, metadata={"help": description})


def add_options(arguments: argparse.ArgumentParser, kind: type[Any]) -> None:
    """Add an option for each field that `option` declares: `--with-age` and `--no-with-age` for `with_age: bool`."""
    for declared in fields(kind):
        if "help" not in declared.metadata:
            continue
        flag, default = f"--{declared.name.replace('_', '-')}", declared.default
        settings: dict[str, Any] = {"default": default, "help": declared.metadata["help"]}
        if isinstance(default, bool):
            arguments.add_argument(flag, action=argparse.BooleanOptionalAction, **settings)
        elif isinstance(default, tuple):
            settings["default"] = ",".join(default)
            arguments.add_argument(flag, metavar="NAME,NAME", type=lambda names: tuple(names.split(",")), **settings)
        else:
            arguments.add_argument(flag, type=type(default), **settings)


def settings_from(kind: type[Settings], options: argparse.Namespace, **others: Any) -> Settings:
    """Return the settings that the options of `add_options` give; `others` are the fields without an option."""
    given = {declared.name: getattr(options, declared.name) for declared in fields(kind) if "help" in declared.metadata}  # type: ignore[arg-type]
    return kind(**given, **others)


def check_folds(folds: int) -> None:
    """Refuse fewer than two folds by a CommandError."""
    if folds < 2:
        raise CommandError("--folds must be at least 2")
