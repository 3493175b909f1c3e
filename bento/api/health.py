"""Whether the service can decide at present: what /readyz answers, and /metrics shows."""

import time

from bento.api import metrics
from bento.api.keys import KeyRing
from bento.api.middleware.authentication import NOT_READABLE
from bento.api.problems import RETRY_AFTER_S, as_http_exception, problem
from bento.api.state import ServingState
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
            HTTPException: with 503 and which part is not ready; the address is open, so the cause is in the log only.
        """
        for is_ready, detail in (
            (self._are_keys_readable, NOT_READABLE),
            (lambda: self._state.verified_model is not None, NO_MODEL),
            (self._is_journal_ready, NOT_WRITABLE),
        ):
            if not is_ready():
                raise as_http_exception(problem(503, detail))
        return True

    def metrics(self) -> str:
        """Return what is so at present in Prometheus's text format."""
        is_journal_ready, are_keys_readable = self._is_journal_ready(), self._are_keys_readable()
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

    def _is_journal_ready(self) -> bool:
        failed_at = self._writer.failed_at
        has_failed_recently = failed_at is not None and time.monotonic() - failed_at < RETRY_AFTER_S
        return not has_failed_recently and self._readiness.fault() is None
