"""How far tables lie from the facts: null rates, shares, quantiles, and how well each column tells the risk."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from research.synthetic.facts import ColumnFacts, facts, observed_correlation, probabilities, table_facts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Largest distance from a fact that passes, beyond two standard errors of the fact."""

    null_rate: float = 0.01
    share: float = 0.01
    ks: float = 0.03
    auc: float = 0.02
    rows: float = 0.05
    """Relative, for rows per client."""
    default_rate: float = 0.002


@dataclass(frozen=True)
class Finding:
    """One figure of the tables beside the fact."""

    table: str
    column: str
    measure: str
    fact: float
    """The known figure; for KS the probability at which the distance is largest."""
    found: float | None
    distance: float
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the distance is within the bound."""
        return bool(self.distance <= self.bound)

    def record(self) -> dict[str, Any]:
        """The finding as plain values, for JSON."""
        values = asdict(self) | {"passed": self.passed}
        return {key: round(float(value), 6) if isinstance(value, float) else value for key, value in values.items()}


def measure(tables: Mapping[str, pl.DataFrame], bounds: Bounds | None = None) -> list[Finding]:
    """Findings for every column of `tables` (as `generate` makes them) that the facts speak of, worst first."""
    bounds = bounds or Bounds()
    found = [
        finding for table in tables if table in facts()["tables"] for finding in _table(table, tables[table], bounds)
    ]
    found += _rows_per_client(tables, bounds)
    train = tables["application_train"]
    fact = facts()["published"]["default_rate"]
    rate = float(np.mean(train["TARGET"].to_numpy())) if len(train) else np.nan
    found.append(
        Finding("application_train", "TARGET", "default rate", fact, rate, abs(rate - fact), bounds.default_rate)
    )
    return sorted(found, key=lambda finding: finding.bound - finding.distance if finding.bound else 0.0)


def correlation_error(train: pl.DataFrame) -> dict[str, float]:
    """Mean and 99th percentile of the absolute error of the correlations of normal scores of known values."""
    names, observed = observed_correlation()
    numeric = [name for name in names if name in train.columns and train[name].dtype != pl.String]
    places = [names.index(name) for name in numeric]
    ranks = train.select(pl.col(name).rank() / (pl.col(name).count() + 1) for name in numeric).to_numpy()
    scores = np.ma.masked_invalid(ndtri(ranks.astype(np.float64)))
    found = np.ma.corrcoef(scores, rowvar=False).filled(0.0)
    upper = np.triu_indices(len(numeric), 1)
    errors = np.abs(found - observed[np.ix_(places, places)])[upper]
    return {"mean": round(float(errors.mean()), 5), "p99": round(float(np.quantile(errors, 0.99)), 5)}


def auc(values: Floats, target: NDArray[np.int64]) -> float:
    """Area under the ROC curve of `values` (n) for `target` (n, 0 or 1); ties count half."""
    order = np.argsort(values, kind="stable")
    _, first, counts = np.unique(values[order], return_index=True, return_counts=True)
    ranks = np.repeat(first + (counts + 1) / 2, counts)
    positives = target[order] == 1
    n, m = int(positives.sum()), int((~positives).sum())
    return float((ranks[positives].sum() - n * (n + 1) / 2) / (n * m)) if n and m else 0.5


def ks_distance(values: Floats, quantiles: Floats) -> tuple[float, float]:
    """Largest distance of the distribution of `values` from `quantiles`, and the probability where it lies."""
    values = np.sort(values)
    levels = probabilities()
    above = np.searchsorted(values, quantiles, side="right") / len(values)
    below = np.searchsorted(values, quantiles, side="left") / len(values)
    distances = np.maximum(np.maximum(below - levels, levels - above), 0.0)
    distances[[0, -1]] = 0.0  # extremes of a sample are no fact of the population
    worst = int(np.argmax(distances))
    return float(distances[worst]), float(levels[worst])


def _table(table: str, frame: pl.DataFrame, bounds: Bounds) -> Iterator[Finding]:
    size = facts()["samples"][table]
    target = frame["TARGET"].to_numpy() if "TARGET" in frame.columns else None
    for name, known in table_facts(table).items():
        if name == "TARGET" or frame.is_empty():
            continue
        column = frame[name]
        null_rate = column.null_count() / len(column)
        error = 2 * np.sqrt(known.null_rate * (1 - known.null_rate) / size)
        yield Finding(
            table,
            name,
            "null rate",
            known.null_rate,
            null_rate,
            abs(null_rate - known.null_rate),
            bounds.null_rate + error,
        )
        present = column.drop_nulls()
        if present.is_empty():
            continue
        weight = size * (1 - known.null_rate)
        if known.quantiles:
            distance, level = ks_distance(present.cast(pl.Float64).to_numpy(), np.array(known.quantiles))
            yield Finding(
                table, name, "KS", level, None, distance, bounds.ks + 2 * np.sqrt(level * (1 - level) / weight)
            )
        elif column.dtype != pl.Float64:
            yield _worst_share(table, name, known, present, weight, bounds)
        if target is not None and known.auc is not None:
            keep = column.is_not_null().to_numpy()
            found = auc(present.cast(pl.Float64).to_numpy(), target[keep])
            yield Finding(
                table,
                name,
                "AUC",
                known.auc,
                found,
                abs(found - known.auc),
                bounds.auc + 2 * _auc_error(known.auc, weight),
            )


def _worst_share(
    table: str, name: str, known: ColumnFacts, present: pl.Series, weight: float, bounds: Bounds
) -> Finding:
    counts = dict(present.cast(pl.String).value_counts().iter_rows())
    found = {value: count / len(present) for value, count in counts.items()}
    findings = [
        Finding(
            table,
            f"{name}={value}",
            "share",
            known.shares.get(value, 0.0),
            found.get(value, 0.0),
            abs(found.get(value, 0.0) - known.shares.get(value, 0.0)),
            bounds.share + 2 * np.sqrt(known.shares.get(value, 0.0) * (1 - known.shares.get(value, 0.0)) / weight),
        )
        for value in sorted(known.shares.keys() | found.keys())
    ]
    return max(findings, key=lambda finding: finding.distance - finding.bound)


def _auc_error(area: float, size: float) -> float:
    """Hanley and McNeil's standard error at the published default rate."""
    n = size * facts()["published"]["default_rate"]
    m = size - n
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    return float(np.sqrt((area * (1 - area) + (n - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)) / (n * m)))


def _rows_per_client(tables: Mapping[str, pl.DataFrame], bounds: Bounds) -> Iterator[Finding]:
    published = facts()["published"]
    clients = sum(published["rows"][f"application_{part}"] for part in ("train", "test"))
    here = len(tables["application_train"]) + len(tables["application_test"])
    for table, frame in tables.items():
        if table.startswith("application") or table not in published["rows"]:
            continue
        fact, found = published["rows"][table] / clients, len(frame) / here
        yield Finding(table, "(rows)", "rows per client", fact, found, abs(found / fact - 1), bounds.rows)
        if "SK_ID_CURR" in frame.columns:
            share, seen = published["clients"][table] / clients, frame["SK_ID_CURR"].n_unique() / here
            yield Finding(table, "(clients)", "share of clients", share, seen, abs(seen - share), bounds.share)
