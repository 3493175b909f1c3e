"""Find the expressions of a module whose changes the values of features can show.

Left out are types, words, groups, directions, and the lists of the columns that a feature needs.
"""

import ast
from collections.abc import Iterable

FIRST_WORDS = {
    "_category": 3,
    "adverse_share": 2,
    "Feature": 2,
    "Measure": 2,
    "Window": 2,
    "latest": 1,
    "worded": 0,
    "suffixes": 0,
}
"""Calls whose positional arguments from this place on are words; so are those of the short forms `_name(…)`."""
UNSEEN = {"en", "fr", "group", "unit", "risk", "monotone", "text", "strict"}
"""Arguments, fields and parts of tables of features that no value of a feature depends on."""
UNSEEN_FUNCTIONS = {"text", "suffixes", "worded", "uses_age"}
UNSEEN_NAMES = {"DERIVED", "BALANCE_DERIVED", "KEYS", "OTHER_TABLES", "GROUP_LABELS", "Function", "Group", "Value"}
"""Functions and module-level names that no value depends on; neither does it on private names that only they use."""
NEEDS = {"needed", "with_owed", "columns"}
"""Names of the columns that are asked for, or there: all of them, when all features are built."""


class Seen(ast.NodeVisitor):
    """Collects the expressions and statements of a module whose changes the values of features can show."""

    def __init__(self, module: ast.Module) -> None:
        self.nodes: list[ast.expr | ast.stmt] = []
        self._unseen = UNSEEN_NAMES | _private_names_of(module)
        self.visit(module)

    def visit(self, node: ast.AST) -> None:
        """Collect a node and those below it; leave out words, imports, and the text of errors."""
        if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise | ast.Assert):
            return
        if isinstance(node, ast.expr | ast.stmt):
            self.nodes.append(node)
        super().visit(node)

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Leave out decorators, types, and the defaults of unseen arguments."""
        if node.name not in UNSEEN_FUNCTIONS:
            required = len(node.args.args) - len(node.args.defaults)
            arguments = node.args.args[required:] + node.args.kwonlyargs
            defaults = zip(arguments, [*node.args.defaults, *node.args.kw_defaults], strict=True)
            self._visit_all(default for argument, default in defaults if argument.arg not in UNSEEN)
            self._visit_all(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Leave out decorators and bases."""
        self._visit_all(node.body)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Leave out targets, and what is assigned to unseen names."""
        if not _names(node.targets[0]) <= self._unseen:
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Leave out types, and what is assigned to unseen names and fields."""
        if not _names(node.target) <= self._unseen | UNSEEN:
            self._visit_all([node.value])

    def visit_Call(self, node: ast.Call) -> None:
        """Leave out words and unseen arguments."""
        name = called(node)
        first_word = FIRST_WORDS.get(name, 2 if name.startswith("_") and node.keywords else len(node.args))
        seen = [keyword.value for keyword in node.keywords if keyword.arg not in UNSEEN]
        self._visit_all([node.func, *node.args[:first_word], *seen])

    def visit_Compare(self, node: ast.Compare) -> None:
        """Leave out the columns that are looked for."""
        if not is_need(node):
            self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Leave out those columns of a table of features that are unseen."""
        rows = node.iter.elts if isinstance(node.iter, ast.Tuple) else []
        if isinstance(node.target, ast.Tuple) and rows and all(isinstance(row, ast.Tuple) for row in rows):
            targets = [ast.unparse(target) for target in node.target.elts]
            for row in rows:
                values = zip(targets, row.elts if isinstance(row, ast.Tuple) else [], strict=False)
                self._visit_all(value for target, value in values if target not in UNSEEN)
        else:
            self.visit(node.iter)
        self._visit_all(node.ifs)


def called(node: ast.Call) -> str:
    """Return the name of the function or method of a call, "" if it has none."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def is_need(node: ast.AST) -> bool:
    """Tell whether a test asks which columns are needed, or there."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return bool(names & NEEDS) or any(isinstance(part, ast.Attribute) and part.attr == "columns" for part in parts)


def _private_names_of(module: ast.Module) -> set[str]:
    """Return the private names of a module that only the assignments to unseen names use."""
    used: dict[bool, set[str]] = {True: set(), False: set()}
    for statement in module.body:
        targets = [statement.targets[0]] if isinstance(statement, ast.Assign) else []
        is_unseen = any(_names(target) <= UNSEEN_NAMES for target in targets)
        loaded = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
        used[is_unseen] |= {node.id for node in loaded}
    return {name for name in used[True] - used[False] if name.startswith("_")}


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} or {ast.unparse(node)}
