"""The slides: figures from result files, titles that the figures bear out, texts that fit, both languages alike."""

import itertools
import json
import re
import shutil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from pptx import Presentation
from pptx.presentation import Presentation as PresentationFile
from pptx.util import Inches

from research.cli import ROOT, CommandError
from research.comparison.candidates import FAMILIES
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.reporting.publish import PUBLISHED
from research.reporting.quoted_figures import LANGUAGES, QUOTE, Language, QuotedFigures
from research.reporting.slides import command, delivery, diagrams, layout
from research.reporting.slides.deck import MAX_SLIDES, Slide, filled, read_deck
from research.reporting.slides.delivery import deployment_jobs, integration_steps
from research.reporting.slides.drawing import MIN_POINTS, STYLE, Canvas, box

DECK = read_deck()
FIGURES = QuotedFigures(PUBLISHED)
CONSTANTS = r"1/11|1 \N{MULTIPLICATION SIGN} \(1 \N{MINUS SIGN} p\)|1,000|1 000|30|0[.,]8"
"""Numbers that no result file holds: the rule's fraction, a unit of counting, names of groups, a convention."""
ENGLISH = re.compile(r"\b(the|of|and|with|is|are|cost|features|share|grant|slowest|as it is)\b", re.IGNORECASE)
UNTRANSLATED = ("commits", "deployment", "tables", "tests")
"""Pictures that hold names of the project or what its commands print, which are English."""


def texts_of(slide: Slide, language: Language) -> list[str]:
    return [getattr(slide.title, language), *getattr(slide.points, language), getattr(slide.notes, language)]


@pytest.fixture(scope="module", params=LANGUAGES)
def deck(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PresentationFile:
    """The slides of a language, as they are read again from their file."""
    path = tmp_path_factory.mktemp("slides") / "slides.pptx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "PICTURE_DPI", 20)
        layout.presentation(FIGURES, request.param).save(str(path))
    return Presentation(str(path))


def test_a_talk_of_twenty_minutes_has_few_slides():
    assert 20 <= len(DECK) <= MAX_SLIDES
    assert len({slide.id for slide in DECK}) == len(DECK)


@pytest.mark.parametrize("slide", DECK, ids=lambda slide: slide.id)
def test_both_languages_hold_the_same(slide: Slide):
    english, french = (" ".join(texts_of(slide, language)) for language in LANGUAGES)

    assert len(slide.points.en) == len(slide.points.fr)
    assert set(QUOTE.findall(english)) == set(QUOTE.findall(french))
    assert not ENGLISH.search(QUOTE.sub("", french))
    assert (slide.picture is None) == (slide.alt is None)


@pytest.mark.parametrize("slide", DECK, ids=lambda slide: slide.id)
def test_every_number_is_quoted_from_a_result_file(slide: Slide):
    for language in LANGUAGES:
        for text in texts_of(slide, language):
            assert not re.search(r"\d", re.sub(CONSTANTS, "", QUOTE.sub("", text))), text


@pytest.mark.parametrize("slide", DECK, ids=lambda slide: slide.id)
def test_a_slide_with_figures_names_their_data(slide: Slide):
    shown = " ".join([slide.title.en, *slide.points.en])
    files = {name for name, _, _ in QUOTE.findall(shown)} - {"project"}

    assert not files or slide.source is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_slide_with_intervals_says_what_they_do_not_hold(language: Language):
    feet = {slide.id: filled(slide, FIGURES, language).source for slide in DECK}

    for slide in ("comparison", "quality", "calibration", "fairness"):
        assert feet[slide].endswith(WHAT_INTERVALS_HOLD[language])
    assert WHAT_INTERVALS_HOLD[language] not in feet["features"]


def test_a_new_result_changes_the_slide(tmp_path: Path):
    shutil.copytree(PUBLISHED, tmp_path, dirs_exist_ok=True)
    results = json.loads((tmp_path / "results.json").read_text())
    results["metrics"]["test_gini"] = 0.1234
    (tmp_path / "results.json").write_text(json.dumps(results))
    quality = next(slide for slide in DECK if slide.id == "quality")

    assert "Gini 0.123" in filled(quality, QuotedFigures(tmp_path), "en").points[0]
    assert "Gini 0,123" in filled(quality, QuotedFigures(tmp_path), "fr").points[0]


def test_a_point_whose_figure_is_not_published_is_left_out(tmp_path: Path):
    shutil.copytree(PUBLISHED, tmp_path, dirs_exist_ok=True)
    fidelity = json.loads((tmp_path / "fidelity.json").read_text())
    row = {"table": "application_train", "auc": 0.987, "most_used": {}}
    (slide,) = [slide for slide in DECK if slide.id == "synthetic"]

    for language in LANGUAGES:
        (tmp_path / "fidelity.json").write_text(json.dumps(fidelity | {"told_apart": [row]}))
        compared = filled(slide, QuotedFigures(tmp_path), language).points
        (tmp_path / "fidelity.json").write_text(json.dumps(fidelity | {"told_apart": []}))
        alone = filled(slide, QuotedFigures(tmp_path), language).points

        assert [point for point in compared if point not in alone] == [compared[2]]
        assert {"en": "0.987", "fr": "0,987"}[language] in compared[2]
        assert all(alone)


def test_a_part_stands_where_its_condition_holds():
    text = "AUC {results:metrics.test_auc:.3f}{?, at most {results:oracle.test_auc:.3f}?}{? or {results:no.such:.1f}?}"

    auc, oracle = (FIGURES.value("results", path) for path in ("metrics.test_auc", "oracle.test_auc"))
    kind = {"synthetic": "generated data", "real": "real data"}[FIGURES.file("results")["data"]]
    assert FIGURES.fill(text, "en") == f"AUC {auc:.3f}, at most {oracle:.3f}"
    assert FIGURES.fill("{synthetic?generated?}{real?real?} data", "en") == kind
    assert FIGURES.fill("{not synthetic?real?}{not real?generated?} data", "en") == kind


def test_results_on_real_data_have_no_slide_on_generated_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(PUBLISHED, tmp_path, dirs_exist_ok=True)
    results = json.loads((tmp_path / "results.json").read_text())
    (tmp_path / "results.json").write_text(json.dumps(results | {"data": "real", "seed": None, "oracle": None}))
    monkeypatch.setattr(layout, "PICTURE_DPI", 20)

    deck = layout.presentation(QuotedFigures(tmp_path), "en")

    shown = [shape.text_frame.text for slide in deck.slides for shape in slide.shapes if shape.has_text_frame]
    assert len(deck.slides) == len(DECK) - 1
    assert f"real data, {results['clients']:,} clients" in shown
    assert not [text for text in shown if "generated" in text or "{" in text]


def test_no_text_is_small_and_none_overflows_its_box(deck: PresentationFile):
    for page, slide in enumerate(deck.slides, start=1):
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height
            if not shape.has_text_frame:
                continue
            (size,) = {run.font.size.pt for line in shape.text_frame.paragraphs for run in line.runs}
            bold = bool(shape.text_frame.paragraphs[0].runs[0].font.bold)
            space = shape.text_frame.paragraphs[0].space_after.pt
            lines = [line.text for line in shape.text_frame.paragraphs]
            indented = "buChar" in shape._element.xml
            width = shape.width / Inches(1) - (layout.INDENT if indented else 0)
            height = layout.text_height(lines, width, int(size), bold, space)

            assert size >= MIN_POINTS, page
            assert height <= shape.height / Inches(1), (page, lines)


def test_no_two_parts_of_a_slide_overlap(deck: PresentationFile):
    for page, slide in enumerate(deck.slides, start=1):
        places = [(shape.left, shape.top, shape.left + shape.width, shape.top + shape.height) for shape in slide.shapes]
        for number, one in enumerate(places):
            for other in places[number + 1 :]:
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart, page


def test_every_slide_has_notes_and_every_picture_a_description(deck: PresentationFile):
    for slide in deck.slides:
        assert len(slide.notes_slide.notes_text_frame.text) > 100
        for shape in slide.shapes:
            if not shape.has_text_frame:
                assert len(shape._element.nvPicPr.cNvPr.get("descr")) > 15


def ticks_beyond_the_axes(figure: Figure) -> list[Text]:
    """Return the labels of ticks outside the limits of their axis, which matplotlib does not draw."""
    labels = []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            beyond = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
            labels += [label for tick in beyond for label in (tick.label1, tick.label2)]
    return labels


def assert_legible(slide: Slide, language: Language, figures: QuotedFigures) -> None:
    """Check that no text of a slide's picture is small, cut off, or in the other language."""
    frame = layout.PICTURE[slide.layout]
    with mpl.rc_context(STYLE):
        figure = layout.PICTURES[str(slide.picture)](Canvas(figures, language, frame.width, frame.height))
    figure.draw_without_rendering()
    bounds = figure.bbox

    for text in figure.findobj(Text):
        if not text.get_text().strip() or not text.get_visible() or text in ticks_beyond_the_axes(figure):
            continue
        extent = text.get_window_extent()
        assert text.get_fontsize() >= MIN_POINTS
        assert extent.x0 >= -1, text
        assert extent.x1 <= bounds.x1 + 1, text
        assert extent.y0 >= -1, text
        assert extent.y1 <= bounds.y1 + 1, text
        if language == "fr" and slide.picture not in UNTRANSLATED:
            assert not ENGLISH.search(text.get_text())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slide", [slide for slide in DECK if slide.picture], ids=lambda slide: slide.id)
def test_a_picture_is_legible_whole_and_in_one_language(slide: Slide, language: Language):
    assert_legible(slide, language, FIGURES)


@pytest.fixture(scope="module")
def all_families(tmp_path_factory: pytest.TempPathFactory) -> QuotedFigures:
    """The published results, had every family that can be compared been compared, and the blend been served."""
    folder = tmp_path_factory.mktemp("results")
    shutil.copytree(PUBLISHED, folder, dirs_exist_ok=True)
    comparison = json.loads((folder / "comparison.json").read_text("utf-8"))
    plain = next(row for row in comparison["rows"] if row["candidate"] == "lightgbm")
    compared = {row["family"] for row in comparison["rows"]}
    comparison["rows"] += [plain | {"candidate": name, "family": name} for name in FAMILIES if name not in compared]
    (folder / "comparison.json").write_text(json.dumps(comparison))
    results = json.loads((folder / "results.json").read_text("utf-8")) | {"family": "blend"}
    (folder / "results.json").write_text(json.dumps(results))
    return QuotedFigures(folder)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_deck_of_all_families_fits_and_its_pictures_are_legible(
    language: Language, all_families: QuotedFigures, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(layout, "PICTURE_DPI", 20)

    layout.presentation(all_families, language)

    for slide in DECK:
        if slide.id in ("comparison", "times", "imbalance"):
            assert_legible(slide, language, all_families)


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_of_all_families_do_not_cover_each_other(language: Language, all_families: QuotedFigures):
    for slide, gap in [(slide, {"comparison": 5, "times": -1}.get(slide.id)) for slide in DECK]:
        if gap is None:
            continue
        frame = layout.PICTURE[slide.layout]
        with mpl.rc_context(STYLE):
            figure = layout.PICTURES[str(slide.picture)](Canvas(all_families, language, frame.width, frame.height))
        figure.draw_without_rendering()
        labels = [label.get_window_extent() for label in figure.axes[0].get_yticklabels() if label.get_text()]
        ordered = sorted(labels, key=lambda extent: extent.y0)

        assert len(ordered) >= len(FAMILIES)
        assert all(below.y1 + gap <= above.y0 for below, above in itertools.pairwise(ordered)), slide.id


def test_only_families_with_a_treatment_are_drawn_and_counted_under_treatments(all_families: QuotedFigures):
    (slide,) = [slide for slide in DECK if slide.id == "imbalance"]
    frame = layout.PICTURE[slide.layout]

    figure = layout.PICTURES["imbalance"](Canvas(all_families, "en", frame.width, frame.height))

    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["LightGBM", "logistic regression", "random forest", "XGBoost"]
    assert filled(slide, all_families, "en").points[2].startswith("Of 4 families, ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_costs_of_the_comparison_stand_beside_their_points(language: Language, all_families: QuotedFigures):
    frame = layout.PICTURE["picture"]
    with mpl.rc_context(STYLE):
        figure = layout.PICTURES["comparison"](Canvas(all_families, language, frame.width, frame.height))
    figure.draw_without_rendering()

    costs = sorted((text.get_window_extent() for text in figure.axes[0].texts), key=lambda extent: extent.y0)

    assert len(costs) >= len(FAMILIES)
    assert all(below.y1 + 5 <= above.y0 for below, above in itertools.pairwise(costs))


def test_a_search_that_finds_nothing_better_gains_little(tmp_path: Path):
    shutil.copytree(PUBLISHED, tmp_path, dirs_exist_ok=True)
    results = json.loads((tmp_path / "results.json").read_text())
    results["tuning"] |= {"gain": 0.0, "gain_error": 0.0}
    (tmp_path / "results.json").write_text(json.dumps(results))
    (slide,) = [slide for slide in DECK if slide.id == "tuning"]

    assert filled(slide, QuotedFigures(tmp_path), "en").title.startswith("Tuning gains little")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_of_the_page_ends_with_its_scale_of_risk(language: Language):
    frame = layout.PICTURE["picture"]

    figure = diagrams.scale_of_risk(Canvas(FIGURES, language, frame.width, frame.height))

    (shown,) = figure.axes[0].images[0].get_array()[-diagrams.BELOW_SCALE - 1 :][:1]
    for colour in diagrams.SCALE:
        assert (abs(shown[:, :3] - colour).max(axis=1) < diagrams.SAME_COLOUR).any()


def test_a_picture_without_a_scale_of_risk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(diagrams, "_image", lambda _: np.ones((40, 40, 3)))

    with pytest.raises(CommandError, match=r"docs/images/decide_en_wide\.png shows no scale of risk; take it again"):
        diagrams.scale_of_risk(Canvas(FIGURES, "en", 7, 5))


def test_a_text_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch):
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])

    with pytest.raises(CommandError, match=r"slide x \(en\): 'word word .*' does not fit at 26 points; shorten it"):
        layout.add_text(slide, ["word " * 60], *layout.TITLE, "slide x (en)")
    with pytest.raises(CommandError, match=r"does not fit into a box of 1\.0 by 1\.0 inches"):
        box(Canvas(FIGURES, "en", 5, 5).board()[1], (0, 0, 1, 1), "a long line of text")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{results:metrics.nothing:.2f}", r"results\.json holds no metrics\.nothing \(at 'nothing'\)"),
        ("{comparison:rows[candidate=none].auc:.2f}", r"comparison\.json holds no rows\[candidate=none\]\.auc"),
        ("{nowhere:metrics.auc:.2f}", r"nowhere\.json: No such file or directory; publish a run"),
    ],
)
def test_a_figure_that_no_file_holds_is_named(text: str, message: str):
    with pytest.raises(CommandError, match=message):
        FIGURES.fill(text, "en")


def test_french_lines_do_not_break_before_a_mark():
    assert (
        FIGURES.fill("Pourquoi ? « Oui » : {project:margin:.1%}", "fr")
        == "Pourquoi\u00a0? «\u00a0Oui\u00a0»\u00a0: 5,5\u202f%"
    )
    assert FIGURES.fill("Why : {project:margin:.1%}", "en") == "Why : 5.5%"


def test_without_libreoffice_the_command_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(command, "office", lambda: None)
    monkeypatch.setattr(command, "write_slides", lambda out, figures: [out / "slides.en.pptx"])

    command.run(type("Options", (), {"results": PUBLISHED, "out": tmp_path})())

    output = capsys.readouterr()
    assert "slides.en.pptx" in output.out
    assert output.err == "no PDF: LibreOffice is missing (Debian package libreoffice-impress)\n"


def test_a_failing_libreoffice_is_an_error_with_its_message(tmp_path: Path):
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho 'no display' >&2\nexit 1\n")
    program.chmod(0o755)

    with pytest.raises(CommandError, match=r"slides\.pptx: LibreOffice wrote no PDF \(no display\)"):
        command.to_pdf(str(program), tmp_path / "slides.pptx")


@pytest.mark.skipif(
    command.office() is None, reason="LibreOffice is not installed (Debian package libreoffice-impress)"
)
def test_libreoffice_writes_a_page_for_each_slide(deck: PresentationFile, tmp_path: Path):
    path = tmp_path / "slides.pptx"
    deck.save(str(path))

    content = command.to_pdf(str(command.office()), path).read_bytes()

    assert len(re.findall(rb"/Type\s*/Page\b", content)) == len(DECK)


def test_the_drawn_pipeline_is_that_of_the_integration_script(tmp_path: Path):
    steps = integration_steps()

    assert steps[:2] == ["make packages", "make setup"]
    assert {"make test", "make test-cloud", "make test-container"} <= set(steps)
    assert all(
        name.removeprefix("make ") in (ROOT / "Makefile").read_text() for name in steps if name.startswith("make ")
    )


def test_the_drawn_deployment_is_that_of_the_workflow(tmp_path: Path):
    (tmp_path / "deploy.yml").write_text(
        "jobs:\n  image:\n    name: Build\n    uses: ./.github/workflows/build.yml\n"
        "  smoke:\n    steps: [{uses: actions/checkout@v7}, {name: Ask once}]\n"
    )
    (tmp_path / "build.yml").write_text(
        "jobs: {run: {steps: [{name: Image of the service}, {name: Push by digest}]}}\n"
    )

    assert deployment_jobs(tmp_path) == {"Build": ["Image of the service", "Push by digest"], "smoke": ["Ask once"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_jobs_of_the_deployment_are_stated_whole(language: Language):
    figure = layout.PICTURES["pipeline"](Canvas(FIGURES, language, 12.1, 4.5))

    texts = [text.get_text().replace("\n", " ") for text in figure.findobj(Text) if text.get_text()]
    steps = {
        "en": ["champion", "attested", "traffic in steps", "status"],
        "fr": ["attestées", "trafic par étapes", "état"],
    }
    assert not [text for text in texts if "…" in text]
    assert all(any(step in text for text in texts[-3:]) for step in steps[language])
    assert texts[-1].endswith(
        {"en": "production: the same steps", "fr": "production\u00a0: les mêmes étapes"}[language]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_deployment_with_long_and_repeated_steps_is_drawn(language: Language, monkeypatch: pytest.MonkeyPatch):
    names = ["Image of the service", "Image of the page", "A step with a name " + "that is longer than its box " * 6]
    monkeypatch.setattr(delivery, "deployment_jobs", lambda: {"Build": names, "Production": ["Deploy, test"]})

    figure = layout.PICTURES["pipeline"](Canvas(FIGURES, language, 12.1, 4.5))

    build, production = [text.get_text() for text in figure.findobj(Text) if text.get_text()][-2:]
    assert build.count("images") == 1
    assert build.endswith("…")
    assert len(build.split("\n")) == 3
    assert production.startswith("production")
