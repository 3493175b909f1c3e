"""Amounts of the application: prices and limits on their grids, the insurance in the credit, and the annuity."""

import numpy as np

from research.synthetic.application_draft import ApplicationDraft
from research.synthetic.calibration_statistics import (
    ColumnStatistics,
    nearest,
    quantile,
    statistics,
)
from research.synthetic.cells import band_of, draw_quantiles
from research.synthetic.frames import Floats, Integers
from research.synthetic.joint_facts import PRICE_EDGES

_CARD_TERM = 20
"""A card's annuity is a twentieth of its limit."""
_PRICE_STEP, _CREDIT_STEP = 4500.0, 4.5


def fill_in_amounts(draft: ApplicationDraft) -> None:
    """Fill income, price, credit and annuity."""
    values, facts = draft.values, statistics()["joint"]["amounts"]
    values["AMT_INCOME_TOTAL"] = _multiple(values["AMT_INCOME_TOTAL"], _PRICE_STEP)
    is_card = draft.is_("NAME_CONTRACT_TYPE", "Revolving loans")
    limits, price = np.array(facts["card_limits"]), facts["cash_price"]
    share = _one_cell(facts["card_limit_per_income"], draft.rank_given("AMT_CREDIT", "AMT_INCOME_TOTAL"))
    limit = nearest(limits, values["AMT_INCOME_TOTAL"] * share)
    of_train = ColumnStatistics(quantiles=tuple(price["quantiles"]), atoms=price["atoms"])
    goods = quantile(of_train, draft.rank_given("AMT_GOODS_PRICE", "NAME_CONTRACT_TYPE"))
    goods = _multiple(np.where(draft.train, goods, values["AMT_GOODS_PRICE"]), _PRICE_STEP)
    band = band_of(goods, PRICE_EDGES)
    of_credit = draft.rank_given("AMT_CREDIT", "AMT_GOODS_PRICE", "NAME_CONTRACT_TYPE")
    of_annuity = draft.rank_given("AMT_ANNUITY", "AMT_CREDIT", "AMT_GOODS_PRICE", "NAME_CONTRACT_TYPE")
    ratio, factor = np.ones(len(draft)), np.full(len(draft), 1 / _CARD_TERM)
    for index, item in enumerate(facts["bands"]):
        rows = band == index
        place: Integers = np.searchsorted(np.cumsum(item["share"])[:-1], of_credit[rows], side="right")
        ratio[rows] = np.array(item["ratio"])[place]
        factor[rows] = draw_quantiles(item["annuity"], place, of_annuity[rows])
    of_test = statistics()["joint"]["test_shift"]["annuity_per_credit"]
    if of_test:
        factor = np.where(draft.train, factor, draw_quantiles(of_test, band, of_annuity))
    credit = np.where(is_card, limit, _multiple(goods * ratio, _CREDIT_STEP))
    annuity = np.where(is_card, limit / _CARD_TERM, _multiple(credit * factor, _CREDIT_STEP))
    values |= {"AMT_GOODS_PRICE": np.where(is_card, limit, goods), "AMT_CREDIT": credit, "AMT_ANNUITY": annuity}


def _one_cell(quantiles: list[float], rank: Floats) -> Floats:
    return draw_quantiles([quantiles], np.zeros(len(rank), dtype=np.int64), rank)


def _multiple(values: Floats, step: float) -> Floats:
    return np.maximum(np.rint(values / step), 1) * step
