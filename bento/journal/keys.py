"""The keys in the database, all encrypted under the master key: one for each client, and those of the journal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bento.journal.database import insert_new
from bento.journal.schema import CLIENT_KEYS, JOURNAL_KEYS
from bento.journal.vault import JournalKeys, Vault

_NAME = "journal"
_CLIENT_KEYS = (
    sa.select(CLIENT_KEYS.c.client, CLIENT_KEYS.c.wrapped_key)
    .where(CLIENT_KEYS.c.client.in_(sa.bindparam("clients", expanding=True)))
    .order_by(CLIENT_KEYS.c.client)
    .with_for_update(key_share=True, read=True)  # a purge at the same time waits
)


def journal_keys(connection: sa.Connection, vault: Vault) -> JournalKeys:
    """Return the keys of the journal; before any write, those that `make_journal_keys` would make.

    Raises:
        VaultError: they are encrypted under another master key.
    """
    if not vault.encrypts:
        return JournalKeys()
    wrapped = _wrapped(connection)
    if wrapped is not None:
        return vault.unwrapped_keys(wrapped)
    # From a journal of an older schema: its pseudonyms are derived from the master key that encrypts its clients' keys.
    client = connection.execute(sa.select(CLIENT_KEYS.c.wrapped_key, CLIENT_KEYS.c.client).limit(1)).first()
    return vault.derived_keys(None if client is None else (client.wrapped_key, client.client))


def make_journal_keys(connection: sa.Connection, vault: Vault) -> JournalKeys:
    """Return the keys of the journal, and store them where they are not stored yet."""
    if vault.encrypts and _wrapped(connection) is None:
        wrapped = vault.wrapped_keys(journal_keys(connection, vault))
        row = {"name": _NAME, "wrapped_key": wrapped, "created_at": datetime.now(UTC)}
        connection.execute(insert_new(connection, JOURNAL_KEYS), row)
    return journal_keys(connection, vault)


def client_keys(connection: sa.Connection, vault: Vault, clients: set[str]) -> dict[str, bytes]:
    """Return the wrapped key of each client, made if there is none; empty without encryption."""
    if not vault.encrypts:
        return {}
    names = {"clients": sorted(clients)}
    keys = {row.client: row.wrapped_key for row in connection.execute(_CLIENT_KEYS, names)}
    missing = sorted(clients - keys.keys())
    if missing:
        now = datetime.now(UTC)
        new = [{"client": name, "wrapped_key": vault.new_key(name), "created_at": now} for name in missing]
        connection.execute(insert_new(connection, CLIENT_KEYS), new)
        keys |= {row.client: row.wrapped_key for row in connection.execute(_CLIENT_KEYS, names)}
    return keys


def wrapped_after(connection: sa.Connection, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Return the next clients in alphabetical order, each with its encrypted key."""
    query = sa.select(CLIENT_KEYS.c.client, CLIENT_KEYS.c.wrapped_key).where(CLIENT_KEYS.c.client > after)
    rows = connection.execute(query.order_by(CLIENT_KEYS.c.client).limit(limit))
    return [(row.client, bytes(row.wrapped_key)) for row in rows]


def replace_wrapped(connection: sa.Connection, changes: Sequence[tuple[str, bytes, bytes]]) -> None:
    """Replace each client's former encrypted key by the new one, unless it was destroyed or changed meanwhile."""
    table = CLIENT_KEYS
    update = sa.update(table).where(
        table.c.client == sa.bindparam("name"), table.c.wrapped_key == sa.bindparam("former")
    )
    rows = [{"name": client, "former": former, "renewed": renewed} for client, former, renewed in changes]
    connection.execute(update.values(wrapped_key=sa.bindparam("renewed")), rows)


def rewrap_journal(connection: sa.Connection, vault: Vault) -> None:
    """Encrypt the keys of the journal itself under the first master key."""
    make_journal_keys(connection, vault)
    wrapped = vault.rewrapped(_wrapped(connection) or b"")
    if wrapped is not None:
        connection.execute(sa.update(JOURNAL_KEYS).where(JOURNAL_KEYS.c.name == _NAME).values(wrapped_key=wrapped))


def _wrapped(connection: sa.Connection) -> bytes | None:
    wrapped: Any = connection.execute(
        sa.select(JOURNAL_KEYS.c.wrapped_key).where(JOURNAL_KEYS.c.name == _NAME)
    ).scalar()
    return None if wrapped is None else bytes(wrapped)
