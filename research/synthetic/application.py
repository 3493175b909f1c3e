"""The application table: every column at its rank in the copula, then the rules between columns, then the outcome."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import APPLICATION
from research.synthetic.application_draft import ApplicationDraft
from research.synthetic.application_rules import fill_in
from research.synthetic.calibration_statistics import APPLICATIONS, ordered_values, statistics, table_statistics
from research.synthetic.copula import draw
from research.synthetic.frames import Flags, Integers
from research.synthetic.liability import Risk, liability
from research.synthetic.persons import draw_persons, draw_targets, repeat_scores


@dataclass(frozen=True)
class Clients:
    """Clients of one chunk: the application table, and their true risk. Arrays have shape (clients,)."""

    application: pl.DataFrame
    ids: Integers
    train: Flags
    target: Integers
    risk: Risk


def draw_clients(ids: Integers, train: Flags, rng: np.random.Generator) -> Clients:
    """Draw the applications of the clients `ids`; `train` selects the table whose marginals they follow."""
    person = draw_persons(len(ids), rng)
    application = draw_applications(ids, train, person, rng)
    risk = liability().draw(application, rng)
    risk = Risk(risk.visible[person], risk.segment[person], risk.probability[person])
    target = draw_targets(risk.probability, person, rng)
    return Clients(application, ids, train, target, risk)


def draw_applications(ids: Integers, train: Flags, person: NDArray[np.intp], rng: np.random.Generator) -> pl.DataFrame:
    """Draw the applications of the clients `ids`, without their outcomes; `person` as `draw_persons` returns it."""
    draft = ApplicationDraft(repeat_scores(draw(len(ids), rng), person), train, rng)
    fill_in(draft, person)
    return _frame(ids, draft)


def _frame(ids: Integers, draft: ApplicationDraft) -> pl.DataFrame:
    series = [pl.Series("SK_ID_CURR", ids)]
    for column in APPLICATION.columns[1:]:
        name = column.name
        values = draft.values[name]
        missing = _missing(name, draft)
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


def _missing(name: str, draft: ApplicationDraft) -> Flags:
    """Tell which values are empty: by a rule, together with a group of columns, or at random."""
    if name in draft.missing:
        return draft.missing[name]
    groups = statistics()["correlation"]["missing_groups"]
    leader = next((leader for leader, group in groups.items() if name in group), None)
    leader = leader or statistics()["structure"]["missing_like"].get(name)
    rate = np.where(draft.train, *(table_statistics(table)[name].null_rate for table in APPLICATIONS))
    if leader:
        return ndtr(draft.scores[f"missing:{leader}"]) > 1 - rate
    if not rate.any():
        return np.zeros(len(rate), dtype=bool)
    return draft.rng.random(len(rate)) < rate
