"""Prometheus metrics of the decisions, beside those of BentoML; none of them concerns one person."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bento.api.state import ServingState
from bento.data.credit_file import FieldWarning
from bento.model.fingerprint import code_fingerprint
from bento.scoring.score import ScoredApplication

DECISIONS = Counter("credit_decisions", "Decisions given, by outcome", ["outcome"])
PROBABILITY = Histogram(
    "credit_probability_of_default",
    "Probability of default of the applications decided",
    buckets=(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1),
)
RULES = Counter("credit_rule_hits", "Decisions to which a rule applied, by its code", ["rule"])
UNKNOWN = Counter(
    "credit_unknown_fields", "Fields scored although they were not understood, by declared column", ["column"]
)
KINDS_COUNTED = ("unknown_category", "implausible_value", "taken_as_missing")
"""Kinds of warnings of `UNKNOWN`: those that name a declared column, of which there are few."""
NULL_SHARE = Histogram(
    "credit_feature_null_share",
    "Share of the model's features that are null, for each application decided",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1),
)
REVIEWS = Counter("credit_reviews", "Reviews written, by verdict and outcome", ["verdict", "outcome"])
CONTESTS = Counter("credit_contests", "Contests written, by the outcome that the client contests", ["outcome"])


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


class _Present(Collector):
    """What is so at the time of the scrape; the other metrics count over all processes since the start."""

    def __init__(self, state: ServingState, *, is_ready: bool, is_journal_ready: bool, are_keys_readable: bool) -> None:
        self.state, self.is_ready, self.is_journal_ready = state, is_ready, is_journal_ready
        self.are_keys_readable = are_keys_readable

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        labels = {
            "model": self.state.version.name,
            "version": self.state.version.version,
            "bento": self.state.bento_tag,
            "code": code_fingerprint(),
            "rules": self.state.rulebook.version,
        }
        build = GaugeMetricFamily("credit_build_info", "Always 1: model, Bento, code and rules", labels=list(labels))
        build.add_metric(list(labels.values()), 1)
        yield build
        yield GaugeMetricFamily("credit_ready", "1 where /readyz answers 200", self.is_ready)
        yield GaugeMetricFamily("credit_journal_ready", "1 where decisions can be written", self.is_journal_ready)
        yield GaugeMetricFamily(
            "credit_keys_readable", "0 where the file of API keys cannot be read", self.are_keys_readable
        )


def present(state: ServingState, *, is_ready: bool, is_journal_ready: bool, are_keys_readable: bool) -> str:
    """Return what is so at present in Prometheus's text format: build, and what can be used."""
    registry = CollectorRegistry()
    registry.register(
        _Present(state, is_ready=is_ready, is_journal_ready=is_journal_ready, are_keys_readable=are_keys_readable)
    )
    return generate_latest(registry).decode()
