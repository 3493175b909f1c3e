"""What would have to change: the nearest other loan on which the decision would be another."""

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
from bento.i18n import Wording, amount
from bento.model.peer_groups import AMOUNTS, RATIOS, Reference
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision, decide


class Change(BaseModel):
    """One amount that would have to be another."""

    column: Literal["AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY"]
    value: float = Field(description="as asked for, in the currency of the loan")
    needed: float


class Counterfactual(BaseModel):
    """The nearest other loan on which the decision would be another, or that there is none."""

    found: bool
    decision: Decision = Field(description="what the decision is on the application as it stands")
    would_be: Decision | None = None
    probability_of_default: float | None = None
    changes: list[Change] = []
    text: Wording


FINENESS = 50
"""The amounts tried are round: their step is the 1, 2 or 5 of a power of ten just below a part of this size."""
LEVELS = {2: (0.05, 0.12, 0.25, 0.45, 0.8, 1.3), 3: (0.1, 0.25, 0.5, 1.0)}
"""Changes tried where so many amounts change together: differences of logarithms, up and down."""
DEARER = 0.1
"""Each further amount that changes makes a loan this much farther."""
FIRST_CHUNK = 100
"""Loans scored together, the nearest ones; every further chunk is twice as large."""
STEPS = 12
"""Points tried on each way back, when a loan is drawn nearer."""

Loans = NDArray[np.float64]
"""Loans x amounts."""
WANTED: Final = {
    Decision.GRANTED: Decision.REFUSED,
    Decision.REVIEW: Decision.GRANTED,
    Decision.REFUSED: Decision.GRANTED,
}
"""Which other decision is looked for."""


def counterfactual(
    model: ScoringModel, credit_file: CreditFile, variants: Variants, features: pl.DataFrame, decision: Decision
) -> Counterfactual:
    """Look for the nearest other AMT_CREDIT, AMT_GOODS_PRICE and AMT_ANNUITY on which the decision differs.

    All three, and their ratios, stay within the ranges seen in training; a price of goods that is unknown is left so.
    How far a loan is: the root of the summed squared differences of the logarithms of its amounts, a tenth more for
    each amount beyond the first that changes. Tried from near to far are all round amounts where one changes and a
    coarse grid where several do; what is found is then drawn back towards the application as long as it flips the
    decision, and confirmed on the path of every decision.

    Args:
        model: what decides.
        credit_file: the application as it stands.
        variants: the features of this client, all that the model asks for.
        features: those of the application as it stands, one row.
        decision: on it.
    """
    wanted = WANTED[decision]
    search = _Search(model, credit_file, variants, features, wanted)
    loan = search.nearest()
    if loan is not None:
        default = search.confirmed(loan)
        if search.is_wanted(default):
            changes = search.changes(loan)
            return Counterfactual(
                found=True,
                decision=decision,
                would_be=wanted,
                probability_of_default=default,
                changes=changes,
                text=_told(changes, wanted),
            )
    en, fr = _WOULD_BE[wanted]
    none = Wording(
        en=f"Within the limits seen in training, no other loan was found on which {en}.",
        fr=f"Dans les limites observées à l'entraînement, aucun autre prêt n'a été trouvé avec lequel {fr}.",
    )
    return Counterfactual(found=False, decision=decision, text=none)


class _Search:
    """The search for one client."""

    def __init__(
        self,
        model: ScoringModel,
        credit_file: CreditFile,
        variants: Variants,
        features: pl.DataFrame,
        wanted: Decision,
    ) -> None:
        self.model, self.credit_file, self.variants, self.features = model, credit_file, variants, features
        self.wanted = wanted
        known = {name: credit_file.application.get(name) for name in AMOUNTS}
        self.amounts = [name for name, value in known.items() if value is not None]
        self.start = np.array([float(value) for value in known.values() if value is not None])
        self.round = [_round_amounts(*_ends(model.reference, name)) for name in self.amounts]
        self.varying, columns = _varying(tuple(model.feature_names))
        self.columns = [variants.application.get_column(name) for name in columns]

    def nearest(self) -> Loans | None:
        """The nearest loan found, drawn back towards the application; None where there is none."""
        if not self.varying:
            return None
        found = self._first(self._candidates())
        if found is None or np.count_nonzero(found != self.start) == 1:
            return found  # none, or the nearest of all round amounts
        nearer = self._first(self._ways_back(found))
        return found if nearer is None else nearer

    def _candidates(self) -> Loans:
        """One amount changed to each round one; several changed together by each combination of levels."""
        singles = []
        for position, values in enumerate(self.round):
            loans = np.tile(self.start, (len(values), 1))
            loans[:, position] = values
            singles.append(loans)
        return np.vstack([*singles, self._rounded(np.exp(_steps(len(self.start))) * self.start)])

    def _ways_back(self, loan: Loans) -> Loans:
        """From a loan back to the application: with all its amounts together, and with each alone."""
        parts = np.linspace(0, 1, STEPS, endpoint=False)[:, np.newaxis]
        loans = [self.start + parts * (loan - self.start)]
        for position in np.flatnonzero(loan != self.start):
            alone = np.tile(loan, (STEPS, 1))
            alone[:, position] = loans[0][:, position]
            loans.append(alone)
        nearer = self._rounded(np.vstack(loans))
        return nearer[self._distance(nearer) < self._distance(loan[np.newaxis])]

    def _rounded(self, loans: Loans) -> Loans:
        """Every amount that changes made the nearest round one."""
        columns = [
            np.where(column == start, start, values[np.searchsorted((values[1:] + values[:-1]) / 2, column)])
            for column, start, values in zip(loans.T, self.start, self.round, strict=True)
        ]
        return np.column_stack(columns)

    def _first(self, loans: Loans) -> Loans | None:
        """The nearest of the loans on which the decision is the wanted one."""
        loans = loans[self._is_usual(loans) & (loans != self.start).any(axis=1)]
        loans = loans[np.argsort(self._distance(loans), kind="stable")]
        if not len(loans):
            return None
        features = self.variants.features(self._applications(loans), self.varying)
        first, size = 0, FIRST_CHUNK
        while first < len(loans):
            chunk = loans[first : first + size]
            log_odds = self.model.log_odds_with(self.features, features[first : first + size])
            for loan, value in zip(chunk, log_odds.tolist(), strict=True):
                if self.is_wanted(probability(value)):
                    return np.asarray(loan)
            first, size = first + size, 2 * size
        return None

    def is_wanted(self, default: float) -> bool:
        """Whether a probability of default would be decided as wanted."""
        return decide(default, self.model.threshold, self.model.review_band) == self.wanted

    def _is_usual(self, loans: Loans) -> NDArray[np.bool_]:
        """Whether all amounts and ratios lie within the ranges seen in training."""
        columns = dict(zip(self.amounts, loans.T, strict=True))
        usual = np.ones(len(loans), dtype=bool)
        for name in self.amounts:
            low, high = _ends(self.model.reference, name)
            usual &= (low <= columns[name]) & (columns[name] <= high)
        for name, (top, bottom) in RATIOS.items():
            if top in columns and bottom in columns:
                low, high = _ends(self.model.reference, name)
                # a ratio by multiplication: an amount may be 0
                usual &= (low * columns[bottom] <= columns[top]) & (columns[top] <= high * columns[bottom])
        return usual

    def _distance(self, loans: Loans) -> NDArray[np.float64]:
        logarithms = np.log(np.maximum(loans, 1)) - np.log(np.maximum(self.start, 1))
        changes = (loans != self.start).sum(axis=1)
        return np.asarray(np.sqrt((logarithms**2).sum(axis=1)) * (1 + DEARER * (changes - 1)))

    def _applications(self, loans: Loans) -> pl.DataFrame:
        changed = dict(zip(self.amounts, loans.T, strict=True))
        return pl.DataFrame(
            [
                pl.Series(column.name, changed[column.name])
                if column.name in changed
                else column.new_from_index(0, len(loans))
                for column in self.columns
            ]
        )

    def changes(self, loan: Loans) -> list[Change]:
        """The amounts of a loan that are others than asked for."""
        return [
            Change(column=name, value=value, needed=needed)  # type: ignore[arg-type]
            for name, value, needed in zip(self.amounts, self.start.tolist(), loan.tolist(), strict=True)
            if needed != value
        ]

    def confirmed(self, loan: Loans) -> float:
        """The probability of default under a loan, on the path of every decision."""
        changed = {change.column: change.needed for change in self.changes(loan)}
        update: dict[str, Any] = {"application": self.credit_file.application | changed}
        alone = self.credit_file.model_copy(update=update | {name: [] for name in HISTORIES})
        features = self.variants.features(self.model.tables([alone])["application"])
        return probability(float(self.model.log_odds(features)[0]))


def _ends(reference: Reference, name: str) -> tuple[float, float]:
    return reference.ranges[name].low, reference.ranges[name].high


@lru_cache(maxsize=16)
def _varying(names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The features that another loan changes, and the columns of the application that they are computed from."""
    varying = computed_from(AMOUNTS, names)
    return varying, needed_columns(varying)["application"]


@lru_cache(maxsize=16)
def _round_amounts(low: float, high: float) -> NDArray[np.float64]:
    """All round amounts of a range, 1 to 2 % apart (see `FINENESS`)."""
    values, value = [], low
    while value <= high:
        step = _round_step(value)
        value = math.ceil(value / step) * step
        values.append(value)
        value += step
    return np.array([value for value in values if value <= high] or [low])


def _round_step(value: float) -> float:
    """The step of amounts about this large.

    >>> _round_step(450_000), _round_step(24_700)
    (5000.0, 200.0)
    """
    part = max(value / FINENESS, 1.0)
    power = 10.0 ** math.floor(math.log10(part))
    return power * next(digit for digit in (5, 2, 1) if digit * power <= part)


@lru_cache(maxsize=4)
def _steps(amounts: int) -> NDArray[np.float64]:
    """Differences of logarithms where at least two of so many amounts change."""
    tried = []
    for changes, levels in LEVELS.items():
        either_way = (0.0, *levels, *(-level for level in levels))
        tried += [steps for steps in product(either_way, repeat=amounts) if np.count_nonzero(steps) == changes]
    return np.array(tried)


_WOULD_BE = {
    Decision.GRANTED: ("the application would be granted", "la demande serait acceptée"),
    Decision.REFUSED: ("the application would be refused", "la demande serait refusée"),
}
_CHANGED = {
    "AMT_CREDIT": ("a loan of {needed} instead of {value}", "un prêt de {needed} au lieu de {value}"),
    "AMT_GOODS_PRICE": ("goods worth {needed} instead of {value}", "des biens de {needed} au lieu de {value}"),
    "AMT_ANNUITY": ("an instalment of {needed} instead of {value}", "une mensualité de {needed} au lieu de {value}"),
}


def _told(changes: list[Change], wanted: Decision) -> Wording:
    en, fr = [], []
    for change in changes:
        value, needed = amount(change.value), amount(change.needed)
        words = _CHANGED[change.column]
        en.append(words[0].format(needed=needed[0], value=value[0]))
        fr.append(words[1].format(needed=needed[1], value=value[1]))
    would_be = _WOULD_BE[wanted]
    return Wording(en=f"With {_listed(en, 'and')}, {would_be[0]}.", fr=f"Avec {_listed(fr, 'et')}, {would_be[1]}.")


def _listed(items: list[str], conjunction: str) -> str:
    """Items as one writes them in a sentence.

    >>> _listed(["a", "b", "c"], "and")
    'a, b and c'
    """
    return f" {conjunction} ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
