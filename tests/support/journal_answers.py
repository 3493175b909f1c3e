"""Ask the addresses of decisions in the journal, without a server: the model is left out unless a test gives one."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

from bento.api import decisions
from bento.api.keys import LOCAL, ApiKey
from bento.api.state import ServingState
from bento.journal.store import Journal
from bento.model.manifest import ModelVersion
from bento.rules.rulebook import Rulebook

Ask = Callable[..., httpx.Response]


def state_of(journal: Journal, **changes: Any) -> ServingState:
    """Return what a worker serves with, before a journal."""
    values: dict[str, Any] = {
        "verified_model": None,
        "version": ModelVersion(name="credit_scoring", version="3"),
        "model_tag": "credit_scoring:abc",
        "bento_tag": "a:b",
        "rulebook": Rulebook.none(),
    }
    return ServingState(journal=journal, **values | changes)


def ask(path: str, body: dict[str, Any] | None = None, key: ApiKey = LOCAL) -> httpx.Response:
    """Send a request as the gateway passes it on: with its key, and with its body read; a body makes it a POST."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["api_key"], scope["body"] = key, (await receive()).get("body", b"")
        await decisions.app(scope, receive, send)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await client.request("GET" if body is None else "POST", path, json=body)

    return asyncio.run(send())
