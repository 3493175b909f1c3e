"""Open the journal of the service for reading."""

from bento.journal.store import Journal
from bento.journal.vault import Vault
from bento.settings import Settings


def open_journal(url: str | None) -> Journal:
    """Open the journal at `url`, by default that of the environment.

    Raises:
        JournalError: there is none, it is of another schema, or encrypted and no master key is set.
        VaultError: it is encrypted under another master key.
    """
    settings = Settings.read()
    journal = Journal(url or settings.journal_address, Vault.from_file(settings.master_key_file))
    journal.check()
    return journal
