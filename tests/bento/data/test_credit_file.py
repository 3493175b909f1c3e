import codecs
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bento.api.schemas import BatchRequest, Review
from bento.data.credit_file import CreditFile, frames, warnings
from bento.data.received import MAX_LISTED_ERRORS, Received
from bento.data.tables import APPLICATION, TABLES

REQUIRED = {
    "SK_ID_CURR": 100002,
    "AMT_CREDIT": 406597.5,
    "AMT_INCOME_TOTAL": 202500,
    "DAYS_BIRTH": -9461,
}


def _parse(application: dict[str, Any] | None = None, **tables: Any) -> CreditFile:
    return CreditFile.model_validate_json(json.dumps({"application": REQUIRED | (application or {}), **tables}))


def _faults(application: dict[str, Any] | None = None, **tables: Any) -> list[tuple[int | str, ...]]:
    with pytest.raises(ValidationError) as caught:
        _parse(application, **tables)
    return [fault["loc"] for fault in caught.value.errors()]


def test_four_fields_are_enough():
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


def _written(*fields: str, **tables: str) -> bytes:
    """Return a credit file whose application and tables end with what is given, as no encoder would write it."""
    application = ", ".join([json.dumps(REQUIRED)[1:-1], *fields])
    others = "".join(f', "{name}": {rows}' for name, rows in tables.items())
    return f'{{"application": {{{application}}}{others}}}'.encode()


def _refused(document: bytes, model: type[Received] = CreditFile) -> list[tuple[str, tuple[int | str, ...]]]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(document)
    return [(fault["type"], fault["loc"]) for fault in caught.value.errors()]


def _in_batch(document: bytes, position: int) -> bytes:
    return b'{"credit_files": [' + b"{}, " * position + document + b"]}"


REPEATED = {
    "a column": (_written('"AMT_CREDIT": 1'), ("application", "AMT_CREDIT")),
    "a column whose first value is wrong": (
        _written().replace(b'"AMT_CREDIT":', b'"AMT_CREDIT": "x", "AMT_CREDIT":'),
        ("application", "AMT_CREDIT"),
    ),
    "a column with the same value": (_written('"AMT_CREDIT": 406597.5'), ("application", "AMT_CREDIT")),
    "a column that is spelt otherwise": (_written('"AMT_CREDI\\u0054": 1'), ("application", "AMT_CREDIT")),
    "an unknown column": (_written('"X": 1, "X": 1'), ("application", "X")),
    "a key within an unknown column": (_written('"X": [{"Y": 1, "Y": 2}]'), ("application", "X", 0, "Y")),
    "a table": (_written(bureau="[]", bureau_balance="[]")[:-1] + b', "bureau": []}', ("bureau",)),
    "the application": (b'{"application": {}, ' + _written()[1:], ("application",)),
    "a column of a history": (_written(bureau='[{}, {}, {}, {"DAYS_CREDIT": -1, "DAYS_CREDIT": -1}]'), ("bureau", 3)),
}


@pytest.mark.parametrize("what", REPEATED)
def test_a_repeated_key_is_refused_with_its_path(what: str):
    document, path = REPEATED[what]
    assert [(kind, place[: len(path)]) for kind, place in _refused(document)] == [("repeated_key", path)]
    (in_batch,) = _refused(_in_batch(document, 7), BatchRequest)
    assert in_batch[1][: len(path) + 2] == ("credit_files", 7, *path)


def test_a_repeated_key_comes_before_other_errors():
    assert _refused(_written('"AMT_CREDIT": "x"')) == [("repeated_key", ("application", "AMT_CREDIT"))]


def test_a_review_must_not_repeat_a_key():
    valid = b'{"verdict": "confirmed", "outcome": "granted", "reason": "seen on paper", "reviewer": "R. Viewer"}'
    assert Review.model_validate_json(valid).outcome == "granted"
    assert _refused(valid[:-1] + b', "outcome": "refused"}', Review) == [("repeated_key", ("outcome",))]


def test_of_very_many_repeated_keys_one_error_is_left():
    fields = [f'"c{number}": 1' for number in range(MAX_LISTED_ERRORS + 1)] * 2
    assert _refused(_written(*fields)) == [("too_many_faults", ())]


def test_equal_keys_of_different_objects_are_no_repetition():
    CreditFile.model_validate_json(_written('"X": {"X": {"X": [{"X": 1}, {"X": 1}]}}', bureau="[{}, {}]"))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1E400", "-1e999"])
def test_no_number_of_an_unknown_column_is_beyond_all_floats(value: str):
    assert _refused(_written(f'"X": {value}')) == [("finite_number", ("application", "X"))]
    nested = _written(f'"X": [1, {{"Y": [{value}]}}]')
    assert _refused(nested) == [("finite_number", ("application", "X", 1, "Y", 0))]
    in_history = _written(bureau=f'[{{}}, {{"X": {value}}}]')
    assert _refused(in_history) == [("finite_number", ("bureau", 1, "X"))]
    (content,) = BatchRequest.model_validate_json(_in_batch(in_history, 0)).credit_files
    with pytest.raises(ValidationError) as caught:
        CreditFile.model_validate(content)
    assert [fault["loc"] for fault in caught.value.errors()] == [("bureau", 1, "X")]


NO_JSON = {
    "a mark of UTF-8": (codecs.BOM_UTF8 + _written(), "byte order mark; send UTF-8"),
    "UTF-16": (_written().decode().encode("utf-16"), "byte order mark; send UTF-8"),
    "half a surrogate": (_written(r'"X": "\ud800"'), "hex escape at line 1 column"),
    "half a surrogate in a key": (_written(r'"\ud800": 1'), "hex escape at line 1 column"),
    "bytes that are no UTF-8": (_written('"X": "é"').decode().encode("latin-1"), "unicode code point at line 1 column"),
    "deep nesting": (_written('"X": ' + "[" * 300 + "]" * 300), "recursion limit exceeded at line 1 column"),
    "a number of 5,000 digits": (_written('"X": ' + "9" * 5_000), "number out of range at line 1 column"),
    "what follows it": (_written() + b" x", "trailing characters at line 1 column"),
    "a second document": (_written() * 2, "trailing characters at line 1 column"),
    "a comma too many": (_written("").replace(b", }", b",}"), "trailing comma at line 1 column"),
    "a document cut off": (_written()[:-1], "EOF while parsing an object at line 1 column"),
    "a line end in a text": (_written('"X": "\n"'), "control character"),
}


def test_a_text_with_half_a_surrogate_is_no_json():
    with pytest.raises(ValidationError, match="Invalid JSON"):
        CreditFile.model_validate_json(_written().decode()[:-1] + ', "x": "\ud800"}')


@pytest.mark.parametrize("what", NO_JSON)
def test_what_is_no_json_is_refused_with_its_reason(what: str):
    document, reason = NO_JSON[what]
    with pytest.raises(ValidationError) as caught:
        CreditFile.model_validate_json(document)
    (fault,) = caught.value.errors()
    assert (fault["type"], fault["loc"]) == ("json_invalid", ())
    assert reason in fault["msg"]


def test_an_unknown_table_is_refused():
    assert _faults(burea=[]) == [("burea",)]


def test_rows_of_another_client_are_refused():
    assert _faults(bureau=[{"SK_ID_CURR": 100002}, {"SK_ID_CURR": 7}]) == [("bureau", 1, "SK_ID_CURR")]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("bureau", {"SK_ID_BUREAU": 5}),
        ("bureau_balance", {"SK_ID_BUREAU": 5, "MONTHS_BALANCE": -1}),
        ("previous_application", {"SK_ID_PREV": 5}),
        ("credit_card_balance", {"SK_ID_PREV": 5, "MONTHS_BALANCE": -1}),
    ],
)
def test_two_rows_with_the_same_key_are_refused(table: str, key: dict[str, int]):
    last = list(key)[-1]
    others = [key | {last: key[last] - 1}, key | {last: None}, key | {last: None}, {}, {}]
    _parse(**{table: [key, *others]})
    assert _faults(**{table: [key, *others, {name: float(value) for name, value in key.items()}]}) == [(table, 6, last)]


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


def test_the_schema_gives_every_category_of_the_application_its_words():
    properties = CreditFile.model_json_schema()["$defs"]["application_row"]["properties"]
    for column in APPLICATION:
        if column.kind == "category":
            schema = properties[column.name]["anyOf"][0]
            assert set(schema["labels"]) == set(column.categories)
            assert all(words.keys() == {"en", "fr"} for words in schema["labels"].values())
