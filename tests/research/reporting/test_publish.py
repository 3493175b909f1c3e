import json

import pytest

from research.reporting.model_card import CARD, model_card
from research.reporting.publish import BEGIN, END, PUBLISHED, README, results_table


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
