"""MLflow: where runs are kept, what a training run logs, and the registry of models."""

import logging
import os
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from bento import NAME
from bento.model import DataSource, ScoringModel
from research.command import ROOT, CommandError

EXPERIMENT = "credit_scoring"
CHAMPION = "champion"
DATA_TAG = "data"
CATALOGUE_TAG = "catalogue"
SERVING_PACKAGES = ("lightgbm", "numpy", "polars", "pydantic")


def _quiet() -> None:
    """No notices about how MLflow goes about its work."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ["MLFLOW_LOG_UV_FILES"] = "false"
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def connect() -> mlflow.MlflowClient:
    """Use MLFLOW_TRACKING_URI, by default an SQLite file at the root of the project.

    Raises:
        CommandError: a server is named and does not answer.
    """
    _quiet()
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT / 'mlflow.db'}"
    if uri.startswith(("http://", "https://")):
        try:
            with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=5):  # noqa: S310 - http only, above
                pass
        except (urllib.error.URLError, TimeoutError) as error:
            raise CommandError(
                f"MLflow does not answer at {uri} ({error}); start it or unset MLFLOW_TRACKING_URI"
            ) from error
    mlflow.set_tracking_uri(uri)
    try:
        return mlflow.MlflowClient()
    except MlflowException as error:
        raise CommandError(f"MLflow cannot be used at {uri}: {str(error).splitlines()[0]}") from error


def use_experiment() -> None:
    """Make the project's experiment the active one; a local store keeps its artifacts in `mlruns` beside it."""
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        local = mlflow.get_tracking_uri().startswith("sqlite:")
        store = Path(mlflow.get_tracking_uri().removeprefix("sqlite:///")).parent / "mlruns" if local else None
        mlflow.create_experiment(EXPERIMENT, artifact_location=store.as_uri() if store else None)
    mlflow.set_experiment(EXPERIMENT)


def log_dataset(folder: Path, source: DataSource) -> None:
    """Name the training data in the active run: where it stands and its fingerprint, none of its rows."""
    described = CodeDatasetSource({"folder": str(folder), **source.model_dump(mode="json")})
    mlflow.log_input(MetaDataset(described, name=source.tag, digest=source.fingerprint[:36]), context="training")


def log_model(model: ScoringModel, example: pd.DataFrame) -> ModelVersion:
    """Log the model folder in the active run as a pyfunc model and register it.

    Args:
        model: the model whose folder is logged.
        example: a few rows of its features, as `mlflow models serve` takes them.
    """
    columns = [
        ColSpec(DataType.string if feature.categories else DataType.double, feature.name, required=False)
        for feature in model.scoring.features
    ]
    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(ROOT / "research" / "pyfunc_model.py"),
        artifacts={"model": str(model.folder)},
        code_paths=[str(ROOT / "bento")],
        signature=ModelSignature(Schema(columns), Schema([ColSpec(DataType.double, "probability_of_default")])),
        input_example=example,
        pip_requirements=[f"{package}=={version(package)}" for package in SERVING_PACKAGES],
    )
    return mlflow.register_model(info.model_uri, NAME)


def champion(client: mlflow.MlflowClient) -> ModelVersion:
    """The registered version that carries the alias `champion`.

    Raises:
        CommandError: there is none yet.
    """
    try:
        return client.get_model_version_by_alias(NAME, CHAMPION)
    except MlflowException as error:
        raise CommandError(f"no {CHAMPION} of {NAME} is registered; train one with: make train") from error
