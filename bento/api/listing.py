"""The list of decisions: its parameters, its cursor, and the summary of a decision."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import get_args

from starlette.datastructures import QueryParams

from bento.api.problems import unreadable, wrong_parameter
from bento.api.schemas import DecisionSummary, State
from bento.journal.entries import StoredDecision
from bento.journal.listing import Listed, ListedState, Place, Selection
from bento.journal.reviewing import Record
from bento.journal.vault import AlteredError, VaultError
from bento.model.manifest import ModelVersion
from bento.policy import Decision
from bento.settings import LIMITS

DEFAULT_SIZE = 50
MAX_CLIENT = 2**53 - 1
"""The largest SK_ID_CURR of a credit file."""
STATES: tuple[ListedState, ...] = get_args(ListedState)
CURSOR = re.compile(r"([0-9]{1,17})\.([0-9a-f-]{36})", re.ASCII)
"""Microseconds since 1970, and an id: each text of this form is a place."""
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def selection_of(query: QueryParams) -> Selection:
    """Return what a request selects; raise ProblemError for a parameter that is wrong."""
    return Selection(
        state=next(state for state in STATES if state == _choice(query, "state", STATES, "all")),
        outcome=_choice(query, "outcome", tuple(Decision), None),
        client=_number(query, "client", MAX_CLIENT),
        since=_moment(query, "since"),
        until=_moment(query, "until"),
    )


def size_of(query: QueryParams) -> int:
    """Return how many decisions a page has at most; raise ProblemError where that is wrong."""
    return _number(query, "limit", LIMITS.max_listed_decisions) or DEFAULT_SIZE


def place_of(query: QueryParams) -> Place | None:
    """Return the place after which a page begins, None for the first; raise ProblemError for no place."""
    if (value := query.get("after")) is None:
        return None
    match = CURSOR.fullmatch(value)
    if match is None:
        raise wrong_parameter("query", "after", "Input should be `next` of the page before")
    return Place(_EPOCH + int(match[1]) * _MICROSECOND, match[2])


def cursor(place: Place) -> str:
    """Write a place as `place_of` reads it.

    >>> cursor(Place(datetime(2026, 5, 4, tzinfo=UTC), "0a1b"))
    '1777852800000000.0a1b'
    """
    return f"{(place.decided_at - _EPOCH) // _MICROSECOND}.{place.id}"


def state_of(decision: StoredDecision, record: Record) -> State:
    """Return what has become of a decision, and whether a person has to look at it."""
    if decision.purged_at is not None:
        return "purged"
    if record.is_contested:
        return "contested"
    if record.reviews:
        return "reviewed"
    return "waiting" if decision.decision == Decision.REVIEW else "settled"


def outcome_of(decision: StoredDecision, record: Record) -> Decision:
    """Return what holds now: the decision, or what the latest review made of it."""
    return Decision(record.reviews[-1].outcome if record.reviews else decision.decision)


def summary(listed: Listed) -> DecisionSummary:
    """Return the summary of a decision; one that cannot be used has its problem instead."""
    place, decision, record = listed
    if isinstance(decision, VaultError) or isinstance(record, VaultError):
        error = decision if isinstance(decision, VaultError) else record
        fault = unreadable(is_altered=isinstance(error, AlteredError))
        return DecisionSummary(decision_id=place.id, decided_at=place.decided_at, problem=fault)
    return DecisionSummary(
        decision_id=place.id,
        decided_at=place.decided_at,
        state=state_of(decision, record),
        SK_ID_CURR=None if decision.answer is None else json.loads(decision.answer).get("SK_ID_CURR"),
        decision=Decision(decision.decision),
        outcome=outcome_of(decision, record),
        probability_of_default=decision.probability,
        model=ModelVersion(name=decision.model_name, version=decision.model_version),
        reviews=len(record.reviews),
        contests=len(record.contests),
        contested_at=record.contests[-1].contested_at if record.contests else None,
    )


def _choice(query: QueryParams, name: str, choices: tuple[str, ...], default: str | None) -> str | None:
    value = query.get(name, default)
    if value is not None and value not in choices:
        raise wrong_parameter("query", name, f"Input should be {', '.join(choices)}")
    return value


def _number(query: QueryParams, name: str, maximum: int) -> int | None:
    if (value := query.get(name)) is None:
        return None
    if not _NUMBER.fullmatch(value) or int(value) > maximum:
        raise wrong_parameter("query", name, f"Input should be a whole number from 1 to {maximum}")
    return int(value)


def _moment(query: QueryParams, name: str) -> datetime | None:
    if (value := query.get(name)) is None:
        return None
    wrong = wrong_parameter("query", name, "Input should be a moment with its time zone, such as 2026-05-04T00:00:00Z")
    if not _MOMENT.fullmatch(value):
        raise wrong
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise wrong from None
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within hours of the first or the last moment that there is
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)
