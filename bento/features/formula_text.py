"""Formulas in words: the expression of a feature as one line that a person can recompute it from."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

import polars as pl

from bento.features.definitions import Aggregate, Composite, Feature

_OPERATORS: dict[str, tuple[str, int]] = {
    "Or": ("or", 1),
    "And": ("and", 2),
    "Eq": ("=", 3),
    "NotEq": ("≠", 3),
    "Lt": ("<", 3),
    "LtEq": ("≤", 3),
    "Gt": (">", 3),
    "GtEq": ("≥", 3),
    "Plus": ("+", 4),
    "Minus": ("-", 4),
    "Multiply": ("*", 5),
    "TrueDivide": ("/", 5),
}
"""Of Polars: how they are written, and how strongly they bind."""
_ATOM = 9
"""The binding of what needs no parentheses."""
_FUNCTIONS = {
    "len": "number of rows",
    "count": "number of known values of {}",
    "n_unique": "number of different values of {}",
    "mean": "mean of {}",
    "max": "max of {}",
    "min": "min of {}",
    "sum": "sum of {}",
    "std": "std of {}",
}
_ROW_FUNCTIONS = {
    "SumHorizontal": "sum",
    "MeanHorizontal": "mean",
    "MinHorizontal": "min",
    "MaxHorizontal": "max",
    "Coalesce": "first known",
}


def feature_formula(feature: Feature) -> str:
    """Return a feature's formula in words: columns, derived columns and aggregates, as `docs/features.md` defines them.

    >>> from bento.features.catalogue import CATALOGUE
    >>> feature_formula(CATALOGUE["bureau_debt_ratio_max_active"])
    "max of (AMT_CREDIT_SUM_DEBT / AMT_CREDIT_SUM) where CREDIT_ACTIVE = 'Active'"
    """
    if feature.text:
        return feature.text
    formula = feature.formula
    if isinstance(formula, Aggregate):
        return _aggregate(formula)
    if isinstance(formula, Composite):
        if formula.text:
            return formula.text(formula_text)
        names = {str(number): f"({_aggregate(aggregate)})" for number, aggregate in enumerate(formula.aggregates)}
        return formula_text(formula.finish(*map(pl.col, names)), names)
    return formula_text(formula)


def formula_text(expression: pl.Expr, names: Mapping[str, str] | None = None) -> str:
    """Return an expression over the columns of a row in words; `names` replaces columns.

    >>> formula_text(pl.when(pl.col("A") != 0).then(pl.col("B") / pl.col("A")))
    'B / A'
    >>> formula_text((pl.col("A") + 1) * -pl.col("B"))
    '(A + 1) * (-B)'
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the JSON format of Polars is not stable between versions; tests would fail
        tree = json.loads(expression.meta.serialize(format="json"))
    return _written(tree, names or {})[0]


def _aggregate(formula: Aggregate) -> str:
    value = formula_text(formula.value)
    text = _FUNCTIONS[formula.function].format(f"({value})" if " " in value else value)
    return text if formula.window is None else f"{text} where {formula_text(formula.window.test)}"


def _written(tree: Any, names: Mapping[str, str]) -> tuple[str, int]:
    """Return the text of a node and how strongly its operator binds."""
    ((kind, content),) = tree.items()
    if kind == "Column":
        return names.get(content, content), _ATOM
    if kind == "Literal":
        return _literal(content), _ATOM
    if kind == "Cast":
        return _written(content["expr"], names)
    if kind == "BinaryExpr":
        symbol, binding = _OPERATORS[content["op"]]
        left = _within(content["left"], names, binding)
        right = _within(content["right"], names, binding + (symbol in "-/"))
        return f"{left} {symbol} {right}", binding
    if kind == "Ternary":
        return _conditional(content, names)
    if kind == "Function":
        return _function(content["function"], content["input"], names)
    raise NotImplementedError(f"no words for the expression {kind}")


def _within(tree: Any, names: Mapping[str, str], binding: int) -> str:
    text, own = _written(tree, names)
    return text if own >= binding else f"({text})"


def _literal(content: Any) -> str:
    while isinstance(content, dict):
        (content,) = content.values()
    if isinstance(content, str):
        return "null" if content == "Null" else f"'{content}'"
    return f"{content:g}" if isinstance(content, int | float) else str(content).lower()


def _conditional(content: Any, names: Mapping[str, str]) -> tuple[str, int]:
    test, value, other = content["predicate"], content["truthy"], content["falsy"]
    no_value = _written(other, names)[0] == "null"
    quotient = value.get("BinaryExpr", {})
    if no_value and quotient.get("op") == "TrueDivide":
        guard = test.get("BinaryExpr", {})
        if guard.get("op") == "NotEq" and guard["left"] == quotient["right"]:
            return _written(value, names)  # a division by 0 is null
    text = f"{_written(value, names)[0]} if {_written(test, names)[0]}"
    return text if no_value else f"{text} else {_within(other, names, 0)}", 0


def _function(function: Any, inputs: list[Any], names: Mapping[str, str]) -> tuple[str, int]:
    arguments = [_written(argument, names)[0] for argument in inputs]
    name, settings = next(iter(function.items())) if isinstance(function, dict) else (function, {})
    if name in _ROW_FUNCTIONS:
        return f"{_ROW_FUNCTIONS[name]}({', '.join(arguments)})", _ATOM
    if name == "Negate":
        return f"-{_within(inputs[0], names, 5)}", 3
    if name == "Clip":
        low = arguments[1] if settings["has_min"] else None
        high = arguments[-1] if settings["has_max"] else None
        text = arguments[0] if low is None else f"max({arguments[0]}, {low})"
        return (text if high is None else f"min({text}, {high})"), _ATOM
    if name == "Boolean":
        if settings == "Not":
            return f"not ({arguments[0]})", 3
        word = {"IsNotNull": "known", "IsNull": "null"}[str(settings)]
        return f"{_within(inputs[0], names, 4)} is {word}", 3
    raise NotImplementedError(f"no words for the function {name}")
