"""Make clients at random with every kind of oddity that the seven tables can hold, as raw tables.

Values are drawn near the bounds of windows and rules, from small sets, so that ties, repeated payments, contradicting
dates, codes for unknown, unknown categories and columns without any known value are all frequent. Some rows belong to
clients or credits that the tables do not hold.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import polars as pl

from bento.data.tables import TABLES, Column

Row = dict[str, Any]

FIRST_CLIENT = 1001
STRANGER = 999
"""A client who has rows in the histories, but no application."""
MISSING_SHARE, EMPTY_COLUMN_SHARE, ANOMALY_SHARE = 0.12, 0.08, 0.2
"""Share of nulls in a column, of the columns of one client that hold nothing else, and of anomalies where there are."""
MAX_ROWS = 9
BOUNDS = (7, 15, 90, 180, 360, 365, 720, 1080, 1500)
"""Days at which windows begin."""
POS_STATES = ("Active", "Active", "Completed", "Completed", "Returned to the store", "Demand", "Amortized debt", "XNA")


def odd_clients(count: int, seed: int) -> dict[str, pl.DataFrame]:
    """Return the seven raw tables of `count` clients, the same for the same seed."""
    random = Random(seed)  # noqa: S311
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    for client in range(FIRST_CLIENT, FIRST_CLIENT + count):
        for name, of_client in _client(client, random).items():
            rows[name] += of_client
    for name, of_client in _client(STRANGER, random).items():
        rows[name] += [] if name == "application" else of_client
    for of_table in rows.values():
        random.shuffle(of_table)
    return {name: pl.DataFrame(rows[name], schema=table.schema) for name, table in TABLES.items()}


def _client(client: int, random: Random) -> dict[str, list[Row]]:
    loans = [1000 * client + number for number in range(random.randint(1, 4))]
    credits = [1000 * client + number for number in range(random.choice((0, 0, 1, 3, 5)))]
    tables = {
        "application": [_application(random)],
        "bureau": [_bureau(random) | {"SK_ID_BUREAU": credit} for credit in credits],
        "bureau_balance": _unique(
            _many(
                random, lambda: {"SK_ID_BUREAU": random.choice([*credits, client]), "MONTHS_BALANCE": _month(random)}
            ),
            "SK_ID_BUREAU",
            "MONTHS_BALANCE",
        ),
        "previous_application": [_previous(random) | {"SK_ID_PREV": loan} for loan in random.sample(loans, len(loans))],
        "POS_CASH_balance": _many(random, lambda: _pos(random, [*loans, loans[0] - 1000])),
        "installments_payments": _many(random, lambda: _payment(random, loans), 3),
        "credit_card_balance": _unique(
            _many(random, lambda: _card(random, [*loans, loans[0] - 1000])), "SK_ID_PREV", "MONTHS_BALANCE"
        ),
    }
    if random.random() < 0.1:
        tables["previous_application"] = []
    return {name: _with_gaps(name, rows, client, random) for name, rows in tables.items()}


def _many(random: Random, row: Callable[[], Row], times: int = 1) -> list[Row]:
    """Draw rows; some of them twice, and none at all for one client in five."""
    rows = [row() for _ in range(random.choice((0, 1, 2, 4, MAX_ROWS)) * times)]
    return rows + random.sample(rows, min(len(rows), random.choice((0, 0, 1))))


def _unique(rows: list[Row], *key: str) -> list[Row]:
    """Keep one row of each key, as the data does."""
    return list({tuple(row[name] for name in key): row for row in rows}.values())


def _with_gaps(table: str, rows: Sequence[Row], client: int, random: Random) -> list[Row]:
    """Fill the columns that the rows do not hold, put gaps into all but ids, and whole columns of them."""
    empty = {column.name for column in TABLES[table] if random.random() < EMPTY_COLUMN_SHARE}
    filled = []
    for row in rows:
        values: Row = {}
        for column in TABLES[table]:
            is_gap = column.name in empty or random.random() < MISSING_SHARE
            if column.name == "SK_ID_CURR":
                values[column.name] = client
            elif column.kind != "id" and is_gap:
                values[column.name] = None
            else:
                values[column.name] = row[column.name] if column.name in row else _value(column, random)
        filled.append({name: values[name] for name in TABLES[table].schema if name in values})
    return filled


def _value(column: Column, random: Random) -> Any:
    """Draw a value of a column, sometimes a code for unknown or an implausible one."""
    if column.kind == "category":
        return random.choice([*column.categories, "undeclared"])
    anomalies: list[Any] = [*column.missing_codes]
    if column.plausible_maximum is not None:
        anomalies += [column.plausible_maximum, column.plausible_maximum + 1]
    if column.plausible_minimum is not None:
        anomalies += [column.plausible_minimum, column.plausible_minimum - 1]
    if anomalies and random.random() < ANOMALY_SHARE:
        return _typed(column, random.choice(anomalies))
    return _sound_value(column, random)


def _sound_value(column: Column, random: Random) -> float:
    if column.unit == "days" and column.minimum is not None and column.minimum < 0:
        return min(_day(random), int(column.maximum or 0))
    if column.unit == "currency":
        return _amount(random)
    if column.kind == "number":
        return random.choice((0.0, 1.0, round(random.random(), 4)))
    return random.randint(max(int(column.minimum or 0), 0), min(int(column.maximum or 0), 4))


def _typed(column: Column, value: float) -> float:
    return int(value) if column.kind == "integer" else float(value)


def _day(random: Random) -> int:
    return -random.choice((0, 1, random.choice(BOUNDS) + random.choice((-1, 0, 1)), random.randint(0, 2500)))


def _amount(random: Random) -> float:
    return random.choice((0.0, 0.005, 100.0, 1000.0, random.randrange(200_000_000) / 200))


def _month(random: Random) -> int:
    return -random.choice((0, 1, 2, 3, 4, 6, 7, 11, 12, 13, 23, 24, 25, 60, 61, random.randint(0, 80)))


def _application(random: Random) -> Row:
    return {
        "DAYS_BIRTH": -random.choice((8000, 12_000, 20_001)),
        "AMT_ANNUITY": random.choice((0.0, 9000.0, _amount(random))),
        "AMT_CREDIT": random.choice((0.0, 270_000.0, _amount(random))),
        "AMT_INCOME_TOTAL": random.choice((0.0, 99_000.0, 50_000_000.0, 50_000_001.0)),
        "CNT_FAM_MEMBERS": random.randint(1, 4),
        "CNT_CHILDREN": random.randint(0, 3),
    }


def _bureau(random: Random) -> Row:
    start = _day(random)
    end = random.choice((start - 1, start, start + 400, 0, 3650, 3651, 14_610, 14_611, 40_000, -40_000, -40_001))
    return {
        "DAYS_CREDIT": start,
        "DAYS_CREDIT_ENDDATE": end,
        "DAYS_ENDDATE_FACT": min(random.choice((start - 1, start, start + 300, -40_001)), 0),
        "DAYS_CREDIT_UPDATE": random.choice((0, 1, -1, -400, -40_000, -40_001)),
        "CREDIT_CURRENCY": random.choice(("currency 1", "currency 1", "currency 1", "currency 2")),
        "CREDIT_ACTIVE": random.choice(("Active", "Active", "Closed", "Closed", "Sold", "Bad debt")),
        "CREDIT_TYPE": random.choice(
            ("Credit card", "Consumer credit", "Car loan", "Mortgage", "Microloan", "Cash loan (non-earmarked)")
        ),
        "AMT_CREDIT_SUM_DEBT": random.choice((-5.0, 0.0, _amount(random))),
        "AMT_CREDIT_SUM_LIMIT": random.choice((-5.0, 0.0, _amount(random))),
    }


def _previous(random: Random) -> Row:
    """Draw an earlier application; the instalment is often one that repays the credit at a rate."""
    credit, term = random.choice((0.0, 1000.0, _amount(random))), random.choice((0, 1, 3, 12, 12, 60))
    rate = random.choice((-0.02, -0.0001, 0.0, 1e-5, 0.02, 0.4, 0.999, 1.001))
    fair = credit * (rate / (1 - (1 + rate) ** -term) if rate and term else 1 / (term or 1))
    decided = _day(random)
    return {
        "AMT_CREDIT": credit,
        "CNT_PAYMENT": term,
        "AMT_ANNUITY": random.choice((fair, fair, round(fair, 2), _amount(random))),
        "AMT_APPLICATION": random.choice((0.0, credit, _amount(random))),
        "AMT_DOWN_PAYMENT": random.choice((-1.0, 0.0, _amount(random))),
        "RATE_DOWN_PAYMENT": random.choice((-0.01, 0.0, 0.25)),
        "NAME_CONTRACT_STATUS": random.choice(("Approved", "Approved", "Approved", "Refused", "Canceled")),
        "NAME_CONTRACT_TYPE": random.choice(("Cash loans", "Consumer loans", "Revolving loans", "XNA")),
        "DAYS_DECISION": decided,
        "HOUR_APPR_PROCESS_START": random.choice((9, 10)),
        "DAYS_FIRST_DUE": random.choice((365_243, min(decided + 30, 0), -31, -30, 40)),
        "DAYS_LAST_DUE_1ST_VERSION": random.choice((365_243, decided + 400, -20, 300)),
        "DAYS_LAST_DUE": random.choice((365_243, 365_243, decided + 390, -20, 0, 300)),
        "DAYS_TERMINATION": random.choice((365_243, -10, 0, 1)),
        "SELLERPLACE_AREA": random.choice((-1, 0, 50)),
        "CODE_REJECT_REASON": random.choice(("HC", "SCO", "LIMIT", "SCOFR", "XAP")),
        "NAME_YIELD_GROUP": random.choice(("XNA", "high", "low_action", "low_normal", "middle")),
    }


def _pos(random: Random, loans: Sequence[int]) -> Row:
    term, left = random.choice((6, 10, 12)), random.choice((0, 1, 5, 12))
    return {
        "SK_ID_PREV": random.choice(loans),
        "MONTHS_BALANCE": _month(random),
        "CNT_INSTALMENT": term,
        "CNT_INSTALMENT_FUTURE": left,
        "NAME_CONTRACT_STATUS": random.choice(POS_STATES),
        "SK_DPD": random.choice((0, 0, 1, 40)),
        "SK_DPD_DEF": random.choice((0, 0, 2, 30)),
    }


def _payment(random: Random, loans: Sequence[int]) -> Row:
    """Draw a row of few instalments: parts, repeated payments, versions and missing payments meet by chance."""
    loan, number = random.choice(loans), random.randint(1, 4)
    due_day = -random.choice((90, 91, 180, 365, 366, 720, 721, 1500, 1501, 2000, 0)) + (loan % 3) * (number % 2)
    is_paid = random.random() < 0.75
    return {
        "SK_ID_PREV": loan,
        "NUM_INSTALMENT_NUMBER": number,
        "NUM_INSTALMENT_VERSION": random.choice((0, 1, 1, 2)),
        "DAYS_INSTALMENT": min(due_day, 0),
        "DAYS_ENTRY_PAYMENT": min(due_day + random.choice((-10, 0, 1, 7, 8, 15, 16)), 0) if is_paid else None,
        "AMT_INSTALMENT": random.choice((0.0, 100.0, 100.002, 100.003, 100.005, 250.5)),
        "AMT_PAYMENT": random.choice((40.0, 60.0, 100.0, 100.005, 250.5)) if is_paid else None,
    }


def _card(random: Random, loans: Sequence[int]) -> Row:
    limit = random.choice((0.0, 45_000.0, 90_000.0))
    return {
        "SK_ID_PREV": random.choice(loans),
        "MONTHS_BALANCE": _month(random),
        "AMT_CREDIT_LIMIT_ACTUAL": limit,
        "AMT_BALANCE": random.choice((-20.0, 0.0, limit, limit + 0.005, 22_500.0, _amount(random))),
        "SK_DPD": random.choice((0, 0, 1, 40)),
        "SK_DPD_DEF": random.choice((0, 0, 2, 30)),
    }
