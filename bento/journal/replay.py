"""Decides again what the journal holds, and says whether it comes out the same."""

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
from bento.model.scoring_model import ModelError, ScoringModel, same
from bento.scoring.score import ScoredApplication, score

Verdict = Literal["same", "different", "other code", "purged"]


@dataclass(frozen=True)
class Replay:
    """What became of one entry: a verdict, and what differs."""

    id: str
    verdict: Verdict
    differences: tuple[str, ...] = ()


def replay(found: StoredDecision, bento_folder: str | None = None) -> Replay:
    """Decide on an entry's credit file again, with the model that it names.

    Probabilities may differ by `bento.model.scoring_model.TOLERANCE`; everything else must be equal.

    Args:
        found: the entry.
        bento_folder: of a container's Bento, which holds its model.

    Raises:
        ModelError: the model is not here, or cannot be used.
    """
    if found.credit_file is None or found.answer is None:
        return Replay(found.id, "purged")
    if found.code != code_fingerprint():
        return Replay(found.id, "other code", (f"decided by {found.code}, this is {code_fingerprint()}",))
    answer = json.loads(found.answer)
    credit_file = CreditFile.model_validate_json(found.credit_file)
    again = score(model_of(found.model_tag, bento_folder), [credit_file], reasons=answer["reasons"] is not None)[0]
    differences = tuple(_differences(found, answer, again))
    return Replay(found.id, "different" if differences else "same", differences)


def _differences(found: StoredDecision, answer: dict[str, object], again: ScoredApplication) -> Iterator[str]:
    if not same(again.probability, found.probability):
        yield f"probability of default {found.probability}, now {again.probability}"
    if again.decision != found.decision:
        yield f"decision {found.decision}, now {again.decision.value}"
    if again.features_hash != found.features_hash:
        yield "the features differ"
    if again.reasons is not None:
        was = [(reason["code"], reason["text"]) for reason in answer["reasons"]]  # type: ignore[attr-defined]
        if was != [(reason.code, reason.text.model_dump()) for reason in again.reasons]:
            yield f"reasons {[code for code, _ in was]}, now {[reason.code for reason in again.reasons]}"


@lru_cache(maxsize=4)
def model_of(tag: str, bento_folder: str | None = None) -> ScoringModel:
    """Load the model of a tag, from the Bento that a container holds or from the BentoML store.

    Raises:
        ModelError: it is in neither, or cannot be used.
    """
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
