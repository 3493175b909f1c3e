"""An officer reviews, records what a client states, opens a past decision, and looks at portfolio, model and drift."""

import json
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import OtherHost
from tests.browser.steps import OFFICER, at_rest, sign, speak, unfold
from tests.browser.test_accessibility import WIDTHS, open_page, take_picture
from ui.messages import say

REASON = "Trois bulletins de salaire ont été vus."
UNAFFORDABLE: dict[str, Any] = {
    "application": {
        "SK_ID_CURR": 700_002,
        "NAME_CONTRACT_TYPE": "Cash loans",
        "AMT_CREDIT": 300_000,
        "AMT_ANNUITY": 20_000,
        "AMT_GOODS_PRICE": 290_000,
        "AMT_INCOME_TOTAL": 50_000,
        "DAYS_BIRTH": -15_000,
        "DAYS_EMPLOYED": -2_000,
        "NAME_INCOME_TYPE": "Working",
        "EXT_SOURCE_1": 0.9,
        "EXT_SOURCE_2": 0.9,
        "EXT_SOURCE_3": 0.9,
    },
    "previous_application": [{"SK_ID_PREV": 8_001, "NAME_CONTRACT_STATUS": "Approved", "DAYS_DECISION": -600}],
}
"""An invented file whose instalments a rule leaves to a person."""


@pytest.fixture
def waiting(service_url: str) -> dict[str, Any]:
    """A decision that waits for a person."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    decided = httpx.post(f"{service_url}/predict", json=UNAFFORDABLE, headers=key).raise_for_status().json()
    assert decided["decision"] == "review"
    return decided


def record_of(service_url: str, decided: dict[str, Any]) -> dict[str, Any]:
    return httpx.get(f"{service_url}/decisions/{decided['decision_id']}").raise_for_status().json()


def open_decision(page: Page, page_url: str, decided: dict[str, Any]) -> None:
    page.goto(f"{page_url}/decisions?decision={decided['decision_id']}")
    expect(page.get_by_role("heading", name=re.compile("Client 700002 :"))).to_be_visible()
    at_rest(page)


def review(page: Page, choice: str) -> None:
    at_rest(page)
    page.get_by_text(choice, exact=True).click()
    at_rest(page)
    page.get_by_label(re.compile("^Motif de votre décision")).fill(REASON)  # and the click right after it
    page.get_by_role("button", name="Enregistrer votre décision").click()


def test_an_officer_decides_on_a_waiting_file(page: Page, page_url: str, service_url: str, waiting: dict[str, Any]):
    page.goto(f"{page_url}/review")
    sign(page)
    expect(page.get_by_role("heading", name="Client 700002 : À examiner par une personne")).to_be_visible()
    expect(page.get_by_text(waiting["decision_id"])).to_be_visible()  # the newest is on top, and open

    review(page, "Accorder le crédit")

    expect(page.get_by_text("Votre décision est enregistrée : crédit accordé.")).to_be_visible()
    expect(page.get_by_text(waiting["decision_id"])).to_have_count(0)
    (written,) = record_of(service_url, waiting)["reviews"]
    assert (written["outcome"], written["reason"], written["reviewer"]) == ("granted", REASON, OFFICER)


def test_a_contested_decision_comes_back_and_is_reviewed(
    page: Page, page_url: str, service_url: str, waiting: dict[str, Any]
):
    page.goto(page_url)
    sign(page)
    open_decision(page, page_url, waiting)
    unfold(page, "Le client n'est pas d'accord")
    page.get_by_label("Ce que dit le client, dans ses mots").fill("Je gagne plus.\nwww.exemple.fr")
    page.get_by_role("button", name="Enregistrer la déclaration du client").click()
    expect(page.get_by_text("La déclaration est enregistrée.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("exemple"))).to_have_count(0)

    page.goto(f"{page_url}/review")
    at_rest(page)
    page.get_by_text("Contestés par le client", exact=True).click()
    expect(page.get_by_text(waiting["decision_id"])).to_be_visible()
    review(page, "Refuser le crédit")

    expect(page.get_by_text("Votre décision est enregistrée : crédit refusé.")).to_be_visible()
    record = record_of(service_url, waiting)
    assert (record["state"], record["outcome"]) == ("reviewed", "refused")
    assert record["contests"][0]["recorder"] == OFFICER


def test_two_tabs_do_not_overwrite_each_other(
    page: Page, context: BrowserContext, page_url: str, service_url: str, waiting: dict[str, Any]
):
    page.goto(page_url)
    sign(page)
    open_decision(page, page_url, waiting)
    address = f"{service_url}/decisions/{waiting['decision_id']}/contest"
    other = context.new_page()
    open_decision(other, page_url, waiting)
    httpx.post(address, json={"statement": "Je gagne plus.", "recorder": "A. Officer"}).raise_for_status()

    review(other, "Accorder le crédit")

    expect(other.get_by_text("Cette décision a changé depuis que vous l'avez ouverte")).to_be_visible()
    expect(other.get_by_text("le client conteste")).to_be_visible()
    at_rest(other)
    expect(other.get_by_label(re.compile("^Motif de votre décision"))).to_have_value(REASON)
    assert record_of(service_url, waiting)["reviews"] == []
    other.get_by_role("button", name="Enregistrer votre décision").click()
    expect(other.get_by_text("Votre décision est enregistrée : crédit accordé.")).to_be_visible()


def test_a_decision_is_searched_opened_reloaded_and_computed_again(page: Page, page_url: str, waiting: dict[str, Any]):
    page.goto(f"{page_url}/decisions")
    expect(page.get_by_role("button", name="Chercher")).to_be_visible()
    at_rest(page)
    page.get_by_label("Numéro de client").fill("700 002")
    page.get_by_role("button", name="Chercher").click()  # without leaving the field first
    expect(page.get_by_text(re.compile("^Client 700002 ·")).first).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Ouvrir cette décision").click()
    expect(page.get_by_role("heading", name=re.compile("Client 700002 :"))).to_be_visible()

    page.reload()

    expect(page.get_by_role("heading", name=re.compile("Client 700002 :"))).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Refaire le calcul").click()
    expect(page.get_by_text("Le même dossier donne la même décision.")).to_be_visible()
    speak(page, "English")
    expect(page.get_by_role("heading", name=re.compile("Client 700002:"))).to_be_visible()


def upload_portfolio(page: Page, page_url: str, language: str = "fr") -> None:
    page.goto(f"{page_url}/portfolio?lang={language}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)
    lines = [
        json.dumps({"application": UNAFFORDABLE["application"] | {"SK_ID_CURR": 700_100 + n, "EXT_SOURCE_3": n / 40}})
        for n in range(40)
    ]
    content = "\n".join([*lines, '{"application": {"SK_ID_CURR": 1}}']).encode()
    file = {"name": "clients.jsonl", "mimeType": "application/json", "buffer": content}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    expect(page.get_by_role("button", name=say(language, "portfolio_score"))).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name=say(language, "portfolio_score")).click()
    expect(page.get_by_role("heading", name=say(language, "portfolio_segments"))).to_be_visible()
    at_rest(page)


def test_a_portfolio_is_scored_and_cut(page: Page, page_url: str):
    upload_portfolio(page, page_url)
    expect(page.get_by_text("Demandes refusées par le service, faute de données valables : 1.")).to_be_visible()
    before = page.get_by_role("row", name=re.compile("^Part accordée")).inner_text()

    slider = page.get_by_role("slider", name="Seuil de refus")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")

    expect(page.get_by_role("row", name=re.compile("^Part accordée"))).not_to_have_text(before)
    at_rest(page)  # the file follows the cut-off
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Télécharger les résultats (CSV)").click()
    table = Path(downloading.value.path()).read_text()
    assert table.count("\n") == 42
    assert table.splitlines()[-1].endswith(",rejected,,")


def test_the_model_is_described_and_results_of_another_are_called_so(page: Page, page_url: str):
    page.goto(f"{page_url}/model")
    expect(page.get_by_role("heading", name="Traite-t-il les groupes de la même façon ?")).to_be_visible()
    expect(page.get_by_text("sont ceux d'un autre modèle que celui qui décide")).to_be_visible()


def test_a_drift_report_runs_apart_and_fetches_nothing(page: Page, page_url: str, other_host: OtherHost):
    httpx.get(f"{other_host.url}/by-hand")
    page.goto(f"{page_url}/drift")

    report = page.frame_locator("iframe").frame_locator("iframe")
    expect(report.get_by_text("runs apart")).to_be_visible()
    expect(report.get_by_alt_text("no picture")).to_have_count(1)  # its fetching has failed
    expect(page.get_by_text("Alerte du 25/11/2026").first).to_be_visible()
    assert other_host.fetched == ["/by-hand"]  # the browser stopped it; what it tried may be listed by Playwright


def reviewing(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/review")
    expect(page.get_by_role("button", name="Enregistrer votre décision")).to_be_visible()
    unfold(page, "Données du dossier")
    unfold(page, "Le client n'est pas d'accord")
    expect(page.get_by_label("Ce que dit le client, dans ses mots")).to_be_visible()


def searching(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/decisions")
    expect(page.get_by_role("button", name="Ouvrir cette décision")).to_be_visible()


def looking_at_the_model(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/model")
    expect(page.get_by_role("heading", name="Traite-t-il les groupes de la même façon ?")).to_be_visible()
    unfold(page, "Fiche complète du modèle")


def reading_the_statement(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/accessibility")
    expect(page.get_by_role("heading", name="Déclaration d'accessibilité")).to_be_visible()
    expect(page.get_by_text("l'équipe qui vous donne accès à cette page")).to_be_visible()


def looking_at_drift(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/drift")
    report = page.frame_locator("iframe").frame_locator("iframe")
    expect(report.get_by_text("runs apart")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "state",
    [reviewing, searching, upload_portfolio, looking_at_the_model, looking_at_drift, reading_the_statement],
)
@pytest.mark.usefixtures("waiting")
def test_a_page_breaks_no_rule_of_accessibility(
    browser: Browser, page_url: str, state: Callable[[Page, str], None], width: str
):
    page = open_page(browser, page_url, "fr-FR", width)
    state(page, page_url)
    # What was shown before a run of the page fades, with another contrast.
    at_rest(page)
    page.wait_for_timeout(500)

    violations = Axe().run(page).response["violations"]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    page.context.close()
    assert [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]]) for one in violations] == []
    assert overflow <= 0


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="takes the pictures of docs/images, by make screenshots")
@pytest.mark.parametrize("width", ["wide", "phone"])
@pytest.mark.parametrize(("language", "locale"), [("fr", "fr-FR"), ("en", "en-GB")])
@pytest.mark.parametrize("name", ["review", "decisions", "portfolio", "model", "drift", "accessibility"])
@pytest.mark.usefixtures("waiting")
def test_the_pictures_of_the_other_pages_are_taken(
    browser: Browser, page_url: str, name: str, language: str, locale: str, width: str
):
    page = open_page(browser, page_url, locale, width)
    if name == "portfolio":
        upload_portfolio(page, page_url, language)
    else:
        page.goto(f"{page_url}/{name}?lang={language}")
        expect(page.get_by_role("heading").first).to_be_visible()
    at_rest(page)

    take_picture(page, f"{name}_{language}_{width}.png")
