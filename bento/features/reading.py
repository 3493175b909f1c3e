"""How the rows of the tables are read: the part of `docs/features.md` that is written by hand.

With the formulas of the catalogue it is enough to compute every feature without this code.
"""

from bento.data.tables import OPEN_ENDED, TABLES, Column

INTRODUCTION = """\
# Features

Every feature of the catalogue, as `python -m bento features` prints it: first how the rows are read, then the \
features \
with their formulas. The two parts are meant to be enough to compute every feature a second time, in another language.
"""

READING = """\
## How the rows are read

### Words

- A value is *known* if it is not null. An operation on a null is null; a comparison with a null is *unknown*. \
`and`, `or` and `not` follow SQL: unknown and false is false, unknown or true is true, otherwise unknown stays unknown.
- A division by 0 is null, and so is every result that is not finite. `x if test` is null where the test is false or \
unknown.
- Days, months: counted from the application, negative before it. A year has 365.25 days, a month 365.25 / 12 = 30.4375.
- `max(x, 0)` and `min(x, 6)` with a number bound the value of x, null if x is null. `mean`, `sum`, `min`, `max` of \
several columns in parentheses, as for the external scores, are over those of them that are known.
- A client's features are computed from the rows with the client's SK_ID_CURR, and rows of bureau_balance whose \
SK_ID_BUREAU is among the client's rows of bureau. Other rows in the tables have no effect, and neither has the order \
of the rows.
- A feature is a number of type double, or a category as text. Nothing is rounded here. (The model rounds each number \
to a mantissa of 40 bits before it scores it.)
- Names are `table_measure_aggregate_window`: `previous_term_max_latest_3` is the longest (`max`) term of the \
latest three (`latest_3`) earlier applications (`previous`). `pos` is POS_CASH_balance, `card` is credit_card_balance, \
`installments` is installments_payments.

### Cleaning

First of all, in each table, these values become null:

{cleaning}

A category that the table does not declare is null too.

### Aggregates

An aggregate is over the rows of one client in one table (or in the rows derived from it, see below), and with `where` \
over those of them for which the test is true; rows for which it is false or unknown are left out. It is an aggregate \
of the known values; a test that is aggregated counts as 1 where it is true and 0 where it is false.

- `number of rows`: all of the client's rows, 0 if there is none.
- `number of known values`: 0 if there is none.
- `mean`, `min`, `max`: null if no value is known.
- `std`: the standard deviation with n - 1 below the fraction line; null with fewer than two known values.
- `sum` and `number of different values` (of the known ones): with at least one known value, that of the known values. \
Without any: 0 if the client has no row in the table, or if no row is selected while the test is known for at least \
one row; null if a row is selected (its value is then unknown), or if the test is unknown for all of the client's \
rows. \
So a client without credits elsewhere has debts of 0, and one whose debts are all unknown has null.
- `(sum of a) / (sum of b) where both are known [and test]`: both sums are over the same rows; null where there is \
none \
or the sum of b is 0.
- `slope of y, rounded to 1/n, by x [where test]`: the least-squares slope of y over x among the rows in which both \
are known; null with fewer than three such rows or if all have the same x. y is first rounded to a multiple of 1/n, \
halves to even: round(n * y) / n.

A share of rows (a `mean` of a test, or of a flag) is shown as two counts, which are computed beside it and are no \
features: `…_count`, the `sum` of the test, and `…_of`, the `number of known values` of the test, in the same rows.

### Windows

- `DAYS_CREDIT ≥ -180`, `due_day ≥ -365`, `DAYS_DECISION ≥ -365`: the last days, both ends included. All these days \
are at most 0.
- Months: in bureau_balance month 0 is the newest, so that the last 12 months are 0 to -11. In POS_CASH_balance and \
credit_card_balance month -1 is the newest, so that they are -1 to -12; a month 0, which that data does not have, is \
in \
no window. A window of m months holds at most m different ones, but a row for each credit in each of them.
- `recency ≤ k`: the latest k rows of the client, never more. `recency` is 1 for the latest row, 2 for the next, and \
so \
on. Rows are ordered, larger values first, by

| table | by | then | then |
|---|---|---|---|
| bureau | DAYS_CREDIT | SK_ID_BUREAU | |
| previous_application | DAYS_DECISION | HOUR_APPR_PROCESS_START | SK_ID_PREV |
| instalments | due_day | SK_ID_PREV | NUM_INSTALMENT_NUMBER |

Rows in which the first of these is null have no recency: `recency ≤ k` is unknown. In the others null comes last.

### bureau: credits at other lenders

Besides cleaning, and before any formula, these become null:

- AMT_CREDIT_SUM, AMT_CREDIT_SUM_DEBT, AMT_CREDIT_SUM_LIMIT, AMT_CREDIT_SUM_OVERDUE, AMT_CREDIT_MAX_OVERDUE and \
AMT_ANNUITY where CREDIT_CURRENCY is known and not `currency 1`: amounts in other currencies cannot be added. Counts \
and \
dates of these credits stay.
- DAYS_CREDIT_ENDDATE where it is more than 3,650 and CREDIT_TYPE is `Credit card` (a card without end date), where it \
is more than 14,610 (40 years), and where it is less than DAYS_CREDIT.
- DAYS_ENDDATE_FACT where it is less than DAYS_CREDIT.
- DAYS_CREDIT_UPDATE where it is more than 0.

### bureau_balance: months of credits at other lenders

The rows are joined to the client's rows of bureau by SK_ID_BUREAU; months of other credits are left out.

- `level`: STATUS as a number where it is `0` to `5`, null where it is `C` or `X` or null.

### POS_CASH_balance: months of earlier loans

- `is_latest_of_loan`: true for one row of each SK_ID_PREV, that of its largest MONTHS_BALANCE (null last); of several \
rows of that month, the one with the largest CNT_INSTALMENT_FUTURE, then the largest CNT_INSTALMENT. False for the \
others.
- `is_active`: whether any row of the same SK_ID_PREV has the NAME_CONTRACT_STATUS `Active` and the largest \
MONTHS_BALANCE of all of the client's rows; unknown if the test is true for none and unknown for one of the rows.
- `was_completed`, `was_returned`: whether any row of the same SK_ID_PREV has the NAME_CONTRACT_STATUS `Completed`, \
`Returned to the store`; unknown if none has and the status of one of the rows is null.
- `ended_early`: whether any row of the same SK_ID_PREV is `Completed` with a CNT_INSTALMENT below the largest \
CNT_INSTALMENT of that SK_ID_PREV; unknown if the test is true for none and unknown for one of the rows.

With `is_latest_of_loan` each loan counts once.

### previous_application: earlier applications

- `interest`: AMT_ANNUITY * CNT_PAYMENT / AMT_CREDIT - 1, which is what is paid beyond the credit, as a share of it. \
Below -0.001 it is null, as the three values are then not those of one plan; from there to 0 it is 0.
- `true_rate`: the monthly rate r > 0 that solves \
AMT_ANNUITY / AMT_CREDIT = r / (1 - (1 + r)^-CNT_PAYMENT); 0 where `interest` is 0, null where `interest` is null or r \
is more than 1. There is exactly one such r where `interest` is more than 0; r = 0, which solves the equation \
multiplied \
out, is not meant.
- `is_open`: NAME_CONTRACT_STATUS is `Approved`, and DAYS_LAST_DUE before cleaning is more than 0 (365243 while a \
credit \
is open), and DAYS_TERMINATION after cleaning is not a day up to 0 (null is fine). Unknown where that depends on a \
null \
DAYS_LAST_DUE or NAME_CONTRACT_STATUS.
- `instalments_left` of a credit that is open, the first that is known of
  1. its latest state in POS_CASH_balance: in the row of the same SK_ID_CURR and SK_ID_PREV with the largest \
MONTHS_BALANCE among those with a known CNT_INSTALMENT_FUTURE and MONTHS_BALANCE (of several the largest value), \
max(CNT_INSTALMENT_FUTURE - max(-1 - MONTHS_BALANCE, 0), 0): the instalments left then, less one for each month since;
  2. its plan: max(CNT_PAYMENT - passed, 0), where passed = max(floor(-first / 30.4375) + 1, 0) and first is \
DAYS_FIRST_DUE, or DAYS_DECISION + 30 if DAYS_FIRST_DUE is null.
- `owed` of a credit that is open:
  - for `Revolving loans` (cards): max(AMT_BALANCE, 0) in the row of the same SK_ID_CURR and SK_ID_PREV of \
credit_card_balance with the largest MONTHS_BALANCE among those with a known AMT_BALANCE and MONTHS_BALANCE (of \
several the largest value); 0 if the card has no row there (it was never used), null if it has rows, but no such one;
  - for other known kinds (loans): the principal left, min(AMT_ANNUITY * (1 - (1 + true_rate)^-instalments_left) / \
true_rate, AMT_CREDIT), which is the present value of the instalments left at the rate of the loan \
([present value of an annuity](https://en.wikipedia.org/wiki/Annuity#Proof_of_annuity-immediate_formula)); with a \
true_rate of 0, min(AMT_ANNUITY * instalments_left, AMT_CREDIT); null if one of the values is null;
  - null where NAME_CONTRACT_TYPE is null.

### installments_payments: instalments

The formulas are over instalments, not over rows of the table: one instalment for each combination of SK_ID_PREV, \
NUM_INSTALMENT_NUMBER and DAYS_INSTALMENT (null being a value too). An instalment has several rows if it was paid in \
parts, each a payment, and if the plan was changed: then each NUM_INSTALMENT_VERSION has a row with its share of the \
amount due, and all of them repeat the same payments.

- `due_day`: DAYS_INSTALMENT; at most 0.
- `due`: the sum over the different NUM_INSTALMENT_VERSION (null being one too) of the largest AMT_INSTALMENT of the \
version; null if none is known.
- A *payment* is a different combination of DAYS_ENTRY_PAYMENT and AMT_PAYMENT of which at least one is known. \
`payments` is their number.
- `paid`: the sum of AMT_PAYMENT over the payments; null if a payment has a day but no amount; 0 without any payment.
- `paid_day`: the largest DAYS_ENTRY_PAYMENT, so the day of the last part; null if none is known.
- `version`: the largest NUM_INSTALMENT_VERSION; 0 for a card.
- An instalment is *never paid* if it has no payment and due is not 0 (null is not 0).
- `late_until`: 0 if never paid (late until today), otherwise paid_day.
- `days_late`: max(late_until - due_day, 0). One that was paid in part is as late as its last part; what is missing \
is in \
`underpaid`.
- `share_late`: 1 if never paid, otherwise paid / due.
- `days_early`: max(due_day - paid_day, 0).
- `underpaid`: due - paid; where that is below 0.0025, which is half of the smallest step of the amounts, it is 0.
- `is_latest_loan`: whether SK_ID_PREV is that of the instalment with the client's largest due_day; if several have \
it, the largest SK_ID_PREV among them. Unknown if no due_day of the client is known.

### combined

Computed from columns of the application and from features of the histories, by their names.
"""

CATALOGUE_HEADING = """\
## The features

Risk is the direction the business expects: 1 where a higher value means more risk. `monotone` says whether a model \
may \
be constrained to it, `uses_age` whether the date of birth is read.
"""


def reading() -> str:
    """Return the hand-written part as Markdown, with the table of cleaning."""
    return READING.format(cleaning=_cleaning())


def _cleaning() -> str:
    """Return a Markdown table of the values that cleaning takes as missing."""
    lines = ["| table | column | null where it is |", "|---|---|---|"]
    for table in TABLES.values():
        lines += [f"| {table.name} | {column.name} | {test} |" for column in table if (test := _missing(column))]
    return "\n".join(lines)


def _missing(column: Column) -> str:
    tests = [f"{code:g}" if isinstance(code, int | float) else f"`{code}`" for code in column.missing_codes]
    if OPEN_ENDED in column.missing_codes:
        tests = ["365243"]
    if column.plausible_minimum is not None:
        tests.append(f"below {column.plausible_minimum:,.0f}")
    if column.plausible_maximum is not None:
        tests.append(f"above {column.plausible_maximum:,.0f}")
    return " or ".join(tests)
