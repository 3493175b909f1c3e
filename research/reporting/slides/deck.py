"""The slides as `deck.toml` declares them, with the figures of published results filled in."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from research.cli import CommandError
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.reporting.quoted_figures import Language, QuotedFigures

DECK = Path(__file__).with_name("deck.toml")
MAX_SLIDES = 30


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pair(_Part):
    """A text in both languages."""

    en: str
    fr: str


class Points(_Part):
    """Points in both languages, as many in either."""

    en: list[str]
    fr: list[str]


class Slide(_Part):
    """One slide: a finding as title, points, a picture with its description, and the speaker's notes."""

    id: str
    layout: Literal["title", "text", "picture", "wide"]
    title: Pair
    points: Points
    notes: Pair
    picture: str | None = None
    alt: Pair | None = None
    only: str | None = None
    """Condition of the published results on which the slide is shown; always where none is stated."""
    source: str | None = None
    """Result file whose data is named at the foot of the slide; there, too, what intervals do not hold."""


class FilledSlide(_Part):
    """One slide in one language, with its figures."""

    id: str
    layout: Literal["title", "text", "picture", "wide"]
    title: str
    points: list[str]
    notes: str
    picture: str | None
    alt: str
    source: str


def read_deck(path: Path = DECK) -> list[Slide]:
    """Read the slides; a `CommandError` names the file and the entry that is no slide."""
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["slide"]
        slides = [Slide.model_validate(entry) for entry in entries]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise CommandError(f"{path}: no table of slides ({error}); correct it") from error
    except ValidationError as error:
        fault = error.errors()[0]
        raise CommandError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}; correct it") from error
    if len(slides) > MAX_SLIDES:
        raise CommandError(f"{path}: {len(slides)} slides; at most {MAX_SLIDES} may be shown, leave some out")
    return slides


def filled(slide: Slide, figures: QuotedFigures, language: Language) -> FilledSlide:
    """Return a slide in one language, with the figures of the result files."""

    def fill(text: str) -> str:
        return figures.fill(text, language)

    source = figures.source(slide.source, language) if slide.source else ""
    return FilledSlide(
        id=slide.id,
        layout=slide.layout,
        title=fill(getattr(slide.title, language)),
        points=[text for point in getattr(slide.points, language) if (text := fill(point))],
        notes=fill(getattr(slide.notes, language)),
        picture=slide.picture,
        alt=getattr(slide.alt, language) if slide.alt else "",
        source=". ".join(filter(None, (source, WHAT_INTERVALS_HOLD[language] if shows_intervals(slide) else ""))),
    )


def shows_intervals(slide: Slide) -> bool:
    """Return whether a slide quotes a figure with its interval, or has a picture of some."""
    return any(":interval " in text for text in (slide.title.en, *slide.points.en)) or (
        slide.alt is not None and "interval" in slide.alt.en
    )
