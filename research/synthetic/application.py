"""The application table: every column at its rank in the copula, then the rules of the form."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import APPLICATION
from research.synthetic import application_rules as form
from research.synthetic.copula import draw
from research.synthetic.facts import facts, table_facts
from research.synthetic.marginals import APPLICATIONS, ordered_values

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Clients:
    """Clients of one chunk: the application table, and what only the generator knows. Arrays have shape (clients,)."""

    application: pl.DataFrame
    ids: NDArray[np.int64]
    train: NDArray[np.bool_]
    target: NDArray[np.int64]
    probability: Floats
    """True probability of default."""
    visible: Floats
    """Standard normal; risk of default that the application shows."""
    hidden: Floats
    """Standard normal; risk of default that only the histories show."""


def draw_clients(ids: NDArray[np.int64], train: NDArray[np.bool_], rng: np.random.Generator) -> Clients:
    """Applications of the clients `ids`; `train` tells whose marginals they follow."""
    scores = draw(len(ids), rng)
    sheet = form.Sheet(scores.columns, train, rng)
    form.fill(sheet)
    target = (rng.random(len(ids)) < scores.probability).astype(np.int64)
    frame = _frame(ids, sheet)
    return Clients(frame, ids, train, target, scores.probability, scores.visible, scores.hidden)


def _frame(ids: NDArray[np.int64], sheet: form.Sheet) -> pl.DataFrame:
    series = [pl.Series("SK_ID_CURR", ids)]
    for column in APPLICATION.columns[1:]:
        name = column.name
        values = sheet.values[name]
        missing = _missing(name, sheet)
        if column.kind == "category":
            texts = pl.Series(ordered_values(name), dtype=pl.String)
            made = texts.gather(pl.Series(values.astype(np.uint32)))
        elif column.kind == "integer":
            made = pl.Series(np.rint(values).astype(np.int64))
        else:
            made = pl.Series(values)
        if column.kind != "category":
            made = made.clip(column.minimum, column.maximum)
        made = pl.select(pl.when(~pl.Series(missing)).then(made)).to_series() if missing.any() else made
        series.append(made.cast(column.dtype).alias(name))
    return pl.DataFrame(series)


def _missing(name: str, sheet: form.Sheet) -> NDArray[np.bool_]:
    """Whether the column is empty: with its group of columns, by a rule of the form, or by chance."""
    if name in sheet.missing:
        return sheet.missing[name]
    groups = facts()["correlation"]["missing_groups"]
    leader = next((leader for leader, group in groups.items() if name in group), None)
    leader = leader or facts()["structure"]["missing_like"].get(name)
    rate = np.where(sheet.train, *(table_facts(table)[name].null_rate for table in APPLICATIONS))
    if leader:
        return ndtr(sheet.scores[f"missing:{leader}"]) > 1 - rate
    if not rate.any():
        return np.zeros(len(rate), dtype=bool)
    return sheet.rng.random(len(rate)) < rate
