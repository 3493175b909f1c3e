"""What the features say of instalments: paid at once, in parts, by a changed plan, or never."""

import pytest

from bento.features.build import build_features
from bento.features.definitions import Value
from tests.support.clients import cleaned_tables

Row = dict[str, object]


def _features(*rows: Row) -> dict[str, Value]:
    return build_features(cleaned_tables(installments_payments=list(rows))).row(0, named=True)


def _row(number: int, due_day: int, paid_day: int | None, due: float, paid: float | None, version: int = 1) -> Row:
    return {
        "SK_ID_PREV": 7,
        "NUM_INSTALMENT_VERSION": version,
        "NUM_INSTALMENT_NUMBER": number,
        "DAYS_INSTALMENT": due_day,
        "DAYS_ENTRY_PAYMENT": paid_day,
        "AMT_INSTALMENT": due,
        "AMT_PAYMENT": paid,
    }


def test_a_changed_plan_repeats_one_payment_in_each_version():
    row = _features(
        _row(8, -230, -232, 5150.0, 5150.0),
        _row(9, -200, -205, 3700.0, 5150.0, version=10),
        _row(9, -200, -205, 1450.0, 5150.0, version=9),
    )

    assert row["installments_count"] == 2
    assert row["installments_paid_to_due"] == 1
    assert row["installments_paid_sum"] == 10_300
    assert row["installments_paid_max"] == row["installments_due_max"] == 5150
    assert row["installments_paid_ratio_min"] == 1
    assert row["installments_short_share"] == row["installments_underpaid_sum"] == 0
    assert row["installments_split_share"] == 0


def test_a_changed_plan_may_be_paid_in_parts():
    dues = ((1, 60.0), (2, 30.0), (3, 10.0))
    payments = ((-110, 70.0), (-96, 25.0))
    row = _features(
        *(_row(1, -100, day, due, paid, version=version) for version, due in dues for day, paid in payments)
    )

    assert row["installments_count"] == 1
    assert row["installments_due_max"] == 100
    assert row["installments_paid_max"] == 95
    assert row["installments_underpaid_sum"] == 5
    assert row["installments_days_late_max"] == 4
    assert row["installments_split_share"] == 1


def test_an_instalment_paid_in_two_parts_is_added_up():
    row = _features(_row(8, -230, -232, 5150.0, 3000.0), _row(8, -230, -228, 5150.0, 2150.0))

    assert row["installments_count"] == 1
    assert row["installments_due_max"] == row["installments_paid_sum"] == 5150
    assert row["installments_paid_to_due"] == 1
    assert row["installments_days_late_max"] == 2
    assert row["installments_days_early_max"] == 0
    assert row["installments_short_share"] == 0
    assert row["installments_split_share"] == 1


def test_a_row_given_twice_is_one_payment():
    row = _features(_row(1, -100, -101, 50.0, 50.0), _row(1, -100, -101, 50.0, 50.0))

    assert row["installments_paid_sum"] == row["installments_due_max"] == 50
    assert row["installments_split_share"] == 0


def test_the_largest_amount_of_one_version_is_due():
    row = _features(_row(1, -100, -101, 30.0, 20.0), _row(1, -100, -99, 50.0, 30.0))

    assert row["installments_due_max"] == row["installments_paid_sum"] == 50


def test_an_instalment_never_paid_is_late_until_today():
    paid = [_row(number, 30 * number - 330, 30 * number - 331, 5000.0, 5000.0) for number in range(1, 8)]
    never_paid = [_row(number, 30 * number - 330, None, 5000.0, None) for number in (8, 9, 10)]
    row = _features(*paid, *never_paid)

    assert row["installments_late_share"] == pytest.approx(3 / 10)
    assert row["installments_days_late_max"] == 90
    assert row["installments_days_late_sum"] == 90 + 60 + 30
    assert row["installments_days_late_max_latest_5"] == 90
    assert row["installments_late_share_latest_5"] == pytest.approx(3 / 5)
    assert row["installments_paid_sum"] == 35_000
    assert row["installments_paid_to_due"] == pytest.approx(0.7)
    assert row["installments_underpaid_sum"] == 15_000
    assert row["installments_short_share"] == pytest.approx(3 / 10)
    assert row["installments_weighted_delay"] == pytest.approx((90 + 60 + 30) / 10)
    assert row["installments_days_early_mean"] == 1
    assert row["installments_latest_payment_days"] == -121


def test_an_instalment_due_today_is_not_late_yet():
    assert _features(_row(1, 0, None, 50.0, None))["installments_late_share"] == 0


def test_an_instalment_of_nothing_is_not_late():
    row = _features(_row(1, -100, None, 0.0, None), _row(2, -70, -68, 50.0, 50.0))

    assert row["installments_late_share"] == 1
    assert row["installments_days_late_max"] == 2


def test_an_instalment_paid_in_part_is_as_late_as_its_last_part():
    row = _features(_row(1, -1000, -997, 100.0, 99.0))

    assert row["installments_days_late_max"] == 3
    assert row["installments_underpaid_sum"] == 1


def test_a_payment_of_unknown_amount_or_day_is_not_unpaid():
    without_amount = _features(_row(1, -100, -103, 50.0, None))
    without_day = _features(_row(1, -100, None, 50.0, 50.0))

    assert without_amount["installments_days_late_max"] == 0
    assert without_amount["installments_paid_sum"] is None
    assert without_amount["installments_short_share"] is None
    assert without_day["installments_days_late_max"] is None
    assert without_day["installments_paid_sum"] == 50
    assert without_day["installments_short_share"] == 0


def test_one_part_of_unknown_amount_makes_the_sum_unknown():
    row = _features(_row(1, -100, -103, 50.0, 20.0), _row(1, -100, -99, 50.0, None), _row(2, -70, -71, 50.0, 50.0))

    assert row["installments_paid_max"] == row["installments_paid_sum"] == 50
    assert row["installments_days_late_max"] == 1


def test_rounding_of_a_sum_of_parts_is_no_shortfall():
    parts = (1159.55, 1112.28, 1666.07)
    due = 3937.9
    assert 0 < due - sum(parts) < 1e-11
    row = _features(*(_row(1, -100, -110 - number, due, paid) for number, paid in enumerate(parts)))

    assert row["installments_underpaid_sum"] == row["installments_short_share"] == 0


def test_a_payment_long_ago_has_no_negative_weight():
    row = _features(_row(1, -4100, -4000, 50.0, 50.0), _row(2, -1010, -1000, 100.0, 50.0))

    assert row["installments_weighted_delay"] == pytest.approx((0 + 10 * 0.5 * 0.7) / 2)


def test_the_latest_instalments_are_at_most_as_many_as_named():
    rows = [_row(number, -30, -30 + number, 50.0, 50.0) for number in range(1, 13)]
    row = _features(*rows)

    assert row["installments_days_late_mean_latest_5"] == (8 + 9 + 10 + 11 + 12) / 5
    assert row["installments_days_late_max_latest_10"] == 12
    assert row["installments_days_late_mean_latest_10"] == sum(range(3, 13)) / 10


def test_the_latest_loan_is_the_one_with_the_latest_instalment():
    other = _row(1, -30, -20, 50.0, 50.0) | {"SK_ID_PREV": 8}
    earlier = _row(2, -60, -30, 50.0, 50.0) | {"SK_ID_PREV": 8}
    row = _features(_row(1, -30, -25, 50.0, 50.0), other, earlier)

    assert row["installments_days_late_mean_latest_loan"] == 20  # loan 8, the larger of two with the same latest day


def test_a_version_number_counts_once_for_all_loans():
    rows = [
        _row(number, -30 * number, -30 * number, 50.0, 50.0, version=version) for number, version in ((1, 0), (2, 3))
    ]
    row = _features(*rows, rows[0] | {"SK_ID_PREV": 8})

    assert row["installments_versions"] == 2
    assert row["installments_card_share"] == pytest.approx(2 / 3)


def test_equal_payments_on_two_days_are_two_payments():
    row = _features(_row(1, -100, -110, 50.0, 25.0), _row(1, -100, -105, 50.0, 25.0))

    assert row["installments_paid_sum"] == 50
    assert row["installments_split_share"] == 1


def test_parts_of_an_instalment_without_number_belong_together():
    parts = [_row(1, -100, -110, 50.0, 20.0), _row(1, -100, -105, 50.0, 30.0)]
    row = _features(*(part | {"NUM_INSTALMENT_NUMBER": None} for part in parts))

    assert row["installments_count"] == 1
    assert row["installments_short_share"] == 0


def test_instalments_of_one_day_are_ordered_by_loan_then_number():
    of_later_loan = [_row(number, -30, -28, 50.0, 50.0) | {"SK_ID_PREV": 8} for number in range(1, 6)]
    row = _features(_row(9, -30, -20, 50.0, 50.0), *of_later_loan)

    assert row["installments_days_late_max_latest_5"] == 2
    assert row["installments_days_late_max_latest_10"] == 10
