"""The texts of the pages by key and language, and the formats of numbers in each language."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from ui.client import Detail
from ui.texts import decide, drift, faults, letter, model, portfolio, records, shared

LANGUAGES = {"fr": "Français", "en": "English"}

NO_BREAK_SPACE = "\u00a0"
NARROW_SPACE = "\u202f"
MINUS = "\u2212"
APOSTROPHE = "\u2019"
WORD_JOINER = "\u2060"
LINK_MARKS = re.compile(r"(?:https?|ftp|mailto|xmpp|www)(?=\\?[:.])|[^\s@](?=@)", re.IGNORECASE)
"""Ends of what Markdown takes for the beginning of an address, or for the name in an email address."""

Wording = dict[str, str]

MODULES = (shared, faults, decide, letter, records, portfolio, model, drift)
MESSAGES: dict[str, Wording] = {key: wording for module in MODULES for key, wording in module.TEXTS.items()}
"""The texts of all pages; a page has its module in `ui.texts`."""

DETAIL_KINDS = {
    "missing": "detail_missing",
    "greater_than": "detail_too_small",
    "greater_than_equal": "detail_too_small",
    "less_than": "detail_too_great",
    "less_than_equal": "detail_too_great",
    "finite_number": "detail_not_a_number",
    "int_type": "detail_not_a_number",
    "float_type": "detail_not_a_number",
    "int_from_float": "detail_not_whole",
    "string_type": "detail_not_a_text",
    "list_type": "detail_not_a_list",
    "dict_type": "detail_not_a_row",
    "model_type": "detail_not_a_row",
    "too_long": "detail_too_long",
    "extra_forbidden": "detail_unknown",
    "repeated_key": "detail_repeated_key",
    "repeated_row": "detail_repeated_row",
    "other_client": "detail_other_client",
    "wrong_length": "detail_wrong_length",
    "unknown_table": "detail_unknown_table",
}
"""Keys of the messages for the service's kinds of fault, which are those of pydantic."""


def say(language: str, key: str, **values: object) -> str:
    """Return the message of a key, with its values filled in."""
    wording = MESSAGES[key][language]
    if language == "fr":
        wording = re.sub(" (?=[:;»])|(?<=«) ", NO_BREAK_SPACE, wording)
    return wording.format(**values)


def number(language: str, value: float, digits: int = 0) -> str:
    """Format a number: `1 234,5` in French, `1,234.5` in English; without a sign where it rounds to 0."""
    written = f"{value:z,.{digits}f}"
    if language == "fr":
        written = written.translate({ord(","): NARROW_SPACE, ord("."): ","})
    return written.replace("-", MINUS)


def percent(language: str, share: float, digits: int = 1) -> str:
    """Format a share in percent."""
    return number(language, 100 * share, digits) + (f"{NARROW_SPACE}%" if language == "fr" else "%")


def percentages(language: str, first: float, *others: float) -> tuple[str, ...]:
    """Format shares in percent, with the digits (up to three) that distinguish the first from the others."""
    for digits in (1, 2, 3):
        written = tuple(percent(language, share, digits) for share in (first, *others))
        if written[0] not in written[1:]:
            break
    return written


def moment(language: str, when: datetime, zone: tzinfo = UTC) -> str:
    """Format a time of a time zone; that of UTC names it."""
    year, month, day, time = f"{when.astimezone(zone):%Y %m %d %H:%M}".split()
    return say(language, "moment" if zone is UTC else "moment_local", year=year, month=month, day=day, time=time)


def day(language: str, when: datetime) -> str:
    """Format a date, in UTC."""
    return say(
        language, "day", **dict(zip(("year", "month", "day"), f"{when.astimezone(UTC):%Y %m %d}".split(), strict=True))
    )


def value(language: str, content: float | str | None, words: Mapping[str, str] | None = None) -> str:
    """Format the value of a field; a category in its words, or its code where it has none."""
    if content is None or isinstance(content, str):
        return in_words(language, words) if words else content or say(language, "missing")
    max_digits = 0 if abs(content) >= 1000 else 3
    return number(
        language,
        content,
        next(digits for digits in range(4) if round(content, digits) == round(content, max_digits)),
    )


def in_words(language: str, words: Mapping[str, str] | None) -> str:
    """Return a text of the service with a capital, or that nothing is known."""
    text = words[language] if words else say(language, "missing")
    return text[:1].upper() + text[1:] if words else text


def detail(language: str, rejected: Detail) -> str:
    """Return the message about a rejected field: the service's in the language of the page, or ours for its kind."""
    if rejected.text is not None:
        return plain(rejected.text[language])
    return say(language, DETAIL_KINDS.get(rejected.kind, "detail_rejected"))


def code(text: str) -> str:
    """Return external text as Markdown code."""
    return f"`{text.replace('`', APOSTROPHE)}`"


def plain(text: str) -> str:
    """Escape external text for Markdown: no links, images, formulas or markup.

    Addresses become links although they are escaped, so an invisible character parts what marks them as such.
    """
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|$<>~:])", r"\\\1", text)
    return LINK_MARKS.sub(rf"\g<0>{WORD_JOINER}", escaped)
