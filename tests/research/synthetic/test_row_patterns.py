"""Patterns of rows are counted as stated, and the synthetic histories have them at the real shares."""

import polars as pl
import pytest

from bento.data.tables import TABLES
from research.synthetic.fidelity_metrics import measure
from research.synthetic.row_patterns import PATTERNS, pattern_shares

PAYMENT = {
    "SK_ID_PREV": 1,
    "SK_ID_CURR": 1,
    "NUM_INSTALMENT_NUMBER": 1,
    "DAYS_INSTALMENT": -50,
    "DAYS_ENTRY_PAYMENT": -52,
}
LOAN = {"SK_ID_CURR": 1, "NAME_CONTRACT_TYPE": "Cash loans", "NAME_CONTRACT_STATUS": "Approved", "DAYS_DECISION": -400}
RUNNING = LOAN | {"DAYS_FIRST_DUE": -300.0, "DAYS_LAST_DUE_1ST_VERSION": 300.0}
CARD = LOAN | {"NAME_CONTRACT_TYPE": "Revolving loans", "DAYS_DECISION": -40}
PERSON = {"CODE_GENDER": "F", "DAYS_BIRTH": -12_000, "DAYS_REGISTRATION": -4000.0, "DAYS_ID_PUBLISH": -900, "TARGET": 1}
LATER = {"DAYS_BIRTH": -12_100, "DAYS_REGISTRATION": -4100.0, "DAYS_ID_PUBLISH": -1000}


def rows(table: str, *values: dict) -> pl.DataFrame:
    schema = TABLES[table].schema | ({"TARGET": pl.Int64} if table == "application" else {})
    return pl.DataFrame(list(values), schema=schema)


@pytest.fixture
def invented() -> dict[str, pl.DataFrame]:
    return {
        "application_train": rows(
            "application",
            {"SK_ID_CURR": 1} | PERSON,
            {"SK_ID_CURR": 2} | PERSON | LATER,
            {"SK_ID_CURR": 3} | PERSON | {"CODE_GENDER": "M"},
        ),
        "application_test": rows("application", {"SK_ID_CURR": 4} | PERSON | {"DAYS_BIRTH": -9000, "TARGET": None}),
        "previous_application": rows(
            "previous_application",
            {"SK_ID_PREV": 1, "DAYS_LAST_DUE": -20.0} | RUNNING,
            {"SK_ID_PREV": 2, "DAYS_LAST_DUE": 365_243.0} | RUNNING,
            {"SK_ID_PREV": 3, "DAYS_FIRST_DRAWING": 365_243.0} | CARD,
            {"SK_ID_PREV": 4, "DAYS_FIRST_DRAWING": -30.0} | CARD,
        ),
        "installments_payments": rows(
            "installments_payments",
            PAYMENT | {"NUM_INSTALMENT_VERSION": 1, "AMT_INSTALMENT": 5000.0, "AMT_PAYMENT": 9000.0},
            PAYMENT | {"NUM_INSTALMENT_VERSION": 2, "AMT_INSTALMENT": 4000.0, "AMT_PAYMENT": 9000.0},
            PAYMENT | {"NUM_INSTALMENT_NUMBER": 2, "NUM_INSTALMENT_VERSION": 2, "AMT_PAYMENT": 1000.0},
            PAYMENT | {"NUM_INSTALMENT_NUMBER": 2, "NUM_INSTALMENT_VERSION": 2, "AMT_PAYMENT": 3000.0},
            PAYMENT | {"SK_ID_PREV": 4, "NUM_INSTALMENT_VERSION": 0, "AMT_PAYMENT": 700.0},
        ),
    }


def test_patterns_of_invented_rows_are_counted(invented):
    shares = pattern_shares(invented)

    assert {name: (share.share, share.rows) for name, share in shares.items()} == {
        "plan_changes": (pytest.approx(1 / 3, abs=1e-6), 3),
        "repaid_of_running": (0.5, 2),
        "cards_never_drawn": (0.5, 2),
        "never_drawn_but_paid": (0.0, 1),
        "several_on_latest_day": (1.0, 1),
        "applications_of_persons": (0.5, 4),
        "default_after_default": (1.0, 1),
    }


def test_synthetic_histories_have_the_real_patterns(synthetic_tables):
    findings = [item for item in measure(synthetic_tables) if item.table == "row patterns"]

    assert {item.column for item in findings} == PATTERNS.keys() - {"default_after_default"}  # of too few people
    assert [item for item in findings if not item.passed] == []


def test_a_pattern_that_is_missing_is_found(synthetic_tables):
    payments = synthetic_tables["installments_payments"].unique(["SK_ID_PREV", "NUM_INSTALMENT_NUMBER"])

    findings = measure(synthetic_tables | {"installments_payments": payments})

    assert ("row patterns", "plan_changes") in {(item.table, item.column) for item in findings if not item.passed}


def test_a_changed_plan_repeats_one_payment_for_both_parts(synthetic_tables):
    key = ["SK_ID_PREV", "NUM_INSTALMENT_NUMBER"]
    payments = synthetic_tables["installments_payments"].drop_nulls("AMT_PAYMENT")
    changed = payments.filter(pl.col("NUM_INSTALMENT_VERSION").n_unique().over(key) > 1)

    for name in ("AMT_PAYMENT", "DAYS_ENTRY_PAYMENT", "DAYS_INSTALMENT"):
        assert (changed.group_by(key).agg(pl.col(name).n_unique())[name] == 1).all()
    due = changed.group_by(key).agg(pl.col("AMT_INSTALMENT").sum(), pl.col("AMT_PAYMENT").first())
    assert (due["AMT_INSTALMENT"] - due["AMT_PAYMENT"]).abs().max() < 0.01
    assert (due["AMT_PAYMENT"] % 4500).max() < 0.01


def test_a_card_never_drawn_has_no_balance(synthetic_tables):
    previous = synthetic_tables["previous_application"]
    is_never_drawn = (pl.col("NAME_CONTRACT_TYPE") == "Revolving loans") & (pl.col("DAYS_FIRST_DRAWING") == 365_243)
    months = synthetic_tables["credit_card_balance"].join(previous.filter(is_never_drawn), on="SK_ID_PREV", how="semi")

    assert len(months) > 100
    for name in ("AMT_BALANCE", "AMT_DRAWINGS_CURRENT", "AMT_PAYMENT_TOTAL_CURRENT", "CNT_INSTALMENT_MATURE_CUM"):
        assert (months[name].drop_nulls() <= 0).all(), name
