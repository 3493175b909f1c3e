"""Numbers as officers write and paste them: read strictly, so that no text becomes another amount."""

import re
from typing import Literal

NumberFault = Literal["not_a_number", "ambiguous", "not_whole", "too_small", "too_great"]

SPACES = re.compile(r"[\s\u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]")
CURRENCY = re.compile(r"(?:€|EUR)$", re.IGNORECASE)
MINUS_SIGNS = str.maketrans(dict.fromkeys("\u2212\u2013\u2010\u2011", "-"))
APOSTROPHES = re.compile("(?<=\\d)['\u2019](?=\\d{3}(?!\\d))")
GROUPS = r"[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+"


class NumberError(ValueError):
    """A text that is no number, or could be two numbers; `kind` is the fault."""

    def __init__(self, kind: NumberFault) -> None:
        super().__init__(kind)
        self.kind = kind


def read_number(language: str, text: str) -> float | None:
    """Return the number that a text writes in a language; None for an empty text.

    Spaces of any kind and apostrophes group digits. A point or a comma is the decimal sign, in both languages, wherever
    it cannot group thousands; where it can, it does so in the language that groups with it, and is ambiguous in the
    other. A currency at the end is left out.

    Raises:
        NumberError: `not_a_number`, or `ambiguous`.

    >>> [read_number("fr", text) for text in ("450 000,50", "450000.5", "1.234.567,8", "-12", "")]
    [450000.5, 450000.5, 1234567.8, -12.0, None]
    >>> read_number("en", "450,000"), read_number("en", "1,5"), read_number("en", "0,125")
    (450000.0, 1.5, 0.125)
    >>> read_number("fr", "450.000")
    Traceback (most recent call last):
    ui.numbers.NumberError: ambiguous
    """
    digits = _without_groups(text.strip().translate(MINUS_SIGNS))
    if not digits:
        return None
    sign = -1.0 if digits[0] == "-" else 1.0
    digits = digits.lstrip("+-") if digits[:1] in "+-" and digits[1:2] not in ("+", "-") else digits
    if re.fullmatch(r"\d+", digits):
        return sign * float(digits)
    for group, point in ((",", "."), (".", ",")):
        grouped = GROUPS.format(mark=group)
        if re.fullmatch(rf"{grouped}\{point}\d+", digits) or re.fullmatch(rf"{grouped}\{group}\d{{3}}", digits):
            return sign * float(digits.replace(group, "").replace(point, "."))
        if re.fullmatch(grouped, digits):
            if digits.count(group) == 1 and (language, group) != ("en", ","):
                raise NumberError("ambiguous")
            return sign * float(digits.replace(group, ""))
    if re.fullmatch(r"\d+[.,]\d*|[.,]\d+", digits):
        return sign * float(digits.replace(",", "."))
    raise NumberError("not_a_number")


def _without_groups(text: str) -> str:
    """Remove currency, apostrophes, and spaces wherever they stand: a digit typed into `450 000` leaves odd groups."""
    signed = re.sub(r"^([+-])\s+", r"\1", SPACES.sub(" ", CURRENCY.sub("", text)).strip())
    if re.search(r"[^\d.,] | [^\d.,]", signed):
        raise NumberError("not_a_number")
    return APOSTROPHES.sub("", signed.replace(" ", ""))
