import pytest

from bento.data.tables import APPLICATION
from ui import form
from ui.client import Column

AGE = Column("integer", -50_000.0, -1.0, (), required=True)
EMPLOYED = Column("integer", -50_000.0, 365_243.0, (), required=False)
AMOUNT = Column("number", 0.0, None, (), required=True)
SCORE = Column("number", 0.0, 1.0, (), required=False)
CHILDREN = Column("integer", 0.0, 50.0, (), required=False)
FLAG = Column("flag", 0.0, 1.0, (), required=False, unit="flag")
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
        ("AMT_CREDIT", AMOUNT, "450000", form.Wrong('"450000"', "not_a_number")),
        ("AMT_CREDIT", AMOUNT, True, form.Wrong("true", "not_a_number")),
        ("AMT_CREDIT", AMOUNT, 10**30, form.Wrong(str(10**30), "not_a_number")),
        ("CNT_CHILDREN", CHILDREN, 2.0, 2),
        ("CNT_CHILDREN", CHILDREN, 2.5, 2.5),
        ("NAME_INCOME_TYPE", INCOME, "Astronaut", "Astronaut"),
        ("NAME_INCOME_TYPE", INCOME, 7, form.Wrong("7", "not_a_number")),
        ("FLAG_MOBIL", FLAG, 1, 1),
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

    assert form.with_changes(credit_file, {"AMT_CREDIT": 2.0}, {"bureau": []}) == {
        "application": {"AMT_CREDIT": 2.0, "other": "kept"},
        "bureau": [],
    }
    assert credit_file["application"]["AMT_CREDIT"] == 1.0


@pytest.mark.parametrize(
    ("name", "column", "text", "expected"),
    [
        ("AMT_CREDIT", AMOUNT, "450 000,50", 450_000.5),
        ("AMT_CREDIT", AMOUNT, "", None),
        ("AMT_CREDIT", AMOUNT, "-900000", form.Wrong("-900000", "too_small", 0.0)),
        ("AMT_CREDIT", AMOUNT, "beaucoup", form.Wrong("beaucoup", "not_a_number")),
        ("EXT_SOURCE_1", SCORE, "45", form.Wrong("45", "too_great", 1.0)),
        ("CNT_CHILDREN", CHILDREN, "2", 2),
        ("CNT_CHILDREN", CHILDREN, "2,5", form.Wrong("2,5", "not_whole")),
        ("DAYS_BIRTH", AGE, "40", 40),
        ("DAYS_BIRTH", AGE, "40,5", form.Wrong("40,5", "not_whole")),
        ("DAYS_BIRTH", AGE, "137", form.Wrong("137", "too_great", 136)),
        ("DAYS_EMPLOYED", EMPLOYED, "2,5", 2.5),
        ("DAYS_EMPLOYED", EMPLOYED, "-1", form.Wrong("-1", "too_small", 0)),
    ],
)
def test_a_text_is_its_number_or_says_what_is_wrong(name, column, text, expected):
    assert form.entered("fr", name, text, column) == expected


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("value", [450_000.0, 24_750.5, 0.2629485927471776, 0.1 + 0.2, 1e-7, -12.25, 123_456.789, 0.0])
def test_a_written_number_is_entered_as_the_same_number(language, value):
    free = Column("number", None, None, (), required=False)

    assert form.entered(language, "AMT_CREDIT", form.written(language, "AMT_CREDIT", value), free) == value


def test_a_number_of_a_client_is_written_without_groups():
    assert form.written("fr", "SK_ID_CURR", 100_123) == "100123"


def test_required_fields_that_are_empty_are_missing():
    columns = {"AMT_CREDIT": AMOUNT, "DAYS_BIRTH": AGE, "CNT_CHILDREN": CHILDREN}

    assert form.missing({"application": {"AMT_CREDIT": 1.0, "DAYS_BIRTH": None}}, columns) == ["DAYS_BIRTH"]


def test_choices_are_the_categories_the_clients_value_and_empty():
    required = Column("category", None, None, ("Pensioner", "Working"), required=True)

    assert form.choices(INCOME, "Working") == [None, "Pensioner", "Working"]
    assert form.choices(INCOME, "Astronaut") == [None, "Astronaut", "Pensioner", "Working"]
    assert form.choices(required, "Working") == ["Pensioner", "Working"]
    assert form.choices(required, None) == [None, "Pensioner", "Working"]


def test_a_flag_is_yes_no_or_empty():
    assert form.choices(FLAG, 1) == [None, 1, 0]


def test_the_form_has_every_field_once_and_no_audited_one():
    declared = {column.name: AMOUNT for column in APPLICATION}

    sections = form.fields(declared)

    asked = [name for names in sections.values() for name in names]
    assert sorted(asked) == sorted(column.name for column in APPLICATION if not column.audit_only)
    assert list(sections)[:4] == list(form.MAIN_SECTIONS)
    assert "AMT_REQ_CREDIT_BUREAU_DAY" in sections["section_enquiries"]
    assert "APARTMENTS_AVG" in sections["section_building"]
    assert len(sections["section_building"]) == 47
