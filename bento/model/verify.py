"""Loads a model folder in a process of its own and recomputes its examples: `python -m bento.model.verify FOLDER`."""

import argparse
import sys
from pathlib import Path

from bento.model.scoring_model import ModelError, ScoringModel


def main() -> int:
    """The command line: 0 when the folder answers its examples, 2 with one line when it does not."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("folder", type=Path, help="holds scoring.json, examples.json and the file of the family")
    folder = arguments.parse_args().folder
    try:
        model = ScoringModel.verified(folder)
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: {model.manifest.family}, {len(model.feature_names)} features, answers its examples")
    return 0


if __name__ == "__main__":
    sys.exit(main())
