"""Small credit files made by hand, one for each way in which the data departs from the simple case.

All values are invented. `expected` are features worked out by hand; every other feature is compared with the statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from bento.data.tables import HISTORIES, TABLES

Row = dict[str, Any]

OPEN_ENDED = 365_243
APPLICATION = {"AMT_CREDIT": 120_000.0, "AMT_ANNUITY": 6000.0, "AMT_INCOME_TOTAL": 90_000.0, "DAYS_BIRTH": -14_610}


@dataclass(frozen=True, kw_only=True)
class SmallFile:
    """A credit file of few rows, and the value of some of its features."""

    histories: dict[str, list[Row]] = field(default_factory=dict)
    application: Row = field(default_factory=dict)
    expected: dict[str, float | str | None] = field(default_factory=dict)


def _instalment(number: int, due_day: int, due: float | None, **values: Any) -> Row:
    keys = {"SK_ID_PREV": 1, "NUM_INSTALMENT_VERSION": 1, "NUM_INSTALMENT_NUMBER": number}
    return keys | {"DAYS_INSTALMENT": due_day, "AMT_INSTALMENT": due} | values


def _paid(day: int | None, amount: float | None) -> Row:
    return {"DAYS_ENTRY_PAYMENT": day, "AMT_PAYMENT": amount}


def _loan(number: int, **values: Any) -> Row:
    """Return an open loan of 12,000 in 12 instalments of 1,050, decided 100 days ago."""
    return {
        "SK_ID_PREV": number,
        "NAME_CONTRACT_TYPE": "Cash loans",
        "NAME_CONTRACT_STATUS": "Approved",
        "DAYS_DECISION": -100,
        "HOUR_APPR_PROCESS_START": 10,
        "AMT_APPLICATION": 12_000.0,
        "AMT_CREDIT": 12_000.0,
        "AMT_ANNUITY": 1050.0,
        "CNT_PAYMENT": 12,
        "DAYS_FIRST_DUE": -70,
        "DAYS_LAST_DUE": OPEN_ENDED,
        "DAYS_TERMINATION": OPEN_ENDED,
    } | values


def _card(number: int, **values: Any) -> Row:
    kind = {"NAME_CONTRACT_TYPE": "Revolving loans", "AMT_CREDIT": 45_000.0, "AMT_ANNUITY": 2250.0, "CNT_PAYMENT": 0}
    return _loan(number) | kind | {"DAYS_FIRST_DUE": OPEN_ENDED} | values


def _credit(number: int, day: int | None, **values: Any) -> Row:
    start = {"SK_ID_BUREAU": number, "CREDIT_ACTIVE": "Active", "CREDIT_CURRENCY": "currency 1"}
    return start | {"CREDIT_TYPE": "Consumer credit", "DAYS_CREDIT": day} | values


def _months(first: int, last: int, **columns: Sequence[Any]) -> list[Row]:
    """Return a row for each month, newest first, with one value of each column; one value alone stands for all."""
    months = range(first, last - 1, -1)
    return [
        {"MONTHS_BALANCE": month} | {name: values[place % len(values)] for name, values in columns.items()}
        for place, month in enumerate(months)
    ]


SMALL_FILES: dict[str, SmallFile] = {
    "no history, and nothing but the required fields": SmallFile(
        expected={
            "application_credit_to_annuity": 20.0,
            "application_age_years": 40.0,
            "application_ext_source_missing": 3.0,
            "application_ext_source_weighted": None,
            "application_documents": None,
            "application_building_fields_missing": 47.0,
            "bureau_debt_sum": 0.0,
            "bureau_types": 0.0,
            "bureau_debt_mean": None,
            "previous_open_debt": 0.0,
            "installments_count": 0.0,
            "pos_late_share": None,
        }
    ),
    "unknown amounts and 0 below fraction lines": SmallFile(
        application={"AMT_ANNUITY": None, "AMT_GOODS_PRICE": None, "EXT_SOURCE_3": 0.0},
        histories={"bureau": [_credit(1, -10, AMT_CREDIT_SUM=0.0, AMT_CREDIT_SUM_DEBT=5.0)]},
        expected={
            "application_credit_to_annuity": None,
            "application_credit_to_goods_price": None,
            "application_annuity_to_income": None,
            "application_credit_to_ext_source_3": None,
            "bureau_debt_ratio_mean": None,
            "bureau_debt_to_credit": None,
            "bureau_debt_sum": 5.0,
        },
    ),
    "external scores, of which one is unknown": SmallFile(
        application={"EXT_SOURCE_1": 0.8, "EXT_SOURCE_3": 0.4},
        expected={
            "application_ext_source_mean": 0.6,
            "application_ext_source_min": 0.4,
            "application_ext_source_range": 0.4,
            "application_ext_source_weighted": 0.56,
            "application_ext_source_product": None,
            "application_ext_source_1_less_3": 0.4,
            "application_ext_source_missing": 1.0,
        },
    ),
    "codes for unknown and implausible values": SmallFile(
        application={
            "DAYS_EMPLOYED": OPEN_ENDED,
            "ORGANIZATION_TYPE": "XNA",
            "NAME_INCOME_TYPE": "Maternity leave",
            "NAME_FAMILY_STATUS": "Unknown",
            "REGION_RATING_CLIENT_W_CITY": -1,
            "DAYS_LAST_PHONE_CHANGE": 0,
            "OBS_30_CNT_SOCIAL_CIRCLE": 101,
            "OBS_60_CNT_SOCIAL_CIRCLE": 100,
            "AMT_INCOME_TOTAL": 50_000_001.0,
            "AMT_REQ_CREDIT_BUREAU_QRT": 261,
            "AMT_REQ_CREDIT_BUREAU_YEAR": 3,
            "FLAG_DOCUMENT_3": 1,
            "FLAG_DOCUMENT_21": 1,
        },
        expected={
            "application_employed_years": None,
            "application_organization": None,
            "application_income_type": None,
            "application_family_status": None,
            "application_region_rating": None,
            "application_phone_change_years": None,
            "application_acquaintances_observed_30d": None,
            "application_acquaintances_observed_60d": 100.0,
            "application_income": None,
            "application_enquiries": 3.0,
            "application_documents": 2.0,
        },
    ),
    "an instalment that was planned again": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -100, 3000.0, **_paid(-100, 5150.0)),
                _instalment(1, -100, 2150.0, **_paid(-100, 5150.0), NUM_INSTALMENT_VERSION=2),
                _instalment(2, -70, 5150.0, **_paid(-75, 5150.0), NUM_INSTALMENT_VERSION=2),
            ]
        },
        expected={
            "installments_count": 2.0,
            "installments_paid_to_due": 1.0,
            "installments_paid_sum": 10_300.0,
            "installments_paid_max": 5150.0,
            "installments_due_max": 5150.0,
            "installments_short_share": 0.0,
            "installments_split_share": 0.0,
            "installments_days_early_max": 5.0,
            "installments_versions": 1.0,
        },
    ),
    "an instalment paid in parts": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -100, 5150.0, **_paid(-104, 3000.0)),
                _instalment(1, -100, 5150.0, **_paid(-98, 2150.0)),
            ]
        },
        expected={
            "installments_count": 1.0,
            "installments_paid_sum": 5150.0,
            "installments_days_late_mean": 2.0,
            "installments_days_early_max": 0.0,
            "installments_underpaid_sum": 0.0,
            "installments_split_share": 1.0,
        },
    ),
    "planned again and paid in parts": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -50, 60.0, **_paid(day, amount), NUM_INSTALMENT_VERSION=version)
                for day, amount in ((-50, 40.0), (-40, 40.0), (-40, 20.0))
                for version in (1, 2)
            ]
        },
        expected={
            "installments_due_max": 120.0,
            "installments_paid_sum": 100.0,
            "installments_underpaid_max": 20.0,
            "installments_paid_ratio_min": 100 / 120,
            "installments_days_late_max": 10.0,
        },
    ),
    "instalments never paid, and one of 0": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -90, 100.0),
                _instalment(2, -60, 100.0, **_paid(-60, 100.0)),
                _instalment(3, -30, None),
                _instalment(4, -10, 0.0),
            ]
        },
        expected={
            "installments_days_late_max": 90.0,
            "installments_late_share": 2 / 3,
            "installments_late_share_count": 2.0,
            "installments_late_share_of": 3.0,
            "installments_paid_sum": 100.0,
            "installments_underpaid_sum": 100.0,
            "installments_latest_payment_days": -60.0,
            # Late until today: (90 * 1 + 0 + 30 * 1) / 3.
            "installments_weighted_delay": 40.0,
        },
    ),
    "payments without amount or without day": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -90, 100.0, **_paid(-85, None)),
                _instalment(2, -60, 100.0, **_paid(None, 70.0)),
                _instalment(3, -30, 100.0, **_paid(-30, 60.0)),
                _instalment(3, -30, 100.0, **_paid(-29, None)),
            ]
        },
        expected={
            "installments_paid_sum": 70.0,
            "installments_underpaid_sum": 30.0,
            "installments_days_late_max": 5.0,
            "installments_split_share": 1 / 3,
        },
    ),
    "several loans with an instalment on one day": SmallFile(
        histories={
            "installments_payments": [
                _instalment(number, -30 * number, 100.0, **_paid(-30 * number + late, 100.0), SK_ID_PREV=loan)
                for number in (1, 2, 3, 4)
                for loan, late in ((1, 0), (2, 9), (3, 20))
            ]
        },
        expected={
            # Of day -30 loans 3, 2, 1, of day -60 loans 3, 2.
            "installments_days_late_mean_latest_5": (20 + 9 + 0 + 20 + 9) / 5,
            "installments_late_share_latest_5_of": 5.0,
            "installments_late_share_latest_10_of": 10.0,
            "installments_days_late_mean_latest_loan": 20.0,
            "installments_late_over_15d_share": 1 / 3,
            "installments_days_late_mean_first_3_of_loans": 29 / 3,
        },
    ),
    "an instalment of long ago": SmallFile(
        histories={"installments_payments": [_instalment(1, -4000, 100.0, **_paid(-3990, 50.0))]},
        expected={"installments_weighted_delay": 0.0, "installments_days_late_max": 10.0},
    ),
    "instalments of a loan whose number is not known, the latest, and another of that day": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -10, 100.0, **_paid(-5, 100.0), SK_ID_PREV=None),
                _instalment(2, -10, 100.0, **_paid(-7, 100.0)),
                _instalment(1, -40, 100.0, **_paid(-39, 100.0)),
            ]
        },
        expected={"installments_loans": 1.0, "installments_days_late_mean_latest_loan": 2.0},
    ),
    "instalments of which the latest is of a loan whose number is not known": SmallFile(
        histories={
            "installments_payments": [
                _instalment(1, -10, 100.0, **_paid(-5, 100.0), SK_ID_PREV=None),
                _instalment(1, -40, 100.0, **_paid(-39, 100.0)),
            ]
        },
        expected={
            "installments_days_late_mean_latest_loan": None,
            "installments_underpaid_sum_latest_loan": None,
            "installments_days_late_mean": 3.0,
        },
    ),
    "instalments underpaid by a trifle": SmallFile(
        histories={
            "installments_payments": [
                _instalment(4, -93, 100.00251, **_paid(-93, 100.0), NUM_INSTALMENT_VERSION=0),
                _instalment(5, -94, 0.0025, **_paid(-94, 0.0), NUM_INSTALMENT_VERSION=0),
                _instalment(1, -90, 100.005, **_paid(-90, 100.0), NUM_INSTALMENT_VERSION=0),
                _instalment(2, -91, 100.002, **_paid(-91, 100.0), NUM_INSTALMENT_VERSION=3),
                _instalment(3, -92, 100.0, **_paid(-92, 300.0), NUM_INSTALMENT_VERSION=None),
            ]
        },
        expected={
            "installments_underpaid_sum": 0.005 + 0.00251 + 0.0025,
            "installments_short_share": 3 / 5,
            "installments_short_share_90d": 1.0,
            "installments_card_share": 3 / 4,
            "installments_versions": 2.0,
        },
    ),
    "months 0 to -12": SmallFile(
        histories={
            "bureau": [_credit(7, -400)],
            "bureau_balance": [{"SK_ID_BUREAU": 7} | row for row in _months(0, -12, STATUS=["0"] * 11 + ["1", "5"])],
            "POS_CASH_balance": [{"SK_ID_PREV": 1} | row for row in _months(0, -12, SK_DPD=[9] + [0] * 11 + [3])],
            "credit_card_balance": [{"SK_ID_PREV": 2} | row for row in _months(0, -13, SK_DPD=[9] + [0] * 11 + [3, 5])],
        },
        expected={
            "bureau_balance_late_share_12m_of": 12.0,
            "bureau_balance_late_share_12m": 1 / 12,
            "bureau_balance_level_max_12m": 1.0,
            "bureau_balance_level_max_24m": 5.0,
            "bureau_balance_latest_late_month": -11.0,
            "pos_late_share_12m_of": 12.0,
            "pos_late_share_12m_count": 1.0,
            "pos_late_share": 2 / 13,
            "pos_days_past_due_max_12m": 3.0,
            "card_late_share_12m_of": 12.0,
            "card_days_past_due_sum_12m": 3.0,
            "card_days_past_due_sum": 17.0,
        },
    ),
    "months of credits that are not on record": SmallFile(
        histories={
            "bureau": [_credit(7, -400)],
            "bureau_balance": [
                {"SK_ID_BUREAU": 7, "MONTHS_BALANCE": -1, "STATUS": "X"},
                {"SK_ID_BUREAU": 7, "MONTHS_BALANCE": -3, "STATUS": "2"},
                {"SK_ID_BUREAU": 8, "MONTHS_BALANCE": -2, "STATUS": "5"},
            ],
        },
        expected={
            "bureau_balance_months": 2.0,
            "bureau_balance_level_max": 2.0,
            "bureau_balance_unknown_share": 0.5,
            "bureau_balance_level_decayed": 2.0,
        },
    ),
    "a card never drawn, and one whose balances are unknown": SmallFile(
        histories={
            "previous_application": [_card(1), _card(2)],
            "credit_card_balance": [{"SK_ID_PREV": 2, "MONTHS_BALANCE": -1}],
        },
        expected={
            "previous_open_cards": 2.0,
            "previous_open_loans": 0.0,
            "previous_open_debt": 0.0,
            "previous_open_limit_sum": 90_000.0,
            "previous_open_credit_sum": 0.0,
            "previous_due_in_12m": 0.0,
            "card_utilisation_mean": None,
        },
    ),
    "a card used for years, and one with a credit balance": SmallFile(
        histories={
            "previous_application": [_card(1), _card(2)],
            "credit_card_balance": [
                *(
                    {"SK_ID_PREV": 1, "AMT_CREDIT_LIMIT_ACTUAL": 45_000.0, "AMT_PAYMENT_CURRENT": 9000.0} | row
                    for row in _months(
                        -1, -40, AMT_BALANCE=[45_000.0, 45_001.0, 0.0, 20_000.0], AMT_DRAWINGS_CURRENT=[9000.0]
                    )
                ),
                {"SK_ID_PREV": 2, "MONTHS_BALANCE": -4, "AMT_BALANCE": -20.0, "AMT_CREDIT_LIMIT_ACTUAL": 0.0},
            ],
        },
        expected={
            "previous_open_debt": 45_000.0,
            "card_paid_to_drawn": 1.0,
            "card_over_limit_share": 10 / 41,
            "card_idle_share": 10 / 41,
            "card_no_limit_months": 1.0,
            "card_utilisation_max": 45_001 / 45_000,
            "card_balance_mean_3m": 90_001 / 3,
        },
    ),
    "open loans without interest: by their state, and by their plan": SmallFile(
        histories={
            "previous_application": [
                _loan(1, AMT_ANNUITY=1000.0),
                # Its first instalment fell due 70 days ago: 3 are past.
                _loan(2, AMT_ANNUITY=1000.0),
                _loan(3, AMT_ANNUITY=1000.0, DAYS_FIRST_DUE=OPEN_ENDED, DAYS_DECISION=-31),
                _loan(4, AMT_ANNUITY=1000.0, DAYS_FIRST_DUE=40),
                _loan(5, AMT_ANNUITY=1000.0),
            ],
            "POS_CASH_balance": [
                # 5 left at the end of month -3: 3 left now.
                {"SK_ID_PREV": 1, "MONTHS_BALANCE": -3, "CNT_INSTALMENT": 12, "CNT_INSTALMENT_FUTURE": 5},
                {"SK_ID_PREV": 1, "MONTHS_BALANCE": -4, "CNT_INSTALMENT": 12, "CNT_INSTALMENT_FUTURE": 9},
                {"SK_ID_PREV": 1, "MONTHS_BALANCE": -1, "CNT_INSTALMENT": 12},
                {"SK_ID_PREV": 5, "MONTHS_BALANCE": 0, "CNT_INSTALMENT": 12, "CNT_INSTALMENT_FUTURE": 4},
            ],
        },
        expected={
            "previous_open_loans": 5.0,
            "previous_open_debt": 3000.0 + 9000.0 + 11_000.0 + 12_000.0 + 4000.0,
            "previous_open_repaid_ratio": 21 / 60,
            "previous_due_in_1m": 5000.0,
            "previous_due_in_6m": 3000.0 + 18_000.0 + 4000.0,
            "previous_true_rate_max": 0.0,
            "previous_simple_interest_mean": 0.0,
        },
    ),
    "open loans whose first due date is not known": SmallFile(
        histories={
            "previous_application": [
                # The first instalment falls due 30 days after the decision, the second a month of 30.4375 days later.
                _loan(number, AMT_ANNUITY=1000.0, DAYS_FIRST_DUE=None, DAYS_DECISION=decision)
                for number, decision in enumerate((-29, -30, -60, -61), start=1)
            ]
        },
        expected={"previous_due_in_12m": 12_000.0 + 11_000.0 + 11_000.0 + 10_000.0},
    ),
    "credits that are open no more, or never were": SmallFile(
        histories={
            "previous_application": [
                _loan(1, DAYS_TERMINATION=-5),
                _loan(2, DAYS_LAST_DUE=-5),
                _loan(3, NAME_CONTRACT_STATUS="Refused"),
                _loan(4, NAME_CONTRACT_STATUS="Canceled", DAYS_TERMINATION=None),
                _card(5, DAYS_TERMINATION=0),
            ]
        },
        expected={
            "previous_open_loans": 0.0,
            "previous_open_cards": 0.0,
            "previous_open_debt": 0.0,
            "previous_due_in_19m": 0.0,
            "previous_approved": 3.0,
            "previous_refused_share": 0.2,
        },
    ),
    "credits of which it is unknown whether they are open": SmallFile(
        histories={
            "previous_application": [
                _loan(1, DAYS_LAST_DUE=None),
                _loan(2, NAME_CONTRACT_STATUS=None),
            ]
        },
        expected={"previous_open_loans": None, "previous_open_debt": None, "previous_due_in_1m": None},
    ),
    "plans that pay less than the credit, and rates beyond all bounds": SmallFile(
        histories={
            "previous_application": [
                _loan(1, AMT_ANNUITY=998.0),
                _loan(2, AMT_ANNUITY=999.5),
                _loan(3, AMT_ANNUITY=25_000.0, CNT_PAYMENT=1),
                _loan(4, AMT_ANNUITY=15_000.0, CNT_PAYMENT=1),
                _loan(5, CNT_PAYMENT=0),
                _loan(6, AMT_CREDIT=0.0),
            ]
        },
        expected={
            "previous_true_rate_min": 0.0,
            "previous_true_rate_max": 0.25,
            # -0.002 is unknown, -0.0005 is 0; 13,000 / 12,000 is paid beyond the credit, in one instalment.
            "previous_simple_interest_max": 13 / 12,
            "previous_simple_interest_mean": (0 + 13 / 12 + 1 / 4) / 3,
        },
    ),
    "applications of one day": SmallFile(
        histories={
            "previous_application": [
                _loan(1, HOUR_APPR_PROCESS_START=11, NAME_CONTRACT_STATUS="Refused", CNT_PAYMENT=10),
                _loan(2, HOUR_APPR_PROCESS_START=12, NAME_CONTRACT_STATUS="Refused", CNT_PAYMENT=20),
                _loan(3, HOUR_APPR_PROCESS_START=12, NAME_CONTRACT_STATUS="Approved", CNT_PAYMENT=30),
                _loan(4, HOUR_APPR_PROCESS_START=None, NAME_CONTRACT_STATUS="Refused", CNT_PAYMENT=40),
                _loan(5, DAYS_DECISION=None, CNT_PAYMENT=50),
            ]
        },
        expected={
            "previous_refused_share_latest_1": 0.0,
            "previous_refused_share_latest_3_count": 2.0,
            "previous_refused_share_latest_3_of": 3.0,
            "previous_refused_share_latest_5_of": 4.0,
            "previous_term_mean_latest_3": 20.0,
        },
    ),
    "amounts in other currencies": SmallFile(
        histories={
            "bureau": [
                _credit(1, -100, AMT_CREDIT_SUM=1000.0, AMT_CREDIT_SUM_DEBT=400.0),
                _credit(2, -200, AMT_CREDIT_SUM=90.0, AMT_CREDIT_SUM_DEBT=80.0, CREDIT_CURRENCY="currency 3"),
                _credit(3, -300, AMT_CREDIT_SUM=1000.0, AMT_CREDIT_SUM_DEBT=100.0, CREDIT_CURRENCY=None),
            ]
        },
        expected={
            "bureau_credits": 3.0,
            "bureau_debt_sum": 500.0,
            "bureau_debt_to_credit": 0.25,
            "bureau_debt_to_credit_6m": 0.4,
            "bureau_foreign_currency_share": 0.5,
            "bureau_gap_days_mean": 100.0,
        },
    ),
    "credits without end date, ends before the start, news from the future": SmallFile(
        histories={
            "bureau": [
                _credit(1, -100, DAYS_CREDIT_ENDDATE=3651, CREDIT_TYPE="Credit card", DAYS_CREDIT_UPDATE=1),
                _credit(2, -100, DAYS_CREDIT_ENDDATE=3650, CREDIT_TYPE="Credit card", DAYS_CREDIT_UPDATE=0),
                _credit(3, -100, DAYS_CREDIT_ENDDATE=14_611, CREDIT_TYPE="Mortgage"),
                _credit(4, -100, DAYS_CREDIT_ENDDATE=14_610, CREDIT_TYPE="Mortgage"),
                _credit(5, -100, DAYS_CREDIT_ENDDATE=-101, CREDIT_ACTIVE="Closed", DAYS_ENDDATE_FACT=-101),
                _credit(6, -100, DAYS_CREDIT_ENDDATE=-60, CREDIT_ACTIVE="Closed", DAYS_ENDDATE_FACT=-100),
                _credit(7, -100, DAYS_CREDIT_ENDDATE=-40_001, CREDIT_ACTIVE="Closed", DAYS_ENDDATE_FACT=-40_001),
            ]
        },
        expected={
            "bureau_end_days_max": 14_610.0,
            "bureau_end_days_min": -60.0,
            "bureau_end_days_mean_active": (3650 + 14_610) / 2,
            "bureau_duration_mean_closed": 40.0,
            "bureau_closed_early_days_mean_closed": 40.0,
            "bureau_update_days_max": 0.0,
            "bureau_age_at_end_years": (14_610 + 14_610) / 365.25,
        },
    ),
    "histories in which nothing but the ids is known": SmallFile(
        histories={
            "bureau": [{"SK_ID_BUREAU": 1}, {"SK_ID_BUREAU": 2}],
            "bureau_balance": [{"SK_ID_BUREAU": 1, "MONTHS_BALANCE": -1}],
            "previous_application": [{"SK_ID_PREV": 1}, {"SK_ID_PREV": 2}],
            "POS_CASH_balance": [{"SK_ID_PREV": 1}, {"SK_ID_PREV": 1}],
            "installments_payments": [{"SK_ID_PREV": 1}, {"SK_ID_PREV": 1}],
            "credit_card_balance": [{"SK_ID_PREV": 1, "MONTHS_BALANCE": -1}],
        },
        expected={
            "bureau_credits": 2.0,
            "bureau_active_credits": None,
            "bureau_annuity_sum": None,
            "bureau_credits_12m": None,
            "bureau_types": None,
            "previous_approved": None,
            "previous_open_debt": None,
            "pos_loans": 1.0,
            "pos_demand_months": None,
            "installments_count": 1.0,
            "installments_underpaid_sum": None,
            "card_no_limit_months": None,
            "card_days_past_due_sum": None,
        },
    ),
    "a window that selects nothing, and one that is unknown": SmallFile(
        histories={
            "bureau": [_credit(1, -2000, CREDIT_ACTIVE="Closed", AMT_CREDIT_SUM_DEBT=10.0)],
            "previous_application": [_loan(1, NAME_CONTRACT_STATUS=None)],
        },
        expected={
            "bureau_debt_sum_active": 0.0,
            "bureau_debt_mean_active": None,
            "previous_credit_sum_approved": None,
            "previous_credit_sum": 12_000.0,
        },
    ),
    "trends": SmallFile(
        histories={
            "bureau": [_credit(1, -400)],
            # The levels 0, 1, 0 at -1, -2, -4: a slope of 1 / 14.
            "bureau_balance": [
                {"SK_ID_BUREAU": 1, "MONTHS_BALANCE": month, "STATUS": status}
                for month, status in ((-1, "0"), (-2, "1"), (-4, "0"), (-5, "C"))
            ],
            # All of one month: no slope.
            "POS_CASH_balance": [
                {"SK_ID_PREV": loan, "MONTHS_BALANCE": -3, "SK_DPD_DEF": 10 * loan} for loan in (1, 2, 3)
            ],
            # Two months: no slope of the balance.
            "credit_card_balance": [
                {"SK_ID_PREV": 4, "AMT_CREDIT_LIMIT_ACTUAL": 100.0} | row
                for row in _months(-1, -3, AMT_BALANCE=[30.0, 20.0, None])
            ],
            "installments_payments": [
                _instalment(number, -100 * number, 50.0, **_paid(-100 * number + late, 50.0 - number))
                for number, late in ((1, 6), (2, 4), (3, 2))
            ],
        },
        expected={
            "bureau_balance_level_slope": 1 / 14,
            "pos_days_past_due_slope": None,
            "card_balance_slope": None,
            "installments_days_late_slope_365d": 0.02,
            "installments_underpaid_slope_365d": -0.01,
            "installments_days_late_ratio_180d_720d": 1.5,
            "installments_days_late_std": 2.0,
            "installments_days_late_std_180d": None,
        },
    ),
    "loans repaid early, returned, called in, and of unknown state": SmallFile(
        histories={
            "POS_CASH_balance": [
                {"SK_ID_PREV": loan, "MONTHS_BALANCE": month, "CNT_INSTALMENT": term, "CNT_INSTALMENT_FUTURE": left}
                | {"NAME_CONTRACT_STATUS": status}
                for loan, month, term, left, status in (
                    (1, -2, 12, 8, "Active"),
                    (1, -1, 5, 0, "Completed"),
                    (2, -3, 6, 1, "Active"),
                    (2, -2, 6, 0, "Completed"),
                    (3, -9, 10, 10, "Returned to the store"),
                    (4, -1, 24, 20, "Active"),
                    (5, -1, 24, 20, "Demand"),
                    (5, -2, 24, 21, "Amortized debt"),
                    (6, -7, 24, 21, None),
                )
            ]
        },
        expected={
            "pos_loans": 6.0,
            "pos_completed_share": 2 / 5,
            "pos_completed_share_of": 5.0,
            "pos_early_end_share": 0.5,
            "pos_returned_loans": 1.0,
            "pos_demand_months": 2.0,
            "pos_active_loans_latest": 1.0,
            "pos_left_latest_sum": 0.0 + 0.0 + 10.0 + 20.0 + 20.0 + 21.0,
            "pos_left_to_term_latest": 71 / (5 + 6 + 10 + 24 + 24 + 24),
        },
    ),
}


def credit_file(name: str, client: int = 1) -> dict[str, Any]:
    """Return a small file as a request holds it, of a client with this number."""
    file = SMALL_FILES[name]
    return {"application": {"SK_ID_CURR": client, **APPLICATION, **file.application}, **file.histories}


def small_tables() -> dict[str, pl.DataFrame]:
    """Return the raw tables of all small files, each of a client: 1 for the first, 2 for the second, ….

    Ids of credits and loans are those of the files, after the number of the client.
    """
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    for client, name in enumerate(SMALL_FILES, start=1):
        file = credit_file(name, client)
        rows["application"].append(file["application"])
        for history in HISTORIES:
            rows[history] += [_of_client(row, client, history) for row in file.get(history, ())]
    return {
        name: pl.DataFrame([dict.fromkeys(table.schema) | row for row in rows[name]], schema=table.schema)
        for name, table in TABLES.items()
    }


def _of_client(row: Row, client: int, table: str) -> Row:
    ids = {name: 1000 * client + row[name] for name in ("SK_ID_BUREAU", "SK_ID_PREV") if row.get(name)}
    return row | ids | ({"SK_ID_CURR": client} if "SK_ID_CURR" in TABLES[table].schema else {})
