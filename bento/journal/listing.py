"""List decisions, newest first, in pages: each begins where the one before ended, although others decide meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa

from bento.journal.entries import StoredDecision
from bento.journal.reviewing import Record
from bento.journal.schema import CONTESTS, DECISIONS, REVIEWS
from bento.journal.vault import VaultError

PAGE_SIZE = 500
"""Decisions that one query of a period reads: a page takes some 15 MB, and larger ones are not read faster."""
ListedState = Literal["waiting", "contested", "reviewed", "all"]
"""waiting: the model left the decision to a person, and none has decided; contested: by the client, and
no review has come after; reviewed: a person has decided, and the client has not contested since."""


class Place(NamedTuple):
    """The place of a decision in the journal's order."""

    decided_at: datetime
    id: str


class Listed(NamedTuple):
    """A decision of a list, and its reviews and contests; an error instead of what cannot be used."""

    place: Place
    decision: StoredDecision | VaultError
    record: Record | VaultError


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which decisions are listed; what is None does not matter."""

    state: ListedState = "all"
    outcome: str | None = None
    """What holds now: the decision, or what the latest review made of it."""
    client: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""


_ORDER = sa.tuple_(DECISIONS.c.decided_at, DECISIONS.c.id)
_OF_THIS = {table: table.c.decision_id == DECISIONS.c.id for table in (REVIEWS, CONTESTS)}
_LATEST_OUTCOME = (
    sa.select(REVIEWS.c.outcome)
    .where(_OF_THIS[REVIEWS])
    .order_by(REVIEWS.c.reviewed_at.desc(), REVIEWS.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_IS_REVIEWED = sa.exists().where(_OF_THIS[REVIEWS])
_LATER_REVIEW = sa.exists().where(
    REVIEWS.c.decision_id == CONTESTS.c.decision_id, REVIEWS.c.reviewed_at > CONTESTS.c.contested_at
)
_CONTESTED = sa.select(CONTESTS.c.decision_id).where(~_LATER_REVIEW)
# As text: with a parameter, SQLite would not know that the index of these decisions holds them all.
_FOR_REVIEW = DECISIONS.c.decision == sa.literal_column("'review'")
_IS_KEPT = DECISIONS.c.purged_at.is_(None)
_STATES: dict[ListedState, tuple[sa.ColumnElement[bool], ...]] = {
    "waiting": (_FOR_REVIEW, _IS_KEPT, ~_IS_REVIEWED, ~sa.exists().where(_OF_THIS[CONTESTS])),
    "contested": (DECISIONS.c.id.in_(_CONTESTED), _IS_KEPT),
    "reviewed": (DECISIONS.c.id.in_(sa.select(REVIEWS.c.decision_id)), DECISIONS.c.id.not_in(_CONTESTED), _IS_KEPT),
    "all": (),
}


def page(
    selection: Selection, pseudonym: str | None, after: Place | None, size: int
) -> sa.Select[tuple[datetime, str]]:
    """Select the places of up to `size` decisions after one, newest first; `pseudonym` names the selection's client."""
    chosen = sa.select(DECISIONS.c.decided_at, DECISIONS.c.id).where(*_STATES[selection.state])
    if selection.state == "waiting":  # stands at `review`, as no person has decided; to look it up takes a second
        chosen = chosen if selection.outcome in (None, "review") else chosen.where(sa.false())
    elif selection.outcome is not None:
        chosen = chosen.where(sa.func.coalesce(_LATEST_OUTCOME, DECISIONS.c.decision) == selection.outcome)
        if selection.outcome == "review":  # implied by the condition before; with it the index is used
            chosen = chosen.where(_FOR_REVIEW)
    if pseudonym is not None:
        chosen = chosen.where(DECISIONS.c.client == pseudonym)
    if selection.since is not None:
        chosen = chosen.where(DECISIONS.c.decided_at >= selection.since)
    if selection.until is not None:
        chosen = chosen.where(DECISIONS.c.decided_at < selection.until)
    if after is not None:
        # The first condition is implied by the second; with it the index on `decided_at` is used.
        chosen = chosen.where(DECISIONS.c.decided_at <= after.decided_at, _ORDER < _tuple(after))
    return chosen.order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.id.desc()).limit(size)


def places_between(start: datetime, end: datetime, after: Place | None) -> sa.Select[tuple[datetime, str]]:
    """Select the places from `start` up to, not including, `end`, oldest first; those after a place, where given."""
    chosen = sa.select(DECISIONS.c.decided_at, DECISIONS.c.id)
    chosen = chosen.where(DECISIONS.c.decided_at >= start, DECISIONS.c.decided_at < end)
    if after is not None:  # the first condition is implied, as in `page`
        chosen = chosen.where(DECISIONS.c.decided_at >= after.decided_at, _ORDER > _tuple(after))
    return chosen.order_by(DECISIONS.c.decided_at, DECISIONS.c.id)


def _tuple(place: Place) -> sa.Tuple:
    return sa.tuple_(*place, types=[DECISIONS.c.decided_at.type, DECISIONS.c.id.type])
