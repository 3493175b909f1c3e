"""Decide on applications, one or a batch: read the parameters, score, journal, answer."""

import json
import re
import time
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, get_args
from urllib.parse import unquote

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request

from bento.api.metrics import count
from bento.api.middleware.request_log import note
from bento.api.problems import Problem, ProblemError, impossible, invalid, wrong_parameter
from bento.api.process_tuning import ScoringSlots
from bento.api.recording import Recorder, entry_of
from bento.api.schemas import BatchItem, BatchPrediction, BatchRequest, Prediction, Purpose
from bento.api.state import ServingState
from bento.data.credit_file import CreditFile
from bento.journal.entries import Entry
from bento.policy import Decision, expected_cost, score_points
from bento.rules.check import Rules
from bento.scoring.explanation import Explanation, explanation
from bento.scoring.missing_fields import file_warnings
from bento.scoring.score import ScoredApplication, score

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,200}")
OFFICER_LENGTHS, CORRECTION_LENGTHS = (1, 900), (10, 9000)
"""Least and most characters of the name of an officer, and of the reason of a correction, percent-encoded: a character
of any script takes nine at most, so 100 and 1,000 characters always fit."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
SWITCH_VALUES = {"true": True, "1": True, "false": False, "0": False}
BATCH_FILE_COST = 0.25
"""Tokens of the key's rate for a credit file of a batch: a batch decides on several times as many applications a second
as single requests do (`predict_batch` in research/results/benchmarks.json)."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The parameters of a request for decisions."""

    purpose: Purpose
    idempotency_key: str | None
    key_id: str
    officer: str | None = None
    correction: str | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read the parameters of a request; raise ProblemError for an invalid one."""
        purpose, idempotency_key = purpose_of(request), idempotency_key_of(request)
        return cls(
            purpose=purpose,
            idempotency_key=idempotency_key,
            key_id=request.scope["api_key"].id,
            officer=text_of(request, "Officer", OFFICER_LENGTHS),
            correction=text_of(request, "Correction", CORRECTION_LENGTHS),
        )


class DecisionMaker:
    """Decides on applications with one state and one journal."""

    def __init__(self, state: ServingState, recorder: Recorder, slots: ScoringSlots) -> None:
        self.state, self.recorder, self.slots = state, recorder, slots
        self.origin = (state.model_tag, state.bento_tag, state.rulebook)

    async def predict(self, credit_file: CreditFile, request: Request) -> tuple[str | bytes, bool]:
        """Return the decision on one application as JSON, and whether it answered an earlier request with its key.

        Raises:
            ProblemError: a parameter is wrong, the Idempotency-Key belongs to another body, or the model or the journal
                cannot be used.
        """
        parameters, rules = Parameters.of(request), self.state.rules
        note(request.scope, model_version=self.state.version.version)
        refuse_impossible(credit_file, rules)
        async with self.slots.slot():
            scored = score(self.state.model, [credit_file], rules=rules, reasons=True)[0]
        prediction = self._prediction(credit_file, scored, parameters)
        if parameters.purpose == "simulation":
            return prediction.model_dump_json(), False
        body, key_id, idempotency_key = request.scope["body"], parameters.key_id, parameters.idempotency_key
        entry = entry_of(prediction, scored, body, key_id, idempotency_key, *self.origin)
        (recorded,) = await self.recorder.record([entry])
        if isinstance(recorded, Problem):
            raise ProblemError(recorded)
        is_replayed = recorded is not entry.answer
        note(request.scope, decision_id=json.loads(recorded)["decision_id"] if is_replayed else entry.id)
        if not is_replayed:
            count(scored, prediction.warnings)
        return recorded, is_replayed

    def predict_batch(self, batch: BatchRequest, request: Request) -> BatchPrediction:
        """Decide on several applications in a thread that may wait; each gets its prediction or its problem.

        Raises:
            ProblemError: a parameter is wrong, or the model or the journal cannot be used.
        """
        parameters, with_reasons = Parameters.of(request), switch_of(request, "reasons")
        request.scope["charge"](BATCH_FILE_COST * len(batch.credit_files))
        model, rules = self.state.model, self.state.rules
        note(request.scope, model_version=self.state.version.version)
        items = [BatchItem() for _ in batch.credit_files]
        valid = _validated(batch, items, rules)
        scored = dict(zip(valid, score(model, list(valid.values()), rules=rules, reasons=with_reasons), strict=True))
        predictions = {
            position: self._prediction(credit_file, scored[position], parameters)
            for position, credit_file in valid.items()
        }
        entries: dict[int, Entry] = {}
        for position, prediction in predictions.items():
            items[position].prediction = prediction
            if parameters.purpose == "decision":
                content = to_json(batch.credit_files[position])
                key = parameters.idempotency_key and f"{parameters.idempotency_key}\n{position}"
                entries[position] = entry_of(
                    prediction, scored[position], content, parameters.key_id, key, *self.origin
                )
        recorded = self.recorder.record_and_wait(list(entries.values())) if entries else []
        for (position, entry), outcome in zip(entries.items(), recorded, strict=True):
            if isinstance(outcome, Problem):
                items[position] = BatchItem(problem=outcome)
            elif outcome is entry.answer:
                count(scored[position], predictions[position].warnings)
            else:
                items[position].prediction = Prediction.model_validate_json(outcome)
        decided = [item.prediction.decision_id for item in items if item.prediction is not None]
        note(request.scope, decision_ids=[decision_id for decision_id in decided if decision_id is not None])
        return BatchPrediction(results=items)

    def explain(self, credit_file: CreditFile, request: Request) -> Explanation:
        """Return what the model and the rules make of an application; nothing is decided, and nothing is kept.

        Raises:
            ProblemError: the application is impossible by a rule, or the model cannot be used.
        """
        model, rules = self.state.model, self.state.rules
        note(request.scope, model_version=self.state.version.version)
        refuse_impossible(credit_file, rules)
        return explanation(model, credit_file, self.state.version, file_warnings(model, credit_file), rules=rules)

    def _prediction(self, credit_file: CreditFile, scored: ScoredApplication, parameters: Parameters) -> Prediction:
        model = self.state.model
        # A refusal below the threshold is a rule's: the costs of errors of the model are not its ground.
        refused_by_rule = scored.decision is Decision.REFUSED and scored.probability < model.threshold
        cost = None if refused_by_rule else expected_cost(scored.probability, model.threshold, model.manifest.costs)
        return Prediction(
            decision_id=str(uuid.uuid4()) if parameters.purpose == "decision" else None,
            purpose=parameters.purpose,
            decided_at=datetime.fromtimestamp(time.time(), UTC),
            SK_ID_CURR=int(credit_file.application["SK_ID_CURR"]),
            probability_of_default=scored.probability,
            score_points=score_points(scored.log_odds),
            decision=scored.decision,
            rules=scored.rules,
            rules_version=self.state.rulebook.version,
            threshold=model.threshold,
            review_band=model.review_band,
            expected_cost=cost,
            reasons=scored.reasons,
            model=self.state.version,
            warnings=file_warnings(model, credit_file),
            officer=parameters.officer,
            correction=parameters.correction,
        )


def refuse_impossible(credit_file: CreditFile, rules: Rules) -> None:
    """Raise ProblemError where the application is impossible by a rule."""
    if faults := rules.faults(credit_file.application):
        raise ProblemError(impossible(faults))


def _validated(batch: BatchRequest, items: list[BatchItem], rules: Rules) -> dict[int, CreditFile]:
    """Return the credit files that can be scored, by position; put their problem into the items of the others."""
    valid = {}
    for position, content in enumerate(batch.credit_files):
        try:
            credit_file = CreditFile.model_validate(content)
            refuse_impossible(credit_file, rules)
        except ValidationError as error:
            items[position].problem = invalid(error)
        except ProblemError as error:
            items[position].problem = error.problem
        else:
            valid[position] = credit_file
    return valid


def purpose_of(request: Request) -> Purpose:
    """Return the query parameter `purpose`; raise ProblemError where it is neither decision nor simulation."""
    value = request.query_params.get("purpose", PURPOSES[0])
    if value not in PURPOSES:
        raise wrong_parameter("query", "purpose", f"Input should be {' or '.join(PURPOSES)}")
    return value


def switch_of(request: Request, name: str) -> bool:
    """Return a query parameter that is true or false, by default false; raise ProblemError where it is neither."""
    value = request.query_params.get(name, "false").lower()
    if value not in SWITCH_VALUES:
        raise wrong_parameter("query", name, "Input should be true or false")
    return SWITCH_VALUES[value]


def idempotency_key_of(request: Request) -> str | None:
    """Return the header `Idempotency-Key`, None where there is none.

    Raises:
        ProblemError: it is empty, longer than 200 characters, holds others than visible ASCII, or is there twice.
    """
    values = request.headers.getlist("Idempotency-Key")
    if len(values) > 1 or not all(map(IDEMPOTENCY_KEY.fullmatch, values)):
        raise wrong_parameter("header", "Idempotency-Key", "Input should be 1 to 200 characters of visible ASCII, once")
    return values[0] if values else None


def text_of(request: Request, name: str, lengths: tuple[int, int]) -> str | None:
    """Return the percent-encoded text of a header, None where there is none.

    Raises:
        ProblemError: it is there twice, is not UTF-8, holds control characters, is blank, too short or too long.
    """
    values = request.headers.getlist(name)
    if not values:
        return None
    least, most = lengths
    message = f"Input should be text in percent-encoded UTF-8 of {least} to {most} characters, once"
    try:
        text = unquote(values[0], errors="strict").strip()
    except UnicodeDecodeError:
        raise wrong_parameter("header", name, message) from None
    is_long_enough = text and least <= len(values[0]) <= most
    if len(values) > 1 or not is_long_enough or any(unicodedata.category(char) == "Cc" for char in text):
        raise wrong_parameter("header", name, message)
    return text
