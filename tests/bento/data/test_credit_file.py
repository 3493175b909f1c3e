import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bento.data.credit_file import CreditFile, frames, warnings
from bento.data.tables import TABLES

REQUIRED = {
    "SK_ID_CURR": 100002,
    "AMT_CREDIT": 406597.5,
    "AMT_ANNUITY": 24700.5,
    "AMT_INCOME_TOTAL": 202500,
    "DAYS_BIRTH": -9461,
}


def _parse(application: dict[str, Any] | None = None, **tables: Any) -> CreditFile:
    return CreditFile.model_validate_json(json.dumps({"application": REQUIRED | (application or {}), **tables}))


def _faults(application: dict[str, Any] | None = None, **tables: Any) -> list[tuple[int | str, ...]]:
    with pytest.raises(ValidationError) as caught:
        _parse(application, **tables)
    return [fault["loc"] for fault in caught.value.errors()]


def test_five_fields_are_enough():
    credit_file = _parse()
    assert warnings(credit_file) == []
    tables = frames([credit_file])
    assert {name: len(frame) for name, frame in tables.items()} == {name: int(name == "application") for name in TABLES}
    assert all(frame.schema == TABLES[name].schema for name, frame in tables.items())


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_must_be_present_and_not_null(field: str):
    assert _faults({field: None}) == [("application", field)]
    with pytest.raises(ValidationError) as caught:
        CreditFile.model_validate({"application": {name: REQUIRED[name] for name in REQUIRED if name != field}})
    assert [fault["loc"] for fault in caught.value.errors()] == [("application", field)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "406597", True, [1], {"a": 1}, 10**400])
def test_a_number_must_be_a_finite_number(value: object):
    assert _faults({"AMT_CREDIT": value}) == [("application", "AMT_CREDIT")]


@pytest.mark.parametrize("value", [1.5, -1, 51])
def test_a_count_must_be_whole_and_within_its_range(value: float):
    assert _faults({"CNT_CHILDREN": value}) == [("application", "CNT_CHILDREN")]


def test_an_error_in_a_history_names_its_row():
    assert _faults(bureau=[{}, {"AMT_CREDIT_SUM": "much"}]) == [("bureau", 1, "AMT_CREDIT_SUM")]


def test_an_unknown_table_is_refused():
    assert _faults(burea=[]) == [("burea",)]


def test_rows_of_another_client_are_refused():
    assert _faults(bureau=[{"SK_ID_CURR": 100002}, {"SK_ID_CURR": 7}]) == [("bureau", 1, "SK_ID_CURR")]


def test_rows_without_a_client_get_that_of_the_application():
    assert frames([_parse(bureau=[{"DAYS_CREDIT": -10}])])["bureau"]["SK_ID_CURR"].to_list() == [100002]


def test_rejected_values_are_not_in_the_error():
    with pytest.raises(ValidationError) as caught:
        _parse({"AMT_CREDIT": "a secret"}, bureau=[{"SK_ID_CURR": 987654}])
    assert "secret" not in str(caught.value)
    assert "987654" not in str(caught.value)


def test_unknown_columns_and_categories_give_warnings():
    credit_file = _parse(
        {"NAME_INCOME_TYPE": "Astronaut", "SHOE_SIZE": 43},
        bureau=[{"CREDIT_TYPE": "Barter"}, {"CREDIT_TYPE": "Barter"}],
        bureau_balance=[{"SK_ID_BUREAU": 5}],
    )
    assert {(warning.field, warning.message.en) for warning in warnings(credit_file)} == {
        ("application.SHOE_SIZE", "unknown column, ignored"),
        ("application.NAME_INCOME_TYPE", "unknown category 'Astronaut', taken as missing"),
        ("bureau.CREDIT_TYPE", "unknown category 'Barter', taken as missing"),
        ("bureau_balance.SK_ID_BUREAU", "months of a credit that bureau does not hold, ignored"),
    }


def test_amounts_in_another_currency_give_a_warning():
    (warning,) = warnings(_parse(bureau=[{"CREDIT_CURRENCY": "currency 1"}, {"CREDIT_CURRENCY": "currency 2"}]))
    assert (warning.kind, warning.field) == ("other_currency", "bureau.CREDIT_CURRENCY")
    assert warning.message.en == "amounts of credits in another currency, taken as unknown"
    assert warning.message.fr == "montants des crédits dans une autre devise, traités comme inconnus"
    assert warnings(_parse(bureau=[{"CREDIT_CURRENCY": "currency 1"}, {}])) == []


def test_warnings_are_in_both_languages():
    (warning,) = warnings(_parse({"SHOE_SIZE": 43}))
    assert warning.message.model_dump() == {"en": "unknown column, ignored", "fr": "colonne inconnue, ignorée"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(sorted(TABLES["application"].schema)), _json, max_size=6),
    st.dictionaries(st.sampled_from(sorted(TABLES)), _json, max_size=3),
)
def test_any_json_is_refused_with_a_path_or_becomes_frames(application: dict[str, Any], tables: dict[str, Any]):
    body = json.dumps({"application": REQUIRED | application} | tables)
    try:
        credit_file = CreditFile.model_validate_json(body)
    except ValidationError as error:
        without_path = [details for details in error.errors() if not details["loc"]]
        assert not without_path
    else:
        warnings(credit_file)
        assert all(frame.schema == TABLES[name].schema for name, frame in frames([credit_file]).items())
