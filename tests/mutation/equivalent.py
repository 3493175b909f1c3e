"""Mutants that compute the same values as their module, each with the reason.

Each is named by its module, part of its line with `@` where the change begins, and what stands there instead.
"""

from tests.mutation.mutants import Mutant

Change = tuple[str, str, str]

EQUIVALENT: dict[str, tuple[Change, ...]] = {
    "the test only saves work, and what is done without need changes no value": (
        ("bureau", "if (@end > MAX_CARD_END_DAYS)", "end >= MAX_CARD_END_DAYS"),
        ("bureau", "or (@end <", "end <= numbers(rows, 'DAYS_CREDIT')"),
        ("bureau", "and (@numbers", "numbers(rows, 'DAYS_ENDDATE_FACT') <= numbers(rows, 'DAYS_CREDIT')"),
        ("bureau", "and (@numbers", "numbers(rows, 'DAYS_CREDIT_UPDATE') >= 0"),
        ("bureau", '(numbers(rows, "DAYS_CREDIT_UPDATE") > @0', "-1"),
        ("bureau", "if all(count == @1", "2"),
        ("debts", "months.join(@rows.filter", "rows"),
        ("repayments", "np.flatnonzero(@", "groups.of_rows(groups.sizes.astype(float)) >= 1"),
        ("repayments", "groups.of_rows(groups.sizes.astype(float)) > @1", "0"),
    ),
    "a constant factor or sign of all weights cancels in the ratio": (
        ("bureau", "_WEIGHT = @1 /", "2"),
        ("bureau", "_WEIGHT = 1 / (@1 - _MONTH)", "_MONTH - 1"),
    ),
    "whole numbers are multiples of 1/2 too": (
        ("bureau", "slope(_LEVEL, _MONTH, @1)", "2"),
        ("pos_cash", "slope(_DPD_DEF, _MONTH, @1)", "2"),
        ("installments", '("days_late", @1', "2"),
    ),
    "Newton's method converges to ten digits in three steps, from any start near this one": (
        ("debts", "_NEWTON_STEPS = @4", "3"),
        ("debts", "_NEWTON_STEPS = @4", "5"),
        ("debts", "rate = @2 * (total_due - 1)", "1"),
        ("debts", "rate = 2 * (total_due - @1)", "0"),
        ("debts", "rate = 2 * (total_due - @1)", "2"),
        ("debts", "rate = 2 * (total_due - 1) / (term + @1)", "0"),
        ("debts", "rate = 2 * (total_due - 1) / (term + @1)", "2"),
    ),
    "the bound has no exact double, so that either side of it is right": (
        ("debts", "(@total_due >= MIN_TOTAL_DUE)", "total_due > MIN_TOTAL_DUE"),
    ),
    "infinite values become null where features are returned": (
        ("debts", "is_plan = @np.isfinite(total_due)", "total_due >= MIN_TOTAL_DUE"),
    ),
    "NaN passes through the operation": (
        ("debts", "np.isnan(@month + value)", "month - value"),
        ("debts", "is_usable = @has_state & is_known", "has_state"),
        ("formulas", "return @pl.sum_horizontal(", "pl.sum_horizontal(columns) - 0 * pl.coalesce(columns)"),
        ("ordering", "@one * other", "one / other"),
        ("repayments", "np.where(@is_payment & has_amount", "is_payment"),
    ),
    "another test of the same expression, or a test before it, excludes the rows in question": (
        ("debts", "np.where(is_row[ordered], @0", "-1"),
        ("debts", "has_state = @(credit[state]", "credit[state] == credit[first_row:]"),
        ("formulas", "newest == @0", "1"),
        ("ordering", "is_same |= @is_nan", "is_nan[:-1]"),
        ("ordering", "np.where(@np.isnan(one)", "np.isnan(one)"),
        ("repayments", "is_unknown = @np.isnan(loan) | np.isnan(latest_loan) |", "np.isnan(latest_loan)"),
    ),
    "there is one row, or all keys have the same length": (
        ("engine", ".row(@0, named=True)", "-1"),
        ("ordering", "self._rows = len(keys[@0])", "-1"),
        ("repayments", "np.ones(len(keys[@0])", "-1"),
    ),
    "any number that is not 0 is true": (("ordering", "== 1, @1.0", "1.01"),),
    "any value but null says that the client has rows": (("engine", "pl.lit(@True)", "False"),),
}


def reason(mutant: Mutant) -> str | None:
    """Return why a mutant is equivalent to its module, None for one that must be detected."""
    return next((why for why, changes in EQUIVALENT.items() if any(is_of(change, mutant) for change in changes)), None)


def is_of(change: Change, mutant: Mutant) -> bool:
    """Tell whether a change is that of a mutant."""
    module, part, after = change
    return part in mutant.text and (module, after) == (mutant.module, mutant.after)
