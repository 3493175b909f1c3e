import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from research.comparison import price_of_quotable
from research.comparison.price_of_quotable import (
    ALL_FEATURES,
    COMBINED,
    SINGLE,
    Settings,
    Variant,
    is_cheap,
    lines,
    plot_prices,
    together,
    without_dearest,
)
from research.results import QUOTABLE_FILE, QuotableStudy, read
from research.training import boosting, cross_fitting
from research.training.feature_selection import Ranking
from research.training.quoted import families
from research.types import TrainingMatrix
from tests.research.commands import run_command
from tests.research.made_up import SOURCE, MadeUp, is_drawn

CLIENTS = 2500
NAMES = [
    "application_ext_source_2",
    "application_document_3",
    "application_hour",
    "application_employed_years",
    "installments_days_early_mean",
]
FREE = {"auc_gain": 0.0, "auc_gain_error": 0.0, "cost_gain": 0.0, "cost_gain_error": 0.0}


@pytest.fixture(scope="module")
def clients() -> MadeUp:
    """Clients whose risk depends on a document, and rises with the days that they pay early; the hour is noise."""
    random = np.random.default_rng(2)
    score, hour, years = random.random((3, CLIENTS))
    document, early = (random.random(CLIENTS) < 0.5).astype(float), random.normal(5, 4, CLIENTS)
    risk = expit(-1.8 - 2 * score + 1.8 * document + 0.2 * (early - 5) - 0.5 * years)
    target = (random.random(CLIENTS) < risk).astype(np.int64)
    features = pl.DataFrame([score, document, np.round(hour * 23), 20 * years, early], schema=NAMES)
    audit = pl.DataFrame({"gender": ["F"] * CLIENTS, "age_years": [40.0] * CLIENTS, "person": np.arange(CLIENTS)})
    return MadeUp(features, target, audit, risk)


@pytest.fixture(scope="module")
def content(clients: MadeUp) -> QuotableStudy:
    def ranking(data: TrainingMatrix, seed: int) -> Ranking:
        return Ranking(names=[column.name for column in data.columns], noise=[], dropped={})

    quick = boosting.PARAMETERS | {"learning_rate": 0.1, "num_leaves": 7, "feature_fraction": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_fitting, "catalogue_names", lambda with_age, left_out: NAMES)
        return price_of_quotable.price_of_quotable(clients, Settings(folds=3, seed=1), ranking, quick)


def test_each_arm_is_priced_against_the_model_of_all_features(content: QuotableStudy):
    arms = {arm.arm: arm for arm in content.arms}

    assert list(arms)[: 1 + len(SINGLE) + len(COMBINED)] == [item.name for item in (ALL_FEATURES, *SINGLE, *COMBINED)]
    base, without = arms[ALL_FEATURES.name], arms["without documents"]
    assert base.auc_gain is None
    assert {arm.against for arm in content.arms} == {None, ALL_FEATURES.name}
    assert {arm.trees for arm in content.arms} == {base.trees}
    assert (base.features, without.features) == (len(NAMES), len(NAMES) - 1)
    assert without.auc_gain == pytest.approx(without.auc - base.auc)
    assert without.cost_gain == pytest.approx(base.cost - without.cost)
    assert without.auc_gain < -5 * without.auc_gain_error  # the document matters, by construction
    assert arms["directions: quoted"].auc_gain < -3 * arms["directions: quoted"].auc_gain_error


def test_what_adds_nothing_is_left_out_and_what_matters_stays(content: QuotableStudy):
    assert "documents" not in content.left_out
    assert content.directions != "quoted"
    assert {"building", "acquaintances"} <= set(content.left_out)  # no feature of theirs is among those of the model


def test_what_is_decided_was_fitted_and_is_cheap(content: QuotableStudy):
    last = content.arms[-1]

    assert (last.left_out, last.directions) == (content.left_out, content.directions)
    assert is_cheap(last.model_dump())
    assert last.arm.startswith("together, with documents")
    tried = [arm for arm in content.arms if arm.arm.startswith("together")]
    assert len(tried[0].left_out) == len(families())
    assert not any(is_cheap(arm.model_dump()) for arm in tried[:-1])


@pytest.mark.parametrize(
    ("change", "cheap"),
    [
        ({}, True),
        ({"auc_gain": -0.001, "auc_gain_error": 0.001}, True),
        ({"auc_gain": -0.0011, "auc_gain_error": 0.001}, False),
        ({"cost_gain": -0.003, "cost_gain_error": 0.003}, True),
        ({"cost_gain": -0.0031, "cost_gain_error": 0.003}, False),
        ({"auc_gain": 0.1, "cost_gain": -0.1}, False),
    ],
)
def test_a_change_is_cheap_within_a_standard_error_of_both(change: dict[str, float], cheap: bool):
    assert is_cheap(FREE | change) is cheap


def test_changes_are_joined_and_the_dearest_is_dropped_first():
    declared, quoted_only, building, documents = (SINGLE[0], SINGLE[1], *_without("building", "documents"))
    rows = {
        declared: FREE,
        quoted_only: FREE | {"auc_gain": -0.5, "auc_gain_error": 1.0},
        building: FREE,
        documents: FREE | {"cost_gain": -0.9, "cost_gain_error": 1.0},
    }

    joined = together([quoted_only, building, documents])

    assert (joined.left_out, joined.directions) == (("building", "documents"), "quoted")
    assert without_dearest([quoted_only, building, documents], rows) == [quoted_only, building]
    assert without_dearest([quoted_only, building], rows) == [declared, building]
    assert without_dearest([declared], rows) == []


def _without(*families: str) -> list[Variant]:
    return [next(change for change in SINGLE if change.left_out == (family,)) for family in families]


def test_prices_are_drawn_and_printed(content: QuotableStudy, tmp_path: Path):
    plot_prices(content, tmp_path / "prices.png")

    assert is_drawn(tmp_path / "prices.png")
    printed = "\n".join(lines(content))
    assert all(arm.arm in printed for arm in content.arms)
    assert f"left out: {', '.join(content.left_out)}" in printed


def test_the_command_writes_what_publish_copies(content: QuotableStudy, synthetic_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(price_of_quotable, "DATA", tmp_path)
    monkeypatch.setattr(price_of_quotable, "price_of_quotable", lambda data, settings: content)

    assert run_command(price_of_quotable, "--data", str(synthetic_folder)) == 0

    folder = tmp_path / "results" / "quotable"
    assert read(QuotableStudy, folder / QUOTABLE_FILE) == content
    assert json.loads((folder / QUOTABLE_FILE).read_text())["clients"] == SOURCE.clients
    assert is_drawn(folder / "quotable.png")
