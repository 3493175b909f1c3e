"""Make a model folder in about a second: few trees on few clients, for tests that need any model.

`write_small_model` uses packages of the serving environment only.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile
from bento.data.readers import read_application, read_history
from bento.data.tables import HISTORIES, TARGET
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, catalogue_hash
from bento.model.manifest import (
    EXAMPLES_FILE,
    SCORING_FILE,
    Calibration,
    DataSource,
    Example,
    Examples,
    ModelFeature,
    ModelManifest,
)
from bento.model.peer_groups import AMOUNTS, MIN_GROUP_SIZE, RATIOS, PeerGroup, Range, Reference
from bento.model.predictors import BoosterPredictor, LinearPredictor, Term
from bento.model.scoring_model import ScoringModel, digests, encode, probability
from tests.support.clients import make_credit_files

TREES = 60
EXAMPLES = 20
THRESHOLD = 0.09
FEATURES = (
    "application_ext_source_1",
    "application_ext_source_2",
    "application_ext_source_3",
    "application_ext_source_mean",
    "application_credit",
    "application_annuity",
    "application_goods_price",
    "application_credit_to_annuity",
    "application_credit_to_goods_price",
    "application_annuity_to_income",
    "application_due_in_previous_term_to_credit",
    "application_occupation",
    "bureau_debt_to_loan",
    "previous_refused_share",
    "installments_days_late_mean",
    "installments_late_share",
)
SOURCE = DataSource(data="synthetic", clients=600, seed=1, fingerprint="0" * 64)


def train_trees(
    features: pl.DataFrame, target: Sequence[int] | np.ndarray, columns: list[ModelFeature]
) -> BoosterPredictor:
    """Train `TREES` small trees, in one thread, so that they are the same on every machine."""
    names = [column.name for column in columns]
    dataset = lightgbm.Dataset(encode(features, columns), np.asarray(target), feature_name=names)
    settings = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": 1}
    return BoosterPredictor(lightgbm.train(settings, dataset, TREES))


def manifest(columns: list[ModelFeature], family: str = "lightgbm", source: DataSource = SOURCE) -> ModelManifest:
    """Return a manifest with a calibration that is not the identity."""
    return ModelManifest(
        family=family,
        features=columns,
        calibration=Calibration(slope=0.9, intercept=-0.1),
        threshold=THRESHOLD,
        training_data=source,
        code_version="test",
        metrics={"out_of_fold_auc": 0.7},
    )


def train_line(
    features: pl.DataFrame, target: Sequence[int] | np.ndarray, columns: list[ModelFeature]
) -> LinearPredictor:
    """Fit a linear model by Newton's steps on the standardised numbers; a category has the log-odds of its clients."""
    matrix, outcome = encode(features, columns), np.asarray(target, dtype=np.float64)
    missing, share = np.isnan(matrix), outcome.mean()
    effects = {
        at: [_log_odds(outcome[matrix[:, at] == code], share) for code in range(len(column.categories))]
        for at, column in enumerate(columns)
        if column.categories
    }
    for at, values in effects.items():
        matrix[~missing[:, at], at] = np.array(values)[matrix[~missing[:, at], at].astype(int)]
    means, deviations = np.nanmean(matrix, axis=0), np.nanstd(matrix, axis=0) + 1e-9
    rows = np.column_stack([np.ones(len(matrix)), np.where(missing, 0, (matrix - means) / deviations)])
    weights = np.zeros(rows.shape[1])
    for _ in range(20):
        chance = 1 / (1 + np.exp(-rows @ weights))
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.eye(rows.shape[1])
        weights += np.linalg.solve(curvature, rows.T @ (outcome - chance) - weights)
    terms = []
    for at, (column, slope) in enumerate(zip(columns, weights[1:] / deviations, strict=True)):
        if column.categories:
            by_code = [float(slope * (value - means[at])) for value in effects[at]]
            terms.append(Term(feature=column.name, effects=by_code, missing=0.0, mean=0.0))
        else:
            low, high = np.nanmin(matrix[:, at]), np.nanmax(matrix[:, at])
            offset = float(-slope * means[at])
            term = Term(feature=column.name, low=low, high=high, weight=slope, offset=offset, missing=0.0, mean=0.0)
            terms.append(term)
    return LinearPredictor(intercept=float(weights[0]), terms=terms)


def _log_odds(outcomes: np.ndarray, share: float) -> float:
    """Return the log-odds of a group's defaults, drawn towards `share` as by ten more clients."""
    chance = (outcomes.sum() + 10 * share) / (len(outcomes) + 10)
    return float(np.log(chance / (1 - chance)))


TRAIN = {"lightgbm": train_trees, "linear": train_line}


def write_small_model(
    folder: Path, data: Path, names: Sequence[str] = FEATURES, family: str = "lightgbm"
) -> ScoringModel:
    """Train on the applications of a folder of raw tables, write the model folder, and read it back."""
    applications = read_application(data, "application_train", [TARGET])
    features = build_features(
        clean({"application": applications.drop(TARGET.name), **{name: read_history(data, name) for name in HISTORIES}})
    )
    columns = [ModelFeature(name=name, categories=list(CATALOGUE[name].categories)) for name in names]
    folder.mkdir(parents=True)
    TRAIN[family](features, applications[TARGET.name].to_list(), columns).save(folder)
    describe_clients(applications, features, names).save(folder)
    (folder / SCORING_FILE).write_text(manifest(columns, family).model_dump_json(indent=1) + "\n")
    model = ScoringModel(folder)
    examples = [_example(model, credit_file) for credit_file in make_credit_files(EXAMPLES)]
    contents = Examples(catalogue=catalogue_hash(), files=digests(folder), examples=examples)
    (folder / EXAMPLES_FILE).write_text(contents.model_dump_json() + "\n")
    model.verify()
    return model


def describe_clients(applications: pl.DataFrame, features: pl.DataFrame, names: Sequence[str]) -> Reference:
    """Return ranges of the amounts, and medians by source of income and of all clients."""
    ratios = [(pl.col(top) / pl.col(bottom)).alias(name) for name, (top, bottom) in RATIOS.items()]
    values = applications.select(*AMOUNTS, *ratios)
    ranges = {column.name: Range(low=column.quantile(0.001), high=column.quantile(0.999)) for column in values}
    groups = []
    for income_type in (*sorted(applications["NAME_INCOME_TYPE"].drop_nulls().unique()), None):
        members = features.filter(
            applications["NAME_INCOME_TYPE"].eq_missing(income_type) if income_type else pl.repeat(True, len(features))
        )
        if len(members) >= MIN_GROUP_SIZE:
            medians = {name: _median(members[name]) for name in names}
            group = PeerGroup(income_type=income_type, low=None, high=None, clients=len(members), medians=medians)
            groups.append(group)
    return Reference(ranges=ranges, groups=groups)


def _median(values: pl.Series) -> float | str | None:
    present = values.drop_nulls()
    if 2 * len(present) < len(values):
        return None
    return str(present.mode().sort()[0]) if present.dtype == pl.String else float(present.median())  # type: ignore[arg-type]


def _example(model: ScoringModel, credit_file: dict[str, Any]) -> Example:
    features = model.features([CreditFile.model_validate_json(json.dumps(credit_file))])
    log_odds = float(model.log_odds(features)[0])
    return Example(
        credit_file=credit_file,
        features=features.select(model.feature_names).row(0, named=True),
        log_odds=log_odds,
        probability_of_default=probability(log_odds),
    )
