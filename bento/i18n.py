"""Texts in English and French: their type, and the formats of numbers, amounts, times and shares in both languages."""

import math
from collections.abc import Callable

from pydantic import BaseModel

TextPair = tuple[str, str]
"""A text in English and in French."""
Formatter = Callable[[float], TextPair]
"""Formats a number in both languages."""

NARROW_SPACE = "\u202f"
"""The narrow no-break space of French typography: before ; : ! ? %, within numbers and quotation marks."""
MINUS = "\N{MINUS SIGN}"
MAX_NUMBER = 1e12
"""The largest number shown in full; a larger one is shown as "more than" this one, as its digits cannot be read."""
MIN_DAYS_IN_YEARS = 730
"""Days from which a duration is shown in years."""
DAYS_PER_YEAR = 365.25
YES: TextPair = ("yes", "oui")
NO: TextPair = ("no", "non")


class Wording(BaseModel):
    """Words in both languages of the product."""

    en: str
    fr: str


def format_number(value: float, decimals: int) -> TextPair:
    r"""Format a number with thousands separators and without trailing zeros, bounded by `MAX_NUMBER`.

    >>> format_number(1234.5, 2)
    ('1,234.5', '1\u202f234,5')
    """
    if abs(value) > MAX_NUMBER:
        more = (f"more than {MAX_NUMBER:,.0f}", f"plus de {MAX_NUMBER:,.0f}")
        less = (f"less than {MINUS}{MAX_NUMBER:,.0f}", f"moins de {MINUS}{MAX_NUMBER:,.0f}")
        english, french = more if value > 0 else less
        return english, french.replace(",", NARROW_SPACE)
    text = f"{value:,.{decimals}f}"
    if decimals:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text.replace("-", MINUS)
    return text, text.replace(",", NARROW_SPACE).replace(".", ",")


def format_plain_number(value: float) -> TextPair:
    """Format a number without unit, to two significant digits or more."""
    size = abs(value)
    return format_number(
        value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3 if size >= 0.01 else 4
    )


def format_count(value: float) -> TextPair:
    """Format a count, or a mean of counts, which may have a decimal."""
    return format_number(value, 1)


def format_x_of_y(part: float, whole: float) -> TextPair:
    """Format a count out of a total.

    >>> format_x_of_y(3, 12)
    ('3 of 12', '3 sur 12')
    """
    (part_en, part_fr), (whole_en, whole_fr) = format_number(part, 0), format_number(whole, 0)
    return f"{part_en} of {whole_en}", f"{part_fr} sur {whole_fr}"


def format_amount(value: float) -> TextPair:
    """Format an amount of money, in whole units from 100 up; the credit file names no currency.

    >>> format_amount(45000.4)[0], format_amount(0.256)[1]
    ('45,000', '0,26')
    """
    return format_number(value, 0 if abs(value) >= 100 else 2)


def format_share(value: float) -> TextPair:
    r"""Format a proportion in percent, or as a multiple from 2 up.

    >>> format_share(0.256), format_share(3.5)
    (('26%', '26\u202f%'), ('3.5 times', '3,5\u202ffois'))
    """
    if abs(value) >= 2:
        return _append(format_number(value, 1 if abs(value) < 100 else 0), (" times", f"{NARROW_SPACE}fois"))
    percent = 100 * value
    decimals = 0 if abs(percent) >= 10 else 1 if abs(percent) >= 1 else 2
    return _append(format_number(percent, decimals), ("%", f"{NARROW_SPACE}%"))


def format_days(value: float) -> TextPair:
    """Format a duration in days, or in years from `MIN_DAYS_IN_YEARS` up.

    >>> format_days(1), format_days(800)[0]
    (('1 day', '1 jour'), '2.2 years')
    """
    if abs(value) >= MIN_DAYS_IN_YEARS:
        return _format_quantity(value / DAYS_PER_YEAR, 1, ("year", "years"), ("an", "ans"))
    return _format_quantity(value, 0 if abs(value) >= 30 else 1, ("day", "days"), ("jour", "jours"))


def format_months(value: float) -> TextPair:
    """Format a duration in months."""
    return _format_quantity(value, 1, ("month", "months"), ("mois", "mois"))


def format_years(value: float) -> TextPair:
    """Format a duration in years; one below 2 years in months, one below 2 months in days.

    >>> format_years(5.04)[0], format_years(0.5)[0], format_years(0.1)[0]
    ('5 years', '6 months', '37 days')
    """
    if abs(value) >= 2:
        return _format_quantity(value, 1, ("year", "years"), ("an", "ans"))
    return format_months(round(12 * value)) if abs(value) >= 1 / 6 else format_days(round(DAYS_PER_YEAR * value))


def format_age(value: float) -> TextPair:
    """Format an age in completed years."""
    return _format_quantity(math.floor(value), 0, ("year", "years"), ("an", "ans"))


def format_relative_day(value: float) -> TextPair:
    """Format a day counted from the application, negative before it: "12 days ago"."""
    return _format_relative(value, format_days)


def format_relative_month(value: float) -> TextPair:
    """Format a month counted from the application, negative before it: "3 months ago"."""
    return _format_relative(value, lambda months: format_years(months / 12) if months >= 24 else format_months(months))


def format_hour(value: float) -> TextPair:
    r"""Format an hour of the day.

    >>> format_hour(9)
    ('9:00', '9\u202fh')
    """
    return f"{value:.0f}:00", f"{value:.0f}{NARROW_SPACE}h"


def format_yes_no(value: float) -> TextPair:
    """Format a flag."""
    return YES if value else NO


def _append(text: TextPair, suffix: TextPair) -> TextPair:
    return text[0] + suffix[0], text[1] + suffix[1]


def _format_quantity(value: float, decimals: int, english: tuple[str, str], french: tuple[str, str]) -> TextPair:
    """Format a number with its noun: plural in English for all numbers but 1, in French from 2 up."""
    size, (number_en, number_fr) = abs(round(value, decimals)), format_number(value, decimals)
    return f"{number_en} {english[size != 1]}", f"{number_fr} {french[size >= 2]}"


def _format_relative(value: float, formatter: Formatter) -> TextPair:
    if round(value, 1) == 0:
        return "at the time of this application", "au moment de cette demande"
    english, french = formatter(abs(value))
    return (f"{english} ago", f"il y a {french}") if value < 0 else (f"in {english}", f"dans {french}")
