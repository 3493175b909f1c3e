"""The service is killed or stands still while an officer works, or was never started."""

import copy
import re
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from research.deployment.processes import free_port, running
from tests.browser.conftest import running_page
from tests.browser.steps import OFFICER, at_rest, choose, decide, decide_button, sign, simulated
from tests.browser.test_accessibility import open_page
from tests.browser.test_other_pages import UNAFFORDABLE
from tests.browser.test_typed_text import entry_of, reason, shown
from tests.support.deadlines import timeout_s, wait_until
from tests.support.services import Service, served, suspended
from ui import navigation
from ui.messages import say

FIELDS = {
    "Numéro de client": "700300",
    "Montant du crédit": "200 000",
    "Revenu total": "90 000",
    "Âge (années)": "40",
}
REASON = "Trois bulletins de salaire ont été vus."
UNREACHABLE = "Le service de notation est arrêté ou injoignable. Ce que vous avez saisi n'est pas perdu."
PERHAPS_DECIDED = "Enregistrez à nouveau : elle ne comptera qu'une fois."
API_TIMEOUT_S = 10
"""Seconds after which the page stops waiting for the service, on a quiet machine."""

Serve = partial[AbstractContextManager[Service]]


@pytest.fixture
def serve(bento_tag: str, tmp_path: Path) -> Serve:
    """Start the service on its port; started again, it finds its journal."""
    return partial(served, bento_tag, f"sqlite:///{tmp_path}/journal.db", tmp_path, port=free_port())


@pytest.fixture
def address(serve: Serve, tmp_path: Path) -> Iterator[str]:
    """Return the address of a page before this service, which need not run."""
    url = f"http://127.0.0.1:{serve.keywords['port']}"
    with running_page(url, tmp_path, free_port(), API_TIMEOUT=str(timeout_s(API_TIMEOUT_S))) as started:
        yield started


def kill(service: Service) -> None:
    """Kill the service without a warning, and wait until its workers have ended."""
    workers = service.workers
    service.process.kill()
    psutil.wait_procs([service.process, *workers], timeout_s(30))
    wait_until(lambda: not any(worker.is_running() for worker in workers))


def fill_blank_form(page: Page, address: str) -> None:
    page.goto(address)
    sign(page)
    choose(page, "Nouvelle demande")
    for label, value in FIELDS.items():
        page.get_by_label(label, exact=True).fill(value)
    simulated(page)


def expect_fields(page: Page) -> None:
    at_rest(page)
    for label, value in FIELDS.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(re.compile(value.replace(" ", r"\s")))


def test_a_decision_is_taken_once_the_killed_service_is_back(context: BrowserContext, serve: Serve, address: str):
    page = context.new_page()
    with serve() as service:
        fill_blank_form(page, address)
        kill(service)

        decide_button(page).click()

        expect(page.get_by_text(UNREACHABLE)).to_be_visible()
        expect(page.get_by_text(PERHAPS_DECIDED)).to_be_visible()
        expect_fields(page)

    with serve() as service:
        number = decide(page)

        assert service.journal.ids() == [number]
        expect_fields(page)


def test_a_decision_whose_answer_never_came_is_recorded_once(context: BrowserContext, serve: Serve, address: str):
    page = context.new_page()
    with serve() as service:
        fill_blank_form(page, address)
        with suspended(service.process):
            decide_button(page).click()

            expect(page.get_by_text("Le service de notation n'a pas répondu à temps.")).to_be_visible()
            expect(page.get_by_text(PERHAPS_DECIDED)).to_be_visible()
            expect_fields(page)
        # A service that sees first that the page has stopped waiting drops what it sent; else it answers late.
        recorded_late = service.journal.ids()

        number = decide(page)

        assert service.journal.ids() == [number]
        if recorded_late:
            expect(page.get_by_text("Cette décision avait déjà été enregistrée")).to_be_visible()


def test_a_review_is_kept_until_the_killed_service_is_back(context: BrowserContext, serve: Serve, address: str):
    page = context.new_page()
    with serve() as service:
        older, newer = (waiting(service, number) for number in (700_005, 700_006))
        page.goto(f"{address}/review")
        sign(page)
        shown(page, 700_006)
        entry_of(page, 700_005).click()
        shown(page, 700_005)
        page.get_by_text("Accorder le crédit", exact=True).click()
        at_rest(page)
        reason(page).fill(REASON)
        reason(page).blur()
        at_rest(page)  # drawn after the kill, the page would have no button to press
        kill(service)

        page.get_by_role("button", name="Enregistrer votre décision").click()

        expect(page.get_by_text(UNREACHABLE)).to_be_visible()

    with serve() as service:
        at_rest(page)
        page.get_by_role("button", name="Réessayer").click()
        shown(page, 700_005)
        expect(reason(page)).to_have_value(REASON)
        page.get_by_role("button", name="Enregistrer votre décision").click()

        expect(page.get_by_text("Votre décision est enregistrée : crédit accordé.")).to_be_visible()
        (written,) = service.journal.reviews(older)
        assert (written.outcome, written.reason, written.reviewer) == ("granted", REASON, OFFICER)
        assert service.journal.reviews(newer) == []


def waiting(service: Service, number: int) -> str:
    """Take a decision that waits for a person, and return its id."""
    credit_file: dict[str, Any] = copy.deepcopy(UNAFFORDABLE)
    credit_file["application"]["SK_ID_CURR"] = number
    answer = service.predict(credit_file, headers={"Idempotency-Key": str(uuid.uuid4())}).raise_for_status().json()
    assert answer["decision"] == "review"
    return str(answer["decision_id"])


@pytest.fixture(scope="module")
def without_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Return the address of the page that `make ui` shows, and that of the service, which does not run."""
    folder, port, service = tmp_path_factory.mktemp("alone"), free_port(), f"http://127.0.0.1:{free_port()}"
    url = f"http://127.0.0.1:{port}"
    settings = {"API_URL": service, "UI_DRAFTS": str(folder / "drafts")}
    with running(["make", "ui", f"UI_PORT={port}"], f"{url}/_stcore/health", folder / "log", **settings):
        yield url, service


@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
def test_make_ui_without_a_service_says_how_to_start_it(
    browser: Browser, without_service: tuple[str, str], locale: str
):
    address, service = without_service
    language = locale[:2]
    page = open_page(browser, address, locale, "wide")

    expect(page.get_by_role("alert").get_by_text(say(language, "fault_unreachable"))).to_be_visible()
    expect(page.get_by_text(say(language, "service_down"))).to_be_visible()
    at_rest(page)
    assert not re.search(r"\bmake\b|API_URL|http", page.get_by_test_id("stApp").inner_text())
    page.get_by_text(say(language, "technical")).click()
    expect(page.get_by_text("make serve", exact=True)).to_be_visible()
    expect(page.get_by_text(service, exact=True)).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("entry", navigation.ENTRIES, ids=lambda entry: entry.name)
def test_each_page_opens_without_a_service(context: BrowserContext, without_service: tuple[str, str], entry: Any):
    page = context.new_page()
    page.goto(f"{without_service[0]}/{entry.name}")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
