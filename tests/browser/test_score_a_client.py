"""A loan officer scores a client in a real browser, before the real service."""

import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

MAX_PICTURE_BYTES = 300_000


def test_an_officer_scores_a_client_and_tries_another_amount(page: Page, service_url: str) -> None:
    choose_the_last_client(page)
    page.get_by_role("button", name="Évaluer le dossier").click()

    decision = page.get_by_role("heading", name=re.compile(r"(Crédit (accordé|refusé)|À examiner par une personne)$"))
    expect(decision).to_be_visible()
    expect(page.get_by_role("heading", name="Ce qui changerait la décision")).to_be_visible()
    expect(page.locator(".waterfalllayer").first).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "fr"
    save_picture(page)
    number = page.get_by_text("Décision enregistrée").locator("code").inner_text()
    recorded = httpx.get(f"{service_url}/decisions/{number}").raise_for_status().json()
    assert 1 <= len(recorded["reasons"]) <= 4
    reasons = page.get_by_role("listitem").filter(has_text=re.compile(r"^[▲▼] .*\s[RU]\d\d$"))
    expect(reasons).to_have_count(len(recorded["reasons"]))
    words = {"granted": "accordé", "refused": "refusé", "review": "examiner"}
    assert words[recorded["decision"]] in decision.inner_text()
    expect(page.get_by_role("heading", name="Les règles qui s'appliquent")).to_have_count(int(bool(recorded["rules"])))

    page.get_by_text("English", exact=True).click()
    english = re.compile(r"(Credit (granted|refused)|To be reviewed by a person)$")
    expect(page.get_by_role("heading", name=english)).to_be_visible()
    expect(decision).to_have_count(0)
    assert page.evaluate("document.documentElement.lang") == "en"

    amount = page.get_by_label("Loan amount", exact=True)
    amount.fill(str(3 * float(amount.input_value())))
    amount.press("Enter")
    expect(page.get_by_text("the answer before no longer holds")).to_be_visible()
    page.get_by_role("button", name="Simulate").click()
    simulated = re.compile(r"Simulation: (credit (granted|refused)|to be reviewed by a person)$")
    expect(page.get_by_role("heading", name=simulated)).to_be_visible()
    expect(page.get_by_text("Simulation: not recorded.")).to_be_visible()
    expect(page.get_by_text("Decision recorded")).to_have_count(0)
    expect(page.get_by_text("The client's file unchanged")).to_be_visible()

    page.get_by_role("button", name="Back to the client's file").click()
    expect(page.get_by_text("Simulation")).to_have_count(0)
    page.get_by_role("button", name="Score this file").click()
    expect(page.get_by_text("Decision recorded").locator("code")).to_have_text(number)


def test_another_language_keeps_what_was_chosen(page: Page) -> None:
    client = choose_the_last_client(page)
    page.get_by_role("combobox", name="Type de crédit").click()
    page.get_by_role("option", name="non renseigné").click()
    expect(page.get_by_text(re.compile("Type de crédit.* → non renseigné"))).to_be_visible()

    page.get_by_text("English", exact=True).click()
    expect(page.get_by_text(re.compile("Kind of loan.* → not given"))).to_be_visible()
    page.get_by_role("button", name="Simulate").click()  # once more, after the browser has reported its state

    expect(page.get_by_role("heading", name=re.compile("Simulation: "))).to_be_visible()
    expect(page.get_by_role("heading", name=client, exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("Kind of loan.* → not given"))).to_be_visible()
    page.get_by_text("My file", exact=True).click()
    expect(page.get_by_text("Drop a credit file")).to_be_visible()
    page.get_by_text("Français", exact=True).click()
    expect(page.get_by_text("Déposez un dossier de crédit")).to_be_visible()
    upload(page, b"[]")
    expect(page.get_by_role("alert").filter(has_text="un seul objet JSON")).to_be_visible()


def test_the_reasons_are_readable_without_seeing_the_charts(page: Page) -> None:
    page.get_by_role("button", name="Évaluer le dossier").click()
    expect(page.get_by_role("figure", name=re.compile("^Échelle de risque"))).to_be_visible()
    expect(page.get_by_role("figure", name=re.compile("^Graphique en cascade"))).to_be_visible()

    page.get_by_role("tab", name="En tableau").click()

    expect(page.get_by_role("columnheader", name="Effet").first).to_be_visible()
    assert page.get_by_role("cell", name=re.compile("(augmente|réduit) le risque")).count() >= 10
    expect(page.get_by_role("columnheader", name="Clients semblables")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Clients semblables\s: .+ \([\d\s]+ clients\)"))).to_be_visible()


def test_an_uploaded_file_that_is_no_json_is_answered_in_words(page: Page) -> None:
    page.get_by_text("Mon fichier", exact=True).click()

    upload(page, b"not json")

    expect(page.get_by_role("alert").filter(has_text="n'est pas du JSON valide")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_every_input_has_a_label(page: Page) -> None:
    expect(page.get_by_role("button", name="Évaluer le dossier")).to_be_visible()
    for section in ("Client et ressources", "Emploi", "Scores externes"):
        page.get_by_text(section, exact=True).click()
    expect(page.get_by_label("Score externe 3", exact=True)).to_be_visible()

    unlabelled = page.locator("input:visible").evaluate_all(
        "inputs => inputs.filter(input => !input.labels?.length && !input.ariaLabel).map(input => input.outerHTML)"
    )

    assert unlabelled == []


def choose_the_last_client(page: Page) -> str:
    page.get_by_role("combobox", name="Client d'exemple").click()
    option = page.get_by_role("option").last
    client = option.inner_text()
    option.click()
    expect(page.get_by_role("heading", name=client, exact=True)).to_be_visible()
    return client


def upload(page: Page, content: bytes) -> None:
    file = {"name": "client.json", "mimeType": "application/json", "buffer": content}
    page.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]


def save_picture(page: Page) -> None:
    """Write the picture of the README to the path that SCREENSHOT names."""
    path = os.environ.get("SCREENSHOT")
    if not path:
        return
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # the charts fade in
    page.screenshot(path=path)
    if Path(path).stat().st_size > MAX_PICTURE_BYTES:
        pytest.fail(f"{path} is over {MAX_PICTURE_BYTES} bytes")
