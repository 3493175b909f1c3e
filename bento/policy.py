"""The policy: from a probability of default to a decision, by the cost of errors."""

import math
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

POINTS_TO_DOUBLE_ODDS = 20
REFERENCE_POINTS, REFERENCE_ODDS = 600, 50
"""Score points at the reference odds of good to bad."""


class Decision(StrEnum):
    """The decision on an application."""

    GRANTED = "granted"
    REVIEW = "review"
    REFUSED = "refused"


class CostAssumptions(BaseModel):
    """The cost of errors, in units of one good client refused.

    The default of 10 to 1 is the business rule of the project: a missed default costs about ten good clients refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_negative: float = Field(default=10, gt=0, description="a loan granted that defaults")
    false_positive: float = Field(default=1, gt=0, description="a good client refused")

    @property
    def theoretical_threshold(self) -> float:
        """The threshold of least expected cost under perfectly calibrated probabilities: FP / (FP + FN).

        >>> round(CostAssumptions().theoretical_threshold, 4)
        0.0909
        """
        return self.false_positive / (self.false_positive + self.false_negative)


DEFAULT_COSTS = CostAssumptions()


class LoanEconomics(BaseModel):
    """The margin and loss of a loan, as shares of its exposure, AMT_CREDIT.

    The application has no term: the margin is that of the whole loan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss_given_default: float = Field(default=0.55, gt=0, le=1, description="share of the exposure a default loses")
    margin: float = Field(default=0.055, gt=0, description="share of the exposure a repaid loan earns")

    @property
    def cost_ratio(self) -> float:
        """The cost of a missed default divided by that of a good client refused.

        >>> round(LoanEconomics().cost_ratio, 6)
        10.0
        """
        return self.loss_given_default / self.margin


DEFAULT_ECONOMICS = LoanEconomics()


class ExpectedCost(BaseModel):
    """The expected cost of either decision, in units of one good client refused, at the cost ratio of the threshold."""

    if_granted: float
    if_refused: float


class ReviewBand(BaseModel):
    """Probabilities of default at which a person decides: from `low` up to, not including, `high`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    capacity: float = Field(gt=0, le=1, description="share of the training applications that lie in the band")

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self


def decide(probability_of_default: float, threshold: float, band: ReviewBand | None = None) -> Decision:
    """Decide: review within the band; outside it, refused from the threshold on and granted below.

    >>> decide(0.05, threshold=0.09).value, decide(0.09, threshold=0.09).value
    ('granted', 'refused')
    >>> decide(0.09, 0.09, ReviewBand(low=0.07, high=0.12, capacity=0.1)).value
    'review'
    """
    if band is not None and band.low <= probability_of_default < band.high:
        return Decision.REVIEW
    return Decision.REFUSED if probability_of_default >= threshold else Decision.GRANTED


def expected_cost(
    probability_of_default: float, threshold: float, costs: CostAssumptions = DEFAULT_COSTS
) -> ExpectedCost:
    """Compute the expected cost of granting, p * FN, and of refusing, (1 - p) * FP.

    FN is the cost of a missed default that the threshold implies, FP * (1 - threshold) / threshold, which is that of
    `costs` at the theoretical threshold. So the cheaper decision is always the one that the threshold gives; at a
    threshold chosen otherwise the assumed costs would contradict it. At 0, which implies no finite cost, FN is assumed.

    >>> expected_cost(0.25, 1 / 11)
    ExpectedCost(if_granted=2.5, if_refused=0.75)
    >>> expected_cost(0.25, 0.2)
    ExpectedCost(if_granted=1.0, if_refused=0.75)
    """
    if_refused = (1 - probability_of_default) * costs.false_positive
    if threshold == 0:
        return ExpectedCost(
            if_granted=max(probability_of_default * costs.false_negative, if_refused), if_refused=if_refused
        )
    # p * FN - (1 - p) * FP = FP * (p - threshold) / threshold: so computed, rounding cannot turn the comparison around.
    excess = costs.false_positive * (probability_of_default - threshold) / threshold
    return ExpectedCost(if_granted=max(if_refused + excess, 0.0), if_refused=if_refused)


def score_points(log_odds: float) -> float:
    """Compute scorecard points from log-odds of default: 600 at odds of 50 good to 1 bad, 20 more where odds double.

    Source: N. Siddiqi, Credit Risk Scorecards (2006): score = offset + PDO / ln 2 * ln(odds).

    >>> round(score_points(math.log(1 / 50)), 9), round(score_points(math.log(1 / 100)), 9)
    (600.0, 620.0)
    """
    return REFERENCE_POINTS + POINTS_TO_DOUBLE_ODDS / math.log(2) * (-log_odds - math.log(REFERENCE_ODDS))
