"""The page is soon there and a what-if soon answered; the limits are of a quiet machine, and grow with its slowness."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import polars as pl
from playwright.sync_api import Browser, Page

from tests.benchmarks.page_speed import openings, what_ifs
from tests.support.deadlines import slowdown

MAX_FIRST_PAINT_S = 2.5
"""From the address to a page that can be worked on, in a browser that holds nothing of it."""
MAX_WHAT_IF_S = 0.4
"""From the last digit to the answer on the screen; half of it is the pause in typing."""


def quiet_seconds(step: Callable[[], object]) -> float:
    """Return how long a step would take on a quiet machine: its time, over the slowness before and after it."""
    before, start = slowdown(), time.perf_counter()
    step()
    seconds = time.perf_counter() - start
    return seconds / max(before, slowdown())


def test_the_page_can_be_worked_on_soon(browser: Browser, page_url: str):
    seconds = openings(browser, page_url, 3, quiet_seconds)

    # Other programs only add to the time, and to a server and a browser at once more than to the loop that is timed.
    assert min(seconds) < MAX_FIRST_PAINT_S, seconds


def test_a_what_if_is_answered_while_the_officer_types(page: Page, synthetic_folder: Path):
    numbers = sorted(pl.read_parquet(synthetic_folder / "application_test.parquet")["SK_ID_CURR"])

    seconds = what_ifs(page, numbers[11], 9, quiet_seconds)

    assert median(seconds) < MAX_WHAT_IF_S, seconds
