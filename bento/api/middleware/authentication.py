"""API keys and the scopes that addresses require."""

import ipaddress
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.api.endpoints import METRICS, endpoint_of
from bento.api.keys import LOCAL, ApiKey, KeyRing, KeysError
from bento.api.problems import ProblemError, problem, response

log = logging.getLogger("bentoml.credit_scoring")

FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
"""Of a proxy: behind one on this machine every caller seems to be this machine."""

NOT_READABLE = "the file of API keys cannot be read, so no request with a key can be answered; the log says why"


class AuthenticationMiddleware:
    """ASGI middleware: 401 without a valid API key, 403 where the key lacks the scope of the address.

    Sets `scope["api_key"]`: the `ApiKey` of the request, None at an open address.
    """

    def __init__(
        self,
        app: ASGIApp,
        load_keys: Callable[[], KeyRing | None],
        are_metrics_guarded: Callable[[], bool] = lambda: False,
    ) -> None:
        """Both functions are called at the first request.

        Args:
            app: the application.
            load_keys: None switches keys off, for callers on this machine alone.
            are_metrics_guarded: whether /metrics asks for a key with the scope `metrics`.
        """
        self.app, self._load_keys, self._are_metrics_guarded = app, load_keys, are_metrics_guarded
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
        self._refresh()
        if self._is_loaded and self._keys is None:
            _check_host(scope)
        required = self._required(path)
        if required == "open":
            return None
        key = self._key(scope)
        if required != "any key" and required not in key.scopes:
            raise ProblemError(problem(403, f"the API key lacks the scope {required}"))
        if required == "review" and key.name is None and "delegate" not in key.scopes:
            raise ProblemError(problem(403, "the API key names no reviewer; make one with keys new-key --name"))
        return key

    def _required(self, path: str) -> str:
        endpoint = endpoint_of(path)
        if endpoint is None:
            return "any key"
        if endpoint is METRICS and self._are_metrics_guarded():
            return "metrics"
        return endpoint.access

    def _refresh(self) -> None:
        """Load the keys, or notice their change."""
        if not self._is_loaded:
            try:
                self._keys, self._is_loaded = self._load_keys(), True
            except KeysError as error:
                log.error("%s", error)
                return
        if self._keys is not None:
            self._keys.refresh()

    def _key(self, scope: Scope) -> ApiKey:
        if not self._is_loaded:
            raise ProblemError(problem(503, NOT_READABLE))
        if self._keys is None:
            return _local_key(scope)
        scheme, _, presented = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            key = self._keys.find(presented.strip()) if scheme.lower() == "bearer" else None
        except KeysError as error:  # find() has logged it
            raise ProblemError(problem(503, NOT_READABLE)) from error
        if key is None:
            raise ProblemError(problem(401))
        return key


def _local_key(scope: Scope) -> ApiKey:
    """Return the key of requests without keys; raise ProblemError for those that do not come from this machine."""
    if not _is_loopback((scope.get("server") or ("",))[0]):
        raise ProblemError(problem(403, "without API keys the service answers on loopback alone"))
    headers = Headers(scope=scope)
    if any(name in headers for name in FORWARDING_HEADERS):
        raise ProblemError(problem(403, "without API keys the service does not answer through a proxy"))
    return LOCAL


def _check_host(scope: Scope) -> None:
    """Raise ProblemError where a request names another host than this machine.

    A page of another site, whose name its owner lets point to 127.0.0.1 (DNS rebinding), could read the answers.
    """
    try:
        name = urlsplit("//" + Headers(scope=scope).get("host", "localhost")).hostname or ""
    except ValueError:  # such as "[::1", which is no name at all
        name = ""
    called = (scope.get("server") or ("",))[0]
    if name.rstrip(".") != "localhost" and name != called and not _is_loopback(name):
        raise ProblemError(problem(403, "without API keys the service answers to the names of this machine alone"))


def _is_loopback(address: str) -> bool:
    """Return whether an address, as text, is one of this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
