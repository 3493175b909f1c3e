"""An officer signs in at an identity provider, and stands in the journal under the name that it states."""

import json
import re
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from research.deployment.processes import free_port
from tests.browser.conftest import READY_TIMEOUT_S, running_page
from tests.browser.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, signing_in
from tests.browser.steps import at_rest, decide, simulated
from tests.browser.test_accessibility import WIDTHS, open_page
from tests.browser.test_other_pages import UNAFFORDABLE, review
from tests.support.deadlines import timeout_s

NAME = "Inès Okafor"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with signing_in(NAME, "ines.okafor@bank.example") as started:
        yield started


@pytest.fixture(scope="module")
def guarded_url(
    service_url: str, synthetic_folder: Path, provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of a page that is set up with an identity provider, as docs/operate.md states."""
    folder, port = tmp_path_factory.mktemp("signed"), free_port()
    values = {
        "redirect_uri": f"http://127.0.0.1:{port}/oauth2callback",
        "cookie_secret": secrets.token_urlsafe(32),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "server_metadata_url": f"{provider.url}/.well-known/openid-configuration",
    }
    file = folder / "secrets.toml"
    file.write_text("[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    settings = {"UI_CLIENTS": str(synthetic_folder), "UI_SIGN_IN": "required", "NO_PROXY": "127.0.0.1"}
    with running_page(service_url, folder, port, "--secrets.files", str(file), **settings) as url:
        yield url


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """Open a browser of a French officer who has not signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400}, locale="fr-FR")
    context.set_default_timeout(1000 * timeout_s(READY_TIMEOUT_S))
    yield context.new_page()
    context.close()


def sign_in(page: Page) -> None:
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("link", name=f"Continue as {NAME}").click()
    expect(page.get_by_text(f"Connecté : {NAME}")).to_be_visible()


def test_nobody_sees_a_client_before_signing_in(stranger: Page, guarded_url: str):
    stranger.goto(guarded_url)

    expect(stranger.get_by_role("button", name="Se connecter")).to_be_visible()
    at_rest(stranger)
    expect(stranger.get_by_role("heading")).to_have_count(1)
    expect(stranger.get_by_text("Client")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_before_signing_in_breaks_no_rule_of_accessibility(browser: Browser, guarded_url: str, width: str):
    page = open_page(browser, guarded_url, "fr-FR", width)
    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()
    at_rest(page)

    violations = Axe().run(page).response["violations"]

    page.context.close()
    assert [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]]) for one in violations] == []


def test_the_signed_in_officer_decides_and_signs_out(stranger: Page, guarded_url: str, service_url: str):
    stranger.goto(guarded_url)
    sign_in(stranger)
    simulated(stranger)
    expect(stranger.get_by_label("Votre nom", exact=True)).to_have_count(0)

    number = decide(stranger)

    assert httpx.get(f"{service_url}/decisions/{number}").raise_for_status().json()["officer"] == NAME
    stranger.reload()
    expect(stranger.get_by_text(f"Connecté : {NAME}")).to_be_visible()
    at_rest(stranger)
    stranger.get_by_role("button", name="Se déconnecter").click()
    expect(stranger.get_by_role("button", name="Se connecter")).to_be_visible()
    expect(stranger.get_by_role("heading", name="Client")).to_have_count(0)


def test_the_signed_in_officer_stands_as_reviewer_of_the_decision_of_a_link(
    stranger: Page, guarded_url: str, service_url: str
):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    waiting = httpx.post(f"{service_url}/predict", json=UNAFFORDABLE, headers=key).raise_for_status().json()
    assert waiting["decision"] == "review"
    number = waiting["decision_id"]
    stranger.goto(f"{guarded_url}/?decision={number}")
    sign_in(stranger)
    expect(stranger.get_by_role("heading", name=re.compile("Client 700002 :"))).to_be_visible()

    review(stranger, "Accorder le crédit")

    expect(stranger.get_by_text("Votre décision est enregistrée : crédit accordé.")).to_be_visible()
    (written,) = httpx.get(f"{service_url}/decisions/{number}").raise_for_status().json()["reviews"]
    assert (written["outcome"], written["reviewer"]) == ("granted", NAME)
