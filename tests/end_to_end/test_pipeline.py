"""What the pipeline leaves behind beside its model: a Bento, and results that can be published."""

import re
from pathlib import Path

import bentoml

from bento.rules.rulebook import Rulebook
from research.data.dataset import Data
from research.reporting.model_card import model_card
from research.reporting.publish import (
    BEGIN,
    END,
    FULL_SIZE,
    headline,
    publish,
    publish_full_size,
    results_table,
    write_readme,
)
from research.results import RESULTS_FILE
from research.tracking import champion, connect


def test_the_bento_has_a_short_manifest(bento_tag: str):
    assert bentoml.bentos.get(bento_tag).info.schema == {}


def test_the_bento_holds_the_rules_of_the_project(bento_tag: str):
    packed = Path(bentoml.bentos.get(bento_tag).path_of("src/bento/rules/rules.toml"))
    assert Rulebook.read(packed) == Rulebook.read()


def test_publishing_a_run_replaces_the_figures_of_the_readme(bento_tag: str, synthetic_folder: Path, tmp_path: Path):
    out = publish(champion(connect()).run_id, tmp_path / "results", synthetic_folder)
    assert {path.name for path in out.iterdir()} >= {
        "results.json",
        "rules.json",
        "roc.png",
        "cost_curve.png",
        "review.png",
    }
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_readme(out, readme)
    assert readme.read_text() == f"before\n{BEGIN}\n{headline(out)}\n{END}\nafter\n"
    assert "1,500 clients, seed 1" in headline(out)
    assert "1,500 clients, seed 1" in results_table(out)
    assert "The test split was opened once for this data" in results_table(out)
    publish_full_size(champion(connect()).run_id, synthetic_folder, out)
    assert (out / FULL_SIZE / RESULTS_FILE).read_text() == (out / RESULTS_FILE).read_text()
    assert "## The same training on 1,500 clients" in results_table(out)
    card = model_card(out)
    gate = int((Data(synthetic_folder).splits == "gate").sum())
    assert f"on {gate} clients that nothing else reads: promoted" in card
    assert "| F, 30-39 |" in card
    assert f"`bento/rules/rules.toml`, version `{Rulebook.read().version}`" in card
    assert "| affordability | review |" in card
    assert re.search("As served, .* is reviewed", card)
