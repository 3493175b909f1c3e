"""Several applications of a client on one day."""

import numpy as np
import pytest

from research.synthetic.calibration_statistics import statistics
from research.synthetic.same_day import with_same_days


def applications(clients: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return days, first flags, states and fixed flags of `count` applications a client; every fifth is fixed."""
    size = clients * count
    days = np.tile(np.arange(-count * 10, 0, 10).astype(float), clients)
    first = np.arange(size) % count == 0
    status = np.where(np.arange(size) % 2 == 0, "Approved", "Refused").astype(object)
    return days, first, status, np.arange(size) % 5 == 4


def test_fixed_days_stay_and_clients_stay_apart():
    days, first, status, fixed = applications(2000, 6)

    moved = with_same_days(days, first, status, fixed, np.random.default_rng(1))

    assert (moved[fixed] == days[fixed]).all()
    for client in (days.reshape(-1, 6), moved.reshape(-1, 6)):
        assert (np.diff(client, axis=1) >= 0).all()
    assert moved.mean() == pytest.approx(days.mean(), abs=0.2)


def test_applications_without_a_loan_share_days_more_often(monkeypatch):
    monkeypatch.setitem(statistics()["structure"], "shares_day_with_last", {"granted": 0.0, "others": 1.0})
    days, first, status, fixed = applications(50, 4)

    moved = with_same_days(days, first, status, np.zeros_like(fixed), np.random.default_rng(1))

    together = moved[1:] == moved[:-1]
    assert (together == ((status[1:] == "Refused") & ~first[1:] & ~first[:-1])).all()


def test_no_applications_have_no_days():
    none = np.zeros(0)
    assert (
        len(with_same_days(none, none.astype(bool), none.astype(object), none.astype(bool), np.random.default_rng(1)))
        == 0
    )
