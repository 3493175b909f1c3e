"""Expressions of Polars, compiled once to steps over NumPy arrays: for the few rows of one client."""

import json
import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[Any]
Step = Callable[..., Any]


class Columns(Protocol):
    """Columns by name: numbers with NaN where they are null, tests as 1, 0 and NaN, texts with None."""

    def array(self, name: str) -> Array:
        """Return a column."""
        ...


class Program:
    """Expressions over the columns of one row each, evaluated together; equal parts of them are evaluated once.

    The result is what Polars makes of the same expressions, but that true is 1, false 0 and null NaN.

    Raises:
        NotImplementedError: an expression holds an operation that is not translated; the message names it.
    """

    def __init__(self, expressions: Sequence[pl.Expr]) -> None:
        self._slots: list[Any] = []
        self._columns: list[tuple[int, str]] = []
        self._steps: list[tuple[int, Step, tuple[int, ...]]] = []
        self._positions: dict[str, int] = {}
        self._results = [self._add_result(_tree(expression)) for expression in expressions]

    def run(self, rows: Columns) -> list[Array]:
        """Return the values of each expression; a constant has no dimension.

        Raises:
            FloatingPointError: an operation on numbers has no number as its result: of infinite ones, or a division of
                0 by 0 that is neither the last step of an expression nor guarded by a test of its denominator. Polars
                tells such a result from null, an array cannot.
        """
        slots = self._slots.copy()
        for position, name in self._columns:
            slots[position] = rows.array(name)
        with np.errstate(invalid="raise", divide="ignore", over="ignore", under="ignore"):
            for position, step, arguments in self._steps:
                slots[position] = step(*[slots[argument] for argument in arguments])
        return [slots[position] for position in self._results]

    def _add_result(self, tree: Any) -> int:
        """Add an expression; where its last step is a division, 0 / 0 is no error, as it becomes null afterwards."""
        ((kind, content),) = tree.items()
        if kind == "Alias":
            return self._add_result(content[0])
        if kind == "BinaryExpr" and content["op"] == "TrueDivide":
            parts = (self._add(content["left"]), self._add(content["right"]))
            return self._keep(f"last {json.dumps(tree)}", _quiet_division, parts)
        return self._add(tree)

    def _add(self, tree: Any) -> int:
        """Return the position of the value of a part of an expression."""
        key = json.dumps(tree)
        if key in self._positions:
            return self._positions[key]
        ((kind, content),) = tree.items()
        if kind == "Column":
            self._columns.append((len(self._slots), content))
            return self._keep(key)
        if kind == "Literal":
            return self._keep(key, value=_literal(content))
        if kind == "Ternary" and _guards_division(content):
            quotient = content["truthy"]["BinaryExpr"]
            parts = (content["predicate"], quotient["left"], quotient["right"], content["falsy"])
            return self._keep(key, _guarded_division, tuple(map(self._add, parts)))
        step, arguments = _step(kind, content)
        return self._keep(key, step, tuple(map(self._add, arguments)))

    def _keep(self, key: str, step: Step | None = None, arguments: tuple[int, ...] = (), value: Any = None) -> int:
        position = self._positions[key] = len(self._slots)
        self._slots.append(value)
        if step is not None:
            self._steps.append((position, step, arguments))
        return position


def _tree(expression: pl.Expr) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the JSON format of Polars is not stable between versions; tests would fail
        return json.loads(expression.meta.serialize(format="json"))


def _literal(content: Any) -> float | str:
    while isinstance(content, dict):
        (kind, content), *_ = content.items()
        if kind == "Null" or content == "Null":
            return np.nan
    if isinstance(content, str):
        return content
    if isinstance(content, int | float):
        return float(content)
    raise NotImplementedError(f"arrays have no literal {kind}")  # a list, or an infinity, which JSON has not


def _step(kind: str, content: Any) -> tuple[Step, Sequence[Any]]:
    """Return the function of a node, and the nodes of its arguments."""
    if kind == "Cast" and content["dtype"] == {"Literal": "Float64"} and content["options"] == "Strict":
        return np.asarray, [content["expr"]]
    if kind == "BinaryExpr":
        sides = [content["left"], content["right"]]
        is_text = any("String" in str(side.get("Literal")) for side in sides)
        operators = _OF_TEXTS if is_text else _OPERATORS
        if content["op"] in operators:
            return operators[content["op"]], sides
        raise NotImplementedError(f"arrays have no operator {content['op']}{' of texts' if is_text else ''}")
    if kind == "Ternary":
        return _conditional, [content["predicate"], content["truthy"], content["falsy"]]
    if kind == "Function":
        return _function(content["function"]), content["input"]
    raise NotImplementedError(f"arrays have no expression {kind}")


def _guards_division(content: Any) -> bool:
    """Tell whether a conditional is a division where the denominator is not 0."""
    test, value = content["predicate"].get("BinaryExpr", {}), content["truthy"].get("BinaryExpr", {})
    if test.get("op") != "NotEq" or value.get("op") != "TrueDivide" or test["left"] != value["right"]:
        return False
    return "Literal" in test["right"] and _literal(test["right"]["Literal"]) == 0


def _function(function: Any) -> Step:
    name, settings = next(iter(function.items())) if isinstance(function, dict) else (function, {})
    if name == "Boolean":
        name, settings = str(settings), {}
    if name == "Clip":
        return _CLIPS[settings["has_min"], settings["has_max"]]
    if name in _FUNCTIONS and settings in _SETTINGS:
        return _FUNCTIONS[name]
    raise NotImplementedError(f"arrays have no function {name} {settings}")


def is_null(values: Any) -> Any:
    """Tell which values of an array, or whether a constant, is null."""
    return np.equal(values, None) if _is_text(values) else np.isnan(values)  # type: ignore[call-overload]


def _is_text(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.hasobject


def _compared(compare: Step) -> Step:
    """Return a comparison of numbers: 1, 0, or NaN where either is NaN."""

    def compared(left: Any, right: Any) -> Any:
        return np.where(np.isnan(left) | np.isnan(right), np.nan, compare(left, right))

    return compared


def _compared_texts(compare: Step) -> Step:
    def compared(left: Any, right: Any) -> Any:
        return np.where(is_null(left if _is_text(left) else right), np.nan, compare(left, right))

    return compared


def _and(left: Any, right: Any) -> Any:
    return np.where((left == 0) | (right == 0), 0.0, left * right)


def _or(left: Any, right: Any) -> Any:
    return np.where((left == 1) | (right == 1), 1.0, left + right)


def _quiet_division(left: Any, right: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.divide(left, right)


def _guarded_division(test: Any, left: Any, right: Any, other: Any) -> Any:
    return np.where(test == 1, _quiet_division(left, right), other)


def _conditional(test: Any, value: Any, other: Any) -> Any:
    return np.where(test == 1, value, None if _is_text(value) and not _is_text(other) else other)


def _filled(values: Any, other: Any) -> Any:
    return np.where(np.isnan(values), other, values)


def _sum(*columns: Any) -> Any:
    return reduce(np.add, [_filled(column, 0.0) for column in columns])


def _mean(*columns: Any) -> Any:
    count = reduce(np.add, [~np.isnan(column) for column in columns], 0)
    return np.where(count > 0, _sum(*columns) / np.maximum(count, 1), np.nan)


_OPERATORS: dict[str, Step] = {
    "Plus": np.add,
    "Minus": np.subtract,
    "Multiply": np.multiply,
    "TrueDivide": np.divide,
    "Eq": _compared(np.equal),
    "NotEq": _compared(np.not_equal),
    "Lt": _compared(np.less),
    "LtEq": _compared(np.less_equal),
    "Gt": _compared(np.greater),
    "GtEq": _compared(np.greater_equal),
    "And": _and,
    "Or": _or,
}
_OF_TEXTS = {"Eq": _compared_texts(np.equal), "NotEq": _compared_texts(np.not_equal)}
_SETTINGS: tuple[dict[str, Any], ...] = ({}, {"ignore_nulls": True}, {"decimals": 0, "mode": "HalfToEven"})
"""The settings of functions that are translated; others mean something else."""
_FUNCTIONS: dict[str, Step] = {
    "Negate": np.negative,
    "Not": lambda test: 1 - test,
    "IsNull": lambda values: is_null(values).astype(float),
    "IsNotNull": lambda values: 1.0 - is_null(values),
    "FillNull": _filled,
    "Coalesce": lambda *columns: reduce(_filled, columns),
    "Round": np.rint,
    "SumHorizontal": _sum,
    "MeanHorizontal": _mean,
    "MinHorizontal": lambda *columns: reduce(np.fmin, columns),
    "MaxHorizontal": lambda *columns: reduce(np.fmax, columns),
}
_CLIPS: dict[tuple[bool, bool], Step] = {
    (True, False): np.maximum,
    (False, True): np.minimum,
    (True, True): lambda values, low, high: np.minimum(np.maximum(values, low), high),
}
