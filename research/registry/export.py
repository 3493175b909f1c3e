"""Write the champion into one file, which `import --from` and `restore` read where no MLflow server is shared."""

import argparse

from research import tracking
from research.cli import shown, user_path
from research.registry.archive import ARCHIVE, export

EXAMPLE = "python -m research export --output build/champion.tar"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file."""
    parser.add_argument("--output", type=user_path, default=ARCHIVE, metavar="FILE", help="by default " + str(ARCHIVE))


def run(options: argparse.Namespace) -> None:
    """Export the champion and print what the file holds."""
    record = export(tracking.champion(tracking.connect()), options.output)
    trained_on = record.tags.get(tracking.DATA_TAG, "unknown")
    print(f"{shown(options.output)} holds {record.name} version {record.version}, data: {trained_on}")
