"""Write the note of method, in English and French, as Markdown and, where Chromium is installed, as PDF."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import markdown
import matplotlib as mpl

from research.cli import ROOT, CommandError, last_line, shown, user_path
from research.reporting.quoted_figures import LANGUAGES, Language, QuotedFigures
from research.reporting.slides.charts import CHARTS
from research.reporting.slides.drawing import STYLE, Canvas

EXAMPLE = "python -m research note --out build/note"
NAME = "note_methodologique"
TEMPLATES = Path(__file__).with_name("templates")
DOCS = ROOT / "docs"
PUBLISHED = ROOT / "research" / "results"
PICTURES = ("threshold", "importance")
PICTURE_INCHES = (8.5, 4.6)
PRINT_TIMEOUT_S = 120.0
"""Seconds for Chromium to print a page; two on an idle machine."""
CSS = """@page { size: A4; margin: 20mm 22mm }
body { font: 11pt/1.45 "Liberation Sans", Arial, sans-serif; color: #1b2631 }
h1 { font-size: 20pt; line-height: 1.2 } h2 { font-size: 14pt; margin: 1.3em 0 .4em; break-after: avoid }
img { width: 82%; display: block; margin: .6em auto } table { border-collapse: collapse; margin: .6em 0 }
td, th { border-bottom: 1px solid #9aa3ab; padding: .25em 1.2em .25em 0; text-align: left } a { color: inherit }"""


def note(figures: QuotedFigures, language: Language) -> str:
    """Return the note as Markdown; every figure in it comes from a result file."""
    template = (TEMPLATES / f"{NAME}.{language}.md").read_text("utf-8")
    return figures.fill(template, language)


def write_notes(folder: Path = PUBLISHED, docs: Path = DOCS) -> list[Path]:
    """Write the note and its pictures in both languages into the documentation, and return the notes."""
    figures, notes = QuotedFigures(folder), []
    for language in LANGUAGES:
        path = docs / f"{NAME}.{language}.md"
        path.write_text(note(figures, language), "utf-8")
        notes.append(path)
        for name in PICTURES:
            with mpl.rc_context(STYLE):
                figure = CHARTS[name](Canvas(figures, language, *PICTURE_INCHES))
                (docs / "images").mkdir(exist_ok=True)
                figure.savefig(docs / "images" / f"note_{name}.{language}.png", dpi=100)
    return notes


def chromium() -> str | None:
    """Return the program that prints pages: that of CHROMIUM, or one of the PATH; None where there is none."""
    return shutil.which(os.environ.get("CHROMIUM", "chromium"))


def to_pdf(program: str, source: Path, out: Path) -> Path:
    """Print a Markdown file as PDF into a folder; a `CommandError` where Chromium fails."""
    out.mkdir(parents=True, exist_ok=True)
    pdf = out / f"{source.stem}.pdf"
    body = markdown.markdown(source.read_text("utf-8"), extensions=["tables"])
    language = source.stem.rpartition(".")[2]
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{NAME}</title>'
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the PDF."""
    default = ROOT / "build" / "note"
    parser.add_argument("--out", type=user_path, default=default, help="folder of the PDF, by default build/note")


def run(options: argparse.Namespace) -> None:
    """Write the notes of the published results, and print their paths and what is missing for the PDF."""
    paths = write_notes()
    program = chromium()
    if program:
        paths += [to_pdf(program, path, options.out) for path in paths]
    for path in paths:
        print(shown(path))
    if not program:
        print("no PDF: Chromium is missing (Debian package chromium)", file=sys.stderr)
