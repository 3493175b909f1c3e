"""The rules of axe-core on the states of the pages, and pictures of them."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import amount, at_rest, choose, decide, sign, simulated, unfold, write
from tests.support.deadlines import timeout_s
from ui import navigation
from ui.client import declared_tables
from ui.messages import say
from ui.samples import Filters, Sample

WIDTHS = {"wide": 1280, "phone": 390, "zoomed": 640}
"""640 is a screen of 1280 pixels at a zoom of 200 %."""
NARROWEST = 320
"""A screen of 1280 pixels at a zoom of 400 %."""
MIN_WIDTH_BESIDE_MENU = 768
"""Pixels below which Streamlit starts with its menu closed and opens it over the page."""
MAX_PICTURE_BYTES = 400_000


def opened(page: Page) -> None:
    simulated(page)


def decided(page: Page) -> None:
    simulated(page)
    assert page.viewport_size is not None
    is_narrow = page.viewport_size["width"] < MIN_WIDTH_BESIDE_MENU
    if is_narrow:
        page.get_by_role("button", name="Ouvrir le menu").click()
    sign(page)
    at_rest(page)
    if is_narrow:
        page.get_by_role("button", name="Fermer le menu").click()
        expect(page.locator("[data-testid=stSidebar][data-collapsed=false]")).to_have_count(0)
    decide(page)


def wrong(page: Page) -> None:
    simulated(page)
    amount(page).fill("-5")
    expect(page.get_by_text("Corrigez ces champs")).to_be_visible()


def changed(page: Page) -> None:
    simulated(page)
    amount(page).fill("90 000")
    expect(page.get_by_text("Dossier du client sans changement")).to_be_visible()


def unfolded(page: Page) -> None:
    simulated(page)
    for section, field in {
        "Client et ressources": "Revenu total",
        "Contact et identité": "Téléphone mobile donné",
        "Immeuble": "Immeuble : murs",
    }.items():
        unfold(page, section)
        expect(page.get_by_label(field, exact=True)).to_be_visible()
    unfold(page, "Demandes antérieures chez nous :")
    expect(page.get_by_text("Les jours et les mois sont comptés")).to_be_visible()


def blank(page: Page) -> None:
    choose(page, "Nouvelle demande")
    expect(page.get_by_text("Il manque, pour obtenir une réponse")).to_be_visible()


def uploading(page: Page) -> None:
    choose(page, "Mon fichier")
    expect(page.get_by_text("Déposez un dossier de crédit")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", [opened, decided, wrong, changed, unfolded, blank, uploading])
def test_a_state_breaks_no_rule_of_accessibility(
    browser: Browser, page_url: str, state: Callable[[Page], None], width: str
):
    page = open_page(browser, page_url, "fr-FR", width)
    state(page)
    at_rest(page)  # what was shown before fades, with another contrast
    page.wait_for_timeout(500)

    violations = Axe().run(page).response["violations"]

    page.context.close()
    assert [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]]) for one in violations] == []


@pytest.mark.parametrize("entry", navigation.ENTRIES, ids=lambda entry: entry.name)
def test_a_page_has_its_title_and_fits_the_narrowest_screen(browser: Browser, page_url: str, entry: navigation.Entry):
    page = open_page(browser, page_url, "fr-FR", "narrowest")
    if entry is not navigation.ENTRIES[0]:
        page.goto(f"{page_url}/{entry.name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)

    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    assert page.title() == say("fr", "document_title", page=say("fr", f"page_{entry.name}"))
    page.context.close()
    assert overflow <= 0


def test_headings_are_in_order(page: Page):
    simulated(page)
    expect(page.get_by_role("heading", name="Ce client parmi les autres")).to_be_visible()
    at_rest(page)

    levels = page.locator("h1, h2, h3, h4").evaluate_all("headings => headings.map(one => Number(one.tagName[1]))")

    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


@pytest.fixture(scope="module")
def refused_client(service_url: str, synthetic_folder: Path) -> str:
    """Return the first client who is refused for the probability alone: a rule of the lender would hide the scale."""
    with httpx.Client(base_url=service_url) as service:
        sample = Sample(synthetic_folder, declared_tables(service))
        for client in sample.search(Filters()):
            credit_file = sample.credit_file(client["SK_ID_CURR"])
            answer = service.post("/predict?purpose=simulation", json=credit_file).raise_for_status().json()
            if answer["decision"] == "refused" and not answer["rules"]:
                return str(client["SK_ID_CURR"])
    raise AssertionError("no client is refused without a rule: look further than the first clients")


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="takes the pictures of docs/images, by make screenshots")
@pytest.mark.parametrize("width", ["wide", "phone"])
@pytest.mark.parametrize(("language", "locale"), [("fr", "fr-FR"), ("en", "en-GB")])
def test_the_pictures_are_taken(
    browser: Browser, page_url: str, refused_client: str, language: str, locale: str, width: str
):
    page = open_page(browser, page_url, locale, width)
    page.get_by_role("heading", name="Simulation").wait_for()
    at_rest(page)
    label = {"fr": "Numéro de client", "en": "Client number"}[language]
    write(page.get_by_label(label, exact=True).first, refused_client)
    expect(page.get_by_role("heading", name=f"Client {refused_client}", exact=True)).to_be_visible()
    at_rest(page)
    page.locator(".waterfalllayer").first.wait_for(state="attached")
    at_rest(page)

    take_picture(page, f"decide_{language}_{width}.png")


def take_picture(page: Page, name: str) -> None:
    """Write a picture of a page that has come to rest, as long as it is, and close the page."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)  # the charts fade in
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert page.viewport_size is not None
    page.set_viewport_size({"width": page.viewport_size["width"], "height": min(height, 2600)})
    page.wait_for_timeout(500)
    path = Path(os.environ["SCREENSHOTS"]) / name
    page.screenshot(path=path)
    page.context.close()
    assert path.stat().st_size < MAX_PICTURE_BYTES


def open_page(browser: Browser, page_url: str, locale: str, width: str) -> Page:
    context = browser.new_context(viewport={"width": WIDTHS.get(width, NARROWEST), "height": 1400}, locale=locale)
    context.set_default_timeout(1000 * timeout_s(60))
    page = context.new_page()
    page.goto(page_url)
    return page
