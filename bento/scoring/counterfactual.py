"""Counterfactuals: the nearest other loan on which the decision would be different."""

import math
from functools import lru_cache
from itertools import product
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from bento.data.credit_file import CreditFile
from bento.data.tables import HISTORIES
from bento.features.build import Variants
from bento.features.catalogue import computed_from, needed_columns
from bento.i18n import Wording, format_amount
from bento.model.peer_groups import AMOUNTS, RATIOS, Reference
from bento.model.predictors import Matrix, Vector
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision, decide

STEPS_PER_AMOUNT = 50
"""Fineness of the round amounts tried: their step is the 1, 2 or 5 of a power of ten just below 1/50 of the amount."""
GRID_STEPS = {2: (0.05, 0.12, 0.25, 0.45, 0.8, 1.3), 3: (0.1, 0.25, 0.5, 1.0)}
"""Steps of the grid where two or three amounts change together: differences of logarithms, up and down."""
COST_OF_CHANGE = 0.1
"""Added to a loan's distance, as a share of it, for each amount that changes beyond the first."""
FIRST_CHUNK = 100
"""Loans scored in the first call, the nearest ones; each later chunk is twice as large."""
STEPS_BACK = 12
"""Points tried on each path from a loan back to the application."""
TARGET_DECISIONS: Final = {
    Decision.GRANTED: Decision.REFUSED,
    Decision.REVIEW: Decision.GRANTED,
    Decision.REFUSED: Decision.GRANTED,
}
"""By decision on the application: the decision that is searched for."""


class Change(BaseModel):
    """One amount that would have to be different."""

    column: Literal["AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY"]
    value: float = Field(description="as asked for, in the currency of the loan")
    needed: float


class Counterfactual(BaseModel):
    """The nearest other loan on which the decision would be different, or the statement that there is none."""

    found: bool
    decision: Decision = Field(description="what the decision is on the application as it stands")
    would_be: Decision | None = None
    probability_of_default: float | None = None
    changes: list[Change] = []
    text: Wording


def counterfactual(
    model: ScoringModel, credit_file: CreditFile, variants: Variants, features: pl.DataFrame, decision: Decision
) -> Counterfactual:
    """Search for the nearest AMT_CREDIT, AMT_GOODS_PRICE and AMT_ANNUITY on which the decision is different.

    All three, and their ratios, stay within the ranges seen in training; an unknown price of the goods stays unknown.
    The distance of a loan is the Euclidean norm of the differences of the logarithms of its amounts, and a tenth more
    for each amount beyond the first that changes.

    The search tries, from near to far, all round amounts where one amount changes and a coarse grid where several do.
    The first loan that changes the decision is then moved back towards the application as long as it still does, and
    confirmed by the computation that every decision uses.
    """
    target = TARGET_DECISIONS[decision]
    search = _Search(model, credit_file, variants, features, target)
    loan = search.nearest()
    if loan is not None:
        default = search.confirmed_probability(loan)
        if search.is_target(default):
            changes = search.changes(loan)
            return Counterfactual(
                found=True,
                decision=decision,
                would_be=target,
                probability_of_default=default,
                changes=changes,
                text=_text(changes, target),
            )
    en, fr = _DECISION_TEXTS[target]
    none = Wording(
        en=f"Within the limits seen in training, no other loan was found on which {en}.",
        fr=f"Dans les limites observées à l'entraînement, aucun autre prêt n'a été trouvé avec lequel {fr}.",
    )
    return Counterfactual(found=False, decision=decision, text=none)


@lru_cache(maxsize=16)
def round_amounts(low: float, high: float) -> Vector:
    """Return all round amounts of a range, 1 to 2 % apart (see `STEPS_PER_AMOUNT`)."""
    values, value = [], low
    while value <= high:
        step = round_step(value)
        value = math.ceil(value / step) * step
        values.append(value)
        value += step
    return np.array([value for value in values if value <= high] or [low])


def round_step(value: float) -> float:
    """Return the step between round amounts near a value.

    >>> round_step(450_000), round_step(24_700)
    (5000.0, 200.0)
    """
    step = max(value / STEPS_PER_AMOUNT, 1.0)
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(digit for digit in (5, 2, 1) if digit * power <= step)


class _Search:
    """The search for one client. A loan is a row of amounts, those of the application that are not null."""

    def __init__(
        self, model: ScoringModel, credit_file: CreditFile, variants: Variants, features: pl.DataFrame, target: Decision
    ) -> None:
        self.model, self.credit_file, self.variants, self.features = model, credit_file, variants, features
        self.target = target
        amounts = {name: credit_file.application.get(name) for name in AMOUNTS}
        self.names = [name for name, value in amounts.items() if value is not None]
        self.start = np.array([float(value) for value in amounts.values() if value is not None])
        self.round_amounts = [round_amounts(*_range(model.reference, name)) for name in self.names]
        self.varying, columns = _varying_features(tuple(model.feature_names))
        self.columns = [variants.application.get_column(name) for name in columns]

    def nearest(self) -> Vector | None:
        """Return the nearest loan with the target decision, moved back towards the application, or None."""
        if not self.varying:
            return None
        loan = self._first(self._candidates())
        if loan is None or np.count_nonzero(loan != self.start) == 1:
            return loan  # none, or the nearest of all round amounts
        nearer = self._first(self._paths_back(loan))
        return loan if nearer is None else nearer

    def is_target(self, default: float) -> bool:
        """Whether the decision on a probability of default is the target."""
        return decide(default, self.model.threshold, self.model.review_band) == self.target

    def changes(self, loan: Vector) -> list[Change]:
        """Return the amounts of a loan that differ from those of the application."""
        return [
            Change(column=name, value=value, needed=needed)  # type: ignore[arg-type]
            for name, value, needed in zip(self.names, self.start.tolist(), loan.tolist(), strict=True)
            if needed != value
        ]

    def confirmed_probability(self, loan: Vector) -> float:
        """Compute the probability of default of a loan as for every decision."""
        changed = {change.column: change.needed for change in self.changes(loan)}
        update: dict[str, Any] = {"application": self.credit_file.application | changed}
        alone = self.credit_file.model_copy(update=update | {name: [] for name in HISTORIES})
        features = self.variants.features(self.model.tables([alone])["application"])
        return probability(float(self.model.log_odds(features)[0]))

    def _candidates(self) -> Matrix:
        """Return the loans to try: each round amount alone, and the grid of several amounts."""
        singles = []
        for position, values in enumerate(self.round_amounts):
            loans = np.tile(self.start, (len(values), 1))
            loans[:, position] = values
            singles.append(loans)
        return np.vstack([*singles, self._rounded(np.exp(_grid(len(self.start))) * self.start)])

    def _paths_back(self, loan: Vector) -> Matrix:
        """Return loans between a loan and the application: all its amounts moved together, and each one alone."""
        shares = np.linspace(0, 1, STEPS_BACK, endpoint=False)[:, np.newaxis]
        loans = [self.start + shares * (loan - self.start)]
        for position in np.flatnonzero(loan != self.start):
            one_moved = np.tile(loan, (STEPS_BACK, 1))
            one_moved[:, position] = loans[0][:, position]
            loans.append(one_moved)
        nearer = self._rounded(np.vstack(loans))
        return nearer[self._distance(nearer) < self._distance(loan[np.newaxis])]

    def _rounded(self, loans: Matrix) -> Matrix:
        """Replace each amount that changes by the nearest round one."""
        columns = [
            np.where(column == start, start, values[np.searchsorted((values[1:] + values[:-1]) / 2, column)])
            for column, start, values in zip(loans.T, self.start, self.round_amounts, strict=True)
        ]
        return np.column_stack(columns)

    def _first(self, loans: Matrix) -> Vector | None:
        """Return the nearest of the loans that lie in the ranges of training and have the target decision."""
        loans = loans[self._is_in_range(loans) & (loans != self.start).any(axis=1)]
        loans = loans[np.argsort(self._distance(loans), kind="stable")]
        if not len(loans):
            return None
        features = self.variants.features(self._applications(loans), self.varying)
        first, size = 0, FIRST_CHUNK
        while first < len(loans):
            chunk = loans[first : first + size]
            log_odds = self.model.log_odds_with(self.features, features[first : first + size])
            for loan, value in zip(chunk, log_odds.tolist(), strict=True):
                if self.is_target(probability(value)):
                    return np.asarray(loan)
            first, size = first + size, 2 * size
        return None

    def _is_in_range(self, loans: Matrix) -> NDArray[np.bool_]:
        """Whether all amounts and ratios of each loan lie within the ranges seen in training."""
        columns = dict(zip(self.names, loans.T, strict=True))
        in_range = np.ones(len(loans), dtype=bool)
        for name in self.names:
            low, high = _range(self.model.reference, name)
            in_range &= (low <= columns[name]) & (columns[name] <= high)
        for name, (numerator, denominator) in RATIOS.items():
            if numerator in columns and denominator in columns:
                top, bottom = columns[numerator], columns[denominator]
                low, high = _range(self.model.reference, name)
                in_range &= (low * bottom <= top) & (top <= high * bottom)  # no division: an amount may be 0
        return in_range

    def _distance(self, loans: Matrix) -> Vector:
        differences = np.log(np.maximum(loans, 1)) - np.log(np.maximum(self.start, 1))
        changes = (loans != self.start).sum(axis=1)
        return np.asarray(np.sqrt((differences**2).sum(axis=1)) * (1 + COST_OF_CHANGE * (changes - 1)))

    def _applications(self, loans: Matrix) -> pl.DataFrame:
        changed = dict(zip(self.names, loans.T, strict=True))
        return pl.DataFrame(
            [
                pl.Series(column.name, changed[column.name])
                if column.name in changed
                else column.new_from_index(0, len(loans))
                for column in self.columns
            ]
        )


def _range(reference: Reference, name: str) -> tuple[float, float]:
    return reference.ranges[name].low, reference.ranges[name].high


@lru_cache(maxsize=16)
def _varying_features(names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the features that depend on the amounts, and the columns of the application that these read."""
    varying = computed_from(AMOUNTS, names)
    return varying, needed_columns(varying)["application"]


@lru_cache(maxsize=4)
def _grid(amounts: int) -> Matrix:
    """Return the grid points (points x amounts) on which two or more amounts change (see `GRID_STEPS`)."""
    points = []
    for changes, steps in GRID_STEPS.items():
        up_and_down = (0.0, *steps, *(-step for step in steps))
        points += [point for point in product(up_and_down, repeat=amounts) if np.count_nonzero(point) == changes]
    return np.array(points).reshape(-1, amounts)  # of one amount there are no points


def _text(changes: list[Change], target: Decision) -> Wording:
    en, fr = [], []
    for change in changes:
        value, needed = format_amount(change.value), format_amount(change.needed)
        template = _CHANGE_TEXTS[change.column]
        en.append(template[0].format(needed=needed[0], value=value[0]))
        fr.append(template[1].format(needed=needed[1], value=value[1]))
    decision = _DECISION_TEXTS[target]
    return Wording(en=f"With {_join(en, 'and')}, {decision[0]}.", fr=f"Avec {_join(fr, 'et')}, {decision[1]}.")


def _join(items: list[str], conjunction: str) -> str:
    """Join items with commas and a conjunction before the last.

    >>> _join(["a", "b", "c"], "and")
    'a, b and c'
    """
    return f" {conjunction} ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


_DECISION_TEXTS = {
    Decision.GRANTED: ("the application would be granted", "la demande serait acceptée"),
    Decision.REFUSED: ("the application would be refused", "la demande serait refusée"),
}
_CHANGE_TEXTS = {
    "AMT_CREDIT": ("a loan of {needed} instead of {value}", "un prêt de {needed} au lieu de {value}"),
    "AMT_GOODS_PRICE": ("goods worth {needed} instead of {value}", "des biens de {needed} au lieu de {value}"),
    "AMT_ANNUITY": ("an instalment of {needed} instead of {value}", "une mensualité de {needed} au lieu de {value}"),
}
