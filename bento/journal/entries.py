"""What the journal stores, and its errors."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from bento import CorrectableError


class JournalError(CorrectableError):
    """The journal cannot be used as it is; the message says what to do, in one line."""


class JournalUnavailableError(JournalError):
    """The database does not answer, or cannot write, at present."""


class ReviewConflictError(JournalError):
    """Another review was written since the history was read on which this one stands."""


@dataclass(frozen=True)
class Entry:
    """A decision on its way into the journal; `credit_file` and `answer` are JSON as sent and as answered."""

    client: int
    credit_file: bytes
    credit_file_hash: str
    answer: bytes
    decided_at: datetime
    key_id: str
    features_hash: str
    decision: str
    threshold: float
    probability: float
    model_name: str
    model_version: str
    model_tag: str
    bento: str
    code: str
    idempotency_hash: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class StoredReview:
    """A review as the journal holds it; reason and reviewer are None once purged."""

    reviewed_at: datetime
    key_id: str
    verdict: str
    outcome: str
    reason: str | None
    reviewer: str | None


@dataclass(frozen=True)
class StoredDecision:
    """A decision as the journal holds it; what concerns the person is None once purged."""

    id: str
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
    purged_at: datetime | None
    probability: float | None
    credit_file: bytes | None
    answer: bytes | None
