"""Measures of the client's building: mean, mode and median of one measure are mostly one value in three scales."""

from typing import Any

import numpy as np

from research.synthetic.calibration_statistics import nearest, statistics
from research.synthetic.cells import draw_quantiles
from research.synthetic.frames import Flags, Floats, Integers

_DIGITS = 4


def fill_in_triplet(name: str, mean: Floats, is_uniform: Flags, rng: np.random.Generator) -> dict[str, Floats]:
    """Return the columns of the measure `name` by their names, from its `mean` (shape n).

    `is_uniform` marks the buildings whose dwellings agree in all measures; the others may still agree in this one.
    """
    facts = statistics()["joint"]["buildings"][name]
    uniform = is_uniform.mean() if len(is_uniform) else 0.0
    same_mode = is_uniform | (rng.random(len(mean)) < (facts["same_mode"] - uniform) / max(1 - uniform, 1e-9))
    same_median = same_mode | (rng.random(len(mean)) < facts["same_median_of_others"])
    mean = np.round(mean, _DIGITS)
    mode = _other(mean, facts["mode"], facts["mode_per_mean"], same_mode, rng)
    if "grid" in facts:
        mode = np.where(same_mode, mode, nearest(np.array(facts["grid"]), mode))
    median = _other(mean, facts["median"], facts["median_per_mean"], same_median, rng)
    return {f"{name}_AVG": mean, f"{name}_MODE": np.round(mode, _DIGITS), f"{name}_MEDI": np.round(median, _DIGITS)}


def _other(
    mean: Floats, scale: dict[str, Any], ratios: list[float], same: Flags, rng: np.random.Generator
) -> Floats:
    """Return the mean in another scale where it is the `same`, elsewhere the mean times one of the `ratios`."""
    factor = scale["scale"]
    scaled = 1 - factor * (1 - mean) if scale["of_complement"] else factor * mean
    if not ratios:
        return scaled
    one: Integers = np.zeros(len(mean), dtype=np.int64)
    return np.clip(np.where(same, scaled, mean * draw_quantiles([ratios], one, rng.random(len(mean)))), 0.0, 1.0)
