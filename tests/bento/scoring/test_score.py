"""Many credit files are scored as one by one, even if they share ids; hashes of features are stable."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames, warnings
from bento.data.tables import TABLES
from bento.features.build import build_features
from bento.model.scoring_model import MAX_FILES_ALONE, ScoringModel
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.score import ScoredApplication, features_hash, score
from tests.support.clients import make_credit_files

FILES = 12


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="module")
def files() -> list[dict[str, Any]]:
    return make_credit_files(FILES)


def _rules(model: ScoringModel) -> Rules:
    return Rules(Rulebook.read(), model.reference.usual)


def _assert_alike(scored: ScoredApplication, expected: ScoredApplication) -> None:
    assert scored.probability == pytest.approx(expected.probability, rel=1e-9)
    assert scored.decision == expected.decision
    assert scored.rules == expected.rules
    assert scored.features_hash == expected.features_hash
    assert scored.null_share == expected.null_share
    texts = [(reason.code, reason.text) for reason in scored.reasons or ()]
    assert texts == [(reason.code, reason.text) for reason in expected.reasons or ()]


def _one_by_one(model: ScoringModel, files: list[CreditFile]) -> list[ScoredApplication]:
    return [score(model, [file], rules=_rules(model), reasons=True)[0] for file in files]


@pytest.mark.parametrize("count", [2, MAX_FILES_ALONE, MAX_FILES_ALONE + 1, FILES])
def test_many_files_are_scored_as_one_by_one(model: ScoringModel, files: list[dict[str, Any]], count: int):
    credit_files = [CreditFile.model_validate(file) for file in files[:count]]
    together = score(model, credit_files, rules=_rules(model), reasons=True)
    for scored, expected in zip(together, _one_by_one(model, credit_files), strict=True):
        _assert_alike(scored, expected)


def test_a_client_may_be_scored_with_two_loans_at_once(model: ScoringModel, files: list[dict[str, Any]]):
    other = files[-1] | {"application": files[-1]["application"] | {"AMT_CREDIT": 2_000_000}}
    credit_files = [CreditFile.model_validate(file) for file in (files[-1], other, files[0], files[-1])]
    together = score(model, credit_files, rules=_rules(model), reasons=True)
    assert together[0].probability == together[3].probability != together[1].probability
    for scored, expected in zip(together, _one_by_one(model, credit_files), strict=True):
        _assert_alike(scored, expected)


def _with_category(file: dict[str, Any], table: str, column: str, value: str | None) -> CreditFile:
    changed = {column: value}
    content = file[table]
    rows = content | changed if isinstance(content, dict) else [row | changed for row in content]
    return CreditFile.model_validate(file | {table: rows})


CATEGORY_COLUMNS = [(name, column.name) for name, table in TABLES.items() for column in table if column.categories]


@pytest.mark.parametrize(("table", "column"), CATEGORY_COLUMNS)
def test_an_unknown_category_is_scored_exactly_as_none(
    model: ScoringModel, files: list[dict[str, Any]], table: str, column: str
):
    file = next(file for file in reversed(files) if table in file)
    unknown, missing = (_with_category(file, table, column, value) for value in ("unheard of", None))
    (warning,) = (warning for warning in warnings(unknown) if warning.kind == "unknown_category")

    assert warning.field == f"{table}.{column}"
    assert_frame_equal(build_features(clean(frames([unknown]))), build_features(clean(frames([missing]))))
    one, other = (
        score(model, [credit_file], rules=Rules.none(), reasons=True)[0] for credit_file in (unknown, missing)
    )
    assert one == other


def test_ids_that_two_clients_share_do_not_mix_their_histories(model: ScoringModel, files: list[dict[str, Any]]):
    # Two clients share a credit only by an error of the sender, or malice: neither may affect the other.
    mine, credit = files[-1], files[-1]["bureau"][0]["SK_ID_BUREAU"]
    months = [{"SK_ID_BUREAU": credit, "MONTHS_BALANCE": -month, "STATUS": "5"} for month in range(40)]
    theirs = {"application": files[0]["application"], "bureau_balance": months}
    instalments = [row | {"SK_ID_CURR": theirs["application"]["SK_ID_CURR"]} for row in mine["installments_payments"]]
    credit_files = [
        CreditFile.model_validate(file) for file in (mine, theirs, theirs | {"installments_payments": instalments})
    ]
    together = score(model, credit_files, rules=_rules(model), reasons=True)
    for scored, expected in zip(together, _one_by_one(model, credit_files), strict=True):
        _assert_alike(scored, expected)


def test_reasons_are_optional(model: ScoringModel, files: list[dict[str, Any]]):
    assert score(model, [CreditFile.model_validate(files[0])], rules=_rules(model), reasons=False)[0].reasons is None


_NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(st.one_of(_NUMBERS, st.decimals(-1e6, 1e6, places=3, allow_nan=False).map(float)))
def test_a_last_bit_does_not_change_the_features_hash(value: float):
    nearby = [math.nextafter(value, math.inf), math.nextafter(value, -math.inf)]
    assert {features_hash({"a": near}, ["a"]) for near in nearby if math.isfinite(near)} == {
        features_hash({"a": value}, ["a"])
    } or abs(value) < 1e-300  # where a last bit is half of the number


@given(_NUMBERS.filter(lambda value: 1e-300 < abs(value) < 1e300))  # so that both are numbers
def test_a_change_of_a_thousandth_of_a_percent_changes_the_hash(value: float):
    assert features_hash({"a": value}, ["a"]) != features_hash({"a": value * 1.00001}, ["a"])


def test_null_zero_and_texts_have_different_hashes():
    values = (None, 0.0, "", "0", 1.0)
    assert len({features_hash({"a": value}, ["a"]) for value in values}) == len(values)
