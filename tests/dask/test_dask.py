"""Boosters that a cluster trains from a feature table tell defaults as well as those of one machine."""

import json
import os
from pathlib import Path

import dask
import numpy as np
import polars as pl
import pytest
from distributed import Client
from sklearn.metrics import roc_auc_score

from bento.__main__ import main
from bento.data.files import DataError
from bento.model.scoring_model import ScoringModel, encode
from research import tracking
from research.cli import CommandError
from research.data.dataset import DATA, Data
from research.registry.promote import contract
from research.training import boosting, dask_engine
from research.training.cluster import Cluster
from research.training.cross_fitting import model_features
from research.training.settings import Settings
from research.training.train import train
from research.types import OutOfFold, TrainingMatrix

CLIENTS, PARTS, FOLDS, SEED = 5_000, 5, 2, 1
NAMES = [
    "application_ext_source_1",
    "application_ext_source_2",
    "application_ext_source_3",
    "application_credit",
    "application_annuity_to_income",
    "application_occupation",
]
PARAMETERS = boosting.PARAMETERS | {"learning_rate": 0.3, "num_leaves": 5, "feature_fraction": 0.8}
"""Few splits: at each, the workers wait for each other."""
RESAMPLES = 200


def _made_up() -> tuple[pl.DataFrame, np.ndarray]:
    """Return features of clients in no order, and outcomes that depend on them."""
    random = np.random.default_rng(3)
    scores = random.uniform(size=(CLIENTS, 3))
    burden, laborer = random.lognormal(-1.8, 0.4, CLIENTS), random.uniform(size=CLIENTS) < 0.4
    log_odds = -1.2 - 2.5 * scores[:, 1] - 1.5 * scores[:, 2] ** 2 + 4 * burden + 0.6 * laborer
    features = pl.DataFrame(
        {
            "SK_ID_CURR": random.permutation(CLIENTS) + 100_001,
            **{f"application_ext_source_{number + 1}": scores[:, number] for number in range(3)},
            "application_credit": random.lognormal(13, 0.5, CLIENTS),
            "application_annuity_to_income": burden,
            "application_occupation": np.where(laborer, "Laborers", "Managers"),
        }
    )
    rare = pl.int_range(CLIENTS) % 5 == 0
    features = features.with_columns(pl.when(rare).then(None).otherwise(pl.col(NAMES[0])).alias(NAMES[0]))
    return features, (random.uniform(size=CLIENTS) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dask_engine.Table:
    """Return the made-up clients in sorted parts; a tenth of the clients of the files is not trained on."""
    features, target = _made_up()
    folder = tmp_path_factory.mktemp("features [1]")
    paths = [folder / f"part-{number}.parquet" for number in range(PARTS)]
    for path, part in zip(paths, features.sort("SK_ID_CURR").iter_slices(CLIENTS // PARTS), strict=True):
        part.write_parquet(path)
    trained = np.arange(CLIENTS) % 10 > 0
    clients = features["SK_ID_CURR"].filter(pl.Series(trained))
    return dask_engine.table_of(paths, clients, target[trained], np.arange(trained.sum()))


@pytest.fixture(scope="module")
def one_machine() -> OutOfFold:
    """Return the scores of boosters that one machine trains on the same clients."""
    features, target = _made_up()
    trained = np.arange(CLIENTS) % 10 > 0
    own, outcomes = features.filter(pl.Series(trained)), target[trained]
    columns = model_features(NAMES, own)
    matrix = encode(own, columns)
    data = TrainingMatrix(matrix=matrix, target=outcomes, columns=columns, person=np.arange(len(own)))
    return boosting.fit(data, FOLDS, SEED, constraints=True, parameters=PARAMETERS).out_of_fold


def _difference(ours: OutOfFold, theirs: OutOfFold) -> tuple[float, float]:
    """Return how much more AUC ours have than theirs, and its standard error by resampled clients."""

    def difference(chosen: np.ndarray) -> float:
        target = ours.target[chosen]
        return float(roc_auc_score(target, ours.log_odds[chosen]) - roc_auc_score(target, theirs.log_odds[chosen]))

    random, everyone = np.random.default_rng(SEED), np.arange(len(ours.target))
    return difference(everyone), float(
        np.std([difference(random.choice(everyone, len(everyone))) for _ in range(RESAMPLES)])
    )


@pytest.mark.promise("boosters that two machines train by Dask rank clients as well as those of one, within noise")
@pytest.mark.parametrize("size", [CLIENTS, 1_500], ids=["all clients", "a sample"])
def test_a_cluster_trains_as_well_as_one_machine(
    cluster: Client, table: dask_engine.Table, one_machine: OutOfFold, size: int
):
    sample = table.sample(NAMES, SEED, size)

    fitted = dask_engine.fit(cluster, table, sample, FOLDS, SEED, lambda *_: NAMES, True, PARAMETERS)

    ours = fitted.out_of_fold
    assert np.isfinite(ours.log_odds).all()
    np.testing.assert_array_equal(ours.target, one_machine.target)
    np.testing.assert_array_equal(ours.fold, one_machine.fold)
    assert roc_auc_score(ours.target, ours.log_odds) > 0.7
    difference, error = _difference(ours, one_machine)
    assert abs(difference) < 3 * error, f"AUC differs by {difference:.4f} ± {error:.4f}"
    assert np.mean(ours.probability) == pytest.approx(np.mean(ours.target), rel=0.05)


def test_the_booster_that_is_served_is_trained_on_all_clients_and_monotone(cluster: Client, table: dask_engine.Table):
    sample = table.sample(NAMES, SEED, 1_500)
    fitted = dask_engine.fit(cluster, table, sample, FOLDS, SEED, lambda *_: NAMES, True, PARAMETERS)

    assert [feature.name for feature in fitted.features] == NAMES
    features, _ = _made_up()
    matrix = encode(features[:500], fitted.features)
    scores = [
        fitted.predictor.log_odds(np.column_stack([matrix[:, 0], np.full(500, value), matrix[:, 2:]]))
        for value in np.linspace(0, 1, 11)
    ]
    assert (np.diff(scores, axis=0) <= 1e-12).all(), "a higher score of a credit bureau raises the risk"
    root_counts = [
        int(line.split("=")[1].split()[0])
        for line in fitted.predictor.text.splitlines()
        if line.startswith("internal_count=")
    ]
    assert max(root_counts) > 0.7 * len(table.target), "a tree saw the clients of one worker only"


def test_each_client_is_read_with_its_own_outcome(table: dask_engine.Table):
    features, target = _made_up()
    trained = np.arange(CLIENTS) % 10 > 0
    sample = table.sample(NAMES, SEED, 700)
    own = features.filter(pl.Series(trained))[sample.clients]
    np.testing.assert_array_equal(sample.matrix.matrix, encode(own, sample.matrix.columns))
    np.testing.assert_array_equal(sample.matrix.target, target[trained][sample.clients])


def test_a_client_without_features_is_an_error(table: dask_engine.Table):
    paths = [part.path for part in table.parts]
    with pytest.raises(DataError, match="1 training clients have no features"):
        dask_engine.table_of(paths, pl.Series([100_001, 7]), np.array([0, 1]), np.array([0, 1]))


def test_a_model_is_registered_as_that_of_one_machine(
    client_of_mlflow, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(boosting, "PARAMETERS", PARAMETERS)
    out = tmp_path / "features"
    options = ["--data", str(data.folder), "--out", str(out), "--part-clients", "400", "--workers", "2"]
    assert main(["portfolio", "features", *options]) == 0
    settings = Settings(family="lightgbm", folds=2, trials=0, lime_samples=100)

    registered = train(Data(data.folder, out), settings, Cluster(workers=2))

    assert tracking.registered(client_of_mlflow, tracking.CHALLENGER).version == registered.version
    assert client_of_mlflow.get_run(registered.run_id).data.params["engine"] == "dask"
    results = DATA / "results" / registered.run_id
    model = ScoringModel(results / "model")
    assert contract(model.folder).passed
    report = json.loads((results / "results.json").read_text())
    assert report["metrics"]["out_of_fold_clients"] == (data.splits == "development").sum()
    assert report["metrics"]["out_of_fold_auc"] > 0.55
    assert model.manifest.calibration.slope > 0


def test_a_worker_that_is_killed_ends_in_one_line():
    with (
        pytest.raises(CommandError, match="a worker of Dask was killed, mostly for want of memory: give more"),
        dask_engine.connected(Cluster(workers=1)) as client,
    ):
        client.submit(os._exit, 1).result()


def test_an_address_without_a_scheduler_is_an_error():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(CommandError, match=r"no scheduler of Dask answers at tcp://127\.0\.0\.1:1: start one"),
        dask_engine.connected(Cluster("tcp://127.0.0.1:1")),
    ):
        pass
