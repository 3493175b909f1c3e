"""What an officer has begun: chosen file, entries, decisions; kept on the server, so that a reload loses nothing.

A browser is recognised by a random token in a cookie. The files hold personal data: only the user of the page's process
may read them, and they are deleted a day after their last change. Nothing of them stands in an address.
"""

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

MAX_AGE_S = 24 * 3600.0
"""Seconds for which a desk that is not changed is kept: a working day, and the morning after."""
COOKIE = "credit_desk"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Return whether a cookie holds a token."""
    return TOKEN.fullmatch(text) is not None


class Desks:
    """The desks of all browsers in one folder; without a usable folder, in no place but the session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, token: str) -> dict[str, Any]:
        """Return the desk of a token; an empty one where there is none, or it is not readable."""
        try:
            content = json.loads(self._path(token).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def save(self, token: str, desk: MutableMapping[str, Any]) -> bool:
        """Write a desk, whole or not at all; return whether it is written."""
        path = self._path(token)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(desk, file)
            temporary.replace(path)
        except OSError:
            return False
        return True

    def delete_old(self) -> None:
        """Delete the desks that were not changed for `MAX_AGE_S`."""
        oldest = time.time() - MAX_AGE_S
        for path in self.folder.glob("*.json*"):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError:  # deleted by another session
                continue

    def _path(self, token: str) -> Path:
        # The name does not give the token away to those who may list the folder.
        return self.folder / f"{hashlib.sha256(token.encode()).hexdigest()}.json"


def digest(content: Any) -> str:
    """Return the SHA-256 of a content as JSON, the same for any order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
