"""Default rates of real applications by bin: of each column, of ratios, and of the strongest pairs of both."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bento.data.tables import OPEN_ENDED
from research.synthetic.frames import Floats, Integers

RATES_FILE = Path(__file__).with_name("default_rates.json")
MISSING, RARE = "missing", "(rare)"
_EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")

Bin = str | float | list[float]


@dataclass(frozen=True, eq=False)
class Rates:
    """Bins of a column or ratio; arrays of shape (bins,)."""

    name: str
    bins: tuple[Bin, ...]
    n: Floats
    """Real applications."""
    rate: Floats
    """Real default rates."""

    @property
    def ordered(self) -> bool:
        """Whether the bins, except the one of missing values, follow one another."""
        return not any(isinstance(bin_, str) for bin_ in self.bins if bin_ != MISSING)

    def numbers(self, values: pl.Series) -> Integers:
        """Return the bin of each value, or -1 where it has none; numbers beyond the ends are in the end bins."""
        if values.dtype == pl.String:
            return _of_categories(self.bins, values)
        return _of_numbers(self.bins, values.cast(pl.Float64).to_numpy())


@dataclass(frozen=True, eq=False)
class PairRates:
    """Cells of two columns or ratios; arrays of shape (cells,)."""

    names: tuple[str, str]
    bins: tuple[tuple[Bin, ...], tuple[Bin, ...]]
    """Bins of each side."""
    places: Integers
    """Positions of each cell's bins on both sides: shape (cells, 2)."""
    n: Floats
    rate: Floats
    deviance: float
    """Deviance that an additive logistic model leaves; `free`, its mean under chance alone."""
    free: int

    def numbers(self, first: pl.Series, second: pl.Series) -> Integers:
        """Return the cell of each pair of values, or -1 where there is none."""
        sides = [
            Rates(name, bins, self.n, self.rate).numbers(values)
            for name, bins, values in zip(self.names, self.bins, (first, second), strict=True)
        ]
        cells = np.full((len(self.bins[0]) + 1, len(self.bins[1]) + 1), -1)  # the last row and column: no bin
        cells[self.places[:, 0], self.places[:, 1]] = np.arange(len(self.places))
        return cells[sides[0], sides[1]]


@dataclass(frozen=True, eq=False)
class DefaultRates:
    """All rates of the file."""

    rows: int
    default_rate: float
    columns: dict[str, Rates]
    pairs: tuple[PairRates, ...]
    ladder: dict[str, float]
    """Published AUCs of models on the real data."""
    ladder_gaps: dict[str, float]
    """Published gaps in AUC of LightGBM to a logistic regression."""


@lru_cache(maxsize=1)
def default_rates() -> DefaultRates:
    """Load `default_rates.json`."""
    loaded: dict[str, Any] = json.loads(RATES_FILE.read_text(encoding="utf-8"))
    columns = {
        name: Rates(name, tuple(row[0] for row in rows), *(np.array([row[at] for row in rows]) for at in (1, 2)))
        for name, rows in loaded["columns"].items()
    }
    return DefaultRates(
        loaded["rows"],
        loaded["default_rate"],
        columns,
        tuple(map(_pair, loaded["pairs"])),
        loaded["ladder"],
        loaded["ladder_gaps"],
    )


def with_ratios(application: pl.DataFrame) -> pl.DataFrame:
    """Add the ratios and the summaries of the external scores; days of employment that stand for none become null."""
    credit, price, income = pl.col("AMT_CREDIT"), pl.col("AMT_GOODS_PRICE"), pl.col("AMT_INCOME_TOTAL")
    n_scores = pl.sum_horizontal(pl.col(name).is_not_null() for name in _EXTERNAL)
    return application.with_columns(pl.col("DAYS_EMPLOYED").replace(OPEN_ENDED, None)).with_columns(
        (credit / pl.col("AMT_ANNUITY")).alias("CREDIT/ANNUITY"),
        (credit / price).alias("CREDIT/GOODS"),
        (pl.col("AMT_ANNUITY") / income).alias("ANNUITY/INCOME"),
        (credit / income).alias("CREDIT/INCOME"),
        (pl.col("DAYS_EMPLOYED") / pl.col("DAYS_BIRTH")).alias("EMPLOYED/BIRTH"),
        pl.mean_horizontal(_EXTERNAL).alias("EXT_MEAN"),
        pl.min_horizontal(_EXTERNAL).alias("EXT_MIN"),
        n_scores.cast(pl.Float64).alias("EXT_KNOWN"),
    )


def information_value(n: Floats, rate: Floats) -> float:
    """Return the information value of bins of `n` clients with default rates `rate` (each of shape bins).

    A bin without defaults, or of defaults alone, counts as if half a client more were of the other kind.

    >>> information_value(np.array([50.0, 50.0]), np.array([0.1, 0.1]))
    0.0
    """
    used = n > 0
    bad = np.clip(n * rate, 0.5, np.maximum(n - 0.5, 0.5))[used]
    good = np.maximum(n[used] - bad, 0.5)
    bad, good = bad / bad.sum(), good / good.sum()
    return float(((bad - good) * np.log(bad / good)).sum())


def _pair(loaded: dict[str, Any]) -> PairRates:
    cells = loaded["cells"]
    sides = []
    for side in (0, 1):
        texts = dict.fromkeys(json.dumps(cell[side]) for cell in cells)  # intervals are lists, which cannot be keys
        sides.append(tuple(json.loads(text) for text in texts))
    places = np.array([[sides[side].index(cell[side]) for side in (0, 1)] for cell in cells])
    n, rate = (np.array([cell[at] for cell in cells], dtype=np.float64) for at in (2, 3))
    one, other = loaded["columns"]
    return PairRates((one, other), (sides[0], sides[1]), places, n, rate, loaded["deviance"], loaded["free"])


def _upper(bin_: float | list[float]) -> float:
    return bin_[1] if isinstance(bin_, list) else bin_


def _of_categories(bins: tuple[Bin, ...], values: pl.Series) -> Integers:
    numbers = {bin_: number for number, bin_ in enumerate(bins)}
    names = [bin_ for bin_ in bins if bin_ not in (MISSING, RARE)]
    codes = values.replace_strict(names, [numbers[name] for name in names], default=numbers.get(RARE, -1))
    codes = pl.select(pl.when(values.is_null()).then(numbers.get(MISSING, -1)).otherwise(codes)).to_series()
    return codes.cast(pl.Int64).to_numpy()


def _of_numbers(bins: tuple[Bin, ...], values: Floats) -> Integers:
    ascending = sorted((_upper(bin_), number) for number, bin_ in enumerate(bins) if not isinstance(bin_, str))
    order = np.array([number for _, number in ascending])
    edges = np.array([upper + abs(upper) * 1e-9 for upper, _ in ascending[:-1]])
    numbers = order[np.searchsorted(edges, _rounded(values), side="left")]
    missing = bins.index(MISSING) if MISSING in bins else -1
    return np.where(np.isnan(values), missing, numbers)


def _rounded(values: Floats) -> Floats:
    """Round to four digits, as the ends of the bins are: a frequent value at an end then stays in its bin."""
    with np.errstate(divide="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 3)
    return np.where(values == 0, 0.0, np.rint(values / np.where(unit > 0, unit, 1.0)) * unit)
