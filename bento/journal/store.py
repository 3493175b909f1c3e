"""Writes and reads the journal: SQLite (WAL) by default, PostgreSQL by JOURNAL_URL."""

import json
import queue
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bento.journal.database import STATEMENT_TIMEOUT_S, _available, _engine
from bento.journal.entries import (
    Entry,
    JournalError,
    JournalUnavailableError,
    ReviewConflictError,
    StoredDecision,
    StoredReview,
)
from bento.journal.schema import CLIENT_KEYS, DECISIONS, PERSONAL, REVIEWS, REVISION
from bento.journal.vault import Vault, pack
from bento.settings import MASTER_KEY_VARIABLE

PURGED_TOGETHER = 500
"""Decisions, or keys, that one transaction of a purge takes: the service writes in between."""


class Journal:
    """The entries of one database. Safe to use from several threads and processes.

    Raises:
        JournalError: the address is none, or of a kind of database that is not known.
    """

    def __init__(self, url: str, vault: Vault) -> None:
        self.vault = vault
        self.engine = _engine(url)
        on_postgresql = self.engine.dialect.name == "postgresql"
        self._insert: Any = postgresql.insert if on_postgresql else sqlite.insert
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if on_postgresql else {"reading": True}
        self._reading = self.engine.execution_options(**options)

    @property
    def address(self) -> str:
        """Where the journal is, without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def check(self) -> None:
        """Make sure that this code fits the database, and the vault what is in it.

        Raises:
            JournalError: there is no journal, it is of another schema, or it is encrypted and no master key is set.
            JournalUnavailableError: the database does not answer.
            VaultError: it is encrypted under another master key.
        """
        found = self.revision()
        if found != REVISION:
            what = "holds no journal" if found is None else f"holds a journal of schema {found}, this code {REVISION}"
            raise JournalError(f"{self.address} {what}; bring it up to date with: python -m bento journal upgrade")
        with self._reader() as connection:
            key = connection.execute(sa.select(CLIENT_KEYS.c.client, CLIENT_KEYS.c.wrapped_key).limit(1)).first()
        if key is not None and not self.vault.encrypts:
            raise JournalError(f"{self.address} holds encrypted entries; name its master key in {MASTER_KEY_VARIABLE}")
        if key is not None:
            self.vault.check(key.wrapped_key, key.client)

    def revision(self) -> str | None:
        """The schema of the database, None where there is none.

        Raises:
            JournalUnavailableError: the database does not answer.
        """
        database = self.engine.url.database
        if self.engine.dialect.name == "sqlite" and database and not Path(database).exists():
            return None
        with self._reader() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return None if found is None else str(found)

    def ping(self) -> bool:
        """Whether the database answers, and in time: a server that is frozen takes everything and answers nothing."""
        answered = queue.SimpleQueue[bool]()
        threading.Thread(target=lambda: answered.put(self._answers()), name="ping", daemon=True).start()
        try:
            return answered.get(timeout=STATEMENT_TIMEOUT_S)
        except queue.Empty:
            return False

    def _answers(self) -> bool:
        try:
            with self._reader() as connection:
                connection.execute(sa.text("SELECT 1"))
        except JournalUnavailableError:
            return False
        return True

    def write(self, entries: Sequence[Entry]) -> list[StoredDecision | None]:
        """Write entries in one durable transaction, each exactly once, however often it is tried.

        Returns:
            For each entry None where it was written, or the decision that its Idempotency-Key already has.

        Raises:
            JournalUnavailableError: nothing of it is certain to be written.
        """
        # In one order everywhere, or two processes with the same keys could each wait for the other.
        ordered = sorted(entries, key=lambda entry: entry.idempotency_hash or "")
        # First, because it takes longest, and in SQLite all wait for whoever is writing.
        packed = [{name: pack(getattr(entry, name)) for name in _SEALED} for entry in ordered]
        with self.transaction() as connection:
            keys = self._keys(connection, {self.vault.pseudonym(entry.client) for entry in entries})
            rows = [self._row(entry, texts, keys) for entry, texts in zip(ordered, packed, strict=True)]
            connection.execute(self._insert(DECISIONS).on_conflict_do_nothing(), rows)
            return self._rivals(connection, entries)

    def find(self, decision_id: str) -> StoredDecision | None:
        """A decision by its id.

        Raises:
            JournalUnavailableError: the database does not answer.
            VaultError: the entry cannot be opened.
        """
        with self._reader() as connection:
            return self._one(connection, DECISIONS.c.id == decision_id)

    def find_repeated(self, idempotency_hash: str) -> StoredDecision | None:
        """The decision that an Idempotency-Key already has; errors as `find`."""
        with self._reader() as connection:
            return self._one(connection, DECISIONS.c.idempotency_hash == idempotency_hash)

    def ids(self, limit: int | None = None) -> list[str]:
        """The ids of decisions that are not purged, in no order that means anything."""
        query = sa.select(DECISIONS.c.id).where(DECISIONS.c.purged_at.is_(None))
        if limit is not None:
            query = query.order_by(sa.func.random()).limit(limit)
        with self._reader() as connection:
            return [str(value) for value in connection.execute(query).scalars()]

    def reviews(self, decision_id: str) -> list[StoredReview]:
        """The reviews of a decision, oldest first; errors as `find`."""
        query = (
            sa.select(REVIEWS, DECISIONS.c.data_key, CLIENT_KEYS.c.wrapped_key)
            .join(DECISIONS, DECISIONS.c.id == REVIEWS.c.decision_id)
            .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
            .where(REVIEWS.c.decision_id == decision_id)
            .order_by(REVIEWS.c.reviewed_at, REVIEWS.c.id)
        )
        with self._reader() as connection:
            return [self._review(row) for row in connection.execute(query)]

    def add_review(self, decision_id: str, review: StoredReview, earlier: int | None = None) -> bool:
        """Append a review, durably; False where there is no such decision, or it is purged.

        Args:
            decision_id: of the decision reviewed.
            review: whose time is after that of every earlier one.
            earlier: how many reviews there were when it was given; None where that does not matter.

        Raises:
            JournalUnavailableError: it is not certain to be written.
            ReviewConflictError: there are others by now; nothing is written.
        """
        review_id = str(uuid.uuid4())
        with self.transaction() as connection:
            query = (
                sa.select(DECISIONS.c.data_key, CLIENT_KEYS.c.wrapped_key)
                .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
                .where(DECISIONS.c.id == decision_id, DECISIONS.c.purged_at.is_(None))
                .with_for_update(of=DECISIONS)  # a purge or another review that runs meanwhile waits
            )
            found = connection.execute(query).first()
            if found is None:
                return False
            there = sa.select(sa.func.count()).select_from(REVIEWS).where(REVIEWS.c.decision_id == decision_id)
            if earlier is not None and connection.execute(there).scalar() != earlier:
                raise ReviewConflictError(f"{decision_id} was reviewed by another meanwhile")
            text = json.dumps({"reason": review.reason, "reviewer": review.reviewer}).encode()
            connection.execute(
                REVIEWS.insert().values(
                    id=review_id,
                    decision_id=decision_id,
                    reviewed_at=review.reviewed_at,
                    key_id=review.key_id,
                    verdict=review.verdict,
                    outcome=review.outcome,
                    content=self.vault.seal(
                        pack(text), found.wrapped_key, found.data_key or "", f"{review_id} content"
                    ),
                )
            )
        return True

    def purge(self, before: datetime, now: datetime) -> tuple[int, int]:
        """Empty what concerns persons in all decisions before a moment, and destroy the keys nothing is left for.

        A client's key is destroyed once no later decision needs it: then every copy, backups too, is unreadable.

        Returns:
            Decisions emptied and keys destroyed.

        Raises:
            JournalUnavailableError: not everything is certain to be purged; purge again.
        """
        old = sa.select(DECISIONS.c.id).where(DECISIONS.c.decided_at < before, DECISIONS.c.purged_at.is_(None))
        needed = sa.exists().where(DECISIONS.c.data_key == CLIENT_KEYS.c.client)
        emptied = sum(self._empty(ids, now) for ids in self._in_parts(old))
        unneeded = sa.select(CLIENT_KEYS.c.client).where(~needed)
        destroyed = 0
        for clients in self._in_parts(unneeded):
            these = CLIENT_KEYS.c.client.in_(clients)
            with self.transaction() as connection:
                # Whoever writes with one of them at this moment is waited for, and then needs it.
                connection.execute(unneeded.where(these).order_by(CLIENT_KEYS.c.client).with_for_update(of=CLIENT_KEYS))
                destroyed += connection.execute(sa.delete(CLIENT_KEYS).where(these, ~needed)).rowcount
        if self.engine.dialect.name == "sqlite":
            with self._reader() as connection:  # no copy of what was overwritten stays behind
                busy = connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
            if busy:
                raise JournalUnavailableError(f"{self.address}: copies of what was purged are in use; purge again")
        return emptied, destroyed

    def _in_parts(self, names: sa.Select[str]) -> Iterator[Sequence[str]]:
        with self._reader() as connection:
            found = connection.execute(names).scalars().all()
        for start in range(0, len(found), PURGED_TOGETHER):
            yield found[start : start + PURGED_TOGETHER]

    def _empty(self, ids: Sequence[str], now: datetime) -> int:
        with self.transaction() as connection:
            emptied = connection.execute(
                sa.update(DECISIONS)
                .where(DECISIONS.c.id.in_(ids), DECISIONS.c.purged_at.is_(None))
                .values(purged_at=now, **dict.fromkeys(PERSONAL))
            ).rowcount
            connection.execute(sa.update(REVIEWS).where(REVIEWS.c.decision_id.in_(ids)).values(content=None))
        return emptied

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _reader(self) -> Iterator[sa.Connection]:
        with _available(self.address), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, rolled back where something fails.

        Raises:
            JournalUnavailableError: the database does not answer, or cannot write.
        """
        with _available(self.address), self.engine.begin() as connection:
            yield connection

    def _keys(self, connection: sa.Connection, clients: set[str]) -> dict[str, bytes]:
        """The wrapped key of each client, made where there is none; empty without encryption."""
        if not self.vault.encrypts:
            return {}
        query = sa.select(CLIENT_KEYS.c.client, CLIENT_KEYS.c.wrapped_key).where(CLIENT_KEYS.c.client.in_(clients))
        query = query.order_by(CLIENT_KEYS.c.client).with_for_update(
            key_share=True, read=True
        )  # a purge that runs meanwhile waits
        keys = {row.client: row.wrapped_key for row in connection.execute(query)}
        missing = sorted(clients - keys.keys())
        if missing:
            new = [
                {"client": name, "wrapped_key": self.vault.new_key(name), "created_at": datetime.now(UTC)}
                for name in missing
            ]
            connection.execute(self._insert(CLIENT_KEYS).on_conflict_do_nothing(), new)
            keys |= {row.client: row.wrapped_key for row in connection.execute(query)}
        return keys

    def _row(self, entry: Entry, packed: Mapping[str, bytes], keys: Mapping[str, bytes]) -> dict[str, Any]:
        client = self.vault.pseudonym(entry.client)
        key = keys.get(client)
        row = {name: getattr(entry, name) for name in _PLAIN}
        sealed = {name: self.vault.seal(text, key, client, f"{entry.id} {name}") for name, text in packed.items()}
        return row | sealed | {"client": client, "data_key": None if key is None else client}

    def _rivals(self, connection: sa.Connection, entries: Sequence[Entry]) -> list[StoredDecision | None]:
        """For each entry the other decision that holds its Idempotency-Key."""
        hashes = {entry.idempotency_hash for entry in entries if entry.idempotency_hash is not None}
        if not hashes:
            return [None] * len(entries)
        query = sa.select(DECISIONS.c.idempotency_hash, DECISIONS.c.id).where(DECISIONS.c.idempotency_hash.in_(hashes))
        holders = {row.idempotency_hash: row.id for row in connection.execute(query)}
        return [
            self._one(connection, DECISIONS.c.id == holder)
            if (holder := holders.get(entry.idempotency_hash)) is not None and holder != entry.id
            else None
            for entry in entries
        ]

    def _one(self, connection: sa.Connection, where: sa.ColumnElement[bool]) -> StoredDecision | None:
        query = (
            sa.select(DECISIONS, CLIENT_KEYS.c.wrapped_key)
            .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
            .where(where)
        )
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        opened = {
            name: None
            if row[name] is None
            else self.vault.open(row[name], row["wrapped_key"], row["client"], f"{row['id']} {name}")
            for name in _SEALED
        }
        return StoredDecision(**{name: row[name] for name in _RECORDED} | opened)

    def _review(self, row: sa.Row[Any]) -> StoredReview:
        content = {"reason": None, "reviewer": None}
        if row.content is not None:
            content = json.loads(self.vault.open(row.content, row.wrapped_key, row.data_key or "", f"{row.id} content"))
        return StoredReview(row.reviewed_at, row.key_id, row.verdict, row.outcome, **content)


_SEALED = ("credit_file", "answer")
_PLAIN = tuple(name for name in Entry.__dataclass_fields__ if name not in ("client", *_SEALED))
_RECORDED = tuple(name for name in StoredDecision.__dataclass_fields__ if name not in _SEALED)
