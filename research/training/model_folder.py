"""Write the model folder: predictor, scoring.json, reference.json and golden examples, without pickle."""

import json
from pathlib import Path

from bento.data.credit_file import CreditFile
from bento.features.catalogue import catalogue_hash
from bento.model.manifest import EXAMPLES_FILE, SCORING_FILE, Example, Examples, ModelManifest
from bento.model.peer_groups import Reference
from bento.model.predictors import Predictor
from bento.model.scoring_model import ScoringModel, digests, probability
from research.data.example_credit_files import example_credit_files

N_EXAMPLES = 20


def write_model_folder(
    folder: Path, predictor: Predictor, manifest: ModelManifest, reference: Reference
) -> ScoringModel:
    """Write the folder, compute its examples, and read it back; a ModelError where it does not reproduce them."""
    folder.mkdir(parents=True)
    predictor.save(folder)
    reference.save(folder)
    (folder / SCORING_FILE).write_text(manifest.model_dump_json(indent=1) + "\n")
    model = ScoringModel(folder)
    examples = []
    for content in example_credit_files(N_EXAMPLES):
        features = model.features([CreditFile.model_validate_json(json.dumps(content))])
        log_odds = float(model.log_odds(features)[0])
        examples.append(
            Example(
                credit_file=content,
                features=features.select(model.feature_names).row(0, named=True),
                log_odds=log_odds,
                probability_of_default=probability(log_odds),
            )
        )
    golden = Examples(catalogue=catalogue_hash(), files=digests(folder), examples=examples)
    (folder / EXAMPLES_FILE).write_text(golden.model_dump_json() + "\n")
    model.verify()
    return model
