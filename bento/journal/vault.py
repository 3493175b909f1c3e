"""Encryption at rest: a key for each client, itself encrypted under the master key; without one, only compression."""

import base64
import hmac
import os
import zlib
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bento import CorrectableError
from bento.settings import MASTER_KEY_VARIABLE

KEY_BYTES, NONCE_BYTES = 32, 12
COMPRESSION_LEVEL = 1
"""The fastest level of zlib: it reduces histories, which repeat their column names, to a tenth."""


class VaultError(CorrectableError):
    """The master key is unusable, or does not decrypt an entry; the message gives the remedy."""


class Vault:
    """Encrypts and decrypts what concerns a person, with a key for each client.

    AES-256-GCM with random nonces; the place of a text (decision and column) is authenticated with it, so that a text
    moved to another place is refused. Once a client's key is deleted, every copy of the client's data is unreadable.
    Without a master key nothing is encrypted; one of another length than 32 bytes raises VaultError.
    """

    def __init__(self, master_key: bytes | None) -> None:
        self._wrapping = self._pseudonyms = None
        if master_key is not None:
            if len(master_key) != KEY_BYTES:
                raise VaultError(f"a master key has {KEY_BYTES} bytes, this one {len(master_key)}")
            self._wrapping = AESGCM(_derived(master_key, b"credit-scoring/journal/wrapping"))
            self._pseudonyms = _derived(master_key, b"credit-scoring/journal/pseudonyms")

    @classmethod
    def from_file(cls, name: str | None) -> Self:
        """Take the master key, in base64, from a file, without one none; raise VaultError where it holds no key."""
        if not name:
            return cls(None)
        try:
            return cls(base64.b64decode(Path(name).read_text(encoding="ascii").strip(), validate=True))
        except (OSError, ValueError, VaultError) as error:
            reason = "it holds no base64 text" if isinstance(error, ValueError) else str(error)
            if isinstance(error, OSError):
                reason = str(error.strerror)
            raise VaultError(
                f"{MASTER_KEY_VARIABLE}={name}: {reason}; make one with: head -c 32 /dev/urandom | base64 > {name}"
            ) from error

    @property
    def encrypts(self) -> bool:
        """Whether there is a master key."""
        return self._wrapping is not None

    def pseudonym(self, client: int) -> str:
        """Return the client's name in the journal: an HMAC under the master key, or SK_ID_CURR without one."""
        if self._pseudonyms is None:
            return str(client)
        return hmac.digest(self._pseudonyms, str(client).encode(), "sha256").hex()

    def new_key(self, pseudonym: str) -> bytes:
        """Make the key of a new client, encrypted under the master key."""
        return self._encrypt(self._master, os.urandom(KEY_BYTES), pseudonym)

    def check(self, wrapped_key: bytes, pseudonym: str) -> None:
        """Raise VaultError unless the master key decrypts a client's key and this is unaltered."""
        self._key(wrapped_key, pseudonym)

    def seal(self, packed: bytes, wrapped_key: bytes | None, pseudonym: str, place: str) -> bytes:
        """Encrypt a packed text if there is a key; `place` names decision and column."""
        return packed if wrapped_key is None else self._encrypt(self._key(wrapped_key, pseudonym), packed, place)

    def open(self, sealed: bytes, wrapped_key: bytes | None, pseudonym: str, place: str) -> bytes:
        """Decrypt and decompress a text; raise VaultError where the master key is another or the text was altered."""
        if wrapped_key is not None:
            sealed = self._decrypt(self._key(wrapped_key, pseudonym), sealed, place)
        try:
            return zlib.decompress(sealed)
        except zlib.error as error:
            raise VaultError("an entry was altered") from error

    @property
    def _master(self) -> AESGCM:
        if self._wrapping is None:
            raise VaultError(f"the journal is encrypted; name its master key in {MASTER_KEY_VARIABLE}")
        return self._wrapping

    def _key(self, wrapped_key: bytes, pseudonym: str) -> AESGCM:
        return AESGCM(self._decrypt(self._master, wrapped_key, pseudonym))

    @staticmethod
    def _encrypt(key: AESGCM, text: bytes, place: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + key.encrypt(nonce, text, place.encode())

    @staticmethod
    def _decrypt(key: AESGCM, sealed: bytes, place: str) -> bytes:
        try:
            return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
            raise VaultError(
                f"{MASTER_KEY_VARIABLE} names another master key than the journal was written with, "
                "or an entry was altered"
            ) from error


def pack(text: bytes) -> bytes:
    """Compress a text for `Vault.seal`."""
    return zlib.compress(text, COMPRESSION_LEVEL)


def _derived(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master_key)
