"""Settings that the environment may hold, read once at start, and the limits of the service."""

import difflib
import os
import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from bento import CorrectableError

KEYS_FILE_VARIABLE = "SCORING_KEYS_FILE"
AUTH_VARIABLE = "SCORING_AUTH"
DATA_VARIABLE = "SCORING_DATA"
MASTER_KEY_VARIABLE = "SCORING_MASTER_KEY_FILE"
ENCRYPTION_VARIABLE = "SCORING_ENCRYPTION"
RULES_VARIABLE = "SCORING_RULES"
JOURNAL_VARIABLE = "JOURNAL_URL"

CLIENT_VARIABLES = ("SCORING_API_URL", "SCORING_API_KEY")
"""Read by clients of the service, such as the UI; the service accepts them in a shared environment."""

_OWN_PREFIXES = ("SCORING_", "JOURNAL_")
_SERVICE_LINK = re.compile(r"\w+_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)")
"""Variables that Kubernetes sets for each of its services: one named `journal` gives JOURNAL_SERVICE_HOST."""

MIB = 2**20


class SettingsError(CorrectableError):
    """The environment holds a variable that is no setting."""


def _variable(name: str, description: str, default: str | None = None) -> Any:
    return Field(default=default, validation_alias=name, description=description)


class Settings(BaseSettings):
    """What the environment sets; an empty variable counts as absent."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True, case_sensitive=True)

    keys_file: str | None = _variable(KEYS_FILE_VARIABLE, "file of API keys: hashes only, read again when it changes")
    auth: str = _variable(AUTH_VARIABLE, "`off`: no keys are asked for, and only this machine is answered", default="")
    data_folder: str = _variable(DATA_VARIABLE, "folder of the journal where no address is set for it", default="data")
    journal_url: str | None = _variable(
        JOURNAL_VARIABLE, "sqlite:////path/journal.db or postgresql://user:password@host/database"
    )
    master_key_file: str | None = _variable(
        MASTER_KEY_VARIABLE, "32 random bytes in base64 that encrypt the journal's personal data; former keys below"
    )
    encryption: str = _variable(
        ENCRYPTION_VARIABLE,
        "`required`: no start without a master key; `off`: personal data is stored in clear; `optional`: either",
        default="optional",
    )
    rules_file: str | None = _variable(RULES_VARIABLE, "file of the lender's rules, by default bento/rules/rules.toml")
    bento_folder: str | None = _variable("BENTO_PATH", "the Bento of this container, with its model; BentoML sets it")
    bentoml_home: str | None = _variable("BENTOML_HOME", "BentoML's store of models and Bentos, by default ~/bentoml")

    @classmethod
    def read(cls) -> Self:
        """Read the environment; raise SettingsError where a variable with a prefix of this project is no setting."""
        accepted = {str(field.validation_alias) for field in cls.model_fields.values()} | {*CLIENT_VARIABLES}
        for name in sorted(os.environ):
            if name.startswith(_OWN_PREFIXES) and name not in accepted and _SERVICE_LINK.fullmatch(name) is None:
                (nearest,) = difflib.get_close_matches(name, sorted(accepted), n=1, cutoff=0)
                raise SettingsError(f"{name} is no setting of the service; the nearest is {nearest}")
        return cls()

    @property
    def requires_keys(self) -> bool:
        """Whether a request needs an API key: always, unless SCORING_AUTH is `off`."""
        return self.auth.lower() != "off"

    @property
    def journal_address(self) -> str:
        """URL of the journal's database: JOURNAL_URL, by default a SQLite file in the data folder."""
        return self.journal_url or f"sqlite:///{self.data_folder}/journal.db"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one worker process; what enforces a limit takes it as an argument."""

    workers: int = 2
    """Processes that answer: each takes up to 400 MiB."""
    request_timeout_s: int = 10
    """Seconds for a request; a container that is stopped needs as many to answer what it has accepted."""

    max_credit_file_bytes: int = 2 * MIB
    max_batch_bytes: int = 8 * MIB
    max_other_body_bytes: int = 64 * 2**10
    large_body_bytes: int = MIB
    """Bodies above this size are processed one after the other: each takes a hundred MiB once it is parsed."""
    body_timeout_s: float = 8.0
    """Seconds for a body to arrive, so that slow senders do not occupy the places of `max_concurrent_requests`."""

    max_concurrent_requests: int = 64
    max_concurrent_bytes: int = 32 * MIB
    """Bytes of all bodies in work."""
    requests_per_second: float = 300.0
    """Sustained rate of one API key."""
    max_burst: float = 600.0
    """Requests of one API key at once."""
    max_scored_per_loop_turn: int = 4
    """Requests scored in one event-loop iteration (`bento.api.process_tuning.ScoringSlots`)."""

    journal_timeout_s: float = 3.0
    """Seconds for a decision to be written."""
    statement_timeout_s: int = 2
    """Seconds for a connection, a statement or a lock, after which the database counts as unavailable."""
    max_decisions_per_commit: int = 500
    """Entries at which a transaction is closed; further ones wait for the next."""
    max_waiting_writes: int = 2000
    """Writes that may wait: more mean that the database is too slow for the requests."""
    close_timeout_s: float = 5.0
    """Seconds to write what is waiting when the service ends."""
    max_purged_per_transaction: int = 500
    """Decisions, or keys, in one transaction of a purge, so that the service can write in between."""
    maintenance_timeout_s: int = 600
    """Seconds for a connection, a statement or a lock of the journal's commands, which may read all decisions."""
    maintenance_pause_s: float = 0.15
    """Seconds between two transactions of a command: SQLite's lock goes to the process that asks first, and those that
    wait ask every tenth of a second."""
    write_probe_interval_s: float = 3.0
    """Seconds for which a journal counts as writable after a write, of a decision or of the readiness check."""
    head_interval_s: float = 60.0
    """Seconds between two lines of the log that name the last entry of the journal's chain."""


LIMITS = Limits()
