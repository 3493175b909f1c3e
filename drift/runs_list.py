"""List the runs of report, performance and watch, newest first.

They are those of index.json in the folder of the runs, which is rebuilt where it is broken.

Exit code: 0, or 2 for bad input.
"""

import argparse
from pathlib import Path

from bento.data.files import check_is_folder
from drift.runs import OUT, listed

EXAMPLE = "python -m drift list"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the runs."""
    parser.add_argument("--out", type=Path, metavar="DIR", default=OUT, help="folder of the runs (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Print a line for each run: time, kind, exit code, result, and the file to open."""
    check_is_folder(options.out)
    runs = listed(options.out)
    for item in runs:
        file = options.out / (item.html or item.markdown)
        print(f"{item.created:%Y-%m-%d %H:%M}  {item.kind:11}  {item.exit_code}  {item.sentence.en}  {file}")
    if not runs:
        print(f"{options.out} holds no run; make one: python -m drift report")
    return 0
