"""Load a model folder in a fresh process and recompute its examples: `python -m bento verify FOLDER`."""

import argparse
from pathlib import Path

from bento.model.scoring_model import ScoringModel
from bento.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the folder."""
    parser.add_argument("folder", type=Path, help="holds scoring.json, examples.json and the file of the family")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, _: Settings) -> int:
    model = ScoringModel.verified(options.folder)
    print(f"{options.folder}: {model.manifest.family}, {len(model.feature_names)} features, answers its examples")
    return 0
