"""Reweighing, on made-up clients whose default depends on age: what it buys in approvals, and what that costs."""

import numpy as np
import pytest

from research.cli import FAULT
from research.comparison import mitigation
from research.comparison.mitigation import plot_mitigation, price_of_mitigation, weights
from research.reporting import publish
from research.reporting.card_fairness import mitigation_part
from research.results import MITIGATION_FILE, Mitigation, read
from research.training import boosting, cross_fitting
from tests.research.commands import run_command
from tests.research.made_up import CLIENTS, NAMES, MadeUp, is_drawn, made_up_clients

PROXY = "application_employed_years"


@pytest.fixture(scope="module")
def clients() -> MadeUp:
    """Clients of whom the model is given a feature that follows age, and not age itself."""
    made_up = made_up_clients()
    noise = np.random.default_rng(2).normal(0, 3, CLIENTS)
    proxy = made_up.features["application_age_years"] - 21 + noise
    made_up.features = made_up.features.with_columns(proxy.alias(PROXY))
    return made_up


@pytest.fixture(scope="module")
def content(clients: MadeUp) -> Mitigation:
    quick = boosting.PARAMETERS | {"learning_rate": 0.1, "num_leaves": 7, "feature_fraction": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_fitting, "catalogue_names", lambda with_age: [*NAMES, PROXY])
        return price_of_mitigation(
            clients,
            mitigation.Settings(folds=3, seed=1),
            choose=lambda data, seed: [column.name for column in data.columns],
            parameters=quick,
        )


def test_weights_make_group_and_outcome_independent():
    random = np.random.default_rng(1)
    young = random.random(5_000) < 0.2
    target = (random.random(5_000) < np.where(young, 0.3, 0.1)).astype(np.int64)

    weight = weights(target, young, 1.0)

    rates = [np.average(target[group], weights=weight[group]) for group in (young, ~young)]
    assert rates == pytest.approx([target.mean()] * 2)
    assert weight[young].sum() / weight.sum() == pytest.approx(young.mean())
    assert (weights(target, young, 0.0) == 1).all()


def test_stronger_weights_approve_more_young_clients(content: Mitigation):
    ratios = [arm.approval_ratio.value for arm in content.arms]

    assert [arm.strength for arm in content.arms] == [0, 0.5, 1, 2]
    assert ratios == sorted(ratios)
    gain = content.arms[2].ratio_gain
    assert gain.value == pytest.approx(ratios[2] - ratios[0])
    assert gain.low > 0


def test_approvals_are_paid_for_in_ranking_and_in_true_probabilities(content: Mitigation):
    default, full, over = content.arms[0], content.arms[2], content.arms[3]

    assert full.cost_change.value == pytest.approx(full.cost - default.cost)
    assert over.auc_gain < -over.auc_gain_error
    assert default.predicted_over_observed.low < 1 < default.predicted_over_observed.high
    assert over.predicted_over_observed.high < default.predicted_over_observed.value


def test_all_arms_have_the_same_trees_and_clients(content: Mitigation, clients: MadeUp):
    young = (clients.audit["age_years"] < 30).sum()

    assert len({arm.trees for arm in content.arms}) == 1
    assert (content.development_clients, content.young_clients) == (CLIENTS, young)


def test_the_mitigation_is_in_the_card(content: Mitigation):
    part = " ".join(mitigation_part(content).split())

    first, full = content.arms[0].approval_ratio, content.arms[2]
    assert f"| 0 | {first.value:.3f} ({first.low:.3f} to {first.high:.3f}) |" in part
    assert f"{full.cost_change.value:+.4f} ({full.cost_change.low:+.4f} to" in part
    assert "Nothing of it is served" in part
    assert mitigation_part(None) == ""


def test_the_command_writes_what_publish_copies(clients, content, monkeypatch, tmp_path, capsys):
    for module in (mitigation, publish):
        monkeypatch.setattr(module, "DATA", tmp_path)
    monkeypatch.setattr(mitigation, "open_data", lambda folder: clients)
    monkeypatch.setattr(mitigation, "price_of_mitigation", lambda data, settings: content)

    assert run_command(mitigation) == 0

    published = publish.publish("mitigation", tmp_path / "published")
    assert read(Mitigation, published / MITIGATION_FILE) == content
    assert is_drawn(published / "mitigation.png")
    assert "under 30" in capsys.readouterr().out


def test_the_picture_has_a_point_for_each_strength(content: Mitigation):
    texts = {text.get_text() for text in plot_mitigation(content).axes[0].texts}

    assert texts == {"0", "0.5", "1", "2"}


def test_a_single_fold_is_refused(capsys):
    assert run_command(mitigation, "--folds", "1") == FAULT
    assert "--folds must be at least 2" in capsys.readouterr().err
