"""The benchmark of the page opens it anew each time, and times each amount until it is answered."""

import re
from pathlib import Path

import polars as pl
from playwright.sync_api import Browser, Page, expect

from tests.benchmarks.page_speed import TYPING_PAUSE_MS, openings, what_ifs
from tests.browser.steps import amount


def test_the_opening_of_the_page_is_timed_in_new_browsers(browser: Browser, page_url: str):
    before = len(browser.contexts)

    seconds = openings(browser, page_url, 2)

    assert len(seconds) == 2
    assert min(seconds) > 0
    assert len(browser.contexts) == before


def test_a_what_if_is_timed_from_the_last_digit_to_its_answer(page: Page, synthetic_folder: Path):
    numbers = sorted(pl.read_parquet(synthetic_folder / "application_test.parquet")["SK_ID_CURR"])

    seconds = what_ifs(page, numbers[11], 3)

    assert len(seconds) == 3
    assert min(seconds) > TYPING_PAUSE_MS / 1000
    expect(amount(page)).to_have_value(re.compile(r"103\s000"))
