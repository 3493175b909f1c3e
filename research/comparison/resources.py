"""Measure the peak memory of a fit."""

import threading
from typing import Self

import psutil

SAMPLING_INTERVAL_S = 0.02
"""Between two samples; a shorter peak may be missed."""
MIB = 2**20


class PeakMemory:
    """Sample the largest resident set of this process, in bytes, from entering to leaving the context."""

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
        while not self._stop.wait(SAMPLING_INTERVAL_S):
            self.peak = max(self.peak, self._process.memory_info().rss)
