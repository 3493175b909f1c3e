"""The address of each page opens it, and again after a reload."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import at_rest, simulated
from ui import navigation
from ui.messages import say


def expect_page(page: Page, entry: navigation.Entry) -> None:
    expect(page).to_have_title(say("fr", "document_title", page=say("fr", f"page_{entry.name}")))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)
    expect(page.get_by_role("dialog")).to_have_count(0)  # "page not found" is one
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links).to_have_count(len(navigation.ENTRIES))


@pytest.mark.parametrize("entry", navigation.ENTRIES, ids=lambda entry: entry.name)
def test_a_page_opens_at_its_address_and_after_a_reload(
    context: BrowserContext, page_url: str, entry: navigation.Entry
):
    page = context.new_page()
    page.goto(f"{page_url}/{entry.name}")
    expect_page(page, entry)

    page.reload()

    expect_page(page, entry)


def test_the_name_of_the_first_page_leads_to_it_with_its_language(context: BrowserContext, page_url: str):
    page = context.new_page()
    page.goto(f"{page_url}/{navigation.ENTRIES[0].name}?lang=fr")

    simulated(page)

    expect(page).to_have_url(re.compile(rf"^{re.escape(page_url)}/\?lang=fr$"))
