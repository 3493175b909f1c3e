"""What a strict reading of the law costs: each arm beside the default, and a doubt that matters is found dear."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from research.comparison import price_of_lawful
from research.comparison.price_of_lawful import STRICT, USUAL, by_circumstance
from research.comparison.price_of_quotable import Settings, table
from research.reporting.article_18 import strict_reading
from research.results import LAWFUL_FILE, LawfulStudy, read
from research.training import boosting, cross_fitting
from research.training.feature_selection import Ranking
from research.training.lawful import doubtful_features
from research.types import TrainingMatrix
from tests.research.commands import run_command
from tests.research.made_up import SOURCE, MadeUp

CLIENTS = 2500
NAMES = [
    "application_ext_source_2",
    "application_hour",
    "application_phone_change_years",
    "application_registration_years",
    "application_employed_years",
]
PHONE = "without identity and contact"


@pytest.fixture(scope="module")
def content() -> LawfulStudy:
    """Clients who default more often the later they changed their telephone; the day of registration is noise."""
    random = np.random.default_rng(3)
    score, hour, phone, registration, years = random.random((5, CLIENTS))
    risk = expit(-0.5 - 2 * score - 2.5 * phone - 0.5 * years)
    target = (random.random(CLIENTS) < risk).astype(np.int64)
    columns = [score, np.round(hour * 23), 10 * phone, 10 * registration, 20 * years]
    features = pl.DataFrame(columns, schema=NAMES)
    audit = pl.DataFrame({"gender": ["F"] * CLIENTS, "age_years": [40.0] * CLIENTS, "person": np.arange(CLIENTS)})

    def ranking(data: TrainingMatrix, seed: int) -> Ranking:
        return Ranking(names=[column.name for column in data.columns], noise=[], dropped={})

    quick = boosting.PARAMETERS | {"learning_rate": 0.1, "num_leaves": 7, "feature_fraction": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_fitting, "catalogue_names", lambda with_age, left_out: NAMES)
        data = MadeUp(features, target, audit, risk)
        return price_of_lawful.price_of_lawful(data, Settings(folds=3, seed=1), ranking, quick)


def test_the_strict_reading_is_given_no_doubtful_feature(content: LawfulStudy):
    arms = {arm.arm: arm for arm in content.arms}
    usual, strict = arms[USUAL.name], arms[STRICT.name]

    assert set(strict.doubtful) == doubtful_features()
    assert usual.doubtful == []
    assert (usual.features, strict.features) == (4, 2)  # the hour is left out by default
    assert usual.auc_gain is None
    assert {arm.against for arm in content.arms} == {None, USUAL.name}
    assert {arm.trees for arm in content.arms} == {usual.trees}


def test_a_doubtful_feature_that_matters_is_dear_and_noise_is_not(content: LawfulStudy):
    arms = {arm.arm: arm for arm in content.arms}
    phone, absent = arms[PHONE], arms["without education"]

    assert phone.auc_gain is not None
    assert phone.auc_gain_error is not None
    assert phone.auc_gain < -3 * phone.auc_gain_error
    assert phone.auc_gain == pytest.approx(arms[STRICT.name].auc_gain)
    assert absent.auc_gain == 0


def test_each_circumstance_that_is_given_by_default_is_priced_alone():
    names = {variant.name for variant in by_circumstance()}

    assert {PHONE, "without education", "without family", "without place of living"} <= names
    assert not names & {
        "without conduct while applying",
        "without documents given",
        "without employment",
        "without age",
    }


def test_the_prices_stand_in_the_documents(content: LawfulStudy):
    page, printed = strict_reading(content), "\n".join(table(content.arms))

    for arm in content.arms:
        assert arm.arm in printed
        assert f"| {arm.arm} | {arm.features:.0f} | " in page
    assert content.description in page
    assert strict_reading(None) == "It is not among the published results."


def test_the_command_writes_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: LawfulStudy, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(price_of_lawful, "DATA", tmp_path)
    monkeypatch.setattr(price_of_lawful, "open_data", lambda folder: SOURCE)
    monkeypatch.setattr(price_of_lawful, "price_of_lawful", lambda data, settings: content)

    run_command(price_of_lawful, "--folds", "3")

    assert read(LawfulStudy, tmp_path / "results" / "lawful" / LAWFUL_FILE) == content
    assert "publish it with: python -m research publish lawful" in capsys.readouterr().out
