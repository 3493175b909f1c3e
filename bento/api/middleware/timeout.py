"""A timeout for each request in the place of BentoML's, which keeps every request in memory until its time is over.

BentoML 1.4 starts a timer for each request and never cancels it: at 100 requests a second and 10 seconds, a thousand
finished requests are held, and garbage collection makes the slowest answers ten times slower.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from bentoml._internal.server.http import traffic

from bento.api.middleware.gateway import HEADERS, App, Message, Receive, Send
from bento.api.problems import problem, response


class Timeout:
    """ASGI middleware: an answer that has not begun in time becomes a 504; the timer ends with the request."""

    def __init__(self, app: App, timeout: float) -> None:
        self.app, self.timeout = app, timeout

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, for so long at most."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            timer.reschedule(None)  # noqa: F821 - deleted below only once the app has ended
            await send(message)

        timer = asyncio.timeout(self.timeout)
        try:
            async with timer:
                await self.app(scope, receive, noted)
        except TimeoutError:
            if begun or not timer.expired():
                raise
            await response(problem(504), HEADERS)(scope, receive, send)
        finally:
            # `noted` would keep it, it the task, and the task's context each request before on the same connection.
            del timer


def install() -> None:
    """Have BentoML use it: before the service makes its app. The version of BentoML is pinned, and a test watches."""
    traffic.TimeoutMiddleware = Timeout  # type: ignore[assignment, misc]
