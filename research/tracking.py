"""MLflow: its configuration, what a training run logs, and the registry of models."""

import base64
import contextlib
import logging
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sqlalchemy.exc import SQLAlchemyError

from bento import NAME
from bento.features.catalogue import catalogue_hash
from bento.model.manifest import FOLDER_FORMAT, DataSource
from bento.model.scoring_model import ScoringModel
from research.cli import ROOT, CommandError
from research.settings import Settings

EXPERIMENT = "credit_scoring"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
"""Aliases in the registry: the version that is served, the candidate for it, and the version before it."""
PROMOTED_OVER = "promoted_over"
"""Tag of a version: the champion that it replaced."""
DATA_TAG = "data"
CATALOGUE_TAG = "catalogue"
FORMAT_TAG = "folder_format"
CAPACITY_TAG = "review_capacity"
MAX_POINTS_PER_BATCH = 1000
"""MLflow's limit of metrics in one `log_batch`."""
HEALTH_TIMEOUT_S = 5
"""Seconds that a tracking server may take to answer `/health`."""
SERVING_PACKAGES = ("lightgbm", "numpy", "polars", "pydantic")


def made_from(source: DataSource) -> dict[str, str]:
    """Return the tags of runs and versions made from this data by this code."""
    return {DATA_TAG: source.tag, CATALOGUE_TAG: catalogue_hash(), FORMAT_TAG: FOLDER_FORMAT}


def connect() -> mlflow.MlflowClient:
    """Connect to the MLflow store that the environment names, by default an SQLite file at the root of the project.

    Raises CommandError where the store is a server that does not answer, or cannot be used.
    """
    os.environ |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_LOG_UV_FILES": "false"}
    # MLflow's default of 7 retries waits minutes for a server that has stopped.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    uri = Settings().mlflow_tracking_uri
    if uri.startswith(("http://", "https://")):
        try:
            with urllib.request.urlopen(_health_request(uri), timeout=HEALTH_TIMEOUT_S):  # noqa: S310 - http only, above
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


def _health_request(uri: str) -> urllib.request.Request:
    """Return the request for a server's health: urllib takes user and password in an address for a part of the host."""
    address = urllib.parse.urlsplit(uri)
    credentials, _, host = address.netloc.rpartition("@")
    request = urllib.request.Request(address._replace(netloc=host, path=f"{address.path.rstrip('/')}/health").geturl())  # noqa: S310 - http only, see `connect`
    if credentials:
        encoded = base64.b64encode(urllib.parse.unquote(credentials).encode()).decode()
        request.add_header("Authorization", f"Basic {encoded}")
    return request


@contextlib.contextmanager
def started_run(name: str, tags: Mapping[str, str], nested: bool = False) -> Iterator[mlflow.ActiveRun]:
    """Start an MLflow run of the project's experiment; it ends KILLED when interrupted, FAILED on a fault, or FINISHED.

    Raises CommandError where MLflow fails halfway; runs that are finished are kept.
    """
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        uri = mlflow.get_tracking_uri()
        # A local store keeps its artifacts beside it.
        store = Path(uri.removeprefix("sqlite:///")).parent / "mlruns" if uri.startswith("sqlite:") else None
        mlflow.create_experiment(EXPERIMENT, artifact_location=store.as_uri() if store else None)
    mlflow.set_experiment(EXPERIMENT)
    try:
        active = mlflow.start_run(run_name=name, tags=dict(tags), nested=nested)
        status = RunStatus.FAILED
        try:
            yield active
            status = RunStatus.FINISHED
        except KeyboardInterrupt:
            status = RunStatus.KILLED
            raise
        finally:
            mlflow.end_run(RunStatus.to_string(status))
    except (MlflowException, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise CommandError(f"MLflow failed halfway ({reason}); finished runs are kept: run this again") from error


def log_dataset(folder: Path, source: DataSource) -> None:
    """Log the training data in the active run: folder and fingerprint, none of its rows."""
    dataset_source = CodeDatasetSource({"folder": str(folder), **source.model_dump(mode="json")})
    dataset = MetaDataset(dataset_source, source.tag, source.fingerprint[:36])  # type: ignore[abstract] # as MLflow does
    mlflow.log_input(dataset, context="training")


def log_curve(name: str, values: Sequence[float]) -> None:
    """Log a value for each step, from 1 on, in the active run, in batches: one call for each value would be slow."""
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("no run is active")
    now = int(time.time() * 1000)
    points = [Metric(name, value, now, step) for step, value in enumerate(values, start=1)]
    client = mlflow.MlflowClient()
    for start in range(0, len(points), MAX_POINTS_PER_BATCH):
        client.log_batch(run.info.run_id, metrics=points[start : start + MAX_POINTS_PER_BATCH])


def log_model(model: ScoringModel, example: pd.DataFrame) -> ModelVersion:
    """Log the model folder in the active run as a pyfunc model, with some rows of features as example; register it."""
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string if feature.categories else DataType.double, feature.name, required=False)
        for feature in model.manifest.features
    ]
    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(ROOT / "research" / "registry" / "pyfunc_model.py"),
        artifacts={"model": str(model.folder)},
        code_paths=[str(ROOT / "bento")],
        signature=ModelSignature(Schema(columns), Schema([ColSpec(DataType.double, "probability_of_default")])),
        input_example=example,
        pip_requirements=[f"{package}=={version(package)}" for package in SERVING_PACKAGES],
    )
    return mlflow.register_model(info.model_uri, NAME)


def registered(client: mlflow.MlflowClient, alias: str) -> ModelVersion | None:
    """Return the registered version that carries an alias, or None."""
    try:
        return client.get_model_version_by_alias(NAME, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise CommandError(f"the registry cannot be read: {str(error).splitlines()[0]}") from error


def champion(client: mlflow.MlflowClient) -> ModelVersion:
    """Return the registered version that carries the alias `champion`; raise CommandError where there is none yet."""
    champion_version = registered(client, CHAMPION)
    if champion_version is None:
        raise CommandError(f"no {CHAMPION} of {NAME} is registered; make one with: make train promote")
    return champion_version


def run_id(version: ModelVersion) -> str:
    """Return the run that registered a version; raise CommandError where it was registered outside a run."""
    if version.run_id is None:
        raise CommandError(f"version {version.version} of {NAME} has no run: it was not registered by `make train`")
    return version.run_id


def move_aliases(client: mlflow.MlflowClient, champion: str, previous: str | None) -> None:
    """Set both aliases, `previous` first, so that an error between the two calls leaves a champion."""
    if previous is not None:
        client.set_registered_model_alias(NAME, PREVIOUS, previous)
    elif registered(client, PREVIOUS):
        client.delete_registered_model_alias(NAME, PREVIOUS)
    client.set_registered_model_alias(NAME, CHAMPION, champion)


def model_folder(registered: ModelVersion, into: Path) -> Path:
    """Download the model folder of a registered version."""
    into.mkdir(parents=True, exist_ok=True)
    uri = f"models:/{NAME}/{registered.version}"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(into))) / "artifacts" / "model"
