"""Build the site of documentation in build/site, the documents that quote results, and the note of method as PDF."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from research.cli import ROOT, CommandError, last_line, shown, user_path
from research.reporting.badges import write_badges
from research.reporting.documents import print_notes, write_documents
from research.reporting.reference import PAGES

EXAMPLE = "python -m research docs --out build/site"
SOURCES = ROOT / "build" / "site-sources"
ROOT_PAGES = ("README.md", "MODEL_CARD.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
COPIED = ("docs/**/*.md", "docs/**/*.png", "docs/**/*.gif", "docs/**/*.svg", "research/results/*.png", "LICENSE")
STATUS = re.compile(r"^\[!\[CI\]\(\.\./\.\./actions/.*\n", re.MULTILINE)
"""Line of the README with the state of the tests, which only GitHub can show."""
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def sources() -> Iterator[Path]:
    """Yield the files of the site, relative to the project: the same folders, so that links between them hold."""
    yield from (Path(name) for name in ROOT_PAGES)
    for pattern in COPIED:
        yield from (path.relative_to(ROOT) for path in sorted(ROOT.glob(pattern)))


def without_links_to_code(text: str, page: Path, published: set[Path]) -> str:
    """Replace links to files that the site does not hold, such as code, by their text and path."""

    def replaced(match: re.Match[str]) -> str:
        label, target = match[1], match[2]
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = Path(os.path.normpath(page.parent / target))
        if path in published:
            return match[0]
        return label if label.strip("`") == str(path) else f"{label} (`{path}`)"

    return _LINK.sub(replaced, text)


def write_sources(folder: Path = SOURCES) -> None:
    """Write the files of the site into a folder: documents, pictures, and the reference pages from the code."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = list(sources())
    published = {*paths, *(Path("docs", "reference", name) for name in PAGES)}
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = STATUS.sub("", (ROOT / path).read_text("utf-8"))
            target.write_text(without_links_to_code(text, path, published), "utf-8")
        else:
            shutil.copy2(ROOT / path, target)
    reference = folder / "docs" / "reference"
    reference.mkdir(parents=True)
    for name, page in PAGES.items():
        (reference / name).write_text(page(), "utf-8")


def build(out: Path) -> None:
    """Build the site; a `CommandError` with the last line of MkDocs where a link or a page of the menu is missing."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out.absolute())]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        warnings = [line for line in done.stderr.splitlines() if line.startswith("WARNING")]
        raise CommandError(f"the site was not built: {(warnings or [last_line(done.stderr, 'no message')])[0]}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders of the site and of the note."""
    parser.add_argument("--out", type=user_path, default=ROOT / "build" / "site", help="folder of the site")
    parser.add_argument("--note", type=user_path, default=ROOT / "build" / "note", help="folder of the note as PDF")


def run(options: argparse.Namespace) -> None:
    """Write the documents, build the site, print the note, and print where they are."""
    write_documents()
    write_badges()
    write_sources()
    build(options.out)
    for path in (options.out / "index.html", *print_notes(options.note)):
        print(shown(path))
