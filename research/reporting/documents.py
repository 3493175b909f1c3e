"""Write the documents that quote published results; print the note of method where Chromium is installed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import markdown
import matplotlib as mpl

from research.cli import ROOT, CommandError, last_line
from research.reporting import article_18
from research.reporting.quoted_figures import PUBLISHED, Language, QuotedFigures
from research.reporting.slides.drawing import STYLE, Canvas
from research.reporting.slides.layout import PICTURES

NOTE = "note_methodologique"
TEMPLATES = Path(__file__).with_name("templates")
DOCS = ROOT / "docs"
ARTICLE_18 = Path("governance", "features_and_article_18.md")
PICTURE = re.compile(r"images/drawn/(\w+)\.(en|fr)\.png")
PICTURE_INCHES = (8.5, 4.6)
WIDE_INCHES = (12.1, 4.5)
PRINT_TIMEOUT_S = 120.0
"""Seconds for Chromium to print a page; two on an idle machine."""
CSS = """@page { size: A4; margin: 20mm 22mm }
body { font: 11pt/1.45 "Liberation Sans", Arial, sans-serif; color: #1b2631 }
h1 { font-size: 20pt; line-height: 1.2 } h2 { font-size: 14pt; margin: 1.3em 0 .4em; break-after: avoid }
img { width: 82%; display: block; margin: .6em auto } table { border-collapse: collapse; margin: .6em 0 }
td, th { border-bottom: 1px solid #9aa3ab; padding: .25em 1.2em .25em 0; text-align: left } a { color: inherit }"""


def templates() -> dict[Path, Path]:
    """Return the template of each written document, by the document's path inside `docs/`."""
    return {path.relative_to(TEMPLATES): path for path in sorted(TEMPLATES.rglob("*.md"))}


def language_of(path: Path) -> Language:
    """Return the language that a file's name ends with, as `note.fr.md`; English where it names none."""
    return "fr" if path.suffixes[-2:-1] == [".fr"] else "en"


def document(figures: QuotedFigures, template: Path) -> str:
    """Return a document as Markdown; every figure in it comes from a result file."""
    return figures.fill(template.read_text("utf-8"), language_of(template))


def write_documents(folder: Path = PUBLISHED, docs: Path = DOCS) -> list[Path]:
    """Write the documents that quote published results, and the pictures that they show, into `docs`."""
    figures, paths = QuotedFigures(folder), []
    for name, template in templates().items():
        path, text = docs / name, document(figures, template)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        paths.append(path)
        for picture in sorted(set(PICTURE.findall(text))):
            _draw(figures, picture[0], picture[1], docs / "images" / "drawn")
    path = docs / ARTICLE_18
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(article_18.page(figures), "utf-8")
    return [*paths, path]


def _draw(figures: QuotedFigures, name: str, language: Language, folder: Path) -> None:
    """Draw a picture of the slides for the documents."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        figure = PICTURES[name](Canvas(figures, language, *(WIDE_INCHES if name == "rooms" else PICTURE_INCHES)))
        figure.savefig(folder / f"{name}.{language}.png", dpi=100)


def chromium() -> str | None:
    """Return the program that prints pages: that of CHROMIUM, or one of the PATH; None where there is none."""
    return shutil.which(os.environ.get("CHROMIUM", "chromium"))


def to_pdf(program: str, source: Path, out: Path) -> Path:
    """Print a Markdown file as PDF into a folder; a `CommandError` where Chromium fails."""
    out.mkdir(parents=True, exist_ok=True)
    pdf = out / f"{source.stem}.pdf"
    body = markdown.markdown(source.read_text("utf-8"), extensions=["tables"])
    language = language_of(source)
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{NOTE}</title>'
        f'<base href="{source.parent.as_uri()}/"><style>{CSS}</style></head><body>{body}</body></html>'
    )
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder, "note.html")
        html.write_text(page, "utf-8")
        # --no-sandbox: the sandbox refuses to run as root, as in a container; the page is a file of this project.
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}"]
        command = [program, *options, f"--print-to-pdf={pdf.absolute()}", html.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PRINT_TIMEOUT_S)
    if done.returncode or not pdf.is_file():
        raise CommandError(f"{source}: Chromium printed no PDF ({last_line(done.stderr, 'no message')})")
    return pdf


def print_notes(out: Path) -> list[Path]:
    """Print the note of method in both languages as PDF; without Chromium none, and a line that names it."""
    program = chromium()
    if program is None:
        print("no PDF of the note: Chromium is missing (Debian package chromium)", file=sys.stderr)
        return []
    return [to_pdf(program, path, out) for path in sorted(DOCS.glob(f"{NOTE}.*.md"))]
