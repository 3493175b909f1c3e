"""Describe the training clients for the model folder: medians by segment and usual ranges, never a single client."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product

import polars as pl

from bento.features.catalogue import CATALOGUE
from bento.model.given_fields import GivenFields
from bento.model.peer_groups import AMOUNTS, MIN_GROUP_SIZE, RATIOS, SHARES, PeerGroup, Range, Reference
from bento.rules.measures import MEASURES, Inputs
from research.cli import CommandError
from research.training.products import CONTRACT_TYPE, sold_products
from research.training.ranges import usual_range
from research.training.unknown_values import typical_value

INCOME_TYPE = "NAME_INCOME_TYPE"
COLUMNS = (INCOME_TYPE, CONTRACT_TYPE, *AMOUNTS)
"""Columns of the applications that are read."""
USUAL_TAIL = 0.0005
"""Share of the clients outside either end of a usual range, which rules widen: so rare are those whom they review."""
Bounds = tuple[float | None, float | None]


def peer_group_statistics(
    features: pl.DataFrame,
    applications: pl.DataFrame,
    earlier: pl.DataFrame,
    names: Sequence[str],
    *,
    fields: Mapping[str, GivenFields],
    usual: Mapping[str, Range],
) -> Reference:
    """Compute medians by segment of similar clients, the ranges of amounts and of their ratios, and what is sold.

    A segment is an income type and a quarter of AMT_CREDIT, a quarter, or all clients; those with fewer than
    `MIN_GROUP_SIZE` clients are left out. The bounds of the quarters are rounded for display. Ranges go from the 0.1 %
    to the 99.9 % quantile, so that they show no person's value. `applications` has `COLUMNS` of the same clients, and
    `earlier` has `products.EARLIER_COLUMNS` of their earlier applications; `fields`, which fields their files hold, and
    `usual`, the `usual_ranges`, are passed on.

    Raises:
        CommandError: there are fewer clients than a segment needs.
    """
    if len(features) < MIN_GROUP_SIZE:
        raise CommandError(
            f"{len(features)} clients are too few to describe without exposing one; it takes {MIN_GROUP_SIZE}"
        )
    segments = []
    for income_type, (low, high) in _segments(applications):
        chosen = pl.repeat(True, len(features), eager=True)
        if income_type is not None:
            chosen &= (applications[INCOME_TYPE] == income_type).fill_null(False)
        if low is not None:
            chosen &= (applications["AMT_CREDIT"] >= low).fill_null(False)
        if high is not None:
            chosen &= (applications["AMT_CREDIT"] < high).fill_null(False)
        if (clients := int(chosen.sum())) >= MIN_GROUP_SIZE:
            rows = features.filter(chosen)
            medians = {name: _median(rows[name]) for name in names}
            quantiles = {name: values for name in names if (values := _quantiles(rows[name])) is not None}
            segments.append(
                PeerGroup(
                    income_type=income_type,
                    low=low,
                    high=high,
                    clients=clients,
                    medians=medians,
                    quantiles=quantiles,
                )
            )
    return Reference(
        ranges=_ranges(applications),
        usual=dict(usual),
        groups=segments,
        fields=dict(fields),
        products=sold_products(applications, earlier),
    )


def usual_ranges(inputs: Inputs) -> dict[str, Range]:
    """Compute the range of each measure from the 0.05 % to the 99.95 % quantile, for the rules of a lender.

    A measure that no client has has none.
    """
    columns = {
        name: pl.Series(name, inputs.value(name)) for name, measure in MEASURES.items() if measure.has_usual_range
    }
    return {name: usual_range(column, USUAL_TAIL) for name, column in columns.items() if column.is_finite().any()}


def _segments(applications: pl.DataFrame) -> Iterator[tuple[str | None, Bounds]]:
    """Yield income types and bounds: the narrowest segments first, all clients last."""
    credit = applications["AMT_CREDIT"].cast(pl.Float64)
    # Rounded to three significant digits.
    quartiles = (float(f"{credit.quantile(share, 'linear') or 0.0:.3g}") for share in (0.25, 0.5, 0.75))
    bounds = [None, *quartiles, None]
    income_types: list[str] = sorted(applications[INCOME_TYPE].drop_nulls().unique().to_list())
    yield from product((*income_types, None), pairwise(bounds))
    yield None, (None, None)


def _median(values: pl.Series) -> float | str | None:
    feature = CATALOGUE[values.name]
    present = values.filter(values.is_in(feature.categories)) if feature.is_category else values.drop_nulls()
    if 2 * len(present) < len(values) or present.is_empty():
        return None
    return typical_value(present) if feature.is_category else float(present.median())  # type: ignore[arg-type]


def _quantiles(values: pl.Series) -> tuple[float, float, float, float, float] | None:
    """Return the values at `SHARES`; None for a category, and where too few clients have one."""
    present = values.drop_nulls()
    if CATALOGUE[values.name].is_category or len(present) < MIN_GROUP_SIZE:
        return None
    low, lower, middle, upper, high = (float(present.quantile(share, "linear") or 0.0) for share in SHARES)
    return low, lower, middle, upper, high


def _ranges(applications: pl.DataFrame) -> dict[str, Range]:
    amounts = applications.select(pl.col(AMOUNTS).cast(pl.Float64))
    ratios = amounts.select((pl.col(top) / pl.col(bottom)).alias(name) for name, (top, bottom) in RATIOS.items())
    return {column.name: usual_range(column) for column in (*amounts, *ratios)}
