"""Replay: decide again on a credit file in the journal, and compare the results."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import bentoml

from bento.data.credit_file import CreditFile
from bento.journal.entries import StoredDecision
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import ModelError, ScoringModel, is_close
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.score import ScoredApplication, score

Verdict = Literal["same", "different", "other code", "purged", "altered", "unreadable"]


@dataclass(frozen=True)
class Replay:
    """The result for one decision: a verdict, and the differences."""

    id: str
    verdict: Verdict
    differences: tuple[str, ...] = ()


def replay(decision: StoredDecision, rulebook: Rulebook, bento_folder: str | None = None) -> Replay:
    """Decide again on the credit file of a decision, with its model (see `model_of`) and the rules then in force.

    Probabilities may differ by `bento.model.scoring_model.TOLERANCE`; everything else must be equal.

    Raises:
        ModelError: the model is missing, or cannot be used.
    """
    if decision.credit_file is None or decision.answer is None:
        return Replay(decision.id, "purged")
    if decision.code != code_fingerprint():
        return Replay(decision.id, "other code", (f"decided by {decision.code}, this is {code_fingerprint()}",))
    differing = differences(decision, rulebook, model_of(decision.model_tag, bento_folder))
    return Replay(decision.id, "different" if differing else "same", differing)


def differences(decision: StoredDecision, rulebook: Rulebook, model: ScoringModel) -> tuple[str, ...]:
    """Decide again on the credit file of a decision that is not purged, with the model and the code that decided."""
    assert decision.credit_file is not None  # noqa: S101 - not purged
    assert decision.answer is not None  # noqa: S101
    answer = json.loads(decision.answer)
    credit_file = CreditFile.model_validate_json(decision.credit_file)
    rules = Rules(rulebook, model.reference.usual)
    again = score(model, [credit_file], rules=rules, reasons=answer["reasons"] is not None)[0]
    return tuple(_differences(decision, answer, again))


def _differences(decision: StoredDecision, answer: dict[str, object], again: ScoredApplication) -> Iterator[str]:
    if not is_close(again.probability, decision.probability):
        yield f"probability of default {decision.probability}, now {again.probability}"
    if again.decision != decision.decision:
        yield f"decision {decision.decision}, now {again.decision.value}"
    if again.features_hash != decision.features_hash:
        yield "the features differ"
    rules_before = [(hit["code"], hit["text"]) for hit in answer.get("rules", [])]  # type: ignore[attr-defined]
    if rules_before != [(hit.code, hit.text.model_dump()) for hit in again.rules]:
        yield f"rules {[code for code, _ in rules_before]}, now {[hit.code for hit in again.rules]}"
    if again.reasons is not None:
        before = [(reason["code"], reason["text"]) for reason in answer["reasons"]]  # type: ignore[attr-defined]
        if before != [(reason.code, reason.text.model_dump()) for reason in again.reasons]:
            yield f"reasons {[code for code, _ in before]}, now {[reason.code for reason in again.reasons]}"


@lru_cache(maxsize=4)
def model_of(tag: str, bento_folder: str | None = None) -> ScoringModel:
    """Load the model of a tag from a container's Bento or the BentoML store; raise ModelError where it is unusable."""
    if bento_folder is not None:
        name, _, version = tag.partition(":")
        packed = Path(bento_folder) / "models" / name / version
        if packed.is_dir():
            return ScoringModel.verified(packed / FOLDER_IN_STORE)
    try:
        folder = Path(bentoml.models.get(tag).path)
    except bentoml.exceptions.NotFound as error:
        raise ModelError(f"the model {tag} that decided is not here; import it from the registry") from error
    return ScoringModel.verified(folder / FOLDER_IN_STORE)
