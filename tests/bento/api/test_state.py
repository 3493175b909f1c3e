from pathlib import Path
from typing import Any

import pytest

from bento.api.problems import ProblemError
from bento.api.state import ServingState
from bento.journal.entries import StoredDecision
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import ModelVersion
from bento.rules.rulebook import Rulebook
from tests.support.journals import entry, opened


def _state(journal: Any, model: Any) -> ServingState:
    version = ModelVersion(name="credit_scoring", version="3")
    return ServingState(
        verified_model=model,
        version=version,
        model_tag="credit_scoring:abc",
        bento_tag="a:b",
        journal=journal,
        rulebook=Rulebook.none(),
    )


def _stored(journal: Any, **changes: Any) -> StoredDecision:
    decision = entry(**changes)
    journal.write([decision])
    stored = journal.find(decision.id)
    assert stored is not None
    return stored


def test_a_state_without_a_model_is_a_503_and_has_decided_nothing(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        state = _state(journal, None)
        with pytest.raises(ProblemError) as caught:
            _ = state.model
        assert caught.value.problem.status == 503
        assert caught.value.problem.detail == "no usable model is loaded, so nothing is decided"
        assert not state.has_decided(_stored(journal, code=code_fingerprint()))


@pytest.mark.parametrize(
    ("changes", "decided"),
    [({}, True), ({"model_tag": "credit_scoring:other"}, False), ({"code": "0123456789abcdef"}, False)],
)
def test_a_state_has_decided_with_its_model_and_code(changes: dict[str, str], decided: bool, tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        stored = _stored(journal, **{"code": code_fingerprint(), **changes})
        assert _state(journal, object()).has_decided(stored) is decided
