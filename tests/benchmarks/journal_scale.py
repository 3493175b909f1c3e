"""Maintain journals of up to a million decisions beside a writer: `python -m tests.benchmarks.journal_scale --help`.

Each command of `bento journal` runs as an operator runs it, while decisions are written as the service writes them; the
figures are its time, its memory, and the longest that one decision waited for its commit. The journals are in SQLite,
where a writer waits for every other; in PostgreSQL it does not.
"""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bento.journal.entries import Entry, JournalUnavailableError
from bento.journal.store import Journal
from bento.journal.vault import Vault
from bento.settings import JOURNAL_VARIABLE, MASTER_KEY_VARIABLE
from research.cli import ROOT, CommandError, parser, run
from tests.benchmarks.__main__ import machine
from tests.benchmarks.calibration import Calibration
from tests.benchmarks.measure import Figures, peak_memory
from tests.support.filled_journal import ANSWER_BYTES, CREDIT_FILE_BYTES, SECONDS_BETWEEN, fill

RESULT = "journal_scale.json"
SIZES = (100_000, 1_000_000)
BEYOND = 10_000_000
"""Decisions for which the processor time is extrapolated."""
PURGED_DAYS = 2
"""The oldest days, which are purged: some 17,000 decisions at any size."""
DRAWN = 200
WRITES_PER_S = 20
SAMPLE_EVERY_S = 0.02
BEFORE_CONTESTS = (
    "DROP INDEX decisions_for_review",
    "DROP TABLE contests",
    "UPDATE alembic_version SET version_num = '0003'",
)
"""What makes a journal of the schema before the present one, which has an index more."""


class Writer:
    """Writes decisions one by one, as the service does, and keeps how long each waited."""

    def __init__(self, url: str, vault: Vault) -> None:
        self._journal = Journal(url, vault)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.seconds: list[float] = []
        self.refused = 0

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._journal.close()

    def _write(self) -> None:
        number = 0
        while not self._ended.wait(1 / WRITES_PER_S):
            start = time.perf_counter()
            try:
                self._journal.write([_entry(number)])
            except JournalUnavailableError:
                self.refused += 1
            self.seconds.append(time.perf_counter() - start)
            number += 1


def _entry(number: int) -> Entry:
    return Entry(
        decided_at=datetime.now(UTC),
        key_id="a1b2c3d4",
        credit_file_hash="c" * 64,
        features_hash="f" * 64,
        decision="granted",
        threshold=0.09,
        model_name="credit_scoring",
        model_version="3",
        model_tag="credit_scoring:of_another_code",
        bento="credit_scoring:of_another_code",
        code="0" * 64,
        client=1 + number,
        credit_file=os.urandom(CREDIT_FILE_BYTES),
        answer=os.urandom(ANSWER_BYTES),
        probability=0.05,
    )


def measured(command: Sequence[str], environment: Mapping[str, str], url: str, vault: Vault) -> Figures:
    """Run a command beside a writer: its seconds, peak memory in MiB, last line, and the longest wait of a decision.

    Raises CommandError where it fails, but for exit code 2 of a replay: no code here decided these entries.
    """
    with Writer(url, vault) as writer:
        before, start, peak = os.times(), time.perf_counter(), 0.0
        process = subprocess.Popen(
            [sys.executable, "-m", "bento", "journal", *command],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None:
            peak = max(peak, _peak(process.pid))
            time.sleep(SAMPLE_EVERY_S)
        seconds, after = time.perf_counter() - start, os.times()
    lines = process.communicate()[0].splitlines()
    if process.returncode not in ((0, 2) if command[0] == "replay" else (0,)):
        raise CommandError(f"bento journal {' '.join(command)}: ended with {process.returncode}")
    return {
        "seconds": seconds,
        "cpu_seconds": after.children_user + after.children_system - before.children_user - before.children_system,
        "peak_memory_mib": peak,
        "decisions_beside": len(writer.seconds),
        "refused_beside": writer.refused,
        "longest_write_s": max(writer.seconds, default=0.0),
        "answer": lines[-1].partition(": ")[2] if lines else "",
    }


def _peak(process: int) -> float:
    try:
        return peak_memory(process)
    except (OSError, StopIteration):  # it has just ended
        return 0.0


def of_size(decisions: int, folder: Path) -> Figures:
    """Make a journal of a number of decisions in a folder, unless there is one, and run each command on it."""
    key, path = folder / "master.key", folder / "journal.db"
    if not path.exists():
        key.write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
        fill(f"sqlite:///{path}", Vault.from_file(str(key)), decisions, datetime.now(UTC))
    url, size = f"sqlite:///{path}", path.stat().st_size
    days = max(decisions * SECONDS_BETWEEN // 86_400 - PURGED_DAYS + 1, 0)  # a journal of few days is purged whole
    commands = {
        "check": ["check"],
        f"replay --random {DRAWN}": ["replay", "--random", str(DRAWN)],
        "verify": ["verify"],
        "backup": ["backup", str(folder / "backup.db"), "--keys", str(folder / "keys.db")],
        "seal": ["seal"],
        "purge": ["purge", "--older-than", str(days)],
        "rotate-key": ["rotate-key"],
        "upgrade": ["upgrade"],
    }
    figures: Figures = {"bytes": size, "commands": {}}
    for name, command in commands.items():
        if name == "rotate-key":
            key.write_text(base64.b64encode(os.urandom(32)).decode() + "\n" + key.read_text())
        if name == "upgrade":
            with closing(sqlite3.connect(path)) as connection, connection:
                for statement in BEFORE_CONTESTS:
                    connection.execute(statement)
        environment = {JOURNAL_VARIABLE: url, MASTER_KEY_VARIABLE: str(key)}
        run_ = measured(command, environment, url, Vault.from_file(str(key)))
        figures["commands"][name] = run_ | {"answer": run_["answer"].replace(f"{folder}/", "")}
        print(f"{decisions:,} decisions, {name}: {figures['commands'][name]}", file=sys.stderr, flush=True)  # noqa: T201
    for copy in ("backup.db", "keys.db"):
        (folder / copy).unlink()
    return figures


def table(figures: Figures) -> list[str]:
    """Return the lines of a table in Markdown: a row a command, its figures at each size, and what follows for BEYOND.

    The last column is on the line through the smallest and the largest size, but not below the largest: a purge of the
    same days takes as long at any size, give or take what else the machine does.
    """
    sizes = {int(size): of_size["commands"] for size, of_size in figures["sizes"].items()}
    head = [f"{size:,} decisions" for size in sizes] + ([f"{BEYOND:,}, extrapolated"] if len(sizes) > 1 else [])
    lines = ["| command | " + " | ".join(head) + " |", "|---|" + "---|" * len(head)]
    for name in next(iter(sizes.values())):
        cells = [_cell(commands[name]) for commands in sizes.values()]
        if len(sizes) > 1:
            cells.append(f"{_beyond({size: commands[name] for size, commands in sizes.items()}):,.0f} s")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return lines


def _cell(run: Figures) -> str:
    return (
        f"{run['seconds']:.0f} s, {run['cpu_seconds']:.0f} s, {run['peak_memory_mib']:.0f} MiB, "
        f"{run['longest_write_s']:.1f} s"
    )


def _beyond(runs: Mapping[int, Figures]) -> float:
    """Return the processor seconds at BEYOND decisions.

    >>> round(_beyond({BEYOND // 100: {"cpu_seconds": 2.0}, BEYOND // 10: {"cpu_seconds": 20.0}}))
    200
    >>> _beyond({100: {"cpu_seconds": 2.0}, 1000: {"cpu_seconds": 1.9}})
    1.9
    """
    small, large = min(runs), max(runs)
    first, last = runs[small]["cpu_seconds"], runs[large]["cpu_seconds"]
    return float(max(last, last + (last - first) / (large - small) * (BEYOND - large)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = parser(
        "Time, memory and held writes of the journal's commands.",
        "python -m tests.benchmarks.journal_scale --sizes 100000 1000000",
    )
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="decisions of each journal")
    options.add_argument("--folder", type=Path, help="keep the journals here, one folder a size, and use those there")
    options.add_argument("--out", type=Path, default=ROOT / "research" / "results", help=f"where {RESULT} goes")
    chosen = options.parse_args(arguments)
    figures: Figures = {"machine": machine(), "sizes": {}}
    calibration = Calibration()
    calibration.take("before")
    with tempfile.TemporaryDirectory(prefix="credit_scoring_journal_") as temporary:
        for size in chosen.sizes:
            folder = (chosen.folder or Path(temporary)) / str(size)
            folder.mkdir(parents=True, exist_ok=True)
            figures["sizes"][str(size)] = of_size(size, folder)
            calibration.take(f"after {size}")
            figures["calibration"] = calibration.figures()
            chosen.out.mkdir(parents=True, exist_ok=True)
            (chosen.out / RESULT).write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    print("\n".join(table(figures)))  # noqa: T201
    return 0


if __name__ == "__main__":
    run(main)
