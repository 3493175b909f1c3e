"""Minimal servers of the model: finished features in, a probability of default out, with FastAPI and with BentoML.

They show what the frameworks themselves cost: no credit file, no checks, no reasons, no record.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import bentoml

from bento.features.definitions import Value
from bento.model.scoring_model import ScoringModel

if TYPE_CHECKING:
    from fastapi import FastAPI

MODEL_VARIABLE = "BENCHMARK_MODEL"
"""The environment variable that names the model folder."""


def application() -> "FastAPI":
    """Return the FastAPI application."""
    from fastapi import Body, FastAPI  # not in the serving environment

    model, app = _loaded(), FastAPI()

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {}

    @app.post("/predict")
    async def predict(features: Annotated[dict[str, Value], Body(embed=True)]) -> dict[str, float]:
        return _answer(model, features)

    return app


@bentoml.service(name="floor", workers=1, traffic={"timeout": 10})
class Floor:
    """The BentoML service."""

    def __init__(self) -> None:
        self.model = _loaded()

    @bentoml.api  # type: ignore[untyped-decorator]
    async def predict(self, features: dict[str, Value]) -> dict[str, float]:
        """Compute the probability of default."""
        return _answer(self.model, features)


def _loaded() -> ScoringModel:
    return ScoringModel(Path(os.environ[MODEL_VARIABLE]))


def _answer(model: ScoringModel, features: dict[str, Value]) -> dict[str, float]:
    return {"probability_of_default": float(model.probability([features])[0])}
