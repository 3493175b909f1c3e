"""The Gaussian copula of the application table.

The statistics hold correlations of the normal scores of the recorded values. A recorded value is a step function of its
latent score, which weakens correlations; Hermite series of these functions give the latent correlations back.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from bento.data.tables import APPLICATION
from research.synthetic.calibration_statistics import (
    grid_quantile,
    observed_correlation,
    ordered_shares,
    pick,
    quantile,
    statistics,
    table_statistics,
)
from research.synthetic.frames import Floats

RETIRED = "FLAG_EMP_PHONE"
"""Flag of a work phone, which the retired do not have; higher scores are the employed."""
OF_EMPLOYED = (
    "DAYS_EMPLOYED",
    "NAME_INCOME_TYPE",
    "ORGANIZATION_TYPE",
    "OCCUPATION_TYPE",
    "FLAG_WORK_PHONE",
    "REG_REGION_NOT_WORK_REGION",
    "REG_CITY_NOT_WORK_CITY",
)
"""Columns that are drawn for the employed and constant for the retired."""
_BUILDING = tuple(column.name for column in APPLICATION if column.name.rpartition("_")[2] in ("AVG", "MODE", "MEDI"))
_TIED = (
    "CNT_FAM_MEMBERS",
    "DEF_60_CNT_SOCIAL_CIRCLE",
    "FLAG_DOCUMENT_6",
    "FLAG_DOCUMENT_8",
    "FLAG_MOBIL",
    "LIVE_CITY_NOT_WORK_CITY",
    "LIVE_REGION_NOT_WORK_REGION",
    "OBS_60_CNT_SOCIAL_CIRCLE",
    "REGION_RATING_CLIENT_W_CITY",
    "missing:OWN_CAR_AGE",
    "HOUSETYPE_MODE",
    "EMERGENCYSTATE_MODE",
    *(name.replace("_AVG", word) for name in _BUILDING if name.endswith("_AVG") for word in ("_MODE", "_MEDI")),
)
"""Columns that a rule derives from others."""
_RELATED_BY_RULE = (
    ("NAME_FAMILY_STATUS", "CNT_CHILDREN"),
    ("FLAG_DOCUMENT_3", RETIRED),
    ("DEF_30_CNT_SOCIAL_CIRCLE", "OBS_30_CNT_SOCIAL_CIRCLE"),
)
_CHANCE = 1.5
"""Standard errors below which a sample correlation counts as chance."""
_MIN_OTHER_SHARE = 0.01
"""Share of the values beside the most frequent one below which a column's correlations are dropped."""
_MAX_CORRELATION = 0.97
_MIN_EIGENVALUE = 0.01
_TERMS = 14


@dataclass(frozen=True)
class Copula:
    """Columns, and the lower factor of their latent correlation."""

    names: tuple[str, ...]
    factor: Floats

    def correlation(self, one: str, other: str) -> float:
        """Return the latent correlation of two columns."""
        return float(self.factor[self.names.index(one)] @ self.factor[self.names.index(other)])


def draw(clients: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw the latent scores of `clients` clients by column, each of shape (clients,)."""
    model = copula()
    # einsum, because BLAS's sums depend on the number of threads
    scores = np.einsum("ij,kj->ik", rng.standard_normal((clients, len(model.names))), model.factor)
    return dict(zip(model.names, scores.T, strict=True))


@lru_cache(maxsize=1)
def copula() -> Copula:
    """Return the copula: the latent correlations, made positive definite."""
    names, observed = observed_correlation()
    observed = _among_employed(names, _without_chance(names, observed))
    series = np.array([_hermite(name) for name in names])
    latent = _latent(observed, series)
    keep = [index for index, name in enumerate(names) if index and name not in _TIED]
    for pair in _RELATED_BY_RULE:
        one, other = map(names.index, pair)
        latent[one, other] = latent[other, one] = 0.0
    # values are drawn only where they are not missing: a correlation with missingness would shift their marginals
    leaders = [index for index, name in enumerate(names) if name.startswith("missing:") and name.endswith("_AVG")]
    members = [index for index, name in enumerate(names) if name in _BUILDING]
    latent[np.ix_(leaders, members)] = latent[np.ix_(members, leaders)] = 0.0
    values, vectors = np.linalg.eigh(latent[np.ix_(keep, keep)])
    matrix = (vectors * np.clip(values, _MIN_EIGENVALUE, None)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    matrix = np.round(matrix / np.outer(scale, scale), 6)  # equal on machines that differ in the last bit
    factor = np.round(np.linalg.cholesky(matrix), 9).astype(np.float64)
    return Copula(tuple(names[index] for index in keep), factor)


def _without_chance(names: list[str], observed: Floats) -> Floats:
    """Shrink correlations by what chance alone gives in the sample (the non-negative garrote)."""
    not_null = [1 - table_statistics("application_train")[name].null_rate if ":" not in name else 1.0 for name in names]
    size = statistics()["samples"]["application_train"] * np.outer(not_null, not_null)
    estimable = np.array([_estimable(name) for name in names], dtype=float)
    kept = np.clip(1 - _CHANCE**2 / (size * np.maximum(observed**2, 1e-12)), 0.0, 1.0)
    return observed * np.outer(estimable, estimable) * kept


def _estimable(name: str) -> bool:
    """Tell whether the sample holds enough of a column's rarer values to estimate its correlations."""
    if ":" in name or name == "TARGET":
        return True
    shares = table_statistics("application_train")[name].shares.values()
    return not shares or 1 - max(shares) >= _MIN_OTHER_SHARE


def _among_employed(names: list[str], observed: Floats) -> Floats:
    """Restrict correlations with `OF_EMPLOYED` to the employed, and remove those with being employed."""
    employed = 1 - ordered_shares("application_train", RETIRED)[0]
    retired = names.index(RETIRED)
    of_employed = np.isin(names, OF_EMPLOYED)
    alone = np.sqrt(1 - observed[retired] ** 2)
    alone[retired] = 1.0
    partial = observed - np.outer(observed[retired], observed[retired])
    one, both = np.logical_xor.outer(of_employed, of_employed), np.logical_and.outer(of_employed, of_employed)
    result = observed.copy()
    # a column of the employed is constant for the others, which weakens its correlations over all clients
    within = partial / np.where(of_employed, alone, 1.0)[:, None] / np.where(of_employed, alone, 1.0)[None, :]
    result[one] = (within / np.sqrt(employed))[one]
    result[both] = (within / employed)[both]
    result[retired, of_employed] = result[of_employed, retired] = 0.0
    np.fill_diagonal(result, 1.0)
    return np.clip(result, -_MAX_CORRELATION, _MAX_CORRELATION) + (1 - _MAX_CORRELATION) * np.eye(len(names))


def _hermite(name: str) -> Floats:
    """Return coefficients 1 .. `_TERMS` of a column's standardised normal score as a function of its latent score."""
    rank = (np.arange(4000) + 0.5) / 4000
    latent = ndtri(rank)
    _, group = np.unique(_recorded(name, rank), return_inverse=True)
    counts = np.bincount(group)
    score = ndtri((np.cumsum(counts) - counts / 2) / len(rank))[group]
    spread = score.std()
    score = (score - score.mean()) / spread if spread > 0 else score * 0.0
    coefficients = np.empty(_TERMS)
    before, current = np.ones_like(latent), latent
    for order in range(1, _TERMS + 1):
        coefficients[order - 1] = np.mean(score * current)
        before, current = current, (latent * current - np.sqrt(order) * before) / np.sqrt(order + 1)
    return coefficients


def _recorded(name: str, rank: Floats) -> Floats:
    """Return the recorded value at `rank`, as a number that keeps the order."""
    column = table_statistics("application_train")[name.removeprefix("missing:")]
    if name.startswith("missing:"):
        return (rank > 1 - column.null_rate).astype(float)
    if column.quantiles_known:
        return grid_quantile(column.quantiles_known, rank)
    if column.quantiles:
        return quantile(column, rank)
    return pick(ordered_shares("application_train", name), rank).astype(float)


def _latent(observed: Floats, series: Floats) -> Floats:
    """Find by bisection the latent correlations whose step functions have the observed correlations."""
    low, high = np.full(observed.shape, -_MAX_CORRELATION), np.full(observed.shape, _MAX_CORRELATION)
    for _ in range(40):
        middle = (low + high) / 2
        implied, power = np.zeros_like(middle), np.ones_like(middle)
        for order in range(_TERMS):
            power = power * middle
            implied += np.outer(series[:, order], series[:, order]) * power
        above = implied > observed
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    result = (low + high) / 2
    constant = np.abs(series).max(axis=1) == 0
    result[constant, :] = result[:, constant] = 0.0
    np.fill_diagonal(result, 1.0)
    return result
