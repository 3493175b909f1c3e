"""API keys and their scopes, in a file that holds hashes only and is read again when it changes."""

import hashlib
import hmac
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bento import CorrectableError
from bento.settings import KEYS_FILE_VARIABLE

log = logging.getLogger("bentoml.credit_scoring")

PREFIX = "pad"

Scope = Literal["score", "read", "review"]
"""score: predict and explain; read: what was decided; review: confirm or overturn a decision."""
SCOPES: tuple[Scope, ...] = get_args(Scope)

NO_KEYS = (
    "API keys are required, and there are none: make one with `python -m bento keys new-key --scope score --file "
    f"keys.json`, then start with {KEYS_FILE_VARIABLE}=keys.json"
)


class KeysError(CorrectableError):
    """The file of keys cannot be used."""


class ApiKey(BaseModel):
    """One key in the file: its hash, never the key itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    scopes: frozenset[Scope]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Without salt or key stretching: a key is 256 random bits, which cannot be guessed as a password can."""
    created_at: datetime
    note: str = ""


class KeysFile(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(extra="forbid")

    keys: list[ApiKey] = []


LOCAL = ApiKey(id="local", scopes=frozenset(SCOPES), sha256=64 * "0", created_at=datetime.fromtimestamp(0, UTC))
"""The key of all requests where keys are switched off: these come from this machine alone."""


class KeyRing:
    """The keys of a file, read again when it changes; a change that cannot be read leaves the keys as they were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = _stamp(path)
        self._keys = {key.id: key for key in read_keys(path).keys}

    @classmethod
    def from_file(cls, name: str | None) -> "KeyRing":
        """Read the keys of the file that the settings name; raise KeysError where there are none."""
        if not name:
            raise KeysError(NO_KEYS)
        if not read_keys(Path(name)).keys:
            raise KeysError(f"{name} holds no key; {NO_KEYS}")
        return cls(Path(name))

    def find(self, presented: str) -> ApiKey | None:
        """Return the key that was presented, None where the file does not hold it (any more)."""
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
            self._keys = {key.id: key for key in read_keys(self.path).keys}
        except KeysError as error:
            log.error("%s; the keys stay as they were", error)
        else:
            log.info("%s was read again: %d keys", self.path, len(self._keys))


def read_keys(path: Path) -> KeysFile:
    """Read a file of keys; raise KeysError where it is missing or broken."""
    try:
        return KeysFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}; {NO_KEYS}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise KeysError(f"{path}: no file of keys: {place or 'the whole'}: {first['msg']}") from error


def new_key(path: Path, scopes: Sequence[Scope], note: str = "") -> tuple[str, ApiKey]:
    """Make a key, add its hash to the file, and return both; the key itself is stored nowhere.

    Raises:
        KeysError: the file is there and broken, or cannot be written.
    """
    key_file = read_keys(path) if path.exists() and path.stat().st_size else KeysFile()
    key_id = secrets.token_hex(4)
    text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    key = ApiKey(id=key_id, scopes=frozenset(scopes), sha256=_hash(text), created_at=datetime.now(UTC), note=note)
    _write(path, KeysFile(keys=[*key_file.keys, key]))
    return text, key


def revoke(path: Path, key_id: str) -> None:
    """Remove a key from the file; raise KeysError where it holds no such key or cannot be read or written."""
    keys = read_keys(path).keys
    left = [key for key in keys if key.id != key_id]
    if len(left) == len(keys):
        raise KeysError(f"{path} holds no key {key_id}; it holds {', '.join(key.id for key in left) or 'none'}")
    _write(path, KeysFile(keys=left))


def _write(path: Path, content: KeysFile) -> None:
    """Replace the file in one step, so that another process reads either the old content or the new."""
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


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
