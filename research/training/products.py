"""Describe the loans that are sold: by kind of loan the amounts, instalments and plans, never those of one client."""

import polars as pl

from bento.model.peer_groups import MIN_GROUP_SIZE, Plan, Product
from research.training.ranges import usual_range

CONTRACT_TYPE = "NAME_CONTRACT_TYPE"
APPLICATION_COLUMNS = (CONTRACT_TYPE, "AMT_CREDIT", "AMT_ANNUITY")
"""Columns of the applications that are read."""
EARLIER_COLUMNS = (*APPLICATION_COLUMNS, "NAME_CONTRACT_STATUS", "CNT_PAYMENT")
"""Columns of the earlier applications that are read: they hold the number of instalments, the application does not."""
PLAN_TAIL = 0.01
"""Share of the loans of a plan outside either end of its range: one in a hundred may be an exception."""
_RATIO = (pl.col("AMT_CREDIT") / pl.col("AMT_ANNUITY")).alias("credit_to_annuity")


def sold_products(applications: pl.DataFrame, earlier: pl.DataFrame) -> list[Product]:
    """Return the kinds of loan with at least `MIN_GROUP_SIZE` applications, in the order of their names.

    A plan needs as many granted loans of its number of instalments. Without earlier applications there are no plans.

    Args:
        applications: cleaned, with `APPLICATION_COLUMNS`.
        earlier: earlier applications of the same clients, cleaned, with `EARLIER_COLUMNS`.
    """
    asked = _priced(applications)
    granted = _priced(earlier).filter(pl.col("NAME_CONTRACT_STATUS") == "Approved", pl.col("CNT_PAYMENT") > 0)
    return [
        Product(
            contract_type=contract_type,
            clients=len(loans),
            credit=usual_range(loans["AMT_CREDIT"]),
            credit_to_annuity=usual_range(loans["credit_to_annuity"]),
            plans=_plans(granted.filter(pl.col(CONTRACT_TYPE) == contract_type)),
        )
        for (contract_type,), loans in sorted(asked.partition_by(CONTRACT_TYPE, as_dict=True).items())
        if len(loans) >= MIN_GROUP_SIZE
    ]


def _priced(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of which kind, credit and instalment are known, with their ratio."""
    positive = [pl.col(name).cast(pl.Float64) > 0 for name in ("AMT_CREDIT", "AMT_ANNUITY")]
    return rows.filter(pl.col(CONTRACT_TYPE).is_not_null(), *positive).with_columns(_RATIO)


def _plans(granted: pl.DataFrame) -> list[Plan]:
    return [
        Plan(months=months, loans=len(loans), credit_to_annuity=usual_range(loans["credit_to_annuity"], PLAN_TAIL))
        for (months,), loans in sorted(granted.partition_by("CNT_PAYMENT", as_dict=True).items())
        if len(loans) >= MIN_GROUP_SIZE
    ]
