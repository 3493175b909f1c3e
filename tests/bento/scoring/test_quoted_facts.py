"""What reasons quote is true: an independent statement of the features, from raw rows, agrees with every fact."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from bento.data.category_labels import CATEGORY_LABELS
from bento.data.cleaning import clean
from bento.data.tables import APPLICATION, HISTORIES
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.i18n import MINUS, NARROW_SPACE
from bento.policy import Decision
from bento.scoring.reasons import Client, Fact, Reason, main_reasons
from bento.scoring.wording.facts import quoted_features
from tests.bento.features import statement
from tests.bento.features.odd_clients import odd_clients
from tests.support.sampling import is_whole

pytestmark = pytest.mark.end_to_end

CLIENTS = 2000 if is_whole() else 300
BARE_SHARE = 0.1
"""Share of the clients with nothing but the required fields."""
DRAWS = 6
"""Draws of weights for each client."""
WEIGHTS = 40
"""Features that weigh in a reason's draw; few, so that light ones are quoted, too."""
ROWS_OF = {
    "bureau_balance_": "bureau_balance",
    "bureau_": "bureau",
    "previous_": "previous_application",
    "pos_": "POS_CASH_balance",
    "installments_": "installments_payments",
    "card_": "credit_card_balance",
}
"""By prefix of its features, the table of a history; a longer prefix comes first."""
UNITS = {
    "day": 1.0,
    "days": 1.0,
    "month": 365.25 / 12,
    "months": 365.25 / 12,
    "year": 365.25,
    "years": 365.25,
}
"""Days of each unit of time."""
Given = tuple[dict[str, Any], dict[str, Any], list[Reason]]
"""The stated features of a client, the raw application, and the reasons."""


@pytest.fixture(scope="module")
def quoted() -> list[Given]:
    """Return what is quoted to random clients where random features weigh, beside an independent statement of them."""
    random = np.random.default_rng(5)
    tables = _with_bare_clients(odd_clients(CLIENTS, 7), random)
    stated = statement.state(tables).to_dicts()
    names = list(CATALOGUE)
    built = build_features(clean(tables), [*names, *share_counts_of(names)]).to_dicts()
    others = random.permutation(CLIENTS)
    results: list[Given] = []
    for position, application in enumerate(tables["application"].to_dicts()):
        client = Client(built[position], application, built[others[position]])
        for _ in range(DRAWS):
            weights = np.zeros(len(names))
            weights[random.choice(len(names), WEIGHTS, replace=False)] = random.normal(size=WEIGHTS)
            decision = random.choice(list(Decision))
            reasons = main_reasons(names, client, weights.tolist(), decision, count=12)
            results.append((stated[position], application, reasons))
    return results


def _with_bare_clients(tables: Mapping[str, pl.DataFrame], random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Return tables in which some clients have the required fields of the application alone, and no history."""
    application = tables["application"]
    is_bare = pl.Series(random.random(len(application)) < BARE_SHARE)
    bare = application.filter(is_bare)["SK_ID_CURR"].implode()
    optional = [column.name for column in APPLICATION if not column.required]
    credits = tables["bureau"].filter(pl.col("SK_ID_CURR").is_in(bare))["SK_ID_BUREAU"].implode()
    histories = {
        name: tables[name].filter(~pl.col("SK_ID_CURR").is_in(bare)) for name in HISTORIES if name != "bureau_balance"
    }
    return {
        "application": application.with_columns(pl.when(~is_bare).then(name).alias(name) for name in optional),
        "bureau_balance": tables["bureau_balance"].filter(~pl.col("SK_ID_BUREAU").is_in(credits)),
        **histories,
    }


def _facts(quoted: list[Given]) -> Iterator[tuple[dict[str, Any], dict[str, Any], Reason, Fact]]:
    for stated, application, reasons in quoted:
        for reason in reasons:
            for fact in reason.facts:
                yield stated, application, reason, fact


def test_enough_is_quoted_to_be_checked(quoted: list[Given]):
    facts = [fact.feature for _, _, _, fact in _facts(quoted)]
    codes = {reason.code for _, _, reasons in quoted for reason in reasons}
    assert len(facts) > 5 * CLIENTS
    assert len(set(facts)) > 0.75 * len(quoted_features())
    assert {"U01", "U04", "U06", "U08", "U10"} <= codes


def test_every_quoted_value_is_that_of_the_raw_rows(quoted: list[Given]):
    for stated, _, _, fact in _facts(quoted):
        if isinstance(fact.value, float):
            assert math.isclose(fact.value, stated[fact.feature], rel_tol=1e-9, abs_tol=1e-9), fact
        elif fact.value is not None:
            assert fact.value == stated[fact.feature], fact


def test_the_words_give_the_value_and_what_is_usual(quoted: list[Given]):
    for stated, _, _, fact in _facts(quoted):
        if fact.value is None:
            continue
        written, _, usual = _english_value(fact).partition(" (similar clients: ")
        _assert_written(written, stated, fact, fact.value)
        if usual:
            assert fact.usual is not None
            _assert_written(usual.removesuffix(")"), {}, fact, fact.usual)


def _english_value(fact: Fact) -> str:
    return fact.text.en.removeprefix(quoted_features()[fact.feature].label[0] + ": ")


def _assert_written(written: str, stated: Mapping[str, Any], fact: Fact, value: float | str) -> None:
    """Read a text back, and compare it with the value within what rounding hides."""
    if isinstance(value, str):
        (column,) = CATALOGUE[fact.feature].roots
        assert written == CATEGORY_LABELS[column][value][0], fact
    elif re.fullmatch(r"[\d,]+ of [\d,]+", written):
        count, total = map(float, written.replace(",", "").split(" of "))
        assert (count, total) == (stated[f"{fact.feature}_count"], stated[f"{fact.feature}_of"]), fact
    elif written == "more than twice":
        assert value > 2, fact
    elif written in ("yes", "no"):
        assert value == (written == "yes"), fact
    elif written.startswith(("on time", "highest on time", "lowest on time", "at the time of this application")):
        assert abs(value) < 1, fact
    else:
        assert _read(written) == pytest.approx(_in_its_unit(fact, value), rel=0.051, abs=_smallest_step(fact)), fact


def _read(written: str) -> float:
    """Return the number of a text: shares as such, times in days, with its sign."""
    match = re.search(
        rf"(more than |less than )?({MINUS}?[\d,]*\.?\d+)(%| times)?(?: (days?|months?|years?))?( ago| late)?", written
    )
    assert match, written
    assert not match[1], written
    number = float(match[2].replace(",", "").replace(MINUS, "-"))
    number /= 100 if match[3] == "%" else 1
    number *= UNITS[match[4]] if match[4] else 1
    return -number if match[5] or written.startswith("less") else number


def _in_its_unit(fact: Fact, value: float) -> float:
    """Return a value in days where it is a time, negative where its words put years into the past."""
    days = {"days": 1.0, "months": 365.25 / 12, "years": 365.25}.get(fact.unit, 1.0) * value
    return -days if fact.unit == "years" and " ago" in fact.text.en else days


def _smallest_step(fact: Fact) -> float:
    return {"days": 0.06, "months": 365.25 / 24, "years": 366.0, "currency": 0.51, "count": 0.06}.get(fact.unit, 0.0051)


def test_both_languages_are_there_with_the_same_numbers(quoted: list[Given]):
    for _, _, reasons in quoted:
        for reason in reasons:
            assert reason.text.en
            assert reason.text.fr
            for text in (reason.text, *(fact.text for fact in reason.facts)):
                french = text.fr.replace(NARROW_SPACE, "").replace(",", ".")
                english = re.sub(r"(?<=\d),(?=\d{3})", "", text.en)
                assert _numbers(english) == _numbers(french), text


def _numbers(text: str) -> list[float]:
    return sorted(float(number.replace(MINUS, "-")) for number in re.findall(rf"{MINUS}?\d+(?:\.\d+)?", text))


def test_a_fact_lies_on_the_side_that_its_direction_says(quoted: list[Given]):
    for _, _, reason, fact in _facts(quoted):
        risk = CATALOGUE[fact.feature].risk
        if risk and isinstance(fact.value, float) and isinstance(fact.usual, float):
            above = risk * (fact.value - fact.usual)
            assert above > 0 if reason.direction == "raises" else above <= 0, (reason.direction, fact)


def test_nothing_unknown_is_quoted_as_a_fact(quoted: list[Given]):
    for stated, application, _, fact in _facts(quoted):
        assert "0 of 0" not in fact.text.en
        if fact.value is None:
            retired = application["NAME_INCOME_TYPE"] in ("Pensioner", "Unemployed")
            assert retired if fact.text.en.startswith("Present employment") else application["FLAG_OWN_CAR"] == "N"
        else:
            assert stated[fact.feature] is not None
            assert _rows(stated, fact.feature) != 0, fact


def _rows(stated: Mapping[str, Any], feature: str) -> float | None:
    """Return the number of rows of the history that a feature is of, None for the application."""
    counts = {
        "bureau_balance": "bureau_balance_months",
        "bureau": "bureau_credits",
        "previous_application": "previous_applications",
        "POS_CASH_balance": "pos_months",
        "installments_payments": "installments_count",
        "credit_card_balance": "card_months",
    }
    prefix = next((prefix for prefix in ROWS_OF if feature.startswith(prefix)), None)
    return None if prefix is None else stated[counts[ROWS_OF[prefix]]]


def test_what_is_called_unknown_is_not_there(quoted: list[Given]):
    empty = {
        "U08": "bureau_credits",
        "U13": "bureau_balance_months",
        "U10": "previous_applications",
        "U11": "installments_count",
        "U12": "card_months",
        "U14": "pos_months",
    }
    missing = {"occupation": "OCCUPATION_TYPE", "price of the goods": "AMT_GOODS_PRICE"} | {
        f"external score {number}": f"EXT_SOURCE_{number}" for number in (1, 2, 3)
    }
    for stated, application, reasons in quoted:
        for reason in reasons:
            if reason.code in empty:
                assert stated[empty[reason.code]] == 0, reason
            for words, column in missing.items():
                if reason.code.startswith("U") and words in reason.text.en:
                    assert application[column] not in APPLICATION[column].known_categories, reason
                    assert APPLICATION[column].categories or application[column] is None, reason


def test_codes_are_unique_and_light_reasons_are_left_out(quoted: list[Given]):
    for _, _, reasons in quoted:
        codes = [reason.code for reason in reasons]
        assert len(set(codes)) == len(codes)
        assert all(
            len({quoted_features()[fact.feature].thing for fact in reason.facts}) == len(reason.facts)
            for reason in reasons
        )
