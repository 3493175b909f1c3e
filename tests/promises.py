"""Write docs/promises.md: what the project promises, the test that shows it, and its result.

A promise is the text of `@pytest.mark.promise` on its test, so that none is without. Results are those of the latest
runs on this machine, which pytest keeps in its cache: run the tiers, then `python -m tests.promises`.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "promises.md"
CACHE = "promises/results"
RESULTS = ROOT / ".pytest_cache" / "v" / CACHE
NOT_RUN = "not run"
HEAD = """\
# What is promised, and shown

Written by `python -m tests.promises` from the marks on the tests, and from their latest results. A tier is a target of
the `Makefile`.

| promise | test | tier | result |
|---|---|---|---|
"""
END_TO_END = "test-end-to-end"
TIERS = {
    "tests/end_to_end/": END_TO_END,
    "tests/model_behaviour/": END_TO_END,
    "tests/faults/": "test-faults",
    "tests/container/": "test-container",
    "tests/browser/": "test-browser",
    "tests/cloud/": "test-cloud",
    "tests/notebooks/": "test-notebooks",
    "tests/benchmarks/": "test-benchmarks",
    "tests/spark/": "test-spark",
    "tests/dask/": "test-dask",
}


@dataclass(frozen=True, order=True)
class Promise:
    """One promise; `test` is its node, without parameters, as pytest names it."""

    text: str
    test: str
    end_to_end: bool = False
    """Whether the test has this mark by itself; the folders of `TIERS` need none."""

    @property
    def tier(self) -> str:
        """The target of the Makefile that runs the test."""
        tiers = (tier for folder, tier in TIERS.items() if self.test.startswith(folder))
        return next(tiers, END_TO_END if self.end_to_end else "test")


def promises(root: Path = ROOT) -> list[Promise]:
    """Return the promises of all tests, sorted by their text."""
    return sorted(promise for path in (root / "tests").rglob("test_*.py") for promise in _promises_of(path, root))


def _promises_of(path: Path, root: Path) -> Iterator[Promise]:
    content = path.read_text("utf-8")
    if "mark.promise(" not in content:
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            end_to_end = "pytest.mark.end_to_end" in map(ast.unparse, node.decorator_list)
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise":
                    (text,) = map(ast.literal_eval, decorator.args)
                    yield Promise(text, f"{path.relative_to(root).as_posix()}::{node.name}", end_to_end)


def table(results: Mapping[str, str], root: Path = ROOT) -> str:
    """Return the document; `results` are outcomes by node, as pytest reports them."""
    rows = [
        f"| {promise.text} | `{promise.test}` | `make {promise.tier}` | {results.get(promise.test, NOT_RUN)} |"
        for promise in promises(root)
    ]
    return HEAD + "\n".join(rows) + "\n"


def merged(earlier: Mapping[str, str], outcomes: list[tuple[str, str]]) -> dict[str, str]:
    """Return results by node after a run: of several parameters the worst outcome counts.

    >>> merged({"a": "failed"}, [("a[1]", "passed"), ("b[x]", "failed"), ("b[y]", "passed")])
    {'a': 'passed', 'b': 'failed'}
    """
    latest: dict[str, str] = {}
    for node, outcome in outcomes:
        test = node.partition("[")[0]
        if latest.get(test, "passed") == "passed":
            latest[test] = outcome
    return {**earlier, **latest}


if __name__ == "__main__":
    TABLE.write_text(table(json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}), "utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(promises())} promises")  # noqa: T201
