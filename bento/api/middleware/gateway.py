"""The middlewares of the service, in the order in which they check a request."""

from collections.abc import Callable

from starlette.middleware import Middleware

from bento.api.keys import KeyRing
from bento.api.middleware.authentication import AuthenticationMiddleware
from bento.api.middleware.concurrency import ConcurrencyLimitMiddleware
from bento.api.middleware.problem_details import ProblemDetailsMiddleware
from bento.api.middleware.request_limits import RequestLimitsMiddleware
from bento.settings import LIMITS, Limits


def gateway(load_keys: Callable[[], KeyRing | None], limits: Limits = LIMITS) -> list[Middleware]:
    """Return the middlewares, the outermost first; `load_keys` is that of `AuthenticationMiddleware`."""
    return [
        Middleware(ProblemDetailsMiddleware),
        Middleware(ConcurrencyLimitMiddleware, max_concurrent_requests=limits.max_concurrent_requests),
        Middleware(AuthenticationMiddleware, load_keys=load_keys),
        Middleware(RequestLimitsMiddleware, limits=limits),
    ]
