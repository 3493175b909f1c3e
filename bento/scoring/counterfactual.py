"""Counterfactuals: the loans nearest to the one asked for with which the application would be granted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, Field

from bento.data.credit_file import CreditFile
from bento.data.tables import HISTORIES
from bento.features.build import Variants
from bento.features.catalogue import computed_from, needed_columns
from bento.features.definitions import Group
from bento.i18n import Wording
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision
from bento.scoring.counterfactual_text import GRANTED, describe_loan, text_of_proposals, text_without_proposal
from bento.scoring.loans import Loan, candidate_loans, down_payment

CHANGED = ("AMT_CREDIT", "AMT_ANNUITY")
"""Columns of the application that a proposal changes. The price of the goods is a fact, like all else: it stays."""
MAX_SHARE_OF_CUT = 0.5
"""What a longer term leaves of the cut in the loan, at most; for a smaller difference no second proposal is made."""

Decider = Callable[[Sequence[CreditFile], Sequence[float]], Sequence[Decision]]
"""Decides on credit files and their probabilities of default: the policy, and every rule beside the model."""


class Change(BaseModel):
    """One amount that would be smaller."""

    column: Literal["AMT_CREDIT", "AMT_ANNUITY"]
    value: float = Field(description="as asked for, in the currency of the loan")
    needed: float


class Proposal(BaseModel):
    """Another loan with which the application would be granted; the price of the goods stays."""

    kind: Literal["smaller_loan", "longer_term", "smaller_loan_and_longer_term"]
    changes: list[Change]
    months: int | None = Field(
        description="longest time of repayment at the monthly rate of this application; null where the term stays"
    )
    months_asked: int | None = Field(
        description="longest time that the instalment asked for is sold with; null where the term stays"
    )
    down_payment: float | None = Field(description="price of the goods less the loan; null where the loan covers it")
    cost: float = Field(
        description="what the client gives up, the part not lent and additional interest, as a share of the loan"
    )
    probability_of_default: float = Field(ge=0, le=1)
    text: Wording


class Counterfactual(BaseModel):
    """The nearest loans with which the application would be granted: two, one or none."""

    decision: Decision = Field(description="what the decision is on the application as it stands")
    proposals: list[Proposal] = Field(description="the one that costs the client least first")
    text: Wording


def counterfactual(
    model: ScoringModel,
    credit_file: CreditFile,
    variants: Variants,
    features: pl.DataFrame,
    *,
    decider: Decider,
    weights: Mapping[Group, float],
) -> Counterfactual:
    """Search for the loans nearest to the one asked for with which the application would be granted.

    A refusal and a review get the same: the cheapest loan for the client with the term asked for, and the cheapest with
    a longer one that keeps much more of the loan (see `loans`). A granted application gets none.

    Args:
        model: scores each loan as it scores every application.
        credit_file: the application as it stands, and the histories.
        variants: features of the credit file under changed applications.
        features: those of the application as it stands, one row.
        decider: never less strict than `ScoringModel.decide`; each proposal is granted by it.
        weights: what each concept adds to the log-odds, for the text where there is no proposal.
    """
    default = probability(float(model.log_odds(features)[0]))
    (decision,) = decider([credit_file], [default])
    if decision is Decision.GRANTED:
        return Counterfactual(decision=decision, proposals=[], text=GRANTED)
    search = _Search(model, credit_file, variants, features, decider)
    candidates = search.granted_by_model(candidate_loans(model.reference, credit_file.application))
    same_term = search.first(candidate for candidate in candidates if candidate[0].months is None)
    asked = float(credit_file.application["AMT_CREDIT"])
    least = asked - MAX_SHARE_OF_CUT * (asked - same_term[0].credit) if same_term else 0.0
    longer = search.first(item for item in candidates if item[0].months is not None and item[0].credit >= least)
    nearest = sorted((item for item in (same_term, longer) if item), key=lambda item: item[0].cost)
    proposals = [_proposal(credit_file.application, *item, decision) for item in nearest]
    if proposals:
        text = text_of_proposals([describe_loan(credit_file.application, loan) for loan, _ in nearest], decision)
    else:
        text = text_without_proposal(decision, {} if model.decide(default) is Decision.GRANTED else weights)
    return Counterfactual(decision=decision, proposals=proposals, text=text)


@dataclass(frozen=True)
class _Search:
    """What it takes to decide on the application of one client with another loan."""

    model: ScoringModel
    credit_file: CreditFile
    variants: Variants
    features: pl.DataFrame
    decider: Decider

    def granted_by_model(self, loans: list[Loan]) -> list[tuple[Loan, float]]:
        """Return the loans that the model alone grants and their probabilities, in the order of the loans.

        All are computed together, which is much faster than one after the other.
        """
        varying, columns = _varying_features(tuple(self.model.feature_names))
        if varying and loans:
            features = self.variants.features(self._applications(loans, columns), varying)
            log_odds = self.model.log_odds_with(self.features, features).tolist()
        else:
            log_odds = self.model.log_odds(self.features).tolist() * len(loans)
        candidates = zip(loans, map(probability, log_odds), strict=True)
        return [(loan, default) for loan, default in candidates if self.model.decide(default) is Decision.GRANTED]

    def first(self, candidates: Iterable[tuple[Loan, float]]) -> tuple[Loan, float] | None:
        """Return the first loan that is granted, and its probability of default, computed as for every decision.

        All are decided on together; those that are granted are confirmed one after the other, which is slower.
        """
        loans = list(candidates)
        credit_files = [_with_loan(self.credit_file, loan) for loan, _ in loans]
        decisions = self.decider(credit_files, [default for _, default in loans]) if loans else []
        for (loan, _), credit_file, decision in zip(loans, credit_files, decisions, strict=True):
            if decision is Decision.GRANTED:
                confirmed = self._probability(credit_file)
                if list(self.decider([credit_file], [confirmed])) == [Decision.GRANTED]:
                    return loan, confirmed
        return None

    def _probability(self, credit_file: CreditFile) -> float:
        """Compute the probability of default as for every decision; the histories are those already computed."""
        alone = credit_file.model_copy(update={name: [] for name in HISTORIES})
        features = self.variants.features(self.model.tables([alone])["application"])
        return probability(float(self.model.log_odds(features)[0]))

    def _applications(self, loans: list[Loan], columns: list[str]) -> pl.DataFrame:
        """Return the columns of the application, one row for each loan."""
        changed: dict[str, list[float]] = {"AMT_CREDIT": [loan.credit for loan in loans]}
        if loans[0].annuity is not None:
            changed["AMT_ANNUITY"] = [loan.annuity or 0.0 for loan in loans]
        application = self.variants.application
        return pl.DataFrame(
            [
                pl.Series(name, changed[name], pl.Float64)
                if name in changed
                else application.get_column(name).new_from_index(0, len(loans))
                for name in columns
            ]
        )


@lru_cache(maxsize=16)
def _varying_features(names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the features that depend on the loan, and the columns of the application that these read."""
    varying = computed_from(CHANGED, names)
    return varying, needed_columns(varying)["application"]


def _changes(application: Mapping[str, Any], loan: Loan) -> list[Change]:
    return [
        Change(column=column, value=application[column], needed=needed)  # type: ignore[arg-type]
        for column, needed in zip(CHANGED, (loan.credit, loan.annuity), strict=True)
        if needed is not None and needed != application[column]
    ]


def _with_loan(credit_file: CreditFile, loan: Loan) -> CreditFile:
    changed = {change.column: change.needed for change in _changes(credit_file.application, loan)}
    update: dict[str, Any] = {"application": credit_file.application | changed}
    return credit_file.model_copy(update=update)


def _proposal(application: Mapping[str, Any], loan: Loan, default: float, decision: Decision) -> Proposal:
    longer, smaller = loan.months is not None, loan.credit < application["AMT_CREDIT"]
    return Proposal(
        kind="smaller_loan" if not longer else "smaller_loan_and_longer_term" if smaller else "longer_term",
        changes=_changes(application, loan),
        months=loan.months,
        months_asked=loan.months_asked,
        down_payment=down_payment(application, loan.credit),
        cost=loan.cost,
        probability_of_default=default,
        text=text_of_proposals([describe_loan(application, loan)], decision),
    )
