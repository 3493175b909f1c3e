import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.reporting import publish
from research.reporting.badges import BADGES, badge, facts
from research.reporting.model_card import CARD, model_card
from research.reporting.publish import (
    BEGIN,
    END,
    FULL_SIZE,
    PUBLISHED,
    README,
    RESULTS_PAGE,
    headline,
    results_page,
    results_table,
)
from research.results import (
    COUNTERFACTUALS_FILE,
    QUOTABLE_FILE,
    REASONS_FILE,
    RESULTS_FILE,
    QuotableStudy,
    TrainingResults,
    read,
)


def test_the_readme_holds_the_published_figures():
    assert f"{BEGIN}\n{headline()}\n{END}" in README.read_text("utf-8")
    assert RESULTS_PAGE.read_text("utf-8") == results_page()


def test_the_readme_shows_five_figures_with_their_intervals():
    rows = [line for line in headline().splitlines() if line.startswith("| ") and line != "| | |"]

    assert len(rows) == 5
    assert all(re.search(r"\d \([\d.]+ to [\d.]+\) \|$", row) for row in rows), rows


def test_without_test_figures_the_readme_shows_those_out_of_fold(tmp_path: Path):
    results = json.loads((PUBLISHED / RESULTS_FILE).read_text())
    results["intervals"].pop("test", None)
    (tmp_path / RESULTS_FILE).write_text(json.dumps(results))

    assert "development clients, out of fold" in headline(tmp_path)
    assert f"{results['intervals']['out_of_fold']['auc']['value']:.3f} (" in headline(tmp_path)


def test_the_badges_state_what_is_so():
    for name, (label, text) in facts().items():
        assert (BADGES / f"{name}.svg").read_text("utf-8") == badge(label, text)
    data = json.loads((PUBLISHED / "results.json").read_text())["data"]
    assert facts()["data"] == ("figures", f"{data} data")
    assert "<title>a &lt;b: c</title>" in badge("a <b", "c")


def test_the_first_command_of_the_readme_is_seen_at_once():
    lines = README.read_text("utf-8").splitlines()

    assert lines.index("```sh") < 20
    assert len(lines) < 120


def test_the_model_card_holds_the_published_figures():
    assert CARD.read_text() == model_card(PUBLISHED)


def test_the_page_of_results_says_what_intervals_do_not_hold_below_each_table():
    text = results_table()

    for table in text.split(WHAT_INTERVALS_HOLD["en"])[:-1]:
        assert table.rstrip().endswith("|")
    assert text.count(WHAT_INTERVALS_HOLD["en"]) == text.count("\n|---|") == 3
    assert text in results_page()


def test_the_page_of_results_shows_the_published_model_and_full_size():
    for name in (".", FULL_SIZE):
        results = read(TrainingResults, PUBLISHED / name / RESULTS_FILE)
        assert results.oracle
        share = roc_gini(results.metrics["test_auc"]) / roc_gini(results.oracle["test_auc"])

        assert f"Obtained on {results.description}; bootstrap" in results_page()
        assert re.search(rf"true probabilities \| [\d.]+% \| {100 * share:.1f}% \|", results_page())


def roc_gini(auc: float) -> float:
    return 1 - 2 * (1 - auc)


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


def test_the_card_names_what_is_left_out_and_the_price():
    study, card = read(QuotableStudy, PUBLISHED / QUOTABLE_FILE), " ".join(CARD.read_text().split())

    assert f"Left out: **{', '.join(study.left_out)}**; directions: **{study.directions}**" in card
    assert study.description in card
    for arm in study.arms[1:]:
        assert (
            f"| {arm.arm} | {arm.features:.0f} | {arm.auc_gain:+.4f} ± {arm.auc_gain_error:.4f} "
            f"| {0 - arm.cost_gain:+.4f} ± " in card
        )


def quality_of_reasons(run: str) -> dict[str, object]:
    share = {"value": 0.96, "low": 0.94, "high": 0.98}
    fidelity = {
        "files": 50,
        "falls": share | {"value": 0.99},
        "falls_more": share,
        "both": share,
        "median_fall": 0.3,
        "median_fall_of_other": 0.0,
    }
    return {
        "data": "synthetic",
        "clients": 100,
        "seed": 1,
        "fingerprint": "0" * 64,
        "run": run,
        "seed_of_draw": 1,
        "decisions": 1_234,
        "without_fact": share | {"value": 0.01},
        "refused_without_fact": share | {"value": 0.02},
        "fidelity": fidelity,
        "fidelity_by_kind": {"quoted facts": fidelity | {"files": 48}},
        "stability": [{"model": "seed 2", "same_first": share, "first_among_reasons": share | {"value": 0.995}}],
    }


def published_beside_results(
    file: str, content: Callable[[str], dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Publish another file of the run whose results are published, and return the folder."""
    monkeypatch.setattr(publish, "DATA", tmp_path)
    folder, published = tmp_path / "results" / "r", tmp_path / "published"
    folder.mkdir(parents=True)
    published.mkdir()
    shutil.copy(PUBLISHED / RESULTS_FILE, published)
    run = json.loads((published / RESULTS_FILE).read_text())["run"]
    (folder / file).write_text(json.dumps(content(run)))
    publish.publish("r", published)
    return published


def test_fidelity_and_stability_of_reasons_are_in_the_card_of_their_run(tmp_path: Path, monkeypatch):
    published = published_beside_results(REASONS_FILE, quality_of_reasons, tmp_path, monkeypatch)

    card = model_card(published)
    assert "| all | 50 | 99.0% (94.0% to 98.0%) | 96.0% (94.0% to 98.0%) | 96.0%" in card
    assert "| quoted facts | 48 | 99.0%" in card
    assert "| seed 2 | 96.0% (94.0% to 98.0%) | 99.5% (" in card
    assert "quotes no fact in 1.0% (94.0% to 98.0%) of 1,234 decisions" in card
    (published / REASONS_FILE).write_text(json.dumps(quality_of_reasons("another")))
    assert "How true and stable" not in model_card(published)


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
    published = published_beside_results(COUNTERFACTUALS_FILE, other_loans, tmp_path, monkeypatch)

    card = model_card(published)
    assert "Of 50 applications of the test split that are not granted, 22.0% (10.0% to 30.0%) get" in card
    assert "the loan by 11.0% and the instalment by 12.0%" in card.replace("\n", " ")
    assert "| smaller loan | 20.0% |" in card
    (published / COUNTERFACTUALS_FILE).write_text(json.dumps(other_loans("another")))
    assert "Other loans" not in model_card(published)
