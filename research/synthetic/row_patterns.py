"""Patterns of rows that real files have: how often each occurs, in real or in synthetic tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from bento.data.tables import OPEN_ENDED
from research.data.splits import persons

PATTERNS = {
    "plan_changes": "instalments paid once for two versions of the plan",
    "repaid_of_running": "loans repaid before a plan that runs past today",
    "cards_never_drawn": "granted cards that were never drawn on",
    "never_drawn_but_paid": "cards never drawn on that have payments",
    "several_on_latest_day": "clients with several applications on their latest day",
    "applications_of_persons": "applications of people with several identifiers",
    "default_after_default": "defaults of a person that are followed by a default",
}
"""Each pattern, and what its share is of."""


@dataclass(frozen=True)
class Share:
    """A share and the number of rows that it is of."""

    share: float
    rows: int


def pattern_shares(tables: Mapping[str, pl.DataFrame]) -> dict[str, Share]:
    """Return the share of each pattern of `PATTERNS` in the eight tables; one that has no rows is left out."""
    previous, payments = tables["previous_application"], tables["installments_payments"]
    granted = previous.filter(pl.col("NAME_CONTRACT_STATUS") == "Approved")
    is_card = pl.col("NAME_CONTRACT_TYPE") == "Revolving loans"
    planned, due = pl.col("DAYS_LAST_DUE_1ST_VERSION"), pl.col("DAYS_FIRST_DUE")
    running = granted.filter(~is_card & (planned > 0) & (planned < OPEN_ENDED) & (due < 0))
    cards = granted.filter(is_card).drop_nulls("DAYS_FIRST_DRAWING")
    never_drawn = cards.filter(pl.col("DAYS_FIRST_DRAWING") == OPEN_ENDED)
    versions = payments.group_by("SK_ID_PREV", "NUM_INSTALMENT_NUMBER").agg(
        versions=pl.col("NUM_INSTALMENT_VERSION").n_unique(),
        payments=pl.struct("DAYS_ENTRY_PAYMENT", "AMT_PAYMENT").n_unique(),
    )
    last_day = previous.group_by("SK_ID_CURR").agg(
        several=(pl.col("DAYS_DECISION") == pl.col("DAYS_DECISION").max()).sum() > 1
    )
    flags = {
        "plan_changes": versions.select((pl.col("versions") > 1) & (pl.col("payments") == 1)),
        "repaid_of_running": running.select(pl.col("DAYS_LAST_DUE") < OPEN_ENDED),
        "cards_never_drawn": cards.select(pl.col("DAYS_FIRST_DRAWING") == OPEN_ENDED),
        "never_drawn_but_paid": never_drawn.select(pl.col("SK_ID_PREV").is_in(payments["SK_ID_PREV"].implode())),
        "several_on_latest_day": last_day.select("several"),
        **_of_persons(tables),
    }
    return {
        name: Share(round(float(flag.to_series().mean() or 0.0), 6), len(flag))  # type: ignore[arg-type]
        for name, flag in flags.items()
        if len(flag)
    }


def _of_persons(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Tell which applications are of people with several, and which defaults are followed by another."""
    both = pl.concat([tables["application_train"], tables["application_test"]], how="diagonal")
    both = both.select(persons(both).alias("person"), "DAYS_BIRTH", "TARGET").sort(
        "person", "DAYS_BIRTH", descending=[False, True]
    )
    again = both.with_columns(next=pl.col("TARGET").shift(-1).over("person"), several=pl.len().over("person") > 1)
    defaults = again.filter((pl.col("TARGET") == 1) & pl.col("next").is_not_null())
    return {
        "applications_of_persons": again.select("several"),
        "default_after_default": defaults.select(pl.col("next") == 1),
    }
