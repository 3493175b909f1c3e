import json
from pathlib import Path

import pytest

from research.reporting.model_card import CARD, model_card
from research.reporting.publish import BEGIN, END, PUBLISHED, README, publish, results_table, write_readme
from research.tracking import champion, connect


def test_the_readme_holds_the_published_figures():
    assert f"{BEGIN}\n{results_table()}\n{END}" in README.read_text()


def test_the_model_card_holds_the_published_figures():
    assert CARD.read_text() == model_card(PUBLISHED)


def test_model_card_of_synthetic_data_begins_with_a_caution():
    if json.loads((PUBLISHED / "results.json").read_text())["data"] == "synthetic":
        assert "describes the generator" in CARD.read_text().split("\n\n")[1]


def test_published_results_name_their_data():
    results = json.loads((PUBLISHED / "results.json").read_text())
    assert results["data"] in ("synthetic", "real")
    assert results["clients"] > 0
    assert "seed" in results


def test_the_published_threshold_is_near_theory_where_clients_are_many():
    results = json.loads((PUBLISHED / "results.json").read_text())
    if results["clients"] >= 60_000:
        assert results["metrics"]["threshold"] == pytest.approx(results["metrics"]["theoretical_threshold"], abs=0.02)


def test_publishing_a_run_replaces_the_figures_of_the_readme(bento_tag: str, tmp_path: Path):
    out = publish(champion(connect()).run_id, tmp_path / "results")
    assert {path.name for path in out.iterdir()} >= {"results.json", "roc.png", "cost_curve.png", "review.png"}
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_readme(out, readme)
    assert readme.read_text() == f"before\n{BEGIN}\n{results_table(out)}\n{END}\nafter\n"
    assert "1,500 clients, seed 1" in results_table(out)
    card = model_card(out)
    assert "on 201 clients that nothing else reads: promoted" in card
    assert "| F, 30-39 |" in card
    assert "As served, no application is reviewed" in card


@pytest.mark.parametrize("word", ["data: synthetic", "generator"])
def test_the_readme_says_what_synthetic_figures_mean(word: str):
    assert word in README.read_text()
