"""The manual shows the published figures of the journal's commands, and says what was measured, and how."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from research.cli import CommandError
from tests.benchmarks.journal_page import PAGE, block


def _run(cpu_seconds: float, refused: int = 0) -> dict[str, object]:
    return {
        "seconds": 2 * cpu_seconds,
        "cpu_seconds": cpu_seconds,
        "peak_memory_mib": 150.2,
        "longest_write_s": 0.64,
        "decisions_beside": 1000,
        "refused_beside": refused,
    }


def _figures(*, quiet: bool = True, refused: int = 0) -> dict[str, object]:
    return {
        "machine": {"cores": 2, "memory_gib": 23.5},
        "sizes": {
            "100000": {"bytes": 280_000_000, "commands": {"verify": _run(10.0), "purge": _run(3.0)}},
            "1000000": {"bytes": 2_800_000_000, "commands": {"verify": _run(73.0), "purge": _run(2.9, refused)}},
        },
        "calibration": {"slowdown": {"before": 1.0, "after 100000": 1.1 if quiet else 3.2}, "is_quiet": quiet},
    }


def test_the_manual_shows_the_published_figures():
    text = PAGE.file.read_text("utf-8")
    assert PAGE.filled(text, json.loads(PAGE.published.read_bytes())) == text


def test_each_command_has_its_figures_at_each_size_and_beyond():
    lines = block(_figures()).splitlines()
    assert "| command | 100,000 decisions | 1,000,000 decisions | 10,000,000, extrapolated |" in lines
    assert any(line.startswith("No journal of 10,000,000 decisions (some 28 GB) was made") for line in lines)
    assert "| `verify` | 20 s, 10 s, 150 MiB, 0.6 s | 146 s, 73 s, 150 MiB, 0.6 s | 703 s |" in lines


def test_what_does_not_grow_is_not_extrapolated_below_the_largest_size():
    assert "| `purge` | 6 s, 3 s, 150 MiB, 0.6 s | 6 s, 3 s, 150 MiB, 0.6 s | 3 s |" in block(_figures())


def test_a_busy_machine_is_named():
    quiet, busy = block(_figures()), block(_figures(quiet=False))
    assert "on a machine of 2 cores and 24 GiB of memory, which did nothing else. Beside" in quiet
    assert "busy with other work (a fixed loop took up to 3.2 times its shortest time)" in busy
    assert "did nothing else" not in busy


def test_decisions_that_could_not_be_written_are_named_with_their_command():
    assert block(_figures()).endswith("All 4,000 decisions beside these commands were written.")
    assert block(_figures(refused=7)).endswith(
        "Of 4,000 decisions beside these commands not all were written: 7 failed beside `purge` at 1,000,000."
    )


def test_figures_that_are_missing_are_an_error(tmp_path: Path):
    with pytest.raises(CommandError, match=r"is missing; make it with: python -m tests\.benchmarks\.journal_scale"):
        replace(PAGE, file=tmp_path / "page.md", published=tmp_path / "journal_scale.json").write()
