"""Measure how far two samples of one column are apart, and how far two samples of one population would be.

The effect size is the population stability index (PSI) over bins of the reference: deciles of a number, in which every
frequent value has a separate bin, or categories. It depends on ranks alone, so one extreme value does not change it.
Pearson's statistic of the same bins tells what chance does: between two samples of n and m rows of one population it is
chi-square with (bins - 1) degrees of freedom, and on the scale of the PSI that is chi-square * (1/n + 1/m).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2

Floats = NDArray[np.float64]
Counts = NDArray[np.float64]
Positions = NDArray[np.int64]

QUANTILES = np.arange(1, 10) / 10
MIN_ATOM = 0.05
"""Share of the reference from which one value of a number has a separate bin."""
MIN_EXPECTED = 5.0
"""Rows expected in each bin of the smaller sample, below which bins are pooled: the usual condition of chi-square."""
FALSE_ALARMS = 0.01
"""Probability that any of the columns compared together drifts by chance (Bonferroni)."""
MIN_EFFECT = 0.005
"""PSI, beyond what chance adds, from which a change is more than small: a mean that moves by 0.07 deviations."""


@dataclass(frozen=True)
class Distance:
    """The distance between the distributions of two samples over the same bins."""

    psi: float
    """Population stability index, with half a row added to each bin, so that an empty bin is finite."""
    by_chance: float
    """PSI expected between two samples of one population."""
    statistic: float
    """Pearson's statistic."""
    freedom: int
    """Degrees of freedom: bins less one; 0 where there is nothing to compare."""
    scale: float
    """1/n + 1/m."""

    def limit(self, comparisons: int, least: float = MIN_EFFECT) -> float:
        """Return the PSI that chance reaches with FALSE_ALARMS over all `comparisons`, or that is a small change.

        A small change is `least` above what chance adds on average.
        """
        if not self.freedom:
            return math.inf
        return max(critical(self.freedom, comparisons) * self.scale, self.by_chance + least)

    def drifted(self, comparisons: int, least: float = MIN_EFFECT) -> bool:
        """Whether the distance is more than chance, by Pearson's statistic, and more than a small change."""
        if not self.freedom:
            return False
        beyond_chance = self.statistic > critical(self.freedom, comparisons)
        return bool(beyond_chance and self.psi - self.by_chance >= least)


@cache
def critical(freedom: int, comparisons: int) -> float:
    """Return the value that chi-square exceeds with probability FALSE_ALARMS / comparisons.

    >>> round(critical(1, 1), 2), round(critical(9, 120), 1)
    (6.63, 34.2)
    """
    return float(chi2.isf(FALSE_ALARMS / max(comparisons, 1), freedom))


NONE = Distance(0.0, 0.0, 0.0, 0, 0.0)
"""Of samples that cannot be compared."""


def distance(reference: Counts, current: Counts) -> Distance:
    """Measure the distance between counts over the same bins; rare bins are pooled.

    >>> distance(np.array([50.0, 50]), np.array([50.0, 50])).psi
    0.0
    >>> shifted = distance(np.array([500.0, 500]), np.array([250.0, 750]))
    >>> round(shifted.psi, 2), shifted.freedom, shifted.drifted(comparisons=120)
    (0.27, 1, True)
    """
    n, m = float(reference.sum()), float(current.sum())
    if not n or not m:
        return NONE
    reference, current = _pooled(reference, current)
    bins = len(reference)
    if bins < 2:
        return NONE
    p, q = (reference + 0.5) / (n + 0.5 * bins), (current + 0.5) / (m + 0.5 * bins)
    psi = float(((q - p) * np.log(q / p)).sum())
    difference = np.sqrt(m / n) * reference - np.sqrt(n / m) * current
    statistic = float((difference**2 / (reference + current)).sum())
    scale = 1 / n + 1 / m
    return Distance(psi, (bins - 1) * scale, statistic, bins - 1, scale)


def _pooled(reference: Counts, current: Counts) -> tuple[Counts, Counts]:
    """Pool the rarest bins until each expects MIN_EXPECTED rows of the smaller sample."""
    total = reference + current
    smaller = min(reference.sum(), current.sum()) / total.sum()
    order = np.argsort(total, kind="stable")
    expected = total[order] * smaller
    rare = int((expected < MIN_EXPECTED).sum())
    while 0 < rare < len(order) and expected[:rare].sum() < MIN_EXPECTED:
        rare += 1
    if not rare:
        return reference, current
    first, rest = order[:rare], order[rare:]
    return (
        np.concatenate([[reference[first].sum()], reference[rest]]),
        np.concatenate([[current[first].sum()], current[rest]]),
    )


@dataclass(frozen=True)
class NumberBins:
    """Bins of a number: between the edges, and each frequent value for itself."""

    edges: Floats
    atoms: NDArray[np.bool_]
    """Which of the edges are frequent values; shape as `edges`."""

    @classmethod
    def of(cls, reference: Floats) -> "NumberBins":
        """Cut at the deciles of the reference (shape (rows,), finite and not empty)."""
        ordered = np.sort(reference)
        edges = np.unique(ordered[np.ceil(QUANTILES * len(ordered)).astype(np.int64) - 1])
        rows = np.searchsorted(ordered, edges, "right") - np.searchsorted(ordered, edges, "left")
        return cls(edges, rows >= MIN_ATOM * len(ordered))

    def counts(self, values: Floats) -> Counts:
        """Count the rows in each bin: shape (2 * edges + 1,), bins between edges and those of the edges in turns."""
        left = np.searchsorted(self.edges, values, "left")
        at_edge = np.minimum(left, len(self.edges) - 1)
        is_atom = (left < len(self.edges)) & (self.edges[at_edge] == values) & self.atoms[at_edge]
        return np.bincount(2 * left + is_atom, minlength=2 * len(self.edges) + 1).astype(np.float64)


def number_distance(reference: Floats, current: Floats) -> Distance:
    """Measure the distance between two samples of a number, each of shape (rows,) and finite."""
    if not len(reference) or not len(current):
        return NONE
    bins = NumberBins.of(reference)
    return distance(bins.counts(reference), bins.counts(current))


def category_counts(values: pl.Series) -> dict[str, int]:
    """Count the rows of each category; nulls are left out."""
    counts = values.drop_nulls().cast(pl.String).value_counts(name="rows")
    return dict(zip(counts[values.name].to_list(), counts["rows"].to_list(), strict=True))


def category_distance(reference: Mapping[str, int], current: Mapping[str, int]) -> Distance:
    """Measure the distance between the rows of each category in two samples."""
    names = sorted({*reference, *current})
    before, now = (np.array([side.get(name, 0) for name in names], dtype=np.float64) for side in (reference, current))
    return distance(before, now) if names else NONE


def missing_distance(reference: tuple[int, int], current: tuple[int, int]) -> Distance:
    """Measure the distance between (rows without a value, rows) of two samples."""
    before, now = (np.array([missing, rows - missing], dtype=np.float64) for missing, rows in (reference, current))
    return distance(before, now)


_FACTORS: Sequence[float] = (7, 10, 12, 24, 30.44, 60, 100, 365.25, 1000, 1_000_000)
"""Factors between units of time and of amounts."""
_LIKENESS = 0.1
"""Largest relative difference from such a factor of the ratios of the quartiles."""


def unit_factor(reference: Floats, current: Floats) -> float | None:
    """Return the factor by which all quartiles of the current sizes differ, where it is one between two units.

    >>> unit_factor(np.array([1.0, 2, 3, 4]), np.array([1000.0, 2000, 3000, 4000]))
    1000.0
    """
    if not len(reference) or not len(current):
        return None
    before, now = (np.quantile(np.abs(values), (0.25, 0.5, 0.75)) for values in (reference, current))
    if not (before.all() and now.all()):
        return None
    ratios = now / before
    for factor in (value for base in _FACTORS for value in (float(base), 1 / base)):
        if np.all(np.abs(ratios / factor - 1) < _LIKENESS):
            return factor
    return None
