"""From a probability of default to a decision, on the cost of being wrong."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Decision(StrEnum):
    """What the client is told."""

    GRANTED = "granted"
    REFUSED = "refused"


class CostAssumptions(BaseModel):
    """What an error costs, in units of one good client refused.

    The default of 10 to 1 is the business rule of the project: a missed default costs about ten good clients refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_negative: float = Field(default=10, gt=0, description="a loan granted that defaults")
    false_positive: float = Field(default=1, gt=0, description="a good client refused")

    @property
    def theoretical_threshold(self) -> float:
        """The threshold that minimises expected cost under perfectly calibrated probabilities: FP / (FP + FN).

        >>> round(CostAssumptions().theoretical_threshold, 4)
        0.0909
        """
        return self.false_positive / (self.false_positive + self.false_negative)


DEFAULT_COSTS = CostAssumptions()


class LoanEconomics(BaseModel):
    """What a loan earns or loses, as shares of its exposure (AMT_CREDIT stands for it).

    The application names no term, so none enters: the margin is that of the whole loan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss_given_default: float = Field(default=0.55, gt=0, le=1, description="share of the exposure a default loses")
    margin: float = Field(default=0.055, gt=0, description="share of the exposure a repaid loan earns")

    @property
    def cost_ratio(self) -> float:
        """The cost of a missed default over that of a good client refused.

        >>> round(LoanEconomics().cost_ratio, 6)
        10.0
        """
        return self.loss_given_default / self.margin


DEFAULT_ECONOMICS = LoanEconomics()


def decide(probability_of_default: float, threshold: float) -> Decision:
    """Refused from the threshold on, granted below it.

    >>> decide(0.05, threshold=0.09).value, decide(0.09, threshold=0.09).value
    ('granted', 'refused')
    """
    return Decision.REFUSED if probability_of_default >= threshold else Decision.GRANTED
