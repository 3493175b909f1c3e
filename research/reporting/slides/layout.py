"""Lay the slides out as an editable .pptx file; a text that does not fit is an error, not an overflow."""

import io
from dataclasses import dataclass

import matplotlib as mpl
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.oxml.ns import qn
from pptx.presentation import Presentation as PresentationFile
from pptx.slide import Slide as PptxSlide
from pptx.util import Inches, Pt

from research.cli import CommandError
from research.reporting.quoted_figures import Language, QuotedFigures
from research.reporting.slides.charts import CHARTS
from research.reporting.slides.deck import FilledSlide, filled, read_deck
from research.reporting.slides.delivery import DELIVERY_DIAGRAMS
from research.reporting.slides.diagrams import DIAGRAMS
from research.reporting.slides.drawing import MIN_POINTS, STYLE, Canvas, text_width
from research.reporting.slides.walkthrough import WALKTHROUGH

WIDTH, HEIGHT = 13.333, 7.5
"""Inches of a slide, 16 to 9."""
FONT = "Arial"
"""On every office; LibreOffice replaces it by Liberation Sans, whose letters are as wide."""
LINE_HEIGHT = 1.2
INDENT = 0.3
"""Inches of a point's text behind its bullet."""
PICTURE_DPI = 150
PICTURES = CHARTS | DIAGRAMS | DELIVERY_DIAGRAMS | WALKTHROUGH
INK, SOFT = RGBColor(0x1B, 0x26, 0x31), RGBColor(0x5A, 0x63, 0x6D)


@dataclass(frozen=True)
class Frame:
    """Place of a text or picture, in inches."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Style:
    """Sizes of a text in points, the largest that fits is taken; weight, colour, and space after a paragraph."""

    sizes: tuple[int, ...]
    bold: bool = False
    colour: RGBColor = INK
    space_after: int = 0
    bulleted: bool = False


TITLE = Frame(0.6, 0.35, 12.1, 1.15), Style((32, 30, 28, 26), bold=True)
FOOT = Frame(0.6, 6.85, 11.2, 0.6), Style((MIN_POINTS,), colour=SOFT)
PAGE = Frame(11.9, 6.95, 0.9, 0.4), Style((MIN_POINTS,), colour=SOFT)
POINTS = {
    "title": (Frame(0.9, 4.1, 11.5, 1.6), Style((24, 22), colour=SOFT)),
    "text": (Frame(0.9, 1.8, 11.5, 4.9), Style((26, 24, 22, 20, 18), space_after=14, bulleted=True)),
    "picture": (Frame(0.6, 1.75, 4.5, 5.0), Style((22, 20, 18), space_after=12, bulleted=True)),
    "wide": (Frame(0.6, 6.25, 12.1, 0.6), Style((20, 18))),
}
TITLE_PAGE = Frame(0.9, 2.0, 11.5, 2.0), Style((44, 40, 36), bold=True)
PICTURE = {"picture": Frame(5.4, 1.65, 7.35, 5.15), "wide": Frame(0.6, 1.65, 12.1, 4.5)}


def text_height(paragraphs: list[str], width: float, size: int, bold: bool, space_after: int) -> float:
    """Return the height in inches of paragraphs that are broken at blanks to a width; inf where a word is wider."""
    lines = 0
    for paragraph in paragraphs:
        line = ""
        lines += 1
        for word in paragraph.split(" "):
            if text_width(word, size, bold) > width:
                return float("inf")
            longer = f"{line} {word}".strip()
            if text_width(longer, size, bold) > width:
                lines += 1
                longer = word
            line = longer
    return (lines * size * LINE_HEIGHT + len(paragraphs) * space_after) / 72


def add_text(slide: PptxSlide, paragraphs: list[str], frame: Frame, style: Style, where: str) -> None:
    """Add a text box in the largest size that fits; a `CommandError` names the slide whose text is too long."""
    width = frame.width - (INDENT if style.bulleted else 0)
    for size in style.sizes:
        if text_height(paragraphs, width, size, style.bold, style.space_after) <= frame.height:
            break
    else:
        raise CommandError(f"{where}: {paragraphs[0][:40]!r} does not fit at {style.sizes[-1]} points; shorten it")
    shape = slide.shapes.add_textbox(*(Inches(part) for part in (frame.left, frame.top, frame.width, frame.height)))
    text = shape.text_frame
    text.word_wrap = True
    text.margin_left = text.margin_right = text.margin_top = text.margin_bottom = 0
    for number, paragraph in enumerate(paragraphs):
        line = text.paragraphs[0] if number == 0 else text.add_paragraph()
        line.space_after = Pt(style.space_after)
        if style.bulleted:
            properties = line._p.get_or_add_pPr()
            properties.set("marL", str(Inches(INDENT)))
            properties.set("indent", str(-Inches(INDENT)))
            properties.append(properties.makeelement(qn("a:buChar"), {"char": "•"}))
        run = line.add_run()
        run.text = paragraph
        run.font.size, run.font.bold, run.font.name = Pt(size), style.bold, FONT
        run.font.color.rgb = style.colour


def add_picture(slide: PptxSlide, content: FilledSlide, figures: QuotedFigures, language: Language) -> None:
    """Draw the picture of a slide at the size that it has there, with its description for those who cannot see it."""
    frame = PICTURE[content.layout]
    with mpl.rc_context(STYLE):
        figure = PICTURES[str(content.picture)](Canvas(figures, language, frame.width, frame.height))
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=PICTURE_DPI)
    shape = slide.shapes.add_picture(image, Inches(frame.left), Inches(frame.top), Inches(frame.width))
    shape._element.nvPicPr.cNvPr.set("descr", content.alt)  # type: ignore[union-attr]


def presentation(figures: QuotedFigures, language: Language) -> PresentationFile:
    """Return the slides of one language; a `CommandError` where a text does not fit or a figure is missing."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    slides = [slide for slide in read_deck() if slide.only is None or figures.holds(slide.only)]
    for page, declared in enumerate(slides, start=1):
        content, where = filled(declared, figures, language), f"slide {declared.id} ({language})"
        slide = deck.slides.add_slide(deck.slide_layouts[6])  # blank: nothing that a text box could hide behind
        add_text(slide, [content.title], *(TITLE_PAGE if content.layout == "title" else TITLE), where)
        add_text(slide, content.points, *POINTS[content.layout], where)
        if content.picture:
            add_picture(slide, content, figures, language)
        if content.source:
            add_text(slide, [content.source], *FOOT, where)
        add_text(slide, [f"{page}/{len(slides)}"], *PAGE, where)
        slide.notes_slide.notes_text_frame.text = content.notes
    deck.core_properties.title = filled(slides[0], figures, language).title
    deck.core_properties.language = {"en": "en-GB", "fr": "fr-FR"}[language]
    return deck
