"""The application table, drawn from the copula and tied by the rules of the form."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from bento.tables import APPLICATION, OPEN_ENDED
from research.synthetic.copula import draw
from research.synthetic.facts import facts, table_facts
from research.synthetic.marginals import ordered_categories, pick, quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Clients:
    """Clients of one chunk: the application table, and what only the generator knows."""

    application: pl.DataFrame
    ids: NDArray[np.int64]
    train: NDArray[np.bool_]
    probability: Floats
    weakness: Floats
    """Standard normal; higher for clients who pay late and default more."""
    target: NDArray[np.int64]


def draw_clients(ids: NDArray[np.int64], train: NDArray[np.bool_], rng: np.random.Generator) -> Clients:
    """Applications of the clients `ids`; `train` tells whose marginals they follow."""
    scores, visible, hidden, probability = draw(len(ids), rng)
    ranks = {name: norm.cdf(score) for name, score in scores.items()}
    target = (rng.random(len(ids)) < probability).astype(np.int64)
    columns: dict[str, pl.Series] = {"SK_ID_CURR": pl.Series(ids)}
    leaders = {member: leader for leader, group in facts()["correlation"]["missing_groups"].items() for member in group}
    for column in APPLICATION:
        if column.name not in ranks:
            continue
        values = np.empty(len(ids), dtype=object if column.kind == "category" else np.float64)
        missing = np.zeros(len(ids), dtype=bool)
        for table, rows in (("application_train", train), ("application_test", ~train)):
            known = table_facts(table)[column.name]
            rank = ranks[column.name][rows]
            if known.quantiles:
                drawn = quantile(known, rank)
            else:
                names, shares = ordered_categories(table, column.name)
                cells = names if column.kind == "category" else [float(name) for name in names]
                drawn = np.array(cells, dtype=values.dtype)[pick(np.array(shares), rank)]
            values[rows] = drawn
            leader = leaders.get(column.name)
            if leader:
                missing[rows] = ranks[f"missing:{leader}"][rows] > 1 - known.null_rate
            elif known.null_rate:
                missing[rows] = rng.random(rows.sum()) < known.null_rate
        if column.kind == "category":
            series = pl.Series(values.tolist(), dtype=pl.String)
        elif column.kind == "integer":
            series = pl.Series(np.rint(values).astype(np.int64))
        else:
            series = pl.Series(np.round(values, 1 if column.unit == "currency" else 4))
        columns[column.name] = pl.select(pl.when(~pl.Series(missing)).then(series)).to_series()
    frame = pl.DataFrame(columns)
    retired = pl.col("DAYS_EMPLOYED") > 0
    frame = frame.with_columns(
        pl.when(retired).then(OPEN_ENDED).otherwise("DAYS_EMPLOYED").alias("DAYS_EMPLOYED"),
        pl.when(retired).then(pl.lit("Pensioner")).otherwise("NAME_INCOME_TYPE").alias("NAME_INCOME_TYPE"),
        pl.when(retired).then(pl.lit("XNA")).otherwise("ORGANIZATION_TYPE").alias("ORGANIZATION_TYPE"),
        pl.when(~retired).then("OCCUPATION_TYPE").alias("OCCUPATION_TYPE"),
        pl.when(pl.col("FLAG_OWN_CAR") == "Y").then("OWN_CAR_AGE").alias("OWN_CAR_AGE"),
        pl.max_horizontal("CNT_FAM_MEMBERS", pl.col("CNT_CHILDREN") + 1).alias("CNT_FAM_MEMBERS"),
        pl.max_horizontal("AMT_CREDIT", "AMT_GOODS_PRICE").alias("AMT_CREDIT"),
    )
    frame = frame.select(pl.col(name).cast(dtype) for name, dtype in APPLICATION.schema.items())
    weakness = 0.6 * visible / max(float(visible.std()), 1e-9) + 0.8 * hidden
    return Clients(frame, ids, train, probability, weakness, target)
