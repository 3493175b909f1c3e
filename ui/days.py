"""Days as officers write them."""

import re
from datetime import UTC, datetime, tzinfo

_ORDERS = (
    re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})[/. -](?P<month>\d{1,2})[/. -](?P<day>\d{1,2})"),
)


class DayError(ValueError):
    """A text that is no day."""


def read_day(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Return the start of a day in a time zone, written as 26/11/2026 or 2026-11-26; None for an empty text.

    Raises:
        DayError: it is no day.

    >>> read_day("26/11/2026") == read_day(" 2026-11-26 ")
    True
    >>> read_day("31/02/2026")
    Traceback (most recent call last):
    ui.days.DayError: 31/02/2026
    """
    written = text.strip()
    if not written:
        return None
    for order in _ORDERS:
        if match := order.fullmatch(written):
            try:
                return datetime(int(match["year"]), int(match["month"]), int(match["day"]), tzinfo=zone)
            except ValueError:
                break
    raise DayError(written)
