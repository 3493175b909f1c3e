"""The page on the model, and the page on drift; service and folders are those of a test."""

import copy
import html
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from streamlit.testing.v1 import AppTest

from bento.features.definitions import GROUP_LABELS, Group
from tests.ui.model import MODEL, RESULTS
from tests.ui.stand_in import Service, problem
from tests.ui.steps import plain, speak, texts
from ui import drift_runs, messages, model_facts

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of results, as the page is set to read it."""
    folder = tmp_path / "project" / "research" / "results"
    folder.mkdir(parents=True)
    monkeypatch.setenv("UI_RESULTS", str(folder))
    (folder / "results.json").write_text(json.dumps(RESULTS))
    return folder


@pytest.fixture
def model_page(page, service: Service):
    def open_page(**options: Any) -> AppTest:
        return page(**options).switch_page("views/model.py").run()

    service.answers["/model"] = (200, copy.deepcopy(MODEL))
    return open_page


def tables(page: AppTest) -> list[str]:
    return [plain(table.value.to_string()) for table in page.table]


def test_the_model_is_described_with_its_measures(model_page, results: Path):
    opened = model_page()

    shown = texts(opened)
    assert "d'après 1 données" in shown
    assert "coûte 10 fois plus" in shown
    assert "autre modèle que celui qui décide" not in shown
    assert "Pente de calibration : 0,96 (0,95 à 0,97)" in shown
    measures, curve, themes, features, costs, thresholds, fairness = tables(opened)
    assert "0,750" in measures
    assert "0,740 à 0,760" in measures
    assert "525" in curve
    assert "3,1 % (2,1 % à 4,1 %)" in curve
    assert "scores externes" in themes
    assert "75,0 %" in themes
    assert "moyenne des scores" in features
    assert "tout refuser" in costs
    assert "16,7 %" in thresholds
    assert "moins de 30 ans" in fairness
    assert "20,0 % (19,0 % à 21,0 %)" in fairness
    (too_few,) = (line for line in fairness.splitlines() if "non précisé" in line)
    assert too_few.count("trop peu de clients") == 3


def test_the_curve_is_that_of_the_calibration_that_is_served(model_page, results: Path):
    calibration = RESULTS["calibration"] | {"served": {"slope": 0.9, "intercept": -0.1}}
    (results / "results.json").write_text(json.dumps(RESULTS | {"calibration": calibration}))

    shown = tables(model_page())

    assert "2,2 % (1,2 % à 3,2 %)" in shown[1]


def test_results_without_a_curve_show_none(model_page, results: Path):
    calibration = {"served": {"slope": 1.0, "intercept": 0.0}}
    (results / "results.json").write_text(json.dumps(RESULTS | {"calibration": calibration}))

    opened = model_page()

    assert "Pente de calibration" in texts(opened)
    assert len(tables(opened)) == 6


def test_before_the_test_split_is_opened_figures_are_out_of_fold(model_page, results: Path):
    renamed = {
        part: {name.replace("test", "out_of_fold"): figures for name, figures in RESULTS[part].items()}
        for part in ("metrics", "intervals", "business")
    }
    (results / "results.json").write_text(json.dumps(RESULTS | renamed))

    opened = model_page()

    assert "chacun noté par un modèle qui ne l'avait pas vu" in texts(opened)
    assert "mis de côté" not in texts(opened)
    measures, _, _, _, costs, *_ = tables(opened)
    assert "0,740 à 0,760" in measures
    assert "tout refuser" in costs


@pytest.mark.parametrize(
    "change",
    [{"fingerprint": "f2"}, {"metrics": RESULTS["metrics"] | {"test_auc": 0.7500001}}],
    ids=["data", "measure"],
)
def test_results_of_another_model_are_called_so(model_page, results: Path, change: dict[str, Any]):
    (results / "results.json").write_text(json.dumps(RESULTS | change))
    assert "autre modèle que celui qui décide" in texts(model_page())


def test_a_feature_of_another_model_has_no_english_label_on_the_french_page(model_page, results: Path):
    explanations = copy.deepcopy(RESULTS["explanations"])
    explanations["features"].append(explanations["features"][0] | {"feature": "other", "label": "Kind of employer"})
    (results / "results.json").write_text(json.dumps(RESULTS | {"explanations": explanations}))

    assert not any("Kind of employer" in table for table in tables(model_page()))


def test_a_review_band_is_named(model_page, results: Path, service: Service):
    service.answers["/model"] = (200, MODEL | {"review_band": {"low": 0.07, "high": 0.2}})
    assert "Entre 7,0 % et 20,0 %, une personne décide." in texts(model_page())


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "ne sont pas installés"), ("{", "ne peuvent pas être lus"), ("{}", "ne peuvent pas être lus")],
)
def test_results_that_are_missing_or_broken_are_told(model_page, results: Path, content: str | None, words: str):
    (results / "results.json").unlink()
    if content is not None:
        (results / "results.json").write_text(content)
    opened = model_page()
    assert words in texts(opened)
    assert "Le modèle credit\\_scoring, version 3" in texts(opened)


def test_a_service_that_is_down_is_told(model_page, service: Service):
    service.answers["/model"] = (503, problem(503))
    assert "ne peut pas répondre pour le moment" in texts(model_page())


def test_the_page_on_the_model_speaks_english(model_page, results: Path):
    shown = texts(speak(model_page(), "en"))
    assert "The model that decides" in shown
    assert "Calibration slope: 0.96 (0.95 to 0.97)" in shown


def test_the_card_is_shown_without_its_pictures(model_page, results: Path):
    (results / "MODEL_CARD.md").write_text("# Card\n![curve](curve.png)\nwhat it is for")
    shown = texts(model_page())
    assert "what it is for" in shown
    assert "curve.png" not in shown


def test_the_published_results_are_read():
    published = model_facts.results(ROOT / "research" / "results")
    assert published is not None
    assert published.explanations is not None
    assert model_facts.card(ROOT / "research" / "results") is not None


def test_each_theme_of_the_features_has_its_words():
    for group in get_args(Group):
        words = messages.MESSAGES[f"model_theme_{group}"]
        assert {language: words[language].lower() for language in words} == {
            language: label.lower() for language, label in GROUP_LABELS[group].items()
        }


# Drift


RUN: dict[str, Any] = {
    "kind": "report",
    "created": "2026-11-25T09:41:07Z",
    "verdict": "drift",
    "exit_code": 1,
    "sentence": {"en": "The *income* has drifted.", "fr": "Le *revenu* a dérivé."},
    "html": "a/drift.html",
    "json": "a/drift.json",
    "markdown": "a/drift.md",
}
QUIET: dict[str, Any] = RUN | {"kind": "watch", "created": "2026-11-20T09:41:07Z", "exit_code": 0, "html": None}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, as the page is set to read it."""
    folder = tmp_path / "drift"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "drift.html").write_text('<html><body>"the report" & more</body></html>')
    (folder / "index.json").write_text(json.dumps([QUIET, RUN]))
    monkeypatch.setenv("UI_DRIFT", str(folder))
    return folder


@pytest.fixture
def drift_page(page):
    def open_page(**options: Any) -> AppTest:
        return page(**options).switch_page("views/drift.py").run()

    return open_page


def test_the_last_run_is_the_state_of_the_alarm(drift_page, runs: Path):
    opened = drift_page()
    (alarm,) = opened.error
    assert plain(alarm.value) == "Alerte du 25/11/2026 à 09:41 (UTC). Le \\*revenu\\* a dérivé."
    assert [plain(option) for option in opened.radio(key="drift_run").options] == [
        "25/11/2026 à 09:41 (UTC) · données · ✖ alerte",
        "20/11/2026 à 09:41 (UTC) · surveillance · ✔ rien à signaler",
    ]


def test_a_run_without_a_report_is_its_sentence(drift_page, runs: Path):
    opened = drift_page()
    opened.radio(key="drift_run").set_value(1).run()
    assert "n'a pas de rapport à afficher" in texts(opened)


def test_a_quiet_run_is_no_alarm_and_an_old_one_is_called_old(drift_page, runs: Path):
    (runs / "index.json").write_text(json.dumps([QUIET | {"created": "2020-01-01T00:00:00Z"}]))
    opened = drift_page()
    assert opened.success
    assert "Ce dernier contrôle date de" in texts(opened)


@pytest.mark.parametrize(("content", "words"), [(None, "Aucun rapport"), ("[]", "Aucun rapport"), ("{", "ne peut pas")])
def test_a_list_that_is_missing_empty_or_broken_is_told(drift_page, runs: Path, content: str | None, words: str):
    (runs / "index.json").unlink()
    if content is not None:
        (runs / "index.json").write_text(content)
    assert words in texts(drift_page())


def test_a_report_that_is_gone_or_elsewhere_is_told(drift_page, runs: Path):
    for path in ("gone.html", "../secret.html"):
        (runs / "index.json").write_text(json.dumps([RUN | {"html": path}]))
        assert "Ce rapport ne peut pas être ouvert" in texts(drift_page())


def test_a_report_runs_apart_and_loads_nothing():
    framed = drift_runs.framed('<script>alert("x")</script>', 'a "title"')
    assert 'sandbox="allow-scripts"' in framed
    assert "allow-same-origin" not in framed
    assert "<script>" not in framed
    assert "default-src &#x27;none&#x27;" in framed
    assert 'title="a &quot;title&quot;"' in framed
    assert html.unescape(framed).endswith('<script>alert("x")</script>"></iframe></body></html>')


def test_the_page_on_drift_speaks_english(drift_page, runs: Path):
    shown = texts(speak(drift_page(), "en"))
    assert "The \\*income\\* has drifted." in shown
