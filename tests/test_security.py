"""SECURITY.md names tests that exist, and goes through OWASP's list."""

import re

import pytest

from research.cli import ROOT

TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(test_\w+)`", TEXT)))
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_exists(name: str):
    assert name in DEFINED


def test_each_line_of_what_holds_names_a_test():
    section = TEXT.split("## Who might attack, and what holds")[1].split("## What does not hold")[0]
    rows = [row for row in section.splitlines() if row.startswith("|")][2:]

    assert len(rows) > 10
    assert [row for row in rows if "`test_" not in row] == []


def test_the_ten_risks_of_owasp_are_gone_through():
    assert re.findall(r"^\| (API\d+) ", TEXT, re.MULTILINE) == [f"API{number}" for number in range(1, 11)]
