"""The number of requests in work; it is checked before authentication, so that a flood without keys is limited too."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from bento.api.endpoints import endpoint_of
from bento.api.problems import Problem, problem, response
from bento.settings import Limits


def too_busy() -> Problem:
    """Return the problem of a request that exceeds what may be in work."""
    return problem(429, "too many requests are in work; wait, then try again")


class ConcurrencyLimitMiddleware:
    """ASGI middleware: a request beyond the limit is answered with 429; health checks are not counted."""

    def __init__(self, app: ASGIApp, load_limits: Callable[[], Limits]) -> None:
        self.app, self.max_concurrent_requests = app, load_limits().max_concurrent_requests
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on where there is room for it."""
        if scope["type"] != "http" or not _is_counted(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self._in_work >= self.max_concurrent_requests:
            await response(too_busy())(scope, receive, send)
            return
        self._in_work += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_work -= 1


def _is_counted(path: str) -> bool:
    endpoint = endpoint_of(path)
    return endpoint is None or endpoint.is_counted
