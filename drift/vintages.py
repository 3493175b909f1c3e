"""Vintages: of the loans granted in one month, how many had defaulted by how many months after the decision.

Months of different age compare only at the same age: the last month has few defaults because it is young.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from drift.distributions import Floats
from drift.summary import Part

AGES = (1, 2, 3, 6, 9, 12, 18, 24, 36)
"""Months after the decision at which a vintage is read."""


class Vintage(Part):
    """The loans that were granted in one month, at one age."""

    month: str
    age: int = Field(description="full months after the decision")
    granted: int
    outcomes: int = Field(description="outcomes that had arrived at that age")
    defaults: int = Field(description="defaults among these")
    default_rate: float = Field(description="defaults as a share of the granted loans")


def vintages(months: Sequence[str], refused: Floats, target: Floats, ages: Floats) -> list[Vintage]:
    """Return each month at each of AGES that it has reached: the file of outcomes holds one that old.

    Args:
        months: of each decision, as 2026-01.
        refused: whether no loan was given.
        target: 1 default, 0 repaid, NaN not known.
        ages: full months from the decision to the outcome, NaN not known.
    """
    all_months = np.array(months)
    arrived = ~np.isnan(target) & ~np.isnan(ages) & ~refused.astype(bool)
    if not arrived.any():
        return []
    last = max(_number(month) + age for month, age in zip(all_months[arrived], ages[arrived], strict=True))
    results = []
    for month in sorted(set(months)):
        granted = (all_months == month) & ~refused.astype(bool)
        for age in AGES:
            if _number(month) + age > last or not granted.any():
                continue
            by_then = granted & arrived & (ages <= age)
            defaults = int(target[by_then].sum())
            results.append(
                Vintage(
                    month=month,
                    age=age,
                    granted=int(granted.sum()),
                    outcomes=int(by_then.sum()),
                    defaults=defaults,
                    default_rate=float(f"{defaults / granted.sum():.4g}"),
                )
            )
    return results


def table(results: Sequence[Vintage]) -> Iterator[str]:
    """Yield a Markdown table: a row for each month, a column for each age: share of defaults, and outcomes."""
    ages = sorted({result.age for result in results})
    yield f"| granted in | loans | {' | '.join(f'{age} months' if age > 1 else '1 month' for age in ages)} |"
    yield f"|{'---|' * (len(ages) + 2)}"
    for month in sorted({result.month for result in results}):
        row = {result.age: result for result in results if result.month == month}
        cells = [f"{row[age].default_rate:.1%} ({row[age].outcomes:,})" if age in row else "" for age in ages]
        yield f"| {month} | {next(iter(row.values())).granted:,} | {' | '.join(cells)} |"


def _number(month: str) -> int:
    """Return the number of a month as 2026-01."""
    return 12 * int(month[:4]) + int(month[5:])
