"""The tables of the journal for SQLAlchemy; the migrations make them in the database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

REVISION = "0001"
"""The schema that this code writes and reads: that of the newest migration."""


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, also in SQLite, which stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write UTC."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()

CLIENT_KEYS = Table(
    "client_keys",
    METADATA,
    Column("client", String(64), primary_key=True, doc="pseudonym: HMAC of SK_ID_CURR under the master key"),
    Column("wrapped_key", LargeBinary, nullable=False, doc="the client's key, encrypted under the master key"),
    Column("created_at", Moment, nullable=False),
)

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("decided_at", Moment, nullable=False),
    Column("key_id", String(40), nullable=False, doc="the API key that asked"),
    Column("idempotency_hash", String(64), unique=True, doc="of API key and Idempotency-Key; null without one"),
    Column("credit_file_hash", String(64), nullable=False, doc="SHA-256 of the credit file as it was sent"),
    Column("features_hash", String(64), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("threshold", Float, nullable=False),
    Column("model_name", String(100), nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("model_tag", String(200), nullable=False, doc="of the model in the BentoML store"),
    Column("bento", String(200), nullable=False),
    Column("code", String(64), nullable=False, doc="fingerprint of code and numeric libraries"),
    # What concerns the person, null once purged.
    Column("client", String(64), doc="pseudonym as in client_keys, or SK_ID_CURR where nothing is encrypted"),
    Column("data_key", String(64), ForeignKey("client_keys.client"), doc="whose key encrypts; null: plain"),
    Column("probability", Float, doc="of default"),
    Column("credit_file", LargeBinary, doc="JSON as it was sent, compressed, then encrypted"),
    Column("answer", LargeBinary, doc="JSON as it was answered, reasons included, compressed, then encrypted"),
    Column("purged_at", Moment),
    Index("decisions_decided_at", "decided_at"),
    Index("decisions_client", "client"),
    Index("decisions_data_key", "data_key"),
)

REVIEWS = Table(
    "reviews",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("decision_id", String(36), ForeignKey("decisions.id"), nullable=False, index=True),
    Column("reviewed_at", Moment, nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("content", LargeBinary, doc="JSON: reason and reviewer, compressed, then encrypted; null once purged"),
)

PERSONAL = ("client", "data_key", "probability", "credit_file", "answer")
"""Columns of `decisions` that a purge empties."""
