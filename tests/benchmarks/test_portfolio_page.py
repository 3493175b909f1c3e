"""The page on portfolios shows the published figures, and says which were measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from research.cli import CommandError
from tests.benchmarks.portfolio_page import PAGE, block

RUN = {"seconds": 40.0, "cpu_seconds": 72.0, "peak_memory_mib": 600.0}


def _line(per_client: float, fixed: float) -> dict[str, object]:
    interval = [per_client * 0.9, per_client * 1.1]
    return {
        "per_client": per_client,
        "per_client_interval": interval,
        "fixed": fixed,
        "fixed_interval": [fixed - 1, fixed + 1],
    }


def _figures(*, quiet: bool) -> dict[str, object]:
    return {
        "machine": {"cores": 2},
        "sizes": {
            "1000": {"local": RUN, "spark": RUN | {"cpu_seconds": 144.0}},
            "356255": {"local": RUN | {"cpu_seconds": 360.0}},
        },
        "lines": {
            "local": {"cpu_seconds": _line(0.001, 2.0), "peak_memory_mib": _line(0.0, 600.0)},
            "spark": {"cpu_seconds": _line(0.0036, 0.0), "peak_memory_mib": _line(0.0, 900.0)},
        },
        "calibration": {"slowdown": {"before": 1.0, "after 1000": 1.1 if quiet else 4.2}, "is_quiet": quiet},
        "layers": {"features": 0.0003, "contributions": 0.0009},
    }


def test_the_page_shows_the_published_figures():
    assert PAGE.filled(PAGE.file.read_text("utf-8"), json.loads(PAGE.published.read_bytes())) == PAGE.file.read_text(
        "utf-8"
    )


def test_sizes_beyond_the_runs_are_extrapolated_and_named_so():
    rows = [line.split(" | ") for line in block(_figures(quiet=True)).splitlines() if line.endswith("ed |")]
    table = {(row[0].removeprefix("| "), row[1]): row[2:] for row in rows}
    assert table["356,255 (all of Home Credit)", "one machine"] == [
        *("0.1", "3 min", "22 s", "30 MB", "0.002", "measured |")
    ]
    assert table["10⁷", "one machine"] == ["2.8", "1.4 h", "10 min", "850 MB", "0.056", "extrapolated |"]
    assert table["10⁸", "Spark"] == ["56", "27.8 h", "3.5 h", "8.5 GB", "1.1", "extrapolated |"]


def test_without_spark_one_machine_alone_is_extrapolated():
    figures = _figures(quiet=True)
    figures["sizes"] = {"1000": {"local": RUN}}
    assert "Spark" not in block(figures | {"lines": {"local": figures["lines"]["local"]}})


def test_seconds_on_the_wall_of_a_busy_machine_are_not_shown():
    quiet, busy = block(_figures(quiet=True)), block(_figures(quiet=False))
    assert "| 1,000 | one machine, reasons for refused and reviewed | 40 | 72.0 | 72.00 | 600 MiB |" in quiet
    assert "| 1,000 | one machine, reasons for refused and reviewed | 72.0 | 72.00 | 600 MiB |" in busy
    assert "up to 4.2 times its shortest time" in busy
    assert "not judged" not in quiet


def test_layers_are_shares_of_the_whole_largest_first():
    assert "| contributions | 75% |\n| features | 25% |" in block(_figures(quiet=True))


def test_a_page_without_marks_and_figures_that_are_missing_are_errors(tmp_path: Path):
    with pytest.raises(CommandError, match="lacks the line"):
        PAGE.filled("text", _figures(quiet=True))
    with pytest.raises(CommandError, match=r"is missing; make it with: python -m tests\.benchmarks\.portfolio"):
        replace(PAGE, file=tmp_path / "page.md", published=tmp_path / "portfolio.json").write()
