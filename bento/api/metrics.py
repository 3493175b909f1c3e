"""Prometheus metrics of the decisions, beside those of BentoML; none of them concerns one person."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from bento.data.credit_file import FieldWarning
from bento.scoring.score import ScoredApplication

DECISIONS = Counter("credit_decisions", "Decisions given, by outcome", ["outcome"])
PROBABILITY = Histogram(
    "credit_probability_of_default",
    "Probability of default of the applications decided",
    buckets=(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1),
)
RULES = Counter("credit_rules", "Decisions to which a rule applied, by its code", ["rule"])
UNKNOWN = Counter("credit_unknown", "Fields scored although they were not understood, by declared column", ["column"])
KINDS_COUNTED = ("unknown_category", "implausible_value", "taken_as_missing")
"""Kinds of warnings of `UNKNOWN`: those that name a declared column, of which there are few."""
NULL_SHARE = Histogram(
    "credit_feature_null_share",
    "Share of the model's features that are null, for each application decided",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1),
)

KEYS_READABLE = Gauge(
    "credit_keys_readable",
    "1 while the file of API keys can be read; at 0 every request that needs a key is answered 503",
    multiprocess_mode="mostrecent",
)


def count(scored: ScoredApplication, warnings: Sequence[FieldWarning]) -> None:
    """Count a decision once it is answered."""
    DECISIONS.labels(scored.decision.value).inc()
    PROBABILITY.observe(scored.probability)
    NULL_SHARE.observe(scored.null_share)
    for hit in scored.rules:
        RULES.labels(hit.code).inc()
    for warning in warnings:
        if warning.kind in KINDS_COUNTED:
            UNKNOWN.labels(warning.field).inc()
