import ast
import re
import string
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from bento.data.tables import HISTORIES, TABLES
from ui import client, form, messages
from ui.listing import listing
from ui.texts import categories, columns

UI = Path(messages.__file__).parent
UNSEEN = {
    *("messages.py", "client.py", "answers.py", "settings.py", "samples.py"),
    *("records.py", "model_facts.py", "drift_runs.py", "listing.py", "uploads.py"),
}
"""Modules that show nothing: their strings belong to HTTP, files and formats."""
MORNING = datetime(2026, 11, 25, 9, 5, tzinfo=timezone(timedelta(hours=1)))


def placeholders(wording):
    return {name for _, name, _, _ in string.Formatter().parse(wording) if name is not None}


def test_every_message_has_both_languages_and_the_same_placeholders():
    for key, wordings in messages.MESSAGES.items():
        assert list(wordings) == list(messages.LANGUAGES) == ["fr", "en"], key
        assert all(wording.strip() for wording in wordings.values()), key
        assert placeholders(wordings["fr"]) == placeholders(wordings["en"]), key


def test_every_field_category_table_and_fault_has_its_words():
    assert {*form.MAIN_SECTIONS, *form.CONCEPTS} <= messages.MESSAGES.keys()
    assert {f"table_{name}" for name in HISTORIES} <= messages.MESSAGES.keys()
    assert client.HISTORIES == HISTORIES
    assert {f"history_{name}" for name in HISTORIES} <= messages.MESSAGES.keys()
    assert {f"fault_{kind}" for kind in get_args(client.FaultKind)} <= messages.MESSAGES.keys()
    assert set(messages.DETAIL_KINDS.values()) <= messages.MESSAGES.keys()


def test_every_column_has_its_name_in_both_languages():
    for table, declared in TABLES.items():
        names = columns.APPLICATION if table == "application" else columns.HISTORIES[table]
        assert set(names) == {column.name for column in declared} - ({"SK_ID_CURR"} if table in HISTORIES else set())
        assert all(fr.strip() and en.strip() for fr, en in names.values())


def test_every_category_of_a_history_has_its_words():
    for table in HISTORIES:
        for column in TABLES[table]:
            words = categories.CATEGORIES.get(column.name, {})
            assert set(column.categories) <= set(words), column.name
            assert all(fr.strip() and en.strip() for fr, en in words.values())
    assert categories.in_words("fr", "STATUS", "0") == "à jour"
    assert categories.in_words("en", "STATUS", "unlisted") == "unlisted"


def test_no_text_stands_in_two_modules():
    assert len(messages.MESSAGES) == sum(len(module.TEXTS) for module in messages.MODULES)


def test_the_document_lists_every_text():
    document = UI.parent / "docs" / "wording_pages.md"

    assert document.read_text(encoding="utf-8") == listing(), "python -m ui.listing > docs/wording_pages.md"


def test_no_message_is_left_over():
    sources = "".join(path.read_text(encoding="utf-8") for path in UI.rglob("*.py"))
    composed = re.compile(  # put together, or in tables
        r"(technical_)?fault_|technical_|history_|table_|section_|detail_|field_|intention_|source_|letter_|distance_|obstacle_"
        r"|(queue|state|keep|change|take|event|replay)_|drift_(alarm|kind|state)_|portfolio_age_"
        r"|model_(theme|way|group|data|split)_|model_(auc|gini|ks|brier|refused_share|\w+_rate|good_clients_refused)"
        r"|place_|(granted|review|refused)_|page_|[A-Z_0-9]+_help$"
    )

    unused = [
        key for key in messages.MESSAGES if not composed.match(key) and len(re.findall(f"[\"']{key}[\"']", sources)) < 2
    ]

    assert unused == []


@pytest.mark.parametrize(
    "module",
    [
        str(path.relative_to(UI))
        for path in sorted(UI.rglob("*.py"))
        if path.name not in UNSEEN and path.parent.name != "texts"
    ],
)
def test_no_visible_string_stands_outside_the_dictionary(module):
    tree = ast.parse((UI / module).read_text(encoding="utf-8"))
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    settings = {
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in {"font", "mime"}
    } | {
        value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "font"
    }
    hidden = docstrings | {inner for setting in settings for inner in ast.walk(setting)}
    words = re.compile(r"[A-Za-z]{2,}[,.:;]? [A-Za-z]{2,}|[À-ÿ]|^[A-Z][a-z]+")

    visible = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and node not in hidden
        and isinstance(node.value, str)
        and words.search(node.value)
    ]

    assert visible == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (messages.number("fr", 1234567.5, 1), "1\u202f234\u202f567,5"),
        (messages.number("en", 1234567.5, 1), "1,234,567.5"),
        (messages.number("fr", -0.25, 2), "\u22120,25"),
        (messages.number("fr", -0.002, 2), "0,00"),
        (messages.percent("fr", 0.083), "8,3\u202f%"),
        (messages.percent("en", 0.083), "8.3%"),
        (messages.percentages("en", 0.0906, 0.0909), ("9.06%", "9.09%")),
        (messages.percentages("en", 0.09, 0.09), ("9.000%", "9.000%")),
        (messages.percentages("en", 0.0906, 0.0702, 0.0909), ("9.06%", "7.02%", "9.09%")),
        (messages.moment("fr", MORNING), "25/11/2026 à 08:05 (UTC)"),
        (messages.moment("en", MORNING), "2026-11-25 at 08:05 (UTC)"),
        (messages.moment("fr", MORNING, ZoneInfo("Europe/Paris")), "25/11/2026 à 09:05"),
        (messages.value("fr", None), "non renseigné"),
        (messages.value("fr", -1100.0), "\u22121\u202f100"),
        (messages.value("en", 0.31), "0.31"),
        (messages.value("fr", "Working", {"en": "employee", "fr": "salarié"}), "Salarié"),
        (messages.value("fr", "Astronaut"), "Astronaut"),
        (messages.in_words("fr", {"en": "no", "fr": "non"}), "Non"),
        (messages.in_words("en", None), "not given"),
    ],
)
def test_numbers_and_values_follow_the_language(written, expected):
    assert written == expected


def test_french_punctuation_never_begins_a_line():
    assert messages.say("fr", "this_threshold", threshold="9 %") == "Seuil\u00a0: 9 %"


def test_foreign_text_brings_no_markup():
    assert messages.plain("![x] <b> $a$ :red[b]") == r"\!\[x\] \<b\> \$a\$ \:red\[b\]"
    assert messages.code("a`b") == "`a\u2019b`"


@pytest.mark.parametrize(
    "address", ["http://e.org", "https://e.org", "www.e.org", "HTTP://e.org", "ftp://e.org", "mailto:a"]
)
def test_an_address_in_foreign_text_begins_no_link(address):
    escaped = messages.plain(f"see {address} now")

    assert escaped.replace("\u2060", "").replace("\\", "") == f"see {address} now"
    assert not re.search(r"(https?|ftp|mailto)\\?:|www\.", escaped, re.IGNORECASE)


def test_an_email_address_in_foreign_text_is_no_link():
    assert messages.plain("a.b@e.org") == "a.b\u2060@e.org"
