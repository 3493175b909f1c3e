"""Imports the champion of the registry into the BentoML store, once its examples have been recomputed."""

from pathlib import Path

import bentoml
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import ScoringModel
from research import tracking
from research.cli import parser, run

VERSION_LABEL = "mlflow_version"
RUN_LABEL = "mlflow_run_id"


def import_model(registered: ModelVersion) -> bentoml.Model:
    """Bring a registered version into the store as the latest model, unless it already is that.

    Raises:
        ModelError: the folder is broken, or does not answer its own examples; nothing stays in the store.
    """
    labels = {VERSION_LABEL: str(registered.version), RUN_LABEL: registered.run_id}
    latest = latest_model()
    if latest is not None and latest.info.labels == labels:
        return latest
    # By number, not by alias: import_model hides what is wrong with an alias, and this one is already resolved.
    model = bentoml.mlflow.import_model(NAME, f"models:/{NAME}/{registered.version}", labels=labels)
    verified = False
    try:
        ScoringModel.verified(Path(model.path_of(FOLDER_IN_STORE)))
        verified = True
    finally:
        if not verified:
            bentoml.models.delete(model.tag)
    return model


def latest_model() -> bentoml.Model | None:
    """The model a new Bento would pin, or nothing."""
    models = [model for model in bentoml.models.list() if model.tag.name == NAME]
    return max(models, key=lambda model: model.info.creation_time) if models else None


def main() -> None:
    """The command line."""
    parser(
        "Import the registry's champion into the BentoML store.", "python -m research.deployment.import_model"
    ).parse_args()
    registered = tracking.champion(tracking.connect())
    model = import_model(registered)
    print(f"{model.tag} holds {NAME} version {registered.version}")


if __name__ == "__main__":
    run(main)
