"""Tuning of a worker process: garbage collection, freed memory, and the share of health checks in the event loop."""

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_C_LIBRARY = ctypes.CDLL(None)


def tune_garbage_collection() -> None:
    """Keep what lives as long as the process out of garbage collection, and collect less often.

    By default a collection of the oldest generation walks over all modules and the model while a request waits.
    Measured on BentoML 1.4 with a trivial endpoint and its own timeout (wrk, one client, saturated): 99th percentile
    154 to 201 ms without these two calls, 7.6 ms with them.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def return_free_memory() -> None:
    """Have Python and glibc return free memory to the system.

    glibc keeps freed memory for later (https://man7.org/linux/man-pages/man3/malloc_trim.3.html); other C libraries
    have no such call. Measured in one process with the densest batch of 8 MB (21 histories of 9,900 rows, scored three
    times): resident memory 162 MiB before, 259 while it is scored, 199 afterwards, 158 after this call.
    """
    gc.collect()
    if trim := getattr(_C_LIBRARY, "malloc_trim", None):
        trim(0)


class ScoringSlots:
    """Limit the requests that are scored in one event-loop iteration, so that health checks are not starved.

    Scoring takes 6 ms (median, `research/results/benchmarks.json`) and does not await. Without this limit all requests
    that arrived together are scored in one iteration: `/livez` waits for 64 of them, 0.4 s, instead of 4, 25 ms.
    """

    def __init__(self, maximum: int) -> None:
        self._semaphore = asyncio.Semaphore(maximum)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot, then give the event loop one iteration.

        Without that iteration a request would take and release its slot before the next one asks for it, and the
        semaphore would never be full.
        """
        async with self._semaphore:
            await asyncio.sleep(0)
            yield
