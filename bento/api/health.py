"""Whether the service can decide at present: what /readyz answers, and /metrics shows."""

import time
from typing import cast

from starlette.exceptions import HTTPException

from bento.api import metrics
from bento.api.keys import KeyRing
from bento.api.middleware.authentication import NOT_READABLE
from bento.api.problems import RETRY_AFTER_S, ProblemType, as_http_exception, problem
from bento.api.state import ServingState
from bento.journal.causes import Cause
from bento.journal.readiness import Readiness
from bento.journal.writer import Writer

NO_MODEL = "no model that passes its examples is loaded; the log says why"
NOT_WRITABLE = "the journal cannot be written at present, so nothing is decided; the log says why"


class Health:
    """Looks at the model, the journal and the API keys; `keys` is None where none are used."""

    def __init__(self, state: ServingState, writer: Writer, keys: KeyRing | None) -> None:
        self._state, self._writer, self._keys = state, writer, keys
        self._readiness = Readiness(state.journal)

    def is_ready(self) -> bool:
        """Return True where decisions can be made and written.

        Raises:
            HTTPException: with 503, which part is not ready, and a code of the cause as the problem's type; the address
                is open, so paths, names and the database's message are in the log only.
        """
        if not self._are_keys_readable():
            raise _not_ready(NOT_READABLE, "keys-not-readable")
        if self._state.verified_model is None:
            raise _not_ready(NO_MODEL, "no-model")
        cause = self._journal_cause()
        if cause is not None:
            raise _not_ready(NOT_WRITABLE, f"journal-{cause}")
        return True

    def metrics(self) -> str:
        """Return what is so at present in Prometheus's text format."""
        is_journal_ready, are_keys_readable = self._journal_cause() is None, self._are_keys_readable()
        return metrics.present(
            self._state,
            is_ready=is_journal_ready and are_keys_readable and self._state.verified_model is not None,
            is_journal_ready=is_journal_ready,
            are_keys_readable=are_keys_readable,
        )

    def _are_keys_readable(self) -> bool:
        if self._keys is None:
            return True
        self._keys.refresh()
        return self._keys.error is None

    def _journal_cause(self) -> Cause | None:
        """Return why the journal cannot be written, None where it can."""
        failed_at = self._writer.failed_at
        if failed_at is not None and time.monotonic() - failed_at < RETRY_AFTER_S:
            return self._writer.cause
        fault = self._readiness.fault()
        return None if fault is None else fault.cause


def _not_ready(detail: str, name: str) -> HTTPException:
    kind = cast("ProblemType", f"urn:credit-scoring:problem:{name}")
    return as_http_exception(problem(503, detail, kind=kind))
