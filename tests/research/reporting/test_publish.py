import json
import shutil
from pathlib import Path

import pytest

from research.reporting import publish
from research.reporting.model_card import CARD, model_card
from research.reporting.publish import BEGIN, END, PUBLISHED, README, results_table
from research.results import COUNTERFACTUALS_FILE, RESULTS_FILE


def test_the_readme_holds_the_published_figures():
    assert f"{BEGIN}\n{results_table()}\n{END}" in README.read_text()


def test_the_model_card_holds_the_published_figures():
    assert CARD.read_text() == model_card(PUBLISHED)


def test_model_card_of_synthetic_data_begins_with_a_caution():
    is_synthetic = json.loads((PUBLISHED / "results.json").read_text())["data"] == "synthetic"
    assert ("describes the generator" in CARD.read_text().split("\n\n")[1]) is is_synthetic


def test_published_results_name_their_data():
    results = json.loads((PUBLISHED / "results.json").read_text())
    assert results["data"] in ("synthetic", "real")
    assert results["clients"] > 0
    assert "seed" in results


def test_the_published_threshold_of_many_clients_is_near_theory():
    results = json.loads((PUBLISHED / "results.json").read_text())
    assert results["clients"] >= 60_000
    assert results["metrics"]["threshold"] == pytest.approx(results["metrics"]["theoretical_threshold"], abs=0.02)


@pytest.mark.parametrize("word", ["data: synthetic", "generator"])
def test_the_readme_says_what_synthetic_figures_mean(word: str):
    assert word in README.read_text()


def other_loans(run: str) -> dict[str, object]:
    return {
        "data": "synthetic",
        "clients": 100,
        "seed": 1,
        "fingerprint": "0" * 64,
        "run": run,
        "sample_seed": 1,
        "files": 50,
        "reviewed": 0,
        "with_proposal": {"value": 0.22, "low": 0.1, "high": 0.3},
        "by_kind": {"smaller_loan": 0.2, "longer_term": 0.02},
        "with_two": 0.04,
        "with_down_payment": 0.06,
        "not_confirmed": 0,
        "medians": {"loan_cut": 0.11, "instalment_cut": 0.12, "additional_months": 6, "cost": 0.12},
    }


def test_other_loans_are_published_and_in_the_card_of_their_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(publish, "DATA", tmp_path)
    folder, published = tmp_path / "results" / "r", tmp_path / "published"
    folder.mkdir(parents=True)
    shutil.copy(PUBLISHED / RESULTS_FILE, folder)
    run = json.loads((folder / RESULTS_FILE).read_text())["run"]
    (folder / COUNTERFACTUALS_FILE).write_text(json.dumps(other_loans(run)))

    publish.publish("r", published)

    card = model_card(published)
    assert "Of 50 applications of the test split that are not granted, 22.0% (10.0% to 30.0%) get" in card
    assert "the loan by 11.0% and the instalment by 12.0%" in card.replace("\n", " ")
    assert "| smaller loan | 20.0% |" in card
    (published / COUNTERFACTUALS_FILE).write_text(json.dumps(other_loans("another")))
    assert "Other loans" not in model_card(published)
