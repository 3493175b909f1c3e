"""Decisions and reviews as the journal writes and returns them, and its errors."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from bento import CorrectableError
from bento.journal.causes import Cause
from bento.rules.rulebook import Rulebook


class JournalError(CorrectableError):
    """The journal cannot be used as it is; the message gives the remedy in one line."""


class JournalUnavailableError(JournalError):
    """The database does not answer, or cannot write, at present; `cause` says why, as a code."""

    def __init__(self, message: str, cause: Cause = "other") -> None:
        super().__init__(message)
        self.cause = cause


class OutcomeUnknownError(JournalUnavailableError):
    """The connection failed while a transaction was committed: its entries may be written or not."""


class ReviewConflictError(JournalError):
    """Another review, or a contest, was written after the decision was read."""


@dataclass(frozen=True, kw_only=True)
class _Record:
    """What an entry and a stored decision have in common; none of it concerns a person."""

    decided_at: datetime
    key_id: str
    credit_file_hash: str
    features_hash: str
    decision: str
    threshold: float
    model_name: str
    model_version: str
    model_tag: str
    bento: str
    code: str
    rules: str | None = None
    """Version of the rules in force; None for a decision made before there were any."""


@dataclass(frozen=True, kw_only=True)
class Entry(_Record):
    """A decision to write; `credit_file` and `answer` are the JSON of request and answer."""

    client: int
    credit_file: bytes
    answer: bytes
    probability: float
    rulebook: Rulebook | None = None
    """The rules of that version, which the journal stores once."""
    idempotency_hash: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, kw_only=True)
class StoredReview:
    """A review in the journal; reason and reviewer are None once purged."""

    reviewed_at: datetime
    key_id: str
    verdict: str
    outcome: str
    reason: str | None
    reviewer: str | None


@dataclass(frozen=True, kw_only=True)
class StoredContest:
    """The statement of a client against a decision; statement and recorder are None once purged."""

    contested_at: datetime
    key_id: str
    statement: str | None
    recorder: str | None


@dataclass(frozen=True, kw_only=True)
class StoredDecision(_Record):
    """A decision in the journal; probability, credit file and answer are None once purged."""

    id: str
    purged_at: datetime | None
    probability: float | None
    credit_file: bytes | None
    answer: bytes | None
