"""The features most people start from in this field, in pandas: one-hot every category, aggregate every number.

This is our own rendering of the widely known "simple features" recipe. It is what `bento.features` is timed against.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

KEY = "SK_ID_CURR"
AGGREGATES = ["min", "max", "mean", "sum", "var"]
OPEN_ENDED = 365243


def simple_features(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each row of `application`, in its order; tables by their declared names, as they stand in the files.

    A feature is called `TABLE_COLUMN_AGGREGATE`, such as `installments_DPD_mean`.
    """
    parts = [
        _bureau(tables["bureau"], tables["bureau_balance"]),
        _previous(tables["previous_application"]),
        _aggregate(tables["POS_CASH_balance"], "pos"),
        _installments(tables["installments_payments"]),
        _aggregate(tables["credit_card_balance"], "cards"),
    ]
    features = _application(tables["application"])
    for part in parts:
        features = features.join(part, on=KEY)
    return features


def _application(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.copy()  # in one piece, or else each new column is slow
    rows["DAYS_EMPLOYED"] = _without_open_ended(rows["DAYS_EMPLOYED"])
    rows["EMPLOYED_TO_AGE"] = rows["DAYS_EMPLOYED"] / rows["DAYS_BIRTH"]
    rows["INCOME_TO_CREDIT"] = rows["AMT_INCOME_TOTAL"] / rows["AMT_CREDIT"]
    rows["INCOME_PER_PERSON"] = rows["AMT_INCOME_TOTAL"] / rows["CNT_FAM_MEMBERS"]
    rows["ANNUITY_TO_INCOME"] = rows["AMT_ANNUITY"] / rows["AMT_INCOME_TOTAL"]
    rows["ANNUITY_TO_CREDIT"] = rows["AMT_ANNUITY"] / rows["AMT_CREDIT"]
    return _one_hot(rows)[0]


def _bureau(credits: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    of_credit = _aggregate(months, "months", key="SK_ID_BUREAU")
    credits = credits.join(of_credit, on="SK_ID_BUREAU").drop(columns="SK_ID_BUREAU")
    parts = [_aggregate(credits, "bureau")]
    for state in ("Active", "Closed"):
        of_state = credits[credits["CREDIT_ACTIVE"] == state].drop(columns=["CREDIT_ACTIVE", "CREDIT_TYPE"])
        parts.append(_aggregate(of_state.drop(columns="CREDIT_CURRENCY"), f"bureau_{state.lower()}"))
    return pd.concat(parts, axis=1)


def _previous(rows: pd.DataFrame) -> pd.DataFrame:
    days = [name for name in rows.columns if name.startswith("DAYS_") and name != "DAYS_DECISION"]
    rows = rows.assign(**{name: _without_open_ended(rows[name]) for name in days})
    rows["ASKED_TO_GRANTED"] = rows["AMT_APPLICATION"] / rows["AMT_CREDIT"]
    parts = [_aggregate(rows, "previous")]
    for state in ("Approved", "Refused"):
        of_state = rows[rows["NAME_CONTRACT_STATUS"] == state].select_dtypes("number")
        parts.append(_aggregate(of_state, f"previous_{state.lower()}"))
    return pd.concat(parts, axis=1)


def _installments(rows: pd.DataFrame) -> pd.DataFrame:
    days = rows["DAYS_ENTRY_PAYMENT"] - rows["DAYS_INSTALMENT"]
    rows = rows.assign(
        PAID_SHARE=rows["AMT_PAYMENT"] / rows["AMT_INSTALMENT"],
        PAID_SHORT=rows["AMT_INSTALMENT"] - rows["AMT_PAYMENT"],
        DPD=days.clip(lower=0),
        DBD=(-days).clip(lower=0),
    )
    return _aggregate(rows, "installments")


def _aggregate(rows: pd.DataFrame, prefix: str, key: str = KEY) -> pd.DataFrame:
    """Each number's five aggregates and each category's shares, and the count of rows, by `key`."""
    rows, dummies = _one_hot(rows.drop(columns="SK_ID_PREV", errors="ignore"))
    numbers = [name for name in rows.columns if name not in {key, KEY, *dummies}]
    wanted = dict.fromkeys(numbers, AGGREGATES) | {name: ["mean"] for name in dummies}
    groups = rows.groupby(key)
    features = groups.agg(wanted)
    features.columns = [f"{prefix}_{column}_{aggregate}" for column, aggregate in features.columns]
    return pd.concat([features, groups.size().rename(f"{prefix}_COUNT")], axis=1)


def _one_hot(rows: pd.DataFrame) -> tuple[pd.DataFrame, Sequence[str]]:
    words = [name for name, dtype in rows.dtypes.items() if isinstance(dtype, pd.StringDtype)]
    encoded = pd.get_dummies(rows, columns=words, dummy_na=True, dtype=float)
    return encoded, [name for name in encoded.columns if name not in set(rows.columns)]


def _without_open_ended(days: pd.Series) -> pd.Series:
    return days.where(days != OPEN_ENDED)
