"""Import the registry's champion into the BentoML store, once its examples have been recomputed."""

import argparse
from pathlib import Path

import bentoml
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import ScoringModel
from research import tracking

VERSION_LABEL = "mlflow_version"
RUN_LABEL = "mlflow_run_id"


def import_model(registered: ModelVersion) -> bentoml.Model:
    """Import a registered version as the latest model of the store, unless it already is.

    Raises CommandError where its artifacts cannot be had, and ModelError where the folder is broken or does not
    reproduce its examples; nothing stays in the store.
    """
    labels = {VERSION_LABEL: str(registered.version), RUN_LABEL: registered.run_id}
    latest = latest_model()
    if latest is not None and latest.info.labels == labels:
        return latest
    # The address is checked first: BentoML hides the error of artifacts that are missing.
    model = bentoml.mlflow.import_model(NAME, tracking.model_uri(registered), labels=labels)
    verified = False
    try:
        ScoringModel.verified(Path(model.path_of(FOLDER_IN_STORE)))
        verified = True
    finally:
        if not verified:
            bentoml.models.delete(model.tag)
    return model


def latest_model() -> bentoml.Model | None:
    """Return the model that a new Bento would hold, or None."""
    models = [model for model in bentoml.models.list() if model.tag.name == NAME]
    return max(models, key=lambda model: model.info.creation_time) if models else None


def run(_: argparse.Namespace) -> None:
    """Import the champion and print the tag of the model."""
    registered = tracking.champion(tracking.connect())
    model = import_model(registered)
    print(f"{model.tag} holds {NAME} version {registered.version}")
