"""Rotate the master key: encrypt every key in the database anew."""

from bento.journal.keys import rewrap_clients, rewrap_journal
from bento.journal.store import Journal
from bento.settings import LIMITS


def rotate(journal: Journal, size: int = LIMITS.max_purged_per_transaction) -> int:
    """Encrypt all keys under the first master key of the vault, `size` in one transaction; entries stay as they are.

    Returns:
        How many keys of clients were encrypted under another one before.

    Raises:
        JournalUnavailableError: it is not certain that all are; rotate again.
        VaultError: there is no master key, or none decrypts a key.
    """
    renewed, after = 0, ""
    with journal.transaction() as connection:
        rewrap_journal(connection, journal.vault)
    while True:
        with journal.transaction() as connection:
            names, changed = rewrap_clients(connection, journal.vault, after, size)
        renewed += changed
        if not names:
            return renewed
        after = names[-1]
        journal.pause()
