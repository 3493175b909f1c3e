"""The type of bilingual text, and numbers, amounts, times and shares formatted in English and French."""

import math
from collections.abc import Callable

from pydantic import (
    BaseModel,
)

MINUS = "\N{MINUS SIGN}"
NARROW = "\u202f"
"""The narrow no-break space of French typography: before ; : ! ? %, within numbers and quotation marks."""
MAX_NUMBER = 1e12
"""Numbers beyond are told as "more than" this one."""
MIN_DAYS_IN_YEARS = 730
"""Days from which a time is told in years."""
Words = tuple[str, str]
"""The same in English and in French."""
Formatter = Callable[[float], Words]
NO_VARIATION: Words = ("no variation", "aucune variation")
YES: Words = ("yes", "oui")
NO: Words = ("no", "non")


def number(value: float, decimals: int) -> Words:
    r"""A number with separators of thousands, no trailing zeros, and a bound in place of what nobody can read.

    >>> number(1234.5, 2)
    ('1,234.5', '1\u202f234,5')
    """
    if abs(value) > MAX_NUMBER:
        more = (f"more than {MAX_NUMBER:,.0f}", f"plus de {MAX_NUMBER:,.0f}")
        less = (f"less than {MINUS}{MAX_NUMBER:,.0f}", f"moins de {MINUS}{MAX_NUMBER:,.0f}")
        english, french = more if value > 0 else less
        return english, french.replace(",", NARROW)
    text = f"{value:,.{decimals}f}"
    if decimals:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text.replace("-", MINUS)
    return text, text.replace(",", NARROW).replace(".", ",")


def amount(value: float) -> Words:
    """An amount of money, in whole units from 100 up: the credit file names no currency.

    >>> amount(45000.4)[0], amount(0.256)[1]
    ('45,000', '0,26')
    """
    return number(value, 0 if abs(value) >= 100 else 2)


def share(value: float) -> Words:
    r"""A proportion in percent; from twice up, how many times.

    >>> share(0.256), share(3.5)
    (('26%', '26\u202f%'), ('3.5 times', '3,5\u202ffois'))
    """
    if abs(value) >= 2:
        return _with(number(value, 1 if abs(value) < 100 else 0), (" times", f"{NARROW}fois"))
    percent = 100 * value
    return _with(number(percent, 0 if abs(percent) >= 10 else 1 if abs(percent) >= 1 else 2), ("%", f"{NARROW}%"))


def days(value: float) -> Words:
    """A time in days, in years where it is long.

    >>> days(1), days(800)[0]
    (('1 day', '1 jour'), '2.2 years')
    """
    if abs(value) >= MIN_DAYS_IN_YEARS:
        return _counted(value / 365.25, 1, ("year", "years"), ("an", "ans"))
    return _counted(value, 0 if abs(value) >= 30 else 1, ("day", "days"), ("jour", "jours"))


def months(value: float) -> Words:
    """A time in months."""
    return _counted(value, 1, ("month", "months"), ("mois", "mois"))


def years(value: float) -> Words:
    """A time in years, in months or days where it is short.

    >>> years(5.04)[0], years(0.5)[0], years(0.1)[0]
    ('5 years', '6 months', '37 days')
    """
    if abs(value) >= 2:
        return _counted(value, 1, ("year", "years"), ("an", "ans"))
    return months(round(12 * value)) if abs(value) >= 1 / 6 else days(round(365.25 * value))


def age(value: float) -> Words:
    """An age in full years."""
    return _counted(math.floor(value), 0, ("year", "years"), ("an", "ans"))


def days_away(value: float) -> Words:
    """A day as seen from the application: negative before it."""
    return _away(value, days)


def months_away(value: float) -> Words:
    """A month as seen from the application: negative before it."""
    return _away(value, lambda ago: years(ago / 12) if ago >= 24 else months(ago))


def count(value: float) -> Words:
    """A number of things; a mean of such numbers may have a decimal."""
    return number(value, 1)


def plain(value: float) -> Words:
    """A number without unit, to two significant digits or more."""
    size = abs(value)
    return number(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3 if size >= 0.01 else 4)


def flag(value: float) -> Words:
    """Yes or no."""
    return YES if value else NO


def hour(value: float) -> Words:
    """An hour of the day."""
    return _with(number(value, 0), (":00", f"{NARROW}h"))


def trend(value: float) -> Words:
    """Where a slope points."""
    return ("rising", "en hausse") if value > 0 else ("falling", "en baisse") if value < 0 else ("steady", "stable")


def variation(value: float, worder: Formatter) -> Words:
    """A standard deviation, in what the values are told in."""
    english, french = worder(value)
    return (f"typical variation of {english}", f"variation habituelle de {french}") if value else NO_VARIATION


def beyond(value: float) -> Words:
    """By how much a price exceeds a loan, as seen from the loan."""
    english, french = amount(abs(value))
    if value == 0:
        return "the same", "identique"
    return (f"{english} less", f"{french} de moins") if value > 0 else (f"{english} more", f"{french} de plus")


def of(part: float, whole: float) -> Words:
    """So many of so many.

    >>> of(3, 12)
    ('3 of 12', '3 sur 12')
    """
    (part_en, part_fr), (whole_en, whole_fr) = number(part, 0), number(whole, 0)
    return f"{part_en} of {whole_en}", f"{part_fr} sur {whole_fr}"


def _with(words: Words, after: Words) -> Words:
    return words[0] + after[0], words[1] + after[1]


def _counted(value: float, decimals: int, english: tuple[str, str], french: tuple[str, str]) -> Words:
    """A number and its noun: plural in English but for 1, in French from 2 up."""
    shown, affixed = abs(round(value, decimals)), number(value, decimals)
    return f"{affixed[0]} {english[shown != 1]}", f"{affixed[1]} {french[shown >= 2]}"


def _away(value: float, worder: Formatter) -> Words:
    if round(value, 1) == 0:
        return "at the time of this application", "au moment de cette demande"
    english, french = worder(abs(value))
    return (f"{english} ago", f"il y a {french}") if value < 0 else (f"in {english}", f"dans {french}")


class Wording(BaseModel):
    """Words in both languages of the product."""

    en: str
    fr: str
