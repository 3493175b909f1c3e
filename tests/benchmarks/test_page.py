"""A search in as many clients as the competition has stays within the limit of the page, and holds none in memory."""

import json
import sys
from pathlib import Path

import pytest

from research.cli import ROOT
from tests.benchmarks.measure import Figures, in_process
from tests.benchmarks.page import WRITERS
from tests.benchmarks.page_speed import RESULT, sentence

MAX_SEARCH_MS = 300
MAX_HELD_MIB = 16
"""Of the 46 MiB that the applications take in memory."""


@pytest.fixture(scope="module")
def figures() -> Figures:
    return in_process(Path(sys.executable), "tests.benchmarks.page", "--seconds", 0.5)


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("job", ["by_number", "by_filters"])
def test_a_search_in_all_clients_takes_at_most_300_ms(figures: Figures, suffix: str, job: str) -> None:
    measured = figures[suffix]

    assert figures["clients"] == 48_744
    assert 0 < measured[job]["cpu_ms"]["median"] <= MAX_SEARCH_MS
    assert measured[job]["wall_ms"]["median"] <= MAX_SEARCH_MS * measured["slowdown"]


@pytest.mark.parametrize("suffix", WRITERS)
def test_after_a_search_the_clients_are_not_in_memory(figures: Figures, suffix: str) -> None:
    memory = figures[suffix]["memory"]

    assert memory["after_mib"] < MAX_HELD_MIB < memory["peak_mib"]


def test_the_document_shows_the_published_speed_of_the_page() -> None:
    figures = json.loads((ROOT / "research" / "results" / RESULT).read_text())
    document = " ".join((ROOT / "docs" / "operate.md").read_text("utf-8").split())

    assert sentence(figures) in document
