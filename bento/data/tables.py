"""The seven input tables of a credit file, declared once.

File readers, the request model, OpenAPI, the forms of the UI and the drift definition all derive from `TABLES`.
Names, codes and units are those of the public Home Credit Default Risk data; days and months are counted from the
application, negative before it.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY
from functools import cached_property, partial
from math import inf
from typing import Any, Literal

import polars as pl
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

Kind = Literal["id", "integer", "number", "category"]
Unit = Literal["", "currency", "days", "months", "years", "hour", "count", "flag", "share", "score", "rank"]

DTYPES: dict[str, type[pl.DataType]] = {
    "id": pl.Int64,
    "integer": pl.Int64,
    "number": pl.Float64,
    "category": pl.String,
}

OPEN_ENDED = 365243
"""The data's code for "no such date": 1,000 years after the application."""
WITHOUT_JOB = ("Pensioner", "Unemployed")
"""Values of NAME_INCOME_TYPE of the clients whose DAYS_EMPLOYED and ORGANIZATION_TYPE are codes for "no job": all of
them in the public data, and no others."""
CURRENCY = "currency 1"
"""The currency of every amount but those of credits elsewhere that have another CREDIT_CURRENCY."""
MAX_AMOUNT, MAX_COUNT = 1e12, 1e9
"""Thousands of times the largest value of any client: larger ones are errors of entry and could overflow in sums."""
MIN_BALANCE = -1e8
"""Twenty times the lowest balance, debt or limit of any client, which are negative by adjustments of the lender."""
MAX_DAYS_OF_LIFE, MAX_DAYS_OF_WORK = 40_178, 30_000
"""110 years, which no applicant is old; and 82 years, which no employment, credit or payment lies back."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Column:
    """One column: what it holds, and what it may hold.

    A value outside `minimum` and `maximum` is an error of the sender, and so is one above `maximum_beside_codes` unless
    it is one of the `missing_codes`. These codes, and values outside `plausible_minimum` and `plausible_maximum`, are
    known anomalies of the data: they mean "unknown" and become null in `bento.data.cleaning`. `usual`, near the median
    of the public data, shows the scale of a column whose values seldom differ from it by more than a factor
    (`bento.data.column_tests.USUAL_FACTOR`).
    """

    _: KW_ONLY
    name: str
    kind: Kind
    description: str
    unit: Unit = ""
    minimum: float | None = None
    maximum: float | None = None
    maximum_beside_codes: float | None = None
    plausible_minimum: float | None = None
    plausible_maximum: float | None = None
    usual: float | None = None
    categories: tuple[str, ...] = ()
    missing_codes: tuple[float | str, ...] = ()
    codes_mean_none: bool = False
    """The missing codes say that there is none, as is often so: no job, no last due date yet, no amount named."""
    required: bool = False
    """Must be present and not null, in a credit file as in a file."""
    optional_in_files: bool = False
    """May be absent from a file (it is nearly always null); every other column must be there."""
    audit_only: bool = False
    """Never a feature: kept to check the decisions for fairness."""

    @property
    def dtype(self) -> type[pl.DataType]:
        """Polars type of the column in every frame."""
        return DTYPES[self.kind]

    @cached_property
    def known_categories(self) -> frozenset[str]:
        """The categories that say something: all but the missing codes."""
        return frozenset(self.categories) - set(self.missing_codes)

    @cached_property
    def plausible_range(self) -> tuple[float, float]:
        """The plausible values, both limits included; without a limit on a side, infinity."""
        low, high = self.plausible_minimum, self.plausible_maximum
        return -inf if low is None else low, inf if high is None else high


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Table:
    """One table: its columns in the order of its file, and the key of its rows."""

    _: KW_ONLY
    name: str
    description: str
    key: tuple[str, ...]
    """Columns that identify a row; empty where the data repeats rows."""
    parent: tuple[str, str] | None = None
    """Table and column whose values this table refers to."""
    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        """Polars schema of the table, in the order of its file."""
        return {column.name: column.dtype for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """Return a frame of this table without rows."""
        return pl.DataFrame(schema=self.schema)


def _column(name: str, description: str, **settings: Any) -> Column:
    return Column(name=name, description=description, **settings)


def _category(name: str, description: str, categories: str, **settings: Any) -> Column:
    """Declare a category; its values are separated by `|`."""
    return _column(name, description, kind="category", categories=tuple(categories.split("|")), **settings)


# From 2^53 on a float64, the number type of JSON, does not represent every integer.
_id = partial(_column, kind="id", minimum=1, maximum=2**53 - 1)
_amount = partial(_column, kind="number", unit="currency", minimum=0, maximum=MAX_AMOUNT)
_share = partial(_column, kind="number", unit="share", minimum=0, maximum=1)
_price = partial(_amount, minimum=1)
_balance = partial(_amount, minimum=MIN_BALANCE)
_days = partial(_column, kind="integer", unit="days", minimum=-MAX_DAYS_OF_WORK, maximum=0)
_days_of_life = partial(_days, minimum=-MAX_DAYS_OF_LIFE)
# The real data has days before -40,000: known anomalies, which are cleaned.
_days_with_anomalies = partial(_days, minimum=-50_000, plausible_minimum=-40_000)
_end_date = partial(_days, maximum=OPEN_ENDED, missing_codes=(OPEN_ENDED,), maximum_beside_codes=20_000)
_months = partial(_column, kind="integer", unit="months", minimum=-1000, maximum=0)
_integer = partial(_column, kind="integer", unit="count", minimum=0, maximum=MAX_COUNT)
_flag = partial(_integer, unit="flag", maximum=1)

_WEEKDAYS = "MONDAY|TUESDAY|WEDNESDAY|THURSDAY|FRIDAY|SATURDAY|SUNDAY"
_COMPANY = "Unaccompanied|Family|Spouse, partner|Children|Other_A|Other_B|Group of people"
_ORGANIZATIONS = (
    "Advertising|Agriculture|Bank|Business Entity Type 1|Business Entity Type 2|Business Entity Type 3|Cleaning|"
    "Construction|Culture|Electricity|Emergency|Government|Hotel|Housing|Industry: type 1|Industry: type 10|"
    "Industry: type 11|Industry: type 12|Industry: type 13|Industry: type 2|Industry: type 3|Industry: type 4|"
    "Industry: type 5|Industry: type 6|Industry: type 7|Industry: type 8|Industry: type 9|Insurance|Kindergarten|"
    "Legal Services|Medicine|Military|Mobile|Other|Police|Postal|Realtor|Religion|Restaurant|School|Security|"
    "Security Ministries|Self-employed|Services|Telecom|Trade: type 1|Trade: type 2|Trade: type 3|Trade: type 4|"
    "Trade: type 5|Trade: type 6|Trade: type 7|Transport: type 1|Transport: type 2|Transport: type 3|"
    "Transport: type 4|University|XNA"
)
_BUILDING = {
    "APARTMENTS": "apartments",
    "BASEMENTAREA": "basement area",
    "YEARS_BEGINEXPLUATATION": "years in use",
    "YEARS_BUILD": "year built",
    "COMMONAREA": "common area",
    "ELEVATORS": "lifts",
    "ENTRANCES": "entrances",
    "FLOORSMAX": "highest floor",
    "FLOORSMIN": "lowest floor",
    "LANDAREA": "land area",
    "LIVINGAPARTMENTS": "living apartments",
    "LIVINGAREA": "living area",
    "NONLIVINGAPARTMENTS": "non-living apartments",
    "NONLIVINGAREA": "non-living area",
}

APPLICATION = Table(
    name="application",
    description="The loan application: one row for each client.",
    key=("SK_ID_CURR",),
    columns=(
        _id("SK_ID_CURR", "client and application", required=True),
        _category("NAME_CONTRACT_TYPE", "kind of loan asked for", "Cash loans|Revolving loans"),
        _category("CODE_GENDER", "gender; never a feature", "F|M|XNA", missing_codes=("XNA",), audit_only=True),
        _category("FLAG_OWN_CAR", "client owns a car", "N|Y"),
        _category("FLAG_OWN_REALTY", "client owns a house or flat", "N|Y"),
        _integer("CNT_CHILDREN", "children of the client", maximum=50),
        _price("AMT_INCOME_TOTAL", "income of the client", usual=147_000, required=True, plausible_maximum=50_000_000),
        _price("AMT_CREDIT", "amount of the loan", usual=514_000, required=True),
        _price("AMT_ANNUITY", "annuity: the amount of each instalment", usual=25_000),
        _price("AMT_GOODS_PRICE", "price of the goods the loan is for", usual=450_000),
        _category("NAME_TYPE_SUITE", "who came with the client", _COMPANY),
        _category(
            "NAME_INCOME_TYPE",
            "source of income",
            "Businessman|Commercial associate|Maternity leave|Pensioner|State servant|Student|Unemployed|Working",
        ),
        _category(
            "NAME_EDUCATION_TYPE",
            "highest education",
            "Lower secondary|Secondary / secondary special|Incomplete higher|Higher education|Academic degree",
        ),
        _category(
            "NAME_FAMILY_STATUS",
            "family status",
            "Civil marriage|Married|Separated|Single / not married|Unknown|Widow",
            missing_codes=("Unknown",),
        ),
        _category(
            "NAME_HOUSING_TYPE",
            "housing",
            "Co-op apartment|House / apartment|Municipal apartment|Office apartment|Rented apartment|With parents",
        ),
        _share("REGION_POPULATION_RELATIVE", "population of the region, scaled"),
        _days_of_life("DAYS_BIRTH", "birth", usual=-15_750, maximum=-1, required=True),
        _end_date(
            "DAYS_EMPLOYED",
            "start of the present employment; open-ended for pensioners",
            usual=-1_600,
            maximum_beside_codes=0,
            codes_mean_none=True,
        ),
        _days_of_life("DAYS_REGISTRATION", "last change of the registration", usual=-4_500),
        _days_of_life("DAYS_ID_PUBLISH", "last change of the identity document", usual=-3_250),
        _integer("OWN_CAR_AGE", "age of the client's car", unit="years", maximum=150),
        _flag("FLAG_MOBIL", "gave a mobile phone"),
        _flag("FLAG_EMP_PHONE", "gave a work phone"),
        _flag("FLAG_WORK_PHONE", "gave a home phone"),
        _flag("FLAG_CONT_MOBILE", "mobile phone was reachable"),
        _flag("FLAG_PHONE", "gave another phone"),
        _flag("FLAG_EMAIL", "gave an email address"),
        _category(
            "OCCUPATION_TYPE",
            "occupation",
            "Accountants|Cleaning staff|Cooking staff|Core staff|Drivers|HR staff|High skill tech staff|IT staff|"
            "Laborers|Low-skill Laborers|Managers|Medicine staff|Private service staff|Realty agents|Sales staff|"
            "Secretaries|Security staff|Waiters/barmen staff",
        ),
        _integer("CNT_FAM_MEMBERS", "family members", minimum=1, maximum=50),
        _integer("REGION_RATING_CLIENT", "rating of the client's region", unit="rank", minimum=1, maximum=3),
        _integer(
            "REGION_RATING_CLIENT_W_CITY",
            "rating of the client's region and city",
            unit="rank",
            minimum=-1,
            maximum=3,
            missing_codes=(-1,),
        ),
        _category("WEEKDAY_APPR_PROCESS_START", "weekday of the application", _WEEKDAYS),
        _integer("HOUR_APPR_PROCESS_START", "hour of the application", unit="hour", maximum=23),
        _flag("REG_REGION_NOT_LIVE_REGION", "registered and living in different regions"),
        _flag("REG_REGION_NOT_WORK_REGION", "registered and working in different regions"),
        _flag("LIVE_REGION_NOT_WORK_REGION", "living and working in different regions"),
        _flag("REG_CITY_NOT_LIVE_CITY", "registered and living in different cities"),
        _flag("REG_CITY_NOT_WORK_CITY", "registered and working in different cities"),
        _flag("LIVE_CITY_NOT_WORK_CITY", "living and working in different cities"),
        _category(
            "ORGANIZATION_TYPE", "kind of employer", _ORGANIZATIONS, missing_codes=("XNA",), codes_mean_none=True
        ),
        *(
            _share(f"EXT_SOURCE_{number}", f"score {number} from an external source; higher is safer", unit="score")
            for number in (1, 2, 3)
        ),
        *(
            _share(f"{part}_{statistic}", f"client's building, {meaning}, {word}, scaled")
            for statistic, word in (("AVG", "mean"), ("MODE", "mode"), ("MEDI", "median"))
            for part, meaning in _BUILDING.items()
        ),
        _category(
            "FONDKAPREMONT_MODE",
            "client's building, repair fund",
            "not specified|org spec account|reg oper account|reg oper spec account",
        ),
        _category("HOUSETYPE_MODE", "client's building, kind", "block of flats|specific housing|terraced house"),
        _share("TOTALAREA_MODE", "client's building, total area, mode, scaled"),
        _category(
            "WALLSMATERIAL_MODE", "client's building, walls", "Block|Mixed|Monolithic|Others|Panel|Stone, brick|Wooden"
        ),
        _category("EMERGENCYSTATE_MODE", "client's building, unsafe", "No|Yes"),
        _integer("OBS_30_CNT_SOCIAL_CIRCLE", "acquaintances observed, 30 days past due", plausible_maximum=100),
        _integer("DEF_30_CNT_SOCIAL_CIRCLE", "acquaintances in default, 30 days past due"),
        _integer("OBS_60_CNT_SOCIAL_CIRCLE", "acquaintances observed, 60 days past due", plausible_maximum=100),
        _integer("DEF_60_CNT_SOCIAL_CIRCLE", "acquaintances in default, 60 days past due"),
        _days_of_life("DAYS_LAST_PHONE_CHANGE", "last change of phone", missing_codes=(0,)),
        *(_flag(f"FLAG_DOCUMENT_{number}", f"gave document {number}") for number in range(2, 22)),
        *(
            _integer(
                f"AMT_REQ_CREDIT_BUREAU_{window}", f"enquiries to the credit bureau, {meaning}", plausible_maximum=100
            )
            for window, meaning in (
                ("HOUR", "last hour"),
                ("DAY", "last day before that hour"),
                ("WEEK", "last week before that day"),
                ("MON", "last month before that week"),
                ("QRT", "last quarter before that month"),
                ("YEAR", "last year before that quarter"),
            )
        ),
    ),
)

BUREAU = Table(
    name="bureau",
    description="Credits at other lenders, as the credit bureau reports them: one row for each credit.",
    key=("SK_ID_BUREAU",),
    parent=("application", "SK_ID_CURR"),
    columns=(
        _id("SK_ID_CURR", "client"),
        _id("SK_ID_BUREAU", "credit at the bureau"),
        _category("CREDIT_ACTIVE", "state of the credit", "Active|Bad debt|Closed|Sold"),
        _category("CREDIT_CURRENCY", "recoded currency", "currency 1|currency 2|currency 3|currency 4"),
        _days("DAYS_CREDIT", "application for this credit", usual=-990),
        _integer("CREDIT_DAY_OVERDUE", "days overdue now", unit="days"),
        _days_with_anomalies("DAYS_CREDIT_ENDDATE", "planned end of the credit", maximum=50_000),
        _days_with_anomalies("DAYS_ENDDATE_FACT", "actual end of the credit", usual=-900),
        _amount("AMT_CREDIT_MAX_OVERDUE", "largest overdue amount so far"),
        _integer("CNT_CREDIT_PROLONG", "times the credit was prolonged"),
        _amount("AMT_CREDIT_SUM", "amount of the credit", usual=125_000),
        _balance("AMT_CREDIT_SUM_DEBT", "debt now", plausible_minimum=0),
        _balance("AMT_CREDIT_SUM_LIMIT", "limit of the credit card", plausible_minimum=0),
        _amount("AMT_CREDIT_SUM_OVERDUE", "amount overdue now"),
        _category(
            "CREDIT_TYPE",
            "kind of credit",
            "Another type of loan|Car loan|Cash loan (non-earmarked)|Consumer credit|Credit card|Interbank credit|"
            "Loan for business development|Loan for purchase of shares (margin lending)|"
            "Loan for the purchase of equipment|Loan for working capital replenishment|Microloan|Mobile operator loan|"
            "Mortgage|Real estate loan|Unknown type of loan",
        ),
        _days_with_anomalies("DAYS_CREDIT_UPDATE", "last news about the credit", maximum=1000),
        _amount("AMT_ANNUITY", "annuity: the amount of each instalment"),
    ),
)

BUREAU_BALANCE = Table(
    name="bureau_balance",
    description="Monthly state of the credits at other lenders: one row for each credit and month.",
    key=("SK_ID_BUREAU", "MONTHS_BALANCE"),
    parent=("bureau", "SK_ID_BUREAU"),
    columns=(
        _id("SK_ID_BUREAU", "credit at the bureau"),
        _months("MONTHS_BALANCE", "month"),
        _category(
            "STATUS",
            "C closed, X unknown, 0 on time, 1 to 5 late (5: over 120 days, sold or written off)",
            "0|1|2|3|4|5|C|X",
        ),
    ),
)

PREVIOUS_APPLICATION = Table(
    name="previous_application",
    description="Earlier applications of the client to this lender: one row for each application.",
    key=("SK_ID_PREV",),
    parent=("application", "SK_ID_CURR"),
    columns=(
        _id("SK_ID_PREV", "earlier application"),
        _id("SK_ID_CURR", "client"),
        _category(
            "NAME_CONTRACT_TYPE",
            "kind of loan asked for",
            "Cash loans|Consumer loans|Revolving loans|XNA",
            missing_codes=("XNA",),
        ),
        _amount("AMT_ANNUITY", "annuity: the amount of each instalment", usual=11_000),
        _amount("AMT_APPLICATION", "amount asked for", usual=110_000, missing_codes=(0,), codes_mean_none=True),
        _amount("AMT_CREDIT", "amount granted", usual=115_000, missing_codes=(0,), codes_mean_none=True),
        _amount("AMT_DOWN_PAYMENT", "down payment", minimum=-1, plausible_minimum=0),
        _amount("AMT_GOODS_PRICE", "price of the goods the loan was for", usual=110_000),
        _category("WEEKDAY_APPR_PROCESS_START", "weekday of the application", _WEEKDAYS),
        _integer("HOUR_APPR_PROCESS_START", "hour of the application", unit="hour", maximum=23),
        _category("FLAG_LAST_APPL_PER_CONTRACT", "last application of the contract", "N|Y"),
        _flag("NFLAG_LAST_APPL_IN_DAY", "last application of the day"),
        _share("RATE_DOWN_PAYMENT", "down payment, scaled", minimum=-0.01, plausible_minimum=0),
        _share("RATE_INTEREST_PRIMARY", "interest rate, scaled", optional_in_files=True),
        _share("RATE_INTEREST_PRIVILEGED", "privileged interest rate, scaled", optional_in_files=True),
        _category(
            "NAME_CASH_LOAN_PURPOSE",
            "purpose of the cash loan",
            "Building a house or an annex|Business development|Buying a garage|Buying a holiday home / land|"
            "Buying a home|Buying a new car|Buying a used car|Car repairs|Education|Everyday expenses|Furniture|"
            "Gasification / water supply|Hobby|Journey|Medicine|Money for a third person|Other|"
            "Payments on other loans|Purchase of electronic equipment|Refusal to name the goal|Repairs|Urgent needs|"
            "Wedding / gift / holiday|XAP|XNA",
        ),
        _category("NAME_CONTRACT_STATUS", "outcome", "Approved|Canceled|Refused|Unused offer"),
        _days("DAYS_DECISION", "decision", usual=-580),
        _category(
            "NAME_PAYMENT_TYPE",
            "way of payment",
            "Cash through the bank|Cashless from the account of the employer|Non-cash from your account|XNA",
        ),
        _category("CODE_REJECT_REASON", "reason of the refusal", "CLIENT|HC|LIMIT|SCO|SCOFR|SYSTEM|VERIF|XAP|XNA"),
        _category("NAME_TYPE_SUITE", "who came with the client", _COMPANY),
        _category("NAME_CLIENT_TYPE", "new or known client", "New|Refreshed|Repeater|XNA"),
        _category(
            "NAME_GOODS_CATEGORY",
            "goods the loan was for",
            "Additional Service|Animals|Audio/Video|Auto Accessories|Clothing and Accessories|Computers|"
            "Construction Materials|Consumer Electronics|Direct Sales|Education|Fitness|Furniture|Gardening|Homewares|"
            "House Construction|Insurance|Jewelry|Medical Supplies|Medicine|Mobile|Office Appliances|Other|"
            "Photo / Cinema Equipment|Sport and Leisure|Tourism|Vehicles|Weapon|XNA",
        ),
        _category("NAME_PORTFOLIO", "portfolio", "Cards|Cars|Cash|POS|XNA"),
        _category("NAME_PRODUCT_TYPE", "cross-sell or walk-in", "XNA|walk-in|x-sell"),
        _category(
            "CHANNEL_TYPE",
            "sales channel",
            "AP+ (Cash loan)|Car dealer|Channel of corporate sales|Contact center|Country-wide|"
            "Credit and cash offices|Regional / Local|Stone",
        ),
        _integer("SELLERPLACE_AREA", "selling area of the shop", unit="", minimum=-1),
        _category(
            "NAME_SELLER_INDUSTRY",
            "industry of the shop",
            "Auto technology|Clothing|Connectivity|Construction|Consumer electronics|Furniture|Industry|Jewelry|"
            "MLM partners|Tourism|XNA",
        ),
        _integer("CNT_PAYMENT", "term: number of payments", missing_codes=(0,), codes_mean_none=True),
        _category("NAME_YIELD_GROUP", "band of the interest rate", "XNA|high|low_action|low_normal|middle"),
        _category(
            "PRODUCT_COMBINATION",
            "product",
            "Card Street|Card X-Sell|Cash|Cash Street: high|Cash Street: low|Cash Street: middle|Cash X-Sell: high|"
            "Cash X-Sell: low|Cash X-Sell: middle|POS household with interest|POS household without interest|"
            "POS industry with interest|POS industry without interest|POS mobile with interest|"
            "POS mobile without interest|POS other with interest|POS others without interest",
        ),
        _end_date("DAYS_FIRST_DRAWING", "first drawing", codes_mean_none=True),
        _end_date("DAYS_FIRST_DUE", "first payment due", usual=-870, codes_mean_none=True),
        _end_date("DAYS_LAST_DUE_1ST_VERSION", "last payment due, first plan", usual=-500, codes_mean_none=True),
        _end_date(
            "DAYS_LAST_DUE", "last payment due; open-ended while the loan is open", usual=-830, codes_mean_none=True
        ),
        _end_date("DAYS_TERMINATION", "expected end", usual=-810, codes_mean_none=True),
        _flag("NFLAG_INSURED_ON_APPROVAL", "asked for insurance"),
    ),
)

POS_CASH_BALANCE = Table(
    name="POS_CASH_balance",
    description="Monthly state of earlier consumer and cash loans: one row for each loan and month.",
    key=(),
    parent=("application", "SK_ID_CURR"),
    columns=(
        _id("SK_ID_PREV", "earlier application"),
        _id("SK_ID_CURR", "client"),
        _months("MONTHS_BALANCE", "month"),
        _integer("CNT_INSTALMENT", "term: number of instalments"),
        _integer("CNT_INSTALMENT_FUTURE", "instalments left to pay"),
        _category(
            "NAME_CONTRACT_STATUS",
            "state of the loan",
            "Active|Amortized debt|Approved|Canceled|Completed|Demand|Returned to the store|Signed|XNA",
        ),
        _integer("SK_DPD", "days past due", unit="days"),
        _integer("SK_DPD_DEF", "days past due, small debts forgiven", unit="days"),
    ),
)

INSTALLMENTS_PAYMENTS = Table(
    name="installments_payments",
    description="Instalments of earlier loans and how they were paid: one row for each payment, or missed payment.",
    key=(),
    parent=("application", "SK_ID_CURR"),
    columns=(
        _id("SK_ID_PREV", "earlier application"),
        _id("SK_ID_CURR", "client"),
        _integer("NUM_INSTALMENT_VERSION", "version of the plan; 0 for a credit card"),
        _integer("NUM_INSTALMENT_NUMBER", "number of the instalment"),
        _days("DAYS_INSTALMENT", "date the instalment was due", usual=-820),
        _days("DAYS_ENTRY_PAYMENT", "date it was paid", usual=-830),
        _amount("AMT_INSTALMENT", "amount due", usual=8_900),
        _amount("AMT_PAYMENT", "amount paid", usual=8_100),
    ),
)

CREDIT_CARD_BALANCE = Table(
    name="credit_card_balance",
    description="Monthly state of the client's credit cards with this lender: one row for each card and month.",
    key=("SK_ID_PREV", "MONTHS_BALANCE"),
    parent=("application", "SK_ID_CURR"),
    columns=(
        _id("SK_ID_PREV", "earlier application"),
        _id("SK_ID_CURR", "client"),
        _months("MONTHS_BALANCE", "month"),
        _balance("AMT_BALANCE", "balance"),
        _amount("AMT_CREDIT_LIMIT_ACTUAL", "limit"),
        _balance("AMT_DRAWINGS_ATM_CURRENT", "drawn in cash in the month", plausible_minimum=0),
        _balance("AMT_DRAWINGS_CURRENT", "drawn in the month", plausible_minimum=0),
        _balance("AMT_DRAWINGS_OTHER_CURRENT", "drawn otherwise in the month", plausible_minimum=0),
        _balance("AMT_DRAWINGS_POS_CURRENT", "drawn in shops in the month", plausible_minimum=0),
        _amount("AMT_INST_MIN_REGULARITY", "least payment due in the month"),
        _amount("AMT_PAYMENT_CURRENT", "paid in the month"),
        _amount("AMT_PAYMENT_TOTAL_CURRENT", "paid in the month in all"),
        _balance("AMT_RECEIVABLE_PRINCIPAL", "principal owed"),
        _balance("AMT_RECIVABLE", "amount owed"),
        _balance("AMT_TOTAL_RECEIVABLE", "amount owed in all"),
        _integer("CNT_DRAWINGS_ATM_CURRENT", "cash drawings in the month"),
        _integer("CNT_DRAWINGS_CURRENT", "drawings in the month"),
        _integer("CNT_DRAWINGS_OTHER_CURRENT", "other drawings in the month"),
        _integer("CNT_DRAWINGS_POS_CURRENT", "shop drawings in the month"),
        _integer("CNT_INSTALMENT_MATURE_CUM", "instalments paid so far"),
        _category(
            "NAME_CONTRACT_STATUS", "state of the card", "Active|Approved|Completed|Demand|Refused|Sent proposal|Signed"
        ),
        _integer("SK_DPD", "days past due", unit="days"),
        _integer("SK_DPD_DEF", "days past due, small debts forgiven", unit="days"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        APPLICATION,
        BUREAU,
        BUREAU_BALANCE,
        PREVIOUS_APPLICATION,
        POS_CASH_BALANCE,
        INSTALLMENTS_PAYMENTS,
        CREDIT_CARD_BALANCE,
    )
}
HISTORIES: tuple[str, ...] = tuple(name for name in TABLES if name != "application")

TARGET = _flag("TARGET", "1: the client had payment difficulties; known for past clients only")
