"""The summary of a tier says what pytest and coverage wrote."""

import json
import subprocess
import sys
from pathlib import Path

from tests.summary import summary

TESTS = """
def test_one(): ...
def test_two(): assert False
def test_three():
    import pytest
    pytest.skip("no need")
"""


def test_results_and_slowest_tests_of_a_run_of_pytest(tmp_path: Path):
    (tmp_path / "test_example.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "--junitxml=tests.xml", "-p", "no:cacheprovider", "--rootdir=."]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)

    lines = list(summary("make test", tmp_path))

    assert lines[0] == "## make test"
    assert lines[2].startswith("1 passed, 1 failed, 0 errors, 1 skipped, in ")
    assert "- failed: `test_example.test_two`" in lines
    assert len([line for line in lines if line.startswith("| `test_example.test_")]) == 3


def test_coverage_is_summed_by_room(tmp_path: Path):
    def file(run: int, lines: int) -> dict[str, dict[str, int]]:
        return {"summary": {"covered_lines": run, "num_statements": lines}}

    files = {"bento/a.py": file(1, 2), "bento/b/c.py": file(2, 2), "ui/app.py": file(1, 3)}
    (tmp_path / "coverage.json").write_text(json.dumps({"files": files}))

    lines = list(summary("coverage", tmp_path))

    assert "No results of tests were written." in lines
    assert "| bento | 3 | 4 | 75.0% |" in lines
    assert "| ui | 1 | 3 | 33.3% |" in lines
