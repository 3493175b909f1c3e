"""The middlewares of the service, in the order in which they check a request."""

from collections.abc import Callable

from starlette.middleware import Middleware

from bento.api.keys import KeyRing
from bento.api.middleware.authentication import AuthenticationMiddleware
from bento.api.middleware.concurrency import ConcurrencyLimitMiddleware
from bento.api.middleware.framing import FramingMiddleware
from bento.api.middleware.problem_details import ProblemDetailsMiddleware
from bento.api.middleware.request_limits import RequestLimitsMiddleware
from bento.settings import LIMITS, Limits


def gateway(
    load_keys: Callable[[], KeyRing | None],
    load_limits: Callable[[], Limits] = lambda: LIMITS,
    are_metrics_guarded: Callable[[], bool] = lambda: False,
) -> list[Middleware]:
    """Return the middlewares, the outermost first.

    All three are called once there is a request, as the settings are not read at import; `load_keys` and
    `are_metrics_guarded` are those of `AuthenticationMiddleware`.
    """
    return [
        Middleware(ProblemDetailsMiddleware),
        Middleware(FramingMiddleware),
        Middleware(ConcurrencyLimitMiddleware, load_limits=load_limits),
        Middleware(AuthenticationMiddleware, load_keys=load_keys, are_metrics_guarded=are_metrics_guarded),
        Middleware(RequestLimitsMiddleware, load_limits=load_limits),
    ]
