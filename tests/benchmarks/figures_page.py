"""A document with a place for figures: between two lines, written from a result file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from research.cli import ROOT, CommandError
from tests.benchmarks.measure import Figures

END = "<!-- end of the figures -->"
RESULTS = ROOT / "research" / "results"


@dataclass(frozen=True, kw_only=True)
class FiguresPage:
    """A document, the line before its figures, the result file that they are of, and how they are written."""

    file: Path
    start: str
    published: Path
    block: Callable[[Figures], str]

    def filled(self, text: str, figures: Figures) -> str:
        """Return the text of the document with figures in place of those that it holds.

        Raises:
            CommandError: it lacks one of the lines around them.
        """
        before, found_start, rest = text.partition(self.start)
        _, found_end, after = rest.partition(END)
        if not (found_start and found_end):
            lacking = END if found_start else self.start
            raise CommandError(f"{self.file}: lacks the line {lacking}; write it where the figures are to be")
        return f"{before}{self.start}\n\n{self.block(figures)}\n\n{END}{after}"

    def write(self) -> int:
        """Write the document with the published figures, which the benchmark of the result file's name makes.

        Raises:
            CommandError: there is no result file, or the document has no place for the figures.
        """
        if not self.published.is_file():
            command = f"python -m tests.benchmarks.{self.published.stem}"
            raise CommandError(f"{self.published}: is missing; make it with: {command}")
        text = self.filled(self.file.read_text("utf-8"), json.loads(self.published.read_bytes()))
        self.file.write_text(text, "utf-8")
        return 0
