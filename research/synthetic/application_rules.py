"""Applications filled column by column, with the rules between columns: employment, household, amounts, documents."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import APPLICATION, OPEN_ENDED
from research.synthetic.calibration_statistics import (
    APPLICATIONS,
    grid_quantile,
    ordered_shares,
    ordered_values,
    pick,
    quantile,
    statistics,
    table_statistics,
)
from research.synthetic.copula import OF_EMPLOYED, RETIRED, copula
from research.synthetic.frames import Flags, Floats


@dataclass
class ApplicationDraft:
    """Applications of a chunk of clients; arrays of shape (clients,).

    `scores` holds the latent scores of the copula; `values` numbers, for categories positions in `ordered_values`;
    `missing` which values stay empty.
    """

    scores: dict[str, Floats]
    train: Flags
    rng: np.random.Generator
    values: dict[str, Floats] = field(default_factory=dict)
    missing: dict[str, Flags] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.train)

    def chance(self) -> Floats:
        """Draw a uniform rank for every client."""
        return self.rng.random(len(self))

    def by_table(self, name: str, rank: Floats) -> Floats:
        """Return values of `name` at `rank`, by the marginals of the table of each client."""
        values = np.empty(len(self))
        for table, rows in zip(APPLICATIONS, (self.train, ~self.train), strict=True):
            column = table_statistics(table)[name]
            if column.quantiles_known:
                values[rows] = grid_quantile(column.quantiles_known, rank[rows])
            elif column.quantiles:
                values[rows] = quantile(column, rank[rows])
            else:
                values[rows] = self.code(name, pick(ordered_shares(table, name), rank[rows]))
        return values

    def code(self, name: str, positions: NDArray[np.intp]) -> Floats:
        """Return the numbers at positions of `ordered_values`; categories stay positions."""
        if APPLICATION[name].kind == "category":
            return positions.astype(np.float64)
        return np.array([float(value) for value in ordered_values(name)])[positions]

    def share(self, name: str, value: str) -> Floats:
        """Return the share of `value` in the table of each client."""
        train, test = (table_statistics(table)[name].shares.get(value, 0.0) for table in APPLICATIONS)
        return np.where(self.train, train, test)

    def is_(self, name: str, *values: str) -> Flags:
        """Tell for each client whether a filled category is one of `values`."""
        categories = ordered_values(name)
        return np.isin(self.values[name], [categories.index(value) for value in values if value in categories])


_ALONE = ("Single / not married", "Separated", "Widow", "Unknown")
_SAME_BUILDING = 0.85
"""Share of clients whose building has the same rank in mean, mode and median."""
_REVOLVING_TERM = 20
"""A card's annuity is a twentieth of its limit."""


def fill_in(draft: ApplicationDraft) -> None:
    """Fill every column of the application table except the identifier."""
    for name, score in draft.scores.items():
        if not name.startswith("missing:") and name not in OF_EMPLOYED:
            draft.values[name] = draft.by_table(name, ndtr(score))
    _employment(draft)
    _household(draft)
    _addresses(draft)
    _amounts(draft)
    _documents(draft)
    _building(draft)
    _acquaintances(draft)
    _dates(draft)
    _add_rare_values(draft)


def _employment(draft: ApplicationDraft) -> None:
    retired = draft.values[RETIRED] == 0
    for name in OF_EMPLOYED:
        rank = ndtr(draft.scores[name])
        if name == "OCCUPATION_TYPE":
            values = draft.by_table(name, rank)
        elif name == "DAYS_EMPLOYED":
            values = np.where(retired, OPEN_ENDED, np.floor(draft.by_table(name, rank)))
        else:
            constant = {"NAME_INCOME_TYPE": "Pensioner", "ORGANIZATION_TYPE": "XNA"}.get(name, "0")
            values = _of_employed(draft, name, constant, retired, rank)
        draft.values[name] = values
    rate = np.where(draft.train, *(table_statistics(table)["OCCUPATION_TYPE"].null_rate for table in APPLICATIONS))
    share = draft.share(RETIRED, "0")
    draft.missing["OCCUPATION_TYPE"] = retired | (draft.chance() < (rate - share) / (1 - share))
    draft.missing["OWN_CAR_AGE"] = draft.is_("FLAG_OWN_CAR", "N")


def _of_employed(draft: ApplicationDraft, name: str, constant: str, retired: Flags, rank: Floats) -> Floats:
    """Return values of the employed; the retired have `constant`, whose share among the employed is reduced."""
    position = ordered_values(name).index(constant)
    positions = np.full(len(draft), position)
    for table, rows in zip(APPLICATIONS, (draft.train, ~draft.train), strict=True):
        shares = ordered_shares(table, name)
        shares[position] = max(shares[position] - table_statistics(table)[RETIRED].shares["0"], 0.0)
        employed = rows & ~retired
        positions[employed] = pick(shares, rank[employed])
    return draft.code(name, positions)


def _household(draft: ApplicationDraft) -> None:
    name = "NAME_FAMILY_STATUS"
    rank = ndtr(draft.scores[name])
    childless = draft.values["CNT_CHILDREN"] == 0
    statuses = ordered_values(name)
    alone = np.isin(statuses, _ALONE)
    positions = np.empty(len(draft), dtype=np.intp)
    for table, rows in zip(APPLICATIONS, (draft.train, ~draft.train), strict=True):
        shares = ordered_shares(table, name)
        no_child = table_statistics(table)["CNT_CHILDREN"].shares["0"]
        single = table_statistics(table)["CNT_FAM_MEMBERS"].shares["1"]
        alone_childless = single / no_child
        alone_parents = (shares[alone].sum() - single) / (1 - no_child)
        for group, share in ((childless, alone_childless), (~childless, alone_parents)):
            weights = np.where(alone, share / shares[alone].sum(), (1 - share) / shares[~alone].sum())
            positions[rows & group] = pick(shares * weights, rank[rows & group])
    draft.values[name] = positions.astype(np.float64)
    adults = np.where(draft.is_(name, *_ALONE), 1, 2)
    draft.values["CNT_FAM_MEMBERS"] = draft.values["CNT_CHILDREN"] + adults


def _addresses(draft: ApplicationDraft) -> None:
    values, retired = draft.values, draft.values[RETIRED] == 0
    for area in ("CITY", "REGION"):
        moved = values[f"REG_{area}_NOT_LIVE_{area}"] == 1
        share = statistics()["structure"]["work_elsewhere_if_living_elsewhere"][area]
        works_away = np.where(moved, draft.chance() < share, values[f"REG_{area}_NOT_WORK_{area}"] == 1)
        values[f"LIVE_{area}_NOT_WORK_{area}"] = (works_away & ~retired).astype(np.float64)
    city = values["REGION_RATING_CLIENT"].copy()
    chance = draft.chance()
    for rating, sign, changed in (("3", 1, 3), ("1", -1, 2)):
        gap = draft.share("REGION_RATING_CLIENT", rating) - draft.share("REGION_RATING_CLIENT_W_CITY", rating)
        moves = chance < sign * gap / draft.share("REGION_RATING_CLIENT", str(changed))
        city[(values["REGION_RATING_CLIENT"] == changed) & moves] = changed - 1
    values["REGION_RATING_CLIENT_W_CITY"] = city
    populations = np.array(statistics()["structure"]["region_populations"])
    values["REGION_POPULATION_RELATIVE"] = _nearest(populations, values["REGION_POPULATION_RELATIVE"])


def _amounts(draft: ApplicationDraft) -> None:
    values, structure = draft.values, statistics()["structure"]
    values["AMT_INCOME_TOTAL"] = _multiple(values["AMT_INCOME_TOTAL"], 4500)
    revolving = draft.is_("NAME_CONTRACT_TYPE", "Revolving loans")
    limit = _multiple(grid_quantile(structure["revolving_credit"], ndtr(draft.scores["AMT_CREDIT"])), 22500)
    goods = np.where(revolving, limit, _multiple(values["AMT_GOODS_PRICE"], 4500))
    # the credit above the price (insurance) follows the part of its score that the price does not explain
    correlation = copula().correlation("AMT_CREDIT", "AMT_GOODS_PRICE")
    explained = correlation * draft.scores["AMT_GOODS_PRICE"]
    residual = (draft.scores["AMT_CREDIT"] - explained) / np.sqrt(1 - correlation**2)
    ratios = structure["credit_per_goods"]
    ratio = np.array([float(value) for value in ratios])[pick(np.array(list(ratios.values())), ndtr(residual))]
    credit = np.where(revolving, goods, _multiple(goods * ratio, 4.5))
    factor = _nearest(np.array(structure["annuity_per_credit"]), values["AMT_ANNUITY"] / credit)
    annuity = np.where(revolving, credit / _REVOLVING_TERM, _multiple(credit * factor, 4.5))
    values |= {"AMT_GOODS_PRICE": goods, "AMT_CREDIT": credit, "AMT_ANNUITY": annuity}


def _documents(draft: ApplicationDraft) -> None:
    """Fill the document flags: most clients submit one of three documents, the retired another than the employed."""
    retired = draft.values[RETIRED] == 0
    of_retired = draft.share(RETIRED, "0")
    rank = ndtr(draft.scores["FLAG_DOCUMENT_3"])
    free = np.zeros(len(draft))
    for name, share in statistics()["structure"]["documents_of_retired"].items():
        of_employed = np.clip((draft.share(name, "1") - of_retired * share) / (1 - of_retired), 0.0, 1.0)
        upper = 1 - free
        free = free + np.where(retired, share, of_employed)
        draft.values[name] = ((rank <= upper) & (rank > 1 - free)).astype(np.float64)


def _building(draft: ApplicationDraft) -> None:
    for column in APPLICATION:
        name, _, word = column.name.rpartition("_")
        if word in ("MODE", "MEDI") and f"{name}_AVG" in draft.scores:
            score = draft.scores[f"{name}_AVG"]
            other = 0.95 * score + np.sqrt(1 - 0.95**2) * draft.rng.standard_normal(len(draft))
            same = draft.chance() < _SAME_BUILDING
            draft.values[column.name] = draft.by_table(column.name, ndtr(np.where(same, score, other)))
    for name in ("HOUSETYPE_MODE", "EMERGENCYSTATE_MODE"):
        draft.values[name] = draft.by_table(name, draft.chance())
    steps = statistics()["structure"]["building_steps"]
    exact = draft.chance() < _SAME_BUILDING
    for column in APPLICATION:
        if column.unit == "share" and column.name != "REGION_POPULATION_RELATIVE":
            step = steps.get(column.name)
            values = draft.values[column.name]
            if step:
                values = np.where(exact, np.rint(values / step) * step, values)
            draft.values[column.name] = np.round(values, 4)


def _acquaintances(draft: ApplicationDraft) -> None:
    values = draft.values
    seen = values["OBS_30_CNT_SOCIAL_CIRCLE"] = np.floor(values["OBS_30_CNT_SOCIAL_CIRCLE"] + 0.5)
    name = "DEF_30_CNT_SOCIAL_CIRCLE"
    anyone = seen > 0
    late = np.zeros(len(draft))
    rank = ndtr(draft.scores[name])
    for table, rows in zip(APPLICATIONS, (draft.train, ~draft.train), strict=True):
        shares = ordered_shares(table, name)
        some = rows & anyone
        quantiles = table_statistics(table)["OBS_30_CNT_SOCIAL_CIRCLE"].quantiles
        seen_share = 1 - np.interp(0.5, quantiles, statistics()["probabilities"])
        shares[0] = max(shares[0] - (1 - seen_share), 0.0)
        late[some] = draft.code(name, pick(shares, rank[some]))
    values[name] = np.minimum(late, seen)
    values["OBS_60_CNT_SOCIAL_CIRCLE"] = np.maximum(seen - (draft.chance() < 0.012), np.minimum(seen, values[name]))
    shares_60, shares_30 = (draft.share(column, "0") for column in ("DEF_60_CNT_SOCIAL_CIRCLE", name))
    stay = np.clip((1 - shares_60) / (1 - shares_30) - 0.02, 0, 1)
    values["DEF_60_CNT_SOCIAL_CIRCLE"] = draft.rng.binomial(values[name].astype(np.int64), stay).astype(float)


def _dates(draft: ApplicationDraft) -> None:
    values = draft.values
    for name in ("DAYS_BIRTH", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "DAYS_LAST_PHONE_CHANGE"):
        values[name] = np.rint(values[name])
    employed = values[RETIRED] == 1
    grown = values["DAYS_BIRTH"] + 18 * 365
    values["DAYS_EMPLOYED"] = np.where(employed, np.minimum(np.maximum(values["DAYS_EMPLOYED"], grown), -1), OPEN_ENDED)
    values["DAYS_REGISTRATION"] = np.maximum(values["DAYS_REGISTRATION"], values["DAYS_BIRTH"])
    values["DAYS_ID_PUBLISH"] = np.maximum(values["DAYS_ID_PUBLISH"], values["DAYS_BIRTH"] + 14 * 365)


def _add_rare_values(draft: ApplicationDraft) -> None:
    """Replace a few values of the applications by rare or impossible ones."""
    values = draft.values
    values.setdefault("FLAG_MOBIL", np.ones(len(draft)))
    for table, rows in zip(APPLICATIONS, (draft.train, ~draft.train), strict=True):
        for name, (value, rate) in statistics()["structure"]["rare_values"].get(table, {}).items():
            wrong = rows & (draft.chance() < rate)
            code = ordered_values(name).index(value) if isinstance(value, str) else value
            values[name] = np.where(wrong, code, values[name])


def _nearest(allowed: Floats, values: Floats) -> Floats:
    """Return the nearest of the ascending `allowed` values."""
    return allowed[np.searchsorted((allowed[1:] + allowed[:-1]) / 2, values)]


def _multiple(values: Floats, step: float) -> Floats:
    return np.maximum(np.rint(values / step), 1) * step
