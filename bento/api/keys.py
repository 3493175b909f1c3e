"""API keys and their scopes, in a file that holds hashes only and is read again when it changes."""

import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bento import CorrectableError
from bento.settings import KEYS_FILE_VARIABLE

log = logging.getLogger("bentoml.credit_scoring")

PREFIX = "pad"

Scope = Literal["score", "read", "review", "delegate", "metrics"]
"""score: predict and explain; read: what was decided; review: list decisions, confirm or overturn them, and
take down what the client says, under the name of the key; delegate: the same under the name that the
request gives, for an application where persons sign in; metrics: /metrics, where the settings ask for a key."""
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
    expires_at: AwareDatetime | None = None
    """From then on the key is refused as one that does not exist; None: it does not expire."""
    name: str | None = Field(default=None, min_length=1, max_length=100)
    """The person who reviews with this key, as the journal names the reviewer; a key with that scope needs one."""
    note: str = ""

    @property
    def is_expired(self) -> bool:
        """Whether the key's time is over, by the system's clock."""
        return self.expires_at is not None and time.time() >= self.expires_at.timestamp()


class KeysFile(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(extra="forbid")

    keys: list[ApiKey] = []


LOCAL = ApiKey(id="local", scopes=frozenset(SCOPES), sha256=64 * "0", created_at=datetime.fromtimestamp(0, UTC))
"""The key of all requests where keys are switched off: these come from this machine alone."""


class KeyRing:
    """The keys of a file, read again when it changes; while it cannot be read there are no keys."""

    def __init__(self, path: Path) -> None:
        """Read the file; where that fails, `error` says why, and each call tries again."""
        self.path = path
        self.error: KeysError | None = None
        self._seen: tuple[int, ...] | None = None
        self._keys: dict[str, ApiKey] = {}
        self.refresh()

    @classmethod
    def from_file(cls, name: str | None) -> "KeyRing":
        """Read the keys of the file that the settings name; raise KeysError where there are none that are valid."""
        if not name:
            raise KeysError(NO_KEYS)
        keys = read_keys(Path(name)).keys
        if not keys:
            raise KeysError(f"{name} holds no key; {NO_KEYS}")
        if all(key.is_expired for key in keys):
            raise KeysError(f"{name}: every key has expired; make another with `python -m bento keys new-key`")
        return cls(Path(name))

    def find(self, presented: str) -> ApiKey | None:
        """Return the key that was presented, None where the file does not hold it (any more) or it has expired.

        Raises:
            KeysError: the file cannot be read, so that no key may pass.
        """
        self.refresh()
        if self.error is not None:
            raise self.error
        prefix, _, rest = presented.partition("_")
        key = self._keys.get(rest.partition("_")[0]) if prefix == PREFIX else None
        if key is None or not hmac.compare_digest(key.sha256, _hash(presented)) or key.is_expired:
            return None
        return key

    def refresh(self) -> None:
        """Read the file again where it has changed, or could not be read before; afterwards `error` is right."""
        stamp = _stamp(self.path)
        if self.error is None and stamp is not None and stamp == self._seen:
            return
        was_read, last_message = self._seen is not None, str(self.error)
        try:
            self._keys = {key.id: key for key in read_keys(self.path).keys}
        except KeysError as error:
            self._keys, self.error = {}, error
            if str(error) != last_message:  # once for each fault, and not for each request
                log.error("%s; until it can be read, every request that needs a key is answered 503", error)
            return
        self._seen, self.error = stamp, None
        if was_read:
            log.info("%s was read again: %d keys", self.path, len(self._keys))


def read_keys(path: Path) -> KeysFile:
    """Read a file of keys; raise KeysError where it is missing or broken."""
    try:
        return KeysFile.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise KeysError(f"{path}: {error.strerror}; {NO_KEYS}") from error
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}; give the user of this process the right to read it") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise KeysError(f"{path}: no file of keys: {place or 'the whole'}: {first['msg']}") from error


def new_key(
    path: Path, scopes: Sequence[Scope], note: str = "", name: str | None = None, expires_days: int | None = None
) -> tuple[str, ApiKey]:
    """Make a key, add its hash to the file, and return both; the key itself is stored nowhere.

    Args:
        path: the file of keys, made where it is missing.
        scopes: what the key may do.
        note: whose key it is, or what for.
        name: of the person, for the scope `review`.
        expires_days: days from now until the key expires; None: it does not.

    Raises:
        KeysError: the file is there and broken, or cannot be written, or a key for reviews has no name.
    """
    if "review" in scopes and "delegate" not in scopes and not name:
        raise KeysError("a key with the scope review belongs to one person: give the name with --name 'First Last'")
    if "delegate" in scopes and name:
        raise KeysError(
            "a key with the scope delegate belongs to no person: its requests give the name; leave out --name"
        )
    key_id = secrets.token_hex(4)
    text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    now = datetime.now(UTC)
    key = ApiKey(
        id=key_id,
        scopes=frozenset(scopes),
        sha256=_hash(text),
        created_at=now,
        expires_at=None if expires_days is None else now + timedelta(days=expires_days),
        name=name,
        note=note,
    )
    with _locked(path):
        key_file = read_keys(path) if path.exists() and path.stat().st_size else KeysFile()
        _write(path, KeysFile(keys=[*key_file.keys, key]))
    return text, key


def revoke(path: Path, key_id: str) -> None:
    """Remove a key from the file; raise KeysError where it holds no such key or cannot be read or written."""
    if not path.exists():
        read_keys(path)
    with _locked(path):
        keys = read_keys(path).keys
        left = [key for key in keys if key.id != key_id]
        if len(left) == len(keys):
            raise KeysError(f"{path} holds no key {key_id}; it holds {', '.join(key.id for key in left) or 'none'}")
        _write(path, KeysFile(keys=left))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process change a file at a time: the folder is locked, as the file itself is replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(path: Path, content: KeysFile) -> None:
    """Replace the file in one step, so that another process reads either the old content or the new.

    A file that is there keeps its owner, group and mode: the service may run as another user than the one who revokes.
    """
    name, path = None, path.resolve()  # a link stays a link
    try:
        replaced = path.stat() if path.exists() else None
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by its owner alone
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if replaced is not None:
                os.fchown(file.fileno(), replaced.st_uid, replaced.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(replaced.st_mode))
            file.write(json.dumps(content.model_dump(mode="json", exclude_none=True), indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        reason = error.strerror
        if isinstance(error, PermissionError):
            reason = f"{reason}; run this as the owner of the file ({_owner(path)}) or as root"
        raise KeysError(f"{path}: {reason}; the file is as it was") from error


def _owner(path: Path) -> str:
    with contextlib.suppress(OSError):
        return f"user {path.stat().st_uid}"
    return "unknown"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes with the file: its times (that of the rights too), identity and size; None without it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size
