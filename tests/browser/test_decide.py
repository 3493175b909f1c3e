"""An officer decides in a real browser, before the real service."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import (
    OFFICER,
    amount,
    at_rest,
    choose,
    decide,
    decide_button,
    find_client,
    recorded_id,
    resting_place,
    sign,
    simulated,
    speak,
    upload,
)
from tests.support.deadlines import wait_until

FILE: dict[str, Any] = {
    "application": {
        "SK_ID_CURR": 700_100,
        "NAME_CONTRACT_TYPE": "Cash loans",
        "AMT_CREDIT": 300_000,
        "AMT_ANNUITY": 20_000,
        "AMT_INCOME_TOTAL": 250_000,
        "DAYS_BIRTH": -15_000,
        "EXT_SOURCE_2": 0.7,
    }
}
"""An invented credit file."""


@pytest.fixture
def numbers(synthetic_folder: Path) -> list[int]:
    return sorted(pl.read_parquet(synthetic_folder / "application_test.parquet")["SK_ID_CURR"])


def recorded(service_url: str, number: str) -> dict[str, Any]:
    content: dict[str, Any] = httpx.get(f"{service_url}/decisions/{number}").raise_for_status().json()
    return content


def test_an_officer_finds_a_client_decides_and_prints_the_letter(page: Page, service_url: str, numbers: list[int]):
    sign(page)
    find_client(page, str(numbers[7]))
    simulated(page)
    assert page.evaluate("document.documentElement.lang") == "fr"

    number = decide(page)

    entry = recorded(service_url, number)
    assert (entry["officer"], entry["correction"]) == (OFFICER, None)
    assert entry["credit_file"]["application"]["SK_ID_CURR"] == numbers[7]
    reasons = page.get_by_role("listitem").filter(has_text=re.compile(r"^[▲▼] .*\s[RU]\d\d$"))
    expect(reasons).to_have_count(len(entry["reasons"]))
    words = {"granted": "accordé", "refused": "refusé", "review": "examiner"}
    decision = page.get_by_role("heading", name=re.compile(r"^[✔✖◐] "))
    assert words[entry["decision"]] in decision.inner_text()
    expect(page.locator(".waterfalllayer").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger la lettre (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")

    speak(page, "English")
    expect(page.get_by_text(re.compile("Decision recorded|had already been recorded"))).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert "lang=en" in page.url
    assert str(numbers[7]) not in page.url


def test_a_change_is_answered_by_itself_and_a_correction_is_recorded(page: Page, service_url: str, numbers: list[int]):
    sign(page)
    find_client(page, str(numbers[8]))
    simulated(page)

    amount(page).fill("123 456,50")
    expect(page.get_by_text("Dossier du client sans changement")).to_be_visible()
    at_rest(page)
    decide_button(page).click()
    expect(page.get_by_text("ces valeurs ne sont pas celles du dossier")).to_be_visible()
    at_rest(page)
    page.get_by_text(re.compile("^Une correction du dossier")).click()
    expect(page.get_by_label("Motif de la correction")).to_be_visible()
    at_rest(page)
    page.get_by_label("Motif de la correction").fill("Le montant était faux.")
    number = decide(page)

    entry = recorded(service_url, number)
    assert entry["credit_file"]["application"]["AMT_CREDIT"] == 123_456.5
    assert (entry["officer"], entry["correction"]) == (OFFICER, "Le montant était faux.")


@pytest.mark.parametrize("typed", ["-900000", "450.000", "beaucoup"])
def test_a_click_right_after_a_wrong_amount_decides_nothing(page: Page, typed: str):
    sign(page)
    choose(page, "Mon fichier")
    upload(page, "client.json", json.dumps(FILE).encode())
    simulated(page)

    amount(page).press_sequentially("x")  # the cursor is in the field
    amount(page).fill(typed)
    decide_button(page).click()

    expect(page.get_by_text("Rien n'est enregistré : corrigez d'abord")).to_be_visible()
    expect(page.get_by_text("Corrigez ces champs")).to_be_visible()
    at_rest(page)
    assert amount(page).input_value() == typed
    expect(page.get_by_text("Décision enregistrée")).to_have_count(0)


def test_a_click_right_after_typing_counts(page: Page):
    sign(page)
    choose(page, "Mon fichier")
    upload(page, "client.json", json.dumps(FILE).encode())
    simulated(page)

    amount(page).press_sequentially("9")
    decide_button(page).click()

    expect(page.get_by_text("ces valeurs ne sont pas celles du dossier")).to_be_visible()


def test_a_new_application_is_decided_from_a_blank_form(page: Page, service_url: str):
    sign(page)
    choose(page, "Nouvelle demande")
    expect(page.get_by_text("Il manque, pour obtenir une réponse")).to_be_visible()

    for label, value in {
        "Numéro de client": "700200",
        "Montant du crédit": "200 000",
        "Revenu total": "90 000",
        "Âge (années)": "40",
    }.items():
        page.get_by_label(label, exact=True).fill(value)
    simulated(page)
    number = decide(page)

    assert recorded(service_url, number)["credit_file"]["application"] == {
        "SK_ID_CURR": 700_200,
        "AMT_CREDIT": 200_000,
        "AMT_INCOME_TOTAL": 90_000,
        "DAYS_BIRTH": -14_610,
    }


def test_rows_of_the_tables_are_uploaded_as_csv(page: Page):
    choose(page, "Mon fichier")
    columns = FILE["application"]

    upload(page, "application.csv", f"{','.join(columns)}\n{','.join(map(str, columns.values()))}\n".encode())

    expect(page.get_by_role("heading", name="Client 700100", exact=True)).to_be_visible()
    simulated(page)


def test_entries_language_and_decision_survive_a_reload(page: Page, context: BrowserContext, numbers: list[int]):
    sign(page)
    find_client(page, str(numbers[9]))
    simulated(page)
    number = decide(page)
    amount(page).fill("77 000")
    expect(page.get_by_text(re.compile(r"Montant du crédit\s: .* → 77"))).to_be_visible()
    speak(page, "English")
    expect(page.get_by_text(re.compile(r"Loan amount: .* → 77,000"))).to_be_visible()

    page.reload()
    expect(page.get_by_text(re.compile(r"Loan amount: .* → 77,000"))).to_be_visible()
    second = context.new_page()
    second.goto(page.url)
    expect(second.get_by_label("Your name", exact=True)).to_have_value(OFFICER)
    at_rest(page)
    page.get_by_role("button", name="Back to the client's file").click()
    expect(page.get_by_text(number).first).to_be_visible()


def test_the_same_file_is_decided_once_a_day_by_an_officer(page: Page, context: BrowserContext, numbers: list[int]):
    sign(page)
    find_client(page, str(numbers[10]))
    simulated(page)
    first = decide(page)

    context.clear_cookies()
    page.reload()
    sign(page)
    find_client(page, str(numbers[10]))
    simulated(page)
    decide_button(page).click()

    expect(page.get_by_text("Cette décision avait déjà été enregistrée")).to_be_visible()
    assert recorded_id(page) == first


def test_a_decision_is_taken_with_the_keyboard_alone(page: Page, numbers: list[int]):
    simulated(page)
    focus(page, "Votre nom")
    page.keyboard.type(OFFICER)
    expect(page.get_by_text(f"Vous travaillez au nom de : {OFFICER}")).to_be_visible()
    focus(page, "Numéro de client")
    page.keyboard.type(str(numbers[12]))
    expect(page.get_by_role("heading", name=f"Client {numbers[12]}", exact=True)).to_be_visible()
    simulated(page)

    focus(page, "Enregistrer la décision")
    outline = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
    page.keyboard.press("Enter")

    assert recorded_id(page)
    assert outline != "none"


def focus(page: Page, name: str) -> None:
    """Press Tab until the control of a name has the focus; a page that is drawn meanwhile would move it."""
    at_rest(page)
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        )
        if name in focused and "Aide" not in focused:
            return
    pytest.fail(f"60 times Tab does not reach {name}")


def test_nothing_is_fetched_from_another_host(context: BrowserContext, page_url: str):
    hosts = set()
    context.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "//" in request.url else None)
    page = context.new_page()
    page.goto(page_url)
    simulated(page)
    expect(page.locator(".waterfalllayer").first).to_be_visible()

    assert hosts == {page_url.split("/")[2]}


def test_streamlit_speaks_the_language_of_the_page(page: Page):
    simulated(page)
    expect(page.get_by_role("button", name="Aide : Montant du crédit")).to_be_visible()
    choose(page, "Mon fichier")
    expect(page.get_by_text("Déposer", exact=True)).to_be_visible()

    speak(page, "English")

    expect(page.get_by_text("Upload", exact=True)).to_be_visible()


def test_a_row_of_a_history_is_edited_in_its_table(page: Page):
    history = {"bureau": [{"SK_ID_BUREAU": 5_000_001, "CREDIT_ACTIVE": "Active", "AMT_CREDIT_SUM": 90_000}]}
    choose(page, "Mon fichier")
    upload(page, "client.json", json.dumps(FILE | history).encode())
    simulated(page)
    page.get_by_text(re.compile(r"^Crédits ailleurs\s: 1$")).click()
    table = page.get_by_test_id("stDataFrame").locator("canvas").first
    expect(table).to_be_visible()
    at_rest(page)
    place = resting_place(page, table)

    field = page.locator(".gdg-input")

    def opens() -> bool:
        page.mouse.click(place["x"] + 60, place["y"] + 52)
        for _ in range(3):  # from the number of the credit to its amount
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        return field.is_visible()

    wait_until(opens)  # keys that come before the table has taken the click are lost
    field.fill("75 000,50")
    field.press("Enter")

    expect(page.get_by_text(re.compile(r"^Crédits ailleurs, lignes\s: 1 → 1$"))).to_be_visible()
    simulated(page)
