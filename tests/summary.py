"""Print a summary of a tier as Markdown: results, slowest tests, coverage. `python -m tests.summary TIER`.

It reads build/tests.xml, which pytest writes with --junitxml, and build/coverage.json, where `make coverage` wrote it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

BUILD = Path(__file__).parents[1] / "build"
ROOMS = ("bento", "research", "drift", "ui")
SLOWEST = 10
"""Tests that are listed with their times."""


def summary(tier: str, folder: Path) -> Iterator[str]:
    """Yield the lines of the summary; it names what was not written."""
    yield f"## {tier}"
    yield ""
    results = folder / "tests.xml"
    if results.is_file():
        yield from _results(ElementTree.parse(results).getroot())  # noqa: S314 - pytest has written it
    else:
        yield "No results of tests were written."
    if (folder / "coverage.json").is_file():
        yield ""
        yield from _coverage(json.loads((folder / "coverage.json").read_text("utf-8")))


def _results(root: ElementTree.Element) -> Iterator[str]:
    cases = list(root.iter("testcase"))
    count = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    passed = len(cases) - sum(count.values())
    seconds = sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
    yield (
        f"{passed} passed, {count['failure']} failed, {count['error']} errors, {count['skipped']} skipped, in "
        f"{seconds:.0f} s."
    )
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            yield f"- failed: `{_name(case)}`"
    yield ""
    yield "| slowest tests | s |"
    yield "|---|---|"
    for case in sorted(cases, key=_seconds, reverse=True)[:SLOWEST]:
        yield f"| `{_name(case)}` | {_seconds(case):.1f} |"


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}.{case.get('name')}"


def _seconds(case: ElementTree.Element) -> float:
    return float(case.get("time", 0))


def _coverage(report: dict[str, dict[str, dict[str, dict[str, int]]]]) -> Iterator[str]:
    """Yield the share of lines that tests ran in their own processes: not what services and commands of theirs ran."""
    yield "| room | lines run | of | share |"
    yield "|---|---|---|---|"
    for room in ROOMS:
        sums = [file["summary"] for path, file in report["files"].items() if path.startswith(f"{room}/")]
        run, lines = (sum(one[name] for one in sums) for name in ("covered_lines", "num_statements"))
        yield f"| {room} | {run:,} | {lines:,} | {run / max(lines, 1):.1%} |"


if __name__ == "__main__":
    print("\n".join(summary(sys.argv[1], BUILD)))  # noqa: T201 - the summary of a job
