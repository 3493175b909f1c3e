"""What is no inference: decisions read again and reviewed, the model's facts, the documentation page."""

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import bentoml
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bento.api import openapi, schemas
from bento.api.problems import ProblemError, invalid, problem, response
from bento.data.credit_file import CreditFile
from bento.features.catalogue import CATALOGUE
from bento.i18n import Wording
from bento.journal.entries import JournalUnavailableError, ReviewConflictError, StoredDecision, StoredReview
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import ModelVersion
from bento.policy import Decision
from bento.scoring.score import score

if TYPE_CHECKING:
    from bento.service import CreditScoring

log = logging.getLogger("bentoml.credit_scoring")


def decision(request: Request) -> Response:
    """What was decided, on what data, by which model, and why; and what became of it in review."""
    return _json(_record(_service(), *_found(request)))


def review(request: Request) -> Response:
    """Confirm or overturn a decision, with a written reason; earlier reviews stay as they are."""
    try:
        given = schemas.Review.model_validate_json(request.scope["body"])
    except ValidationError as error:
        raise ProblemError(invalid(error)) from error
    found, reviews = _found(request)
    stands = reviews[-1].outcome if reviews else found.decision
    if (given.outcome == stands) != (given.verdict == "confirmed"):
        detail = f"the decision stands at {stands}: to confirm is to keep that, to overturn is to change it"
        raise ProblemError(problem(409, detail))
    moment = datetime.fromtimestamp(time.time(), UTC)
    if reviews:  # the latest stays the latest, although the clock was set back
        moment = max(moment, reviews[-1].reviewed_at + timedelta(microseconds=1))
    written = schemas.ReviewOut(**given.model_dump(), reviewed_at=moment, key_id=request.scope["api_key"].id)
    try:
        added = _service().journal.add_review(found.id, StoredReview(**written.model_dump()), earlier=len(reviews))
    except ReviewConflictError as error:
        raise ProblemError(problem(409, "another review came in meanwhile; read the decision again")) from error
    if not added:
        raise ProblemError(problem(409, "the decision has been purged"))
    return _json(written, 201)


def model_card(_: Request) -> Response:
    """The facts of the model card, the threshold, and every feature that the model uses."""
    service = _service()
    facts = schemas.ModelCard.model_fields.keys() - {"features"}
    return _json(
        schemas.ModelCard(
            model=service.version,
            bento=service.bento,
            code=code_fingerprint(),
            features=[
                schemas.CatalogueEntry(
                    feature=feature.name,
                    group=feature.group,
                    meaning=Wording(en=feature.en, fr=feature.fr),
                    unit=feature.unit,
                    risk=feature.risk,
                )
                for feature in map(CATALOGUE.__getitem__, service.model.feature_names)
            ],
            **service.model.manifest.model_dump(include=facts),
        )
    )


def describe(_: Request) -> Response:
    """OpenAPI of the whole service."""
    return JSONResponse(openapi.document(_service().bento))


def documentation(_: Request) -> Response:
    """The documentation page."""
    return HTMLResponse(openapi.PAGE)


def _service() -> "CreditScoring":
    service: CreditScoring = bentoml.get_current_service()
    return service


def _found(request: Request) -> tuple[StoredDecision, list[StoredReview]]:
    journal, decision_id = _service().journal, request.path_params["decision_id"]
    found, reviews = journal.find(decision_id), journal.reviews(decision_id)
    if found is None:
        raise ProblemError(problem(404, "there is no decision of this id"))
    return found, reviews


def _record(service: "CreditScoring", found: StoredDecision, reviews: list[StoredReview]) -> schemas.DecisionOut:
    answer = None if found.answer is None else schemas.Prediction.model_validate_json(found.answer)
    reasons = None if answer is None else answer.reasons
    if reasons is None and found.credit_file is not None and service.has_decided(found):
        credit_file = CreditFile.model_validate_json(found.credit_file)
        reasons = score(service.model, [credit_file], reasons=True)[0].reasons
    return schemas.DecisionOut(
        decision_id=found.id,
        decided_at=found.decided_at,
        key_id=found.key_id,
        decision=Decision(found.decision),
        outcome=Decision(reviews[-1].outcome if reviews else found.decision),
        threshold=found.threshold,
        model=ModelVersion(name=found.model_name, version=found.model_version),
        bento=found.bento,
        code=found.code,
        features_hash=found.features_hash,
        credit_file_hash=found.credit_file_hash,
        purged=found.purged_at is not None,
        probability_of_default=found.probability,
        reasons=reasons,
        warnings=None if answer is None else answer.warnings,
        credit_file=None if found.credit_file is None else json.loads(found.credit_file),
        reviews=[schemas.ReviewOut(**vars(each)) for each in reviews],
    )


def _json(content: BaseModel, status: int = 200) -> Response:
    return Response(content.model_dump_json(), status, media_type="application/json")


def _declined(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it alone
    return response(error.problem)


def _away(_: Request, error: Exception) -> Response:
    log.error("the journal does not answer: %s", error)
    return response(problem(503, "the journal does not answer at present; try again later"))


app = Starlette(
    routes=[
        Route("/decisions/{decision_id}", decision),
        Route("/decisions/{decision_id}/review", review, methods=["POST"]),
        Route("/model", model_card),
        Route("/docs.json", describe),
        Route("/", documentation),
    ],
    exception_handlers={ProblemError: _declined, JournalUnavailableError: _away},
)
