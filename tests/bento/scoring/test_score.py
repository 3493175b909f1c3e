"""Many credit files at once come out as one by one, whatever ids they share; fingerprints hold still."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from bento.scoring.score import ScoredApplication, features_hash, score
from tests.support.clients import make_credit_files


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="module")
def files() -> list[dict[str, Any]]:
    return make_credit_files(12)


def _alike(found: ScoredApplication, expected: ScoredApplication) -> None:
    assert found.probability == pytest.approx(expected.probability, rel=1e-9)
    assert (found.decision, found.features_hash, found.null_share) == (
        expected.decision,
        expected.features_hash,
        expected.null_share,
    )
    said = [(reason.code, reason.text) for reason in found.reasons or ()]
    assert said == [(reason.code, reason.text) for reason in expected.reasons or ()]


def _one_by_one(model: ScoringModel, files: list[CreditFile]) -> list[ScoredApplication]:
    return [score(model, [file], reasons=True)[0] for file in files]


def test_many_come_out_as_one_by_one(model: ScoringModel, files: list[dict[str, Any]]):
    credit_files = [CreditFile.model_validate(file) for file in files]
    together = score(model, credit_files, reasons=True)
    for found, expected in zip(together, _one_by_one(model, credit_files), strict=True):
        _alike(found, expected)


def test_the_same_client_may_be_among_them_with_another_loan(model: ScoringModel, files: list[dict[str, Any]]):
    other = files[-1] | {"application": files[-1]["application"] | {"AMT_CREDIT": 2_000_000}}
    credit_files = [CreditFile.model_validate(file) for file in (files[-1], other, files[0], files[-1])]
    together = score(model, credit_files, reasons=True)
    assert together[0].probability == together[3].probability != together[1].probability
    for found, expected in zip(together, _one_by_one(model, credit_files), strict=True):
        _alike(found, expected)


def test_ids_that_two_clients_share_do_not_mix_their_histories(model: ScoringModel, files: list[dict[str, Any]]):
    # Nothing but a fault of the sender, or malice, makes two clients share a credit: neither may weigh on the other.
    mine, months = (
        files[-1],
        [{"SK_ID_BUREAU": files[-1]["bureau"][0]["SK_ID_BUREAU"], "MONTHS_BALANCE": -1, "STATUS": "5"}],
    )
    theirs = {"application": files[0]["application"], "bureau_balance": months * 40}
    instalments = [row | {"SK_ID_CURR": theirs["application"]["SK_ID_CURR"]} for row in mine["installments_payments"]]
    credit_files = [
        CreditFile.model_validate(file) for file in (mine, theirs, theirs | {"installments_payments": instalments})
    ]
    for found, expected in zip(score(model, credit_files, reasons=True), _one_by_one(model, credit_files), strict=True):
        _alike(found, expected)


def test_reasons_are_left_out_unless_asked_for(model: ScoringModel, files: list[dict[str, Any]]):
    assert score(model, [CreditFile.model_validate(files[0])], reasons=False)[0].reasons is None


_NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(st.one_of(_NUMBERS, st.decimals(-1e6, 1e6, places=3, allow_nan=False).map(float)))
def test_a_last_bit_does_not_change_the_fingerprint_of_features(value: float):
    nearby = [math.nextafter(value, math.inf), math.nextafter(value, -math.inf)]
    assert {features_hash({"a": near}, ["a"]) for near in nearby if math.isfinite(near)} == {
        features_hash({"a": value}, ["a"])
    } or abs(value) < 1e-300  # where a last bit is half of the number


@given(_NUMBERS.filter(lambda value: 1e-300 < abs(value) < 1e300))  # so that both are numbers
def test_a_change_of_a_thousandth_of_a_percent_does(value: float):
    assert features_hash({"a": value}, ["a"]) != features_hash({"a": value * 1.00001}, ["a"])


def test_missing_zero_and_words_have_fingerprints_of_their_own():
    found = {features_hash({"a": value}, ["a"]) for value in (None, 0.0, "", "None", "0", 1.0)}
    assert len(found) >= 5
