"""Proposals to clients, by small models of either family; each is tried on the path of every decision."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.data.credit_file import CreditFile
from bento.features.build import Variants
from bento.features.definitions import Group
from bento.i18n import format_amount
from bento.model.manifest import ModelVersion
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision, ReviewBand, decide
from bento.rules.check import Rules
from bento.scoring.counterfactual import Counterfactual, Proposal, counterfactual
from bento.scoring.explanation import explanation
from bento.scoring.loan_terms import Term, credit_to_annuity, monthly_rate
from bento.scoring.loans import CARD, MAX_COST, round_step
from bento.scoring.score import score
from tests.bento.scoring.conftest import CLIENTS
from tests.support.small_model import write_small_model

VERSION = ModelVersion(name="test", version="1")
WEIGHTS: dict[Group, float] = {"credit_terms": 0.9, "past_applications": 0.4, "employment": 0.2, "documents": -1.0}


def with_settings(model: ScoringModel, **changed: object) -> ScoringModel:
    """The same model under other settings."""
    other = ScoringModel(model.folder)
    other.manifest = model.manifest.model_copy(update=changed)
    return other


def changed_by(file: CreditFile, columns: dict[str, Any]) -> CreditFile:
    """The credit file with these columns in its application, as it would arrive."""
    content = file.model_dump()
    content["application"] |= columns
    return CreditFile.model_validate_json(json.dumps(content))


def needed(proposal: Proposal) -> dict[str, Any]:
    return {change.column: change.needed for change in proposal.changes}


def explained(model: ScoringModel, file: CreditFile) -> Counterfactual:
    return explanation(model, file, VERSION, [], rules=Rules.none()).counterfactual


OneByOne = Callable[[CreditFile, float], Decision]
"""Decides on one credit file and its probability of default."""


def with_rules(model: ScoringModel, file: CreditFile, decide_one: OneByOne) -> Counterfactual:
    """The counterfactual under a decider, with invented weights of the concepts."""

    def decider(files: Sequence[CreditFile], defaults: Sequence[float]) -> list[Decision]:
        return list(map(decide_one, files, defaults))

    variants = Variants(model.tables([file]), model.feature_names)
    features = variants.features(variants.application)
    return counterfactual(model, file, variants, features, decider=decider, weights=WEIGHTS)


def by_instalment(model: ScoringModel, limit: float) -> OneByOne:
    """The policy, and a rule that refuses instalments above a share of the income."""

    def decider(file: CreditFile, default: float) -> Decision:
        if file.application["AMT_ANNUITY"] > limit * file.application["AMT_INCOME_TOTAL"]:
            return Decision.REFUSED
        return decide(default, model.threshold, model.review_band)

    return decider


def assert_is_sold(model: ScoringModel, application: dict[str, Any], proposal: Proposal) -> None:
    """Check the amounts, the term and the monthly rate of a proposal against what is sold, apart from rounding."""
    asked, loan = application, application | needed(proposal)
    product = model.reference.product(application)
    amounts, ratios = (
        (product.credit, product.credit_to_annuity)
        if product
        else (model.reference.ranges["AMT_CREDIT"], model.reference.ranges["term"])
    )
    assert amounts.low <= loan["AMT_CREDIT"] <= amounts.high
    slack = 1 / loan["AMT_ANNUITY"] + 1e-9
    ratio = loan["AMT_CREDIT"] / loan["AMT_ANNUITY"]
    assert ratios.low * (1 - slack) <= ratio <= ratios.high * (1 + slack)
    if proposal.months is None:
        assert ratio == pytest.approx(asked["AMT_CREDIT"] / asked["AMT_ANNUITY"], rel=slack)
        return
    assert product is not None
    assert proposal.months_asked is not None
    (plan,) = [plan for plan in product.plans if plan.months == proposal.months]
    assert plan.credit_to_annuity.low * (1 - slack) <= ratio <= plan.credit_to_annuity.high * (1 + slack)
    assert (
        proposal.months
        > proposal.months_asked
        == max(
            plan.months
            for plan in product.plans
            if plan.credit_to_annuity.low <= asked["AMT_CREDIT"] / asked["AMT_ANNUITY"] <= plan.credit_to_annuity.high
        )
    )
    rate = monthly_rate(Term(proposal.months_asked, asked["AMT_CREDIT"] / asked["AMT_ANNUITY"]))
    present_value = sum(loan["AMT_ANNUITY"] / (1 + rate) ** month for month in range(1, proposal.months + 1))
    assert present_value == pytest.approx(loan["AMT_CREDIT"], rel=slack + 1e-6)


def assert_texts_hold_the_numbers(application: dict[str, Any], proposal: Proposal) -> None:
    for language, text in enumerate((proposal.text.en, proposal.text.fr)):
        for change in proposal.changes:
            joint = ("instead of", "au lieu de")[language]
            value, new = format_amount(change.value)[language], format_amount(change.needed)[language]
            assert f"{new} {joint} {value}" in text
        if proposal.months is not None:
            assert f"{proposal.months} m" in text
            assert f" {proposal.months_asked}" in text
        if proposal.down_payment is not None and "AMT_CREDIT" in needed(proposal):
            assert format_amount(proposal.down_payment)[language] in text


@given(
    client=st.integers(0, CLIENTS - 1),
    contract_type=st.sampled_from(["Cash loans", CARD, None]),
    goods_share=st.sampled_from([None, 0.8, 1.0, 1.3]),
    ratio=st.floats(9, 39),
    threshold=st.sampled_from([0.05, 0.09, 0.3]),
    limit=st.sampled_from([0.05, 0.1, 0.2, 10.0]),
)
def test_every_proposal_is_sold_granted_and_in_words(
    model, credit_files, client, contract_type, goods_share, ratio, threshold, limit
):
    served = with_settings(model, threshold=threshold)
    credit = credit_files[client].application["AMT_CREDIT"]
    price = None if goods_share is None else round(credit * goods_share)
    columns = {"NAME_CONTRACT_TYPE": contract_type, "AMT_GOODS_PRICE": price, "AMT_ANNUITY": round(credit / ratio)}
    file = changed_by(credit_files[client], columns)
    decider = by_instalment(served, limit)

    other = with_rules(served, file, decider)

    assert len(other.proposals) <= 2
    for proposal in other.proposals:
        changed = needed(proposal)
        assert changed.keys() <= {"AMT_CREDIT", "AMT_ANNUITY"}
        assert all(change.needed < change.value == file.application[change.column] for change in proposal.changes)
        tried = changed_by(file, changed)
        (scored,) = score(served, [tried], rules=Rules.none(), reasons=False)
        assert scored.probability == proposal.probability_of_default
        assert decider(tried, scored.probability) is Decision.GRANTED
        assert_is_sold(served, file.application, proposal)
        assert_texts_hold_the_numbers(file.application, proposal)
        assert 0 < proposal.cost <= MAX_COST
        assert proposal.text.en in other.text.en or proposal != other.proposals[0]
        assert "AMT_CREDIT" in changed or proposal.kind == "longer_term"
        assert (proposal.months is None) == (proposal.kind == "smaller_loan")


def test_all_kinds_of_proposal_occur_with_and_without_rules(model, credit_files):
    served = with_settings(model, threshold=0.3)
    kinds = Counter(
        proposal.kind
        for file in credit_files
        for limit in (0.05, 0.1, 0.2)
        for proposal in with_rules(served, file, by_instalment(served, limit)).proposals
    )

    assert kinds.keys() == {"smaller_loan", "longer_term", "smaller_loan_and_longer_term"}
    assert sum(bool(explained(served, file).proposals) for file in credit_files) >= 3


def test_no_cheaper_loan_of_the_same_term_is_granted(model, credit_files):
    looked_at = 0
    for file in credit_files:
        for proposal in explained(model, file).proposals:
            if proposal.kind != "smaller_loan":
                continue
            looked_at += 1
            asked, chosen = file.application["AMT_CREDIT"], needed(proposal)["AMT_CREDIT"]
            product = model.reference.product(file.application)
            most = min(asked, product.credit.high if product else model.reference.ranges["AMT_CREDIT"].high)
            cheaper = (credit for credit in range(int(chosen) + 1, int(most)) if credit % round_step(credit) == 0)
            for credit in cheaper:
                loan = {"AMT_CREDIT": credit, "AMT_ANNUITY": ceil(file.application["AMT_ANNUITY"] * credit / asked)}
                (scored,) = score(model, [changed_by(file, loan)], rules=Rules.none(), reasons=False)
                assert scored.decision is Decision.REFUSED
    assert looked_at >= 3


def test_a_granted_application_gets_no_proposal(model, credit_files):
    other = explained(with_settings(model, threshold=1.0), credit_files[0])

    assert (other.decision, other.proposals) == (Decision.GRANTED, [])
    assert other.text.en == "The application is granted as it stands: nothing has to change."
    assert other.text.fr == "La demande est acceptée telle quelle\u202f: rien n'est à changer."


def test_without_a_proposal_the_text_says_what_else_weighs(model, credit_files):
    never = with_settings(model, threshold=0.0)

    other = with_rules(never, credit_files[0], lambda *_: Decision.REFUSED)

    assert other.proposals == []
    assert other.text.en == (
        "We found no loan amount and no term with which the application would be granted. "
        "Apart from the loan itself, what raises the estimated risk most: past applications."
    )
    assert other.text.fr == (
        "Nous n'avons trouvé ni montant ni durée de prêt avec lesquels la demande serait acceptée. "
        "Hors du prêt lui-même, ce qui augmente le plus le risque estimé\u202f: demandes antérieures."
    )


def test_where_only_a_rule_stands_against_it_no_risk_is_named(model, credit_files):
    always = with_settings(model, threshold=1.0)

    other = with_rules(always, credit_files[0], lambda *_: Decision.REVIEW)

    assert (other.decision, other.proposals) == (Decision.REVIEW, [])
    assert other.text.en == (
        "We found no loan amount and no term with which the application would be granted without review by a person."
    )
    assert other.text.fr.endswith("avec lesquels la demande serait acceptée sans examen par une personne.")


def test_in_review_a_loan_granted_without_review_is_proposed(model, credit_files):
    band = ReviewBand(low=0.09, high=0.3, capacity=0.5)
    served = with_settings(model, threshold=0.2, review_band=band)
    reviewed = [other for file in credit_files if (other := explained(served, file)).decision is Decision.REVIEW]

    proposals = [proposal for other in reviewed for proposal in other.proposals]

    assert proposals
    assert all(proposal.probability_of_default < band.low for proposal in proposals)
    assert all("without review by a person" in proposal.text.en for proposal in proposals)


def test_a_rule_that_needs_a_smaller_instalment_is_met(model, credit_files):
    """The model grants every loan: only the rule stands against it."""
    always = with_settings(model, threshold=1.0)
    file = changed_by(
        credit_files[0],
        {
            "NAME_CONTRACT_TYPE": "Cash loans",
            "AMT_CREDIT": 240_000,
            "AMT_GOODS_PRICE": 200_000,
            "AMT_ANNUITY": 12_000,
            "AMT_INCOME_TOTAL": 100_000,
        },
    )

    other = with_rules(always, file, by_instalment(always, 0.115))

    smaller, longer = other.proposals
    assert needed(smaller) == {"AMT_CREDIT": 230_000, "AMT_ANNUITY": 11_500}
    assert smaller.text.en == (
        "With a loan of 230,000 instead of 240,000, repaid over the same term by instalments of 11,500 instead of "
        "12,000, the application would be granted."
    )
    assert smaller.text.fr == (
        "Avec un prêt de 230\u202f000 au lieu de 240\u202f000, remboursé sur la même durée par des mensualités de "
        "11\u202f500 au lieu de 12\u202f000, la demande serait acceptée."
    )
    rate = monthly_rate(Term(24, 20.0))
    assert (longer.kind, longer.months_asked, longer.months) == ("longer_term", 24, 36)
    assert needed(longer) == {"AMT_ANNUITY": ceil(240_000 / credit_to_annuity(rate, 36))}
    assert other.text.fr.endswith(
        "Elle le serait aussi avec le même prêt, remboursé en 36 mois au plus au lieu de 24 au plus par des "
        f"mensualités de {format_amount(longer.changes[0].needed)[1]} au lieu de 12\u202f000, avec plus d'intérêts au "
        "total."
    )
    assert smaller.cost == pytest.approx(10 / 240)
    assert longer.cost == pytest.approx(36 / credit_to_annuity(rate, 36) - 24 / 20)


def test_a_loan_below_the_price_names_the_down_payment(model, credit_files):
    always = with_settings(model, threshold=1.0)
    loan = {"NAME_CONTRACT_TYPE": "Cash loans", "AMT_CREDIT": 240_000, "AMT_ANNUITY": 12_000}
    texts = []
    for price in (235_000, 250_000, 230_000):
        file = changed_by(credit_files[0], loan | {"AMT_GOODS_PRICE": price, "AMT_INCOME_TOTAL": 100_000})
        proposal = with_rules(always, file, by_instalment(always, 0.115)).proposals[0]
        texts.append((proposal.down_payment, proposal.text.en, proposal.text.fr))

    assert [down_payment for down_payment, _, _ in texts] == [5_000, 20_000, None]
    assert "12,000, and a down payment of 5,000, the application" in texts[0][1]
    assert "12\u202f000, et un apport de 5\u202f000, la demande" in texts[0][2]
    assert "and a down payment of 20,000 instead of 10,000, the" in texts[1][1]
    assert "et un apport de 20\u202f000 au lieu de 10\u202f000, la" in texts[1][2]
    assert "down payment" not in texts[2][1]
    assert "apport" not in texts[2][2]


def test_a_card_has_a_smaller_limit_and_neither_term_nor_down_payment(model, credit_files):
    always = with_settings(model, threshold=1.0)
    file = changed_by(
        credit_files[0],
        {
            "NAME_CONTRACT_TYPE": CARD,
            "AMT_CREDIT": 600_000,
            "AMT_GOODS_PRICE": 600_000,
            "AMT_ANNUITY": 30_000,
            "AMT_INCOME_TOTAL": 100_000,
        },
    )

    (proposal,) = with_rules(always, file, by_instalment(always, 0.225)).proposals

    assert (proposal.kind, proposal.down_payment, proposal.months) == ("smaller_loan", None, None)
    assert proposal.text.en == (
        "With a credit limit of 450,000 instead of 600,000 and instalments of 22,500 instead of 30,000, the "
        "application would be granted."
    )
    assert proposal.text.fr == (
        "Avec un plafond de crédit de 450\u202f000 au lieu de 600\u202f000 et des mensualités de 22\u202f500 au "
        "lieu de 30\u202f000, la demande serait acceptée."
    )


def test_no_loan_of_less_than_half_is_proposed(model, credit_files):
    always = with_settings(model, threshold=1.0)
    file = changed_by(
        credit_files[0], {"NAME_CONTRACT_TYPE": "Cash loans", "AMT_CREDIT": 800_000, "AMT_ANNUITY": 40_000}
    )

    def at_most(credit: float) -> Counterfactual:
        def decider(file: CreditFile, _: float) -> Decision:
            return Decision.GRANTED if file.application["AMT_CREDIT"] <= credit else Decision.REFUSED

        return with_rules(always, file, decider)

    assert [needed(proposal)["AMT_CREDIT"] for proposal in at_most(400_000).proposals] == [400_000]
    assert at_most(399_999).proposals == []


def test_a_longer_term_that_keeps_little_more_of_the_loan_is_left_out(model, credit_files):
    always = with_settings(model, threshold=1.0)
    file = changed_by(
        credit_files[0], {"NAME_CONTRACT_TYPE": "Cash loans", "AMT_CREDIT": 800_000, "AMT_ANNUITY": 40_000}
    )

    def kinds(most: float) -> list[str]:
        """Of the proposals where up to 700,000 are granted over any term, and up to `most` over a longer one."""

        def decider(file: CreditFile, _: float) -> Decision:
            credit, annuity = file.application["AMT_CREDIT"], file.application["AMT_ANNUITY"]
            return Decision.GRANTED if credit <= (700_000 if credit / annuity < 21 else most) else Decision.REFUSED

        return [proposal.kind for proposal in with_rules(always, file, decider).proposals]

    assert kinds(740_000) == ["smaller_loan"]
    assert kinds(750_000) == ["smaller_loan", "smaller_loan_and_longer_term"]


@pytest.mark.parametrize("column", ["AMT_CREDIT", "AMT_ANNUITY"])
def test_an_extreme_loan_gets_no_absurd_proposal(model, credit_files, column):
    for value in (1.0, 1e9):
        file = changed_by(credit_files[0], {column: value})
        assert explained(with_settings(model, threshold=0.001), file).proposals == []


def test_a_model_without_amounts_proposes_what_only_the_rules_need(synthetic_folder, credit_files, tmp_path):
    names = ["application_ext_source_2", "previous_refused_share"]
    model = write_small_model(tmp_path / "model", synthetic_folder, names, "linear")
    file = changed_by(
        credit_files[0],
        {"NAME_CONTRACT_TYPE": "Cash loans", "AMT_CREDIT": 240_000, "AMT_ANNUITY": 12_000, "AMT_INCOME_TOTAL": 1e5},
    )
    always, never = with_settings(model, threshold=1.0), with_settings(model, threshold=0.0)

    assert with_rules(always, file, by_instalment(always, 0.115)).proposals
    assert with_rules(never, file, by_instalment(never, 0.115)).proposals == []


def test_proposals_are_the_same_each_time(model, credit_files):
    assert [explained(model, file) for file in credit_files[:20]] == [
        explained(model, file) for file in credit_files[:20]
    ]
