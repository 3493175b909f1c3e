"""The gate, on a separate registry: versions of the pipeline's model, made better, worse or broken."""

import numpy as np
import pytest
from scipy.special import expit

from bento import NAME
from research import tracking
from research.cli import CommandError
from research.data.dataset import Data
from research.registry import promote as gate
from research.registry.promote import promote
from research.registry.rollback import rollback
from tests.support.registry import Register, version_of

SLOPE, RATIO = "calibration slope", "predicted over observed defaults"


def test_better_replaces_worse_refuses_and_rollback_restores(client, register: Register, data: Data):
    register()
    first = promote(data)
    assert first.promoted, first
    assert first.champion is None
    assert {check.name for check in first.checks} >= {"contract", "cost against accept all", "cost against refuse all"}
    assert (version_of(client, "champion"), version_of(client, "previous")) == ("1", None)

    register(threshold=1.0)  # grants everybody
    refused = promote(data)
    assert not refused.promoted
    assert [check.name for check in refused.checks if not check.passed] == ["cost against the champion"]
    assert version_of(client, "champion") == "1"
    tags = client.get_model_version(NAME, "2").tags
    assert tags["gate"] == "refused"
    assert tags["gate_cost_against_the_champion"].startswith("FAILED")

    register()
    assert promote(data).promoted
    assert (version_of(client, "champion"), version_of(client, "previous")) == ("3", "1")
    assert version_of(client, "challenger") is None
    assert client.get_model_version(NAME, "3").tags[tracking.PROMOTED_OVER] == "1"

    left, champion = rollback()
    assert (str(left.version), str(champion.version)) == ("3", "1")
    assert (version_of(client, "champion"), version_of(client, "previous")) == ("1", None)
    assert "rolled_back" in client.get_model_version(NAME, "3").tags
    with pytest.raises(CommandError, match="version 1 is the first champion"):
        rollback()


def test_a_model_that_does_not_answer_its_examples_is_refused(client, register: Register, data: Data):
    register(example={"log_odds": 0.5})
    verdict = promote(data)
    assert not verdict.promoted
    assert [check.name for check in verdict.checks] == ["contract"]
    assert "example 3: log-odds" in verdict.checks[0].found
    assert version_of(client, "champion") is None


@pytest.mark.parametrize(("slope", "intercept", "failed"), [(1, 0, set()), (2, 4, {SLOPE, RATIO}), (1, 1, {RATIO})])
def test_badly_calibrated_probabilities_are_refused(slope: float, intercept: float, failed: set[str]):
    random = np.random.default_rng(1)
    truth = random.normal(-2.5, 1, 5000)
    target = (random.random(5000) < expit(truth)).astype(np.int64)
    checks = gate._calibration(target, expit(slope * truth + intercept))
    assert {check.name for check in checks if not check.passed} == failed


def test_models_of_different_data_need_the_option_new_data(client, register: Register, data: Data):
    old = register(source="real:0123456789abcdef")
    client.set_registered_model_alias(NAME, tracking.CHAMPION, old.version)
    with pytest.raises(CommandError, match=r"was trained on real:0123456789abcdef, --data is synthetic:"):
        promote(data)
    register()
    with pytest.raises(CommandError, match=r"other data .* --new-data judges the challenger alone"):
        promote(data)
    verdict = promote(data, new_data=True)
    assert verdict.promoted
    assert verdict.champion is None
    assert (version_of(client, "champion"), version_of(client, "previous")) == ("2", "1")


def test_champion_that_another_process_moved_stays(client, register: Register, data: Data, monkeypatch):
    register()
    promote(data)
    register()
    register()
    judge = gate._cost

    def meanwhile(*arguments):
        client.set_registered_model_alias(NAME, tracking.CHAMPION, "2")
        return judge(*arguments)

    monkeypatch.setattr(gate, "_cost", meanwhile)
    with pytest.raises(CommandError, match="the champion is now version 2, no longer 1: nothing was moved"):
        promote(data)
    assert (version_of(client, "champion"), version_of(client, "challenger")) == ("2", "3")
