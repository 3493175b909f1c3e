"""The moving picture of the README: recorded from a real command, small, and readable to its end."""

from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from tests.recording import COLUMNS, LAST_PAUSE_S, LINES, PICTURE, ROOT, Line, recorded, screens, write_picture

MAX_BYTES = 400_000
"""Bytes of the picture, which a reader loads with the README."""


def test_a_recording_holds_what_was_printed_and_stops_the_command(tmp_path: Path):
    script = (
        f"echo one; echo {tmp_path}/two >&2; printf 'half\\rwhole\\n'; echo ready; trap 'exit' INT; sleep 1000 & wait"
    )

    lines = recorded(["bash", "-c", script], "ready", tmp_path)

    assert [line.text for line in lines] == ["one", "./two", "whole", "ready"]
    assert [line.seconds for line in lines] == sorted(line.seconds for line in lines)


def test_a_command_that_fails_is_no_recording(tmp_path: Path):
    with pytest.raises(ValueError, match="ended before it printed 'ready': no such target"):
        recorded(["bash", "-c", "echo no such target; exit 2"], "ready", tmp_path)


def test_a_screen_is_as_wide_and_high_as_the_terminal():
    lines = [Line("word " * 60, 1.0), *(Line(f"line {number}", 2.0) for number in range(40))]

    shown = [text for text, _ in screens("make demo", lines)]

    assert all(len(text) <= LINES for text in shown)
    assert all(len(line) <= COLUMNS for text in shown for line in text)
    assert shown[0] == ["$ make demo"]
    assert shown[-1][-1] == "line 39"


def test_pauses_are_shortened_and_the_end_is_left_to_be_read(tmp_path: Path):
    path = tmp_path / "demo.gif"

    write_picture("make demo", [Line("first", 1.0), Line("at once", 1.01), Line("after a minute", 61.0)], path)

    with Image.open(path) as picture:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
    assert durations == [1000, 1200, 1000 * LAST_PAUSE_S]


def test_the_picture_of_the_readme_moves_and_is_small():
    assert f"]({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text("utf-8")
    assert PICTURE.stat().st_size < MAX_BYTES
    with Image.open(PICTURE) as picture:
        assert getattr(picture, "n_frames", 1) > 5
