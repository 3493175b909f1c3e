"""Explanations by small models of either family, trained on the amounts, some scores and some history."""

import json
from pathlib import Path

import numpy as np
import pytest

from bento.data.credit_file import CreditFile, warnings
from bento.data.tables import MAX_AMOUNT
from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelVersion
from bento.model.peer_groups import AMOUNTS, RATIOS
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision, ReviewBand, decide
from bento.scoring.counterfactual import STEPS_PER_AMOUNT, Counterfactual, round_amounts, round_step
from bento.scoring.explanation import Explanation, explanation
from tests.support.clients import make_credit_files
from tests.support.small_model import write_small_model

VERSION = ModelVersion(name="test", version="1")
CLIENTS = 40
NAMES = [
    "application_ext_source_2",
    "application_ext_source_3",
    "application_credit",
    "application_annuity",
    "application_goods_price",
    "application_credit_to_annuity",
    "application_credit_to_goods_price",
    "application_annuity_to_income",
    "application_occupation",
    "bureau_debt_to_loan",
    "previous_refused_share",
    "installments_days_late_mean",
    "application_due_in_previous_term_to_credit",
]


@pytest.fixture(scope="module", params=["lightgbm", "linear"])
def model(request: pytest.FixtureRequest, synthetic_folder: Path, tmp_path_factory) -> ScoringModel:
    folder = tmp_path_factory.mktemp(request.param) / "model"
    return write_small_model(folder, synthetic_folder, NAMES, request.param)


@pytest.fixture(scope="module")
def credit_files() -> list[CreditFile]:
    return [CreditFile.model_validate_json(json.dumps(content)) for content in make_credit_files(CLIENTS)]


@pytest.fixture(scope="module")
def explained(model: ScoringModel, credit_files: list[CreditFile]) -> list[Explanation]:
    return [explanation(model, file, VERSION, []) for file in credit_files]


def with_settings(model: ScoringModel, **changed: object) -> ScoringModel:
    """The same model under other settings."""
    other = ScoringModel(model.folder)
    other.manifest = model.manifest.model_copy(update=changed)
    return other


def changed_by(file: CreditFile, amounts: dict[str, float]) -> CreditFile:
    """The credit file with these amounts in its application, as it would arrive."""
    content = file.model_dump()
    content["application"] |= amounts
    return CreditFile.model_validate_json(json.dumps(content))


def default_under(model: ScoringModel, file: CreditFile, amounts: dict[str, float]) -> float:
    """Probability of default on the path of every decision."""
    return float(model.probability(model.features([changed_by(file, amounts)]))[0])


def is_usual(model: ScoringModel, application: dict[str, float]) -> bool:
    """Whether all amounts and ratios that are known lie within the ranges seen in training."""
    values = {name: application[name] for name in AMOUNTS if application.get(name) is not None}
    values |= {name: values[a] / values[b] for name, (a, b) in RATIOS.items() if a in values and b in values}
    return all(
        model.reference.ranges[name].low <= value <= model.reference.ranges[name].high for name, value in values.items()
    )


def needed(other: Counterfactual) -> dict[str, float]:
    return {change.column: change.needed for change in other.changes}


def distance(file: CreditFile, amounts: dict[str, float]) -> float:
    return float(np.linalg.norm([np.log(value / file.application[name]) for name, value in amounts.items()]))


def test_contributions_add_up_to_the_log_odds_of_the_decision(model, credit_files, explained):
    for file, answer in zip(credit_files, explained, strict=True):
        total = answer.base_value + sum(item.contribution for item in answer.contributions)
        assert total == pytest.approx(answer.log_odds, abs=1e-9)
        by_group = answer.base_value + sum(group.contribution for group in answer.groups)
        assert by_group == pytest.approx(answer.log_odds, abs=1e-9)
        assert answer.log_odds == float(model.log_odds(model.features([file]))[0])
        assert answer.probability_of_default == default_under(model, file, {})


def test_features_and_groups_are_named_and_the_largest_come_first(model, credit_files, explained):
    values = model.features(credit_files[:1]).row(0, named=True)
    answer = explained[0]
    assert {item.feature: item.value for item in answer.contributions} == {name: values[name] for name in NAMES}
    for items in (answer.contributions, answer.groups):
        sizes = [abs(item.contribution) for item in items]
        assert sizes == sorted(sizes, reverse=True)
    for item in answer.contributions:
        feature = CATALOGUE[item.feature]
        assert (item.group, item.unit, item.meaning.en) == (feature.group, feature.unit, feature.en)
    groups = {group.group: group.contribution for group in answer.groups}
    scores = sum(item.contribution for item in answer.contributions if item.group == "external_scores")
    assert groups["external_scores"] == pytest.approx(scores, abs=1e-12)


def test_each_value_has_the_median_of_similar_clients(model, credit_files, explained):
    for file, answer in zip(credit_files, explained, strict=True):
        similar = model.reference.peer_group(file.application)
        assert {item.feature: item.similar for item in answer.contributions} == similar.medians
        assert answer.similar_clients.clients == similar.clients
        assert answer.similar_clients.description == similar.description


def test_warnings_and_version_are_in_the_answer(model, credit_files):
    unknown_column = warnings(changed_by(credit_files[0], {"AMT_SHOES": 1}))
    answer = explanation(model, credit_files[0], VERSION, unknown_column)
    assert [warning.field for warning in answer.warnings] == ["application.AMT_SHOES"]
    assert (answer.model, answer.threshold) == (VERSION, model.threshold)
    assert answer.SK_ID_CURR == credit_files[0].application["SK_ID_CURR"]


def test_a_counterfactual_changes_the_decision_within_the_ranges(model, credit_files, explained):
    flipped = set()
    for file, answer in zip(credit_files, explained, strict=True):
        other = answer.counterfactual
        assert other.decision == decide(answer.probability_of_default, model.threshold)
        if not other.found:
            continue
        amounts = needed(other)
        assert 1 <= len(amounts) <= len(AMOUNTS)
        assert all(change.value == file.application[change.column] for change in other.changes)
        assert all(change.needed != change.value for change in other.changes)
        default = default_under(model, file, amounts)
        assert default == other.probability_of_default
        assert decide(default, model.threshold) == other.would_be != other.decision
        assert is_usual(model, file.application | amounts)
        flipped.add(other.would_be)
    assert flipped == {Decision.GRANTED, Decision.REFUSED}


def test_a_counterfactual_has_round_amounts_in_both_languages(model, explained):
    for other in (answer.counterfactual for answer in explained if answer.counterfactual.found):
        granted = other.would_be == Decision.GRANTED
        assert other.text.en.startswith("With ")
        assert other.text.en.endswith("would be granted." if granted else "would be refused.")
        assert other.text.fr.endswith("serait acceptée." if granted else "serait refusée.")
        for change in other.changes:
            assert change.needed % round_step(change.needed) == 0
            english = f"{change.needed:,.0f} instead of {change.value:,.0f}"
            assert english in other.text.en
            assert english.replace("instead of", "au lieu de").replace(",", "\u202f") in other.text.fr


def test_no_nearer_change_of_one_amount_changes_the_decision(model, credit_files, explained):
    """On all round amounts no nearer one does; between them one could only by less than a step of rounding."""
    looked_at = 0
    for file, answer in zip(credit_files, explained, strict=True):
        other = answer.counterfactual
        if not other.found or looked_at == 3:
            continue
        looked_at += 1
        reach = distance(file, needed(other))
        for name in AMOUNTS:
            value, ends = file.application[name], model.reference.ranges[name]
            fine = value * np.exp(np.linspace(-reach, reach, 25)[1:-1])
            near = [amount for amount in round_amounts(ends.low, ends.high) if abs(np.log(amount / value)) < reach]
            tried = [*((amount, 1e-9) for amount in near), *((amount, 1 / STEPS_PER_AMOUNT) for amount in fine)]
            for amount, slack in tried:
                amounts = {name: float(amount)}
                nearer = distance(file, amounts) < reach - slack and amount != value
                if nearer and is_usual(model, file.application | amounts):
                    default = default_under(model, file, amounts)
                    assert decide(default, model.threshold) == other.decision, amounts
    assert looked_at == 3


def test_an_explanation_is_deterministic(model, credit_files, explained):
    again = [explanation(model, file, VERSION, []) for file in credit_files[:10]]
    assert again == explained[:10]


@pytest.mark.parametrize(
    ("threshold", "decision", "would_be"), [(0.0, "refused", "granted"), (1.0, "granted", "refused")]
)
def test_without_a_counterfactual_the_text_states_so(model, credit_files, threshold, decision, would_be):
    other = explanation(with_settings(model, threshold=threshold), credit_files[0], VERSION, []).counterfactual
    assert (other.found, other.decision, other.changes) == (False, decision, [])
    assert (other.would_be, other.probability_of_default) == (None, None)
    assert other.text.en == (
        f"Within the limits seen in training, no other loan was found on which the application would be {would_be}."
    )
    assert "aucun autre prêt" in other.text.fr


def test_in_review_a_granted_loan_is_searched_for(model, credit_files, explained):
    default = explained[0].probability_of_default
    band = ReviewBand(low=default * 0.98, high=min(default * 3, 1), capacity=0.1)
    reviewed = with_settings(model, threshold=default * 1.2, review_band=band)
    other = explanation(reviewed, credit_files[0], VERSION, []).counterfactual
    assert other.decision == Decision.REVIEW
    assert other.would_be == Decision.GRANTED
    assert other.probability_of_default < band.low


def test_an_unknown_price_of_goods_stays_unknown(model, credit_files):
    changed: list[str] = []
    for file in credit_files:
        content = file.model_dump()
        content["application"]["AMT_GOODS_PRICE"] = None
        other = explanation(model, CreditFile.model_validate(content), VERSION, []).counterfactual
        changed += needed(other)
    assert set(changed) == {"AMT_CREDIT", "AMT_ANNUITY"}


@pytest.mark.parametrize("amounts", [dict.fromkeys(AMOUNTS, value) for value in (0.0, MAX_AMOUNT)])
def test_an_extreme_loan_is_explained(model, credit_files, amounts):
    for file in credit_files[:5]:
        answer = explanation(model, changed_by(file, amounts), VERSION, [])
        other = answer.counterfactual
        assert not other.found or is_usual(model, file.application | amounts | needed(other))
        total = answer.base_value + sum(item.contribution for item in answer.contributions)
        assert total == pytest.approx(answer.log_odds)


def test_a_model_without_amounts_has_no_counterfactual(synthetic_folder, credit_files, tmp_path, monkeypatch):
    names = ["application_ext_source_2", "previous_refused_share"]
    model = write_small_model(tmp_path / "model", synthetic_folder, names, "linear")
    monkeypatch.setattr(ScoringModel, "log_odds_with", None)
    assert not explanation(model, credit_files[0], VERSION, []).counterfactual.found


def test_round_amounts_are_one_to_two_percent_apart():
    values = round_amounts(1_234.5, 2_000_000)
    steps = np.diff(values) / values[:-1]
    assert values.min() >= 1_234.5
    assert values.max() <= 2_000_000
    assert 0.005 < steps.min() <= steps.max() <= 1 / STEPS_PER_AMOUNT
    assert {1_240, 24_600, 405_000, 450_000, 1_000_000} <= set(values.tolist())
