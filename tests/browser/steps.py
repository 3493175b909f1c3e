"""Steps of an officer in a browser."""

import re

from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.support.deadlines import timeout_s

DECISION = re.compile(r"(Crédit (accordé|refusé)|À examiner par une personne)$")
SIMULATION = re.compile(r"Simulation : (crédit (accordé|refusé)|à examiner par une personne)$")
RECORDED = "Décision enregistrée"
OFFICER = "Zoé Martin"
MAX_LOOKS = 100
QUIET_MS = 300
"""Time without a change after which a page counts as being at rest."""
MAX_BUSY_S = 60.0
"""Seconds that the page may take to come to rest on a quiet machine."""


def write(field: Locator, text: str) -> None:
    """Replace the text of a field.

    `fill` sets the value by script, which React does not notice in Firefox: there, the text is entered as a paste is.
    """
    browser = field.page.context.browser
    if browser is None or browser.browser_type.name != "firefox":
        field.fill(text)
        return
    expect(field).to_be_editable()
    field.evaluate(
        "(field, text) => { field.focus(); field.select(); document.execCommand('insertText', false, text) }", text
    )


def sign(page: Page, name: str = OFFICER) -> None:
    """Give the officer's name, and wait until the page has taken it: it would not survive another address before."""
    field = page.get_by_label("Votre nom", exact=True)
    write(field, name)
    field.press("Tab")
    expect(page.get_by_text(f"Vous travaillez au nom de : {name}")).to_be_visible()
    at_rest(page)


def at_rest(page: Page) -> None:
    """Wait until the page has not been drawn for a while, and shows nothing of what it showed before.

    While it is drawn, the old and the new element of a name may both be there: an action on one of them fails, or is
    lost with it. A click shows in the state of the page only after the server has heard of it, hence the while.
    """
    page.wait_for_function(
        """([quietMs]) => {
            const isQuiet = document.querySelector('[data-test-script-state=notRunning]') !== null
                && document.querySelector('[data-stale=true]') === null;
            const now = performance.now();
            if (!isQuiet || window.quietSince === undefined) window.quietSince = now;
            if (now - window.quietSince < quietMs) return false;
            delete window.quietSince;
            return true;
        }""",
        arg=[QUIET_MS],
        polling=50,
        timeout=1000 * timeout_s(MAX_BUSY_S),
    )


def resting_place(page: Page, element: Locator) -> FloatRect:
    """Scroll to an element, and return its place once it stays the same for half a second."""
    element.scroll_into_view_if_needed()
    before = element.bounding_box()
    for _ in range(MAX_LOOKS):
        page.wait_for_timeout(500)
        place = element.bounding_box()
        if place is not None and place == before:
            return place
        before = place
    raise AssertionError(f"{element} does not come to rest")


def simulated(page: Page) -> Locator:
    """Wait for the answer to what is on the screen and the explanation that follows; return the heading."""
    heading = page.get_by_role("heading", name=SIMULATION)
    expect(heading).to_be_visible()
    at_rest(page)
    return heading


def unfold(page: Page, title: str) -> None:
    """Open a section, and wait until it is: a click while the page is drawn again is lost."""
    at_rest(page)
    section = page.locator("details").filter(has=page.locator("summary", has_text=title)).first
    section.locator("summary").click()
    expect(section).to_have_attribute("open", "")


def decide_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Enregistrer la décision")


def decide(page: Page) -> str:
    """Take the decision and return its id."""
    at_rest(page)
    decide_button(page).click()
    return recorded_id(page)


def recorded_id(page: Page) -> str:
    expect(page.get_by_text(re.compile("(a|avait déjà été) enregistrée|Décision enregistrée")).first).to_be_visible()
    at_rest(page)
    record = page.get_by_text(re.compile("(a|avait déjà été) enregistrée|Décision enregistrée")).first
    return record.locator("code").inner_text()


def choose(page: Page, way: str) -> None:
    """Choose how the credit file comes to the page."""
    at_rest(page)
    page.get_by_role("radiogroup", name="Dossier à décider").get_by_text(way, exact=True).click()
    at_rest(page)


def find_client(page: Page, number: str) -> None:
    """Search a client by number."""
    write(page.get_by_label("Numéro de client", exact=True).first, number)
    expect(page.get_by_role("heading", name=f"Client {number}", exact=True)).to_be_visible()
    at_rest(page)


def amount(page: Page) -> Locator:
    return page.get_by_label("Montant du crédit", exact=True)


def speak(page: Page, language: str) -> None:
    """Choose the language of the page."""
    at_rest(page)
    page.get_by_test_id("stSidebar").get_by_text(language, exact=True).click()
    at_rest(page)


def upload(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
