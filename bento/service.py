"""The BentoML service: credit files in, decisions and explanations out; thin, one method for each endpoint."""

import asyncio
import gc
import logging
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

import bentoml
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from bento import NAME
from bento.api import decisions as records
from bento.api import problems
from bento.api.keys import KeyRing, KeysError, is_required
from bento.api.log_filter import keep_personal_data_out
from bento.api.metrics import count
from bento.api.middleware import request_metrics as counting
from bento.api.middleware import timeout
from bento.api.middleware.gateway import Doors
from bento.api.parameters import idempotency_key_of, purpose_of, switch_of
from bento.api.problems import Problem, ProblemError
from bento.api.recording import entry_of, record, record_waiting
from bento.api.schemas import BatchItem, BatchPrediction, BatchRequest, Prediction, Purpose
from bento.data.credit_file import CreditFile, warnings
from bento.journal.database import journal_url
from bento.journal.entries import Entry, JournalError, StoredDecision
from bento.journal.store import Journal
from bento.journal.vault import Vault, VaultError
from bento.journal.writer import Writer
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import FOLDER_IN_STORE, ModelVersion
from bento.model.scoring_model import ModelError, ScoringModel
from bento.policy import expected_cost, score_points
from bento.scoring.explanation import Explanation, explanation
from bento.scoring.score import ScoredApplication, score

log = logging.getLogger("bentoml.credit_scoring")
Declared = TypeVar("Declared")

REQUEST_TIMEOUT_S = 10
"""Seconds for a request; a container that is stopped needs as many to answer what it has accepted."""
WORKERS = 2
"""Processes that answer: each does one thing at a time, and takes up to 400 MiB."""
MAX_SCORED_PER_LOOP_TURN = 4
"""Requests that a worker decides before it looks what else has come: /livez waits for so many, not for all of them."""
FAULT = 2

# No compiler and no git in the image: with an unknown distro BentoML installs no build tools of its own.
image = bentoml.images.Image(base_image="python:3.11-slim", distro="none", python_version="3.11").run(
    "apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* "
    "&& install -d -o 1034 -g 1034 /journal"  # of the user that BentoML makes; a volume goes there
)
timeout.install()
counting.install()


@bentoml.service(
    name=NAME,
    image=image,
    envs=[
        {"name": "UV_NO_CACHE", "value": "1"},  # 25 MB less in an image built without BuildKit
        {"name": "JOURNAL_URL", "value": "sqlite:////journal/journal.db"},
        {"name": "PYTHONPATH", "value": "/home/bentoml/bento/src"},  # for `python -m bento.…` in the container
        {"name": "POLARS_MAX_THREADS", "value": "1"},  # a credit file is too small to share: a fifth less work without
    ],
    workers=WORKERS,
    threads=2,
    traffic={"timeout": REQUEST_TIMEOUT_S},
    tracing={"excluded_urls": [".*"]},  # spans that nobody collects take a twentieth of the time of a decision
)
@bentoml.asgi_app(records.app)
class CreditScoring:
    """Decides on loan applications, explains the decisions, and keeps account of them.

    Give your key as `Authorization: Bearer KEY`. Every error has the same shape (RFC 9457).
    """

    stored_model = bentoml.models.BentoModel(f"{NAME}:latest")

    def __init__(self) -> None:
        keep_personal_data_out()
        labels = self.stored_model.info.labels
        self.version = ModelVersion(name=NAME, version=labels.get("mlflow_version", "unregistered"))
        self.bento = f"{bentoml.server_context.bento_name}:{bentoml.server_context.bento_version}"
        self._model: ScoringModel | None = None
        try:
            self._model = ScoringModel.verified(Path(self.stored_model.path_of(FOLDER_IN_STORE)))
        except ModelError as error:
            log.error("the model is refused, nothing will be decided: %s", error)
        self.journal = Journal(journal_url(), Vault.from_environment())
        self.writer = Writer(self.journal)
        self.scoring_slots = asyncio.Semaphore(MAX_SCORED_PER_LOOP_TURN)
        # What lives as long as the process is kept out of garbage collection, so that no request waits for it.
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def check() -> None:
        """Refuse to start, in one line, where decisions could not be guarded or kept."""
        try:
            if is_required():
                KeyRing.from_environment()
            journal = Journal(journal_url(), Vault.from_environment())
            journal.check()
            journal.close()
        except (KeysError, JournalError, VaultError) as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(FAULT)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Write what is still waiting."""
        self.writer.close()
        self.journal.close()

    def __is_ready__(self) -> bool:
        failed = self.writer.failed_at
        lately = failed is not None and time.monotonic() - failed < problems.RETRY_AFTER
        return self._model is not None and not lately and self.journal.ping()

    @bentoml.api  # type: ignore[untyped-decorator]
    async def predict(self, credit_file: CreditFile, /, ctx: bentoml.Context) -> Prediction:
        """Decide on one application: probability of default, decision, expected cost and reasons."""
        request = ctx.request
        try:
            purpose, key = purpose_of(request), idempotency_key_of(request)
            async with self.scoring_slots:
                await asyncio.sleep(0)  # the others queue up meanwhile; else nobody would ever find the turn taken
                scored = score(self.model, [credit_file], reasons=True)[0]
            answer = self._answer(credit_file, scored, purpose)
            if purpose == "simulation":
                return _reply(Prediction, answer.model_dump_json())
            entry = self._entry(answer, scored, request.scope["body"], request, key)
            (given,) = await record(self.writer, [entry])
        except ProblemError as declined:
            return _decline(Prediction, ctx, declined.problem)
        if isinstance(given, Problem):
            return _decline(Prediction, ctx, given)
        if given is entry.answer:
            count(scored, answer.warnings)
        else:
            ctx.response.headers["Idempotent-Replayed"] = "true"
        return _reply(Prediction, given)

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict_batch(self, batch: BatchRequest, /, ctx: bentoml.Context) -> BatchPrediction:
        """Decide on up to 100 applications, each answered or refused by itself, in their order."""
        request = ctx.request
        try:
            purpose, key, reasons = purpose_of(request), idempotency_key_of(request), switch_of(request, "reasons")
            items = [BatchItem() for _ in batch.credit_files]
            valid = _validated(batch, items)
            scored = dict(zip(valid, score(self.model, list(valid.values()), reasons=reasons), strict=True))
            answered = {at: self._answer(credit_file, scored[at], purpose) for at, credit_file in valid.items()}
            entries = {}
            for at, answer in answered.items():
                items[at].prediction = answer
                if purpose == "decision":
                    content = to_json(batch.credit_files[at], inf_nan_mode="constants")
                    entries[at] = self._entry(answer, scored[at], content, request, key and f"{key}\n{at}")
            recorded = record_waiting(self.writer, list(entries.values())) if entries else []
        except ProblemError as declined:
            return _decline(BatchPrediction, ctx, declined.problem)
        for (at, entry), given in zip(entries.items(), recorded, strict=True):
            if isinstance(given, Problem):
                items[at] = BatchItem(problem=given)
            elif given is entry.answer:
                count(scored[at], answered[at].warnings)
            else:
                items[at].prediction = Prediction.model_validate_json(given)
        return _reply(BatchPrediction, BatchPrediction(results=items).model_dump_json())

    @bentoml.api  # type: ignore[untyped-decorator]
    def explain(self, credit_file: CreditFile, /, ctx: bentoml.Context) -> Explanation:
        """Explain what the model makes of an application; nothing is decided, and nothing is kept."""
        try:
            found = explanation(self.model, credit_file, self.version, warnings(credit_file))
        except ProblemError as declined:
            return _decline(Explanation, ctx, declined.problem)
        return _reply(Explanation, found.model_dump_json())

    @property
    def model(self) -> ScoringModel:
        """The verified model.

        Raises:
            ProblemError: there is none.
        """
        if self._model is None:
            raise ProblemError(problems.problem(503, "no usable model is loaded, so nothing is decided"))
        return self._model

    def has_decided(self, found: StoredDecision) -> bool:
        """Whether this model and this code decided an entry of the journal."""
        here = (str(self.stored_model.tag), code_fingerprint())
        return self._model is not None and (found.model_tag, found.code) == here

    def _answer(self, credit_file: CreditFile, scored: ScoredApplication, purpose: Purpose) -> Prediction:
        return Prediction(
            decision_id=str(uuid.uuid4()) if purpose == "decision" else None,
            purpose=purpose,
            decided_at=_now(),
            SK_ID_CURR=int(credit_file.application["SK_ID_CURR"]),
            probability_of_default=scored.probability,
            score_points=score_points(scored.log_odds),
            decision=scored.decision,
            threshold=self.model.threshold,
            review_band=self.model.review_band,
            expected_cost=expected_cost(scored.probability, self.model.manifest.costs),
            reasons=scored.reasons,
            model=self.version,
            warnings=warnings(credit_file),
        )

    def _entry(
        self, answer: Prediction, scored: ScoredApplication, content: bytes, request: Request, key: str | None
    ) -> Entry:
        who = request.scope["api_key"].id
        return entry_of(answer, scored, content, who, key, str(self.stored_model.tag), self.bento)


CreditScoring.add_asgi_middleware(  # type: ignore[attr-defined]
    Doors, keys=lambda: KeyRing.from_environment() if is_required() else None
)


def _validated(batch: BatchRequest, items: list[BatchItem]) -> dict[int, CreditFile]:
    """The credit files that can be scored, by position; the items of the others get their problem."""
    valid = {}
    for at, content in enumerate(batch.credit_files):
        try:
            valid[at] = CreditFile.model_validate(content)
        except ValidationError as error:
            items[at].problem = problems.invalid(error)
    return valid


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _reply(_: type[Declared], content: str | bytes) -> Declared:
    """JSON as the answer; BentoML sends a response as it is, whatever model the method declares."""
    return cast("Declared", Response(content, media_type="application/json"))


def _decline(_: type[Declared], ctx: bentoml.Context, found: Problem) -> Declared:
    """A problem as the answer."""
    ctx.response.status_code = found.status  # BentoML would put a 200 in the place of the response's own status
    return cast("Declared", problems.response(found))
