"""What rules cost: counted by hand on eight clients, and on a trained model."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bento.model.manifest import DataSource
from bento.model.scoring_model import ScoringModel
from bento.policy import DEFAULT_COSTS
from bento.rules.check import Rules
from bento.rules.measures import APPLICATION_COLUMNS, HISTORY_FEATURES, Inputs
from bento.rules.rulebook import Rule, Rulebook, RuleText
from research.cli import CommandError
from research.data.dataset import Data
from research.evaluation.review_band import REVIEWER_ERRORS
from research.evaluation.rule_prices import (
    TOGETHER,
    Decided,
    lines,
    price_rules,
    price_run,
    rule_inputs,
    rule_metrics,
    write_prices,
)
from research.results import OUT_OF_FOLD_FILE, RULES_FILE, RulePrices, read

CREDITS = [100, 200, 300, 400, 500, 600, 700, 800]
TARGET = np.array([0, 0, 0, 1, 0, 1, 0, 1])
REFUSED = np.array([0, 0, 0, 0, 0, 0, 1, 1]) == 1
SOURCE = DataSource(data="synthetic", clients=8, seed=1, fingerprint="0" * 64).model_dump() | {"run": "made up"}


def _rule(code: str, outcome: str, **settings: object) -> Rule:
    text = RuleText(en=code, fr=code)
    return Rule(code=code, outcome=outcome, measures=("AMT_CREDIT",), text=text, **settings)  # type: ignore[arg-type]


def _decided() -> Decided:
    columns = {name: [None] * len(CREDITS) for name in APPLICATION_COLUMNS} | {"AMT_CREDIT": CREDITS}
    inputs = Inputs(columns.__getitem__, len(CREDITS))
    return Decided(inputs=inputs, target=TARGET, refused=REFUSED)


@pytest.fixture(scope="module")
def prices() -> RulePrices:
    rules = (
        _rule("reviewed", "review", maximum=450),  # clients 5 to 8; the model grants 5 and 6
        _rule("refused", "refused", minimum=250),  # clients 1 and 2
        _rule("off", "review", on=False, maximum=1),
        _rule("never", "review", maximum=1e9),
    )
    rulebook = Rulebook(income_months=1, usual_margin=0, rules=rules)
    return price_rules(Rules(rulebook, {}), _decided(), DEFAULT_COSTS, SOURCE)


def test_a_review_costs_what_reviewers_get_wrong_of_those_the_model_grants(prices: RulePrices):
    price = prices.row("reviewed").out_of_fold
    assert (price.clients, price.applies, price.stops) == (8, 4, 2)
    assert price.default_rate == 2 / 4
    assert price.default_rate_of_stopped == 1 / 2
    # Of the two whom the model grants one defaults, for 10; a reviewer wrong in a share e costs e * 10 and e * 1.
    expected = [(error * 11 - 10) / 8 for error in REVIEWER_ERRORS]
    assert [change.cost_change.value for change in price.changes] == pytest.approx(expected)


def test_a_refusal_costs_the_good_clients_it_stops(prices: RulePrices):
    price = prices.row("refused").out_of_fold
    assert (price.applies, price.stops, price.default_rate) == (2, 2, 0)
    assert [change.cost_change.value for change in price.changes] == pytest.approx([2 / 8] * len(REVIEWER_ERRORS))


def test_rules_are_priced_together_by_the_stricter_outcome(prices: RulePrices):
    price = prices.row(TOGETHER).out_of_fold
    assert (price.applies, price.stops) == (6, 4)
    expected = [(2 + error * 11 - 10) / 8 for error in REVIEWER_ERRORS]
    assert [change.cost_change.value for change in price.changes] == pytest.approx(expected)


def test_a_rule_that_is_off_is_priced_but_not_among_the_others(prices: RulePrices):
    row = prices.row("off")
    assert not row.on
    assert row.out_of_fold.applies == 8
    assert prices.row(TOGETHER).out_of_fold.applies == 6


def test_a_rule_that_never_applies_changes_nothing(prices: RulePrices):
    price = prices.row("never").out_of_fold
    assert (price.applies, price.default_rate) == (0, None)
    assert {change.cost_change.value for change in price.changes} == {0}


def test_the_share_that_rules_stop_is_a_metric(prices: RulePrices):
    assert rule_metrics(prices)["out_of_fold_stopped_by_rules_share"] == 4 / 8


def test_prices_are_written_and_read_again(prices: RulePrices, tmp_path: Path):
    write_prices(prices, tmp_path)
    assert read(RulePrices, tmp_path / RULES_FILE) == prices


def test_the_printed_table_has_a_line_for_each_rule(prices: RulePrices):
    printed = "\n".join(lines(prices))
    assert [line.split()[0] for line in printed.splitlines()[2:]] == ["reviewed", "refused", "off", "never", TOGETHER]
    assert "review, off" in printed


# On a model


@pytest.fixture
def results(model_folder: Path, data: Data, tmp_path: Path) -> Path:
    """A run's folder with the small model and out-of-fold scores."""
    rows, model = data.rows("development"), ScoringModel(model_folder)
    scores = {"target": rows.target, "probability": model.probability(rows.features)}
    frame = pl.DataFrame({**scores, "fold": np.arange(len(rows.target)) % 3})
    shutil.copytree(model_folder, tmp_path / "run" / "model")
    frame.write_parquet(tmp_path / "run" / OUT_OF_FOLD_FILE)
    return tmp_path / "run"


def test_the_rules_of_a_run_are_priced_on_its_clients(results: Path, data: Data):
    rulebook = Rulebook.read()
    prices = price_run(results, data, rulebook)
    assert [row.code for row in prices.table] == [*(rule.code for rule in rulebook.rules), TOGETHER]
    assert prices.rules_version == rulebook.version
    features = data.rows("development").features
    rules = Rules(rulebook, ScoringModel(results / "model").reference.usual)
    hits = rules.hits(rule_inputs(data, "development", features, rulebook))
    assert prices.row(TOGETHER).out_of_fold.applies == sum(map(bool, hits)) > 0
    for rule in rulebook.active("review"):
        counted = sum(rule.code in [hit.code for hit in of_client] for of_client in hits)
        assert prices.row(rule.code).out_of_fold.applies == counted
    assert prices.row("age").out_of_fold.applies == prices.row("before_birth").out_of_fold.applies == 0


def test_pensioners_keep_their_code_for_no_employment(data: Data):
    features = data.rows("development").features
    inputs = rule_inputs(data, "development", features, Rulebook.read())
    assert inputs.is_known("DAYS_EMPLOYED").mean() > 0.99
    assert features.select(HISTORY_FEATURES).columns == list(HISTORY_FEATURES)


def test_prices_need_a_finished_run(results: Path, data: Data):
    (results / OUT_OF_FOLD_FILE).unlink()
    with pytest.raises(CommandError, match="no such file; name a finished run by --run"):
        price_run(results, data, Rulebook.read())


def test_prices_need_the_data_of_the_run(results: Path, data: Data):
    manifest = json.loads((results / "model" / "scoring.json").read_text())
    manifest["training_data"]["fingerprint"] = "f" * 64
    (results / "model" / "scoring.json").write_text(json.dumps(manifest))
    with pytest.raises(CommandError, match="not the data that run was trained on"):
        price_run(results, data, Rulebook.read())
