"""Judge mutants: each is loaded in a separate process, and its features are compared with those stated."""

import importlib.abc
import importlib.util
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import ModuleType
from typing import Literal

import polars as pl

from bento.data.tables import TABLES
from tests.mutation.mutants import Mutant

PACKAGE = "bento.features"
STATED, ALONE = "stated", "alone"
"""Files beside the tables: the features stated, and SK_ID_CURR of the clients whose features are also built alone."""

Verdict = Literal["differs", "timeout", "error", "survived"]
"""What shows a mutant: a value that differs, the time it takes, an error it raises, or nothing."""


@dataclass(frozen=True)
class Outcome:
    """The verdict on a mutant, the first feature that differs, and the seconds that it took."""

    mutant: Mutant | None
    verdict: Verdict
    feature: str
    seconds: float


def judge(mutants: Sequence[Mutant | None], folder: Path, *, processes: int, timeout_s: float) -> Iterator[Outcome]:
    """Judge mutants, or None for the modules as they are, several at a time; yield the outcomes as they come.

    The processes are forks of this one, which must not have used Polars: its threads do not survive a fork.
    """
    waiting = list(reversed(mutants))
    running: dict[Connection, _Running] = {}
    while waiting or running:
        while waiting and len(running) < processes:
            started = _start(waiting.pop(), folder)
            running[started.connection] = started
        ready = wait(list(running), timeout=0.1)
        for connection, one in list(running.items()):
            if connection in ready or time.monotonic() - one.start > timeout_s:
                del running[connection]
                yield _end(one)


@dataclass(frozen=True)
class _Running:
    mutant: Mutant | None
    process: ForkProcess
    connection: Connection
    start: float


def _start(mutant: Mutant | None, folder: Path) -> _Running:
    context = multiprocessing.get_context("fork")
    connection, of_child = context.Pipe(duplex=False)
    process = context.Process(target=_compare, args=(mutant, folder, of_child))
    process.start()
    of_child.close()
    return _Running(mutant, process, connection, time.monotonic())


def _end(running: _Running) -> Outcome:
    verdict: Verdict = "timeout"
    feature = ""
    if running.connection.poll():
        try:
            feature = running.connection.recv()
            verdict = "differs" if feature else "survived"
        except EOFError:
            verdict = "error"
    running.process.kill()
    running.process.join()
    running.connection.close()
    return Outcome(running.mutant, verdict, feature, time.monotonic() - running.start)


def _compare(mutant: Mutant | None, folder: Path, connection: Connection) -> None:
    """Send the first feature that differs, or "" if none does; nothing if the mutant raises an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # the tracebacks of mutants are of no interest
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    connection.send(next(_differences(folder), ""))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds a mutant instead of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._source = f"{PACKAGE}.{mutant.module}", mutant.source

    def find_spec(self, name: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self._name else None

    def get_source(self, fullname: str) -> str:
        return self._source


def _differences(folder: Path) -> Iterator[str]:
    """Yield the features that differ from those stated: of all clients together, then of some of them alone."""
    from bento.data.cleaning import clean
    from bento.features.build import build_features
    from bento.features.catalogue import CATALOGUE, share_counts_of
    from tests.bento.features.comparison import differing

    names = [*CATALOGUE, *share_counts_of(CATALOGUE)]
    tables = clean({name: pl.read_parquet(folder / f"{name}.parquet") for name in TABLES})
    stated = pl.read_parquet(folder / f"{STATED}.parquet")
    yield from set(stated.columns) - {"SK_ID_CURR", *names}
    yield from differing(build_features(tables, names), stated)
    applications = tables["application"]
    for client in pl.read_parquet(folder / f"{ALONE}.parquet")["SK_ID_CURR"]:
        is_client = pl.col("SK_ID_CURR") == client
        alone = build_features({**tables, "application": applications.filter(is_client)}, names)
        yield from differing(alone, stated.filter(is_client))
