"""A service with our middleware, timeout and log filter, and endpoints that fail in every way."""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import bentoml
import httpx
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bento.api.log_filter import keep_personal_data_out
from bento.api.middleware import request_log, timeout
from bento.api.middleware.gateway import gateway

JSON = {"Content-Type": "application/json"}
TIMEOUT_S = 1
"""Seconds for a request."""
SECRET = "a-secret-amount"  # noqa: S105 - a value that no answer and no log may repeat

timeout.install()
request_log.install()


class Amount(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    amount: float


class Careless(BaseModel):
    """A model whose errors repeat the rejected value."""

    amount: float


def decision(request: Request) -> Response:
    return JSONResponse(request.path_params)


def unfit_too(_: Request) -> Response:
    return JSONResponse(Careless.model_validate({"amount": SECRET}).model_dump())


def stream(_: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}"
            await asyncio.sleep(TIMEOUT_S / 2)

    return StreamingResponse(parts(), media_type="text/plain")


@bentoml.service(name="small", traffic={"timeout": TIMEOUT_S}, metrics={"enabled": False})
@bentoml.asgi_app(
    Starlette(routes=[Route("/decisions/{id}", decision), Route("/unfit", unfit_too), Route("/stream", stream)])
)
class Small:
    def __init__(self) -> None:
        keep_personal_data_out()

    @bentoml.api
    async def predict(self, amount: Amount, /) -> dict[str, Any]:
        return amount.model_dump()

    @bentoml.api
    async def slow(self, amount: Amount, /) -> dict[str, Any]:
        await asyncio.sleep(10 * TIMEOUT_S)
        return {}

    @bentoml.api
    def broken(self, amount: Amount, /) -> dict[str, Any]:
        raise ZeroDivisionError

    @bentoml.api
    def unfit(self, amount: Amount, /) -> dict[str, Any]:
        return Careless.model_validate({"amount": SECRET}).model_dump()

    @bentoml.api
    def refused(self, amount: Amount, /) -> dict[str, Any]:
        raise bentoml.exceptions.InvalidArgument(SECRET)


for middleware in gateway(lambda: None):
    Small.add_asgi_middleware(middleware.cls, **middleware.kwargs)


@cache
def built() -> Any:
    """Return the ASGI application that BentoML makes of the service."""
    return Small.to_asgi()


def ask(method: str, path: str, content: bytes = b'{"amount": 1}', **headers: str) -> httpx.Response:
    """Return the answer to a request."""
    return ask_all([(method, path, content)], headers)[0]


def ask_all(requests: list[tuple[str, str, bytes]], headers: dict[str, str] | None = None) -> list[httpx.Response]:
    """Return the answers to concurrent requests, each with these headers."""

    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=built(), raise_app_exceptions=False)
        async with (
            built().router.lifespan_context(built()),
            httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:3000", headers=JSON | (headers or {})
            ) as client,
        ):
            return await asyncio.gather(
                *(client.request(method, path, content=content) for method, path, content in requests)
            )

    return asyncio.run(answers())
