"""The picture of a deployment that was walked through: a terminal with what its commands printed, and words beside it.

`make deployment-recording` writes what is drawn, and a test of the cloud tier compares it with what the commands print.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bento.i18n import TextPair
from research.cli import CommandError
from research.reporting.slides.drawing import BLUE, GREEN, MIN_POINTS, ORANGE, Canvas, Draw, text_width

RECORDING = Path(__file__).with_name("deployment.txt")
PROMPT = "$ python -m research cloud "
INK, PAPER, COMMAND = "#e6e6e6", "#14181d", "#7bc47f"
COLUMNS = 62
"""Letters of a line of the terminal."""
PADDING = 0.12
"""Inches between the edge of the terminal and its text."""
SHOWN_DIGITS = 8
"""Of the digest of an image."""
SHOWN_OPTIONS = ("--environment", "--size", "--image", "--model-version")
"""Options of a command that are drawn; `…` stands for the others, and for `python -m research`."""


@dataclass(frozen=True)
class Printed:
    """A command of the recording with its arguments, and the lines that it printed."""

    command: str
    lines: list[str]

    @property
    def name(self) -> str:
        """The first word of the command."""
        return self.command.partition(" ")[0]


Excerpt = tuple[str, list[tuple[str, TextPair, str]]]
EXCERPTS: list[Excerpt] = [
    ("create", [("service: ", ("environment created", "environnement créé"), BLUE)]),
    ("push", [("holds model version", ("image pushed", "image poussée"), BLUE)]),
    (
        "deploy",
        [
            ("passed its test before", ("smoke test passed", "test réussi"), BLUE),
            ("10 %", ("traffic in steps", "trafic par étapes"), BLUE),
            ("50 %", ("", ""), BLUE),
            ("100 %", ("", ""), BLUE),
            ("staging serves", ("deployed and ready", "déployé et prêt"), GREEN),
        ],
    ),
    ("deploy", [("staging serves", ("next image, same way", "image suivante, de même"), GREEN)]),
    ("deploy", [("error: ", ("wrong version refused", "mauvaise version refusée"), ORANGE)]),
    ("rollback", [("staging serves", ("previous image is back", "retour à la précédente"), GREEN)]),
]
"""Commands of the recording in their order; of each, the lines that are drawn by what they contain, with the words and
colour beside them."""


def recorded(path: Path = RECORDING) -> list[Printed]:
    """Read the recording; a `CommandError` names what to do where it holds no command."""
    commands: list[Printed] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(PROMPT):
            commands.append(Printed(line.removeprefix(PROMPT), []))
        elif commands:
            commands[-1].lines.append(line)
    if not commands:
        raise CommandError(
            f"{path} holds no line that begins with {PROMPT!r}; take it again: make deployment-recording"
        )
    return commands


def shortened(text: str) -> str:
    """Return a line with the images by the begin of their digests, and without ids of decisions.

    >>> shortened(f"blue serves 1.dkr.ecr.eu-west-1.amazonaws.com/credit-scoring@sha256:{'0123456789abcdef' * 4}")
    'blue serves sha256:01234567…'
    >>> shortened("green: passed its test (decision 81a0)"), shortened("holds model version 7; written to one.json")
    ('green: passed its test', 'holds model version 7')
    """
    text = re.sub(rf"\S+@(sha256:[0-9a-f]{{{SHOWN_DIGITS}}})[0-9a-f]+", r"\1…", text)
    return re.sub(r" \(decision \S+\)$|; written to \S+$", "", text)


def shown_command(command: str) -> str:
    """Return the line of a command as it is drawn.

    >>> shown_command("push --environment staging --engine docker")
    '$ … cloud push --environment staging …'
    """
    name, *words = command.split(" ")
    starts = [place for place, word in enumerate(words) if word.startswith("--")]
    options = [words[start:end] for start, end in zip(starts, [*starts[1:], len(words)], strict=True)]
    shown = [" ".join(option) for option in options if option[0] in SHOWN_OPTIONS]
    if "--image" in command:
        shown.remove("--environment staging")  # the line that is printed at the end names it
    return shortened(" ".join(["$ … cloud", name, *shown, *(["…"] if len(shown) < len(options) else [])]))


def drawn_lines(commands: Sequence[Printed]) -> Iterator[tuple[str, TextPair, str]]:
    """Yield each line of the terminal with the words beside it and their colour.

    Raises:
        CommandError: the recording lacks a command, or a line of it.
    """
    remaining = iter(commands)
    for name, lines in EXCERPTS:
        printed = next((command for command in remaining if command.name == name), None)
        if printed is None:
            raise CommandError(f"the recording lacks a command {name}; take it again: make deployment-recording")
        yield shown_command(printed.command), ("", ""), COMMAND
        for part, words, colour in lines:
            line = next((line for line in printed.lines if part in line), None)
            if line is None:
                raise CommandError(f"the recording of {name} lacks a line with {part!r}; see make deployment-recording")
            first, *others = textwrap.wrap(shortened(line), COLUMNS, subsequent_indent="  ", break_on_hyphens=False)
            yield first, words, colour
            yield from ((other, ("", ""), colour) for other in others)


def walkthrough(canvas: Canvas) -> Figure:
    """Draw the terminal of the deployment that was walked through, and beside its lines what they show.

    Raises:
        CommandError: a line or the words beside it do not fit, or the recording lacks one.
    """
    figure, axes = canvas.board()
    lines = list(drawn_lines(recorded()))
    step = (canvas.height - 2 * PADDING) / len(lines)
    letter = text_width("m", font="DejaVuSansMono")
    right = COLUMNS * letter + 2 * PADDING
    if step < MIN_POINTS * 1.1 / 72:
        raise CommandError(f"{len(lines)} lines of a deployment do not fit on a slide; leave some out of EXCERPTS")
    axes.add_patch(Rectangle((0, 0), right, canvas.height, color=PAPER))
    for place, (line, pair, colour) in enumerate(lines):
        middle, words = canvas.height - PADDING - (place + 0.5) * step, canvas.text(pair)
        if len(line) > COLUMNS or text_width(words, bold=True) > canvas.width - right - 0.3:
            raise CommandError(f"{line!r} or {words!r} is too long for the slide; shorten it in EXCERPTS")
        ink = {COMMAND: COMMAND, ORANGE: "#ffb08a"}.get(colour, INK)
        axes.text(PADDING, middle, line, family="monospace", color=ink, va="center_baseline")
        axes.text(right + 0.25, middle, words, weight="bold", color=colour, va="center_baseline")
    return figure


WALKTHROUGH: dict[str, Draw] = {"deployment": walkthrough}
