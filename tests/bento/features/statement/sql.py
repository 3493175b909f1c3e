"""SQL of aggregates over the rows of one client, with the rules for unknown values of docs/features.md.

The expressions are used in `SELECT … FROM clients LEFT JOIN rows … GROUP BY client`, where a client without rows has
one row in which `is_row` is null.
"""

MACROS = """
CREATE MACRO ratio(a, b) AS a / nullif(b, 0);
CREATE MACRO at_least(x, bound) AS CASE WHEN x < bound THEN bound ELSE x END;
CREATE MACRO at_most(x, bound) AS CASE WHEN x > bound THEN bound ELSE x END;
-- ln(1 + x) and exp(x) - 1 without loss of digits for a small x, after W. Kahan.
CREATE MACRO log1p(x) AS CASE WHEN 1 + x = 1 THEN x ELSE ln(1 + x) * x / (1 + x - 1) END;
CREATE MACRO expm1(x) AS CASE
    WHEN exp(x) = 1 THEN x
    WHEN exp(x) - 1 = -1 THEN -1
    ELSE (exp(x) - 1) * x / ln(exp(x))
END;
-- Value today of 1 paid at the end of each of n months, at the monthly rate r > 0.
CREATE MACRO present_value(r, n) AS -expm1(-n * log1p(r)) / r;
"""

ALL = "true"


def filtered(where: str) -> str:
    return f"FILTER (WHERE is_row AND ({where}))"


def rows() -> str:
    return f"count(*) {filtered(ALL)}"


def number_known(x: str, where: str = ALL) -> str:
    return f"count({x}) {filtered(where)}"


def mean(x: str, where: str = ALL) -> str:
    return f"favg({x}) {filtered(where)}"


def highest(x: str, where: str = ALL) -> str:
    return f"max({x}) {filtered(where)}"


def lowest(x: str, where: str = ALL) -> str:
    return f"min({x}) {filtered(where)}"


def spread(x: str, where: str = ALL) -> str:
    return f"stddev_samp({x}) {filtered(where)}"


def total(x: str, where: str = ALL) -> str:
    return _zero_or_unknown(f"fsum({x}) {filtered(where)}", x, where)


def different(x: str) -> str:
    return _zero_or_unknown(f"count(DISTINCT {x}) {filtered(ALL)}", x, ALL)


def number_of(test: str) -> str:
    return total(as_number(test))


def as_number(test: str) -> str:
    return f"CAST(({test}) AS DOUBLE)"


def ratio_of_totals(a: str, b: str, where: str = ALL) -> str:
    both = f"({a}) IS NOT NULL AND ({b}) IS NOT NULL AND ({where})"
    return f"ratio(fsum({a}) {filtered(both)}, fsum({b}) {filtered(both)})"


def slope(y: str, n: int, x: str, where: str = ALL) -> str:
    """Fit y, in whole multiples of 1/n, by x, a whole number: in integers, so that no digit is lost."""
    pairs = filtered(f"({y}) IS NOT NULL AND {x} IS NOT NULL AND ({where})")
    k, x = f"CAST(round_even(({y}) * CAST({n} AS DOUBLE), 0) AS HUGEINT)", f"CAST({x} AS HUGEINT)"
    count, sum_x, sum_k = f"count(*) {pairs}", f"sum({x}) {pairs}", f"sum({k}) {pairs}"
    xx, xk = f"sum({x} * {x}) {pairs}", f"sum({x} * {k}) {pairs}"
    spread_x, together = f"({count} * {xx} - {sum_x} * {sum_x})", f"({count} * {xk} - {sum_x} * {sum_k})"
    return f"CASE WHEN {count} >= 3 THEN ratio(CAST({together} AS DOUBLE), CAST({spread_x} AS DOUBLE)) / {n} END"


def measures(name: str, x: str, aggregates: str, windows: dict[str, str]) -> dict[str, str]:
    """State each aggregate in each window: `name_aggregate_window`; the window "" is all rows."""
    stated = {"mean": mean, "max": highest, "min": lowest, "std": spread, "sum": total}
    return {
        "_".join(filter(None, (name, aggregate, window))): stated[aggregate](x, where)
        for window, where in windows.items()
        for aggregate in aggregates.split()
    }


def shares(name: str, test: str, windows: dict[str, str] | None = None) -> dict[str, str]:
    """State the share of the rows in which a test is true, in each window, and the two counts that it divides."""
    stated = {}
    for window, where in (windows or {"": ALL}).items():
        share = "_".join(filter(None, (name, window)))
        stated[share] = mean(as_number(test), where)
        stated[f"{share}_count"] = total(as_number(test), where)
        stated[f"{share}_of"] = number_known(f"({test})", where)
    return stated


def _zero_or_unknown(aggregate: str, x: str, where: str) -> str:
    """Return 0 where nothing is selected, but null where what is selected, or the selection itself, is unknown."""
    return f"""CASE
        WHEN {number_known(x, where)} > 0 THEN {aggregate}
        WHEN {rows()} = 0 THEN 0
        WHEN count(*) {filtered(where)} = 0 AND {number_known(f"({where})")} > 0 THEN 0
    END"""
