"""The picture of a deployment: lines of the recording, in their order, none invented, and words in both languages."""

import re
from pathlib import Path

import pytest
from matplotlib.text import Text

from research.cli import CommandError
from research.reporting.publish import PUBLISHED
from research.reporting.quoted_figures import LANGUAGES, Language, QuotedFigures
from research.reporting.slides import layout, walkthrough
from research.reporting.slides.deck import filled, read_deck
from research.reporting.slides.drawing import Canvas
from research.reporting.slides.walkthrough import COMMAND, EXCERPTS, RECORDING, drawn_lines, recorded, shortened

FIGURES = QuotedFigures(PUBLISHED)
FRAME = layout.PICTURE["wide"]


def drawn(language: Language) -> list[str]:
    figure = walkthrough.walkthrough(Canvas(FIGURES, language, FRAME.width, FRAME.height))
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_each_line_that_is_drawn_is_one_of_the_recording_in_its_order():
    printed = [" ".join(shortened(line).split()) for command in recorded() for line in command.lines]
    remaining = iter(printed)

    lines = [line for line, _, colour in drawn_lines(recorded()) if colour != COMMAND]

    joined = "\n".join(lines).replace("\n  ", " ").split("\n")  # a line that was broken is one again
    assert len(joined) > 8
    assert all(line in remaining for line in joined)


def test_the_picture_shows_each_step_of_a_deployment():
    text = "\n".join(drawn("en"))

    for part in ("cloud create", "cloud push", "holds model version 7", "passed its test", "100 % of the requests"):
        assert part in text
    assert "version 7 is served, not 8" in text
    assert text.index("--model-version 8") < text.index("not deployed") < text.index("cloud rollback")


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_beside_the_terminal_are_in_the_language_of_the_slide(language: Language):
    other = LANGUAGES[1 - LANGUAGES.index(language)]
    words = [pair for _, lines in EXCERPTS for _, pair, _ in lines if pair[0]]

    texts = drawn(language)

    assert len(words) >= 7
    assert all(pair[LANGUAGES.index(language)] in texts for pair in words)
    assert not [pair for pair in words if pair[LANGUAGES.index(other)] in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_slide_says_that_a_server_stood_for_aws(language: Language):
    (slide,) = [slide for slide in read_deck() if slide.picture == "deployment"]

    (point,) = filled(slide, FIGURES, language).points

    assert {"en": "A server stood in for AWS", "fr": "Un serveur tenait lieu d'AWS"}[language] in point


def test_a_recording_without_a_line_that_is_drawn_is_refused(tmp_path: Path):
    commands = recorded()
    (failed,) = [command for command in commands if "error: not deployed" in "".join(command.lines)]
    (tmp_path / "empty.txt").write_text("# nothing\n")

    with pytest.raises(CommandError, match="of deploy lacks a line with 'error: '; see make deployment-recording"):
        list(drawn_lines([command for command in commands if command is not failed] + [commands[-1], commands[3]]))
    with pytest.raises(CommandError, match="the recording lacks a command rollback; take it again"):
        list(drawn_lines(commands[: commands.index(failed) + 1]))
    with pytest.raises(CommandError, match=r"empty\.txt holds no line that begins with .*make deployment-recording"):
        recorded(tmp_path / "empty.txt")


def test_lines_that_do_not_fit_on_the_slide_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(walkthrough, "COLUMNS", 90)
    with pytest.raises(CommandError, match="is too long for the slide; shorten it in EXCERPTS"):
        drawn("en")

    monkeypatch.setattr(walkthrough, "COLUMNS", 20)
    with pytest.raises(CommandError, match=r"\d+ lines of a deployment do not fit on a slide"):
        drawn("en")


def test_the_recording_names_no_folder_of_a_machine_and_no_key():
    text = RECORDING.read_text("utf-8")

    assert not re.findall(r"(?<![\w/.:])/\w+", text)  # a path from the root
    assert "SCORING_KEY" not in text
