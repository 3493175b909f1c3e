import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import messages
from ui.numbers import NumberError, read_number

SPACES = [" ", "\u00a0", "\u202f", "\u2009"]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_amount_pasted_with_any_space_is_that_amount(language, space):
    assert read_number(language, f"450{space}000") == 450_000
    assert read_number(language, f" 450{space}000,50 ") == 450_000.5
    assert read_number(language, f"1{space}234{space}567.8") == 1_234_567.8
    assert read_number(language, f"450{space}000{space}€") == 450_000


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "1,5", 1.5),
        ("en", "1,5", 1.5),
        ("fr", "0,45", 0.45),
        ("en", "0,456", 0.456),
        ("fr", "0.456", 0.456),
        ("fr", "120000,50", 120_000.5),
        ("en", "450,000.25", 450_000.25),
        ("fr", "450.000,25", 450_000.25),
        ("en", "1.234.567", 1_234_567),
        ("fr", "1,234,567", 1_234_567),
        ("fr", "\u2212900 000", -900_000),
        ("fr", "- 5", -5),
        ("fr", "1'234'567", 1_234_567),
        ("fr", "12 EUR", 12),
        ("fr", "9450 000", 9_450_000),
        ("fr", "450 00", 45_000),
        ("fr", "  ", None),
    ],
)
def test_a_decimal_sign_is_read_wherever_it_cannot_group(language, text, expected):
    assert read_number(language, text) == expected


@pytest.mark.parametrize(("language", "text"), [("fr", "450,000"), ("fr", "450.000"), ("en", "450.000")])
def test_a_text_that_could_be_two_amounts_is_refused(language, text):
    with pytest.raises(NumberError, match="ambiguous"):
        read_number(language, text)


@pytest.mark.parametrize("text", ["abc", "1e5", "12 ans", "a 12", "1 - 2", "--5", "1,2,3", "nan", "inf", "1..5"])
def test_a_text_that_is_no_number_is_refused(text):
    with pytest.raises(NumberError, match="not_a_number"):
        read_number("fr", text)


@given(st.integers(-(10**11), 10**11), st.integers(0, 99), st.sampled_from(["fr", "en"]))
def test_what_the_page_writes_is_read_as_the_same_number(whole, cents, language):
    value = whole + cents / 100 if whole >= 0 else whole - cents / 100

    assert read_number(language, messages.number(language, value, 2)) == pytest.approx(value, abs=0.005)
    assert read_number(language, messages.number(language, whole)) == whole
