"""The journal: write and read decisions and reviews in SQLite (WAL) or PostgreSQL."""

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bento.addresses import without_secrets
from bento.journal import chain
from bento.journal.database import commit_errors, insert_new, open_engine, translated_errors
from bento.journal.drawing import drawn
from bento.journal.entries import (
    Entry,
    JournalError,
    JournalUnavailableError,
    OutcomeUnknownError,
    StoredContest,
    StoredDecision,
    StoredReview,
)
from bento.journal.keys import client_keys, journal_keys, make_journal_keys
from bento.journal.listing import PAGE_SIZE, Listed, Place, Selection, page, places_between
from bento.journal.reading import ENCRYPTED, existing_decisions, find, find_all, sound
from bento.journal.reviewing import Record, add, records
from bento.journal.schema import CLIENT_KEYS, DECISIONS, REVIEWS, REVISION, RULEBOOKS
from bento.journal.sqlite_file import SqliteFile
from bento.journal.vault import JournalKeys, Vault, pack
from bento.rules.rulebook import Rulebook
from bento.settings import LIMITS, MASTER_KEY_VARIABLE

log = logging.getLogger("bentoml.credit_scoring")

_KEPT_RULEBOOKS = sa.select(RULEBOOKS.c.version).where(
    RULEBOOKS.c.version.in_(sa.bindparam("versions", expanding=True))
)
_PLAIN = tuple(name for name in Entry.__dataclass_fields__ if name not in ("client", "rulebook", *ENCRYPTED))


class Journal:
    """The decisions and reviews in one database. Safe to use from several threads and processes.

    After `timeout_s` seconds for a connection, a statement or a lock the database counts as unavailable: methods raise
    JournalUnavailableError, as they do where it does not answer or cannot write. For the URL see `open_engine`.
    """

    def __init__(self, url: str, vault: Vault, timeout_s: int = LIMITS.statement_timeout_s) -> None:
        self.vault = vault
        self.timeout_s = timeout_s
        self.engine = open_engine(url, timeout_s)
        self.writer = str(uuid.uuid4())
        """Names the chain that this process appends to."""
        self.head = chain.Head(self.writer, -1, b"")
        """The last entry that this process appended and committed."""
        self._appended = self.head
        self.written_at: float | None = None
        """When the last transaction was committed (`time.monotonic`)."""
        self._logged_head, self._head_logged_at = self.head, float("-inf")
        self._appending = threading.Lock()
        self._keys: JournalKeys | None = None
        self._file: SqliteFile | None = None
        sa.event.listen(self.engine, "connect", lambda *_: self._forget_keys())
        is_on_postgresql = self.engine.dialect.name == "postgresql"
        if not is_on_postgresql:
            self._file = SqliteFile(Path(self.engine.url.database or ""))
            self._file.watch(self.engine)
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if is_on_postgresql else {"reading": True}
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
                raise JournalError(
                    f"{self.address} holds encrypted entries; name its master key in {MASTER_KEY_VARIABLE}"
                )
            journal_keys(connection, self.vault)
        if key is not None:
            self.vault.check(key.wrapped_key, key.client)

    def revision(self) -> str | None:
        """Return the revision of the database's schema, or None if it has none."""
        if self._file is not None and not self._file.path.exists():
            return None
        with self.reader() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return None if revision is None else str(revision)

    def write(self, entries: Sequence[Entry]) -> list[StoredDecision | None]:
        """Write entries in one durable transaction; an entry that is written again is stored once.

        Returns:
            For each entry None if it was written, or the decision that already has its Idempotency-Key.

        Raises:
            OutcomeUnknownError: it is not known whether the entries are written.
            JournalUnavailableError: none of the entries is written.
            VaultError: a client's key, or a decision that has an Idempotency-Key, cannot be decrypted.
        """
        # Always in the same order: otherwise two processes with the same keys could wait for each other.
        ordered = sorted(entries, key=lambda entry: entry.idempotency_hash or "")
        # Compression takes longest and comes before the transaction: in SQLite all others wait for the one that writes.
        packed = [{name: pack(getattr(entry, name)) for name in ENCRYPTED} for entry in ordered]
        rulebooks = {entry.rulebook.version: entry.rulebook for entry in entries if entry.rulebook is not None}
        with self.appending() as connection:
            self._keep_rulebooks(connection, rulebooks)
            keys = self.writing_keys(connection)
            names = {entry.id: keys.pseudonym(entry.client) for entry in entries}
            wrapped = client_keys(connection, self.vault, set(names.values()))
            rows = [
                self._row(entry, texts, names[entry.id], wrapped) for entry, texts in zip(ordered, packed, strict=True)
            ]
            inserted = connection.execute(insert_new(connection, DECISIONS), rows).rowcount
            existing: list[StoredDecision | None] = [None] * len(entries)
            new = {entry.id for entry in entries}
            if inserted != len(rows):  # otherwise none has the id or the Idempotency-Key of another decision
                existing = existing_decisions(connection, self.vault, keys, entries)
                new = {entry.id for entry, other in zip(entries, existing, strict=True) if other is None}
                new -= chain.covered(connection, keys, chain.DECISION, new)  # those that are written again
            self.append(connection, chain.DECISION, {row["id"]: row for row in rows if row["id"] in new}.values())
            return existing

    def find(self, decision_id: str) -> StoredDecision | None:
        """Return the decision of an id, or None.

        Raises:
            VaultError: it cannot be decrypted.
            AlteredError: it is not as it was written.
        """
        with self.reader() as connection:
            return find(connection, self.vault, self.reading_keys(connection), decision_id)

    def ids(self, limit: int | None = None) -> list[str]:
        """Return the ids of decisions that are not purged, in any order; with a limit, as many drawn at random."""
        query = sa.select(DECISIONS.c.id).where(DECISIONS.c.purged_at.is_(None))
        with self.reader() as connection:
            if limit is not None:
                return drawn(connection, query, limit)
            return [str(value) for value in connection.execute(query).scalars()]

    def portions(self, size: int = LIMITS.max_purged_per_transaction) -> Iterator[Sequence[str]]:
        """Yield the ids of all decisions that are not purged, `size` at a time, in alphabetical order."""
        after = ""
        while True:
            query = sa.select(DECISIONS.c.id).where(DECISIONS.c.purged_at.is_(None), DECISIONS.c.id > after)
            with self.reader() as connection:
                ids = connection.execute(query.order_by(DECISIONS.c.id).limit(size)).scalars().all()
            if not ids:
                return
            yield ids
            after = ids[-1]

    def decided_between(self, start: datetime, end: datetime, page_size: int = PAGE_SIZE) -> Iterator[StoredDecision]:
        """Yield the decisions from `start` up to, not including, `end`, oldest first; errors as `find`.

        They are read `page_size` at a time, so that any number fits into memory.
        """
        place = None
        while True:
            query = places_between(start, end, place).limit(page_size)
            # A connection for each page: a statement that stays open while decisions are used would hold the database.
            with self.reader() as connection:
                places = [Place(row.decided_at, row.id) for row in connection.execute(query)]
                if not places:
                    return
                ids = [place.id for place in places]
                decisions = find_all(connection, self.vault, self.reading_keys(connection), ids)
            yield from (sound(decisions[decision_id]) for decision_id in ids if decision_id in decisions)
            place = places[-1]

    def listed(self, selection: Selection, after: Place | None, size: int) -> list[Listed]:
        """Return up to `size` decisions after a place, newest first, each with its reviews and contests.

        One that is altered or cannot be decrypted is replaced by its error, and so are its reviews and contests.
        """
        with self.reader() as connection:
            keys = self.reading_keys(connection)
            pseudonym = None if selection.client is None else keys.pseudonym(selection.client)
            rows = connection.execute(page(selection, pseudonym, after, size))
            places = [Place(row.decided_at, row.id) for row in rows]
            ids = [place.id for place in places]
            decisions = find_all(connection, self.vault, keys, ids)
            by_decision = records(connection, self.vault, keys, ids)
        return [Listed(place, decisions[place.id], by_decision[place.id]) for place in places if place.id in decisions]

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

    def record(self, decision_id: str) -> Record:
        """Return the reviews and contests of a decision; errors as `find`."""
        with self.reader() as connection:
            return sound(records(connection, self.vault, self.reading_keys(connection), [decision_id])[decision_id])

    def reviews(self, decision_id: str) -> list[StoredReview]:
        """Return the reviews of a decision, oldest first; errors as `find`."""
        return list(self.record(decision_id).reviews)

    def reviewed_between(self, start: datetime, end: datetime) -> set[str]:
        """Return the ids of the decisions from `start` up to and including `end` that have a review."""
        query = sa.select(REVIEWS.c.decision_id).join(DECISIONS, DECISIONS.c.id == REVIEWS.c.decision_id)
        query = query.where(DECISIONS.c.decided_at.between(start, end))
        with self.reader() as connection:
            return {str(value) for value in connection.execute(query).scalars()}

    def add_review(self, decision_id: str, review: StoredReview, earlier: tuple[int, int] | None = None) -> bool:
        """Append a review durably; return False if there is no such decision or it is purged.

        The review is later than every review and contest, of which the reviewer knew the numbers `earlier`; None if
        they do not matter.

        Raises:
            JournalUnavailableError: it is not certain that the review was written.
            ReviewConflictError: there are more reviews or contests by now; nothing is written.
            VaultError: the client's key cannot be decrypted.
        """
        return self._add(chain.REVIEW, decision_id, review, earlier)

    def add_contest(self, decision_id: str, contest: StoredContest, earlier: tuple[int, int] | None = None) -> bool:
        """Append a client's statement against a decision; returns and errors as `add_review`."""
        return self._add(chain.CONTEST, decision_id, contest, earlier)

    def _add(
        self, kind: str, decision_id: str, remark: StoredReview | StoredContest, earlier: tuple[int, int] | None
    ) -> bool:
        with self.appending() as connection:
            row = add(connection, self.vault, decision_id, remark, earlier)
            if row is None:
                return False
            self.append(connection, kind, [row])
        return True

    def close(self) -> None:
        """Close all connections."""
        self.log_head(0)
        self.engine.dispose()

    @contextmanager
    def reader(self) -> Iterator[sa.Connection]:
        """Open a connection for reading; it takes no lock."""
        with translated_errors(self.address), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Open a transaction: committed at the end of the block, rolled back if it raises.

        Raises:
            OutcomeUnknownError: it is not known whether it was committed.
            JournalUnavailableError: nothing was committed.
        """
        with translated_errors(self.address), self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            with commit_errors(self.address):
                transaction.commit()
            if self._file is not None and not self._file.is_same(connection):
                raise OutcomeUnknownError(f"{self.address}: the file was replaced while it was written", "replaced")
        self.written_at = time.monotonic()

    @contextmanager
    def rolled_back(self) -> Iterator[sa.Connection]:
        """Open a transaction that is rolled back at the end of the block."""
        with translated_errors(self.address), self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def appending(self) -> Iterator[sa.Connection]:
        """Open a transaction that may `append`, one at a time; errors as `transaction`."""
        if not self._appending.acquire(timeout=self.timeout_s):
            raise JournalUnavailableError(f"{self.address}: another write takes too long", "locked")
        try:
            self._appended = self.head
            with self.transaction() as connection:
                yield connection
            self.head = self._appended
            self.log_head()
        finally:
            self._appending.release()

    def append(self, connection: sa.Connection, kind: str, rows: Iterable[chain.Row]) -> None:
        """Append rows of `decisions`, `reviews` or `contests`, or purges, to the chain, within `appending`."""
        keys = self.writing_keys(connection)
        links = [chain.link(keys, kind, row) for row in rows]
        if links:
            self._appended = chain.append(connection, keys, self.writer, links)

    def pause(self) -> None:
        """Let the service write between two transactions of a command; in PostgreSQL it does not wait for them."""
        if self._file is not None:
            time.sleep(LIMITS.maintenance_pause_s)

    def reading_keys(self, connection: sa.Connection) -> JournalKeys:
        """Return the keys of the journal itself."""
        return self._keys or journal_keys(connection, self.vault)

    def writing_keys(self, connection: sa.Connection) -> JournalKeys:
        """Return the keys of the journal itself, stored by the first transaction that needs them."""
        if self._keys is None:
            keys = make_journal_keys(connection, self.vault)
            sa.event.listen(connection, "commit", lambda _: setattr(self, "_keys", keys), once=True)
            return keys
        return self._keys

    def log_head(self, interval_s: float = LIMITS.head_interval_s) -> None:
        """Name the last entry of the chain in the log, where the owner of the database cannot rewrite it.

        Without effect where it is named already, and within `interval_s` seconds of the last time.
        """
        if self.head != self._logged_head and time.monotonic() - self._head_logged_at >= interval_s:
            self._logged_head, self._head_logged_at = self.head, time.monotonic()
            log.info("journal head %s", self._logged_head)

    def _forget_keys(self) -> None:
        """Read the keys again after a new connection: it may be to another file, or to a restored database."""
        self._keys = None

    def _keep_rulebooks(self, connection: sa.Connection, rulebooks: Mapping[str, Rulebook]) -> None:
        """Store rules that the database does not hold; it is asked each time, as another file may replace it."""
        missing = rulebooks.keys() - connection.execute(_KEPT_RULEBOOKS, {"versions": list(rulebooks)}).scalars()
        if missing:
            now = datetime.now(UTC)
            new = [{"version": name, "content": rulebooks[name].content, "kept_at": now} for name in sorted(missing)]
            connection.execute(insert_new(connection, RULEBOOKS), new)

    def _row(
        self, entry: Entry, packed: Mapping[str, bytes], client: str, wrapped: Mapping[str, bytes]
    ) -> dict[str, Any]:
        key = wrapped.get(client)
        row = {name: getattr(entry, name) for name in _PLAIN}
        sealed = {name: self.vault.seal(text, key, client, f"{entry.id} {name}") for name, text in packed.items()}
        return row | sealed | {"client": client, "data_key": None if key is None else client}
