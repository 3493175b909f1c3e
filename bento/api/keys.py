"""API keys: who may ask for what. `python -m bento.api.keys new-key --scope score` makes one.

The file that SCORING_KEYS_FILE names holds hashes only, and is read again when it changes.
"""

import argparse
import hashlib
import hmac
import json
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

log = logging.getLogger("bentoml.credit_scoring")

KEYS_VARIABLE, AUTH_VARIABLE = "SCORING_KEYS_FILE", "SCORING_AUTH"
PREFIX = "pad"
FAULT = 2

Scope = Literal["score", "read", "review"]
"""score: predict and explain; read: what was decided; review: confirm or overturn a decision."""
SCOPES: tuple[Scope, ...] = get_args(Scope)

NO_KEYS = (
    "API keys are required, and there are none: make one with `python -m bento.api.keys new-key --scope score --file "
    f"keys.json`, then start with {KEYS_VARIABLE}=keys.json"
)


class KeysError(RuntimeError):
    """The file of keys cannot be used; the message says what to do, in one line."""


class ApiKey(BaseModel):
    """What the file holds of a key: never the key itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    scopes: frozenset[Scope]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Enough against guessing, for a key is 256 random bits and no password."""
    created_at: datetime
    note: str = ""


class KeysFile(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid")

    keys: list[ApiKey] = []


LOCAL = ApiKey(id="local", scopes=frozenset(SCOPES), sha256=64 * "0", created_at=datetime.fromtimestamp(0, UTC))
"""Who asks where keys are switched off, on loopback."""


def is_required(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a request needs a key: always, but where SCORING_AUTH is off."""
    return environment.get(AUTH_VARIABLE, "").lower() != "off"


class KeyRing:
    """The keys of a file, read again when it changes; a change that cannot be read leaves the keys as they were.

    Raises:
        KeysError: the file is missing or broken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = _stamp(path)
        self._keys = _by_id(read_keys(path))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "KeyRing":
        """The keys in the file that SCORING_KEYS_FILE names.

        Raises:
            KeysError: it names none, or one that is missing or broken, or holds no key.
        """
        name = environment.get(KEYS_VARIABLE)
        if not name:
            raise KeysError(NO_KEYS)
        if not read_keys(Path(name)).keys:
            raise KeysError(f"{name} holds no key; {NO_KEYS}")
        return cls(Path(name))

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, or None if there is no such key (any more)."""
        self._read_again()
        prefix, _, rest = presented.partition("_")
        key = self._keys.get(rest.partition("_")[0]) if prefix == PREFIX else None
        if key is None or not hmac.compare_digest(key.sha256, _hash(presented)):
            return None
        return key

    def _read_again(self) -> None:
        stamp = _stamp(self.path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._keys = _by_id(read_keys(self.path))
        except KeysError as error:
            log.error("%s; the keys stay as they were", error)
        else:
            log.info("%s was read again: %d keys", self.path, len(self._keys))


def read_keys(path: Path) -> KeysFile:
    """The keys of a file.

    Raises:
        KeysError: the file is missing or broken.
    """
    try:
        found = KeysFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}; {NO_KEYS}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise KeysError(f"{path}: no file of keys: {place or 'the whole'}: {first['msg']}") from error
    return found


def new_key(path: Path, scopes: Sequence[Scope], note: str = "") -> tuple[str, ApiKey]:
    """Make a key, add its hash to the file, and return both; the key itself stands nowhere else.

    Raises:
        KeysError: the file is there and broken, or cannot be written.
    """
    found = read_keys(path) if path.exists() and path.stat().st_size else KeysFile()
    key_id = secrets.token_hex(4)
    text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    key = ApiKey(id=key_id, scopes=frozenset(scopes), sha256=_hash(text), created_at=datetime.now(UTC), note=note)
    _write(path, KeysFile(keys=[*found.keys, key]))
    return text, key


def revoke(path: Path, key_id: str) -> None:
    """Take a key out of the file.

    Raises:
        KeysError: the file holds no such key, or cannot be read or written.
    """
    found = read_keys(path)
    left = [key for key in found.keys if key.id != key_id]
    if len(left) == len(found.keys):
        raise KeysError(f"{path} holds no key {key_id}; it holds {', '.join(key.id for key in left) or 'none'}")
    _write(path, KeysFile(keys=left))


def _write(path: Path, content: KeysFile) -> None:
    """Replace the file at once: whoever reads it meanwhile sees the old one or the new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by its owner alone
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(content.model_dump(mode="json"), indent=1) + "\n")
        Path(name).replace(path)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _by_id(found: KeysFile) -> dict[str, ApiKey]:
    return {key.id: key for key in found.keys}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 0 done, 2 for a fault the user can put right."""
    parser = argparse.ArgumentParser(
        prog="python -m bento.api.keys",
        description="API keys of the service.",
        epilog="example: python -m bento.api.keys new-key --scope score --scope read --note 'loan officers'",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("new-key", "make a key and print it, once; the file keeps its hash"),
        ("list", "list the keys of the file"),
        ("revoke", "take a key out of the file; a running service notices"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument(
            "--file",
            type=Path,
            default=os.environ.get(KEYS_VARIABLE) or "keys.json",
            help=f"by default the one that {KEYS_VARIABLE} names, else keys.json",
        )
        if name == "new-key":
            command.add_argument("--scope", action="append", choices=SCOPES, required=True, help="may be repeated")
            command.add_argument("--note", default="", help="whose key it is")
        if name == "revoke":
            command.add_argument("id", help="the id of the key, as `list` shows it")
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except KeysError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAULT
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.command == "new-key":
        text, key = new_key(options.file, options.scope, options.note)
        print(text)
        print(f"key {key.id} for {', '.join(sorted(key.scopes))}, in {options.file}", file=sys.stderr)
    elif options.command == "revoke":
        revoke(options.file, options.id)
        print(f"key {options.id} is revoked")
    else:
        for key in read_keys(options.file).keys:
            print(f"{key.id}  {key.created_at:%Y-%m-%d}  {','.join(sorted(key.scopes))}  {key.note}")


if __name__ == "__main__":
    sys.exit(main())
