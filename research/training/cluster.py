"""Train on a Dask cluster: what it takes, and what is refused."""

import os
from dataclasses import dataclass

from bento.rules.measures import HISTORY_FEATURES
from research.cli import CommandError
from research.data.dataset import Data, Rows
from research.data.feature_table import feature_files
from research.training import boosting
from research.training.cross_fitting import Fitted, catalogue_names
from research.training.settings import Settings
from research.training.tuning import Tuned, prepared


@dataclass(frozen=True)
class Cluster:
    """Where Dask runs: the address of its scheduler, or as many processes as `workers` on this machine."""

    scheduler: str | None = None
    workers: int = os.cpu_count() or 1


def check_cluster_can_train(data: Data, settings: Settings) -> None:
    """Refuse what Dask cannot train.

    Raises:
        CommandError: there is no feature table, the family is no booster alone, or Dask is not installed.
    """
    if data.feature_table is None:
        raise CommandError(
            "--engine dask trains from a feature table: make one with python -m bento portfolio features, and name it "
            "with --features"
        )
    if settings.family != "lightgbm":
        raise CommandError(
            f"--engine dask trains boosters alone, not the family {settings.family}, whose linear part needs all "
            "clients on one machine: add --family lightgbm, or leave --engine out"
        )
    try:
        import research.training.dask_engine  # noqa: F401, PLC0415 - it imports Dask, which most installations lack
    except ModuleNotFoundError as error:
        raise CommandError(
            f"--engine dask needs the package {error.name}: uv sync --group dask (docs/portfolio.md)"
        ) from error


def fit_on_cluster(data: Data, settings: Settings, cluster: Cluster) -> tuple[Rows, Fitted, Tuned | None]:
    """Fit boosters by Dask from the feature table; return the development rows too, with what the results need of them.

    Features are chosen, and parameters tuned, on a sample that one machine holds.

    Raises:
        CommandError: as `check_cluster_can_train`, or one class only, or fewer defaults than folds.
        DataError: the feature table cannot be used.
    """
    check_cluster_can_train(data, settings)
    from research.training import dask_engine  # noqa: PLC0415

    assert data.feature_table is not None  # noqa: S101 - checked
    clients = data.rows("development", [])
    files = feature_files(data.feature_table, data.source.fingerprint)
    table = dask_engine.table_of(files, clients.features["SK_ID_CURR"], clients.target, clients.person)
    sample = table.sample(catalogue_names(settings.with_age, lawful=settings.lawful), settings.seed)
    choose_best, tuned = prepared(sample.matrix, settings)
    parameters = tuned.parameters if tuned else boosting.PARAMETERS
    with dask_engine.connected(cluster) as client:
        fitted = dask_engine.fit(
            client, table, sample, settings.folds, settings.seed, choose_best, settings.constraints, parameters
        )
    served = [feature.name for feature in fitted.features]
    return data.rows("development", [*served, *HISTORY_FEATURES]), fitted, tuned
