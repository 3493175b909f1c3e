"""Report words that `make check` keeps out of code and documents: `python -m tests.words [PATH ...]`.

Idioms and metaphors are riddles to most readers, and a name such as `found` does not say what it holds. Each entry of
the two lists comes with what to write instead.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

PHRASES = {
    r"so many": "a number, or 'n'",
    r"would else": "'otherwise'",
    r"whoever|whatever(?! their source of income)|whichever": "the noun: 'the caller', 'any file'",
    r"what is not": "the noun",
    r"in the place of": "'instead of'",
    r"of (its|their|his) own": "'separate', or leave it out",
    r"for ever|now and then|beyond doubt|no end of": "'permanently', 'sometimes', 'certainly', 'many'",
    r"at the doors?|the doors?": "'input validation', 'the middleware'",
    r"hangs? on": "'depends on'",
    r"told|said(?!\")": "'report', 'show', 'state'",
    r"slips?|twins?|rivals?": "the field's term: entry errors, correlated features, candidates",
    r"nobody": "'no caller', 'no client'",
    r"a turn of|at a turn": "'an event-loop iteration'",
}
"""Regular expressions, matched as whole words in any case, and what to write instead; "said" is a field of a file."""

NAMES = {
    "found": "the noun: problem, report, key_file",
    "known": "the noun of what it holds",
    "each": "the noun in the singular",
    "judged": "validation_rows, scores, evaluated",
    "held": "the noun of what it holds",
    "rival": "existing",
    "rivals": "existing",
    "told": "shown, reported",
    "said": "message, output",
    "lately": "recently",
}
"""Names of variables, parameters and functions, and what to write instead."""

CONSTANT = re.compile(r"_?(MOST|LARGEST|LONGEST|SMALLEST|FEWEST|FEW|LEAST|MANY)(_[A-Z0-9_]+)?|([A-Z0-9_]+_)?WITHIN")
SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml", ""}
IGNORED = {"tests/words.py", "tests/test_words.py", "LICENSE"}
FOLDERS = ("bento", "research", "drift", "ui", "tests", "docs", ".github", ".ci")
FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "compose.yaml", "Makefile", "bentofile.yaml", "pyproject.toml")

_PATTERN = re.compile("|".join(rf"(?P<p{number}>\b(?:{phrase})\b)" for number, phrase in enumerate(PHRASES)), re.I)
_ADVICE = list(PHRASES.values())


def phrases_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, the phrase and what to write instead, for each phrase of the list in a text.

    Lines that end with `# wire name` are left out: they hold a key of a file or an answer, which cannot change.

    >>> list(phrases_in("first\\nit takes so many bytes"))
    [(2, 'so many', "a number, or 'n'")]
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.endswith("# wire name"):
            continue
        for match in _PATTERN.finditer(line):
            yield number, match.group(), _ADVICE[int((match.lastgroup or "p0")[1:])]


def names_in(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, the name and what to write instead, for each name of the list that Python code binds.

    >>> list(names_in("def price(found): ...")), list(names_in("MOST_ROWS = 5"))
    ([(1, 'found', 'the noun: problem, report, key_file')], [(1, 'MOST_ROWS', 'MAX_, MIN_ or _TIMEOUT_S')])
    """
    tree = ast.parse(source)
    fields = {
        id(statement.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }  # the names of fields are those of the files and answers that hold them
    for node in ast.walk(tree):
        name = _bound_name(node)
        if name is None or id(node) in fields:
            continue
        line = getattr(node, "lineno", 1)
        if name.strip("_") in NAMES:
            yield line, name, NAMES[name.strip("_")]
        elif CONSTANT.fullmatch(name):
            yield line, name, "MAX_, MIN_ or _TIMEOUT_S"


def _bound_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    return None


def files(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the files to check: those named, or all of the project."""
    roots = [Path(path) for path in paths or (*FOLDERS, *FILES)]
    for root in roots:
        candidates = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in candidates:
            hidden = "__pycache__" in path.parts or "results" in path.parts
            if path.is_file() and path.suffix in SUFFIXES and str(path) not in IGNORED and not hidden:
                yield path


def main(arguments: Sequence[str]) -> int:
    """Print each finding as `file:line: word: advice`; return 1 if there is any."""
    findings = 0
    for path in files(arguments):
        text = path.read_text("utf-8")
        matches = [*phrases_in(text), *(names_in(text) if path.suffix == ".py" else ())]
        for line, word, advice in sorted(matches):
            print(f"{path}:{line}: {word!r}: write {advice}")  # noqa: T201
        findings += len(matches)
    if findings:
        print(f"{findings} words to replace", file=sys.stderr)  # noqa: T201
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
