"""Import the registry's champion, or an exported one, into the BentoML store, once its examples are recomputed."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import bentoml
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import ScoringModel
from research import tracking
from research.cli import user_path
from research.registry.archive import Record, opened

EXAMPLE = "python -m research import --from build/champion.tar"
VERSION_LABEL = "mlflow_version"
RUN_LABEL = "mlflow_run_id"


def import_model(registered: ModelVersion) -> bentoml.Model:
    """Import a registered version as the latest model of the store, unless it already is.

    Raises CommandError where its artifacts cannot be had, and ModelError where the folder is broken or does not
    reproduce its examples; nothing stays in the store.
    """
    labels = {VERSION_LABEL: str(registered.version), RUN_LABEL: tracking.run_id(registered)}
    # The address is checked first: BentoML hides the error of artifacts that are missing.
    return _present(labels) or _import(tracking.model_uri(registered), labels)


def import_archive(archive: Path) -> tuple[bentoml.Model, Record]:
    """Import an exported champion as the latest model of the store, unless it already is; return its record too.

    Raises CommandError where the archive cannot be used, and ModelError as `import_model` does.
    """
    with opened(archive) as (record, model):
        labels = {VERSION_LABEL: str(record.version), RUN_LABEL: record.run_id}
        return _present(labels) or _import(str(model), labels), record


def _present(labels: Mapping[str, str]) -> bentoml.Model | None:
    latest = latest_model()
    return latest if latest is not None and latest.info.labels == labels else None


def _import(uri: str, labels: dict[str, str]) -> bentoml.Model:
    model = bentoml.mlflow.import_model(NAME, uri, labels=labels)
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the archive."""
    parser.add_argument(
        "--from",
        dest="archive",
        type=user_path,
        metavar="FILE",
        help="what python -m research export wrote; without it, the champion of the registry",
    )


def run(options: argparse.Namespace) -> None:
    """Import the champion and print the tag of the model."""
    if options.archive:
        model, record = import_archive(options.archive)
        version = record.version
    else:
        registered = tracking.champion(tracking.connect())
        model, version = import_model(registered), int(registered.version)
    print(f"{model.tag} holds {NAME} version {version}")
