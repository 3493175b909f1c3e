"""How rows are read: ties, windows, other currencies, dates that contradict each other, and what is unknown."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.data.cleaning import clean
from bento.data.readers import read_application, read_history
from bento.data.tables import HISTORIES, TABLES
from bento.features.build import Variants, build_features
from bento.features.catalogue import CATALOGUE, TABLE_FEATURES, computed_from, share_counts_of, total_name
from bento.features.definitions import Aggregate, Value
from tests.support.clients import cleaned_tables

Row = dict[str, object]
Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def tables(synthetic_folder: Path) -> Tables:
    applications = read_application(synthetic_folder, "application_train")
    return clean({"application": applications, **{name: read_history(synthetic_folder, name) for name in HISTORIES}})


def _features(application: Row | None = None, /, **histories: list[Row]) -> dict[str, Value]:
    """The features of a client, alone; they are the same among others."""
    tables = cleaned_tables(application, **histories)
    alone = build_features(tables)
    other = tables["application"].with_columns(SK_ID_CURR=pl.lit(2, pl.Int64))
    together = build_features(tables | {"application": pl.concat([other, tables["application"]])})
    assert_frame_equal(together.tail(1), alone, rel_tol=1e-12)
    return alone.row(0, named=True)


def _application(number: int, status: str, day: int = -30, hour: int | None = None) -> Row:
    return {
        "SK_ID_PREV": number,
        "NAME_CONTRACT_STATUS": status,
        "DAYS_DECISION": day,
        "HOUR_APPR_PROCESS_START": hour,
    }


def test_the_latest_of_one_day_is_the_one_of_the_latest_hour_and_number():
    refused = [_application(number, "Refused") for number in (1, 2, 3)]
    approved = [_application(number, "Approved") for number in (4, 5)]
    row = _features(previous_application=[*refused, *approved])
    assert row["previous_refused_share_latest_1"] == 0
    assert row["previous_refused_share_latest_3"] == pytest.approx(1 / 3)
    assert row["previous_refused_share_latest_5"] == pytest.approx(3 / 5)

    by_hour = _features(previous_application=[_application(1, "Refused", hour=9), _application(2, "Approved", hour=8)])
    assert by_hour["previous_refused_share_latest_1"] == 1

    by_day = _features(previous_application=[_application(1, "Refused", -29, 1), _application(2, "Approved", -30, 23)])
    assert by_day["previous_refused_share_latest_1"] == 1


def test_an_application_of_unknown_day_is_none_of_the_latest():
    undated = _application(9, "Refused") | {"DAYS_DECISION": None}
    assert (
        _features(previous_application=[undated, _application(1, "Approved")])["previous_refused_share_latest_5"] == 0
    )
    assert _features(previous_application=[undated])["previous_refused_share_latest_5"] is None


def test_the_latest_credit_elsewhere_is_one():
    credits = [{"SK_ID_BUREAU": number, "DAYS_CREDIT": -50, "AMT_CREDIT_SUM": 10.0 * number} for number in (3, 1, 2)]
    row = _features(bureau=[*credits, {"SK_ID_BUREAU": 4, "DAYS_CREDIT": -51, "AMT_CREDIT_SUM": 900.0}])
    assert row["bureau_credit_sum_sum_latest_1"] == row["bureau_credit_sum_max_latest_1"] == 30


def test_a_window_of_the_latest_rows_has_no_more_of_them(tables: Tables):
    names = [name for name in CATALOGUE if "_latest_" in name and share_counts_of([name])]
    assert len(names) > 8
    built = build_features(tables, share_counts_of(names))
    for name in names:
        size = name.rpartition("_")[2]
        if size.isdigit():
            assert built[total_name(name)].max() <= int(size), name


@pytest.mark.parametrize("newest", [0, -1])
def test_a_window_of_months_has_no_more_of_them(newest: int):
    months = pl.DataFrame({"MONTHS_BALANCE": range(-1200, 1)})
    tested = 0
    for table in TABLE_FEATURES:
        if ("bureau_balance" == table.name) != (newest == 0) or "MONTHS_BALANCE" not in TABLES[table.name].schema:
            continue
        for feature in table.features:
            formula = feature.formula
            if isinstance(formula, Aggregate) and formula.window and formula.window.name.endswith("m"):
                chosen = months.filter(formula.window.test)["MONTHS_BALANCE"]
                size = int(formula.window.name[:-1])
                assert (chosen.max(), len(chosen)) == (newest, size), feature.name
                tested += 1
    assert tested > 5


def test_the_thirteenth_month_is_not_of_the_last_twelve():
    credit = {"SK_ID_BUREAU": 5, "CREDIT_ACTIVE": "Active"}
    months = [{"SK_ID_BUREAU": 5, "MONTHS_BALANCE": -month, "STATUS": "0"} for month in range(12)]
    late = {"SK_ID_BUREAU": 5, "MONTHS_BALANCE": -12, "STATUS": "1"}
    row = _features(bureau=[credit], bureau_balance=[*months, late])
    assert row["bureau_balance_late_share_12m"] == 0
    assert row["bureau_balance_late_share_24m"] == pytest.approx(1 / 13)


def test_the_order_of_the_rows_has_no_effect(tables: Tables):
    random = np.random.default_rng(1)
    shuffled = {name: frame[random.permutation(len(frame))] for name, frame in tables.items() if name in HISTORIES}
    assert_frame_equal(build_features(tables | shuffled), build_features(tables), rel_tol=1e-9, abs_tol=1e-12)


def test_a_card_elsewhere_without_end_date_has_no_end():
    card = {"SK_ID_BUREAU": 5, "CREDIT_ACTIVE": "Active", "CREDIT_TYPE": "Credit card", "DAYS_CREDIT": -700}
    row = _features(bureau=[card | {"DAYS_CREDIT_ENDDATE": 31_000}])
    for name in ("bureau_end_days_max_active", "bureau_duration_max", "bureau_age_at_end_years"):
        assert row[name] is None, name
    assert row["bureau_active_credits"] == 1

    assert _features(bureau=[card | {"DAYS_CREDIT_ENDDATE": 3650}])["bureau_end_days_max"] == 3650


@pytest.mark.parametrize(
    ("start", "end", "is_possible"),
    [(-700, 10_722, True), (-700, 14_610, True), (-700, 14_611, False), (-700, -701, False), (-700, -700, True)],
)
def test_a_planned_end_must_be_possible(start: int, end: int, is_possible: bool):
    mortgage = {"SK_ID_BUREAU": 5, "CREDIT_TYPE": "Mortgage", "DAYS_CREDIT": start, "DAYS_CREDIT_ENDDATE": end}
    row = _features(bureau=[mortgage])
    assert row["bureau_end_days_max"] == (end if is_possible else None)
    assert row["bureau_duration_max"] == (end - start if is_possible else None)


def test_a_credit_elsewhere_does_not_end_before_it_starts():
    credit = {"SK_ID_BUREAU": 5, "CREDIT_ACTIVE": "Closed", "DAYS_CREDIT": -700, "DAYS_CREDIT_ENDDATE": -300}
    assert _features(bureau=[credit | {"DAYS_ENDDATE_FACT": -400}])["bureau_closed_early_days_max_closed"] == 100
    assert _features(bureau=[credit | {"DAYS_ENDDATE_FACT": -701}])["bureau_closed_early_days_max_closed"] is None


def test_days_between_credits_elsewhere_are_of_credits_with_a_day():
    credits = [{"SK_ID_BUREAU": number, "DAYS_CREDIT": day} for number, day in ((1, -100), (2, None), (3, -300))]
    assert _features(bureau=credits)["bureau_gap_days_mean"] == 200
    assert _features(bureau=credits[:2])["bureau_gap_days_mean"] is None


def test_a_trend_needs_three_months():
    months = [{"SK_ID_PREV": 1, "MONTHS_BALANCE": -month, "SK_DPD_DEF": month} for month in (1, 2, 3)]
    assert _features(POS_CASH_balance=months)["pos_days_past_due_slope"] == pytest.approx(-1)
    assert _features(POS_CASH_balance=months[:2])["pos_days_past_due_slope"] is None
    same = [months[0] | {"SK_ID_PREV": loan} for loan in (1, 2, 3)]
    assert _features(POS_CASH_balance=same)["pos_days_past_due_slope"] is None


def test_news_after_the_application_is_unknown():
    credits = [{"SK_ID_BUREAU": number, "DAYS_CREDIT_UPDATE": day} for number, day in ((1, 20), (2, -4), (3, -8))]
    assert _features(bureau=credits)["bureau_update_days_max"] == -4


def test_amounts_in_other_currencies_are_left_out():
    amounts = {
        "AMT_CREDIT_SUM": 100_000.0,
        "AMT_CREDIT_SUM_DEBT": 50_000.0,
        "AMT_CREDIT_SUM_LIMIT": 20_000.0,
        "AMT_CREDIT_SUM_OVERDUE": 10_000.0,
        "AMT_CREDIT_MAX_OVERDUE": 30_000.0,
        "AMT_ANNUITY": 5000.0,
    }
    credit = {"CREDIT_ACTIVE": "Active", "DAYS_CREDIT": -700}
    own = credit | amounts | {"SK_ID_BUREAU": 1, "CREDIT_CURRENCY": "currency 1"}
    foreign = credit | {name: 3 * amount for name, amount in amounts.items()}
    foreign |= {"SK_ID_BUREAU": 2, "CREDIT_CURRENCY": "currency 2", "CREDIT_DAY_OVERDUE": 7}
    row, alone = _features(bureau=[own, foreign]), _features(bureau=[own])

    differing = {name for name in row if row[name] != alone[name]}
    assert differing == {
        "bureau_credits",
        "bureau_active_credits",
        "bureau_credits_24m",
        "bureau_credits_36m",
        "bureau_credit_days_std",
        "bureau_credit_days_std_active",
        "bureau_gap_days_mean",
        "bureau_days_overdue_max",
        "bureau_days_overdue_mean",
        "bureau_foreign_currency_share",
        "bureau_credit_sum_sum_latest_1",
        "bureau_credit_sum_mean_latest_1",
        "bureau_credit_sum_max_latest_1",
        "bureau_max_overdue_max_latest_1",
        "bureau_max_overdue_mean_latest_1",
    }
    assert row["bureau_debt_sum"] == 50_000
    assert row["bureau_debt_to_income"] == 50_000 / 50


def test_an_amount_of_unknown_currency_counts():
    assert _features(bureau=[{"SK_ID_BUREAU": 1, "AMT_CREDIT_SUM_DEBT": 5.0}])["bureau_debt_sum"] == 5


def _state(loan: int, month: int, status: str, left: int = 0, term: int = 12) -> Row:
    return {
        "SK_ID_PREV": loan,
        "MONTHS_BALANCE": month,
        "NAME_CONTRACT_STATUS": status,
        "CNT_INSTALMENT_FUTURE": left,
        "CNT_INSTALMENT": term,
    }


def test_shares_and_counts_of_loans_count_each_loan_once():
    rows = [
        *(_state(1, month, "Active", left=-month) for month in range(-10, -4)),
        *(_state(1, month, "Completed") for month in (-4, -3, -2)),
        *(_state(2, month, "Active", left=6) for month in (-3, -2)),
        *(_state(3, month, "Returned to the store") for month in (-8, -7)),
        *(_state(4, month, "Active", left=9, term=20) for month in (-30, -29)),
        *(_state(4, month, "Completed", term=10) for month in (-28, -27)),
        *(_state(5, month, "Completed", term=6) for month in (-50, -49)),
    ]
    row = _features(POS_CASH_balance=rows)

    assert row["pos_completed_share"] == 3 / 5
    assert row["pos_early_end_share"] == 1 / 3
    assert row["pos_returned_loans"] == 1
    assert row["pos_active_loans_latest"] == 1
    assert row["pos_left_latest_sum"] == 6
    assert row["pos_left_to_term_latest"] == 6 / (12 + 12 + 12 + 10 + 6)


def test_a_month_given_twice_counts_once_among_the_latest():
    rows = [_state(1, -1, "Active", left=4), _state(1, -1, "Active", left=5), _state(2, -1, "Active", left=5)]
    row = _features(POS_CASH_balance=rows)
    assert row["pos_active_loans_latest"] == 2
    assert row["pos_left_latest_sum"] == 10


def test_a_loan_of_unknown_states_is_not_known_to_be_repaid():
    unknown = {"SK_ID_PREV": 1, "MONTHS_BALANCE": -1}
    assert _features(POS_CASH_balance=[unknown])["pos_completed_share"] is None
    assert _features(POS_CASH_balance=[unknown, _state(2, -1, "Active")])["pos_completed_share"] == 0
    assert _features(POS_CASH_balance=[unknown, _state(1, -2, "Completed")])["pos_completed_share"] == 1


def test_a_sum_of_unknown_values_is_unknown():
    unknown = {"SK_ID_BUREAU": 1}
    row = _features(bureau=[unknown])
    for name in ("bureau_annuity_sum", "bureau_debt_sum", "bureau_active_credits", "bureau_types", "bureau_credits_6m"):
        assert row[name] is None, name
    assert row["bureau_credits"] == 1
    assert row["bureau_debt_sum_active"] is None  # whether it is active is unknown

    one_is_known = _features(bureau=[unknown, {"SK_ID_BUREAU": 2, "AMT_ANNUITY": 5.0, "CREDIT_TYPE": "Mortgage"}])
    assert (one_is_known["bureau_annuity_sum"], one_is_known["bureau_types"]) == (5, 1)


def test_a_sum_over_a_window_is_zero_only_if_no_row_is_in_it():
    closed = {"SK_ID_BUREAU": 1, "CREDIT_ACTIVE": "Closed", "AMT_CREDIT_SUM_DEBT": 7.0}
    active = {"SK_ID_BUREAU": 2, "CREDIT_ACTIVE": "Active"}
    assert _features(bureau=[closed])["bureau_debt_sum_active"] == 0
    assert _features(bureau=[closed, active])["bureau_debt_sum_active"] is None
    assert _features(bureau=[closed, {"SK_ID_BUREAU": 3}])["bureau_debt_sum_active"] == 0
    assert _features(bureau=[closed])["bureau_closed_credits"] == 1


def test_a_client_without_history_owes_nothing():
    row = _features()
    assert row["bureau_debt_sum"] == row["bureau_active_credits"] == row["previous_open_debt"] == row["pos_loans"] == 0
    assert row["bureau_debt_mean"] is row["previous_open_repaid_ratio"] is None


def test_a_ratio_of_sums_takes_rows_in_which_both_are_known():
    credits = [
        {"SK_ID_BUREAU": 1, "AMT_CREDIT_SUM": 100.0, "AMT_CREDIT_SUM_DEBT": 50.0},
        {"SK_ID_BUREAU": 2, "AMT_CREDIT_SUM": 900.0},
        {"SK_ID_BUREAU": 3, "AMT_CREDIT_SUM_DEBT": 700.0},
    ]
    assert _features(bureau=credits)["bureau_debt_to_credit"] == 0.5
    months = [
        {"SK_ID_PREV": 1, "MONTHS_BALANCE": -1, "AMT_DRAWINGS_CURRENT": 40.0},
        {"SK_ID_PREV": 1, "MONTHS_BALANCE": -2, "AMT_DRAWINGS_CURRENT": 40.0, "AMT_DRAWINGS_ATM_CURRENT": 10.0},
    ]
    assert _features(credit_card_balance=months)["card_cash_share"] == 0.25


def test_enquiries_and_documents_that_are_all_unknown_are_unknown():
    row = _features()
    assert row["application_enquiries"] is row["application_documents"] is None
    row = _features({"AMT_REQ_CREDIT_BUREAU_WEEK": 0, "AMT_REQ_CREDIT_BUREAU_QRT": 2, "FLAG_DOCUMENT_8": 0})
    assert (row["application_enquiries"], row["application_documents"]) == (2, 0)


def test_only_fields_on_the_building_are_counted_as_left_empty():
    assert _features()["application_building_fields_missing"] == 47
    given = {"APARTMENTS_AVG": 0.1, "TOTALAREA_MODE": 0.0, "HOUSETYPE_MODE": "block of flats", "LANDAREA_MEDI": None}
    assert _features(given)["application_building_fields_missing"] == 44
    assert _features({"OWN_CAR_AGE": 4, "EXT_SOURCE_1": 0.4})["application_building_fields_missing"] == 47


def test_an_application_without_instalment_has_no_ratio_of_it():
    tables = cleaned_tables(
        previous_application=[_application(1, "Approved") | {"CNT_PAYMENT": 12, "AMT_ANNUITY": 7.0}]
    )
    unknown = tables["application"].with_columns(AMT_ANNUITY=pl.lit(None, pl.Float64))
    row = build_features(tables | {"application": unknown}).row(0, named=True)
    of_instalment = [name for name in computed_from(["AMT_ANNUITY"], CATALOGUE) if name != "application_annuity"]
    assert len(of_instalment) > 8
    assert [name for name in of_instalment if row[name] is not None] == []


def test_the_selling_area_of_no_shop_is_unknown():
    row = _features(previous_application=[_application(1, "Approved") | {"SELLERPLACE_AREA": -1}])
    assert row["previous_seller_area_max"] is None


def test_rows_of_other_clients_have_no_effect(tables: Tables):
    client = tables["application"].head(1)
    own = {
        name: frame.join(client, on="SK_ID_CURR", how="semi")
        for name, frame in tables.items()
        if "SK_ID_CURR" in frame.columns
    }
    own["bureau_balance"] = tables["bureau_balance"].join(own["bureau"], on="SK_ID_BUREAU", how="semi")
    assert all(not frame.is_empty() for frame in own.values())
    alone = build_features(own)

    assert_frame_equal(build_features(tables | {"application": client}), alone, check_exact=True)
    assert_frame_equal(Variants(tables | {"application": client}).features(client), alone, check_exact=True)
    two = tables["application"].head(2)
    assert_frame_equal(build_features(tables | {"application": two}).head(1), alone, rel_tol=1e-9, abs_tol=1e-12)


def test_months_of_a_loan_count_for_its_client_alone():
    loan = {"SK_ID_PREV": 7, "NAME_CONTRACT_STATUS": "Approved", "NAME_CONTRACT_TYPE": "Cash loans"}
    plan = {"AMT_CREDIT": 100.0, "AMT_ANNUITY": 11.0, "CNT_PAYMENT": 10, "DAYS_FIRST_DUE": -75, "DAYS_LAST_DUE": 365243}
    tables = cleaned_tables(previous_application=[loan | plan])
    of_another = pl.DataFrame(
        {"SK_ID_CURR": [2], "SK_ID_PREV": [7], "MONTHS_BALANCE": [-1], "CNT_INSTALMENT_FUTURE": [1]},
        schema_overrides=TABLES["POS_CASH_balance"].schema,
    )
    mixed = tables | {"POS_CASH_balance": pl.concat([tables["POS_CASH_balance"], of_another], how="diagonal")}
    expected = build_features(tables)["previous_due_in_19m"]
    assert expected.to_list() == [11.0 * 7]
    assert build_features(mixed)["previous_due_in_19m"].to_list() == expected.to_list()
    other = {
        name: tables[name].with_columns(SK_ID_CURR=pl.lit(2, pl.Int64))
        for name in ("application", "previous_application")
    }
    both = mixed | {name: pl.concat([frame, tables[name]]) for name, frame in other.items()}
    assert build_features(both)["previous_due_in_19m"].to_list() == [11.0, 77.0]
    both |= {
        name: pl.concat([tables[name], frame.with_columns(SK_ID_CURR=pl.lit(3, pl.Int64))])
        for name, frame in other.items()
    }
    of_first = mixed["POS_CASH_balance"].with_columns(SK_ID_CURR=pl.lit(1, pl.Int64))
    assert build_features(both | {"POS_CASH_balance": of_first})["previous_due_in_19m"].to_list() == [11.0, 77.0]
