"""The addresses of the service, each declared once.

Scopes, limits, metric labels, OpenAPI and routes derive from this table. An address that is not listed asks for a key
with any scope, and answers 404.
"""

import re
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

from bento.api.keys import Scope
from bento.settings import LIMITS, MIB


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One address; `access` has no default, so that no address is open by omission."""

    path: str
    """Template as Starlette writes it."""
    method: Literal["GET", "POST"]
    access: Scope | Literal["any key", "open"]
    """The scope that a key needs; `any key` accepts a key with any scope; `open` asks for none, as nothing there
    concerns a person."""
    max_body_bytes: int = 0
    """0: a body is not read."""
    tag: Literal["scoring", "journal", "model", "operation"] | None = None
    """Section of the OpenAPI document; None: left out."""
    cost: float = 1.0
    """Tokens of the rate limit of a key; 1 is the work of one decision."""
    is_counted: bool = True
    """Among the requests in work, whose number is limited."""
    is_labelled: bool = True
    """With a separate label in the request metrics."""

    @cached_property
    def guarded(self) -> re.Pattern[str]:
        """Match the paths that `access` covers.

        A parameter may be empty and, unless the address is open, the path may end with a slash: a path that no route
        answers is better guarded too closely than not at all.
        """
        pattern = re.sub(r"\\{\w+\\}", "[^/]*", re.escape(self.path))
        pattern = re.sub(r"\\{\w+:path\\}", ".*", pattern)
        return re.compile(pattern if self.access == "open" else f"{pattern}/?")

    @cached_property
    def routed(self) -> re.Pattern[str]:
        """Match the paths that reach the address."""
        return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path)) + "/?")


_scoring = partial(Endpoint, method="POST", access="score", tag="scoring")
_open = partial(Endpoint, method="GET", access="open")

PREDICT = _scoring(path="/predict", max_body_bytes=LIMITS.max_credit_file_bytes)
PREDICT_BATCH = _scoring(path="/predict_batch", max_body_bytes=LIMITS.max_batch_bytes)
EXPLAIN = _scoring(path="/explain", max_body_bytes=LIMITS.max_credit_file_bytes, cost=2.0)
DECISIONS = Endpoint(path="/decisions", method="GET", access="review", tag="journal")
DECISION = Endpoint(path="/decisions/{decision_id}", method="GET", access="read", tag="journal")
REVIEW = Endpoint(
    path="/decisions/{decision_id}/review",
    method="POST",
    access="review",
    max_body_bytes=LIMITS.max_other_body_bytes,
    tag="journal",
)
CONTEST = Endpoint(
    path="/decisions/{decision_id}/contest",
    method="POST",
    access="review",
    max_body_bytes=LIMITS.max_other_body_bytes,
    tag="journal",
)
REPLAY = Endpoint(path="/decisions/{decision_id}/replay", method="GET", access="review", tag="journal", cost=2.0)
MODEL = Endpoint(path="/model", method="GET", access="any key", tag="model")
LIVEZ = _open(path="/livez", tag="operation", is_counted=False)
READYZ = _open(path="/readyz", tag="operation", is_counted=False)
HEALTHZ = _open(path="/healthz", is_counted=False)
METRICS = _open(path="/metrics", tag="operation", is_counted=False)
OPENAPI = _open(path="/docs.json")
DOCUMENTATION = _open(path="/", is_labelled=False)
SCHEMA = _open(path="/schema.json", is_labelled=False)
STATIC_CONTENT = _open(path="/static_content/{file:path}", is_labelled=False)

ENDPOINTS = (
    PREDICT,
    PREDICT_BATCH,
    EXPLAIN,
    DECISIONS,
    DECISION,
    REVIEW,
    CONTEST,
    REPLAY,
    MODEL,
    LIVEZ,
    READYZ,
    HEALTHZ,
    METRICS,
    OPENAPI,
    DOCUMENTATION,
    SCHEMA,
    STATIC_CONTENT,
)
UNLISTED = "elsewhere"
"""Label of the paths that belong to no endpoint."""


def endpoint_of(path: str) -> Endpoint | None:
    """Return the endpoint whose rules apply to a path; None for a path that is not listed.

    >>> endpoint_of("/predict/").access, endpoint_of("/wp-login.php")
    ('score', None)
    """
    return next((endpoint for endpoint in ENDPOINTS if endpoint.guarded.fullmatch(path)), None)


def route_template(path: str) -> str:
    """Return the label of a path in the request metrics: its template, or `UNLISTED`.

    >>> route_template("/decisions/0a1b/review"), route_template("/wp-login.php")
    ('/decisions/{decision_id}/review', 'elsewhere')
    """
    labelled = (endpoint for endpoint in ENDPOINTS if endpoint.is_labelled)
    return next((endpoint.path for endpoint in labelled if endpoint.routed.fullmatch(path)), UNLISTED)


def formatted_size(n_bytes: int) -> str:
    """Write the limit of a body as the answers do.

    >>> formatted_size(PREDICT.max_body_bytes), formatted_size(REVIEW.max_body_bytes)
    ('2 MB', '64 kB')
    """
    return f"{n_bytes / MIB:.0f} MB" if n_bytes >= MIB else f"{n_bytes / 2**10:.0f} kB"
