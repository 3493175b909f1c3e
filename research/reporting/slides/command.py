"""Make the slides of the talk in English and French, as .pptx and, where LibreOffice is installed, as PDF."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from research.cli import ROOT, CommandError, last_line, shown, user_path
from research.reporting.quoted_figures import LANGUAGES, PUBLISHED, QuotedFigures
from research.reporting.slides.layout import presentation

EXAMPLE = "python -m research slides --out build/slides"
OUT = ROOT / "build" / "slides"
CONVERT_TIMEOUT_S = 300.0
"""Seconds for LibreOffice to write a PDF; ten on an idle machine."""


def write_slides(out: Path, figures: QuotedFigures) -> list[Path]:
    """Write a .pptx file for each language into a folder, and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for language in LANGUAGES:
        path = out / f"slides.{language}.pptx"
        presentation(figures, language).save(str(path))
        paths.append(path)
    return paths


def office() -> str | None:
    """Return the program of LibreOffice, or None where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def to_pdf(program: str, path: Path) -> Path:
    """Write a file of LibreOffice as PDF beside it; a `CommandError` where LibreOffice fails."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program,
            f"-env:UserInstallation=file://{profile}",  # a profile of this call: two calls at once would share one
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(path.parent),
            str(path),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CONVERT_TIMEOUT_S)
    pdf = path.with_suffix(".pdf")
    if done.returncode or not pdf.is_file():
        raise CommandError(f"{path}: LibreOffice wrote no PDF ({last_line(done.stderr, 'no message')})")
    return pdf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder of results and that of the slides."""
    parser.add_argument("--results", type=user_path, default=PUBLISHED, help="folder of published results")
    parser.add_argument("--out", type=user_path, default=OUT, help="folder of the slides, by default build/slides")


def run(options: argparse.Namespace) -> None:
    """Write the slides, and print their paths and what is missing for the PDF."""
    paths = write_slides(options.out, QuotedFigures(options.results))
    program = office()
    if program:
        paths += [to_pdf(program, path) for path in paths]
    for path in paths:
        print(shown(path))
    if not program:
        print("no PDF: LibreOffice is missing (Debian package libreoffice-impress)", file=sys.stderr)
