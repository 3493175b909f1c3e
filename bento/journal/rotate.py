"""Rotate the master key: encrypt every key in the database anew."""

from bento.journal.keys import replace_wrapped, rewrap_journal, wrapped_after
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
        with journal.reader() as connection:
            keys = wrapped_after(connection, after, size)
        if not keys:
            return renewed
        # Encrypted before the transaction: in SQLite the service waits for that.
        again = [(client, wrapped, journal.vault.rewrapped(wrapped, client)) for client, wrapped in keys]
        changes = [(client, wrapped, new) for client, wrapped, new in again if new is not None]
        if changes:
            with journal.transaction() as connection:
                replace_wrapped(connection, changes)
            journal.pause()
        renewed += len(changes)
        after = keys[-1][0]
