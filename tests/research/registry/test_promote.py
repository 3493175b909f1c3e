"""The gate, on a separate registry: versions of the pipeline's model, made better, worse or broken."""

import pytest

from bento import NAME
from research import tracking
from research.cli import CommandError
from research.data.dataset import Data
from research.registry import checks
from research.registry import promote as gate
from research.registry.promote import promote
from research.registry.rollback import rollback
from research.results import GateResult
from tests.support.registry import Register, version_of

pytestmark = pytest.mark.end_to_end


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


def test_models_of_different_data_need_the_option_new_data(client, register: Register, data: Data):
    old = register(source="real:0123456789abcdef")
    client.set_registered_model_alias(NAME, tracking.CHAMPION, old.version)
    with pytest.raises(CommandError, match=r"was trained on real:0123456789abcdef, --data is synthetic:"):
        promote(data)
    register()
    with pytest.raises(CommandError, match=r"other data .* --new-data judges both on the challenger's data"):
        promote(data)
    verdict = promote(data, new_data=True)
    assert verdict.promoted
    assert verdict.champion == "1"
    assert (version_of(client, "champion"), version_of(client, "previous")) == ("2", "1")


def test_models_of_different_splits_need_the_option_new_data(client, register: Register, data: Data):
    # Among the clients that judge both are some that the champion was trained on.
    old = register()
    client.set_registered_model_alias(NAME, tracking.CHAMPION, old.version)
    client.set_model_version_tag(NAME, old.version, tracking.SPLITS_TAG, "splits/1")
    register()

    with pytest.raises(CommandError, match=r"trained with other splits \(splits/1\) than .* \(splits/2\)"):
        promote(data)


def test_a_challenger_of_other_splits_is_not_judged(client, register: Register, data: Data):
    challenger = register()
    client.set_model_version_tag(NAME, challenger.version, tracking.SPLITS_TAG, "splits/1")

    with pytest.raises(
        CommandError, match=r"other splits \(splits/1\) .* may have seen clients of the gate; train again"
    ):
        promote(data)


def failed(verdict: GateResult) -> list[str]:
    return [check.name for check in verdict.checks if not check.passed]


@pytest.mark.parametrize("new_data", [False, True])
def test_too_few_defaults_keep_a_champion_that_can_serve(
    new_data: bool, client, register: Register, data: Data, monkeypatch: pytest.MonkeyPatch
):
    register()
    promote(data)
    register()
    monkeypatch.setattr(checks, "MIN_DEFAULTS", 100)

    assert failed(promote(data, new_data=new_data)) == ["defaults to judge by"]
    assert version_of(client, "champion") == "1"


def test_a_champion_that_cannot_serve_is_replaced_by_few_defaults(
    client, register: Register, data: Data, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    broken = register(example={"log_odds": 0.5})
    client.set_registered_model_alias(NAME, tracking.CHAMPION, broken.version)
    register()
    monkeypatch.setattr(checks, "MIN_DEFAULTS", 100)

    verdict = promote(data)

    assert (verdict.promoted, verdict.champion) == (True, None)
    assert "version 1 is not compared, as this code cannot serve it: " in caplog.text


def test_other_challengers_of_one_champion_are_counted(client, register: Register, data: Data):
    register()
    promote(data)
    for _ in range(2):
        register(threshold=1.0)
        promote(data)
        promote(data)  # the same challenger again is no further attempt
    register()

    (cost,) = (check for check in promote(data).checks if check.name == "cost against the champion")

    assert cost.found.endswith("; attempt 3 against this champion")


def test_a_row_of_dearer_champions_is_judged_by_the_best(
    client, register: Register, data: Data, monkeypatch: pytest.MonkeyPatch
):
    register()
    promote(data)
    with monkeypatch.context() as patch:
        patch.setattr(checks, "MARGIN_IN_HALF_WIDTHS", 100.0)
        dearer = register(threshold=1.0)  # grants everybody
        assert promote(data, margin=10.0).promoted
    assert client.get_model_version(NAME, dearer.version).tags[tracking.BEST_CHAMPION] == "1"
    register(threshold=1.0)

    verdict = promote(data)

    assert failed(verdict) == ["cost against the best champion so far"]
    assert verdict.champion == "2"


def test_champion_that_another_process_moved_stays(client, register: Register, data: Data, monkeypatch):
    register()
    promote(data)
    register()
    register()
    judge = gate._judge

    def meanwhile(*arguments):
        client.set_registered_model_alias(NAME, tracking.CHAMPION, "2")
        return judge(*arguments)

    monkeypatch.setattr(gate, "_judge", meanwhile)
    with pytest.raises(CommandError, match="the champion is now version 2, no longer 1: nothing was moved"):
        promote(data)
    assert (version_of(client, "champion"), version_of(client, "challenger")) == ("2", "3")
