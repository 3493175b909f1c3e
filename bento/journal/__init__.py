"""The journal: every decision, durably, with what it takes to replay it.

`store` writes and reads entries, `writer` commits those of many requests together, `vault` encrypts what concerns a
person, `replay` decides again, `migrations` hold the schema. Commands: `python -m bento.journal --help`.
"""

from bento.journal.store import (
    DEFAULT_URL,
    URL_VARIABLE,
    Entry,
    Journal,
    JournalError,
    JournalUnavailableError,
    OvertakenError,
    Recorded,
    RecordedReview,
    journal_url,
)
from bento.journal.vault import Vault, VaultError
from bento.journal.writer import Writer

__all__ = [
    "DEFAULT_URL",
    "URL_VARIABLE",
    "Entry",
    "Journal",
    "JournalError",
    "JournalUnavailableError",
    "OvertakenError",
    "Recorded",
    "RecordedReview",
    "Vault",
    "VaultError",
    "Writer",
    "journal_url",
]
