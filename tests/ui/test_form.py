import pytest

from bento.data.tables import APPLICATION
from ui import form
from ui.client import Column

AGE = Column("integer", -50_000.0, -1.0, (), required=True)
EMPLOYED = Column("integer", -50_000.0, 365_243.0, (), required=False)
AMOUNT = Column("number", 0.0, None, (), required=True)
SCORE = Column("number", 0.0, 1.0, (), required=False)
CHILDREN = Column("integer", 0.0, 50.0, (), required=False)
INCOME = Column("category", None, None, ("Pensioner", "Working"), required=False)


@pytest.mark.parametrize(
    ("name", "column", "raw", "expected"),
    [
        ("DAYS_BIRTH", AGE, -14_643, 40),
        ("DAYS_BIRTH", AGE, -14_600, 39),
        ("DAYS_EMPLOYED", EMPLOYED, -1100, 3.0),
        ("DAYS_EMPLOYED", EMPLOYED, 365_243, None),
        ("DAYS_EMPLOYED", EMPLOYED, None, None),
        ("AMT_CREDIT", AMOUNT, 450_000, 450_000.0),
        ("AMT_CREDIT", AMOUNT, "450000", None),
        ("AMT_CREDIT", AMOUNT, True, None),
        ("AMT_CREDIT", AMOUNT, 10**400, None),
        ("CNT_CHILDREN", CHILDREN, 2.0, 2),
        ("CNT_CHILDREN", CHILDREN, 2.5, None),
        ("NAME_INCOME_TYPE", INCOME, "Astronaut", "Astronaut"),
        ("NAME_INCOME_TYPE", INCOME, 7, None),
    ],
)
def test_a_raw_value_is_shown_in_the_officers_terms(name, column, raw, expected):
    assert form.shown(name, raw, column) == expected


@pytest.mark.parametrize("raw", [-14_643, -14_700, "unknown", None, 12, 10**30])
def test_a_field_left_alone_is_no_change(raw):
    credit_file = {"application": {"DAYS_BIRTH": raw}}

    assert form.changed(credit_file, {"DAYS_BIRTH": form.shown("DAYS_BIRTH", raw, AGE)}, {"DAYS_BIRTH": AGE}) == {}


def test_years_are_sent_in_days_inside_the_limits():
    credit_file = {"application": {"DAYS_BIRTH": -14_643, "DAYS_EMPLOYED": 365_243}}
    columns = {"DAYS_BIRTH": AGE, "DAYS_EMPLOYED": EMPLOYED}

    assert form.changed(credit_file, {"DAYS_BIRTH": 41, "DAYS_EMPLOYED": 2.5}, columns) == {
        "DAYS_BIRTH": -14_976,
        "DAYS_EMPLOYED": -914,
    }
    assert form.changed(credit_file, {"DAYS_BIRTH": 0}, columns) == {"DAYS_BIRTH": -1}
    assert form.changed(credit_file, {"DAYS_BIRTH": None}, columns) == {"DAYS_BIRTH": None}


def test_an_age_sent_is_shown_again_as_it_was_entered():
    ages = list(range(18, 100))

    assert [form.shown("DAYS_BIRTH", form.sent("DAYS_BIRTH", age, AGE), AGE) for age in ages] == ages


def test_changes_leave_the_credit_file_itself_alone():
    credit_file = {"application": {"AMT_CREDIT": 1.0, "other": "kept"}, "bureau": [{}]}

    assert form.with_changes(credit_file, {"AMT_CREDIT": 2.0}) == {
        "application": {"AMT_CREDIT": 2.0, "other": "kept"},
        "bureau": [{}],
    }
    assert credit_file["application"]["AMT_CREDIT"] == 1.0


@pytest.mark.parametrize(
    ("name", "column", "value", "expected"),
    [
        ("AMT_CREDIT", AMOUNT, 450_000.0, form.NumberInput(0.0, None, 1000.0, "%.2f")),
        ("AMT_CREDIT", AMOUNT, -5.0, form.NumberInput(-5.0, None, 1000.0, "%.2f")),
        ("EXT_SOURCE_1", SCORE, None, form.NumberInput(0.0, 1.0, 0.01, "%.3f")),
        ("CNT_CHILDREN", CHILDREN, 70, form.NumberInput(0, 70, 1, "%d")),
        ("DAYS_BIRTH", AGE, 40, form.NumberInput(0, 136, 1, "%d")),
        ("DAYS_EMPLOYED", EMPLOYED, None, form.NumberInput(0.0, 136.9, 0.5, "%.1f")),
    ],
)
def test_limits_are_the_services_widened_to_the_clients_value(name, column, value, expected):
    entry = form.number_input(name, column, value)

    assert entry == expected
    kind = int if expected.pattern == "%d" else float
    assert all(isinstance(limit, kind) for limit in (entry.minimum, entry.maximum, entry.step) if limit is not None)


def test_choices_are_the_categories_the_clients_value_and_empty():
    required = Column("category", None, None, ("Pensioner", "Working"), required=True)

    assert form.choices(INCOME, "Working") == [None, "Pensioner", "Working"]
    assert form.choices(INCOME, "Astronaut") == [None, "Astronaut", "Pensioner", "Working"]
    assert form.choices(required, "Working") == ["Pensioner", "Working"]
    assert form.choices(required, None) == [None, "Pensioner", "Working"]


def test_the_form_asks_for_declared_columns_only():
    asked = {name for names in form.SECTIONS.values() for name in names}

    assert asked <= {column.name for column in APPLICATION}
    assert not any(APPLICATION[name].audit_only for name in asked)
