"""Record `make demo` as the moving picture of the README: what it prints, drawn as a terminal (`make recording`).

The text and the clock in the title are those of the run; only pauses are shortened.
"""

import itertools
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "demo.gif"
COMMAND = ("make", "demo")
LAST_LINE = "Ctrl-C stops both"
"""In the line that the demo prints once service and UI answer."""
COLUMNS, LINES, POINTS, PADDING = 108, 18, 13, 10
INK, PAPER, TITLE_INK, PROMPT = "#e6e6e6", "#14181d", "#8fa3b8", "#7bc47f"
COLOURS = 6
"""Of a picture: ink, paper, and what is between at the edge of a letter."""
MAX_PAUSE_S, MIN_PAUSE_S, LAST_PAUSE_S = 1.2, 0.08, 6.0
"""Seconds that a picture is shown: at most, at least, and the last one."""
STOP_TIMEOUT_S = 60.0
"""Seconds for the demo to stop service and UI after Ctrl-C; two on an idle machine."""
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Line:
    """A printed line, and the seconds since the start of the command."""

    text: str
    seconds: float


def recorded(command: Sequence[str], last: str, folder: Path = ROOT) -> list[Line]:
    """Run a command until a line contains a text, stop it as Ctrl-C does, and return what it printed.

    Raises:
        ValueError: the command ends by itself before; the message holds its last line.
    """
    start = time.monotonic()
    lines: list[Line] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        for printed in process.stdout:
            # What a progress bar writes over itself is one line: its last state.
            text = _ESCAPE.sub("", printed.decode("utf-8", "replace").rstrip("\r\n").split("\r")[-1]).replace(
                str(folder), "."
            )
            lines.append(Line(text, time.monotonic() - start))
            if last in text:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(STOP_TIMEOUT_S)
                return lines
    raise ValueError(f"{' '.join(command)} ended before it printed {last!r}: {lines[-1].text if lines else 'nothing'}")


def screens(command: str, lines: Iterable[Line]) -> Iterator[tuple[list[str], float]]:
    """Yield what the terminal shows after each line, and the seconds since the start; lines are broken at its width."""
    shown = [f"$ {command}"]
    yield shown[-LINES:], 0.0
    for line in lines:
        shown += textwrap.wrap(line.text, COLUMNS, break_long_words=True, subsequent_indent="  ") or [""]
        yield shown[-LINES:], line.seconds


def drawn(text: Sequence[str], seconds: float) -> Image.Image:
    """Draw a terminal with a clock in its title."""
    folder = Path(mpl.get_data_path(), "fonts", "ttf")
    font = ImageFont.truetype(str(folder / "DejaVuSansMono.ttf"), POINTS)
    width, height = round(font.getlength("m") * COLUMNS) + 2 * PADDING, POINTS * 4 // 3
    image = Image.new("RGB", (width, (LINES + 2) * height + 2 * PADDING), PAPER)
    draw = ImageDraw.Draw(image)
    clock = f"{int(seconds) // 60}:{int(seconds) % 60:02d} since the start"
    draw.text((width - PADDING - font.getlength(clock), PADDING), clock, TITLE_INK, font)
    for number, line in enumerate(text):
        colour = PROMPT if line.startswith("$ ") else INK
        draw.text((PADDING, PADDING + (number + 2) * height), line, colour, font)
    return image.quantize(COLOURS)


def write_picture(command: str, lines: Sequence[Line], path: Path = PICTURE) -> None:
    """Write the animated picture of a recording, without an endless loop: it is played twice."""
    pictures: list[Image.Image] = []
    times: list[float] = []
    for text, seconds in screens(command, lines):
        if times and seconds - times[-1] < MIN_PAUSE_S:
            pictures[-1] = drawn(text, seconds)
            continue
        pictures.append(drawn(text, seconds))
        times.append(seconds)
    pauses = [min(MAX_PAUSE_S, after - before) for before, after in itertools.pairwise(times)]
    durations = [round(1000 * pause) for pause in (*pauses, LAST_PAUSE_S)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=1, optimize=True)


def main() -> None:
    """Record the demo, and print the path and size of the picture."""
    write_picture(" ".join(COMMAND), recorded(COMMAND, LAST_LINE))
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1024:.0f} KiB\n")


if __name__ == "__main__":
    main()
