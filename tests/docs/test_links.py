"""Every link of a document leads to a file, and to a heading where it names one."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, anchors_of, links_of, name_of

GENERATED = "docs/reference/"
"""Pages that are written with the site: `test_site.py` follows links to them."""


def broken(page: Path) -> list[str]:
    """Return the links of a page to files or headings that do not exist."""
    faults = []
    for link in links_of(page):
        target, _, anchor = unquote(link).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.parent / target).resolve() if target else page
        if GENERATED in str(path) or "/actions/" in str(path):  # the state of the tests, which GitHub shows
            continue
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors_of(path)):
            faults.append(link)
    return faults


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path):
    assert broken(page) == []


def test_a_broken_link_is_reported(tmp_path: Path):
    (tmp_path / "other.md").write_text("# A heading, here\n")
    page = tmp_path / "page.md"
    page.write_text("[a](other.md#a-heading-here) [b](other.md#nowhere) [c](missing.md) [d](https://example.org)\n")

    assert broken(page) == ["other.md#nowhere", "missing.md"]
