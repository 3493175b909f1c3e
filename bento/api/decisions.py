"""Endpoints beside inference: list, read, review and contest decisions, the model card, the documentation."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import bentoml
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bento.api import endpoints, listing, openapi, schemas
from bento.api.keys import ApiKey
from bento.api.metrics import CONTESTS, REVIEWS
from bento.api.middleware.request_log import note
from bento.api.problems import Fault, ProblemError, invalid, problem, response, unreadable
from bento.api.state import ServingState
from bento.data.credit_file import CreditFile
from bento.features.catalogue import CATALOGUE
from bento.i18n import Wording
from bento.journal.entries import (
    JournalUnavailableError,
    OutcomeUnknownError,
    ReviewConflictError,
    StoredContest,
    StoredDecision,
    StoredReview,
)
from bento.journal.replay import differences
from bento.journal.reviewing import Record
from bento.journal.vault import AlteredError, VaultError
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import ModelVersion
from bento.policy import Decision
from bento.scoring.score import score

log = logging.getLogger("bentoml.credit_scoring")

Body = TypeVar("Body", schemas.Review, schemas.Contest)
Remark = TypeVar("Remark", StoredReview, StoredContest)

OUTCOME_UNKNOWN = "it is not known whether this was written; read the decision again"
_AS_STORED = ("decided_at", "key_id", "threshold", "bento", "code", "features_hash", "credit_file_hash")
"""Fields of `DecisionOut` that are answered as the journal holds them."""


def decision_list(request: Request) -> Response:
    """Answer with a page of decisions, newest first: a summary of each, and the cursor of the next page."""
    query = request.query_params
    size = listing.size_of(query)
    listed = _state().journal.listed(listing.selection_of(query), listing.place_of(query), size + 1)
    further = listing.cursor(listed[size - 1].place) if len(listed) > size else None
    return _json(schemas.DecisionPage(decisions=[listing.summary(entry) for entry in listed[:size]], next=further))


def decision(request: Request) -> Response:
    """Answer with a decision: the outcome, its data, model and reasons, its reviews and contests."""
    state = _state()
    return _json(_decision_out(state, *_stored(state, request)))


def review(request: Request) -> Response:
    """Confirm or overturn a decision, with a written reason; earlier reviews stay as they are."""
    review_in, state, key = _received(schemas.Review, request), _state(), request.scope["api_key"]
    reviewer = _person(key, "reviewer", review_in.reviewer)
    stored, record = _stored(state, request)
    outcome = listing.outcome_of(stored, record)
    if (review_in.outcome == outcome) != (review_in.verdict == "confirmed"):
        detail = f"the decision stands at {outcome}: to confirm is to keep that, to overturn is to change it"
        raise ProblemError(problem(409, detail))
    if review_in.contests not in (None, len(record.contests)):
        raise ProblemError(problem(409, "the client has contested again meanwhile; read the decision again"))
    content = review_in.model_dump(exclude={"contests"}) | {"reviewer": reviewer}
    review_out = schemas.ReviewOut(**content, reviewed_at=_moment_after(record), key_id=key.id)
    _append(state.journal.add_review, stored, record, StoredReview(**review_out.model_dump()))
    REVIEWS.labels(review_out.verdict, review_out.outcome).inc()
    return _json(review_out, 201)


def contest(request: Request) -> Response:
    """Take down what the client says against a decision; the same words are taken down once until a review."""
    contest_in, state, key = _received(schemas.Contest, request), _state(), request.scope["api_key"]
    recorder = _person(key, "recorder", contest_in.recorder)
    stored, record = _stored(state, request)
    for earlier in record.unanswered:
        if earlier.statement == contest_in.statement:
            return _json(schemas.ContestOut(**vars(earlier)), 201, {"Idempotent-Replayed": "true"})
    contest_out = schemas.ContestOut(
        statement=contest_in.statement, recorder=recorder, contested_at=_moment_after(record), key_id=key.id
    )
    _append(state.journal.add_contest, stored, record, StoredContest(**contest_out.model_dump()))
    CONTESTS.labels(listing.outcome_of(stored, record).value).inc()
    return _json(contest_out, 201)


def replay(request: Request) -> Response:
    """Decide again on the credit file of a decision, and answer whether the result is the same."""
    state = _state()
    stored, _ = _stored(state, request)
    answer = schemas.ReplayOut(decision_id=stored.id, verdict="same", differences=[])
    if stored.purged_at is not None:
        answer.verdict = "purged"
    elif stored.code != code_fingerprint():
        answer.verdict = "other code"
    elif not state.has_decided(stored):  # to load another model takes seconds, and memory
        answer.verdict = "other model"
    else:
        answer.differences = list(differences(stored, state.journal.rulebook(stored.rules), state.model))
        answer.verdict = "different" if answer.differences else "same"
    return _json(answer)


def _received(kind: type[Body], request: Request) -> Body:
    """Return the body of a request; raise ProblemError where it does not fit its model."""
    try:
        return kind.model_validate_json(request.scope["body"])
    except ValidationError as error:
        raise ProblemError(invalid(error)) from error


def _moment_after(record: Record) -> datetime:
    """Return the present, or, where the clock was set back, the moment after all reviews and contests."""
    moments = [review.reviewed_at for review in record.reviews] + [item.contested_at for item in record.contests]
    return max([datetime.fromtimestamp(time.time(), UTC), *(moment + timedelta(microseconds=1) for moment in moments)])


def _append(
    write: Callable[[str, Remark, tuple[int, int]], bool], stored: StoredDecision, record: Record, remark: Remark
) -> None:
    """Write a review or a contest; raise ProblemError where it is not, or not for certain."""
    try:
        is_added = write(stored.id, remark, (len(record.reviews), len(record.contests)))
    except OutcomeUnknownError as error:
        log.error("it is not known whether a review or a contest was written: %s", error)
        raise ProblemError(problem(504, OUTCOME_UNKNOWN)) from error
    except ReviewConflictError as error:
        detail = "another review or contest came in meanwhile; read the decision again"
        raise ProblemError(problem(409, detail)) from error
    if not is_added:
        raise ProblemError(problem(409, "the decision has been purged"))


def _person(key: ApiKey, field: str, given: str | None) -> str:
    """Return the person of the API key; raise ProblemError where a field names another, or there is no name."""
    if key.name is None:
        if given is None:
            fault = Fault(loc=[field], type="missing", msg="Field required, as no API key names the person")
            raise ProblemError(problem(422, "a field is missing or wrong", [fault]))
        return given
    if given not in (None, key.name):
        raise ProblemError(problem(403, f"the API key belongs to another person; leave the {field} out"))
    return key.name


def model_card(_: Request) -> Response:
    """Answer with the facts of the model card, the threshold, and every feature that the model uses."""
    state = _state()
    facts = schemas.ModelCard.model_fields.keys() - {"features", "rules", "rules_version"}
    return _json(
        schemas.ModelCard(
            model=state.version,
            bento=state.bento_tag,
            code=code_fingerprint(),
            features=[
                schemas.CatalogueEntry(
                    feature=feature.name,
                    group=feature.group,
                    meaning=Wording(en=feature.en, fr=feature.fr),
                    unit=feature.unit,
                    risk=feature.risk,
                )
                for feature in map(CATALOGUE.__getitem__, state.model.feature_names)
            ],
            rules_version=state.rulebook.version,
            rules=state.rulebook,
            **state.model.manifest.model_dump(include=facts),
        )
    )


def describe(_: Request) -> Response:
    """Answer with the OpenAPI document of the service."""
    return JSONResponse(openapi.document(_state().bento_tag))


def documentation(_: Request) -> Response:
    """Answer with the documentation page."""
    return HTMLResponse(openapi.PAGE)


def _state() -> ServingState:
    state: ServingState = bentoml.get_current_service().state
    return state


def _stored(state: ServingState, request: Request) -> tuple[StoredDecision, Record]:
    decision_id = request.path_params["decision_id"]
    stored, record = state.journal.find(decision_id), state.journal.record(decision_id)
    if stored is None:
        raise ProblemError(problem(404, "there is no decision of this id"))
    note(request.scope, decision_id=stored.id)
    return stored, record


def _decision_out(state: ServingState, stored: StoredDecision, record: Record) -> schemas.DecisionOut:
    answer = None if stored.answer is None else schemas.Prediction.model_validate_json(stored.answer)
    reasons = None if answer is None else answer.reasons
    if reasons is None and stored.credit_file is not None and state.has_decided(stored):
        credit_file = CreditFile.model_validate_json(stored.credit_file)
        reasons = score(state.model, [credit_file], rules=state.rules_of(stored), reasons=True)[0].reasons
    return schemas.DecisionOut(
        decision_id=stored.id,
        decision=Decision(stored.decision),
        outcome=listing.outcome_of(stored, record),
        model=ModelVersion(name=stored.model_name, version=stored.model_version),
        purged=stored.purged_at is not None,
        probability_of_default=stored.probability,
        rules=None if answer is None else answer.rules,
        rules_version=stored.rules,
        reasons=reasons,
        warnings=None if answer is None else answer.warnings,
        officer=None if answer is None else answer.officer,
        correction=None if answer is None else answer.correction,
        credit_file=None if stored.credit_file is None else json.loads(stored.credit_file),
        state=listing.state_of(stored, record),
        reviews=[schemas.ReviewOut(**vars(review)) for review in record.reviews],
        contests=[schemas.ContestOut(**vars(contest)) for contest in record.contests],
        **{name: getattr(stored, name) for name in _AS_STORED},
    )


def _json(content: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(content.model_dump_json(), status, headers, media_type="application/json")


def _problem_response(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it alone
    return response(error.problem, error.headers)


def _journal_unavailable(_: Request, error: Exception) -> Response:
    log.error("the journal does not answer: %s", error)
    return response(problem(503, "the journal does not answer at present; try again later"))


def _unreadable_entry(_: Request, error: Exception) -> Response:
    log.error("an entry of the journal cannot be used: %s", error)
    return response(unreadable(is_altered=isinstance(error, AlteredError)))


app = Starlette(
    routes=[
        Route(endpoint.path, answer, methods=[endpoint.method])
        for endpoint, answer in (
            (endpoints.DECISIONS, decision_list),
            (endpoints.DECISION, decision),
            (endpoints.REVIEW, review),
            (endpoints.CONTEST, contest),
            (endpoints.REPLAY, replay),
            (endpoints.MODEL, model_card),
            (endpoints.OPENAPI, describe),
            (endpoints.DOCUMENTATION, documentation),
        )
    ],
    exception_handlers={
        ProblemError: _problem_response,
        JournalUnavailableError: _journal_unavailable,
        VaultError: _unreadable_entry,
    },
)
