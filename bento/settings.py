"""Settings that the environment may hold, read once at start, and the limits of the service."""

import difflib
import ipaddress
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bento import CorrectableError

KEYS_FILE_VARIABLE = "SCORING_KEYS_FILE"
AUTH_VARIABLE = "SCORING_AUTH"
DATA_VARIABLE = "SCORING_DATA"
MASTER_KEY_VARIABLE = "SCORING_MASTER_KEY_FILE"
ENCRYPTION_VARIABLE = "SCORING_ENCRYPTION"
RULES_VARIABLE = "SCORING_RULES"
LOG_FORMAT_VARIABLE = "SCORING_LOG_FORMAT"
JOURNAL_VARIABLE = "JOURNAL_URL"

CLIENT_VARIABLES = ("SCORING_API_URL", "SCORING_API_KEY")
"""Read by clients of the service, such as the UI; the service accepts them in a shared environment."""

_OWN_PREFIXES = ("SCORING_", "JOURNAL_")
_SERVICE_LINK = re.compile(r"\w+_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)")
"""Variables that Kubernetes sets for each of its services: one named `journal` gives JOURNAL_SERVICE_HOST."""

MIB = 2**20


class SettingsError(CorrectableError):
    """The environment holds a variable that is no setting, or a value that its setting cannot have."""


def _variable(name: str, description: str, default: float | str | None = None, **bounds: Any) -> Any:
    return Field(default=default, validation_alias=name, description=description, **bounds)


def _path(name: str, description: str, default: str | None = None) -> Any:
    """Declare a file or folder: `Settings.resolved` makes it absolute."""
    return _variable(name, description, default, json_schema_extra={"is_path": True})


class Settings(BaseSettings):
    """What the environment sets; an empty variable counts as absent."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True, case_sensitive=True)

    keys_file: str | None = _path(KEYS_FILE_VARIABLE, "file of API keys: hashes only, read again when it changes")
    auth: Literal["on", "off"] = _variable(
        AUTH_VARIABLE, "`off`: no keys are asked for, and only this machine is answered", default="on"
    )
    data_folder: str = _path(DATA_VARIABLE, "folder of the journal where no address is set for it", default="data")
    journal_url: str | None = _variable(
        JOURNAL_VARIABLE, "sqlite:////path/journal.db or postgresql://user:password@host/database"
    )
    master_key_file: str | None = _path(
        MASTER_KEY_VARIABLE, "32 random bytes in base64 that encrypt the journal's personal data; former keys below"
    )
    encryption: str = _variable(
        ENCRYPTION_VARIABLE,
        "`required`: no start without a master key; `off`: personal data is stored in clear; `optional`: either",
        default="optional",
    )
    rules_file: str | None = _path(RULES_VARIABLE, "file of the lender's rules, by default bento/rules/rules.toml")
    key_rate: float = _variable(
        "SCORING_KEY_RATE", "requests a second of one API key, in each worker", default=30.0, gt=0, le=10_000
    )
    key_places: int = _variable(
        "SCORING_KEY_PLACES", "requests of one API key in work at once, in each worker", default=16, ge=1, le=64
    )
    max_connections: int = _variable(
        "SCORING_MAX_CONNECTIONS",
        "connections of one worker; five eighths of its open files at most",
        default=512,
        ge=8,
    )
    trusted_proxies: str = _variable(
        "SCORING_TRUSTED_PROXIES",
        "addresses or networks, separated by commas, whose X-Forwarded-For names the client; by default none",
        default="",
    )
    metrics_auth: Literal["on", "off"] = _variable(
        "SCORING_METRICS_AUTH", "`on`: /metrics asks for a key with the scope `metrics`", default="off"
    )
    log_format: Literal["json", "text"] = _variable(
        LOG_FORMAT_VARIABLE, "`json`: one JSON object a line, as in the container; or `text`", default="text"
    )
    bento_folder: str | None = _variable("BENTO_PATH", "the Bento of this container, with its model; BentoML sets it")
    bentoml_home: str | None = _variable("BENTOML_HOME", "BentoML's store of models and Bentos, by default ~/bentoml")

    @field_validator("auth", "metrics_auth", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        """Return the list without blanks: uvicorn takes an entry that is no address for the name of a socket."""
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        for entry in entries:
            ipaddress.ip_network(entry)
        return ",".join(entries)

    @classmethod
    def read(cls) -> Self:
        """Read the environment.

        Raises:
            SettingsError: a variable with a prefix of this project is no setting, or a setting has an unusable value.
        """
        accepted = {str(field.validation_alias) for field in cls.model_fields.values()} | {*CLIENT_VARIABLES}
        for name in sorted(os.environ):
            if name.startswith(_OWN_PREFIXES) and name not in accepted and _SERVICE_LINK.fullmatch(name) is None:
                (nearest,) = difflib.get_close_matches(name, sorted(accepted), n=1, cutoff=0)
                raise SettingsError(f"{name} is no setting of the service; the nearest is {nearest}")
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise SettingsError(f"{first['loc'][0]}: {first['msg']}; correct it, or leave it out") from error

    def resolved(self) -> Self:
        """Return the settings with absolute paths, as seen from the present folder: workers run in another."""
        paths = {
            name: str(Path(getattr(self, name)).expanduser().absolute())
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict) and "is_path" in field.json_schema_extra
            if getattr(self, name)
        }
        return self.model_copy(update={**paths, "journal_url": _absolute(self.journal_address)})

    @property
    def requires_keys(self) -> bool:
        """Whether a request needs an API key: always, unless SCORING_AUTH is `off`."""
        return self.auth != "off"

    @property
    def limits(self) -> "Limits":
        """The limits of a worker, with those that the environment sets."""
        return replace(
            LIMITS,
            requests_per_second=self.key_rate,
            max_burst=max(1.0, BURST_S * self.key_rate),
            max_concurrent_per_key=self.key_places,
            max_connections=self.max_connections,
        )

    @property
    def journal_address(self) -> str:
        """URL of the journal's database: JOURNAL_URL, by default a SQLite file in the data folder."""
        return self.journal_url or f"sqlite:///{self.data_folder}/journal.db"


def _absolute(url: str) -> str:
    """Return a journal's URL whose path does not depend on the folder of the process."""
    path = url.removeprefix("sqlite:///")
    return f"sqlite:///{Path(path).absolute()}" if path not in ("", url, ":memory:") else url


BURST_S = 2
"""Seconds of the rate of an API key that it may ask for at once."""


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
    max_concurrent_per_key: int = 16
    """Requests of one API key in work: a quarter, so that one that sends slowly leaves places to the others."""
    max_bytes_per_key: int = 16 * MIB
    """Bytes of the bodies of one API key in work: two batches of the largest size."""
    requests_per_second: float = 30.0
    """Sustained rate of one API key, in decisions: about half of what a worker can do on one core
    (`sustained` in research/results/benchmarks.json)."""
    max_burst: float = 60.0
    """Decisions of one API key at once."""

    head_timeout_s: float = 5.0
    """Seconds for the head of a request to arrive, from the start of its connection."""
    idle_timeout_s: float = 10.0
    """Seconds from an answer to the whole head of the next request on the same connection; uvicorn closes after 5
    where nothing of it arrives."""
    max_connections: int = 512
    """Connections of a worker; from two thirds on, the one that is idle for longest is closed for a new one."""
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
    max_listed_decisions: int = 100
    """Decisions of one page of a list: each is decrypted, and compared with the chain."""
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
