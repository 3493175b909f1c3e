"""The journal: write and read decisions and reviews in SQLite (WAL) or PostgreSQL."""

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

from bento.addresses import without_secrets
from bento.journal.database import open_engine, translated_errors
from bento.journal.entries import (
    Entry,
    JournalError,
    JournalUnavailableError,
    ReviewConflictError,
    StoredDecision,
    StoredReview,
)
from bento.journal.schema import CLIENT_KEYS, DECISIONS, REVIEWS, REVISION, RULEBOOKS
from bento.journal.vault import Vault, pack
from bento.rules.rulebook import Rulebook
from bento.settings import LIMITS, MASTER_KEY_VARIABLE

_ENCRYPTED = ("credit_file", "answer")
"""Columns of `decisions` that the vault compresses and encrypts."""
_PLAIN = tuple(name for name in Entry.__dataclass_fields__ if name not in ("client", "rulebook", *_ENCRYPTED))
_STORED = tuple(name for name in StoredDecision.__dataclass_fields__ if name not in _ENCRYPTED)
_PLAIN_OF_REVIEWS = ("reviewed_at", "key_id", "verdict", "outcome")


class Journal:
    """The decisions and reviews in one database. Safe to use from several threads and processes.

    After `timeout_s` seconds for a connection, a statement or a lock the database counts as unavailable: methods raise
    JournalUnavailableError, as they do where it does not answer or cannot write. For the URL see `open_engine`.
    """

    def __init__(self, url: str, vault: Vault, timeout_s: int = LIMITS.statement_timeout_s) -> None:
        self.vault = vault
        self.timeout_s = timeout_s
        self.engine = open_engine(url, timeout_s)
        on_postgresql = self.engine.dialect.name == "postgresql"
        self._insert: Any = postgresql.insert if on_postgresql else sqlite.insert
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if on_postgresql else {"reading": True}
        self._reading = self.engine.execution_options(**options)

    @property
    def address(self) -> str:
        """The URL of the journal, without its secrets."""
        return without_secrets(self.engine.url.render_as_string())

    def check(self) -> None:
        """Make sure that the schema is that of this code, and that the vault can decrypt the entries.

        Raises:
            JournalError: there is no journal, it has another schema, or it is encrypted and no master key is set.
            VaultError: it is encrypted under another master key.
        """
        revision = self.revision()
        if revision != REVISION:
            what = f"holds a journal of schema {revision}, this code {REVISION}" if revision else "holds no journal"
            raise JournalError(f"{self.address} {what}; bring it up to date with: python -m bento journal upgrade")
        with self.reader() as connection:
            key = connection.execute(sa.select(CLIENT_KEYS.c.client, CLIENT_KEYS.c.wrapped_key).limit(1)).first()
        if key is not None and not self.vault.encrypts:
            raise JournalError(f"{self.address} holds encrypted entries; name its master key in {MASTER_KEY_VARIABLE}")
        if key is not None:
            self.vault.check(key.wrapped_key, key.client)

    def revision(self) -> str | None:
        """Return the revision of the database's schema, or None if it has none."""
        database = self.engine.url.database
        if self.engine.dialect.name == "sqlite" and database and not Path(database).exists():
            return None
        with self.reader() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return None if revision is None else str(revision)

    def ping(self) -> bool:
        """Whether the database answers in time; asked in a thread, as a frozen server never answers."""
        answers = queue.SimpleQueue[bool]()
        threading.Thread(target=lambda: answers.put(self._answers()), name="ping", daemon=True).start()
        try:
            return answers.get(timeout=self.timeout_s)
        except queue.Empty:
            return False

    def write(self, entries: Sequence[Entry]) -> list[StoredDecision | None]:
        """Write entries in one durable transaction; an entry that is written again is stored once.

        Returns:
            For each entry None if it was written, or the decision that already has its Idempotency-Key.

        Raises:
            JournalUnavailableError: it is not certain that any entry was written.
        """
        # Always in the same order: otherwise two processes with the same keys could wait for each other.
        ordered = sorted(entries, key=lambda entry: entry.idempotency_hash or "")
        # Compression takes longest and comes before the transaction: in SQLite all others wait for the one that writes.
        packed = [{name: pack(getattr(entry, name)) for name in _ENCRYPTED} for entry in ordered]
        rulebooks = {entry.rulebook.version: entry.rulebook for entry in entries if entry.rulebook is not None}
        with self.transaction() as connection:
            self._keep_rulebooks(connection, rulebooks)
            keys = self._keys(connection, {self.vault.pseudonym(entry.client) for entry in entries})
            rows = [self._row(entry, texts, keys) for entry, texts in zip(ordered, packed, strict=True)]
            connection.execute(self._insert(DECISIONS).on_conflict_do_nothing(), rows)
            return self._existing_decisions(connection, entries)

    def find(self, decision_id: str) -> StoredDecision | None:
        """Return the decision of an id, or None; raise VaultError where it cannot be decrypted."""
        with self.reader() as connection:
            return self._find(connection, decision_id)

    def ids(self, limit: int | None = None) -> list[str]:
        """Return the ids of decisions that are not purged, in any order; with a limit, as many drawn at random."""
        query = sa.select(DECISIONS.c.id).where(DECISIONS.c.purged_at.is_(None))
        if limit is not None:
            query = query.order_by(sa.func.random()).limit(limit)
        with self.reader() as connection:
            return [str(value) for value in connection.execute(query).scalars()]

    def decided_between(self, start: datetime, end: datetime) -> Iterator[StoredDecision]:
        """Yield the decisions from `start` up to, not including, `end`, oldest first; errors as `find`."""
        query = (
            sa.select(DECISIONS.c.id)
            .where(DECISIONS.c.decided_at >= start, DECISIONS.c.decided_at < end)
            .order_by(DECISIONS.c.decided_at, DECISIONS.c.id)
        )
        with self.reader() as connection:
            ids = [str(value) for value in connection.execute(query).scalars()]
        for decision_id in ids:
            decision = self.find(decision_id)
            if decision is not None:
                yield decision

    def rulebook(self, version: str | None) -> Rulebook:
        """Return the rules of a version; those of None, before there were any, are empty.

        Raises:
            JournalError: the journal holds no such rules.
        """
        if version is None:
            return Rulebook.none()
        with self.reader() as connection:
            content = connection.execute(sa.select(RULEBOOKS.c.content).where(RULEBOOKS.c.version == version)).scalar()
        if content is None:
            raise JournalError(f"{self.address} holds no rules of version {version}; python -m bento journal rules")
        return Rulebook.of_content(content)

    def rulebooks(self) -> list[tuple[str, datetime]]:
        """Return the versions of all rules that decisions were made by, and when each was first used, oldest first."""
        query = sa.select(RULEBOOKS.c.version, RULEBOOKS.c.kept_at).order_by(RULEBOOKS.c.kept_at)
        with self.reader() as connection:
            return [(row.version, row.kept_at) for row in connection.execute(query)]

    def reviews(self, decision_id: str) -> list[StoredReview]:
        """Return the reviews of a decision, oldest first; errors as `find`."""
        query = (
            sa.select(REVIEWS, DECISIONS.c.data_key, CLIENT_KEYS.c.wrapped_key)
            .join(DECISIONS, DECISIONS.c.id == REVIEWS.c.decision_id)
            .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
            .where(REVIEWS.c.decision_id == decision_id)
            .order_by(REVIEWS.c.reviewed_at, REVIEWS.c.id)
        )
        with self.reader() as connection:
            return [self._review(row) for row in connection.execute(query)]

    def add_review(self, decision_id: str, review: StoredReview, earlier: int | None = None) -> bool:
        """Append a review durably; return False if there is no such decision or it is purged.

        The review is later than every earlier one, of which the reviewer knew `earlier`; None if it does not matter.

        Raises:
            JournalUnavailableError: it is not certain that the review was written.
            ReviewConflictError: there are more reviews by now; nothing is written.
        """
        review_id = str(uuid.uuid4())
        with self.transaction() as connection:
            query = (
                sa.select(DECISIONS.c.data_key, CLIENT_KEYS.c.wrapped_key)
                .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
                .where(DECISIONS.c.id == decision_id, DECISIONS.c.purged_at.is_(None))
                .with_for_update(of=DECISIONS)  # a purge or another review at the same time waits
            )
            decision = connection.execute(query).first()
            if decision is None:
                return False
            count = sa.select(sa.func.count()).select_from(REVIEWS).where(REVIEWS.c.decision_id == decision_id)
            if earlier is not None and connection.execute(count).scalar() != earlier:
                raise ReviewConflictError(f"{decision_id} was reviewed by another meanwhile")
            text = json.dumps({"reason": review.reason, "reviewer": review.reviewer}).encode()
            place = f"{review_id} content"
            content = self.vault.seal(pack(text), decision.wrapped_key, decision.data_key or "", place)
            plain = {name: getattr(review, name) for name in _PLAIN_OF_REVIEWS}
            connection.execute(REVIEWS.insert().values(id=review_id, decision_id=decision_id, content=content, **plain))
        return True

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def reader(self) -> Iterator[sa.Connection]:
        """Open a connection for reading; it takes no lock."""
        with translated_errors(self.address), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Open a transaction: committed at the end of the block, rolled back if it raises."""
        with translated_errors(self.address), self.engine.begin() as connection:
            yield connection

    def _answers(self) -> bool:
        try:
            with self.reader() as connection:
                connection.execute(sa.text("SELECT 1"))
        except JournalUnavailableError:
            return False
        return True

    def _keep_rulebooks(self, connection: sa.Connection, rulebooks: Mapping[str, Rulebook]) -> None:
        """Store rules that the database does not hold; it is asked each time, as another file may replace it."""
        query = sa.select(RULEBOOKS.c.version).where(RULEBOOKS.c.version.in_(rulebooks))
        missing = rulebooks.keys() - connection.execute(query).scalars()
        if missing:
            now = datetime.now(UTC)
            new = [{"version": name, "content": rulebooks[name].content, "kept_at": now} for name in sorted(missing)]
            connection.execute(self._insert(RULEBOOKS).on_conflict_do_nothing(), new)

    def _keys(self, connection: sa.Connection, clients: set[str]) -> dict[str, bytes]:
        """Return the wrapped key of each client, made if there is none; empty without encryption."""
        if not self.vault.encrypts:
            return {}
        query = (
            sa.select(CLIENT_KEYS.c.client, CLIENT_KEYS.c.wrapped_key)
            .where(CLIENT_KEYS.c.client.in_(clients))
            .order_by(CLIENT_KEYS.c.client)
            .with_for_update(key_share=True, read=True)  # a purge at the same time waits
        )
        keys = {row.client: row.wrapped_key for row in connection.execute(query)}
        missing = sorted(clients - keys.keys())
        if missing:
            now = datetime.now(UTC)
            new = [{"client": name, "wrapped_key": self.vault.new_key(name), "created_at": now} for name in missing]
            connection.execute(self._insert(CLIENT_KEYS).on_conflict_do_nothing(), new)
            keys |= {row.client: row.wrapped_key for row in connection.execute(query)}
        return keys

    def _row(self, entry: Entry, packed: Mapping[str, bytes], keys: Mapping[str, bytes]) -> dict[str, Any]:
        client = self.vault.pseudonym(entry.client)
        key = keys.get(client)
        row = {name: getattr(entry, name) for name in _PLAIN}
        sealed = {name: self.vault.seal(text, key, client, f"{entry.id} {name}") for name, text in packed.items()}
        return row | sealed | {"client": client, "data_key": None if key is None else client}

    def _existing_decisions(self, connection: sa.Connection, entries: Sequence[Entry]) -> list[StoredDecision | None]:
        """Return for each entry the other decision that has its Idempotency-Key, or None."""
        hashes = {entry.idempotency_hash for entry in entries if entry.idempotency_hash is not None}
        if not hashes:
            return [None] * len(entries)
        query = sa.select(DECISIONS.c.idempotency_hash, DECISIONS.c.id).where(DECISIONS.c.idempotency_hash.in_(hashes))
        existing = {row.idempotency_hash: row.id for row in connection.execute(query)}
        ids = [existing.get(entry.idempotency_hash, entry.id) for entry in entries]
        return [
            None if decision_id == entry.id else self._find(connection, decision_id)
            for entry, decision_id in zip(entries, ids, strict=True)
        ]

    def _find(self, connection: sa.Connection, decision_id: str) -> StoredDecision | None:
        query = (
            sa.select(DECISIONS, CLIENT_KEYS.c.wrapped_key)
            .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
            .where(DECISIONS.c.id == decision_id)
        )
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        opened = {
            name: None
            if row[name] is None
            else self.vault.open(row[name], row["wrapped_key"], row["client"], f"{row['id']} {name}")
            for name in _ENCRYPTED
        }
        return StoredDecision(**{name: row[name] for name in _STORED} | opened)

    def _review(self, row: sa.Row[Any]) -> StoredReview:
        content: dict[str, Any] = {"reason": None, "reviewer": None}
        if row.content is not None:
            content = json.loads(self.vault.open(row.content, row.wrapped_key, row.data_key or "", f"{row.id} content"))
        return StoredReview(**{name: getattr(row, name) for name in _PLAIN_OF_REVIEWS}, **content)
