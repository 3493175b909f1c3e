"""Facts on columns of the application together: regions, ages, jobs, amounts, buildings and documents."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtri

from research.synthetic.buildings import building_facts
from research.synthetic.calibration_statistics import probabilities
from research.synthetic.cells import MIN_ROWS, band_of, quantiles_by_cell, raked, rank_in_cell, shares_by_cell
from research.synthetic.frames import Floats, Integers

Facts = dict[str, Any]
Ordered = Callable[[str], Sequence[str]]

YEAR = 365.25
AGE_EDGES = tuple(float(age) for age in range(20, 70))
LIFE_EDGES = (20.0, 23.0, 26.0, 29.0, 32.0, 36.0, 40.0, 45.0, 50.0, 55.0, 60.0, 65.0)
PRICE_EDGES = (0.0, 67_500.5, 135_000.5, 225_000.5, 450_000.5, 675_000.5, 900_000.5)
"""Price bands of cash loans; the insurance that is added to the price has other rates in each."""
GENDERS = ("F", "M")
_MIN_SHARE = 0.002
_MIN_RATIO = 0.005
"""Share of the loans in a price band from which a ratio of credit to price is frequent."""


def joint_facts(train: pl.DataFrame, test: pl.DataFrame, ordered: Ordered) -> Facts:
    """Return the facts on columns together, of the applications of `train`; none rests on less than 20 rows.

    `ordered` returns the values of a column with shares, in the order in which their positions are drawn. Of `test`
    comes only by how much a few columns are shifted against the cells of `train`.
    """
    facts = {
        "regions": _regions(train),
        **_ages(train, ordered),
        **_jobs(train, ordered),
        "documents": _documents(train),
        "amounts": _amounts(train),
        "buildings": building_facts(train),
    }
    return facts | {"test_shift": _test_shift(facts, test)}


def _test_shift(facts: Facts, test: pl.DataFrame) -> Facts:
    """Return the mean normal score of the test rows among the train rows of their cell, for columns that are shifted.

    The annuities over the credit have quantiles by band of price, which the test rows have in other mixtures of terms.
    """
    complete = test.drop_nulls(["AMT_GOODS_PRICE", "AMT_CREDIT", "AMT_ANNUITY"])
    cash = complete.filter(pl.col("NAME_CONTRACT_TYPE") == "Cash loans")
    goods, credit, annuity = (_numbers(cash, f"AMT_{name}") for name in ("GOODS_PRICE", "CREDIT", "ANNUITY"))
    band, bands = band_of(goods, PRICE_EDGES), len(PRICE_EDGES)
    insured = np.full(len(cash), np.nan)
    for index, item in enumerate(facts["amounts"]["bands"]):
        rows = np.flatnonzero(band == index)
        if item["ratio"]:
            nearest = np.abs((credit / goods)[rows][:, None] - np.array(item["ratio"])).argmin(axis=1)
            insured[rows] = (np.cumsum(item["share"]) - np.array(item["share"]) / 2)[nearest]
    born = -_numbers(test, "DAYS_BIRTH")
    year = band_of(born / YEAR, AGE_EDGES)
    age_at = (born + _numbers(test, "DAYS_ID_PUBLISH")) / YEAR
    identified = rank_in_cell(facts["identity_age"], year, age_at)
    return {
        "AMT_CREDIT": _mean_score(insured),
        "DAYS_ID_PUBLISH": _mean_score(identified),
        "annuity_per_credit": quantiles_by_cell(annuity / credit, band, bands) if len(cash) else [],
    }


def _mean_score(ranks: Floats) -> float:
    scored = ranks[~np.isnan(ranks)]
    return round(float(np.mean(ndtri(np.clip(scored, 0.01, 0.99)))), 4) if len(scored) >= MIN_ROWS else 0.0


def _regions(rows: pl.DataFrame) -> Facts:
    region = ("REGION_POPULATION_RELATIVE", "REGION_RATING_CLIENT", "REGION_RATING_CLIENT_W_CITY")
    table = (
        rows.filter(pl.col(region[2]) > 0)
        .group_by(region)
        .agg(pl.len(), pl.col("HOUR_APPR_PROCESS_START").mean().alias("hour"))
        .sort(region)
        .filter(pl.col("len") >= MIN_ROWS)
    )
    share = table["len"] / table["len"].sum()
    return {
        "population": table[region[0]].to_list(),
        "rating": table[region[1]].cast(pl.Int64).to_list(),
        "rating_w_city": table[region[2]].cast(pl.Int64).to_list(),
        "share": share.round(5).to_list(),
        "hour": table["hour"].round(2).to_list(),
    }


def _ages(rows: pl.DataFrame, ordered: Ordered) -> Facts:
    born = -_numbers(rows, "DAYS_BIRTH")
    age = born / YEAR
    year, stage = band_of(age, AGE_EDGES), band_of(age, LIFE_EDGES)
    gender = np.where(rows["CODE_GENDER"].to_numpy() == "M", 1, 0)
    employed = _numbers(rows, "DAYS_EMPLOYED")
    retired = employed > 0
    working = ~retired
    children = np.minimum(_numbers(rows, "CNT_CHILDREN"), len(ordered("CNT_CHILDREN")) - 1).astype(np.int64)
    stages = len(LIFE_EDGES)
    status = _positions(rows, "NAME_FAMILY_STATUS", ordered)
    statuses = len(ordered("NAME_FAMILY_STATUS"))
    household = (stage * 2 + gender) * 2 + (children > 0)
    return {
        "identity_age": quantiles_by_cell((born + _numbers(rows, "DAYS_ID_PUBLISH")) / YEAR, year, len(AGE_EDGES)),
        "registration_age": quantiles_by_cell(
            (born + _numbers(rows, "DAYS_REGISTRATION")) / YEAR, year, len(AGE_EDGES)
        ),
        "retired": [
            [row[1] for row in shares_by_cell(retired[one].astype(np.int64), year[one], len(AGE_EDGES), 2)]
            for one in (gender == 0, gender == 1)
        ],
        "employed_years": quantiles_by_cell(-employed[working] / YEAR, stage[working], stages),
        "children": shares_by_cell(children, stage, stages, len(ordered("CNT_CHILDREN"))),
        "family_status": raked(
            shares_by_cell(status, household, stages * 4, statuses),
            np.bincount(household, minlength=stages * 4),
            np.bincount(status, minlength=statuses) / max(len(status), 1),
        ),
    }


def _jobs(rows: pl.DataFrame, ordered: Ordered) -> Facts:
    """Occupation by gender and kind of income, organisation by occupation; for those who work."""
    working = rows.filter(pl.col("DAYS_EMPLOYED") <= 0)
    gender = np.where(working["CODE_GENDER"].to_numpy() == "M", 1, 0)
    income, incomes = _positions(working, "NAME_INCOME_TYPE", ordered), len(ordered("NAME_INCOME_TYPE"))
    education, educations = _positions(working, "NAME_EDUCATION_TYPE", ordered), len(ordered("NAME_EDUCATION_TYPE"))
    occupations = len(ordered("OCCUPATION_TYPE"))
    named = working["OCCUPATION_TYPE"].is_not_null().to_numpy()
    occupation = np.where(named, _positions(working, "OCCUPATION_TYPE", ordered), occupations)
    organisation = _positions(working, "ORGANIZATION_TYPE", ordered)
    cell, cells = (income * educations + education) * 2 + gender, incomes * educations * 2
    by_cell = shares_by_cell(occupation, cell, cells, occupations + 1)
    overall = np.bincount(occupation, minlength=occupations + 1) / max(len(occupation), 1)
    places = occupation * 2 + (income == ordered("NAME_INCOME_TYPE").index("State servant"))
    organisations = len(ordered("ORGANIZATION_TYPE"))
    by_place = shares_by_cell(organisation, places, (occupations + 1) * 2, organisations)
    of_all = np.bincount(organisation, minlength=organisations) / max(len(organisation), 1)
    return {
        "occupation": raked(by_cell, np.bincount(cell, minlength=cells), overall),
        "organisation": raked(by_place, np.bincount(places, minlength=(occupations + 1) * 2), of_all),
    }


def _documents(rows: pl.DataFrame) -> Facts:
    """Share of each document by contract (cash, revolving) and retirement; then of all with cash loans, and of all."""
    cell = (rows["NAME_CONTRACT_TYPE"] == "Revolving loans").cast(pl.Int64) * 2 + (rows["DAYS_EMPLOYED"] > 0)
    names = [name for name in rows.columns if name.startswith("FLAG_DOCUMENT_")]
    cells, cash = [rows.filter(cell == index) for index in range(4)], rows.filter(cell < 2)
    return {name: [_mean(part, name) for part in (*cells, cash, rows)] for name in names}


def _amounts(rows: pl.DataFrame) -> Facts:
    complete = rows.drop_nulls(["AMT_GOODS_PRICE", "AMT_CREDIT", "AMT_ANNUITY", "AMT_INCOME_TOTAL"])
    cash = complete.filter(pl.col("NAME_CONTRACT_TYPE") == "Cash loans")
    cards = complete.filter(pl.col("NAME_CONTRACT_TYPE") == "Revolving loans")
    goods, credit, annuity = (_numbers(cash, f"AMT_{name}") for name in ("GOODS_PRICE", "CREDIT", "ANNUITY"))
    band = band_of(goods, PRICE_EDGES)
    ratio = np.round(credit / goods, 4)
    bands = []
    for index in range(len(PRICE_EDGES)):
        inside = band == index
        values, counts = np.unique(ratio[inside], return_counts=True)
        kept = counts >= min(max(MIN_ROWS, _MIN_RATIO * inside.sum()), counts.max())
        values, counts = values[kept], counts[kept]
        nearest = np.abs(ratio[inside][:, None] - values[None, :]).argmin(axis=1)
        factor = annuity[inside] / credit[inside]
        bands.append(
            {
                "ratio": values.tolist(),
                "share": np.round(counts / counts.sum(), 5).tolist(),
                "annuity": quantiles_by_cell(factor, nearest, len(values)),
            }
        )
    per_income = _numbers(cards, "AMT_CREDIT") / _numbers(cards, "AMT_INCOME_TOTAL")
    return {
        "cash_price": {"quantiles": np.quantile(goods, probabilities()).tolist(), "atoms": atoms(goods)},
        "card_limits": sorted(map(float, atoms(_numbers(cards, "AMT_CREDIT")))),
        "card_limit_per_income": quantiles_by_cell(per_income, np.zeros(len(per_income), dtype=np.int64), 1)[0],
        "bands": bands,
    }


def atoms(values: Floats) -> dict[str, float]:
    """Return the values that many rows share, with their shares."""
    distinct, counts = np.unique(values, return_counts=True)
    kept = counts >= max(MIN_ROWS, _MIN_SHARE * len(values))
    frequent = zip(distinct[kept], counts[kept], strict=True)
    return {f"{value:.9g}": round(float(count / len(values)), 5) for value, count in frequent}


def _mean(rows: pl.DataFrame, name: str) -> float:
    return round(float(_numbers(rows, name).mean()), 5) if len(rows) else 0.0


def _numbers(rows: pl.DataFrame, name: str) -> Floats:
    return rows[name].cast(pl.Float64).to_numpy()


def _positions(rows: pl.DataFrame, name: str, ordered: Ordered) -> Integers:
    """Return the positions of categories among those `ordered`; -1 where none is known."""
    places = {value: index for index, value in enumerate(ordered(name))}
    return np.array([places.get(value, -1) for value in rows[name].to_list()], dtype=np.int64)
