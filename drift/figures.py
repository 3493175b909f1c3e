"""Figures on decisions of the journal: what outcomes show, and what is to be expected of the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from bento.journal.store import Journal
from bento.model.scoring_model import ScoringModel
from bento.policy import DEFAULT_COSTS, CostAssumptions, Decision
from drift.adversarial import auc
from drift.distributions import Floats
from drift.estimate import estimate, expected_auc, expected_costs, realised_costs, recalibrated
from drift.outcomes import Outcomes
from drift.populations import Population
from drift.summary import Part

RESAMPLES = 200
MIN_CLASS = 10
"""Known defaults, and known repaid loans, below which no figure of ranking or calibration is given."""
AGE_BANDS = (30, 40, 50, 60)


class Interval(Part):
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class EstimateResult(Part):
    """What is to be expected of all decisions, outcomes known or not. An estimate, not a measurement."""

    default_rate: float
    auc: float
    cost: float = Field(description="of 1,000 applications, in good clients refused")
    low: float = Field(description="end of the 95 % interval of the realised cost if the PD are right")
    high: float
    recalibrated: int = Field(description="decisions whose PD was calibrated again on known outcomes")


class Figures(Part):
    """Figures of a set of decisions; null where too few outcomes are known."""

    group: str
    decisions: int
    approval_rate: float
    mean_pd: float
    outcomes: int = Field(description="granted loans whose outcome is known")
    defaults: int
    auc: Interval | None
    gini: Interval | None
    ks: Interval | None
    brier: Interval | None
    observed_over_predicted: Interval | None
    realised_cost: Interval | None = Field(description="of 1,000 granted loans with outcome")
    expected_cost: float | None = Field(description="of the same loans, from their PD")
    expected_auc: float | None = Field(description="of the same loans, from their PD")
    estimate: EstimateResult


class Overrides(Part):
    """What officers did with decisions."""

    reviews: int
    overturned: int


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Decisions of the journal with outcome; every array has one item for each."""

    probability: Floats
    expected: Floats
    """PD, calibrated again on known outcomes where there are enough."""
    refused: Floats
    """Whether no loan was given: refused, or still waiting for a review."""
    target: Floats
    """1 default, 0 repaid, NaN not known; never known of a refused application."""
    ages: Floats | None
    """Full months from decision to outcome, NaN not known; None where outcomes have no date."""
    months: Sequence[str]
    groups: pl.DataFrame
    recalibrated: NDArray[np.bool_]
    """Whose PD was calibrated again on known outcomes."""
    costs: CostAssumptions
    overrides: Overrides

    @property
    def has_outcome(self) -> NDArray[np.bool_]:
        """Which decisions have an outcome."""
        return ~np.isnan(self.target)


def decided(journal: Journal, population: Population, outcomes: Outcomes | None, model: ScoringModel | None) -> Decided:
    """Join the decisions of a population with their outcomes and reviews, and estimate the rest."""
    decisions = population.decisions
    final, reviews, overturned = [], 0, 0
    moments = [decision.decided_at for decision in decisions]
    reviewed = journal.reviewed_between(min(moments), max(moments))
    for decision in decisions:
        history = journal.reviews(decision.id) if decision.id in reviewed else []
        reviews += len(history)
        overturned += sum(review.verdict == "overturned" for review in history)
        final.append(history[-1].outcome if history else decision.decision)
    refused = np.array([outcome != Decision.GRANTED for outcome in final])
    target = np.full(len(decisions), np.nan) if outcomes is None else outcomes.target.copy()
    target[refused] = np.nan
    probability = np.array([decision.probability for decision in decisions], dtype=np.float64)
    expected, has_outcome = probability, ~np.isnan(target)
    is_recalibrated = np.zeros(len(decisions), dtype=bool)
    if model is not None and has_outcome.any() and not has_outcome.all():
        features = population.features(model.feature_names).select(model.feature_names)
        expected, is_recalibrated = recalibrated(
            probability, features, target[has_outcome], probability[has_outcome], features.filter(has_outcome)
        )
    return Decided(
        probability=probability,
        expected=expected,
        refused=refused,
        target=target,
        ages=None if outcomes is None else outcomes.months,
        months=[f"{decision.decided_at:%Y-%m}" for decision in decisions],
        groups=_groups(population.applications),
        recalibrated=is_recalibrated,
        costs=DEFAULT_COSTS if model is None else model.manifest.costs,
        overrides=Overrides(reviews=reviews, overturned=overturned),
    )


def figures(decisions: Decided) -> tuple[Figures, list[Figures], list[Figures]]:
    """Return the figures of all decisions, of each month, and of each group."""
    everything = np.ones(len(decisions.probability), dtype=bool)
    months = np.array(decisions.months)
    by_month = [_figures(decisions, month, months == month) for month in sorted(set(decisions.months))]
    by_group = [
        _figures(decisions, f"{column.name}: {group}", (column == group).fill_null(value=False).to_numpy())
        for column in decisions.groups
        for group in column.drop_nulls().unique().sort()
    ]
    return _figures(decisions, "all", everything), by_month, by_group


def ks(scores: Floats, target: Floats) -> float:
    """Return the Kolmogorov-Smirnov statistic: the largest distance between the scores of the two outcomes.

    >>> ks(np.array([0.1, 0.2, 0.2, 0.3]), np.array([0, 1, 0, 1]))
    0.5
    """
    grid = np.unique(scores)
    bad, good = (np.sort(scores[target == outcome]) for outcome in (1, 0))
    shares = (np.searchsorted(part, grid, "right") / len(part) for part in (bad, good))
    return float(np.max(np.abs(np.subtract(*shares))))


def _figures(decisions: Decided, name: str, rows: NDArray[np.bool_]) -> Figures:
    expected = estimate(decisions.expected[rows], decisions.refused[rows], decisions.costs)
    has_outcome = rows & decisions.has_outcome
    target, probability = decisions.target[has_outcome], decisions.probability[has_outcome]
    enough = min(target.sum(), len(target) - target.sum()) >= MIN_CLASS
    granted = np.zeros(len(target), dtype=bool)
    statistics: dict[str, Callable[[Floats, Floats], float]] = {
        "auc": auc,
        "gini": lambda scores, target: 2 * auc(scores, target) - 1,
        "ks": ks,
        "brier": lambda scores, target: float(((scores - target) ** 2).mean()),
        "observed_over_predicted": lambda scores, target: float(target.mean() / scores.mean()),
        "realised_cost": lambda _, target: (
            1000 * float(realised_costs(target, np.zeros(len(target), dtype=bool), decisions.costs).mean())
        ),
    }
    return Figures(
        group=name,
        decisions=int(rows.sum()),
        approval_rate=_rounded(1 - decisions.refused[rows].mean()),
        mean_pd=_rounded(decisions.probability[rows].mean()),
        outcomes=len(target),
        defaults=int(target.sum()),
        **{key: _interval(statistic, probability, target) if enough else None for key, statistic in statistics.items()},
        expected_cost=_rounded(1000 * expected_costs(probability, granted, decisions.costs).mean()) if enough else None,
        expected_auc=_rounded(expected_auc(probability)) if enough else None,
        estimate=EstimateResult(
            **{key: _rounded(value) for key, value in vars(expected).items()},
            recalibrated=int(decisions.recalibrated[rows].sum()),
        ),
    )


def _interval(statistic: Callable[[Floats, Floats], float], scores: Floats, target: Floats) -> Interval:
    """Estimate a statistic with its bootstrap interval; resamples with one outcome only are left out."""
    random = np.random.default_rng(1)
    values = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(target), len(target))
        if 0 < target[drawn].sum() < len(target):
            values.append(statistic(scores[drawn], target[drawn]))
    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(value=_rounded(statistic(scores, target)), low=_rounded(low), high=_rounded(high))


def _groups(applications: pl.DataFrame) -> pl.DataFrame:
    """Return the groups that are watched: gender, age band, kind of contract."""
    years = pl.col("DAYS_BIRTH") / -365.25
    age: pl.Expr = pl.when(years.is_not_null()).then(pl.lit(f"under {AGE_BANDS[0]}"))
    for band in AGE_BANDS:
        age = pl.when(years >= band).then(pl.lit(f"from {band}")).otherwise(age)
    return applications.select(pl.col("CODE_GENDER"), age.alias("age"), pl.col("NAME_CONTRACT_TYPE"))


def table(rows: Sequence[Figures]) -> Iterator[str]:
    """Yield the lines of a Markdown table of figures."""
    yield "| | decisions | approved | outcomes | defaults | AUC | KS | Brier | observed / predicted | cost | expected |"
    yield f"|{'---|' * 11}"
    for row in rows:
        cells = [row.group, f"{row.decisions:,}", f"{row.approval_rate:.1%}", f"{row.outcomes:,}", f"{row.defaults:,}"]
        cells += [_cell(row.auc, ".3f"), _cell(row.ks, ".3f"), _cell(row.brier, ".4f")]
        cells += [_cell(row.observed_over_predicted, ".2f"), _cell(row.realised_cost, ".0f")]
        cells += ["" if row.expected_cost is None else f"{row.expected_cost:.0f}"]
        yield f"| {' | '.join(cells)} |"


def _cell(figure: Interval | None, form: str) -> str:
    return "" if figure is None else f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"


def _rounded(value: float) -> float:
    return float(f"{float(value):.4g}")
