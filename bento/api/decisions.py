"""Endpoints beside inference: read and review decisions, the model card, the documentation."""

import json
import logging
import time
from datetime import UTC, datetime, timedelta

import bentoml
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bento.api import endpoints, openapi, schemas
from bento.api.keys import ApiKey
from bento.api.metrics import REVIEWS
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
    StoredDecision,
    StoredReview,
)
from bento.journal.vault import AlteredError, VaultError
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import ModelVersion
from bento.policy import Decision
from bento.scoring.score import score

log = logging.getLogger("bentoml.credit_scoring")

REVIEW_UNKNOWN = "it is not known whether the review was written; read the decision again"
_AS_STORED = ("decided_at", "key_id", "threshold", "bento", "code", "features_hash", "credit_file_hash")
"""Fields of `DecisionOut` that are answered as the journal holds them."""


def decision(request: Request) -> Response:
    """Answer with a decision: the outcome, its data, model and reasons, and its reviews."""
    state = _state()
    return _json(_decision_out(state, *_stored(state, request)))


def review(request: Request) -> Response:
    """Confirm or overturn a decision, with a written reason; earlier reviews stay as they are."""
    try:
        review_in = schemas.Review.model_validate_json(request.scope["body"])
    except ValidationError as error:
        raise ProblemError(invalid(error)) from error
    state, key = _state(), request.scope["api_key"]
    reviewer = _reviewer(key, review_in.reviewer)
    stored, reviews = _stored(state, request)
    outcome = reviews[-1].outcome if reviews else stored.decision
    if (review_in.outcome == outcome) != (review_in.verdict == "confirmed"):
        detail = f"the decision stands at {outcome}: to confirm is to keep that, to overturn is to change it"
        raise ProblemError(problem(409, detail))
    moment = datetime.fromtimestamp(time.time(), UTC)
    if reviews:  # the latest stays the latest, although the clock was set back
        moment = max(moment, reviews[-1].reviewed_at + timedelta(microseconds=1))
    content = review_in.model_dump() | {"reviewer": reviewer}
    review_out = schemas.ReviewOut(**content, reviewed_at=moment, key_id=key.id)
    try:
        is_added = state.journal.add_review(stored.id, StoredReview(**review_out.model_dump()), earlier=len(reviews))
    except OutcomeUnknownError as error:
        log.error("it is not known whether a review was written: %s", error)
        raise ProblemError(problem(504, REVIEW_UNKNOWN)) from error
    except ReviewConflictError as error:
        raise ProblemError(problem(409, "another review came in meanwhile; read the decision again")) from error
    if not is_added:
        raise ProblemError(problem(409, "the decision has been purged"))
    REVIEWS.labels(review_out.verdict, review_out.outcome).inc()
    return _json(review_out, 201)


def _reviewer(key: ApiKey, given: str | None) -> str:
    """Return the person of the API key; raise ProblemError where the review names another, or there is no name."""
    if key.name is None:
        if given is None:
            fault = Fault(loc=["reviewer"], type="missing", msg="Field required, as no API key names the reviewer")
            raise ProblemError(problem(422, "a field is missing or wrong", [fault]))
        return given
    if given not in (None, key.name):
        raise ProblemError(problem(403, "the API key belongs to another reviewer; leave the reviewer out"))
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


def _stored(state: ServingState, request: Request) -> tuple[StoredDecision, list[StoredReview]]:
    decision_id = request.path_params["decision_id"]
    stored, reviews = state.journal.find(decision_id), state.journal.reviews(decision_id)
    if stored is None:
        raise ProblemError(problem(404, "there is no decision of this id"))
    note(request.scope, decision_id=stored.id)
    return stored, reviews


def _decision_out(state: ServingState, stored: StoredDecision, reviews: list[StoredReview]) -> schemas.DecisionOut:
    answer = None if stored.answer is None else schemas.Prediction.model_validate_json(stored.answer)
    reasons = None if answer is None else answer.reasons
    if reasons is None and stored.credit_file is not None and state.has_decided(stored):
        credit_file = CreditFile.model_validate_json(stored.credit_file)
        reasons = score(state.model, [credit_file], rules=state.rules_of(stored), reasons=True)[0].reasons
    return schemas.DecisionOut(
        decision_id=stored.id,
        decision=Decision(stored.decision),
        outcome=Decision(reviews[-1].outcome if reviews else stored.decision),
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
        reviews=[schemas.ReviewOut(**vars(review)) for review in reviews],
        **{name: getattr(stored, name) for name in _AS_STORED},
    )


def _json(content: BaseModel, status: int = 200) -> Response:
    return Response(content.model_dump_json(), status, media_type="application/json")


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
            (endpoints.DECISION, decision),
            (endpoints.REVIEW, review),
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
