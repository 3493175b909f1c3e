"""The note of method: the published figures, both languages alike, ten pages at most."""

import json
import re
import shutil
from pathlib import Path

import pytest

from research.cli import CommandError
from research.reporting import note
from research.reporting.publish import PUBLISHED
from research.reporting.quoted_figures import LANGUAGES, QUOTE, Language, QuotedFigures

CONSTANTS = r"1 \N{MULTIPLICATION SIGN} \(1 \N{MINUS SIGN} p\)|1,000|1 000|\b30\b|0[.,]8"
"""Numbers that no result file holds: a term of a formula, a unit of counting, the name of a group, a convention."""
FIGURES = QuotedFigures(PUBLISHED)


def template(language: Language) -> str:
    return (note.TEMPLATES / f"{note.NAME}.{language}.md").read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_note_holds_the_published_figures(language: Language):
    assert (note.DOCS / f"{note.NAME}.{language}.md").read_text("utf-8") == note.note(FIGURES, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_the_note_is_quoted_from_a_result_file(language: Language):
    assert not re.search(r"\d.*", re.sub(CONSTANTS, "", QUOTE.sub("", template(language))))


def test_both_languages_have_the_same_sections_and_figures():
    english, french = (template(language) for language in LANGUAGES)

    assert re.findall("^#+ ", english, re.MULTILINE) == re.findall("^#+ ", french, re.MULTILINE)
    assert sorted(set(QUOTE.findall(english))) == sorted(set(QUOTE.findall(french)))


def test_a_new_result_changes_the_note_and_its_pictures(tmp_path: Path):
    published, docs = tmp_path / "published", tmp_path / "docs"
    shutil.copytree(PUBLISHED, published)
    docs.mkdir()
    results = json.loads((published / "results.json").read_text())
    results["metrics"]["test_clients"] = 1234.0
    (published / "results.json").write_text(json.dumps(results))

    english, french = note.write_notes(published, docs)

    assert "On 1,234 clients never read before" in english.read_text("utf-8")
    assert "Sur 1\u202f234 clients jamais lus" in french.read_text("utf-8")
    for path in (english, french):
        for picture in re.findall(r"\]\((images/.+?)\)", path.read_text("utf-8")):
            assert (docs / picture).read_bytes().startswith(b"\x89PNG")


def test_a_failing_chromium_is_an_error_with_its_message(tmp_path: Path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no display' >&2\nexit 1\n")
    program.chmod(0o755)

    with pytest.raises(CommandError, match=r"note_methodologique\.fr\.md: Chromium printed no PDF \(no display\)"):
        note.to_pdf(str(program), note.DOCS / f"{note.NAME}.fr.md", tmp_path)


@pytest.mark.skipif(note.chromium() is None, reason="Chromium is not installed (Debian package chromium)")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_note_has_ten_pages_at_most_with_its_pictures(language: Language, tmp_path: Path):
    pdf = note.to_pdf(str(note.chromium()), note.DOCS / f"{note.NAME}.{language}.md", tmp_path).read_bytes()

    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 10
    assert len(re.findall(rb"/Subtype\s*/Image\b", pdf)) >= len(note.PICTURES)
