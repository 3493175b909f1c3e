"""What persons say about a decision: reviews by officers, and contests by the client, appended and never rewritten.

Each is encrypted with the key of the decision's client, covered by the chain, and emptied with the decision.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from bento.journal import chain
from bento.journal.chain import Row
from bento.journal.entries import ReviewConflictError, StoredContest, StoredReview
from bento.journal.reading import require_key
from bento.journal.schema import CLIENT_KEYS, CONTESTS, DECISIONS, REVIEWS
from bento.journal.vault import AlteredError, JournalKeys, Vault, VaultError, pack

Stored = TypeVar("Stored", StoredReview, StoredContest)


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Stored]):
    """Where reviews, or contests, lie."""

    name: str
    """As the chain names it."""
    table: sa.Table
    stored: type[Stored]
    moment: str
    plain: tuple[str, ...]
    """Columns that are not encrypted."""
    personal: tuple[str, ...]
    """Fields of the column `content`."""


REVIEW = Kind(
    name=chain.REVIEW,
    table=REVIEWS,
    stored=StoredReview,
    moment="reviewed_at",
    plain=("reviewed_at", "key_id", "verdict", "outcome"),
    personal=("reason", "reviewer"),
)
CONTEST = Kind(
    name=chain.CONTEST,
    table=CONTESTS,
    stored=StoredContest,
    moment="contested_at",
    plain=("contested_at", "key_id"),
    personal=("statement", "recorder"),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """The reviews and contests of one decision, each oldest first."""

    reviews: tuple[StoredReview, ...] = ()
    contests: tuple[StoredContest, ...] = ()

    @property
    def is_contested(self) -> bool:
        """Whether the client has contested and no review has come after."""
        return bool(self.unanswered)

    @property
    def unanswered(self) -> tuple[StoredContest, ...]:
        """The contests that no review has come after."""
        reviewed_at = self.reviews[-1].reviewed_at if self.reviews else None
        return tuple(item for item in self.contests if reviewed_at is None or item.contested_at > reviewed_at)


def records(
    connection: sa.Connection, vault: Vault, keys: JournalKeys, ids: Sequence[str]
) -> dict[str, Record | VaultError]:
    """Return reviews and contests by decision; in place of what is altered or cannot be decrypted, the error."""
    reviews, contests = (_of_kind(connection, vault, keys, kind, ids) for kind in (REVIEW, CONTEST))
    by_decision: dict[str, Record | VaultError] = {}
    for decision_id in ids:
        try:
            by_decision[decision_id] = Record(
                reviews=tuple(_all(reviews[decision_id])), contests=tuple(_all(contests[decision_id]))
            )
        except VaultError as error:
            by_decision[decision_id] = error
    return by_decision


def add(
    connection: sa.Connection,
    vault: Vault,
    decision_id: str,
    remark: StoredReview | StoredContest,
    earlier: tuple[int, int] | None = None,
) -> dict[str, Any] | None:
    """Insert a review or a contest in a transaction; return its row, None where the decision is unknown or purged.

    `earlier` are the numbers of reviews and contests that its writer knew, None where that does not matter.

    Raises:
        ReviewConflictError: there are more by now.
        VaultError: the client's key cannot be decrypted.
    """
    query = (
        sa.select(DECISIONS.c.data_key, CLIENT_KEYS.c.wrapped_key)
        .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
        .where(DECISIONS.c.id == decision_id, DECISIONS.c.purged_at.is_(None))
        .with_for_update(of=DECISIONS)  # a purge, another review or a contest at the same time waits
    )
    decision = connection.execute(query).first()
    if decision is None:
        return None
    if earlier is not None and _counts(connection, decision_id) != earlier:
        raise ReviewConflictError(f"another review or contest of {decision_id} was written meanwhile")
    kind = REVIEW if isinstance(remark, StoredReview) else CONTEST
    entry_id = str(uuid.uuid4())
    text = json.dumps({name: getattr(remark, name) for name in kind.personal}).encode()
    content = vault.seal(pack(text), decision.wrapped_key, decision.data_key or "", f"{entry_id} content")
    row = {name: getattr(remark, name) for name in kind.plain}
    row |= {"id": entry_id, "decision_id": decision_id, "content": content}
    connection.execute(kind.table.insert(), row)
    return row


def _counts(connection: sa.Connection, decision_id: str) -> tuple[int, int]:
    reviews, contests = (
        connection.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.decision_id == decision_id)
        ).scalar_one()
        for table in (REVIEWS, CONTESTS)
    )
    return reviews, contests


def _of_kind(
    connection: sa.Connection, vault: Vault, keys: JournalKeys, kind: Kind[Stored], ids: Sequence[str]
) -> dict[str, list[Stored | VaultError]]:
    table = kind.table
    query = (
        sa.select(table, DECISIONS.c.data_key, DECISIONS.c.purged_at, CLIENT_KEYS.c.wrapped_key)
        .join(DECISIONS, DECISIONS.c.id == table.c.decision_id)
        .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
        .where(table.c.decision_id.in_(ids))
        .order_by(table.c[kind.moment], table.c.id)
    )
    rows = connection.execute(query).mappings().all()
    purged = {row["id"] for row in rows if row["purged_at"] is not None}
    altered = chain.altered(connection, keys, kind.name, rows, purged=purged)
    by_decision = defaultdict[str, list[Stored | VaultError]](list)
    for row in rows:
        try:
            by_decision[row["decision_id"]].append(_opened(vault, kind, row, is_altered=bool(altered[row["id"]])))
        except VaultError as error:
            by_decision[row["decision_id"]].append(error)
    return by_decision


def _opened(vault: Vault, kind: Kind[Stored], row: Row, *, is_altered: bool) -> Stored:
    content: dict[str, Any] = dict.fromkeys(kind.personal)
    if row["content"] is not None:
        require_key(row, f"{kind.name} {row['id']}")
        text = vault.open(row["content"], row["wrapped_key"], row["data_key"] or "", f"{row['id']} content")
        content = json.loads(text)
    lacks_content = row["content"] is None and row["purged_at"] is None
    if lacks_content or is_altered:
        raise AlteredError(f"{kind.name} {row['id']} is not as it was written; see: python -m bento journal verify")
    return kind.stored(**{name: row[name] for name in kind.plain}, **content)


def _all(entries: Sequence[Stored | VaultError]) -> Sequence[Stored]:
    for entry in entries:
        if isinstance(entry, VaultError):
            raise entry
    return entries  # type: ignore[return-value]
