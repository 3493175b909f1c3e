"""What is published together is of one model and one data; the commands that make it again are stated."""

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from bento.model.manifest import SCORING_FILE
from research.__main__ import COMMANDS
from research.cli import ROOT, CommandError
from research.reporting import article_18, publish
from research.reporting.publish import FULL_SIZE, PUBLISHED, publish_fidelity, results_page
from research.reporting.quoted_figures import QuotedFigures
from research.reporting.runs import ELSEWHERE, OF_DATA, OF_MODEL, of_another_model, runs_beside
from research.reporting.same_again import commands, full_size_commands, train_options
from research.results import (
    COMPARISON_FILE,
    FIDELITY_FILE,
    GATE_FILE,
    PRICE_FILE,
    REASONS_FILE,
    RESULTS_FILE,
    SERVED_FEATURES_FILE,
    TrainingResults,
    read,
)
from research.training.settings import DEFAULTS

BY_DEFAULT = {
    "family": DEFAULTS.family,
    "folds": DEFAULTS.folds,
    "seed_of_training": DEFAULTS.seed,
    "constraints": DEFAULTS.constraints,
    "with_age": DEFAULTS.with_age,
    "lawful": DEFAULTS.lawful,
    "costs": DEFAULTS.cost_model.costs.model_dump(),
    "economics": DEFAULTS.cost_model.economics.model_dump(),
    "tuning": {"trials": DEFAULTS.trials},
    "review": None,
}
"""The part of results.json that the settings of a training decide, where all are the defaults."""


def trained(**changes: object) -> TrainingResults:
    """Return the published results as if they were trained by default but for some settings."""
    content = json.loads((PUBLISHED / RESULTS_FILE).read_text("utf-8"))
    return TrainingResults.model_validate(content | BY_DEFAULT | changes)


def write(path: Path, **content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_the_commands_name_the_clients_and_the_seed_of_the_data():
    made, made_again, published = commands(trained(data="synthetic", clients=1234, seed=56))

    assert made == "python -m research data synth --clients 1234 --seed 56 --out data/published"
    assert made_again.startswith("make fidelity train promote compare ")
    assert made_again.endswith(" DATA=data/published")
    assert published == "python -m research publish --data data/published"


def test_the_commands_for_real_data_make_none():
    checked, made_again, published = commands(trained(data="real", seed=None, oracle=None))

    assert checked == "python -m research data check data/raw"
    assert made_again.startswith("make train promote compare ")
    assert published == "python -m research publish --data data/raw"


def test_every_file_that_is_checked_has_its_target_among_the_commands():
    line = commands(trained())[1]

    assert set(line.split()) >= {*OF_DATA.values(), *OF_MODEL.values(), *ELSEWHERE.values()} - {"rules"}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(f"\n{target}: setup" in makefile for target in line.split()[1:-1])


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, []),
        ({"family": "lightgbm"}, ["--family lightgbm"]),
        ({"family": "linear", "tuning": None}, ["--family linear"]),
        ({"tuning": None}, ["--trials 0"]),
        ({"lawful": "strict"}, ["--lawful strict"]),
        ({"with_age": True, "constraints": False}, ["--no-constraints", "--with-age"]),
        ({"review": {"capacity": 0.1, "served": None, "table": []}}, ["--capacity 0.1"]),
        ({"costs": {"false_negative": 5.0, "false_positive": 1.0}}, ["--cost-false-negative 5"]),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, (list, dict)) else "",
)
def test_settings_of_the_training_are_options_of_the_command(changes: dict[str, object], options: list[str]):
    results = trained(**changes)

    assert train_options(results) == options
    line = next((line for line in commands(results) if " research train " in line), "")
    assert shlex.split(line)[3:] == (
        ["train", "--data", "data/published", *" ".join(options).split()] if options else []
    )
    assert ("train" in commands(results)[-2].split()) is not bool(options)


def test_the_page_of_results_holds_the_commands():
    block, of_full_size = (text.removeprefix("sh\n").splitlines() for text in results_page().split("```")[1::2])

    assert block == commands(read(TrainingResults, PUBLISHED / RESULTS_FILE))
    assert of_full_size == full_size_commands(read(TrainingResults, PUBLISHED / FULL_SIZE / RESULTS_FILE))
    of_research = [line.split()[3:] for line in (*block, *of_full_size) if line.startswith("python -m research")]
    assert all(words[0] in COMMANDS for words in of_research)
    assert of_research[-1][-2:] == ["--full-size", "RUN"]


def test_the_newest_results_of_the_same_data_are_published_with_the_champion(tmp_path: Path):
    shutil.copytree(PUBLISHED, tmp_path / "champion")
    for name in OF_DATA:
        (tmp_path / "champion" / name).unlink(missing_ok=True)
    fingerprint = read(TrainingResults, PUBLISHED / RESULTS_FILE).fingerprint
    write(tmp_path / "old" / COMPARISON_FILE, fingerprint=fingerprint)
    write(tmp_path / "new" / COMPARISON_FILE, fingerprint=fingerprint)
    write(tmp_path / "other" / COMPARISON_FILE, fingerprint="of other data")
    write(tmp_path / "fairness" / PRICE_FILE, fingerprint=fingerprint)
    os.utime(tmp_path / "old" / COMPARISON_FILE, (1, 1))

    assert runs_beside("champion", tmp_path) == ["champion", "new", "fairness"]


def test_a_champion_without_results_is_an_error(tmp_path: Path):
    with pytest.raises((CommandError, OSError), match=r"no_such_run"):
        runs_beside("no_such_run", tmp_path)


def test_files_of_another_model_or_other_data_are_named(tmp_path: Path):
    results = json.loads((PUBLISHED / RESULTS_FILE).read_text())
    same = {key: results[key] for key in ("data", "clients", "seed", "fingerprint", "run")}
    write(tmp_path / RESULTS_FILE, **same)
    for name in (*OF_DATA, *OF_MODEL, *ELSEWHERE):
        write(tmp_path / name, **same)
    (tmp_path / GATE_FILE).write_text(json.dumps(same | {"clients": 7}))
    assert list(of_another_model(tmp_path)) == []

    write(tmp_path / REASONS_FILE, **same | {"run": "another"})
    write(tmp_path / PRICE_FILE, **same | {"fingerprint": "another"})
    write(tmp_path / FIDELITY_FILE, data="synthetic", seed=same["seed"], clients=7)
    (tmp_path / COMPARISON_FILE).unlink()

    assert list(of_another_model(tmp_path)) == [
        "comparison.json: none is published; make compare, then publish again",
        "fairness_price.json: of another model or other data than results.json; make fairness, then publish again",
        "reasons.json: of another model or other data than results.json; make reasons, then publish again",
        "fidelity.json: of another model or other data than results.json; make fidelity, then publish again",
    ]


def test_fidelity_is_published_where_it_was_measured(tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    publish_fidelity(tmp_path / "nowhere", out)
    assert list(out.iterdir()) == []

    write(tmp_path / "small-fidelity" / FIDELITY_FILE, passed=True)
    (tmp_path / "small-fidelity" / "fidelity.png").touch()
    publish_fidelity(tmp_path / "small-fidelity", out)

    assert sorted(path.name for path in out.iterdir()) == [FIDELITY_FILE, "fidelity.png"]


@pytest.fixture
def with_model(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """The published results of a run with another model, and the features of that model."""
    folder, out = tmp_path / "results" / "r", tmp_path / "published"
    shutil.copytree(PUBLISHED, out)
    folder.mkdir(parents=True)
    shutil.copy(PUBLISHED / RESULTS_FILE, folder)
    shutil.copytree(model_folder, folder / "model")
    monkeypatch.setattr(publish, "DATA", tmp_path)
    monkeypatch.setattr(publish, "results_with_test_split", lambda *_: trained(run="r"))
    publish.publish("r", out)
    names = [feature["name"] for feature in json.loads((model_folder / SCORING_FILE).read_text())["features"]]
    return out, names


def test_the_features_of_the_served_model_are_those_of_the_governance_page(with_model: tuple[Path, list[str]]):
    out, names = with_model

    part = article_18.page(QuotedFigures(out)).split("## Features that the published model uses")[1].split("\n## ")[0]

    assert f"Of the {len(names)} features of run `r`," in part
    assert sorted(line.split("`")[1] for line in part.splitlines() if line.startswith("| `")) == sorted(names)


def test_features_of_another_run_are_not_taken_for_those_of_the_model(with_model: tuple[Path, list[str]]):
    out, _ = with_model
    content = json.loads((out / SERVED_FEATURES_FILE).read_text())
    (out / SERVED_FEATURES_FILE).write_text(json.dumps(content | {"run": "former"}))

    assert "Those of run `r` are not among the published results." in article_18.page(QuotedFigures(out))


def test_a_feature_that_the_code_no_longer_has_is_named(with_model: tuple[Path, list[str]]):
    out, _ = with_model
    content = json.loads((out / SERVED_FEATURES_FILE).read_text())
    (out / SERVED_FEATURES_FILE).write_text(json.dumps(content | {"features": ["application_zodiac"]}))

    with pytest.raises(CommandError, match=r"served_features\.json: application_zodiac is no feature of this code"):
        article_18.page(QuotedFigures(out))
