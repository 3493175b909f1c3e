import re
from pathlib import Path

from bento.scoring.wording.facts import quoted_features
from bento.scoring.wording.listing import markdown
from bento.scoring.wording.unknowns import ITEMS, UNKNOWNS, is_missing


def test_the_words_in_docs_are_those_of_the_code():
    assert Path("docs/wording.md").read_text() == markdown() + "\n"


def test_every_quoted_feature_has_an_example():
    rows = re.findall(r"^\| (\w+) \| (raises|lowers) \|", markdown(), re.MULTILINE)
    assert {name for name, _ in rows} == set(quoted_features())


def test_french_typography_is_kept():
    for line in markdown().splitlines():
        cells = line.split(" | ")
        if line.startswith("| ") and len(cells) >= 3 and cells[0] != "| code":
            french = re.sub(r"'[^']*'", "", cells[-1].removesuffix(" |"))
            assert not re.search(r"[ \w)][;:!?%](?![\w*=])|\d \d| - |\"|\.\.", french), french


def test_a_code_of_something_unknown_is_given_once():
    codes = [unknown.code for unknown in UNKNOWNS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"U\d\d", code) for code in codes)


def test_every_item_that_may_be_missing_is_of_the_application():
    for column in ITEMS:
        assert is_missing(column, {}), column
