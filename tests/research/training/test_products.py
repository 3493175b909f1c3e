"""The loans that are sold, from invented applications and earlier loans."""

import numpy as np
import polars as pl
import pytest

from bento.model.peer_groups import MIN_GROUP_SIZE
from research.data.dataset import Data
from research.training.products import EARLIER_COLUMNS, PLAN_TAIL, sold_products
from research.training.ranges import MIN_BEYOND, TAIL, usual_range

LOANS = 1000


def loans(count: int, contract_type: str | None, ratios: np.ndarray | float, **columns: object) -> pl.DataFrame:
    """Loans of 10,000 to 10,999 with these ratios of credit to instalment."""
    credit = 10_000.0 + np.arange(count)
    return pl.DataFrame(
        {"AMT_CREDIT": credit, "AMT_ANNUITY": credit / ratios},
    ).with_columns(pl.lit(contract_type, pl.String).alias("NAME_CONTRACT_TYPE"), **columns)


def earlier_loans(count: int, months: int | None, ratios: np.ndarray | float, status: str = "Approved") -> pl.DataFrame:
    return loans(
        count,
        "Cash loans",
        ratios,
        NAME_CONTRACT_STATUS=pl.lit(status),
        CNT_PAYMENT=pl.lit(months, pl.Int64),
    )


@pytest.fixture(scope="module")
def applications() -> pl.DataFrame:
    """A thousand cash loans, as many cards, few of a third kind and some of an unknown one."""
    return pl.concat(
        [
            loans(LOANS, "Cash loans", np.linspace(8, 38, LOANS)),
            loans(LOANS, "Revolving loans", 20.0),
            loans(MIN_GROUP_SIZE - 1, "Consumer loans", 10.0),
            loans(LOANS, None, 5.0),
        ]
    )


def test_a_product_has_the_usual_amounts_and_ratios_of_its_applications(applications):
    cash, card = sold_products(applications, earlier_loans(0, 12, 9.0))

    assert (cash.contract_type, cash.clients) == ("Cash loans", LOANS)
    assert (card.contract_type, card.clients) == ("Revolving loans", LOANS)
    beyond = MIN_BEYOND / LOANS
    assert beyond > TAIL
    low, high = np.quantile(np.linspace(8, 38, LOANS), [beyond, 1 - beyond])
    assert (cash.credit_to_annuity.low, cash.credit_to_annuity.high) == pytest.approx((low, high))
    low, high = np.quantile(10_000.0 + np.arange(LOANS), [beyond, 1 - beyond])
    assert (cash.credit.low, cash.credit.high) == pytest.approx((low, high))
    assert (card.credit_to_annuity.low, card.credit_to_annuity.high) == (20, 20)


def test_plans_are_those_of_granted_loans_the_shortest_first(applications):
    ratios = np.linspace(15, 25, LOANS)
    earlier = pl.concat(
        [
            earlier_loans(LOANS, 36, ratios),
            earlier_loans(LOANS, 12, 9.0),
            earlier_loans(LOANS, 48, 30.0, "Refused"),
            earlier_loans(LOANS, None, 20.0),
            earlier_loans(MIN_GROUP_SIZE - 1, 60, 34.0),
            earlier_loans(LOANS, 24, 18.0).with_columns(AMT_ANNUITY=None),
        ]
    )

    cash, card = sold_products(applications, earlier)

    assert [(plan.months, plan.loans) for plan in cash.plans] == [(12, LOANS), (36, LOANS)]
    low, high = np.quantile(ratios, [PLAN_TAIL, 1 - PLAN_TAIL])
    limits = cash.plans[1].credit_to_annuity
    assert (limits.low, limits.high) == pytest.approx((low, high))
    assert card.plans == []


def test_a_range_of_few_values_leaves_five_outside_either_end():
    values = pl.Series(range(100)).cast(pl.Float64)

    limits = usual_range(values)

    assert ((values < limits.low).sum(), (values > limits.high).sum()) == (MIN_BEYOND, MIN_BEYOND)


def test_earlier_applications_of_a_split_are_those_of_its_clients_cleaned(data: Data):
    earlier = data.earlier_applications("development", EARLIER_COLUMNS)

    assert not earlier.is_empty()
    assert set(earlier["SK_ID_CURR"]) <= set(data.rows("development").features["SK_ID_CURR"])
    assert set(earlier.columns) == {"SK_ID_CURR", *EARLIER_COLUMNS}
    assert not earlier["NAME_CONTRACT_TYPE"].is_in(["XNA"]).any()
    assert not (earlier["CNT_PAYMENT"] == 0).any()


def test_without_a_file_of_earlier_applications_there_are_no_plans(data: Data, tmp_path, applications):
    (tmp_path / "application_train.parquet").write_bytes((data.folder / "application_train.parquet").read_bytes())

    earlier = Data(tmp_path).earlier_applications("development", EARLIER_COLUMNS)

    assert all(product.plans == [] for product in sold_products(applications, earlier))
