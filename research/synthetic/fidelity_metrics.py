"""Distances of tables from the calibration statistics: null rates, shares, quantiles, and AUC of each column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtri
from sklearn.metrics import roc_auc_score

from research.results import FidelityFinding
from research.synthetic.calibration_statistics import (
    ColumnStatistics,
    observed_correlation,
    probabilities,
    statistics,
    table_statistics,
)
from research.synthetic.frames import Floats, Integers
from research.synthetic.row_patterns import pattern_shares

_MIN_PATTERN_ROWS = 30
"""Fewest rows of which the share of a pattern is compared."""


@dataclass(frozen=True)
class Bounds:
    """Largest distance from a statistic that passes, beyond two standard errors of the difference."""

    null_rate: float = 0.01
    share: float = 0.01
    ks: float = 0.03
    auc: float = 0.02
    rows: float = 0.05
    """Relative, for rows per client."""
    default_rate: float = 0.002
    pattern: float = 0.02
    """For shares of row patterns, which is the difference that a feature on them may show."""


def finding(
    table: str, column: str, measure: str, real: float, drawn: float | None, bound: float, distance: float | None = None
) -> FidelityFinding:
    """Return the finding of a real and a synthetic figure; its distance is by default their absolute difference."""
    if distance is None:
        distance = abs((drawn or 0.0) - real)
    figures: dict[str, Any] = {"fact": real, "found": drawn, "distance": distance, "bound": bound}
    return FidelityFinding(table=table, column=column, measure=measure, passed=bool(distance <= bound), **figures)


def measure(tables: Mapping[str, pl.DataFrame], bounds: Bounds | None = None) -> list[FidelityFinding]:
    """Compare every column of `tables` (as `generate` makes them) that has statistics; the worst finding first."""
    bounds = bounds or Bounds()
    findings: list[FidelityFinding] = []
    for table in tables:
        if table not in statistics()["tables"] or (frame := tables[table]).is_empty():
            continue
        target = frame["TARGET"].to_numpy() if "TARGET" in frame.columns else None
        for name, column in table_statistics(table).items():
            if name != "TARGET":
                findings += _column(table, name, column, frame[name], target, bounds)
    findings += _rows_per_client(tables, bounds)
    findings += _row_patterns(tables, bounds)
    train = tables["application_train"]
    real = statistics()["published"]["default_rate"]
    rate = float(np.mean(train["TARGET"].to_numpy())) if len(train) else np.nan
    findings.append(finding("application_train", "TARGET", "default rate", real, rate, bounds.default_rate))
    return sorted(findings, key=lambda finding: finding.bound - finding.distance if finding.bound else 0.0)


def correlation_error(train: pl.DataFrame) -> dict[str, float]:
    """Return mean and 99th percentile of the absolute error of the correlations of normal scores."""
    names, observed = observed_correlation()
    numeric = [name for name in names if name in train.columns and train[name].dtype != pl.String]
    places = [names.index(name) for name in numeric]
    ranks = train.select(pl.col(name).rank() / (pl.col(name).count() + 1) for name in numeric).to_numpy()
    scores = np.ma.masked_invalid(ndtri(ranks.astype(np.float64)))
    synthetic = np.ma.corrcoef(scores, rowvar=False).filled(0.0)
    upper = np.triu_indices(len(numeric), 1)
    errors = np.abs(synthetic - observed[np.ix_(places, places)])[upper]
    return {"mean": round(float(errors.mean()), 5), "p99": round(float(np.quantile(errors, 0.99)), 5)}


def auc(values: Floats, target: Integers) -> float:
    """Return the AUC of `values` (n) for `target` (n, 0 or 1); 0.5 where the target has one class only."""
    return float(roc_auc_score(target, values)) if 0 < target.sum() < len(target) else 0.5


def expected_auc(score: Floats, probability: Floats) -> float:
    """Return the AUC of `score` (n) over outcomes drawn with `probability` (n): a client counts as both kinds.

    >>> expected_auc(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    1.0
    """
    weights = np.concatenate([probability, 1 - probability])
    outcome = np.repeat([1, 0], len(score))
    return float(roc_auc_score(outcome, np.tile(score, 2), sample_weight=weights))


def ks_distance(values: Floats, quantiles: Floats) -> tuple[float, float]:
    """Return the largest distance of the distribution of `values` from `quantiles`, and the probability of it."""
    values = np.sort(values)
    levels = probabilities()
    above = np.searchsorted(values, quantiles, side="right") / len(values)
    below = np.searchsorted(values, quantiles, side="left") / len(values)
    distances = np.maximum(np.maximum(below - levels, levels - above), 0.0)
    distances[[0, -1]] = 0.0  # the extremes of a sample are not those of the population
    worst = int(np.argmax(distances))
    return float(distances[worst]), float(levels[worst])


def _column(
    table: str, name: str, real: ColumnStatistics, column: pl.Series, target: Integers | None, bounds: Bounds
) -> Iterator[FidelityFinding]:
    size = _both(statistics()["samples"][table], len(column))
    bound = bounds.null_rate + 2 * _share_error(real.null_rate, size)
    yield finding(table, name, "null rate", real.null_rate, column.null_count() / len(column), bound)
    present = column.drop_nulls()
    if present.is_empty():
        return
    weight = size * (1 - real.null_rate)
    if real.quantiles:
        distance, level = ks_distance(present.cast(pl.Float64).to_numpy(), np.array(real.quantiles))
        yield finding(table, name, "KS", level, None, bounds.ks + 2 * _share_error(level, weight), distance)
    elif column.dtype != pl.Float64:
        yield _worst_share(table, name, real, present, weight, bounds)
    if target is not None and real.auc is not None:
        synthetic = auc(present.cast(pl.Float64).to_numpy(), target[column.is_not_null().to_numpy()])
        yield finding(table, name, "AUC", real.auc, synthetic, bounds.auc + 2 * _auc_error(real.auc, weight))


def _worst_share(
    table: str, name: str, real: ColumnStatistics, present: pl.Series, weight: float, bounds: Bounds
) -> FidelityFinding:
    counts = dict(present.cast(pl.String).value_counts().iter_rows())
    shares = {value: count / len(present) for value, count in counts.items()}
    findings = []
    for value in sorted(real.shares.keys() | shares.keys()):
        share = real.shares.get(value, 0.0)
        bound = bounds.share + 2 * _share_error(share, weight)
        findings.append(finding(table, f"{name}={value}", "share", share, shares.get(value, 0.0), bound))
    return max(findings, key=lambda finding: finding.distance - finding.bound)


def _both(one: float, other: float) -> float:
    """Return the size of a sample whose error is that of the difference of two samples."""
    return one * other / (one + other)


def _share_error(share: float, size: float) -> float:
    """Return the standard error of a share."""
    return float(np.sqrt(share * (1 - share) / size))


def _auc_error(area: float, size: float) -> float:
    """Return Hanley and McNeil's standard error at the published default rate."""
    n = size * statistics()["published"]["default_rate"]
    m = size - n
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    return float(np.sqrt((area * (1 - area) + (n - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)) / (n * m)))


def _row_patterns(tables: Mapping[str, pl.DataFrame], bounds: Bounds) -> Iterator[FidelityFinding]:
    facts = statistics()["patterns"]
    shares = pattern_shares(tables)
    for name, pattern in shares.items():
        if pattern.rows < _MIN_PATTERN_ROWS:
            continue
        real = facts[name]["share"]
        error = np.hypot(_share_error(real, facts[name]["rows"]), _share_error(real, pattern.rows))
        yield finding("row patterns", name, "share", real, pattern.share, bounds.pattern + 2 * error)


def _rows_per_client(tables: Mapping[str, pl.DataFrame], bounds: Bounds) -> Iterator[FidelityFinding]:
    published = statistics()["published"]
    clients = sum(published["rows"][f"application_{part}"] for part in ("train", "test"))
    here = len(tables["application_train"]) + len(tables["application_test"])
    for table, frame in tables.items():
        if table.startswith("application") or table not in published["rows"]:
            continue
        real, synthetic = published["rows"][table] / clients, len(frame) / here
        yield finding(table, "(rows)", "rows per client", real, synthetic, bounds.rows, abs(synthetic / real - 1))
        if "SK_ID_CURR" in frame.columns:
            real, synthetic = published["clients"][table] / clients, frame["SK_ID_CURR"].n_unique() / here
            yield finding(table, "(clients)", "share of clients", real, synthetic, bounds.share)
