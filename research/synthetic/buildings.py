"""The client's building: which measures are known, how they go together, and their mean, mode and median.

Mean, mode and median of a measure are mostly one value in three scales. The floors, entrances and elevators of a
building follow its number of apartments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from bento.data.tables import APPLICATION
from research.synthetic.calibration_statistics import nearest, pick, statistics
from research.synthetic.cells import (
    MIN_ROWS,
    band_of,
    draw_positions,
    draw_quantiles,
    quantiles_by_cell,
    raked,
    shares_by_cell,
)
from research.synthetic.frames import Flags, Floats, Integers

TRIPLETS = tuple(column.name.removesuffix("_MEDI") for column in APPLICATION if column.name.endswith("_MEDI"))
"""Measures that have a mean, a mode and a median."""
_ALONE = ("TOTALAREA_MODE", "WALLSMATERIAL_MODE", "HOUSETYPE_MODE", "EMERGENCYSTATE_MODE", "FONDKAPREMONT_MODE")
_DIGITS = 4
_ROUNDING = 0.00016
"""Largest difference of two values that are rounded to 4 digits in different scales."""
_SIZES = (0.0, 0.25, 0.5, 0.75)
"""Levels of the means whose quantiles are the bands for the share of buildings with one value in three scales."""
_ROUNDED = 0.00006
_SCALES = np.arange(0.9, 1.1, 0.0005)
_UNITS = np.arange(20, 2001)
"""Numbers of units that a measure of 1 may be: a mean is a whole number of apartments over one of these."""
_MIN_IN_UNITS = 0.6
"""Share of the means, beyond what rounding alone gives, that must be whole numbers of a unit."""
_MIN_ON_GRID = 0.9
"""Share of the rows that the frequent modes must cover to be a grid."""

_APARTMENTS = (0.0, 0.005, 0.015, 0.03, 0.05, 0.063, 0.078, 0.088, 0.1, 0.13, 0.18, 0.25)
_FLOORS = (0.0, 0.06, 0.11, 0.15, 0.19, 0.3, 0.35, 0.5)
_LIVING = (0.0, 0.02, 0.06, 0.1, 0.2)


@dataclass(frozen=True)
class _Given:
    """How a measure follows from others: on its grid, or as a multiple of the measure `per`, in cells of bands."""

    by: Mapping[str, tuple[float, ...]]
    per: str = ""

    def cell(self, measures: Mapping[str, Floats]) -> Integers:
        cell: Integers = np.zeros(len(measures[next(iter(self.by))]), dtype=np.int64)
        for name, edges in self.by.items():
            cell = cell * len(edges) + band_of(measures[name], edges)
        return cell

    @property
    def cells(self) -> int:
        return int(np.prod([len(edges) for edges in self.by.values()]))


_GIVEN = {
    "FLOORSMAX": _Given({"APARTMENTS": _APARTMENTS}),
    "ENTRANCES": _Given({"APARTMENTS": _APARTMENTS}),
    "ELEVATORS": _Given({"FLOORSMAX": _FLOORS}),
    "FLOORSMIN": _Given({"FLOORSMAX": _FLOORS}),
    "LIVINGAREA": _Given({"APARTMENTS": _APARTMENTS}, per="APARTMENTS"),
    "TOTALAREA": _Given({"LIVINGAREA": _LIVING}, per="LIVINGAREA"),
}
"""In the order in which they are drawn."""
_MIN_BASE = 0.001
"""Measure below which a multiple of it says nothing."""


def building_facts(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the facts on buildings of application `rows`."""
    means = {name: rows[f"{name}_AVG"].cast(pl.Float64).to_numpy() for name in TRIPLETS}
    means["TOTALAREA"] = rows["TOTALAREA_MODE"].cast(pl.Float64).to_numpy()
    triplets = {name: _triplet(rows, name) for name in TRIPLETS}
    return {
        "patterns": _patterns(rows),
        "triplets": triplets,
        "given": {name: _given(means, name, given, triplets) for name, given in _GIVEN.items()},
    }


def _patterns(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the frequent patterns of missing measures, by how many are missing, and the null rates of the others."""
    columns = [*(f"{name}_AVG" for name in TRIPLETS), *_ALONE]
    empty = rows.select(pl.col(name).is_null().cast(pl.Int8) for name in columns)
    text = empty.select(pl.concat_str(pl.all()).alias("pattern"))
    counts = text["pattern"].value_counts().filter(pl.col("count") >= MIN_ROWS)
    counts = counts.sort(pl.col("pattern").str.count_matches("1"), "pattern")
    others = empty.filter(~text["pattern"].is_in(counts["pattern"].implode()))
    shares = (counts["count"] / len(rows)).round(5)
    return {
        "frequent": dict(zip(counts["pattern"], shares, strict=True)),
        "others": [round(float(rate or 0.0), 4) for rate in others.mean().row(0)] if len(others) else [],
    }


def _triplet(rows: pl.DataFrame, name: str) -> dict[str, Any]:
    measured = rows.select(pl.col(f"{name}_{word}").cast(pl.Float64) for word in ("AVG", "MODE", "MEDI")).drop_nulls()
    mean, mode, median = (column.to_numpy() for column in measured)
    same_mode, scale_mode = _same(mean, mode)
    same_median, scale_median = _same(mean, median)
    units = 0 if scale_mode["of_complement"] or name in _GIVEN else _units(mean[same_mode & (mean > 0)])
    if units:  # means are rounded: their whole numbers of units give the scales with more digits
        exact = np.rint(mean * units) / units
        scale_mode |= {"scale": _scale(exact[same_mode], mode[same_mode])}
        scale_median |= {"scale": _scale(exact[same_median], median[same_median])}
    edges = np.unique(np.quantile(mean, _SIZES)) if len(mean) else np.zeros(1)
    size = band_of(mean, edges.tolist())
    values, counts = np.unique(mode, return_counts=True)
    grid = values[counts >= max(MIN_ROWS, 0.001 * len(mode))]
    return {
        "mode": scale_mode,
        "median": scale_median,
        "sizes": edges.tolist(),
        "same_mode": [round(float(same_mode[size == band].mean()), 4) for band in range(len(edges))],
        "same_median_of_others": round(float(same_median[~same_mode].mean()), 4) if (~same_mode).any() else 1.0,
        "mode_per_mean": _ratios(mode, mean, ~same_mode),
        "median_per_mean": _ratios(median, mean, ~same_median),
        "units": units,
        "grid": grid.tolist() if np.isin(mode, grid).mean() > _MIN_ON_GRID else [],
    }


def _same(mean: Floats, other: Floats) -> tuple[Flags, dict[str, Any]]:
    """Tell where `other` is the mean in another scale, x → s·x or x → 1 - s·(1 - x), and return the scale.

    Values near 1 (years) are scaled by their distance from 1.
    """
    of_complement = bool(len(mean) and np.median(mean) > 0.5)
    base, target = (1 - mean, 1 - other) if of_complement else (mean, other)
    inside = (mean > 0) & (mean < 1)
    agreements = [(_agree(base, target, scale)[inside].mean(), scale) for scale in _SCALES] if inside.any() else []
    scale = float(max(agreements)[1]) if agreements else 1.0
    among = _agree(base, target, scale) & inside
    scale = _scale(base[among], target[among]) if among.any() else scale
    return _agree(base, target, scale), {"scale": scale, "of_complement": of_complement}


def _scale(base: Floats, target: Floats) -> float:
    """Return the factor of the least squares."""
    return round(float(base @ target / (base @ base)), 5)


def _units(mean: Floats) -> int:
    """Return the number of units in 1 of which the means are whole numbers, or 0."""
    if len(mean) < MIN_ROWS:
        return 0
    excess = [
        float(np.mean(np.abs(mean - np.rint(mean * units) / units) < _ROUNDED) - 2 * _ROUNDED * units)
        for units in _UNITS
    ]
    best = int(np.argmax(excess))
    return int(_UNITS[best]) if excess[best] > _MIN_IN_UNITS else 0


def _agree(base: Floats, target: Floats, scale: float) -> Flags:
    return np.abs(scale * base - target) <= _ROUNDING


def _ratios(other: Floats, mean: Floats, which: Flags) -> list[float]:
    which = which & (mean > 0)
    ratio = other[which] / mean[which]
    return quantiles_by_cell(ratio, np.zeros(len(ratio), dtype=np.int64), 1)[0] if len(ratio) >= MIN_ROWS else []


def _given(means: Mapping[str, Floats], name: str, given: _Given, triplets: Mapping[str, Any]) -> list[list[float]]:
    complete = ~np.isnan(np.column_stack([means[name], *(means[other] for other in given.by)])).any(axis=1)
    measures = {other: values[complete] for other, values in means.items()}
    cell = given.cell(measures)
    if given.per:
        ratio = measures[name] / np.maximum(measures[given.per], _MIN_BASE)
        return quantiles_by_cell(ratio, cell, given.cells)
    grid = np.array(triplets[name]["grid"])
    if not len(grid):
        return []
    place = np.abs(measures[name][:, None] * triplets[name]["mode"]["scale"] - grid).argmin(axis=1)
    overall = np.bincount(place, minlength=len(grid)) / max(len(place), 1)
    everywhere = ~np.isnan(np.column_stack([means[other] for other in given.by])).any(axis=1)
    weights = np.bincount(
        given.cell({other: values[everywhere] for other, values in means.items()}), minlength=given.cells
    )
    return raked(shares_by_cell(place, cell, given.cells, len(grid)), weights, overall)


def draw_missing(rank: Floats, rng: np.random.Generator) -> dict[str, Flags]:
    """Draw which columns of the building are empty; the higher the `rank` (in 0..1, shape n), the more are."""
    facts = statistics()["joint"]["buildings"]["patterns"]
    frequent = np.array(list(facts["frequent"].values()))
    flags = np.array([[mark == "1" for mark in pattern] for pattern in facts["frequent"]])
    empty = flags[pick(frequent, rank)]
    if facts["others"]:
        rare = rng.random(len(rank)) > frequent.sum()
        empty[rare] = rng.random((rare.sum(), empty.shape[1])) < np.array(facts["others"])
    result: dict[str, Flags] = {}
    for column, flag in zip((*TRIPLETS, *_ALONE), empty.T, strict=True):
        names = [f"{column}_{word}" for word in ("AVG", "MODE", "MEDI")] if column in TRIPLETS else [column]
        result |= dict.fromkeys(names, flag)
    return result


def draw_buildings(
    means: Mapping[str, Floats], rank: Callable[[str, tuple[str, ...]], Floats], rng: np.random.Generator
) -> dict[str, Floats]:
    """Return the measures of the buildings by column, from their `means` by measure (shape n).

    `rank(measure, others)` gives the rank in 0..1 of a measure's score among those with the same scores of the others.
    """
    facts, means = statistics()["joint"]["buildings"], dict(means)
    luck = rng.random(len(means[TRIPLETS[0]]))
    for name, given in _GIVEN.items():
        table = facts["given"][name]
        if not table:
            continue
        ranks = rank(name, tuple(given.by))
        if given.per:
            ratio = draw_quantiles(table, given.cell(means), ranks)
            means[name] = ratio * np.maximum(means[given.per], _MIN_BASE)
        else:
            grid = np.array(facts["triplets"][name]["grid"])
            means[name] = (
                grid[draw_positions(table, given.cell(means), ranks)] / facts["triplets"][name]["mode"]["scale"]
            )
    columns = {"TOTALAREA_MODE": np.round(means["TOTALAREA"], _DIGITS)}
    for name in TRIPLETS:
        columns |= _three(name, means[name], luck, rng)
    return columns


def _three(name: str, mean: Floats, luck: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """Return mean, mode and median of one measure; the lower a building's `luck`, the more of its measures agree."""
    facts = statistics()["joint"]["buildings"]["triplets"][name]
    same_mode = luck < np.array(facts["same_mode"])[band_of(mean, facts["sizes"])]
    same_median = same_mode | (rng.random(len(mean)) < facts["same_median_of_others"])
    if facts["grid"]:
        grid = np.array(facts["grid"])
        step = float(np.median(np.diff(grid))) if len(grid) > 1 else 0.0
        between = mean + np.where(mean > 0, step * (rng.random(len(mean)) - 0.5), 0.0)
        mean = np.where(same_mode, mean, np.abs(between))
    if facts["units"]:
        mean = np.where(same_mode, np.rint(mean * facts["units"]) / facts["units"], mean)
    mode = _other(mean, facts["mode"], facts["mode_per_mean"], same_mode, rng)
    if facts["grid"]:
        mode = np.where(same_mode, mode, nearest(grid, mode))
    median = _other(mean, facts["median"], facts["median_per_mean"], same_median, rng)
    columns = {f"{name}_AVG": mean, f"{name}_MODE": mode, f"{name}_MEDI": median}
    return {column: np.round(values, _DIGITS) for column, values in columns.items()}


def _other(
    mean: Floats, scale: Mapping[str, Any], ratios: list[float], same: Flags, rng: np.random.Generator
) -> Floats:
    """Return the mean in another scale where it is the `same`, elsewhere the mean times one of the `ratios`."""
    factor = scale["scale"]
    scaled = 1 - factor * (1 - mean) if scale["of_complement"] else factor * mean
    if not ratios:
        return scaled
    one: Integers = np.zeros(len(mean), dtype=np.int64)
    return np.clip(np.where(same, scaled, mean * draw_quantiles([ratios], one, rng.random(len(mean)))), 0.0, 1.0)
