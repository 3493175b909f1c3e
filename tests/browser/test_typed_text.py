"""What an officer has typed outlasts a reload, another decision and another client, wherever he types it."""

import copy
import re
import uuid
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import amount, at_rest, find_client, sign, simulated, speak
from tests.browser.test_other_pages import UNAFFORDABLE
from tests.support.deadlines import wait_until

REASON = "Trois bulletins de salaire"
TYPE = (
    "(field, text) => { field.focus(); field.setSelectionRange(0, 0); document.execCommand('insertText', false, text) }"
)
"""Types at the beginning of a field, without a moment in which the page could be drawn."""


@pytest.fixture
def two_waiting(service_url: str) -> tuple[int, int]:
    """Return the clients of two decisions that wait for a person."""
    numbers = (700_003, 700_004)
    for number in numbers:
        credit_file: dict[str, Any] = copy.deepcopy(UNAFFORDABLE)
        credit_file["application"]["SK_ID_CURR"] = number
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = httpx.post(f"{service_url}/predict", json=credit_file, headers=key).raise_for_status()
        assert answer.json()["decision"] == "review"
    return numbers


def reason(page: Page) -> Locator:
    return page.get_by_label(re.compile("^(Motif de|Reason for) (votre|your) (décision|decision)"))


def entry_of(page: Page, number: int) -> Locator:
    """The newest decision on a client in the list."""
    return page.get_by_test_id("stRadio").locator("label").filter(has_text=str(number)).first


def shown(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", name=re.compile(f"Client {number}\\s?:"))).to_be_visible()
    at_rest(page)


def kept(folder: Path, text: str) -> None:
    """Wait until the page has kept a text."""
    wait_until(lambda: any(text in file.read_text() for file in folder.glob("drafts/*.json")))


def test_a_reason_outlasts_a_reload_another_decision_and_a_language(
    page: Page, page_url: str, page_folder: Path, two_waiting: tuple[int, int]
):
    older, newer = two_waiting
    page.goto(f"{page_url}/review")
    shown(page, newer)
    reason(page).press_sequentially(REASON)
    kept(page_folder, REASON)  # without leaving the field

    page.reload()
    shown(page, newer)
    expect(reason(page)).to_have_value(REASON)

    entry_of(page, older).click()
    shown(page, older)
    expect(reason(page)).to_have_value("")
    speak(page, "English")
    entry_of(page, newer).click()
    shown(page, newer)
    expect(reason(page)).to_have_value(REASON)


def test_what_is_typed_while_another_decision_comes_is_kept_with_the_one_on_the_screen(
    page: Page, page_url: str, two_waiting: tuple[int, int]
):
    older, newer = two_waiting
    page.goto(f"{page_url}/review")
    sign(page)
    shown(page, newer)

    chosen, field = entry_of(page, older).element_handle(), reason(page).element_handle()
    page.evaluate(f"([chosen, field, text]) => {{ chosen.click(); ({TYPE})(field, text) }}", [chosen, field, REASON])

    shown(page, older)
    expect(reason(page)).to_have_value("")
    entry_of(page, newer).click()
    shown(page, newer)
    expect(reason(page)).to_have_value(REASON)


@pytest.mark.parametrize("state", ["notRunning", "running"])
def test_what_is_typed_while_another_client_comes_is_kept_with_the_one_on_the_screen(
    page: Page, synthetic_folder: Path, state: str
):
    first, second = sorted(pl.read_parquet(synthetic_folder / "application_test.parquet")["SK_ID_CURR"])[20:22]
    find_client(page, str(first))
    simulated(page)
    before, field = amount(page).input_value(), amount(page).element_handle()

    page.get_by_label("Numéro de client", exact=True).first.fill(str(second))
    typed = page.evaluate(
        f"""([field, state]) => new Promise((done) => {{
            const look = () => {{
                if (document.querySelector(`[data-test-script-state=${{state}}]`) === null) setTimeout(look, 1);
                else {{ ({TYPE})(field, '7'); done(field.value) }}
            }};
            look();
        }})""",
        [field, state],
    )

    assert typed == f"7{before}"
    expect(page.get_by_role("heading", name=f"Client {second}", exact=True)).to_be_visible()
    simulated(page)
    find_client(page, str(first))
    expect(amount(page)).to_have_value(re.compile("^7"))


def test_a_fault_in_one_field_leaves_what_is_typed_in_the_next(page: Page):
    simulated(page)
    amount(page).fill("beaucoup")
    instalment = page.get_by_label("Mensualité", exact=True)
    instalment.focus()
    page.keyboard.press("ControlOrMeta+A")

    page.keyboard.type("12345678901234567890", delay=40)  # the fault of the amount is shown meanwhile

    expect(page.get_by_text("Corrigez ces champs")).to_be_visible()
    at_rest(page)
    expect(instalment).to_have_value("12345678901234567890")
