"""Explanations by small models of either family, trained on the amounts, some scores and some history."""

import json
from functools import partial

import pytest

from bento.data.credit_file import CreditFile, warnings
from bento.data.tables import MAX_AMOUNT
from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelVersion
from bento.model.peer_groups import AMOUNTS
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.scoring.explanation import MAX_SPREADS, Explanation
from bento.scoring.explanation import explanation as explanation_by_rules
from bento.scoring.wording.facts import describe_fact, quoted_features
from tests.bento.scoring.conftest import NAMES

VERSION = ModelVersion(name="test", version="1")
explanation = partial(explanation_by_rules, rules=Rules.none())


@pytest.fixture(scope="module")
def explained(model: ScoringModel, credit_files: list[CreditFile]) -> list[Explanation]:
    return [explanation(model, file, VERSION, []) for file in credit_files]


def changed_by(file: CreditFile, amounts: dict[str, float]) -> CreditFile:
    """The credit file with these amounts in its application, as it would arrive."""
    content = file.model_dump()
    content["application"] |= amounts
    return CreditFile.model_validate_json(json.dumps(content))


def default_under(model: ScoringModel, file: CreditFile, amounts: dict[str, float]) -> float:
    """Probability of default on the path of every decision."""
    return float(model.probability(model.features([changed_by(file, amounts)]))[0])


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


def test_what_weighs_most_has_its_distribution_among_all_and_similar(model, credit_files, explained):
    for file, answer in zip(credit_files, explained, strict=True):
        everybody, similar = model.reference.groups[-1], model.reference.peer_group(file.application)
        first, rest = answer.contributions[:MAX_SPREADS], answer.contributions[MAX_SPREADS:]
        for item in first:
            for spread, group in ((item.among_all, everybody), (item.among_similar, similar)):
                expected = group.quantiles.get(item.feature)
                assert (spread is None) is (expected is None)
                if spread is not None:
                    assert tuple(spread.values) == expected
                    assert len(spread.texts) == len(spread.values) == 5
        assert any(item.among_all is not None for item in first)
        assert all(item.among_all is None and item.among_similar is None for item in rest)


def test_known_values_are_in_words_as_in_the_reasons(model, explained):
    written = 0
    for answer in explained:
        values = {item.feature: item.value for item in answer.contributions}
        for item in answer.contributions:
            assert (item.value_text is None) is (item.value is None)
            assert (item.similar_text is None) is (item.similar is None)
            if item.value is None or item.feature not in quoted_features() or item.feature.endswith("_share"):
                continue  # a share may be written as a count
            fact = describe_fact(item.feature, values)
            assert item.value_text.en in fact.en
            assert item.value_text.fr in fact.fr
            written += 1
    assert written > len(explained)


def test_warnings_and_version_are_in_the_answer(model, credit_files):
    given = warnings(changed_by(credit_files[0], {"AMT_SHOES": 1}))
    answer = explanation(model, credit_files[0], VERSION, given)
    assert "application.AMT_SHOES" in [warning.field for warning in answer.warnings]
    assert answer.warnings == given
    assert (answer.model, answer.threshold) == (VERSION, model.threshold)
    assert answer.SK_ID_CURR == credit_files[0].application["SK_ID_CURR"]


def test_an_explanation_is_deterministic(model, credit_files, explained):
    again = [explanation(model, file, VERSION, []) for file in credit_files[:10]]
    assert again == explained[:10]


@pytest.mark.parametrize("amounts", [dict.fromkeys(AMOUNTS, value) for value in (1.0, MAX_AMOUNT)])
def test_an_extreme_loan_is_explained(model, credit_files, amounts):
    for file in credit_files[:5]:
        answer = explanation(model, changed_by(file, amounts), VERSION, [])
        total = answer.base_value + sum(item.contribution for item in answer.contributions)
        assert total == pytest.approx(answer.log_odds)
