"""The rules of the application form: who has no employer, what a family counts, what a loan costs."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import APPLICATION, OPEN_ENDED
from research.synthetic.copula import OF_EMPLOYED, RETIRED, copula
from research.synthetic.facts import facts, table_facts
from research.synthetic.marginals import APPLICATIONS, grid_quantile, ordered_shares, ordered_values, pick, quantile

Floats = NDArray[np.float64]

_ALONE = ("Single / not married", "Separated", "Widow", "Unknown")
_SAME_BUILDING = 0.85
"""Share of clients whose building has the same rank in mean, mode and median."""
_REVOLVING_TERM = 20
"""A card's annuity is a twentieth of its limit."""


@dataclass
class Sheet:
    """Columns of a chunk's applications being filled; arrays of shape (clients,).

    `values` holds numbers, for categories positions in `ordered_values`; `missing` holds which values stay empty.
    """

    scores: dict[str, Floats]
    train: NDArray[np.bool_]
    rng: np.random.Generator
    values: dict[str, Floats] = field(default_factory=dict)
    missing: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.train)

    def chance(self) -> Floats:
        """A fresh uniform rank for every client."""
        return self.rng.random(len(self))

    def by_table(self, name: str, rank: Floats, *, known: bool = False) -> Floats:
        """Values of `name` at `rank`, by the marginals of the table each client belongs to."""
        values = np.empty(len(self))
        for table, rows in zip(APPLICATIONS, (self.train, ~self.train), strict=True):
            share_counts_of = table_facts(table)[name]
            if share_counts_of.quantiles:
                values[rows] = quantile(share_counts_of, rank[rows], known=known)
            else:
                values[rows] = self.code(name, pick(ordered_shares(table, name), rank[rows]))
        return values

    def code(self, name: str, positions: NDArray[np.intp]) -> Floats:
        """StoredDecision numbers of positions in `ordered_values`; categories stay positions."""
        if APPLICATION[name].kind == "category":
            return positions.astype(np.float64)
        return np.array([float(value) for value in ordered_values(name)])[positions]

    def share(self, name: str, value: str) -> Floats:
        """Share of `value` in the table each client belongs to."""
        train, test = (table_facts(table)[name].shares.get(value, 0.0) for table in APPLICATIONS)
        return np.where(self.train, train, test)

    def is_(self, name: str, *values: str) -> NDArray[np.bool_]:
        """Whether a filled category is one of `values`."""
        known = ordered_values(name)
        return np.isin(self.values[name], [known.index(value) for value in values if value in known])


def fill(sheet: Sheet) -> None:
    """Fill every column of the application table but the identifier."""
    for name, score in sheet.scores.items():
        if not name.startswith("missing:") and name not in OF_EMPLOYED:
            sheet.values[name] = sheet.by_table(name, ndtr(score))
    for rule in (_employment, _household, _addresses, _amounts, _documents, _building, _acquaintances, _dates, _rare):
        rule(sheet)


def _employment(sheet: Sheet) -> None:
    retired = sheet.values[RETIRED] == 0
    for name in OF_EMPLOYED:
        rank = ndtr(sheet.scores[name])
        if name == "OCCUPATION_TYPE":
            values = sheet.by_table(name, rank)
        elif name == "DAYS_EMPLOYED":
            values = np.where(retired, OPEN_ENDED, np.floor(sheet.by_table(name, rank, known=True)))
        else:
            constant = {"NAME_INCOME_TYPE": "Pensioner", "ORGANIZATION_TYPE": "XNA"}.get(name, "0")
            values = _of_employed(sheet, name, constant, retired, rank)
        sheet.values[name] = values
    rate = np.where(sheet.train, *(table_facts(table)["OCCUPATION_TYPE"].null_rate for table in APPLICATIONS))
    share = sheet.share(RETIRED, "0")
    sheet.missing["OCCUPATION_TYPE"] = retired | (sheet.chance() < (rate - share) / (1 - share))
    sheet.missing["OWN_CAR_AGE"] = sheet.is_("FLAG_OWN_CAR", "N")


def _of_employed(sheet: Sheet, name: str, constant: str, retired: NDArray[np.bool_], rank: Floats) -> Floats:
    """Values whose shares among the employed leave `constant` to the retired."""
    position = ordered_values(name).index(constant)
    positions = np.full(len(sheet), position)
    for table, rows in zip(APPLICATIONS, (sheet.train, ~sheet.train), strict=True):
        shares = ordered_shares(table, name)
        shares[position] = max(shares[position] - table_facts(table)[RETIRED].shares["0"], 0.0)
        employed = rows & ~retired
        positions[employed] = pick(shares, rank[employed])
    return sheet.code(name, positions)


def _household(sheet: Sheet) -> None:
    name = "NAME_FAMILY_STATUS"
    rank = ndtr(sheet.scores[name])
    childless = sheet.values["CNT_CHILDREN"] == 0
    statuses = ordered_values(name)
    alone = np.isin(statuses, _ALONE)
    positions = np.empty(len(sheet), dtype=np.intp)
    for table, rows in zip(APPLICATIONS, (sheet.train, ~sheet.train), strict=True):
        shares = ordered_shares(table, name)
        no_child = table_facts(table)["CNT_CHILDREN"].shares["0"]
        single = table_facts(table)["CNT_FAM_MEMBERS"].shares["1"]
        alone_childless = single / no_child
        alone_parents = (shares[alone].sum() - single) / (1 - no_child)
        for group, share in ((childless, alone_childless), (~childless, alone_parents)):
            weights = np.where(alone, share / shares[alone].sum(), (1 - share) / shares[~alone].sum())
            positions[rows & group] = pick(shares * weights, rank[rows & group])
    sheet.values[name] = positions.astype(np.float64)
    adults = np.where(sheet.is_(name, *_ALONE), 1, 2)
    sheet.values["CNT_FAM_MEMBERS"] = sheet.values["CNT_CHILDREN"] + adults


def _addresses(sheet: Sheet) -> None:
    values, retired = sheet.values, sheet.values[RETIRED] == 0
    for area in ("CITY", "REGION"):
        moved = values[f"REG_{area}_NOT_LIVE_{area}"] == 1
        share = facts()["structure"]["work_elsewhere_if_living_elsewhere"][area]
        works_away = np.where(moved, sheet.chance() < share, values[f"REG_{area}_NOT_WORK_{area}"] == 1)
        values[f"LIVE_{area}_NOT_WORK_{area}"] = (works_away & ~retired).astype(np.float64)
    city = values["REGION_RATING_CLIENT"].copy()
    chance = sheet.chance()
    for rating, better in (("3", "3"), ("1", "1")):
        gap = sheet.share("REGION_RATING_CLIENT", rating) - sheet.share("REGION_RATING_CLIENT_W_CITY", better)
        if rating == "3":
            city[(values["REGION_RATING_CLIENT"] == 3) & (chance < gap / sheet.share("REGION_RATING_CLIENT", "3"))] = 2
        else:
            city[(values["REGION_RATING_CLIENT"] == 2) & (chance < -gap / sheet.share("REGION_RATING_CLIENT", "2"))] = 1
    values["REGION_RATING_CLIENT_W_CITY"] = city
    known = np.array(facts()["structure"]["region_populations"])
    values["REGION_POPULATION_RELATIVE"] = _nearest(known, values["REGION_POPULATION_RELATIVE"])


def _amounts(sheet: Sheet) -> None:
    values, structure = sheet.values, facts()["structure"]
    values["AMT_INCOME_TOTAL"] = _multiple(values["AMT_INCOME_TOTAL"], 4500)
    revolving = sheet.is_("NAME_CONTRACT_TYPE", "Revolving loans")
    goods = np.where(
        revolving,
        _multiple(grid_quantile(structure["revolving_credit"], ndtr(sheet.scores["AMT_CREDIT"])), 22500),
        _multiple(values["AMT_GOODS_PRICE"], 4500),
    )
    # what the credit has beyond the price (insurance) is what its score has beyond the price's
    tie = copula().correlation("AMT_CREDIT", "AMT_GOODS_PRICE")
    beyond = (sheet.scores["AMT_CREDIT"] - tie * sheet.scores["AMT_GOODS_PRICE"]) / np.sqrt(1 - tie**2)
    ratios = structure["credit_per_goods"]
    ratio = np.array([float(value) for value in ratios])[pick(np.array(list(ratios.values())), ndtr(beyond))]
    credit = np.where(revolving, goods, _multiple(goods * ratio, 4.5))
    factor = _nearest(np.array(structure["annuity_per_credit"]), values["AMT_ANNUITY"] / credit)
    annuity = np.where(revolving, credit / _REVOLVING_TERM, _multiple(credit * factor, 4.5))
    values |= {"AMT_GOODS_PRICE": goods, "AMT_CREDIT": credit, "AMT_ANNUITY": annuity}


def _documents(sheet: Sheet) -> None:
    """Most clients hand in one of three documents, and the retired another one than the employed."""
    retired = sheet.values[RETIRED] == 0
    of_retired = sheet.share(RETIRED, "0")
    rank = ndtr(sheet.scores["FLAG_DOCUMENT_3"])
    free = np.zeros(len(sheet))
    for name, share in facts()["structure"]["documents_of_retired"].items():
        of_employed = np.clip((sheet.share(name, "1") - of_retired * share) / (1 - of_retired), 0.0, 1.0)
        upper = 1 - free
        free = free + np.where(retired, share, of_employed)
        sheet.values[name] = ((rank <= upper) & (rank > 1 - free)).astype(np.float64)


def _building(sheet: Sheet) -> None:
    for column in APPLICATION:
        name, _, word = column.name.rpartition("_")
        if word in ("MODE", "MEDI") and f"{name}_AVG" in sheet.scores:
            score = sheet.scores[f"{name}_AVG"]
            other = 0.95 * score + np.sqrt(1 - 0.95**2) * sheet.rng.standard_normal(len(sheet))
            same = sheet.chance() < _SAME_BUILDING
            sheet.values[column.name] = sheet.by_table(column.name, ndtr(np.where(same, score, other)))
    for name in ("HOUSETYPE_MODE", "EMERGENCYSTATE_MODE"):
        sheet.values[name] = sheet.by_table(name, sheet.chance())
    steps = facts()["structure"]["building_steps"]
    exact = sheet.chance() < _SAME_BUILDING
    for column in APPLICATION:
        if column.unit == "share" and column.name != "REGION_POPULATION_RELATIVE":
            step = steps.get(column.name)
            values = sheet.values[column.name]
            if step:
                values = np.where(exact, np.rint(values / step) * step, values)
            sheet.values[column.name] = np.round(values, 4)


def _acquaintances(sheet: Sheet) -> None:
    values = sheet.values
    seen = values["OBS_30_CNT_SOCIAL_CIRCLE"] = np.floor(values["OBS_30_CNT_SOCIAL_CIRCLE"] + 0.5)
    name = "DEF_30_CNT_SOCIAL_CIRCLE"
    anyone = seen > 0
    late = np.zeros(len(sheet))
    rank = ndtr(sheet.scores[name])
    for table, rows in zip(APPLICATIONS, (sheet.train, ~sheet.train), strict=True):
        shares = ordered_shares(table, name)
        some = rows & anyone
        seen_share = 1 - np.interp(
            0.5, table_facts(table)["OBS_30_CNT_SOCIAL_CIRCLE"].quantiles, facts()["probabilities"]
        )
        shares[0] = max(shares[0] - (1 - seen_share), 0.0)
        late[some] = sheet.code(name, pick(shares, rank[some]))
    values[name] = np.minimum(late, seen)
    values["OBS_60_CNT_SOCIAL_CIRCLE"] = np.maximum(seen - (sheet.chance() < 0.012), np.minimum(seen, values[name]))
    shares_60, shares_30 = (sheet.share(column, "0") for column in ("DEF_60_CNT_SOCIAL_CIRCLE", name))
    stay = (1 - shares_60) / (1 - shares_30)
    values["DEF_60_CNT_SOCIAL_CIRCLE"] = sheet.rng.binomial(
        values[name].astype(np.int64), np.clip(stay - 0.02, 0, 1)
    ).astype(float)


def _dates(sheet: Sheet) -> None:
    values = sheet.values
    for name in ("DAYS_BIRTH", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "DAYS_LAST_PHONE_CHANGE"):
        values[name] = np.rint(values[name])
    employed = values[RETIRED] == 1
    grown = values["DAYS_BIRTH"] + 18 * 365
    values["DAYS_EMPLOYED"] = np.where(employed, np.minimum(np.maximum(values["DAYS_EMPLOYED"], grown), -1), OPEN_ENDED)
    values["DAYS_REGISTRATION"] = np.maximum(values["DAYS_REGISTRATION"], values["DAYS_BIRTH"])
    values["DAYS_ID_PUBLISH"] = np.maximum(values["DAYS_ID_PUBLISH"], values["DAYS_BIRTH"] + 14 * 365)


def _rare(sheet: Sheet) -> None:
    """The data's known slips of entry, at their published rates."""
    values = sheet.values
    values.setdefault("FLAG_MOBIL", np.ones(len(sheet)))
    for table, rows in zip(APPLICATIONS, (sheet.train, ~sheet.train), strict=True):
        for name, (value, rate) in facts()["structure"]["rare_values"].get(table, {}).items():
            hit = rows & (sheet.chance() < rate)
            code = ordered_values(name).index(value) if isinstance(value, str) else value
            values[name] = np.where(hit, code, values[name])


def _nearest(known: Floats, values: Floats) -> Floats:
    """The nearest of the ascending `known` values."""
    return known[np.searchsorted((known[1:] + known[:-1]) / 2, values)]


def _multiple(values: Floats, step: float) -> Floats:
    return np.maximum(np.rint(values / step), 1) * step
