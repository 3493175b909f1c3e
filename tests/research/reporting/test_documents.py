"""The documents that quote results: the published figures, both languages alike, a note of ten pages at most."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bento.features.catalogue import CATALOGUE
from bento.features.definitions import Feature
from research.cli import CommandError
from research.reporting import article_18, documents
from research.reporting.quoted_figures import LANGUAGES, PUBLISHED, QUOTE, Language, QuotedFigures
from research.training import lawful

CONSTANTS = re.compile(
    "|".join(
        (
            r"1/11|1 \N{MULTIPLICATION SIGN} \(1 \N{MINUS SIGN} p\)|1 \N{MINUS SIGN} p",  # terms of the formula
            r"\| 0 \||\| 1: |\| 0$",  # costs of the other cells
            r"1,000|1 000|\b9 %",  # units of counting, an example
            r"\b30\b|0[.,]8",  # a group of age, a convention
            r"^[0-9]\. |\b20[0-9]{2}\b|article_18",
            r"article [0-9]+|\(EU\) [0-9]+/[0-9]+|C-[0-9]+/[0-9]+|Annex III 5",  # law
        )
    ),
    re.MULTILINE,
)
"""Numbers that no result file holds: terms of the formula, units, names, conventions, law."""
FIGURES = QuotedFigures(PUBLISHED)
TEMPLATES = documents.templates()
NOTES = {language: Path(f"{documents.NOTE}.{language}.md") for language in LANGUAGES}


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_a_document_holds_the_published_figures(name: Path):
    assert (documents.DOCS / name).read_text("utf-8") == documents.document(FIGURES, TEMPLATES[name])


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_every_number_is_quoted_from_a_result_file(name: Path):
    text = re.sub(r"`[^`]+`", "", QUOTE.sub("", TEMPLATES[name].read_text("utf-8")))

    assert re.findall(r".*\d.*", CONSTANTS.sub("", text)) == []


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_the_pictures_of_a_document_are_there(name: Path):
    path = documents.DOCS / name
    for picture in re.findall(r"\]\((\S+\.png)\)", path.read_text("utf-8")):
        assert (path.parent / picture).read_bytes().startswith(b"\x89PNG")


def test_both_languages_of_the_note_have_the_same_sections_and_figures():
    english, french = (TEMPLATES[NOTES[language]].read_text("utf-8") for language in LANGUAGES)

    assert re.findall("^#+ ", english, re.MULTILINE) == re.findall("^#+ ", french, re.MULTILINE)
    assert sorted(set(QUOTE.findall(english))) == sorted(set(QUOTE.findall(french)))


def test_a_new_result_changes_the_documents(tmp_path: Path):
    published, docs = tmp_path / "published", tmp_path / "docs"
    shutil.copytree(PUBLISHED, published)
    results = json.loads((published / "results.json").read_text())
    results["metrics"]["test_clients"] = 1234.0
    (published / "results.json").write_text(json.dumps(results))

    documents.write_documents(published, docs)

    assert "On 1,234 clients never read before" in (docs / NOTES["en"]).read_text("utf-8")
    assert "Sur 1\u202f234 clients que le modèle n'avait jamais lus" in (docs / NOTES["fr"]).read_text("utf-8")
    assert {path.name for path in (docs / "images" / "drawn").iterdir()} == {
        path.name for path in (documents.DOCS / "images" / "drawn").iterdir()
    }


def test_results_on_real_data_are_not_shown_as_generated(tmp_path: Path):
    published, docs = tmp_path / "published", tmp_path / "docs"
    shutil.copytree(PUBLISHED, published)
    results = json.loads((published / "results.json").read_text())
    (published / "results.json").write_text(json.dumps(results | {"data": "real", "seed": None, "oracle": None}))

    documents.write_documents(published, docs)

    english, french = ((docs / NOTES[language]).read_text("utf-8") for language in LANGUAGES)
    assert "clients of the lender; the [model card]" in english
    assert "clients du prêteur\u00a0; la [fiche du modèle]" in french
    for text in (english, french):
        assert not re.search("generated|génér|vraie probabilité|\\{|\\?}", text)


def test_the_page_of_article_18_is_that_of_the_catalogue():
    assert (documents.DOCS / documents.ARTICLE_18).read_text("utf-8") == article_18.page(FIGURES)


@pytest.mark.parametrize(
    ("name", "circumstance", "is_doubtful"),
    [
        ("application_income", "income", False),
        ("application_annuity_to_income", "income", False),
        ("application_children", "expenses: dependants", False),
        ("application_employed_years", "economic circumstances: employment", False),
        ("application_phone_change_years", "identity and contact", True),
        ("application_document_3", "documents given", True),
        ("application_acquaintances_default_30d", "social circle", True),
        ("application_employer_phone", "identity and contact", True),
        ("application_organization", "employment", True),
        ("bureau_debt_ratio_mean", "expenses: commitments at other lenders", False),
    ],
)
def test_a_feature_tells_a_circumstance(name: str, circumstance: str, is_doubtful: bool):
    result = lawful.circumstance(CATALOGUE[name])

    assert result.name == circumstance
    assert bool(result.doubt) is is_doubtful


def test_every_feature_of_the_application_is_mapped():
    for feature in CATALOGUE.values():
        assert lawful.circumstance(feature).name


def test_a_new_feature_of_the_application_must_be_mapped():
    feature: Feature = CATALOGUE["application_income"]
    renamed = type("Renamed", (), {"name": "application_zodiac", "group": feature.group})()

    with pytest.raises(KeyError, match="application_zodiac: state in research/training/lawful"):
        lawful.circumstance(renamed)


def test_a_family_that_is_left_out_is_marked_so():
    page = article_18.page(FIGURES)

    assert "| `application_document_3` | documents given |" in page
    assert re.search(r"\| `application_document_3` .* \| no: documents \|", page)
    assert re.search(r"\| `application_age_years` .* \| no: age \|", page)
    assert re.search(r"\| `application_income` \| income \|  \| yes \|", page)


def test_a_failing_chromium_is_an_error_with_its_message(tmp_path: Path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no display' >&2\nexit 1\n")
    program.chmod(0o755)

    with pytest.raises(CommandError, match=r"note_methodologique\.fr\.md: Chromium printed no PDF \(no display\)"):
        documents.to_pdf(str(program), documents.DOCS / NOTES["fr"], tmp_path)


@pytest.mark.skipif(documents.chromium() is None, reason="Chromium is not installed (Debian package chromium)")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_note_has_ten_pages_at_most_with_its_pictures(language: Language, tmp_path: Path):
    pdf = documents.to_pdf(str(documents.chromium()), documents.DOCS / NOTES[language], tmp_path).read_bytes()

    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 10
    assert len(re.findall(rb"/Subtype\s*/Image\b", pdf)) >= 2
