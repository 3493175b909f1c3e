"""The card's sections on rules and on the threshold, from result files written here."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bento.policy import DEFAULT_COSTS
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.reporting.card_fairness import COMPARED
from research.reporting.model_card import model_card
from research.reporting.publish import PUBLISHED, publish
from research.results import RESULTS_FILE, RULES_FILE

CHANGES = [
    {"error": 0.0, "cost_change": {"value": -0.02, "low": -0.03, "high": -0.01}},
    {"error": 0.1, "cost_change": {"value": 0.004, "low": -0.001, "high": 0.009}},
]
PRICE = {
    "clients": 2_000,
    "applies": 310,
    "stops": 220,
    "default_rate": 0.081,
    "default_rate_of_stopped": 0.05,
    "changes": CHANGES,
}
NO_CLIENT = PRICE | {"applies": 0, "stops": 0, "default_rate": None, "default_rate_of_stopped": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The published results, with prices of two rules."""
    shutil.copy(PUBLISHED / RESULTS_FILE, tmp_path)
    source = {"data": "synthetic", "clients": 2_000, "seed": 1, "fingerprint": "0" * 64, "run": "abc"}
    table = [
        {"code": "affordability", "outcome": "review", "on": True, "out_of_fold": PRICE},
        {"code": "age", "outcome": "impossible", "on": False, "out_of_fold": NO_CLIENT},
    ]
    content = source | {"rules_version": "0123456789abcdef", "costs": DEFAULT_COSTS.model_dump(), "table": table}
    (tmp_path / RULES_FILE).write_text(json.dumps(content))
    return tmp_path


def _with_metrics(folder: Path, **metrics: float) -> str:
    results = json.loads((folder / RESULTS_FILE).read_text())
    results["metrics"] |= metrics
    (folder / RESULTS_FILE).write_text(json.dumps(results))
    return " ".join(model_card(folder).split())


def test_the_card_says_what_each_rule_stops_and_costs(folder: Path):
    card = model_card(folder)
    assert "version `0123456789abcdef`" in card
    assert "| affordability | review | 15.50% | 8.1% | 11.00% | -0.0200 (-0.0300 to -0.0100) | +0.0040 (" in card
    assert "| age | impossible, off | 0.00% |  | 0.00% |" in card
    assert "cost, reviewer wrong in 10% |" in card


def test_a_card_without_prices_has_no_section_on_rules(folder: Path):
    (folder / RULES_FILE).unlink()
    assert "Rules before the model" not in model_card(folder)


def test_the_card_says_why_the_threshold_is_that_of_theory(folder: Path):
    figures = {
        "searched_threshold": 0.0851,
        "searched_threshold_saves": -0.0004,
        "searched_threshold_saves_error": 0.002,
    }
    card = _with_metrics(folder, threshold=1 / 11, theoretical_threshold=1 / 11, **figures)
    assert "Refused from a probability of **0.0909** on, the threshold of theory on calibrated scores" in card
    assert "0.0851, saves -0.0004 per client on other folds, with a standard error of 0.0020" in card


def test_the_card_says_why_the_threshold_was_searched(folder: Path):
    figures = {"searched_threshold": 0.12, "searched_threshold_saves": 0.01, "searched_threshold_saves_error": 0.002}
    card = _with_metrics(folder, threshold=0.12, theoretical_threshold=1 / 11, **figures)
    assert "**0.1200** on, searched on out-of-fold scores: against theory's 0.0909 it saves +0.0100 per client" in card


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        ("strict", "All features that a strict reading of the law doubts are left out"),
        ("usual", "Family status, region"),
    ],
)
def test_the_card_states_how_the_law_was_read(folder: Path, reading: str, sentence: str):
    results = json.loads((folder / RESULTS_FILE).read_text())
    (folder / RESULTS_FILE).write_text(json.dumps(results | {"lawful": reading}))

    assert sentence in model_card(folder)


def test_prices_of_rules_are_published(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("research.reporting.publish.DATA", tmp_path / "data")
    (tmp_path / "data" / "results" / "run").mkdir(parents=True)
    shutil.copy(folder / RULES_FILE, tmp_path / "data" / "results" / "run")
    assert (publish("run", tmp_path / "out") / RULES_FILE).read_text() == (folder / RULES_FILE).read_text()


def _results(folder: Path, **changed: object) -> None:
    path = folder / RESULTS_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_what_intervals_do_not_hold_stands_below_every_table_of_them(folder: Path):
    sections = model_card(folder).split("\n## ")

    with_intervals = [section for section in sections if re.search(r"\| [-+]?\d[\d.%]* \([-+]?\d[\d.%]* to", section)]
    assert len(with_intervals) >= 5
    assert all(WHAT_INTERVALS_HOLD["en"] in section for section in with_intervals)


def test_the_card_lists_signed_differences_and_gaps_by_chance(folder: Path):
    fairness = json.loads((folder / RESULTS_FILE).read_text())["fairness"]
    signed = {"value": -0.07, "low": -0.09, "high": -0.05}
    fairness["gender"]["reference"] = "F"
    fairness["gender"]["groups"][1]["difference"] = dict.fromkeys(COMPARED, signed)
    fairness["gender"]["by_chance"] = {"approval_rate": {"gap": 0.07, "usual": 0.006, "up_to": 0.018, "p_value": 0.002}}
    _results(folder, fairness=fairness)

    card = model_card(folder)

    assert "| M less F | -0.070 (-0.090 to -0.050) | -0.070 (" in card
    assert "| approved, by gender | 0.070 | 0.006, up to 0.018 | 0.002 |" in card


def test_the_review_table_has_a_row_for_the_break_even(folder: Path):
    review = json.loads((folder / RESULTS_FILE).read_text())["review"]
    for split, value in (("out_of_fold", 0.47), ("test", 0.46)):
        review["table"][1][split]["break_even"] = {"value": value, "low": value - 0.02, "high": value + 0.02}
    _results(folder, review=review)

    assert "| break-even | 47.0% (45.0% to 49.0%) | 46.0% (44.0% to 48.0%) | 0 |" in model_card(folder)


def test_the_card_reports_the_calibration_of_other_folds(folder: Path):
    results = json.loads((folder / RESULTS_FILE).read_text())
    results["intervals"]["out_of_fold"]["calibration_slope"] = {"value": 0.987, "low": 0.95, "high": 1.02}
    _results(folder, intervals=results["intervals"])

    card = " ".join(model_card(folder).split())

    assert "Out of fold, calibrated on the other folds, the slope is 0.987 (0.950 to 1.020)" in card
