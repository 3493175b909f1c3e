"""The page of the drift report, in a browser: what is seen first, how soon, and that it asks no other host.

DRIFT_SCREENSHOT=docs/images/drift_report.png writes the picture of the README.
"""

import contextlib
import os
import time
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, expect

from drift.__main__ import main
from research.synthetic import write
from tests.support.deadlines import timeout_s
from tests.support.drift_runs import last_run
from tests.support.small_model import write_small_model

OPEN_TIMEOUT_S = 2.0
"""Seconds for the page to be drawn on a quiet machine."""
MAX_PICTURE_BYTES = 300_000
EMPTIED = 0.3
"""Share of the new applications without external scores."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page on synthetic clients, of which some new ones have lost their external scores."""
    folder = tmp_path_factory.mktemp("drift")
    write(folder / "clients", 8000, seed=4)
    write_small_model(folder / "model", folder / "clients")
    path = folder / "clients" / "application_test.parquet"
    applications = pl.read_parquet(path)
    kept = pl.int_range(pl.len()) >= EMPTIED * pl.len()
    applications.with_columns(pl.when(kept).then(pl.col("^EXT_SOURCE_.$"))).write_parquet(path)
    with contextlib.chdir(folder):  # the page names files and model as they are given
        assert main(["report", "--data", "clients", "--model", "model", "--out", "runs"]) == 1
    return last_run(folder / "runs") / "drift.html"


def test_the_verdict_comes_first_soon_and_without_other_hosts(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    start = time.perf_counter()

    page.goto(report.as_uri(), wait_until="load")

    expect(page.get_by_role("heading", name="Drift", exact=True)).to_be_in_viewport()
    assert time.perf_counter() - start < timeout_s(OPEN_TIMEOUT_S)
    expect(page.get_by_text("the PD changed")).to_be_in_viewport()
    expect(page.get_by_role("cell", name="EXT_SOURCE_2", exact=True)).to_be_visible()
    assert [url for url in urls if not url.startswith(("file:", "data:", "blob:"))] == []
    if path := os.environ.get("DRIFT_SCREENSHOT"):
        page.screenshot(path=path)
        assert Path(path).stat().st_size <= MAX_PICTURE_BYTES
    page.close()
