"""An officer decides in Firefox, before the real service: the steps are those of the tests in Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import READY_TIMEOUT_S
from tests.browser.steps import OFFICER, amount, at_rest, decide, find_client, sign, simulated, speak, write
from tests.support.deadlines import timeout_s


@pytest.fixture
def firefox_page(firefox: Browser, page_url: str) -> Iterator[Page]:
    """Open the page in the Firefox of a French officer."""
    context = firefox.new_context(viewport={"width": 1280, "height": 1400}, locale="fr-FR")
    context.set_default_timeout(1000 * timeout_s(READY_TIMEOUT_S))
    opened = context.new_page()
    opened.goto(page_url)
    yield opened
    context.close()


def test_an_officer_finds_tries_decides_and_takes_the_letter(
    firefox_page: Page, service_url: str, synthetic_folder: Path
):
    client = sorted(pl.read_parquet(synthetic_folder / "application_test.parquet")["SK_ID_CURR"])[12]
    sign(firefox_page)
    find_client(firefox_page, str(client))
    simulated(firefox_page)
    write(amount(firefox_page), "123 456,50")
    expect(firefox_page.get_by_text("Dossier du client sans changement")).to_be_visible()
    expect(firefox_page.get_by_text(re.compile(r"Montant du crédit\s: .* → 123"))).to_be_visible()
    at_rest(firefox_page)
    firefox_page.get_by_role("button", name="Revenir au dossier du client").click()
    expect(firefox_page.get_by_text("Dossier du client sans changement")).to_have_count(0)

    number = decide(firefox_page)

    recorded = httpx.get(f"{service_url}/decisions/{number}").raise_for_status().json()
    assert recorded["officer"] == OFFICER
    assert recorded["credit_file"]["application"]["SK_ID_CURR"] == client
    assert recorded["credit_file"]["application"]["AMT_CREDIT"] != 123_456.5
    expect(firefox_page.locator(".waterfalllayer").first).to_be_visible()
    with firefox_page.expect_download() as download:
        firefox_page.get_by_role("button", name="Télécharger la lettre (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    speak(firefox_page, "English")
    expect(firefox_page.get_by_text(re.compile("Decision recorded|had already been recorded"))).to_be_visible()
    assert firefox_page.evaluate("document.documentElement.lang") == "en"


def test_a_wrong_amount_is_told_in_firefox(firefox_page: Page):
    simulated(firefox_page)

    write(amount(firefox_page), "450.000")

    expect(firefox_page.get_by_text("Corrigez ces champs")).to_be_visible()
    at_rest(firefox_page)
    assert amount(firefox_page).input_value() == "450.000"
