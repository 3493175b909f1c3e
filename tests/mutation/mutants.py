"""Make mutants of the modules that compute features: sources with one small fault each.

Expressions of the module level, where features are declared, are changed like all others.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import bento
from bento.data.tables import TABLES
from tests.mutation.seen import Seen, called, is_need

FOLDER = Path(bento.__file__).parent / "features"
NOT_COMPUTING = {"__init__", "build", "catalogue", "client_file", "formula_text", "listing", "reading"}
"""Modules that list, describe or schedule features, or read the rows that they are computed from."""
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Pow: ast.Mult,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OTHER_AGGREGATE = {
    "max": "min",
    "min": "max",
    "mean": "sum",
    "sum": "mean",
    "std": "mean",
    "count": "len",
    "len": "count",
    "n_unique": "count",
}
OTHER_METHOD = OTHER_AGGREGATE | {
    "any": "all",
    "all": "any",
    "max_horizontal": "min_horizontal",
    "min_horizontal": "max_horizontal",
    "maximum": "minimum",
    "minimum": "maximum",
    "fmax": "fmin",
    "floor": "ceil",
    "is_null": "is_not_null",
    "is_not_null": "is_null",
    "log1p": "log",
    "expm1": "exp",
}
"""Aggregates and methods, each with one that it could be taken for."""
DROPPED_METHODS = {"clip", "fill_null", "round", "drop_nulls", "filter", "over", "not_", "sort"}
"""Methods without which an expression would still make sense."""
SWAPPED_ARGUMENTS = {"ratio", "over", "quotient", "ratio_of_sums", "coalesce"}
"""Functions whose first two arguments could be confused."""
WINDOW_POSITION = {"Aggregate": 2, "ratio_of_sums": 2, "slope": 3}
"""Functions that take a window at this place, and all rows without one."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A module of `bento.features` with one fault."""

    module: str
    line: int
    text: str
    """The line of the module without the fault, with `@` where the change begins."""
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """The place and the change, in one line."""
        return f"bento/features/{self.module}.py:{self.line}: {self.before} -> {self.after}"


def modules() -> list[str]:
    """Return the names of the modules of `bento.features` that compute."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_COMPUTING)


def mutants(module: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its lines; the same for the same source."""
    return mutants_of(module, (FOLDER / f"{module}.py").read_text("utf-8"))


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Return all mutants of a source.

    >>> [mutant.after for mutant in mutants_of("example", "share = over(1, total)")]
    ['over(total, 1)', '0', '2']
    """
    text = source.encode()
    lines = text.splitlines(keepends=True)
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))
    made = {}
    for node in Seen(ast.parse(source)).nodes:
        place = node.test if isinstance(node, ast.If) else node
        first_line = place.lineno - 1
        start = begins[first_line] + place.col_offset
        end = begins[(place.end_lineno or 0) - 1] + (place.end_col_offset or 0)
        for changed in _changes(node):
            after = ast.unparse(changed)
            written = after if isinstance(changed, ast.stmt) else f"({after})"
            made[start, end, after] = Mutant(
                module=module,
                line=place.lineno,
                text=(text[begins[first_line] : start] + b"@" + text[start : begins[first_line + 1]]).decode().strip(),
                before=ast.unparse(place),
                after=after,
                source=(text[:start] + written.encode() + text[end:]).decode(),
            )
    return [made[place] for place in sorted(made)]


def _changes(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    """Yield what could stand instead of an expression, a statement or the test of an `if` by mistake."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.UnaryOp):
        yield from _changed_operations(node)
    elif isinstance(node, ast.Compare | ast.BoolOp | ast.IfExp | ast.If):
        yield from _changed_tests(node)
    elif isinstance(node, ast.Call):
        yield from _changed_calls(node)
    else:
        yield from _changed_words(node)


def _changed_operations(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    match node:
        case ast.BinOp(left, operator, right):
            if type(operator) in ARITHMETIC:
                yield ast.BinOp(left, ARITHMETIC[type(operator)](), right)
            if isinstance(operator, ast.Sub | ast.Div):
                yield ast.BinOp(right, operator, left)
            if isinstance(operator, ast.BitAnd | ast.BitOr):
                yield left
                yield right
        case ast.AugAssign(target, operator, value) if type(operator) in ARITHMETIC:
            yield ast.AugAssign(target, ARITHMETIC[type(operator)](), value)
        case ast.UnaryOp(_, operand) if not is_need(node):
            yield operand


def _changed_tests(node: ast.expr | ast.stmt) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, [operator], [right]) if not is_need(node):
            for other in COMPARISONS[type(operator)]:
                yield ast.Compare(left, [other()], [right])
        case ast.Compare(left, [first, second], [middle, right]) if not is_need(node):
            yield ast.Compare(left, [first], [middle])
            yield ast.Compare(middle, [second], [right])
        case ast.BoolOp(operator, values) if not is_need(node):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.IfExp(test, body, otherwise):
            yield ast.IfExp(test, otherwise, body)
        case ast.If(test) if not is_need(test):
            yield ast.UnaryOp(ast.Not(), test)


def _changed_words(node: ast.expr | ast.stmt) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value):
            yield from map(ast.Constant, _other_constants(value))
        case ast.Attribute(value, name, context) if name in OTHER_METHOD:
            yield ast.Attribute(value, OTHER_METHOD[name], context)
        case ast.Tuple([ast.Constant(str(function)), *labels], context) if _is_aggregate(function, labels):
            yield ast.Tuple([ast.Constant(OTHER_AGGREGATE[function]), *labels], context)


def _is_aggregate(function: str, labels: list[ast.expr]) -> bool:
    """Tell a function with its labels from a list of functions."""
    *_, last = [None, *labels]
    return function in OTHER_AGGREGATE and isinstance(last, ast.Constant) and last.value not in OTHER_AGGREGATE


def _changed_calls(node: ast.Call) -> Iterator[ast.expr]:
    name, arguments = called(node), node.args
    if isinstance(node.func, ast.Attribute) and name in DROPPED_METHODS:
        yield node.func.value
    if name in SWAPPED_ARGUMENTS and len(arguments) >= 2:
        yield ast.Call(node.func, [arguments[1], arguments[0], *arguments[2:]], node.keywords)
    if name in WINDOW_POSITION and len(arguments) > WINDOW_POSITION[name]:
        yield ast.Call(node.func, arguments[: WINDOW_POSITION[name]], node.keywords)
    if name == "where" and len(arguments) == 3:
        yield ast.Call(node.func, [arguments[0], arguments[2], arguments[1]], node.keywords)
    if name == "when":
        yield ast.Call(node.func, [ast.UnaryOp(ast.Invert(), arguments[0])], node.keywords)
    if name == "Aggregate" and isinstance(arguments[0], ast.Constant):
        function = ast.Constant(OTHER_AGGREGATE[arguments[0].value])
        yield ast.Call(node.func, [function, *arguments[1:]], node.keywords)


def _other_constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * 1.01 if value else 1.0]
    return [_NEXT_WORD[value]] if isinstance(value, str) and value in _NEXT_WORD else []


def _next_words() -> dict[str, str]:
    """Map each declared column to the next of its kind in its table, and each category to the next of its column."""
    following: dict[str, str] = {}
    for table in TABLES.values():
        kinds = {column.kind for column in table}
        lists = [[column.name for column in table if column.kind == kind] for kind in kinds]
        for words in (*lists, *(list(column.categories) for column in table)):
            for word, after in pairwise([*words, *words[:1]]):
                following.setdefault(word, after)
    return {word: after for word, after in following.items() if word != after}


_NEXT_WORD = _next_words()
