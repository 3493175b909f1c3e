"""The tables of the journal for SQLAlchemy; the migrations make them in the database."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

REVISION = "0004"
"""The schema that this code writes and reads: that of the newest migration."""


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC, also in SQLite, which stores no time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Write UTC."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Read UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = sa.MetaData()

CLIENT_KEYS = sa.Table(
    "client_keys",
    METADATA,
    sa.Column("client", sa.String(64), primary_key=True, doc="pseudonym: HMAC of SK_ID_CURR under the master key"),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False, doc="the client's key, encrypted under the master key"),
    sa.Column("created_at", Moment, nullable=False),
)

JOURNAL_KEYS = sa.Table(
    "journal_keys",
    METADATA,
    sa.Column("name", sa.String(20), primary_key=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False, doc="of pseudonyms and chain, encrypted as those above"),
    sa.Column("created_at", Moment, nullable=False),
)

RULEBOOKS = sa.Table(
    "rulebooks",
    METADATA,
    sa.Column("version", sa.String(64), primary_key=True, doc="digest of the content"),
    sa.Column("content", sa.Text, nullable=False, doc="the rules as JSON; none of it concerns a person"),
    sa.Column("kept_at", Moment, nullable=False),
)

DECISIONS = sa.Table(
    "decisions",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False, doc="the API key that asked"),
    sa.Column("idempotency_hash", sa.String(64), unique=True, doc="of API key and Idempotency-Key; null without one"),
    sa.Column("credit_file_hash", sa.String(64), nullable=False, doc="SHA-256 of the credit file as it was sent"),
    sa.Column("features_hash", sa.String(64), nullable=False),
    sa.Column("decision", sa.String(10), nullable=False),
    sa.Column("threshold", sa.Float, nullable=False),
    sa.Column("model_name", sa.String(100), nullable=False),
    sa.Column("model_version", sa.String(100), nullable=False),
    sa.Column("model_tag", sa.String(200), nullable=False, doc="of the model in the BentoML store"),
    sa.Column("bento", sa.String(200), nullable=False),
    sa.Column("code", sa.String(64), nullable=False, doc="fingerprint of code and numeric libraries"),
    sa.Column(
        "rules", sa.String(64), sa.ForeignKey("rulebooks.version"), doc="the rules in force; null before there were any"
    ),
    # What concerns the person, null once purged.
    sa.Column("client", sa.String(64), doc="pseudonym as in client_keys, or SK_ID_CURR where nothing is encrypted"),
    sa.Column("data_key", sa.String(64), doc="whose key in client_keys encrypts; null: plain"),
    sa.Column("probability", sa.Float, doc="of default"),
    sa.Column("credit_file", sa.LargeBinary, doc="JSON as it was sent, compressed, then encrypted"),
    sa.Column("answer", sa.LargeBinary, doc="JSON as it was answered, reasons included, compressed, then encrypted"),
    sa.Column("purged_at", Moment),
    sa.Index("decisions_decided_at", "decided_at"),
    sa.Index("decisions_client", "client"),
    sa.Index("decisions_data_key", "data_key"),
    # Few decisions are for a person: without this index their list would read all of them.
    sa.Index(
        "decisions_for_review",
        "decided_at",
        "id",
        "purged_at",
        sqlite_where=sa.text("decision = 'review'"),
        postgresql_where=sa.text("decision = 'review'"),
        postgresql_concurrently=True,  # made by `bento.journal.indexes`
    ),
)

REVIEWS = sa.Table(
    "reviews",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.id"), nullable=False, index=True),
    sa.Column("reviewed_at", Moment, nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.Column("verdict", sa.String(10), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("content", sa.LargeBinary, doc="JSON: reason and reviewer, compressed, then encrypted; null once purged"),
)

CONTESTS = sa.Table(
    "contests",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.id"), nullable=False, index=True),
    sa.Column("contested_at", Moment, nullable=False),
    sa.Column("key_id", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, doc="JSON: statement of the client and who took it down, as in `reviews`"),
)

CHAIN = sa.Table(
    "chain",
    METADATA,
    sa.Column("writer", sa.String(36), primary_key=True, doc="the process that appended, which has a chain by itself"),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, doc="0, 1, 2, … without a gap"),
    sa.Column("kind", sa.String(10), nullable=False, doc="decision, review, contest or purge"),
    sa.Column("entry", sa.String(36), nullable=False, doc="id of the decision, the review or the contest"),
    sa.Column("keyed", sa.Boolean, nullable=False, doc="under a secret key; false in a journal without encryption"),
    sa.Column("kept", sa.LargeBinary, nullable=False, doc="HMAC of the columns that nothing changes"),
    sa.Column("personal", sa.LargeBinary, doc="HMAC of the columns that a purge empties"),
    sa.Column("mac", sa.LargeBinary, nullable=False, doc="HMAC of this row and of the `mac` before it"),
    sa.Index("chain_entry", "entry"),
)

PERSONAL = ("client", "data_key", "probability", "credit_file", "answer")
"""Columns of `decisions` that a purge empties."""
