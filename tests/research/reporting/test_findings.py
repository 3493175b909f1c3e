"""What texts say follows from the results: other results write other sentences, in slides and documents, that fit."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from research.cli import CommandError
from research.reporting import documents
from research.reporting.findings import CONDITIONS, FAMILIES, QUOTED, WITHOUT_MODEL, label
from research.reporting.quoted_figures import CONDITION, LANGUAGES, PUBLISHED, QUOTE, Language, QuotedFigures
from research.reporting.slides import layout
from research.reporting.slides.deck import read_deck

Files = dict[str, Any]
Change = Callable[[Files], None]
FIGURES = QuotedFigures(PUBLISHED)
DECK = read_deck()
TREES = ("random_forest", "xgboost", "lightgbm")


def families(files: Files) -> list[dict[str, Any]]:
    """Return the rows of families without treatment, the cheapest first."""
    rows = [row for row in files["comparison"]["rows"] if row["arm"] == "none" and row["family"] not in WITHOUT_MODEL]
    return sorted(rows, key=lambda row: float(row["cost_per_client"]["value"]))


def row(files: Files, candidate: str) -> dict[str, Any]:
    return next(row for row in files["comparison"]["rows"] if row["candidate"] == candidate)


def costs(entry: dict[str, Any], cost: float) -> None:
    entry["cost_per_client"] = {"value": cost, "low": cost - 0.01, "high": cost + 0.01}


def sets(name: str, path: str, value: Any) -> Change:
    """Return the change that sets a value of a result file, by keys with dots between."""

    def change(files: Files) -> None:
        *keys, last = path.split(".")
        part = files[name]
        for key in keys:
            part = part[key]
        part[last] = value

    return change


def arms(gain: float) -> Change:
    def change(files: Files) -> None:
        study = files["feature_study"]
        every = next(arm for arm in study["numbers"] if arm["arm"] == "all")
        few = min(study["numbers"], key=lambda arm: float(arm["features"]))
        study["decisions"]["selected"] = few["arm"]
        every |= {"auc_gain": gain, "auc_gain_error": 0.001}

    return change


def threshold(distance: float) -> Change:
    def change(files: Files) -> None:
        files["results"]["metrics"]["threshold"] = files["results"]["metrics"]["theoretical_threshold"] + distance

    return change


def above_best(low: float) -> Change:
    def change(files: Files) -> None:
        for entry in families(files)[1:]:
            entry["cost_above_best"] = {"value": low + 0.01, "low": low, "high": low + 0.02}
        families(files)[0]["cost_above_best"] = {"value": 0.0, "low": 0.0, "high": 0.0}

    return change


def treatment(arm: str, cost: float) -> Change:
    """Return the change of costs: trees under one treatment as given, others one half, a bit more where treated."""

    def change(files: Files) -> None:
        for entry in files["comparison"]["rows"]:
            if entry["family"] not in WITHOUT_MODEL:
                others = 0.5 if entry["arm"] == "none" else 0.501
                costs(entry, cost if entry["arm"] == arm and entry["family"] in TREES else others)

    return change


def policies(cost: float) -> Change:
    def change(files: Files) -> None:
        for name in ("accept_all", "refuse_all"):
            costs(row(files, name), cost)
            files["results"]["business"]["test"][name]["cost_per_client"]["value"] = cost

    return change


def served(place: int) -> Change:
    return lambda files: files["results"].update(family=families(files)[place]["family"])


def slowest(place: int) -> Change:
    return lambda files: families(files)[place].update(fit_seconds=1000.0)


def tuning(content: dict[str, Any] | None) -> Change:
    return lambda files: files["results"].update(tuning=content)


def groups(dimension: str, name: str, content: Any) -> Change:
    def change(files: Files) -> None:
        for group in files["results"]["fairness"][dimension]["groups"]:
            if group["group"] == name:
                group.update(content)

    return change


def predicted(women: float, men: float) -> Change:
    def change(files: Files) -> None:
        for name, value in (("F", women), ("M", men)):
            groups("gender", name, {"predicted_over_observed": {"value": value, "low": 0.5, "high": 1.5}})(files)

    return change


def prices(low: float) -> Change:
    def change(files: Files) -> None:
        for price in files["fairness_price"]["prices"]:
            price |= {name: {"value": 0.02, "low": low, "high": 0.03} for name in ("auc", "cost")}

    return change


def concepts(first: str) -> Change:
    return lambda files: files["results"]["explanations"]["groups"].sort(key=lambda group: group["group"] != first)


def corrections(gain: float) -> Change:
    def change(files: Files) -> None:
        for method in files["results"]["calibration"]["compared"]:
            method |= {"log_loss_gain": gain, "log_loss_gain_error": 0.001}

    return change


def plain(detected: float) -> Change:
    def change(files: Files) -> None:
        for point in files["drift_proof"]["power"]:
            point |= {"detected": 1.0, "evidently": detected}

    return change


def quotable(gain: float) -> Change:
    def change(files: Files) -> None:
        for entry in files["quotable"]["arms"][1:]:
            entry |= {"auc_gain": gain, "auc_gain_error": 0.001, "cost_gain": 0.0, "cost_gain_error": 0.001}

    return change


TUNING = {"gain": 0.0001, "gain_error": 0.001, "trials": 2, "table": [{"log_loss": 0.25}, {"log_loss": 0.24}]}
SOAK = {"requests": 1000, "mib_per_10000_requests": 0.0}
RESULTS: dict[str, tuple[Change, Change]] = {
    "few_features_suffice": (arms(0.0), arms(0.1)),
    "below_oracle": (sets("results", "oracle.out_of_fold_auc", 0.99), sets("results", "oracle.out_of_fold_auc", 0.5)),
    "theory_is_served": (threshold(0), threshold(0.013)),
    "families_alike": (above_best(-0.01), above_best(0.01)),
    "families_beat_policies": (policies(2.0), policies(0.1)),
    "served_family_is_cheapest": (served(0), served(-1)),
    "slowest_is_cheapest": (slowest(0), slowest(-1)),
    "untreated_is_cheapest": (treatment("smote", 0.6), treatment("class_weights", 0.4)),
    "smote_harms_trees": (treatment("smote", 0.6), treatment("smote", 0.5)),
    "saves": (policies(2.0), policies(0.1)),
    "tuned": (tuning(TUNING), tuning(None)),
    "tuning_gains_little": (tuning(TUNING), tuning(TUNING | {"gain": 0.01})),
    "predictions_come_true": (
        sets("results", "metrics.test_predicted_to_observed", 1.01),
        sets("results", "metrics.test_predicted_to_observed", 1.4),
    ),
    "correction_gains": (corrections(0.01), corrections(0.0)),
    "served_as_it_is": (
        sets("results", "calibration.served", {"slope": 1.0, "intercept": 0.0}),
        sets("results", "calibration.served", {"slope": 0.9, "intercept": 0.1}),
    ),
    "women_default_less": (predicted(1.1, 0.9), predicted(0.9, 1.1)),
    "external_scores_first": (concepts("external_scores"), concepts("employment")),
    "lime_agrees": (
        sets("results", "explanations.lime.agreement.sign", 1.0),
        sets("results", "explanations.lime.agreement.sign", 0.8),
    ),
    "reasons_are_true": (
        sets("reasons", "fidelity.both.value", 0.95),
        sets("reasons", "fidelity.both.value", 0.7),
    ),
    "protected_are_free": (prices(-0.01), prices(0.01)),
    "young_below_rule": (
        groups("age", "under 30", {"below_rule": True}),
        groups("age", "under 30", {"below_rule": False}),
    ),
    "quotable_is_free": (quotable(0.0), quotable(-0.1)),
    "memory_is_flat": (sets("benchmarks", "service.soak", SOAK), sets("benchmarks", "service.soak", None)),
    "drift_beats_plain": (plain(0.0), plain(1.0)),
}
"""By condition, changes of the published results that meet it, and that do not."""
KIND = {"synthetic", "real"}


def changed(folder: Path, *changes: Callable[[Files], None]) -> QuotedFigures:
    """Return the figures of a copy of the published results in which something is changed."""
    shutil.copytree(PUBLISHED, folder, dirs_exist_ok=True)
    files = {path.stem: json.loads(path.read_text("utf-8")) for path in PUBLISHED.glob("*.json")}
    for step in changes:
        step(files)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return QuotedFigures(folder)


def texts(figures: QuotedFigures, language: Language) -> list[str]:
    """Return every text of slides and documents, filled in."""
    slides = [
        figures.fill(text, language)
        for slide in DECK
        if slide.only is None or figures.holds(slide.only)
        for text in (getattr(slide.title, language), *getattr(slide.points, language), getattr(slide.notes, language))
    ]
    pages = [
        documents.document(figures, path)
        for path in documents.templates().values()
        if documents.language_of(path) == language
    ]
    return [*slides, *pages]


def raw() -> str:
    """Return slides and templates as they are declared."""
    deck = (Path(layout.__file__).with_name("deck.toml")).read_text("utf-8")
    return "\n".join([deck, *(path.read_text("utf-8") for path in documents.templates().values())])


def test_every_condition_is_turned_by_a_test_and_read_by_a_text():
    named = {name for _, name, _ in CONDITION.findall(raw()) if name} | {slide.only for slide in DECK if slide.only}

    assert set(RESULTS) == set(CONDITIONS) - KIND
    assert named | KIND == set(CONDITIONS)


@pytest.mark.parametrize("condition", RESULTS)
def test_other_results_write_another_sentence(condition: str, tmp_path: Path):
    meeting, other = (changed(tmp_path / str(place), change) for place, change in enumerate(RESULTS[condition]))

    assert meeting.holds(condition)
    assert not other.holds(condition)
    for language in LANGUAGES:
        assert texts(meeting, language) != texts(other, language)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_deck_of_altered_results_fits(
    language: Language, place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(layout, "PICTURE_DPI", 20)
    figures = changed(tmp_path, *(changes[place] for name, changes in RESULTS.items() if name != "tuned"))

    deck = layout.presentation(figures, language)

    shown = [shape.text_frame.text for slide in deck.slides for shape in slide.shapes if shape.has_text_frame]
    assert not [text for text in shown if "{" in text or "?}" in text]


def test_a_model_without_tuning_has_no_slide_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout, "PICTURE_DPI", 20)
    tuned, other = (changed(tmp_path / str(place), change) for place, change in enumerate(RESULTS["tuned"]))

    assert len(layout.presentation(other, "en").slides) == len(layout.presentation(tuned, "en").slides) - 1


def test_a_new_family_is_named_in_slides_and_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def add(files: Files) -> None:
        entry = row(files, "lightgbm") | {"candidate": "spline_blend", "family": "spline_blend"}
        entry |= {"cost_above_best": {"value": 0.0, "low": 0.0, "high": 0.0}, "fit_seconds": 99.0}
        costs(entry, 0.4)
        files["comparison"]["rows"].insert(0, entry)
        files["results"]["family"] = "spline_blend"

    monkeypatch.setattr(layout, "PICTURE_DPI", 20)
    figures = changed(tmp_path, add)

    written = " ".join(texts(figures, "en"))
    assert "Lowest cost: spline blend" in written
    assert "Served: spline blend, with exact reasons" in written
    assert "The model served: spline blend. Only a method" in re.sub(r"\s+", " ", written)
    assert layout.presentation(figures, "fr")


def test_no_slide_and_no_note_names_a_family_by_hand():
    names = {name for pair in FAMILIES.values() for name in pair}
    declared = [text for slide in DECK for text in (slide.title.en, slide.title.fr, *slide.points.en, *slide.points.fr)]
    notes = [path.read_text("utf-8") for path in documents.templates().values() if documents.NOTE in path.name]

    for text in (*declared, *notes):
        assert not [name for name in names if name.lower() in QUOTE.sub("", text).lower()], text


def test_every_quoted_finding_is_quoted_somewhere():
    assert {path.split(".")[0] for name, path, _ in QUOTE.findall(raw()) if name == "findings"} == set(QUOTED)


def test_an_unknown_condition_is_named():
    with pytest.raises(CommandError, match=r"a text names the condition 'no_such': none of below_oracle, "):
        FIGURES.fill("{no_such?text?}", "en")


def test_an_unknown_finding_is_named():
    with pytest.raises(CommandError, match=r"findings\.json holds no no_such"):
        FIGURES.fill("{findings:no_such:s}", "en")


def test_a_family_without_a_name_is_shown_as_it_is_declared():
    assert label("explainable_boosting") == ("explainable boosting", "explainable boosting")
