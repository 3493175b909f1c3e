"""MLflow: its configuration, what a training run logs, and the registry of models."""

import base64
import contextlib
import http.client
import logging
import os
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow
import polars as pl
import sqlalchemy as sa
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bento import NAME, require_writable
from bento.features.catalogue import catalogue_hash
from bento.model.manifest import EXAMPLES_FILE, FOLDER_FORMAT, DataSource, Examples
from bento.model.scoring_model import ScoringModel
from research.cli import ROOT, CommandError, exclusive, first_line
from research.data import splits
from research.settings import Settings

EXPERIMENT = "credit_scoring"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
"""Aliases in the registry: the version that is served, the candidate for it, and the version before it."""
PROMOTED_OVER = "promoted_over"
"""Tag of a version: the champion that it replaced."""
BEST_CHAMPION = "best_champion"
"""Tag of a version: the cheapest champion so far, when it was promoted."""
DATA_TAG = "data"
CATALOGUE_TAG = "catalogue"
FORMAT_TAG = "folder_format"
SPLITS_TAG = "splits"
CAPACITY_TAG = "review_capacity"
MAX_POINTS_PER_BATCH = 1000
"""MLflow's limit of metrics in one `log_batch`."""
HEALTH_TIMEOUT_S = 5
"""Seconds that a tracking server may take to answer `/health`, or a database to connect."""
FOLDER_IN_LOGGED_MODEL = Path("artifacts") / "model"
"""Path of the model folder inside a model as MLflow logs it."""
SERVING_PACKAGES = ("lightgbm", "numpy", "polars", "pydantic")


def made_from(source: DataSource) -> dict[str, str]:
    """Return the tags of runs and versions made from this data by this code."""
    return {
        DATA_TAG: source.tag,
        CATALOGUE_TAG: catalogue_hash(),
        FORMAT_TAG: FOLDER_FORMAT,
        SPLITS_TAG: splits.VERSION,
    }


def connect() -> mlflow.MlflowClient:
    """Connect to the MLflow store that the environment names, by default an SQLite file at the root of the project.

    Raises CommandError where the store is a server that does not answer, or cannot be used.
    """
    os.environ |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_LOG_UV_FILES": "false"}
    # MLflow's default of 7 retries waits minutes for a server that has stopped.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # It logs each failure of the database with a traceback, and raises it too.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    uri = Settings().mlflow_tracking_uri
    if uri.startswith(("http://", "https://")):
        try:
            with urllib.request.urlopen(_health_request(uri), timeout=HEALTH_TIMEOUT_S):  # noqa: S310 - http only, above
                pass
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CommandError(
                f"MLflow does not answer at {uri} ({error}); start it or unset MLFLOW_TRACKING_URI"
            ) from error
    try:
        _check_database(uri)
        mlflow.set_tracking_uri(uri)
        with registry_lock("makes the tables of MLflow"):
            return mlflow.MlflowClient()
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        raise CommandError(
            f"MLflow cannot be used at {uri}: {first_line(error)}; correct or unset MLFLOW_TRACKING_URI, or try again "
            "once its database answers"
        ) from error


def _database(uri: str) -> sa.URL | None:
    """Return the address of the database in which MLflow keeps its store, or None where that is not one."""
    if uri.partition(":")[0].partition("+")[0] not in DATABASE_ENGINES:
        return None
    try:
        return sa.make_url(uri)
    except (ArgumentError, ValueError):
        # `from None`, without the message of the cause: it may quote a part of the password.
        raise CommandError(
            "MLFLOW_TRACKING_URI is no address such as sqlite:////folder/mlflow.db or http://host:5000; write @ and : "
            "in a password as %40 and %3A"
        ) from None


def _check_database(uri: str) -> None:
    """Connect once to a store that is a database: MLflow would try for two minutes, and print each failure."""
    url = _database(uri)
    if url is None:
        return
    if (file := _file(url)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    timeout = {"sqlite": "timeout", "postgresql": "connect_timeout", "mysql": "connect_timeout"}
    name = timeout.get(url.get_backend_name())
    engine = sa.create_engine(url, connect_args={name: HEALTH_TIMEOUT_S} if name else {})
    try:
        sa.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _file(url: sa.URL) -> Path | None:
    """Return the file of an SQLite store, or None where the database is another."""
    in_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)).absolute() if in_file else None


def registry_lock(activity: str) -> contextlib.AbstractContextManager[None]:
    """Return a lock by which one process at a time changes a store in a file; a server serves many at once."""
    url = _database(Settings().mlflow_tracking_uri)
    file = None if url is None else _file(url)
    if file is None or not os.access(file.parent, os.W_OK):  # a store that may only be read has no place for a lock
        return contextlib.nullcontext()
    return exclusive(file.with_name(f"{file.name}.lock"), activity)


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

    Raises CommandError where MLflow fails halfway (runs that are finished are kept), and PermissionError, before any
    work, where results or artifacts could not be written.
    """
    require_writable(Settings().scoring_data / "results")
    try:
        if mlflow.get_experiment_by_name(EXPERIMENT) is None:
            url = _database(mlflow.get_tracking_uri())
            file = None if url is None else _file(url)
            # A store in a file keeps its artifacts beside it.
            artifacts = None if file is None else (file.parent / "mlruns").as_uri()
            mlflow.create_experiment(EXPERIMENT, artifact_location=artifacts)
        mlflow.set_experiment(EXPERIMENT)
        active = mlflow.start_run(run_name=name, tags=dict(tags), nested=nested)
        status = RunStatus.FAILED
        try:
            place = urllib.parse.urlsplit(active.info.artifact_uri)
            if place.scheme in ("", "file"):
                require_writable(Path(urllib.request.url2pathname(place.path)))
            yield active
            status = RunStatus.FINISHED
        except KeyboardInterrupt:
            status = RunStatus.KILLED
            raise
        finally:
            mlflow.end_run(RunStatus.to_string(status))
    except (MlflowException, SQLAlchemyError) as error:
        raise CommandError(
            f"MLflow failed halfway ({first_line(error)}); finished runs are kept: run this again"
        ) from error


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


def log_model(model: ScoringModel) -> ModelVersion:
    """Log the model folder in the active run as a pyfunc model, with its first example's features; register it."""
    content = Examples.model_validate_json((model.folder / EXAMPLES_FILE).read_bytes())
    example = pl.DataFrame(content.examples[0].features).to_pandas()
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
        raise CommandError(f"the registry cannot be read: {first_line(error)}; try again once it answers") from error


def numbered(client: mlflow.MlflowClient, number: str) -> ModelVersion | None:
    """Return a registered version by its number, or None where it was deleted."""
    try:
        return client.get_model_version(NAME, number)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise CommandError(f"the registry cannot be read: {first_line(error)}; try again once it answers") from error


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


def model_uri(version: ModelVersion) -> str:
    """Return the address of a registered version's artifacts; raise CommandError where they cannot be had.

    By version, not by alias, which may move meanwhile.
    """
    uri = f"models:/{NAME}/{version.version}"
    with _fetched(version):
        mlflow.models.get_model_info(uri)
    return uri


def logged_model(version: ModelVersion, into: Path) -> Path:
    """Download a registered version as MLflow logged it; raise CommandError where its artifacts cannot be had."""
    into.mkdir(parents=True, exist_ok=True)
    uri = model_uri(version)
    with _fetched(version):
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(into)))


def model_folder(version: ModelVersion, into: Path) -> Path:
    """Download the model folder of a registered version; raise CommandError where its artifacts cannot be had."""
    return logged_model(version, into) / FOLDER_IN_LOGGED_MODEL


@contextlib.contextmanager
def _fetched(version: ModelVersion) -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise CommandError(
            f"the artifacts of {NAME} version {version.version} cannot be fetched ({first_line(error)}); where they "
            "are gone, bring them back, or replace the version: make train, then python -m research promote --new-data"
        ) from error
