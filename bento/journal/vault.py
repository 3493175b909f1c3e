"""Encryption at rest: a key for each client, itself encrypted under the master key; without one, only compression."""

import base64
import hmac
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bento import CorrectableError
from bento.settings import ENCRYPTION_VARIABLE, MASTER_KEY_VARIABLE, Settings

KEY_BYTES, NONCE_BYTES = 32, 12
COMPRESSION_LEVEL = 1
"""The fastest level of zlib: it reduces histories, which repeat their column names, to a tenth."""
MAKE_ONE = "make one with: head -c 32 /dev/urandom | base64 >"
_JOURNAL = "journal"
"""The place that is authenticated with the keys of the journal itself."""


class VaultError(CorrectableError):
    """The master key is unusable, or does not decrypt an entry; the message gives the remedy."""


class AlteredError(VaultError):
    """An entry is not as it was written."""


@dataclass(frozen=True, kw_only=True)
class JournalKeys:
    """The keys of a journal that stay the same when its master key changes; None without encryption."""

    pseudonyms: bytes | None = None
    chain: bytes | None = None

    def pseudonym(self, client: int) -> str:
        """Return the client's name in the journal: an HMAC, or SK_ID_CURR without encryption."""
        if self.pseudonyms is None:
            return str(client)
        return hmac.digest(self.pseudonyms, str(client).encode(), "sha256").hex()


class Vault:
    """Encrypts and decrypts what concerns a person, with a key for each client.

    AES-256-GCM with random nonces; the place of a text (decision and column) is authenticated with it, so that a text
    moved to another place is refused. Once a client's key is deleted, the client's data is unreadable in every copy
    that does not hold the key too. Keys of clients are encrypted under the first master key, and decrypted under any:
    `former` ones are needed until every key is encrypted anew. Without a master key nothing is encrypted; one of
    another length than 32 bytes raises VaultError.
    """

    def __init__(self, master_key: bytes | None, *former: bytes) -> None:
        self._masters = () if master_key is None else (master_key, *former)
        for key in self._masters:
            if len(key) != KEY_BYTES:
                raise VaultError(f"a master key has {KEY_BYTES} bytes, this one {len(key)}")
        self._wrapping = [AESGCM(_derived(key, "wrapping")) for key in self._masters]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take the master key that the environment names; raise VaultError where there must be one, and is none."""
        name, encryption = settings.master_key_file, settings.encryption
        if encryption not in ("required", "off", "optional"):
            raise VaultError(f"{ENCRYPTION_VARIABLE}={encryption}: choose required, optional or off")
        if encryption == "off" and name:
            raise VaultError(
                f"{ENCRYPTION_VARIABLE}=off contradicts {MASTER_KEY_VARIABLE}={name}; take one of them away"
            )
        if encryption == "required" and not name:
            raise VaultError(
                f"{ENCRYPTION_VARIABLE}=required, and {MASTER_KEY_VARIABLE} names no file; {MAKE_ONE} FILE, or store "
                f"personal data in clear with {ENCRYPTION_VARIABLE}=off"
            )
        return cls.from_file(name)

    @classmethod
    def from_file(cls, name: str | None) -> Self:
        """Take the master key, in base64, from the first line of a file, and former ones from the lines below.

        Without a file there is no master key; raise VaultError where a line holds no key.
        """
        if not name:
            return cls(None)
        try:
            lines = Path(name).read_text(encoding="ascii").split() or [""]
            return cls(*(base64.b64decode(line, validate=True) for line in lines))
        except (OSError, ValueError, VaultError) as error:
            reason = "it holds no base64 text" if isinstance(error, ValueError) else str(error)
            if isinstance(error, OSError):
                reason = str(error.strerror)
            raise VaultError(f"{MASTER_KEY_VARIABLE}={name}: {reason}; {MAKE_ONE} {name}") from error

    @property
    def encrypts(self) -> bool:
        """Whether there is a master key."""
        return bool(self._masters)

    def new_key(self, pseudonym: str) -> bytes:
        """Make the key of a new client, encrypted under the master key."""
        return self._wrapped(os.urandom(KEY_BYTES), pseudonym)

    def check(self, wrapped_key: bytes, pseudonym: str) -> None:
        """Raise VaultError unless a master key decrypts a client's key and this is unaltered."""
        self._unwrapped(wrapped_key, pseudonym)

    def rewrapped(self, wrapped_key: bytes, pseudonym: str = _JOURNAL) -> bytes | None:
        """Return a key encrypted under the first master key; None where it is that already."""
        key, master = self._unwrapped(wrapped_key, pseudonym)
        return None if master == 0 else self._wrapped(key, pseudonym)

    def derived_keys(self, client_key: tuple[bytes, str] | None = None) -> JournalKeys:
        """Derive the keys of a new journal from a master key: the one that decrypts a client's key, or the first."""
        if not self.encrypts:
            return JournalKeys()
        master = self._masters[0 if client_key is None else self._unwrapped(*client_key)[1]]
        return JournalKeys(pseudonyms=_derived(master, "pseudonyms"), chain=_derived(master, "chain"))

    def wrapped_keys(self, keys: JournalKeys) -> bytes:
        """Encrypt the keys of the journal itself under the master key."""
        return self._wrapped((keys.pseudonyms or b"") + (keys.chain or b""), _JOURNAL)

    def unwrapped_keys(self, wrapped_keys: bytes) -> JournalKeys:
        """Decrypt the keys of the journal itself."""
        packed, _ = self._unwrapped(wrapped_keys, _JOURNAL)
        return JournalKeys(pseudonyms=packed[:KEY_BYTES], chain=packed[KEY_BYTES:])

    def seal(self, packed: bytes, wrapped_key: bytes | None, pseudonym: str, place: str) -> bytes:
        """Encrypt a packed text if there is a key; `place` names decision and column."""
        return packed if wrapped_key is None else _encrypted(self._key(wrapped_key, pseudonym), packed, place)

    def open(self, sealed: bytes, wrapped_key: bytes | None, pseudonym: str, place: str) -> bytes:
        """Decrypt and decompress a text.

        Raises:
            VaultError: the master key is another than the one that the client's key was encrypted under.
            AlteredError: the text was altered.
        """
        if wrapped_key is not None:
            try:
                sealed = _decrypted(self._key(wrapped_key, pseudonym), sealed, place)
            except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
                raise AlteredError("an entry was altered") from error
        try:
            return zlib.decompress(sealed)
        except zlib.error as error:
            raise AlteredError("an entry was altered") from error

    def _key(self, wrapped_key: bytes, pseudonym: str) -> AESGCM:
        return AESGCM(self._unwrapped(wrapped_key, pseudonym)[0])

    def _wrapped(self, key: bytes, pseudonym: str) -> bytes:
        return _encrypted(next(self._available()), key, pseudonym)

    def _unwrapped(self, wrapped_key: bytes, pseudonym: str) -> tuple[bytes, int]:
        """Decrypt a key; also return which master key did."""
        for number, master in enumerate(self._available()):
            try:
                return _decrypted(master, wrapped_key, pseudonym), number
            except (InvalidTag, ValueError):
                continue
        raise VaultError(
            f"{MASTER_KEY_VARIABLE} names another master key than the journal was written with, or an entry was altered"
        )

    def _available(self) -> Iterator[AESGCM]:
        if not self._wrapping:
            raise VaultError(f"the journal is encrypted; name its master key in {MASTER_KEY_VARIABLE}")
        yield from self._wrapping


def pack(text: bytes) -> bytes:
    """Compress a text for `Vault.seal`."""
    return zlib.compress(text, COMPRESSION_LEVEL)


def _encrypted(key: AESGCM, text: bytes, place: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, text, place.encode())


def _decrypted(key: AESGCM, sealed: bytes, place: str) -> bytes:
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())


def _derived(master_key: bytes, purpose: str) -> bytes:
    info = f"credit-scoring/journal/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master_key)
