"""What the service counts for Prometheus, beside what BentoML counts; nothing of it concerns one person."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:  # the journal counts too, and has no use for what scores
    from bento.data.credit_file import FieldWarning
    from bento.scoring.score import ScoredApplication

DECISIONS = Counter("credit_decisions", "Decisions given, by outcome", ["outcome"])
PROBABILITY = Histogram(
    "credit_probability_of_default",
    "Probability of default of the applications decided",
    buckets=(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1),
)
UNKNOWN = Counter("credit_unknown", "Fields scored although they were not understood, by declared column", ["column"])
NULL_SHARE = Histogram(
    "credit_feature_null_share",
    "Share of the model's features that are null, for each application decided",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1),
)
JOURNAL_LATENCY = Histogram(
    "credit_journal_seconds",
    "From handing a decision to the journal to its being durably written",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)


def count(scored: "ScoredApplication", warnings: "Sequence[FieldWarning]") -> None:
    """Count a decision that was given."""
    DECISIONS.labels(scored.decision.value).inc()
    PROBABILITY.observe(scored.probability)
    NULL_SHARE.observe(scored.null_share)
    for warning in warnings:
        if warning.kind == "unknown_category":
            UNKNOWN.labels(warning.field).inc()
