"""Measure work in a fresh process: wall time, processor time and peak memory."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from research.cli import NO_TELEMETRY, ROOT

Figures = dict[str, Any]


@dataclass
class Clock:
    """Seconds on the wall and of the processor spent in each named part; the parts add up to the whole."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall
        self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu


def repeat(job: Callable[[Clock], object], seconds: float, min_runs: int = 3) -> Figures:
    """Run a job for some seconds after a warm-up; return wall and processor time in milliseconds, and of each part."""
    for _ in range(2):
        job(Clock())
    clocks: list[Clock] = []
    end = time.perf_counter() + seconds
    while len(clocks) < min_runs or time.perf_counter() < end:
        clocks.append(Clock())
        job(clocks[-1])
    return {
        "wall_ms": spread([sum(clock.wall.values()) for clock in clocks]),
        "cpu_ms": spread([sum(clock.cpu.values()) for clock in clocks]),
        "parts_ms": {name: 1000 * median(clock.wall[name] for clock in clocks) for name in clocks[0].wall},
        "repetitions": len(clocks),
    }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 95th and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    places = {"p95": 0.95, "p99": 0.99}
    return {"median": 1000 * median(ordered)} | {
        name: 1000 * ordered[round(place * (len(ordered) - 1))] for name, place in places.items()
    }


def peak_memory(process: int | str = "self") -> float:
    """Return the peak memory of a process, by default this one, since its start, in MiB (Linux).

    `getrusage` does not serve: a process begins with the peak of the one that started it.
    """
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def in_process(python: Path, module: str, *arguments: object, **environment: str) -> Figures:
    """Run `python -m module` and return the figures that it prints as JSON.

    Raises:
        subprocess.CalledProcessError: it failed; the reason is on stderr.
    """
    figures: Figures = json.loads(printed(python, module, *arguments, **environment))
    return figures


def printed(python: Path, module: str, *arguments: object, **environment: str) -> str:
    """Run `python -m module` and return its output.

    Raises:
        subprocess.CalledProcessError: it failed; the reason is on stderr.
    """
    return subprocess.run(
        [python, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | NO_TELEMETRY | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


MERGED: dict[str, Callable[[Sequence[Any]], Any]] = {
    "requests": sum,
    "errors": sum,
    "polls": sum,
    "worst": max,
    "faults": lambda lists: [fault for faults in lists for fault in faults],
}
"""What the runs of a figure become together where that is not the median: no error of any run may be lost."""


def medians(runs: Sequence[Mapping[str, Any]]) -> Figures:
    """Merge the runs of one measurement: the median of each number (but for `MERGED`), the first of any other value."""
    merged: Figures = {}
    for name, value in runs[0].items():
        values = [run[name] for run in runs]
        if isinstance(value, Mapping):
            merged[name] = medians(values)
        elif name in MERGED:
            merged[name] = MERGED[name](values)
        else:
            merged[name] = median(values) if isinstance(value, int | float) else value
    return merged


def in_turn(jobs: Mapping[str, Callable[[], Figures]], rounds: int) -> dict[str, Figures]:
    """Run each job several times, alternating so that noise affects all alike, and return the medians."""
    runs: dict[str, list[Figures]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            runs[name].append(job())
    return {name: medians(figures) for name, figures in runs.items()}
