"""Formats of the values of facts beyond those of `bento.i18n`."""

from bento import i18n
from bento.i18n import TextPair

MAX_MULTIPLE = 2
"""Multiple from which a debt is quoted as "more than twice": a division by little says nothing more exact."""


def format_score(value: float) -> TextPair:
    """Format a score with its scale.

    >>> format_score(0.142)[0]
    '0.14 on a scale from 0 to 1'
    """
    english, french = i18n.format_number(value, 2)
    return f"{english} on a scale from 0 to 1", f"{french} sur une échelle de 0 à 1"


def format_bare_score(value: float) -> TextPair:
    """Format a score without its scale."""
    return i18n.format_number(value, 2)


def format_early(value: float) -> TextPair:
    """Format days before a planned date: "early", or "late" where they are negative.

    >>> format_early(-3)
    ('3 days late', '3 jours de retard')
    """
    if round(value, 1) == 0:
        return "on time", "à la date prévue"
    english, french = i18n.format_days(abs(value))
    return (f"{english} early", f"{french} d'avance") if value > 0 else (f"{english} late", f"{french} de retard")


def format_years_ago(value: float) -> TextPair:
    """Format a time in years as time that has passed."""
    return i18n.format_relative_day(-value * i18n.DAYS_PER_YEAR)


def format_capped_share(value: float) -> TextPair:
    """Format a share, or as "more than twice" where it exceeds `MAX_MULTIPLE`.

    >>> format_capped_share(54.5)[0]
    'more than twice'
    """
    return ("more than twice", "plus du double") if value > MAX_MULTIPLE else i18n.format_share(value)
