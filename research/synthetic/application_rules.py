"""Applications filled column by column, with the rules between columns: employment, household, documents, building."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import OPEN_ENDED
from research.synthetic.application_amounts import fill_in_amounts
from research.synthetic.application_draft import ApplicationDraft
from research.synthetic.buildings import TRIPLETS, draw_buildings, draw_missing
from research.synthetic.calibration_statistics import (
    APPLICATIONS,
    ordered_shares,
    ordered_values,
    pick,
    statistics,
    table_statistics,
)
from research.synthetic.cells import band_of, draw_positions, draw_quantiles
from research.synthetic.copula import OF_EMPLOYED, RETIRED
from research.synthetic.frames import Flags, Floats
from research.synthetic.joint_facts import AGE_EDGES, LIFE_EDGES, YEAR
from research.synthetic.persons import repeat_values

_RATINGS = np.array([1, 2, 3])
_ALONE = ("Single / not married", "Separated", "Widow", "Unknown")
_NO_SHARE = 1e-9
_OF_REGION = 0.84
"""Spread of the hours of application within a region, over that of all."""


def fill_in(draft: ApplicationDraft, person: NDArray[np.intp]) -> None:
    """Fill every column of the application table except the identifier.

    `person` has for each client the position of the person's first application, mostly the client's.
    """
    for name, score in draft.scores.items():
        if not name.startswith("missing:") and name not in OF_EMPLOYED:
            draft.values[name] = draft.by_table(name, ndtr(score))
    _regions(draft)
    _ages(draft)
    _employment(draft)
    _household(draft)
    _addresses(draft)
    _building(draft)
    _acquaintances(draft)
    repeat_values(draft, person)
    fill_in_amounts(draft)
    _documents(draft)
    _add_rare_values(draft)


def _regions(draft: ApplicationDraft) -> None:
    """Choose one of the regions with the client's rating: it has one population, rating by city and usual hour."""
    values, regions = draft.values, statistics()["joint"]["regions"]
    columns = {name: np.array(column) for name, column in regions.items()}
    cell = np.searchsorted(_RATINGS, values["REGION_RATING_CLIENT"])
    shares = np.where(columns["rating"] == _RATINGS[:, None], columns["share"], 0.0)
    rank = draft.rank_given("REGION_POPULATION_RELATIVE", "REGION_RATING_CLIENT")
    region = draw_positions(shares, cell, rank)
    values["REGION_POPULATION_RELATIVE"] = columns["population"][region]
    values["REGION_RATING_CLIENT_W_CITY"] = columns["rating_w_city"][region].astype(np.float64)
    hour, usual = "HOUR_APPR_PROCESS_START", np.average(columns["hour"], weights=columns["share"])
    values[hour] = draft.by_table(hour, draft.rank_given(hour, "REGION_RATING_CLIENT"))
    moved = usual + _OF_REGION * (values[hour] - usual) + columns["hour"][region] - usual
    values[hour] = np.clip(np.rint(moved), 0, 23)


def _ages(draft: ApplicationDraft) -> None:
    """Fill what depends on the age: identity document and registration, retirement, time in the job."""
    values, facts = draft.values, statistics()["joint"]
    values["DAYS_BIRTH"] = born = np.rint(values["DAYS_BIRTH"])
    age = -born / YEAR
    year, stage = band_of(age, AGE_EDGES), band_of(age, LIFE_EDGES)
    for name, fact in (("DAYS_ID_PUBLISH", "identity_age"), ("DAYS_REGISTRATION", "registration_age")):
        at = draw_quantiles(facts[fact], year, draft.rank_given(name, "DAYS_BIRTH"))
        values[name] = np.rint(born + np.minimum(at, age) * YEAR)
    male = draft.is_("CODE_GENDER", "M")
    share = np.array(facts["retired"])[male.astype(np.int64), year]
    values[RETIRED] = (draft.rank_given(RETIRED, "DAYS_BIRTH", "CODE_GENDER") >= share).astype(np.float64)
    years = draw_quantiles(facts["employed_years"], stage, 1 - draft.rank_given("DAYS_EMPLOYED", "DAYS_BIRTH"))
    grown = np.minimum(born + 18 * 365, -1)
    days = np.clip(np.rint(-years * YEAR), grown, -1)
    values["DAYS_EMPLOYED"] = np.where(values[RETIRED] == 0, OPEN_ENDED, days)
    values["DAYS_LAST_PHONE_CHANGE"] = np.rint(values["DAYS_LAST_PHONE_CHANGE"])


def _employment(draft: ApplicationDraft) -> None:
    retired, facts = draft.values[RETIRED] == 0, statistics()["joint"]
    for name in OF_EMPLOYED:
        if name in ("DAYS_EMPLOYED", "OCCUPATION_TYPE", "ORGANIZATION_TYPE"):
            continue
        constant = "Pensioner" if name == "NAME_INCOME_TYPE" else "0"
        draft.values[name] = _of_employed(draft, name, constant, retired, ndtr(draft.scores[name]))
    income, education = (draft.values[name].astype(np.int64) for name in ("NAME_INCOME_TYPE", "NAME_EDUCATION_TYPE"))
    cell = (income * len(ordered_values("NAME_EDUCATION_TYPE")) + education) * 2 + draft.is_("CODE_GENDER", "M")
    shares = np.array(facts["occupation"])
    rank = draft.rank_given("OCCUPATION_TYPE", "NAME_INCOME_TYPE", "NAME_EDUCATION_TYPE", "CODE_GENDER")
    occupation = draw_positions(shares[:, :-1], cell, rank)
    unnamed = draft.chance() < shares[cell, -1]
    draft.values["OCCUPATION_TYPE"] = occupation.astype(np.float64)
    draft.missing["OCCUPATION_TYPE"] = retired | unnamed
    of_state = income == ordered_values("NAME_INCOME_TYPE").index("State servant")
    cell = np.where(unnamed, shares.shape[1] - 1, occupation) * 2 + of_state
    organisation = draw_positions(facts["organisation"], cell, draft.rank_given("ORGANIZATION_TYPE", "OCCUPATION_TYPE"))
    none = ordered_values("ORGANIZATION_TYPE").index("XNA")
    draft.values["ORGANIZATION_TYPE"] = np.where(retired, none, organisation).astype(np.float64)
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
    values, facts = draft.values, statistics()["joint"]
    stage = band_of(-values["DAYS_BIRTH"] / YEAR, LIFE_EDGES)
    children = draw_positions(facts["children"], stage, draft.rank_given("CNT_CHILDREN", "DAYS_BIRTH"))
    cell = (stage * 2 + draft.is_("CODE_GENDER", "M")) * 2 + (children > 0)
    rank = draft.rank_given("NAME_FAMILY_STATUS", "DAYS_BIRTH", "CODE_GENDER")
    values["CNT_CHILDREN"] = draft.code("CNT_CHILDREN", children)
    values["NAME_FAMILY_STATUS"] = draw_positions(facts["family_status"], cell, rank).astype(np.float64)
    adults = np.where(draft.is_("NAME_FAMILY_STATUS", *_ALONE), 1, 2)
    values["CNT_FAM_MEMBERS"] = values["CNT_CHILDREN"] + adults


def _addresses(draft: ApplicationDraft) -> None:
    values, retired = draft.values, draft.values[RETIRED] == 0
    for area in ("CITY", "REGION"):
        moved = values[f"REG_{area}_NOT_LIVE_{area}"] == 1
        share = statistics()["structure"]["work_elsewhere_if_living_elsewhere"][area]
        works_away = np.where(moved, draft.chance() < share, values[f"REG_{area}_NOT_WORK_{area}"] == 1)
        values[f"LIVE_{area}_NOT_WORK_{area}"] = (works_away & ~retired).astype(np.float64)


def _documents(draft: ApplicationDraft) -> None:
    """Fill the document flags: most cash clients submit one of three, and those who ask for a card none."""
    facts = statistics()["joint"]["documents"]
    cell = draft.is_("NAME_CONTRACT_TYPE", "Revolving loans") * 2 + (draft.values[RETIRED] == 0)
    main = ("FLAG_DOCUMENT_3", "FLAG_DOCUMENT_6", "FLAG_DOCUMENT_8")
    free, rank = np.zeros(len(draft)), draft.rank_given(main[0], "NAME_CONTRACT_TYPE")
    for name, of_cell in facts.items():
        shares, of_cash, overall = np.array(of_cell[:-2]), of_cell[-2], of_cell[-1]
        # nearly all of application_test are cash loans; some documents were no longer asked for
        factor = np.where(draft.train, 1.0, draft.share(name, "1") / max(of_cash, _NO_SHARE))
        if name in main:
            upper, free = 1 - free, free + shares[cell] * factor
            draft.values[name] = ((rank <= upper) & (rank > 1 - free)).astype(np.float64)
        elif name in draft.scores and overall:
            share = np.where(draft.train, shares[cell] * draft.share(name, "1") / overall, shares[cell] * factor)
            draft.values[name] = (ndtr(draft.scores[name]) > 1 - share).astype(np.float64)


def _building(draft: ApplicationDraft) -> None:
    column = {name: f"{name}_AVG" for name in TRIPLETS} | {"TOTALAREA": "TOTALAREA_MODE"}

    def rank(name: str, others: tuple[str, ...]) -> Floats:
        return draft.rank_given(column[name], *(column[other] for other in others))

    draft.missing |= draw_missing(ndtr(draft.scores["missing:APARTMENTS_AVG"]), draft.rng)
    draft.values |= draw_buildings({name: draft.values[column[name]] for name in column}, rank, draft.rng)
    for name in ("HOUSETYPE_MODE", "EMERGENCYSTATE_MODE"):
        draft.values[name] = draft.by_table(name, draft.chance())


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


def _add_rare_values(draft: ApplicationDraft) -> None:
    """Replace a few values of the applications by rare or impossible ones."""
    values = draft.values
    values.setdefault("FLAG_MOBIL", np.ones(len(draft)))
    for table, rows in zip(APPLICATIONS, (draft.train, ~draft.train), strict=True):
        for name, (value, rate) in statistics()["structure"]["rare_values"].get(table, {}).items():
            wrong = rows & (draft.chance() < rate)
            code = ordered_values(name).index(value) if isinstance(value, str) else value
            values[name] = np.where(wrong, code, values[name])
