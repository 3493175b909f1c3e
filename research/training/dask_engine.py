"""Train LightGBM on a Dask cluster, from a feature table that no machine need hold as a whole.

The workers read the parts of the table and hold the training matrix between them; the process that starts them holds of
all clients the outcome, the fold and the score, and of `SAMPLE` clients every feature.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import dask.array
import lightgbm
import numpy as np
import polars as pl
from distributed import Client, KilledWorker, LocalCluster

from bento.data.files import DataError
from bento.model.manifest import ModelFeature
from bento.model.predictors import BoosterPredictor
from bento.model.scoring_model import encode
from research.cli import CommandError
from research.data.splits import fold_rows
from research.training import boosting
from research.training.cluster import Cluster
from research.training.cross_fitting import Choose, Fitted, model_features, select_columns
from research.types import Booleans, Floats, Integers, OutOfFold, TrainingMatrix

SAMPLE = 50_000
"""Clients on whom features are chosen and described, and the number of trees is bounded: on one machine."""
HEADROOM = 2.0
"""Trees of a fold's booster, times those at which early stopping ends on the sample: more clients suit more trees."""
STEPS = 40
"""Numbers of trees at which the loss of a fold is measured."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The clients of one file of the feature table who are trained on."""

    path: Path
    rows: Integers
    """Their rows in the file."""
    clients: Integers
    """Their positions among all clients."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Some clients, with features that one machine holds."""

    clients: Integers
    """Their positions among all clients."""
    matrix: TrainingMatrix


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A feature table in parts, with what is known of its clients."""

    parts: Sequence[Part]
    target: Integers
    """1 where the client defaulted."""
    person: Integers
    """As `TrainingMatrix.person`."""

    def sample(self, names: Sequence[str], seed: int, size: int = SAMPLE) -> Sample:
        """Draw at most `size` clients by seed, and read their named features."""
        drawn = np.sort(np.random.default_rng(seed).permutation(len(self.target))[:size])
        own = [np.isin(part.clients, drawn) for part in self.parts]
        read = [_read(part, chosen, names) for part, chosen in zip(self.parts, own, strict=True)]
        clients = np.concatenate([part.clients[chosen] for part, chosen in zip(self.parts, own, strict=True)])
        features = pl.concat(read)[np.argsort(clients)]
        columns = model_features(names, features)
        matrix = encode(features, columns)
        of_drawn = {"target": self.target[drawn], "person": self.person[drawn]}
        return Sample(clients=drawn, matrix=TrainingMatrix(matrix=matrix, columns=columns, **of_drawn))


def table_of(paths: Sequence[Path], clients: pl.Series, target: Integers, person: Integers) -> Table:
    """Find the clients in the files of a feature table, of which only the ids are read.

    `clients` are SK_ID_CURR of those who are trained on, with their `target` and `person`.

    Raises:
        DataError: a client is in no file.
    """
    positions = clients.to_frame("SK_ID_CURR").with_row_index("client")
    parts = []
    for path in paths:
        ids = pl.read_parquet(path, columns=["SK_ID_CURR"], glob=False).with_row_index("row")
        own = ids.join(positions, on="SK_ID_CURR", maintain_order="left")
        if len(own):
            rows, of_clients = (own[name].cast(pl.Int64).to_numpy() for name in ("row", "client"))
            parts.append(Part(path=path, rows=rows, clients=of_clients))
    if lacking := len(clients) - sum(len(part.clients) for part in parts):
        raise DataError(f"{paths[0].parent}: {lacking:,} training clients have no features; make them again")
    return Table(parts=parts, target=target, person=person)


@contextlib.contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """Yield a client of a cluster, whose processes are made here where it has no scheduler.

    Raises:
        CommandError: no scheduler answers at the address; a worker was killed.
    """
    with contextlib.ExitStack() as stack:
        if cluster.scheduler is None:
            local = LocalCluster(n_workers=cluster.workers, threads_per_worker=1, dashboard_address=None)
            client = stack.enter_context(Client(stack.enter_context(local)))
        else:
            try:
                client = stack.enter_context(Client(cluster.scheduler))
            except (OSError, ValueError) as error:
                raise CommandError(
                    f"no scheduler of Dask answers at {cluster.scheduler}: start one with dask scheduler, and name it "
                    "as --scheduler tcp://host:8786"
                ) from error
        try:
            yield client
        except KilledWorker as error:
            raise CommandError(
                "a worker of Dask was killed, mostly for want of memory: give more workers, or smaller parts "
                "(python -m bento portfolio features --part-clients)"
            ) from error


def fit(
    client: Client,
    table: Table,
    sample: Sample,
    folds: int,
    seed: int,
    choose: Choose,
    constraints: bool,
    parameters: dict[str, Any],
) -> Fitted:
    """Fit a booster for each fold, and one on all clients, as `boosting.fit` does on one machine.

    Features are chosen on the clients of the sample, for a fold on those that train it. Early stopping cannot be asked
    of LightGBM's Dask interface: a fold's booster is trained to a number of trees that the sample bounds, and the loss
    of its validation clients is measured at `STEPS` numbers. Monotone constraints are held by LightGBM's method
    "basic", the only one that it has on many machines.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    drawn, of_sample = sample.clients, sample.matrix
    splits = fold_rows(table.target, table.person, folds, seed)
    everyone = np.ones(len(table.target), dtype=np.bool_)
    all_columns = select_columns(of_sample, np.arange(len(drawn)), choose, seed).columns
    trees = _most_trees(of_sample.select([column.name for column in all_columns]), seed, constraints, parameters)
    counts = np.unique(np.linspace(1, trees, STEPS).round().astype(np.int64))
    fold_models, losses = [], []
    for number, (train, _) in enumerate(splits):
        is_training = np.zeros(len(everyone), dtype=np.bool_)
        is_training[train] = True
        columns = select_columns(of_sample, np.flatnonzero(is_training[drawn]), choose, seed + number).columns
        text = _trained(client, table, is_training, columns, trees, seed + number, constraints, parameters)
        fold_models.append((text, columns))
        losses.append(_losses(client, table, ~is_training, columns, text, counts))
    best = [int(counts[np.argmin(_mean_without(losses, number))]) for number in range(folds)]
    scores = [
        _scores(client, table, validation, columns, text, count)
        for (_, validation), (text, columns), count in zip(splits, fold_models, best, strict=True)
    ]
    served = int(counts[np.argmin(np.mean(losses, axis=0))])
    text = _trained(client, table, everyone, all_columns, served, seed, constraints, parameters)
    return Fitted(
        predictor=BoosterPredictor(text),
        features=all_columns,
        out_of_fold=OutOfFold.from_folds(table.target, splits, scores),
        rounds=best,
        capped=sum(int(np.argmin(loss)) == len(counts) - 1 for loss in losses),
        curves={boosting.LOSS: np.interp(np.arange(1, trees + 1), counts, np.mean(losses, axis=0)).tolist()},
    )


def _mean_without(losses: Sequence[Floats], number: int) -> Floats:
    return np.asarray(np.mean([*losses[:number], *losses[number + 1 :]], axis=0))


def _most_trees(data: TrainingMatrix, seed: int, constraints: bool, parameters: dict[str, Any]) -> int:
    params = boosting.booster_params(data, parameters, constraints)
    booster, _ = boosting.train_booster(data, np.arange(len(data)), seed, params)
    return min(round(HEADROOM * booster.best_iteration), boosting.max_trees(parameters))


def _trained(
    client: Client,
    table: Table,
    chosen: Booleans,
    columns: list[ModelFeature],
    trees: int,
    seed: int,
    constraints: bool,
    parameters: dict[str, Any],
) -> str:
    """Train a booster on the chosen clients; return it as text."""
    rows, targets = [], []
    for part in table.parts:
        own = chosen[part.clients]
        if not own.any():
            continue
        shape = int(own.sum())
        delayed = dask.delayed(_matrix)(part, own, columns)
        rows.append(dask.array.from_delayed(delayed, (shape, len(columns)), np.float64))
        targets.append(dask.array.from_array(table.target[part.clients[own]], chunks=shape))
    settings = boosting.monotone_constraint_params(columns) if constraints else {}
    settings = {**parameters, **settings} | ({"monotone_constraints_method": "basic"} if settings else {})
    # Not the classifier: it counts the classes on each worker, and one may hold no default.
    model = lightgbm.DaskLGBMRegressor(client=client, n_estimators=trees, random_state=seed, **settings)
    model.fit(
        dask.array.concatenate(rows),
        dask.array.concatenate(targets),
        feature_name=[column.name for column in columns],
        categorical_feature=[column.name for column in columns if column.categories],
    )
    text: str = model.booster_.model_to_string()
    return text


def _losses(
    client: Client, table: Table, chosen: Booleans, columns: list[ModelFeature], text: str, counts: Integers
) -> Floats:
    """Return the mean log-loss of the chosen clients at each number of trees."""
    tasks = [
        dask.delayed(_summed_losses)(part, own, columns, text, table.target[part.clients[own]], counts)
        for part in table.parts
        if (own := chosen[part.clients]).any()
    ]
    return np.asarray(np.sum(client.gather(client.compute(tasks)), axis=0) / chosen.sum())


def _scores(
    client: Client, table: Table, positions: Integers, columns: list[ModelFeature], text: str, trees: int
) -> Floats:
    """Return the log-odds of the clients at these positions."""
    chosen = np.zeros(len(table.target), dtype=np.bool_)
    chosen[positions] = True
    log_odds = np.full(len(chosen), np.nan)
    parts = [part for part in table.parts if chosen[part.clients].any()]
    tasks = [dask.delayed(_log_odds)(part, chosen[part.clients], columns, text, trees) for part in parts]
    for part, scores in zip(parts, client.gather(client.compute(tasks)), strict=True):
        log_odds[part.clients[chosen[part.clients]]] = scores
    return log_odds[positions]


def _read(part: Part, own: Booleans, names: Sequence[str]) -> pl.DataFrame:
    """Read the named features of the clients of a part whom `own` chooses; raise OSError where the file is not seen."""
    return pl.read_parquet(part.path, columns=list(names), glob=False).select(names)[part.rows[own]]


def _matrix(part: Part, own: Booleans, columns: list[ModelFeature]) -> Floats:
    return encode(_read(part, own, [column.name for column in columns]), columns)


def _summed_losses(
    part: Part, own: Booleans, columns: list[ModelFeature], text: str, target: Integers, counts: Integers
) -> Floats:
    booster, matrix = lightgbm.Booster(model_str=text), _matrix(part, own, columns)
    log_odds, done, losses = np.zeros(len(matrix)), 0, []
    for count in counts.tolist():
        log_odds += booster.predict(matrix, raw_score=True, start_iteration=done, num_iteration=count - done)
        done = count
        losses.append(float(np.logaddexp(0, np.where(target == 1, -log_odds, log_odds)).sum()))
    return np.array(losses)


def _log_odds(part: Part, own: Booleans, columns: list[ModelFeature], text: str, trees: int) -> Floats:
    booster = lightgbm.Booster(model_str=text)
    return np.asarray(booster.predict(_matrix(part, own, columns), raw_score=True, num_iteration=trees))
