"""API keys and the scopes that addresses require."""

import ipaddress
import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.api.endpoints import endpoint_of
from bento.api.keys import LOCAL, ApiKey, KeyRing, KeysError
from bento.api.problems import ProblemError, problem, response

log = logging.getLogger("bentoml.credit_scoring")


class AuthenticationMiddleware:
    """ASGI middleware: 401 without a valid API key, 403 where the key lacks the scope of the address.

    Sets `scope["api_key"]`: the `ApiKey` of the request, None at an open address.
    """

    def __init__(self, app: ASGIApp, load_keys: Callable[[], KeyRing | None]) -> None:
        """`load_keys` is called at the first request; None switches keys off, for callers on this machine alone."""
        self.app, self._load_keys = app, load_keys
        self._keys: KeyRing | None = None
        self._is_loaded = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if its key may ask for the address."""
        if scope["type"] == "http":
            try:
                scope["api_key"] = self._authorized_key(scope)
            except ProblemError as error:
                await response(error.problem)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _authorized_key(self, scope: Scope) -> ApiKey | None:
        path = scope["path"]
        if not path.isprintable():  # a router may take "/predict\n" for "/predict", and no pattern here does
            raise ProblemError(problem(404))
        endpoint = endpoint_of(path)
        if endpoint is not None and endpoint.access == "open":
            return None
        key = self._key(scope)
        required = "any key" if endpoint is None else endpoint.access
        if required != "any key" and required not in key.scopes:
            raise ProblemError(problem(403, f"the API key lacks the scope {required}"))
        return key

    def _key(self, scope: Scope) -> ApiKey:
        if not self._is_loaded:
            try:
                self._keys, self._is_loaded = self._load_keys(), True
            except KeysError as error:
                log.error("%s", error)
                raise ProblemError(problem(503)) from error
        if self._keys is None:
            if _is_loopback(scope.get("server")):
                return LOCAL
            raise ProblemError(problem(403, "without API keys the service answers on loopback alone"))
        scheme, _, presented = Headers(scope=scope).get("authorization", "").partition(" ")
        key = self._keys.find(presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise ProblemError(problem(401))
        return key


def _is_loopback(server: tuple[str, int | None] | None) -> bool:
    """Return whether the address that was called is one of this machine alone."""
    try:
        return server is not None and ipaddress.ip_address(server[0]).is_loopback
    except ValueError:
        return False
