"""The engine for one machine: parts of the portfolio in processes of one thread each, as many as cores."""

import contextlib
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from bento.portfolio.inputs import Inputs
from bento.portfolio.jobs import Job, JobSpec
from bento.portfolio.output import Manifest, OutputFolder, PortfolioError, Receipt, manifest_of
from bento.portfolio.spread import Clients, forget, spread, tables_of

ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
REPORT_EVERY_S = 5.0
"""Seconds between two lines on the progress."""


def run_local(inputs: Inputs, spec: JobSpec, job: Job, output: OutputFolder, workers: int) -> Manifest:
    """Compute every part that is not yet written, and write the manifest.

    Args:
        inputs: the files.
        spec: of the job, made again in each process.
        job: made of `spec`.
        output: the folder, locked.
        workers: processes; the memory of each is that of one part.

    Raises:
        DataError: a file cannot be used. Parts that are written stay.
        PortfolioError: a process was killed.
        OSError: the folder cannot be written.
    """
    start = time.monotonic()
    clients = Clients(inputs.clients().to_numpy(), output.run.part_clients)
    receipts = {part: receipt for part in range(clients.parts) if (receipt := output.receipt(part)) is not None}
    todo = [part for part in range(clients.parts) if part not in receipts]
    if not todo and (finished := output.manifest()) is not None:
        return finished
    progress = _Progress(len(clients.ids), sum(receipt.clients for receipt in receipts.values()))
    progress.report("reading the tables", always=True)
    counts = spread(inputs, job.columns, clients, todo, output.work)
    for receipt in _computed(spec, job, output, {part: clients.in_part(part) for part in todo}, workers):
        receipts[receipt.part] = receipt
        progress.add(receipt.clients)
    parts = [receipts[part] for part in range(clients.parts)]
    manifest = manifest_of(output.run, parts, counts, inputs.notes, time.monotonic() - start)
    output.finish(manifest)
    shutil.rmtree(output.work)
    return manifest


def _computed(
    spec: JobSpec, job: Job, output: OutputFolder, clients: Mapping[int, int], workers: int
) -> Iterator[Receipt]:
    """Yield the receipt of each part when it is written."""
    # Polars must not be forked, and reads the number of its threads when it is imported.
    with (
        _environment(ONE_THREAD),
        ProcessPoolExecutor(
            max(1, min(workers, len(clients))),
            multiprocessing.get_context("spawn"),
            _start_worker,
            (spec, output),
        ) as pool,
    ):
        futures = [pool.submit(_compute, part, count) for part, count in clients.items()]
        try:
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise PortfolioError(
                "a process was killed, mostly for want of memory; run this again with a smaller --part-clients in "
                "another --out, or with fewer --workers: finished parts stay"
            ) from error
        finally:
            _cancel(futures)


def _cancel(futures: Sequence[Future[Receipt]]) -> None:
    for future in futures:
        future.cancel()


_worker: tuple[Job, OutputFolder]


def _start_worker(spec: JobSpec, output: OutputFolder) -> None:
    global _worker  # noqa: PLW0603 - what each process makes once
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = spec.job(), output


def _end_with_parent() -> None:
    """End this process when the one that started it is killed; it would never stop waiting for parts."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - this is a worker
    wait([parent.sentinel])
    os._exit(1)


def _compute(part: int, clients: int) -> Receipt:
    job, output = _worker
    computed = job.compute(tables_of(output.work, part, job.columns))
    receipt = output.write(part, clients, computed)
    forget(output.work, part)
    return receipt


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Progress:
    """Prints how many clients are done and how long the others will take."""

    def __init__(self, clients: int, done: int) -> None:
        self._clients, self._done, self._before = clients, done, done
        self._start = self._reported = time.monotonic()

    def add(self, clients: int) -> None:
        """Count the clients of a finished part."""
        self._done += clients
        taken = time.monotonic() - self._start
        left = taken * (self._clients - self._done) / max(1, self._done - self._before)
        self.report(f"about {left:,.0f} s left")

    def report(self, what: str, *, always: bool = False) -> None:
        """Print a line, at most one in `REPORT_EVERY_S` unless `always`."""
        now = time.monotonic()
        if always or now - self._reported >= REPORT_EVERY_S:
            self._reported = now
            print(f"{self._done:,} of {self._clients:,} clients, {what}", file=sys.stderr, flush=True)  # noqa: T201
