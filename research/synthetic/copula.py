"""The Gaussian copula of the application table and of the liability behind TARGET.

The facts hold correlations of the normal scores of the recorded values. A recorded value is a step function of its
latent score, which weakens correlations; Hermite series of these functions give the latent correlations back.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from bento.data.tables import APPLICATION
from research.synthetic.facts import facts, observed_correlation, table_facts
from research.synthetic.marginals import ordered_shares, ordered_values, pick, quantile

Floats = NDArray[np.float64]

RETIRED = "FLAG_EMP_PHONE"
"""Clients without a work phone are the retired; higher scores are the employed."""
OF_EMPLOYED = (
    "DAYS_EMPLOYED",
    "NAME_INCOME_TYPE",
    "ORGANIZATION_TYPE",
    "OCCUPATION_TYPE",
    "FLAG_WORK_PHONE",
    "REG_REGION_NOT_WORK_REGION",
    "REG_CITY_NOT_WORK_CITY",
)
"""Columns that tell the employed apart and are one constant for the retired; drawn for the employed."""
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
    *(
        f"{name.removesuffix('_AVG')}_{word}"
        for name in _BUILDING
        if name.endswith("_AVG")
        for word in ("MODE", "MEDI")
    ),
)
"""Columns that follow from others by a rule of the form."""
_RIDGE = 0.1
"""Shrinks the effects on the liability: correlations of a sample overstate what all columns together predict."""
_STRENGTH = 1.08
"""Gives back what the ridge takes from the columns that tell most."""
_HIDDEN_VARIANCE = 0.09
"""Share of the liability that only the histories tell of."""
_CHANCE = 1.5
"""Standard errors of the sample's correlations that are taken for chance."""
_OFTEN_EMPTY = 0.1
_RARE = 0.01
_MAX_CORRELATION = 0.97
_MIN_EIGENVALUE = 0.01
_TERMS = 14


@dataclass(frozen=True)
class Copula:
    """Columns, lower factor of their latent correlation, and the effect of each latent score on the liability."""

    names: tuple[str, ...]
    factor: Floats
    effects: Floats
    visible_variance: float

    def correlation(self, one: str, other: str) -> float:
        """Latent correlation of two columns."""
        return float(self.factor[self.names.index(one)] @ self.factor[self.names.index(other)])


@dataclass(frozen=True)
class Scores:
    """Latent scores of clients; all arrays of shape (clients,)."""

    columns: dict[str, Floats]
    visible: Floats
    """Standard normal; part of the liability that follows from the application."""
    hidden: Floats
    """Standard normal; part of the liability that does not."""
    probability: Floats
    """True probability of default."""


def draw(clients: int, rng: np.random.Generator) -> Scores:
    """Latent scores of `clients` clients."""
    model = copula()
    # einsum and not BLAS: its sums do not depend on the number of threads
    scores = np.einsum("ij,kj->ik", rng.standard_normal((clients, len(model.names))), model.factor)
    visible = np.einsum("ij,j->i", scores, model.effects)
    hidden = rng.standard_normal(clients)
    threshold = ndtri(1 - facts()["published"]["default_rate"])
    noise = np.sqrt(1 - model.visible_variance - _HIDDEN_VARIANCE)
    probability = ndtr((visible + np.sqrt(_HIDDEN_VARIANCE) * hidden - threshold) / noise)
    columns = dict(zip(model.names, scores.T, strict=True))
    return Scores(columns, visible / np.sqrt(model.visible_variance), hidden, probability)


@lru_cache(maxsize=1)
def copula() -> Copula:
    """The copula, made positive definite from the observed correlations."""
    names, observed = observed_correlation()
    observed = _among_employed(names, _without_chance(names, _with_default_rates(names, observed)))
    series = np.array([_hermite(name) for name in names])
    latent = _latent(observed, series)
    keep = [index for index, name in enumerate(names) if index and name not in _TIED]
    _set(latent, names, "NAME_FAMILY_STATUS", "CNT_CHILDREN", 0.0)  # the rule of the household ties them
    _set(latent, names, "FLAG_DOCUMENT_3", RETIRED, 0.0)
    _set(latent, names, "DEF_30_CNT_SOCIAL_CIRCLE", "OBS_30_CNT_SOCIAL_CIRCLE", 0.0)
    # values are known only where not missing: what their missing neighbours tell of them would shift the marginals
    leaders = [index for index, name in enumerate(names) if name.startswith("missing:") and name.endswith("_AVG")]
    members = [index for index, name in enumerate(names) if name in _BUILDING]
    latent[np.ix_(leaders, members)] = latent[np.ix_(members, leaders)] = 0.0
    values, vectors = np.linalg.eigh(latent[np.ix_(keep, keep)])
    matrix = (vectors * np.clip(values, _MIN_EIGENVALUE, None)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    matrix = np.round(matrix / np.outer(scale, scale), 6)  # equal on machines that differ in the last bit
    effects = np.round(_STRENGTH * np.linalg.solve(matrix + _RIDGE * np.eye(len(keep)), latent[0, keep]), 6)
    factor = np.round(np.linalg.cholesky(matrix), 9)
    return Copula(tuple(names[index] for index in keep), factor, effects, float(effects @ matrix @ effects))


def _with_default_rates(names: list[str], observed: Floats) -> Floats:
    """Correlations with TARGET by the default rates of the categories: the observed ones count empty as a category."""
    result = observed.copy()
    rate = facts()["published"]["default_rate"]
    for index, name in enumerate(names):
        column = table_facts("application_train").get(name)
        if column and column.default_rates and column.null_rate > _OFTEN_EMPTY:
            shares = ordered_shares("application_train", name)
            rates = np.array([column.default_rates.get(value, rate) for value in ordered_values(name)])
            score = ndtri(np.cumsum(shares) - shares / 2)
            score -= shares @ score
            spread = np.sqrt(shares @ score**2 * rate * (1 - rate))
            empty = [position for position, other in enumerate(names) if other.startswith("missing:")]
            result[index, empty] = result[empty, index] = 0.0
            result[0, index] = result[index, 0] = shares @ (score * rates) / spread
    return result


def _without_chance(names: list[str], observed: Floats) -> Floats:
    """Correlations less what chance alone would give in the sample (the non-negative garrote)."""
    known = [1 - table_facts("application_train")[name].null_rate if ":" not in name else 1.0 for name in names]
    size = facts()["samples"]["application_train"] * np.outer(known, known)
    certain = np.array([_certain(name) for name in names], dtype=float)
    return (
        observed
        * np.outer(certain, certain)
        * np.clip(1 - _CHANCE**2 / (size * np.maximum(observed**2, 1e-12)), 0.0, 1.0)
    )


def _certain(name: str) -> bool:
    """Whether the sample holds enough of the rarer values of a column to speak of its correlations."""
    if ":" in name or name == "TARGET":
        return True
    shares = table_facts("application_train")[name].shares.values()
    return not shares or 1 - max(shares) >= _RARE


def _set(matrix: Floats, names: list[str], one: str, other: str, value: float) -> None:
    i, j = names.index(one), names.index(other)
    matrix[i, j] = matrix[j, i] = value


def _among_employed(names: list[str], observed: Floats) -> Floats:
    """Correlations with the columns in `OF_EMPLOYED` among the employed, and none of these with being employed."""
    employed = 1 - ordered_shares("application_train", RETIRED)[0]
    retired = names.index(RETIRED)
    of_employed = np.isin(names, OF_EMPLOYED)
    alone = np.sqrt(1 - observed[retired] ** 2)
    alone[retired] = 1.0
    partial = observed - np.outer(observed[retired], observed[retired])
    one, both = np.logical_xor.outer(of_employed, of_employed), np.logical_and.outer(of_employed, of_employed)
    result = observed.copy()
    # a column of the employed is constant for the others: seen over all clients its correlations are diluted
    within = partial / np.where(of_employed, alone, 1.0)[:, None] / np.where(of_employed, alone, 1.0)[None, :]
    result[one] = (within / np.sqrt(employed))[one]
    result[both] = (within / employed)[both]
    result[retired, of_employed] = result[of_employed, retired] = 0.0
    np.fill_diagonal(result, 1.0)
    return np.clip(result, -_MAX_CORRELATION, _MAX_CORRELATION) + (1 - _MAX_CORRELATION) * np.eye(len(names))


def _hermite(name: str) -> Floats:
    """Coefficients 1 .. `_TERMS` of the standardised normal score of a column as a function of its latent score."""
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
    """What is recorded at `rank`, as a number that keeps the order."""
    if name.startswith("missing:"):
        known = table_facts("application_train")[name.removeprefix("missing:")]
        return (rank > 1 - known.null_rate).astype(float)
    known = table_facts("application_train")[name]
    if name == "DAYS_EMPLOYED":
        return quantile(known, rank, known=True)
    if known.quantiles:
        return quantile(known, rank)
    return pick(ordered_shares("application_train", name), rank).astype(float)


def _latent(observed: Floats, series: Floats) -> Floats:
    """Latent correlations whose step functions have the observed correlations."""
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
