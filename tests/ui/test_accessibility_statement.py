"""The statement of accessibility: the documents hold what the page shows, and name tests that there are."""

import re
from pathlib import Path

import pytest

from tests.ui.steps import speak, texts
from ui.messages import LANGUAGES, say

ROOT = Path(__file__).parents[2]
DOCUMENTS = {"en": ROOT / "docs" / "accessibility.md", "fr": ROOT / "docs" / "accessibility.fr.md"}


def statement(language: str) -> str:
    text = (ROOT / "ui" / "statement" / f"accessibility.{language}.md").read_text("utf-8")
    return text.replace("{contact}", say(language, "accessibility_contact"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_holds_the_statement_of_the_page(language):
    assert statement(language) in DOCUMENTS[language].read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_test_that_the_document_names_is_there(language):
    names = re.findall(r"`(tests/\S+\.py)::(\w+)`", DOCUMENTS[language].read_text("utf-8"))

    assert len(names) > 10
    assert [name for file, name in names if f"\ndef {name}(" not in (ROOT / file).read_text("utf-8")] == []


def test_both_languages_state_the_same_number_of_things():
    counts = [[len(re.findall(f"^{mark}", statement(one), re.M)) for mark in ("## ", "- ")] for one in LANGUAGES]

    assert counts[0] == counts[1]


def test_the_page_shows_the_statement_and_whom_to_write_to(page, monkeypatch):
    monkeypatch.setenv("ACCESSIBILITY_CONTACT", "access@bank.example")

    opened = page().switch_page("views/accessibility.py").run()

    assert "État de conformité" in texts(opened)
    assert "access\\@bank.example" in texts(opened).replace("\u2060", "").replace("access@", "access\\@")
    assert "State of conformity" in texts(speak(opened, "en"))
