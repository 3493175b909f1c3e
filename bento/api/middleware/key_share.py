"""The share of the places and bytes that one API key may have in work."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bento.api.problems import ProblemError, problem
from bento.settings import Limits


@dataclass
class _InWork:
    requests: int = 0
    n_bytes: int = 0


class KeyShare:
    """Count what each API key has in work, and refuse what exceeds its share."""

    def __init__(self, limits: Limits) -> None:
        self.max_requests, self.max_bytes = limits.max_concurrent_per_key, limits.max_bytes_per_key
        self._in_work: defaultdict[str, _InWork] = defaultdict(_InWork)

    @contextmanager
    def place(self, key_id: str | None) -> Iterator[None]:
        """Take a place for a request; raise ProblemError where the key has none left. None is not limited."""
        if key_id is None:
            yield
            return
        in_work = self._in_work[key_id]
        if in_work.requests >= self.max_requests:
            raise _too_much()
        in_work.requests += 1
        try:
            yield
        finally:
            in_work.requests -= 1

    def add_bytes(self, key_id: str | None, n_bytes: int) -> None:
        """Count bytes of a body; raise ProblemError where they exceed the share of the key."""
        if key_id is not None:
            in_work = self._in_work[key_id]
            in_work.n_bytes += n_bytes
            if in_work.n_bytes > self.max_bytes:
                raise _too_much()

    def remove_bytes(self, key_id: str | None, n_bytes: int) -> None:
        """Forget the bytes of a body that is no longer in work."""
        if key_id is not None:
            self._in_work[key_id].n_bytes -= n_bytes


def _too_much() -> ProblemError:
    return ProblemError(problem(429, "too many requests of this API key are in work; wait, then try again"))
