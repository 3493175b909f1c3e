"""Values that mean "unknown", by table and column: null where the condition holds."""

from bento.data.tables import TABLES, Table

OPEN_ENDED = "= 365243"
UNKNOWN = {
    "application": {
        "CODE_GENDER": "= 'XNA'",
        "AMT_INCOME_TOTAL": "> 50000000",
        "NAME_FAMILY_STATUS": "= 'Unknown'",
        "DAYS_EMPLOYED": OPEN_ENDED,
        "REGION_RATING_CLIENT_W_CITY": "= -1",
        "ORGANIZATION_TYPE": "= 'XNA'",
        "OBS_30_CNT_SOCIAL_CIRCLE": "> 100",
        "OBS_60_CNT_SOCIAL_CIRCLE": "> 100",
        "DAYS_LAST_PHONE_CHANGE": "= 0",
        "AMT_REQ_CREDIT_BUREAU_HOUR": "> 100",
        "AMT_REQ_CREDIT_BUREAU_DAY": "> 100",
        "AMT_REQ_CREDIT_BUREAU_WEEK": "> 100",
        "AMT_REQ_CREDIT_BUREAU_MON": "> 100",
        "AMT_REQ_CREDIT_BUREAU_QRT": "> 100",
        "AMT_REQ_CREDIT_BUREAU_YEAR": "> 100",
    },
    "bureau": {
        "DAYS_CREDIT_ENDDATE": "< -40000",
        "DAYS_ENDDATE_FACT": "< -40000",
        "AMT_CREDIT_SUM_DEBT": "< 0",
        "AMT_CREDIT_SUM_LIMIT": "< 0",
        "DAYS_CREDIT_UPDATE": "< -40000",
    },
    "bureau_balance": {},
    "previous_application": {
        "NAME_CONTRACT_TYPE": "= 'XNA'",
        "AMT_APPLICATION": "= 0",
        "AMT_CREDIT": "= 0",
        "AMT_DOWN_PAYMENT": "< 0",
        "RATE_DOWN_PAYMENT": "< 0",
        "CNT_PAYMENT": "= 0",
        "DAYS_FIRST_DRAWING": OPEN_ENDED,
        "DAYS_FIRST_DUE": OPEN_ENDED,
        "DAYS_LAST_DUE_1ST_VERSION": OPEN_ENDED,
        "DAYS_LAST_DUE": OPEN_ENDED,
        "DAYS_TERMINATION": OPEN_ENDED,
    },
    "POS_CASH_balance": {},
    "installments_payments": {},
    "credit_card_balance": {
        "AMT_DRAWINGS_ATM_CURRENT": "< 0",
        "AMT_DRAWINGS_CURRENT": "< 0",
        "AMT_DRAWINGS_OTHER_CURRENT": "< 0",
        "AMT_DRAWINGS_POS_CURRENT": "< 0",
    },
}


def cleaned(table: str) -> str:
    """Select the rows of `raw_<table>`, cleaned: numbers as double, ids as they are, undeclared categories null.

    previous_application has DAYS_LAST_DUE before cleaning too, as `last_due_as_given`.
    """
    columns = [_column(TABLES[table], column.name) for column in TABLES[table]]
    if table == "previous_application":
        columns.append("DAYS_LAST_DUE AS last_due_as_given")
    return f"SELECT {', '.join(columns)} FROM raw_{table}"


def _column(table: Table, name: str) -> str:
    column = table[name]
    if column.kind == "id":
        return name
    is_unknown = [f"{name} {UNKNOWN[table.name][name]}"] if name in UNKNOWN[table.name] else []
    value = name if column.kind == "category" else f"CAST({name} AS DOUBLE)"
    if column.kind == "category":
        declared = ", ".join("'" + category.replace("'", "''") + "'" for category in column.categories)
        is_unknown.append(f"{name} NOT IN ({declared})")
    return (
        f"CASE WHEN {' OR '.join(is_unknown)} THEN NULL ELSE {value} END AS {name}"
        if is_unknown
        else (f"{value} AS {name}")
    )
