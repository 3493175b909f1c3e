"""Documents and slides are spelt as Hunspell's dictionaries and the project's list of words have it."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from research.reporting.quoted_figures import LANGUAGES, QUOTE, Language
from research.reporting.slides.deck import read_deck
from tests.docs.pages import PAGES, name_of, without_code

DICTIONARIES: dict[Language, str] = {"en": "en_GB", "fr": "fr"}
WORDS = Path(__file__).with_name("words.txt")
BILINGUAL = ("docs/wording", "docs/features")
"""Begins of the names of pages with both languages in one table; their texts are those of the product."""

pytestmark = pytest.mark.skipif(
    shutil.which("hunspell") is None, reason="missing: hunspell, hunspell-en-gb, hunspell-fr (Debian packages)"
)


@cache
def project_words() -> frozenset[str]:
    lines = WORDS.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def unknown_words(text: str, language: Language) -> list[str]:
    """Return the words of a text that neither the dictionary nor the project's list holds."""
    text = re.sub(r"\{(not )?\w*\?|\?\}", " ", text)
    plain = re.sub(r"\]\([^)]*\)|https?://\S+|--+", " ", without_code(QUOTE.sub(" ", text))).replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )
    command = ["hunspell", "-l", "-i", "utf-8", "-d", DICTIONARIES[language]]
    done = subprocess.run(command, input=plain, capture_output=True, text=True, check=True)
    words = {re.sub(r"^[ldnsjmtcLDNSJMTC]'|'s$|\.$", "", word) for word in done.stdout.split()}
    return sorted(word for word in words - project_words() if not re.search(r"\d|_", word))


@pytest.mark.parametrize("page", [page for page in PAGES if not name_of(page).startswith(BILINGUAL)], ids=name_of)
def test_a_page_is_spelt_right(page: Path):
    language: Language = "fr" if ".fr." in page.name else "en"

    assert unknown_words(page.read_text("utf-8"), language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_slides_are_spelt_right(language: Language):
    texts = []
    for slide in read_deck():
        texts += [getattr(slide.title, language), *getattr(slide.points, language), getattr(slide.notes, language)]

    assert unknown_words("\n".join(texts), language) == []


@pytest.mark.parametrize(("text", "language"), [("a probabilty", "en"), ("une probabilitée", "fr")])
def test_a_misspelt_word_is_reported(text: str, language: Language):
    assert unknown_words(text, language) == [text.split()[1]]
