"""The BentoML service: composition of its parts, and the three methods that score."""

import sys
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import bentoml
from starlette.responses import Response

from bento import NAME, CorrectableError
from bento.api import connections, decisions, log_lines, processes, tracing
from bento.api.health import Health
from bento.api.keys import KeyRing
from bento.api.log_filter import keep_personal_data_out
from bento.api.middleware import request_log, request_metrics, timeout
from bento.api.middleware.gateway import gateway
from bento.api.predictions import DecisionMaker
from bento.api.problems import ProblemError, response
from bento.api.process_tuning import ScoringSlots, tune_garbage_collection
from bento.api.recording import Recorder
from bento.api.schemas import BatchPrediction, BatchRequest, Prediction
from bento.api.state import ServingState, check_settings, open_journal, open_rulebook
from bento.data.credit_file import CreditFile
from bento.journal.writer import Writer
from bento.scoring.explanation import Explanation
from bento.settings import LIMITS, Limits

Declared = TypeVar("Declared")
read_settings = cache(processes.read_settings)
"""Read the settings once in a process, and not at import."""

# BentoML asks for a recipe; the image that runs is made by research/deployment/Containerfile.
image = bentoml.images.Image(base_image="python:3.11-slim", distro="none", python_version="3.11")


@cache
def _limits() -> Limits:
    return read_settings().limits


@cache
def _load_keys() -> KeyRing | None:
    settings = read_settings()
    return KeyRing(Path(settings.keys_file or "")) if settings.requires_keys else None


timeout.install()
request_metrics.install()
processes.install()
connections.install(_limits)
request_log.install()
log_lines.install()


@bentoml.service(
    name=NAME,
    image=image,
    envs=[
        {"name": "POLARS_MAX_THREADS", "value": "1"},  # splitting a credit file costs a fifth more CPU time
    ],
    workers=LIMITS.workers,
    threads=2,
    traffic={"timeout": LIMITS.request_timeout_s},
    tracing={"excluded_urls": [".*"]},  # BentoML's spans: a twentieth of a decision's time; see bento.api.tracing
)
@bentoml.asgi_app(decisions.app)
class CreditScoring:
    """Decides on loan applications, explains the decisions, and keeps account of them.

    Give your key as `Authorization: Bearer KEY`. Every error has the same shape (RFC 9457).
    """

    stored_model = bentoml.models.BentoModel(f"{NAME}:latest")

    def __init__(self) -> None:
        processes.end_with_parent()
        keep_personal_data_out()
        self.state = ServingState.load(self.stored_model, open_journal(read_settings()), open_rulebook(read_settings()))
        self.writer = Writer(self.state.journal)
        self.health = Health(self.state, self.writer, _load_keys())
        slots = ScoringSlots(LIMITS.max_scored_per_loop_turn)
        self.predictor = DecisionMaker(self.state, Recorder(self.writer), slots)
        tune_garbage_collection()

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def check() -> None:
        """Refuse to start, in one line, where decisions could not be guarded or kept."""
        try:
            check_settings(read_settings())
            processes.hand_over(read_settings())
        except CorrectableError as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(error.exit_code)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Write the decisions that are still waiting."""
        self.writer.close()
        self.state.journal.close()
        tracing.close()

    def __is_ready__(self) -> bool:
        return self.health.is_ready()

    def __metrics__(self, content: str) -> str:
        return content + self.health.metrics()

    @bentoml.api  # type: ignore[untyped-decorator]
    async def predict(self, credit_file: CreditFile, /, ctx: bentoml.Context) -> Prediction:
        """Decide on one application: probability of default, decision, expected cost and reasons."""
        try:
            content, is_replayed = await self.predictor.predict(credit_file, ctx.request)
        except ProblemError as error:
            return _decline(Prediction, ctx, error)
        if is_replayed:
            ctx.response.headers["Idempotent-Replayed"] = "true"
        return _reply(Prediction, content)

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict_batch(self, batch: BatchRequest, /, ctx: bentoml.Context) -> BatchPrediction:
        """Decide on up to 100 applications, each answered or refused by itself, in their order."""
        try:
            return _reply(BatchPrediction, self.predictor.predict_batch(batch, ctx.request).model_dump_json())
        except ProblemError as error:
            return _decline(BatchPrediction, ctx, error)

    @bentoml.api  # type: ignore[untyped-decorator]
    def explain(self, credit_file: CreditFile, /, ctx: bentoml.Context) -> Explanation:
        """Explain what the model makes of an application; nothing is decided, and nothing is kept."""
        try:
            return _reply(Explanation, self.predictor.explain(credit_file, ctx.request).model_dump_json())
        except ProblemError as error:
            return _decline(Explanation, ctx, error)


for middleware in gateway(_load_keys, _limits, lambda: read_settings().metrics_auth == "on"):
    CreditScoring.add_asgi_middleware(middleware.cls, **middleware.kwargs)  # type: ignore[attr-defined]


def _reply(_: type[Declared], content: str | bytes) -> Declared:
    """Return JSON as the answer; BentoML sends a Response unchanged, although the method declares a model."""
    return cast("Declared", Response(content, media_type="application/json"))


def _decline(_: type[Declared], ctx: bentoml.Context, error: ProblemError) -> Declared:
    """Return a problem as the answer."""
    ctx.response.status_code = error.problem.status  # BentoML would replace the status of the Response by 200
    return cast("Declared", response(error.problem))
