"""Decisions of the service's journal: list them, read one, review it, take down what the client states against it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import httpx
from pydantic import Field

from ui.answers import AnswerPart, Decision, FieldWarning, Model, Reason, Rule
from ui.client import NoAnswerError, request, validated

State = Literal["waiting", "contested", "reviewed", "settled", "purged"]
Verdict = Literal["same", "different", "other code", "other model", "purged"]
PAGE_SIZE = 20
"""Decisions of one page of a list."""


class Summary(AnswerPart):
    """A decision in a list; what cannot be read of an entry is None."""

    decision_id: str
    decided_at: datetime
    state: State | None
    client: int | None = Field(alias="SK_ID_CURR")
    decision: Decision | None
    outcome: Decision | None
    probability: float | None = Field(alias="probability_of_default")
    contested_at: datetime | None


class Listing(AnswerPart):
    """One page of a list, newest first; `following` asks for the next, None on the last."""

    decisions: tuple[Summary, ...]
    following: str | None = Field(alias="next")


class Review(AnswerPart):
    """A review; who reviewed and why are None once the decision is purged."""

    verdict: Literal["confirmed", "overturned"]
    outcome: Decision
    reason: str | None
    reviewer: str | None
    reviewed_at: datetime


class Contest(AnswerPart):
    """A client's statement against a decision; None once the decision is purged."""

    statement: str | None
    recorder: str | None
    contested_at: datetime


class Record(AnswerPart):
    """A decision as the journal holds it; what concerns the client is None once it is purged."""

    decision_id: str
    decided_at: datetime
    decision: Decision
    outcome: Decision
    state: State
    threshold: float
    model: Model
    probability: float | None = Field(alias="probability_of_default")
    rules: tuple[Rule, ...] | None
    reasons: tuple[Reason, ...] | None
    warnings: tuple[FieldWarning, ...] | None
    officer: str | None = None
    correction: str | None = None
    credit_file: dict[str, Any] | None
    reviews: tuple[Review, ...]
    contests: tuple[Contest, ...]
    received: dict[str, Any]
    """The answer as the service sent it."""


class Replay(AnswerPart):
    """Whether a decision comes out the same again."""

    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which decisions are listed; None where it does not matter."""

    state: str = "all"
    outcome: str | None = None
    client: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the request."""
        values: dict[str, Any] = {"state": self.state, "outcome": self.outcome, "client": self.client}
        moments = {"since": self.since, "until": self.until}
        values |= {name: None if moment is None else moment.isoformat() for name, moment in moments.items()}
        return {name: str(value) for name, value in values.items() if value is not None}


def listed(service: httpx.Client, filters: Filters, after: str | None) -> Listing:
    """Request a page of decisions, the first or the one `after` another; raise NoAnswerError where none comes."""
    query = filters.query | {"limit": str(PAGE_SIZE)} | ({} if after is None else {"after": after})
    response = request(service, "GET", f"/decisions?{httpx.QueryParams(query)}")
    return validated(Listing, response)


def read(service: httpx.Client, decision_id: str) -> Record | None:
    """Request a decision, None where the journal holds none of this id; raise NoAnswerError where no answer comes."""
    try:
        response = request(service, "GET", f"/decisions/{quote(decision_id, safe='')}")
    except NoAnswerError as fault:
        if fault.status == httpx.codes.NOT_FOUND:
            return None
        raise
    return validated(Record, response)


def review(service: httpx.Client, record: Record, outcome: Decision, reason: str, officer: str) -> None:
    """Confirm a decision or overturn it, with a written reason; raise NoAnswerError where it is not recorded.

    It is refused (`conflict`) where the client has contested since the record was read.
    """
    content = {
        "verdict": "confirmed" if outcome == record.outcome else "overturned",
        "outcome": outcome,
        "reason": reason,
        "reviewer": officer,
        "contests": len(record.contests),
    }
    request(service, "POST", f"/decisions/{record.decision_id}/review", content)


def contest(service: httpx.Client, record: Record, statement: str, officer: str) -> None:
    """Record a client's statement against a decision; the same one again is recorded once.

    Raises NoAnswerError where it is not recorded.
    """
    request(service, "POST", f"/decisions/{record.decision_id}/contest", {"statement": statement, "recorder": officer})


def is_of_another_person(fault: NoAnswerError) -> bool:
    """Return whether the access key names another person than the officer."""
    return fault.status == httpx.codes.FORBIDDEN and "another person" in fault.reason


def replay(service: httpx.Client, decision_id: str) -> Replay:
    """Have a decision made again on the same file; raise NoAnswerError where no answer comes."""
    return validated(Replay, request(service, "GET", f"/decisions/{quote(decision_id, safe='')}/replay"))
