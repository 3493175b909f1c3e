"""Peak memory of a fit."""

import threading
from typing import Self

import psutil

SAMPLED_EVERY = 0.02
"""Seconds between two looks at the memory."""


MIB = 2**20


class PeakMemory:
    """The resident set of this process at its largest, in bytes, from entering to leaving; looked at now and then."""

    def __enter__(self) -> Self:
        self._process, self._stop = psutil.Process(), threading.Event()
        self.before = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLED_EVERY):
            self.peak = max(self.peak, self._process.memory_info().rss)
