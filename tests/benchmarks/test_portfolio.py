"""The benchmark of a portfolio measures each engine at each size, and fits lines over the sizes."""

import json
import sys
from pathlib import Path

import pytest

from research.cli import CommandError
from tests.benchmarks.portfolio import _line, main, measured
from tests.benchmarks.portfolio_page import block


def test_the_benchmark_writes_figures_of_each_engine_and_a_picture(tmp_path: Path, capsys):
    options = ["--sizes", "1000", "1200", "--local-sizes", "1400", "--rounds", "1", "--engines", "local", "pandas"]
    assert main([*options, "--out", str(tmp_path), "--data", str(tmp_path / "data")]) == 0
    figures = json.loads((tmp_path / "portfolio.json").read_text())
    engines = {size: list(of_size) for size, of_size in figures["sizes"].items()}
    assert engines == {"1000": ["local", "pandas"], "1200": ["local", "pandas"], "1400": ["local"]}
    for of_size in figures["sizes"].values():
        for run in of_size.values():
            assert run["seconds"] > 0
            assert run["cpu_seconds"] > 0
            assert run["peak_memory_mib"] > 50
    assert set(figures["calibration"]["slowdown"]) == {"before", "after 1000", "after 1200", "after 1400"}
    assert list(figures["lines"]) == ["local"]
    layers = figures["layers"]
    assert {"features", "contributions", "reasons in words", "spreading rows over parts"} <= layers.keys()
    assert min(layers.values()) > 0
    assert "| 1,400 | one machine, reasons for refused and reviewed |" in block(figures)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["1000", "1200", "1400"]
    assert (tmp_path / "portfolio.png").stat().st_size > 10_000
    assert "local" in capsys.readouterr().out


def test_memory_and_processor_time_of_all_processes_are_measured(tmp_path: Path):
    child = (
        "x = bytearray(200 * 2**20); import time; end = time.process_time() + 1\nwhile time.process_time() < end: pass"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    figures = measured([sys.executable, "-c", code])
    assert figures["peak_memory_mib"] > 200
    assert figures["cpu_seconds"] > 0.9


def test_the_time_of_a_process_that_nobody_waits_for_is_measured(tmp_path: Path):
    done = tmp_path / "done"
    child = (
        "import pathlib, time; end = time.process_time() + 1.5\nwhile time.process_time() < end: pass\n"
        f"time.sleep(0.5); pathlib.Path({str(done)!r}).touch()"
    )
    code = (
        f"import pathlib, subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"while not pathlib.Path({str(done)!r}).exists(): time.sleep(0.05)"
    )
    assert measured([sys.executable, "-c", code])["cpu_seconds"] > 1.4


def test_a_command_that_fails_is_an_error():
    with pytest.raises(CommandError, match="ended with 3; run it to see why"):
        measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_lines_have_the_slope_and_the_intercept_of_the_figures():
    sizes = {
        str(n): {"local": {"cpu_seconds": 2 + n / 1000 + noise, "peak_memory_mib": 100.0}}
        for n, noise in ((1000, 0.1), (2000, -0.2), (3000, 0.1))
    }
    line = _line(sizes, "local")["cpu_seconds"]
    assert line["per_client"] == pytest.approx(0.001)
    assert line["fixed"] == pytest.approx(2.0)
    low, high = line["per_client_interval"]
    assert low < 0.001 < high
