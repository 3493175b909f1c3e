"""docs/promises.md lists the promises that the tests carry, each passed."""

import re

from tests.promises import TABLE, promises, table

ROW = re.compile(r"^\| (?!promise|-)(.+) \| `(.+)` \| `make ([\w-]+)` \| (\w[\w ]*) \|$", re.MULTILINE)


def test_the_table_lists_what_the_tests_promise():
    rows = ROW.findall(TABLE.read_text("utf-8"))

    expected = [(promise.text, promise.test, promise.tier) for promise in promises()]
    assert [row[:3] for row in rows] == expected, "run: python -m tests.promises"


def test_every_promise_was_kept_when_the_table_was_written():
    assert [row for row in ROW.findall(TABLE.read_text("utf-8")) if row[3] != "passed"] == []


def test_no_promise_is_made_twice():
    texts = [promise.text for promise in promises()]

    assert len(set(texts)) == len(texts) > 25
    assert [text for text in texts if "|" in text] == []


def test_a_test_without_a_result_is_listed_as_not_run():
    assert all(row[3] == "not run" for row in ROW.findall(table({})))
