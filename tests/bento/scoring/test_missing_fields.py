"""The fields that a credit file lacks: which are named, in which order, and with which message."""

from pathlib import Path
from typing import Any

import pytest

from bento.data.credit_file import MAX_WARNINGS, CreditFile, FieldWarning
from bento.data.tables import TABLES
from bento.i18n import NARROW_SPACE
from bento.model.given_fields import MIN_CLIENTS, RARE_SHARE, GivenFields
from bento.model.scoring_model import ScoringModel
from bento.scoring.missing_fields import KEY, LEARNT, NOT_READ, TYPICAL, file_warnings

REQUIRED = {"SK_ID_CURR": 1, "AMT_CREDIT": 3e5, "AMT_ANNUITY": 18e3, "AMT_INCOME_TOTAL": 15e4, "DAYS_BIRTH": -14000}


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


def _with_fields(model: ScoringModel, clients: int = 1000, **unknown: dict[str, float]) -> ScoringModel:
    """Return the model, trained on clients of whom these shares lack a field of a table."""
    other = ScoringModel(model.folder)
    fields = {table: GivenFields(clients=clients, unknown=shares) for table, shares in unknown.items()}
    other.reference = model.reference.model_copy(update={"fields": fields})
    return other


def _with_typical(model: ScoringModel, **typical: float) -> ScoringModel:
    features = [
        feature.model_copy(update={"typical": typical.get(feature.name)}) for feature in model.manifest.features
    ]
    model.manifest = model.manifest.model_copy(update={"features": features})
    return model


def _warnings(model: ScoringModel, application: dict[str, Any] | None = None, **tables: Any) -> list[FieldWarning]:
    content = {"application": REQUIRED | (application or {}), **tables}
    return file_warnings(model, CreditFile.model_validate(content))


def _fields(answer: list[FieldWarning]) -> list[str]:
    return [warning.field for warning in answer if warning.kind == "missing_field"]


def test_a_field_that_nearly_all_files_hold_is_named_where_it_is_missing(model: ScoringModel):
    trained = _with_fields(model, application={"EXT_SOURCE_2": RARE_SHARE / 2, "EXT_SOURCE_3": RARE_SHARE})
    for missing in ({}, {"EXT_SOURCE_2": None}):
        assert _fields(_warnings(trained, missing)) == ["application.EXT_SOURCE_2"]
    assert _warnings(trained, {"EXT_SOURCE_2": 0.0}) == []


def test_a_field_of_a_history_is_missing_where_no_row_holds_it(model: ScoringModel):
    trained = _with_fields(model, bureau={"CREDIT_TYPE": 0.0}, installments_payments={"AMT_PAYMENT": 0.0})
    empty, full = {"SK_ID_BUREAU": 7}, {"SK_ID_BUREAU": 8, "CREDIT_TYPE": "Microloan"}

    assert _fields(_warnings(trained, bureau=[empty, {"SK_ID_BUREAU": 9, "CREDIT_TYPE": None}])) == [
        "bureau.CREDIT_TYPE"
    ]
    assert _fields(_warnings(trained, bureau=[empty, full])) == []


def test_fields_that_different_rows_hold_are_all_given(model: ScoringModel):
    columns = ("CREDIT_TYPE", "DAYS_CREDIT", "AMT_ANNUITY")
    trained = _with_fields(model, bureau=dict.fromkeys(columns, 0.0))
    rows = [{"SK_ID_BUREAU": 7, "CREDIT_TYPE": "Microloan"}, {"SK_ID_BUREAU": 8, "DAYS_CREDIT": -90}]

    assert _fields(_warnings(trained, bureau=rows)) == ["bureau.AMT_ANNUITY"]
    assert _fields(_warnings(trained, bureau=[*rows, {"SK_ID_BUREAU": 9, "AMT_ANNUITY": 0.0}])) == []


def test_a_history_without_rows_lacks_no_field(model: ScoringModel):
    trained = _with_fields(model, **{name: {table.columns[-1].name: 0.0} for name, table in TABLES.items()})
    assert _fields(_warnings(trained, bureau=[])) == ["application.AMT_REQ_CREDIT_BUREAU_YEAR"]


def test_a_category_that_is_not_known_was_given(model: ScoringModel):
    trained = _with_fields(model, application={"OCCUPATION_TYPE": 0.0})
    answer = _warnings(trained, {"OCCUPATION_TYPE": "Astronaut"})
    assert [warning.kind for warning in answer] == ["unknown_category"]


def test_few_training_clients_tell_nothing_of_a_table(model: ScoringModel):
    few, enough = (
        _with_fields(model, clients, application={"EXT_SOURCE_2": 0.0}) for clients in (MIN_CLIENTS - 1, MIN_CLIENTS)
    )
    assert _warnings(few) == []
    assert _fields(_warnings(enough)) == ["application.EXT_SOURCE_2"]


def test_the_message_says_how_the_file_is_scored(model: ScoringModel):
    trained = _with_fields(
        model,
        application=dict.fromkeys(["EXT_SOURCE_2", "EXT_SOURCE_3", "CODE_GENDER"], 0.0),
        installments_payments={"SK_ID_PREV": 0.0},
        credit_card_balance={"SK_ID_PREV": 0.0},
    )
    trained = _with_typical(trained, application_ext_source_2=0.5)
    rows = {"installments_payments": [{"DAYS_INSTALMENT": -5}], "credit_card_balance": [{"MONTHS_BALANCE": -1}]}

    assert {warning.field: warning.message for warning in _warnings(trained, **rows)} == {
        "application.EXT_SOURCE_2": TYPICAL,
        "application.EXT_SOURCE_3": LEARNT,
        "application.CODE_GENDER": NOT_READ,
        "installments_payments.SK_ID_PREV": KEY,
        "credit_card_balance.SK_ID_PREV": NOT_READ,
    }


def test_every_message_is_in_both_languages():
    for message in (TYPICAL, LEARNT, KEY, NOT_READ):
        assert message.en.startswith("not given; ")
        assert message.fr.startswith(f"non fourni{NARROW_SPACE}; ")


def test_what_the_model_reads_comes_before_what_it_does_not(model: ScoringModel):
    columns = [column.name for column in TABLES["application"] if not column.required]
    trained = _with_fields(model, application=dict.fromkeys(columns, 0.0))

    answer = _warnings(trained, {f"UNHEARD_OF_{number}": 1 for number in range(3)})

    read = [warning.message != NOT_READ for warning in answer[3:]]
    assert [warning.kind for warning in answer[:3]] == ["unknown_column"] * 3
    assert read == sorted(read, reverse=True)
    assert {"application.EXT_SOURCE_1", "application.AMT_GOODS_PRICE"} <= {
        warning.field for warning, is_read in zip(answer[3:], read, strict=True) if is_read
    }
    assert len(answer) == MAX_WARNINGS < 3 + len(columns)


def test_the_fields_of_the_training_clients_are_counted_by_client(model: ScoringModel):
    assert set(model.reference.fields) == set(TABLES)
    assert "EXT_SOURCE_1" not in model.reference.fields["application"].expected()
    assert "DAYS_CREDIT" in model.reference.fields["bureau"].unknown
