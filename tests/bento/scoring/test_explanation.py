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
from bento.scoring.counterfactual import FINENESS, Counterfactual, _round_amounts, _round_step
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
    "application_simple_interest_at_previous_term",
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


def needed(found: Counterfactual) -> dict[str, float]:
    return {change.column: change.needed for change in found.changes}


def distance(file: CreditFile, amounts: dict[str, float]) -> float:
    return float(np.linalg.norm([np.log(value / file.application[name]) for name, value in amounts.items()]))


def test_contributions_add_up_to_the_log_odds_of_the_decision(model, credit_files, explained):
    for file, found in zip(credit_files, explained, strict=True):
        total = found.base_value + sum(item.contribution for item in found.contributions)
        assert total == pytest.approx(found.log_odds, abs=1e-9)
        by_group = found.base_value + sum(group.contribution for group in found.groups)
        assert by_group == pytest.approx(found.log_odds, abs=1e-9)
        assert found.log_odds == float(model.log_odds(model.features([file]))[0])
        assert found.probability_of_default == default_under(model, file, {})


def test_features_and_groups_are_named_and_the_largest_come_first(model, credit_files, explained):
    values = model.features(credit_files[:1]).row(0, named=True)
    found = explained[0]
    assert {item.feature: item.value for item in found.contributions} == {name: values[name] for name in NAMES}
    for items in (found.contributions, found.groups):
        sizes = [abs(item.contribution) for item in items]
        assert sizes == sorted(sizes, reverse=True)
    for item in found.contributions:
        feature = CATALOGUE[item.feature]
        assert (item.group, item.unit, item.meaning.en) == (feature.group, feature.unit, feature.en)
    groups = {group.group: group.contribution for group in found.groups}
    scores = sum(item.contribution for item in found.contributions if item.group == "external_scores")
    assert groups["external_scores"] == pytest.approx(scores, abs=1e-12)


def test_beside_each_value_stands_that_of_similar_clients(model, credit_files, explained):
    for file, found in zip(credit_files, explained, strict=True):
        similar = model.reference.similar(file.application)
        assert {item.feature: item.similar for item in found.contributions} == similar.typical
        assert found.similar_clients.clients == similar.clients
        assert found.similar_clients.description == similar.description


def test_what_was_given_is_passed_on(model, credit_files):
    said = warnings(changed_by(credit_files[0], {"AMT_SHOES": 1}))
    found = explanation(model, credit_files[0], VERSION, said)
    assert [warning.field for warning in found.warnings] == ["application.AMT_SHOES"]
    assert (found.model, found.threshold) == (VERSION, model.threshold)
    assert found.SK_ID_CURR == credit_files[0].application["SK_ID_CURR"]


def test_a_counterfactual_flips_the_decision_within_the_ranges(model, credit_files, explained):
    flipped = set()
    for file, found in zip(credit_files, explained, strict=True):
        other = found.counterfactual
        assert other.decision == decide(found.probability_of_default, model.threshold)
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


def test_a_counterfactual_is_told_in_round_amounts_and_both_languages(model, explained):
    for other in (found.counterfactual for found in explained if found.counterfactual.found):
        granted = other.would_be == Decision.GRANTED
        assert other.text.en.startswith("With ")
        assert other.text.en.endswith("would be granted." if granted else "would be refused.")
        assert other.text.fr.endswith("serait acceptée." if granted else "serait refusée.")
        for change in other.changes:
            assert change.needed % _round_step(change.needed) == 0
            english = f"{change.needed:,.0f} instead of {change.value:,.0f}"
            assert english in other.text.en
            assert english.replace("instead of", "au lieu de").replace(",", "\u202f") in other.text.fr


def test_no_single_amount_flips_the_decision_nearer(model, credit_files, explained):
    """On all round amounts no nearer one does; between them one could only by less than a step of rounding."""
    looked_at = 0
    for file, found in zip(credit_files, explained, strict=True):
        other = found.counterfactual
        if not other.found or looked_at == 3:
            continue
        looked_at += 1
        reach = distance(file, needed(other))
        for name in AMOUNTS:
            value, ends = file.application[name], model.reference.ranges[name]
            fine = value * np.exp(np.linspace(-reach, reach, 25)[1:-1])
            round_ones = [each for each in _round_amounts(ends.low, ends.high) if abs(np.log(each / value)) < reach]
            for tried, slack in [*((each, 1e-9) for each in round_ones), *((each, 1 / FINENESS) for each in fine)]:
                amounts = {name: float(tried)}
                nearer = distance(file, amounts) < reach - slack and tried != value
                if nearer and is_usual(model, file.application | amounts):
                    default = default_under(model, file, amounts)
                    assert decide(default, model.threshold) == other.decision, amounts
    assert looked_at == 3


def test_what_is_found_is_always_the_same(model, credit_files, explained):
    again = [explanation(model, file, VERSION, []) for file in credit_files[:10]]
    assert again == explained[:10]


@pytest.mark.parametrize(
    ("threshold", "decision", "would_be"), [(0.0, "refused", "granted"), (1.0, "granted", "refused")]
)
def test_that_no_other_loan_is_decided_otherwise_is_said(model, credit_files, threshold, decision, would_be):
    found = explanation(with_settings(model, threshold=threshold), credit_files[0], VERSION, []).counterfactual
    assert (found.found, found.decision, found.changes) == (False, decision, [])
    assert (found.would_be, found.probability_of_default) == (None, None)
    assert found.text.en == (
        f"Within the limits seen in training, no other loan was found on which the application would be {would_be}."
    )
    assert "aucun autre prêt" in found.text.fr


def test_in_review_what_would_be_granted_is_looked_for(model, credit_files, explained):
    default = explained[0].probability_of_default
    band = ReviewBand(low=default * 0.98, high=min(default * 3, 1), capacity=0.1)
    reviewed = with_settings(model, threshold=default * 1.2, review_band=band)
    found = explanation(reviewed, credit_files[0], VERSION, []).counterfactual
    assert found.decision == Decision.REVIEW
    assert found.would_be == Decision.GRANTED
    assert found.probability_of_default < band.low


def test_an_unknown_price_of_goods_is_left_alone(model, credit_files):
    found = []
    for file in credit_files:
        content = file.model_dump()
        content["application"]["AMT_GOODS_PRICE"] = None
        other = explanation(model, CreditFile.model_validate(content), VERSION, []).counterfactual
        found += needed(other)
    assert set(found) == {"AMT_CREDIT", "AMT_ANNUITY"}


@pytest.mark.parametrize("amounts", [dict.fromkeys(AMOUNTS, value) for value in (0.0, MAX_AMOUNT)])
def test_a_loan_out_of_all_proportion_is_explained_too(model, credit_files, amounts):
    for file in credit_files[:5]:
        found = explanation(model, changed_by(file, amounts), VERSION, [])
        other = found.counterfactual
        assert not other.found or is_usual(model, file.application | amounts | needed(other))
        assert sum(item.contribution for item in found.contributions) + found.base_value == pytest.approx(
            found.log_odds
        )


def test_where_no_amount_counts_nothing_is_looked_for(synthetic_folder, credit_files, tmp_path, monkeypatch):
    names = ["application_ext_source_2", "previous_refused_share"]
    model = write_small_model(tmp_path / "model", synthetic_folder, names, "linear")
    monkeypatch.setattr(ScoringModel, "log_odds_with", None)
    assert not explanation(model, credit_files[0], VERSION, []).counterfactual.found


def test_round_amounts_are_one_to_two_percent_apart():
    values = _round_amounts(1_234.5, 2_000_000)
    steps = np.diff(values) / values[:-1]
    assert values.min() >= 1_234.5
    assert values.max() <= 2_000_000
    assert 0.005 < steps.min() <= steps.max() <= 1 / FINENESS
    assert {1_240, 24_600, 405_000, 450_000, 1_000_000} <= set(values.tolist())
