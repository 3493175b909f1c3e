"""The page about speed shows the published figures, and says of each target whether it is met."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from research.cli import CommandError
from tests.benchmarks.service_page import LABELS, PAGE, block
from tests.benchmarks.table import TARGETS, targets_met

FIGURES: dict[str, Any] = json.loads(PAGE.published.read_bytes())


def test_the_page_shows_the_published_figures():
    text = PAGE.file.read_text("utf-8")
    assert PAGE.filled(text, FIGURES) == text


def test_each_target_has_its_row_and_verdict():
    assert LABELS.keys() == TARGETS.keys()
    text = block(FIGURES)
    met = targets_met(FIGURES)
    assert text.count("| met |") == sum(met.values())
    assert text.count("| **missed** |") == len(met) - sum(met.values())


def test_a_missed_ratio_stands_beside_what_bounds_it():
    figures = copy.deepcopy(FIGURES)
    figures["service"]["mlflow"]["wall_ms"]["median"] = 16.0
    figures["service"]["mlflow_over_ours"]["median"] = 4.0
    figures["service"]["bentoml"]["wall_ms"]["median"] = 1.5
    assert "a median of 2.00 ms; BentoML alone, with finished features, without reasons and journal, takes 1.50 ms" in (
        block(figures)
    )
    figures["service"]["mlflow_over_ours"]["median"] = 9.0
    assert "a median of" not in block(figures)


def test_times_of_a_busy_machine_are_not_judged():
    figures = copy.deepcopy(FIGURES)
    figures["calibration"] |= {"is_quiet": False, "slowdown": {"before": 3.2}}
    text = block(figures)
    assert "busy with other work (a fixed loop took up to 3.2 times its shortest time)" in text
    assert "| predict, one connection, median, ms | 4.1 | at most 5 | not judged |" in text


def test_figures_that_are_missing_are_an_error(tmp_path: Path):
    with pytest.raises(CommandError, match=r"is missing"):
        replace(PAGE, file=tmp_path / "page.md", published=tmp_path / "benchmarks.json").write()
