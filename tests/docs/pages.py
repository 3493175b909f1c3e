"""The documents that people read: their files, their words and their links."""

import re
from collections.abc import Iterator
from pathlib import Path

from research.cli import ROOT

PAGES = sorted(
    [*ROOT.glob("docs/**/*.md"), *(path for path in ROOT.glob("*.md"))],
    key=lambda path: str(path.relative_to(ROOT)),
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`|<!--.*?-->|^ {4,}\S.*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name_of(path: Path) -> str:
    """Return the path of a page as it is shown: relative to the project."""
    return str(path.relative_to(ROOT))


def without_code(text: str) -> str:
    """Return a text without blocks of code, code in lines, and comments."""
    return _CODE.sub(" ", text)


def links_of(page: Path) -> Iterator[str]:
    """Yield the targets of the links and pictures of a page."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    yield from _LINK.findall(text)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    headings = (re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).replace("`", "") for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
