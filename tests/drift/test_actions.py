"""The rule from findings to an action."""

from typing import Any

import pytest

from drift.actions import Month, findings
from drift.figures import EstimateResult, Figures, Interval, Overrides
from drift.performance import PerformanceReport
from drift.summary import ColumnResult, DriftReport, SeparationResult, Side
from drift.summary import Figures as Psi

QUIET = Psi(psi=0.001, threshold=0.01, drifted=False)
SIDE = Side(name="a", rows=1000, rows_scored=1000)


def interval(value: float, margin: float = 0.01) -> Interval:
    return Interval(value=value, low=value - margin, high=value + margin)


def column(**changes: Any) -> ColumnResult:
    values: dict[str, Any] = {
        "column": "EXT_SOURCE_2",
        "measure": "number",
        "audit_only": False,
        "drifted": True,
        "values": QUIET,
        "missing": QUIET,
        "missing_reference": 0.0,
        "missing_current": 0.0,
        "middle_reference": 0.5,
        "middle_current": 0.5,
        "new_categories": [],
        "gone_categories": [],
        "factor": None,
        "pd_change": 0.1,
        "note": "",
    }
    return ColumnResult(**values | changes)


def drift(**changes: Any) -> DriftReport:
    values: dict[str, Any] = {
        "data": "journal",
        "clients": 1000,
        "seed": None,
        "reference": SIDE,
        "current": SIDE,
        "model": "m",
        "false_alarms": 0.01,
        "comparisons": 200,
        "verdict": "no drift",
        "sentence": "",
        "grounds": [],
        "faults": [],
        "notes": [],
        "probability": None,
        "effect": None,
        "features_separation": None,
        "columns_separation": SeparationResult(auc=0.5, by_chance=0.53, gains={}),
        "columns": [],
        "features": [],
    }
    return DriftReport(**values | changes)


def performance(overrides: Overrides = Overrides(reviews=0, overturned=0), **changes: Any) -> PerformanceReport:  # noqa: B008
    values: dict[str, Any] = {
        "group": "all",
        "decisions": 1000,
        "approval_rate": 0.7,
        "mean_pd": 0.08,
        "outcomes": 700,
        "defaults": 50,
        "auc": interval(0.70),
        "gini": interval(0.40),
        "ks": interval(0.3),
        "brier": interval(0.07),
        "observed_over_predicted": interval(1.02, 0.2),
        "realised_cost": interval(500),
        "expected_cost": 500.0,
        "expected_auc": 0.70,
        "estimate": EstimateResult(default_rate=0.08, auc=0.7, cost=500, low=450, high=550, recalibrated=0),
    }
    overall = Figures(**values | changes)
    return PerformanceReport(
        period="p",
        model="m",
        caveat="",
        faults=[],
        notes=[],
        by_vintage=[],
        overall=overall,
        by_month=[],
        by_group=[],
        overrides=overrides,
    )


def month(**changes: float) -> Month:
    values = {"psi": 0.01, "limit": 0.02, "mean_pd": 0.08, "low": 0.07, "high": 0.09}
    return Month(month="2026-01", decisions=500, **values | changes)


def test_nothing_where_nothing_changed():
    (finding,) = findings(drift(), performance(), [month()])

    assert finding.action == "nothing"


@pytest.mark.parametrize(
    ("report", "measured", "months", "action", "text"),
    [
        (drift(faults=["a has no column b"]), performance(), [], "look", "could not be judged: a has no column b"),
        (drift(columns=[column(factor=1000.0)]), performance(), [], "look", "1000 times"),
        (drift(columns=[column(missing_current=0.2)]), performance(), [], "look", "missing in 20%, before in 0%"),
        (
            drift(columns=[column(new_categories=["B"], gone_categories=["A"])]),
            performance(),
            [],
            "look",
            "A is gone, B is new: renamed?",
        ),
        (drift(), performance(auc=interval(0.66)), [], "retrain", "AUC of granted loans 0.660"),
        (drift(), performance(observed_over_predicted=interval(1.4, 0.2)), [], "recalibrate", "1.40 (1.20 to 1.60)"),
        (drift(grounds=["the PD changed"]), performance(), [], "look", "the PD changed"),
        (drift(), performance(), [month(psi=0.03)], "look", "2026-01: PSI of the PD 0.030"),
        (drift(), performance(), [month(mean_pd=0.1)], "look", "mean 0.1000 (0.0700 to 0.0900)"),
        (drift(), performance(Overrides(reviews=20, overturned=7)), [], "look", "overturned 7 of 20"),
    ],
)
def test_each_finding_calls_for_its_action(report, measured, months, action, text):
    (finding,) = findings(report, measured, months)

    assert finding.action == action
    assert text in finding.text


@pytest.mark.parametrize(
    ("report", "measured"),
    [
        (drift(), performance(auc=interval(0.69, 0.001))),
        (drift(), performance(auc=interval(0.66, 0.05))),
        (drift(), performance(auc=None)),
        (drift(), performance(observed_over_predicted=interval(1.4, 0.5))),
        (drift(), performance(observed_over_predicted=interval(1.05, 0.01))),
        (drift(), performance(Overrides(reviews=19, overturned=19))),
        (drift(columns=[column(missing_current=0.2, drifted=False)]), performance()),
    ],
)
def test_small_or_uncertain_changes_call_for_nothing(report, measured):
    assert [finding.action for finding in findings(report, measured, [])] == ["nothing"]


def test_a_fault_of_the_data_goes_before_training():
    results = findings(
        drift(columns=[column(missing_current=1.0)], grounds=["the PD changed"]), performance(auc=interval(0.6)), []
    )

    assert [finding.action for finding in results] == ["look", "retrain", "look"]
