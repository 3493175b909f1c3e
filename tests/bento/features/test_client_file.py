"""The features of one credit file, over arrays, are those of the same file among others, in frames."""

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.data.tables import HISTORIES
from bento.features.build import build_features, client_features
from bento.features.catalogue import CATALOGUE, needed_columns, share_counts_of
from bento.features.client_file import client_tables
from tests.bento.features.comparison import differing
from tests.bento.features.odd_clients import FIRST_CLIENT, odd_clients
from tests.support.clients import cleaned_tables, make_credit_files

NAMES = [*CATALOGUE, *share_counts_of(CATALOGUE)]
COLUMNS = needed_columns(NAMES)
ODD_CLIENTS = 150


def _odd_files() -> list[CreditFile]:
    """Return credit files with every kind of oddity that data may hold, also what a request may not."""
    tables = odd_clients(ODD_CLIENTS, seed=7)
    files = []
    for client in range(FIRST_CLIENT, FIRST_CLIENT + ODD_CLIENTS):
        own = {name: rows.filter(SK_ID_CURR=client) for name, rows in tables.items() if "SK_ID_CURR" in rows.columns}
        if own["application"]["AMT_ANNUITY"].item() == 0:
            continue  # no request may hold it
        own["bureau_balance"] = tables["bureau_balance"].join(own["bureau"], on="SK_ID_BUREAU", how="semi")
        content = {name: _without_nulls(own[name]) for name in HISTORIES}
        files.append(CreditFile.model_construct(application=_without_nulls(own["application"])[0], **content))
    return files


def _random_files() -> list[CreditFile]:
    return [CreditFile.model_validate_json(json.dumps(content)) for content in make_credit_files(40, seed=9)]


def _without_nulls(rows: pl.DataFrame) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in rows.to_dicts()]


@pytest.mark.parametrize("make", [_odd_files, _random_files])
def test_a_file_alone_has_the_features_it_has_among_others(make: Callable[[], list[CreditFile]]):
    files = make()

    alone = [client_features(client_tables(file, COLUMNS), NAMES) for file in files]

    together = build_features(clean(frames(files)), NAMES)
    schema = {name: together.schema[name] for name in together.columns}
    rows = [{"SK_ID_CURR": file.application["SK_ID_CURR"]} | values for file, values in zip(files, alone, strict=True)]
    assert len(files) >= 40
    assert differing(pl.DataFrame(rows, schema=schema), together) == {}


def test_a_file_of_the_application_alone_has_features():
    application = {"SK_ID_CURR": 7, "AMT_CREDIT": 90, "AMT_ANNUITY": 9, "AMT_INCOME_TOTAL": 50, "DAYS_BIRTH": -9000}
    file = CreditFile.model_validate_json(json.dumps({"application": application}))

    values = client_features(client_tables(file, COLUMNS), NAMES)

    assert values["application_credit_to_annuity"] == 10
    assert values["bureau_credits"] == values["installments_count"] == 0
    assert values["installments_days_late_mean"] is None


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError, match="no such feature: shoe_size"):
        client_features({}, ["shoe_size"])


def test_amounts_beyond_all_floats_are_the_same_alone_and_together():
    months = [
        {"SK_ID_PREV": 1, "MONTHS_BALANCE": month, "AMT_BALANCE": 1.0, "AMT_CREDIT_LIMIT_ACTUAL": 1.0}
        for month in (0, -1, -2)
    ]
    tables = cleaned_tables(credit_card_balance=months)
    # No request may hold such amounts, but a file of data may: a thousand times one, times month 0, is no number.
    largest = pl.Series("AMT_BALANCE", [1.7e308] * 3)
    tables |= {"credit_card_balance": tables["credit_card_balance"].with_columns(largest)}
    names = [name for name in CATALOGUE if name.startswith("card_")]

    alone = build_features(tables, names)

    other = tables["application"].with_columns(SK_ID_CURR=pl.lit(2, pl.Int64))
    together = build_features(tables | {"application": pl.concat([tables["application"], other])}, names)
    assert differing(alone, together.head(1)) == {}
    assert alone["card_balance_slope"].to_list() == [None]
    assert alone["card_balance_max"].to_list() == [1.7e308]
