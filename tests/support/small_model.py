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
from bento.data.tables import HISTORIES, TABLES, TARGET
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, catalogue_hash
from bento.model.given_fields import GivenFields
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
from bento.model.peer_groups import AMOUNTS, MIN_GROUP_SIZE, RATIOS, SHARES, PeerGroup, Plan, Product, Range, Reference
from bento.model.predictors import BlendPredictor, BoosterPredictor, LinearPredictor, Term
from bento.model.scoring_model import ScoringModel, digests, encode, probability
from bento.rules.measures import MEASURES, Inputs
from bento.scoring.loan_terms import credit_to_annuity
from tests.support.clients import make_credit_files

TREES = 60
EXAMPLES = 20
THRESHOLD = 0.09
LEARNT_SHARE = 0.05
"""Share of nulls from which a tree of these few clients may learn what unknown means."""
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
TERMS = (12, 18, 24, 36, 48, 60)
LOWEST_RATE, HIGHEST_RATE = 0.005, 0.035
"""Monthly rates at which cash loans of these terms are sold."""
SOURCE = DataSource(data="synthetic", clients=600, seed=1, fingerprint="0" * 64)


def train_trees(
    features: pl.DataFrame, target: Sequence[int] | np.ndarray, columns: list[ModelFeature]
) -> BoosterPredictor:
    """Train `TREES` small trees, in one thread, so that they are the same on every machine."""
    names = [column.name for column in columns]
    dataset = lightgbm.Dataset(encode(features, columns), np.asarray(target), feature_name=names)
    settings = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": 1}
    return BoosterPredictor(lightgbm.train(settings, dataset, TREES).model_to_string())


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
            ends = np.unique([np.nanmin(matrix[:, at]), np.nanmax(matrix[:, at])])
            at_ends = (slope * (ends - means[at])).tolist()
            terms.append(Term(feature=column.name, knots=ends.tolist(), effects=at_ends, missing=0.0, mean=0.0))
    return LinearPredictor(intercept=float(weights[0]), terms=terms)


def _log_odds(outcomes: np.ndarray, share: float) -> float:
    """Return the log-odds of a group's defaults, drawn towards `share` as by ten more clients."""
    chance = (outcomes.sum() + 10 * share) / (len(outcomes) + 10)
    return float(np.log(chance / (1 - chance)))


def train_blend(
    features: pl.DataFrame, target: Sequence[int] | np.ndarray, columns: list[ModelFeature]
) -> BlendPredictor:
    """Blend both families with weights that are not the same."""
    parts = {"lightgbm": train_trees(features, target, columns), "linear": train_line(features, target, columns)}
    return BlendPredictor.of(parts, {"lightgbm": 0.7, "linear": 0.3})


TRAIN = {"lightgbm": train_trees, "linear": train_line, "blend": train_blend}


def write_small_model(
    folder: Path, data: Path, names: Sequence[str] = FEATURES, family: str = "lightgbm"
) -> ScoringModel:
    """Train on the applications of a folder of raw tables, write the model folder, and read it back."""
    applications = read_application(data, "application_train", [TARGET])
    tables = {"application": applications.drop(TARGET.name), **{name: read_history(data, name) for name in HISTORIES}}
    features = build_features(clean(tables))
    columns = [_column(features[name]) for name in names]
    folder.mkdir(parents=True)
    TRAIN[family](features, applications[TARGET.name].to_list(), columns).save(folder)
    describe_clients(applications, features, names, _fields(tables)).save(folder)
    (folder / SCORING_FILE).write_text(manifest(columns, family).model_dump_json(indent=1) + "\n")
    model = ScoringModel(folder)
    examples = [_example(model, credit_file) for credit_file in make_credit_files(EXAMPLES)]
    contents = Examples(catalogue=catalogue_hash(), files=digests(folder), examples=examples)
    (folder / EXAMPLES_FILE).write_text(contents.model_dump_json() + "\n")
    model.verify()
    return model


def _column(values: pl.Series) -> ModelFeature:
    """Describe a feature; below `LEARNT_SHARE` of nulls, unknown is read as the middle or most frequent value."""
    categories = list(CATALOGUE[values.name].categories)
    present = values.filter(values.is_in(categories)) if categories else values.drop_nulls()
    share = 1 - len(present) / len(values)
    middle = present.sort()[(len(present) - 1) // 2]
    typical = present.mode().sort()[0] if categories else middle
    return ModelFeature(
        name=values.name, categories=categories, null_share=share, typical=typical if share < LEARNT_SHARE else None
    )


def _fields(tables: dict[str, pl.DataFrame]) -> dict[str, GivenFields]:
    """Return the share of clients without any value of a column; months belong to the client of their credit."""
    credits = tables["bureau"].select("SK_ID_BUREAU", "SK_ID_CURR")
    fields = {}
    for name, table in tables.items():
        rows = table.join(credits, on="SK_ID_BUREAU") if name == "bureau_balance" else table
        optional = [column.name for column in TABLES[name] if not column.required and column.name != "SK_ID_CURR"]
        clients = rows.partition_by("SK_ID_CURR")
        unknown = {
            column: sum(client[column].null_count() == len(client) for client in clients) / len(clients)
            for column in optional
        }
        fields[name] = GivenFields(clients=len(clients), unknown=unknown)
    return fields


def describe_clients(
    applications: pl.DataFrame, features: pl.DataFrame, names: Sequence[str], fields: dict[str, GivenFields]
) -> Reference:
    """Return ranges of the amounts, medians by source of income and of all clients, fields of the files, loans sold."""
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
            numbers = [name for name in names if not CATALOGUE[name].is_category]
            quantiles = {
                name: tuple(members[name].quantile(share) for share in SHARES)
                for name in numbers
                if members[name].count() >= MIN_GROUP_SIZE
            }
            bounds = {"income_type": income_type, "low": None, "high": None, "clients": len(members)}
            groups.append(PeerGroup(**bounds, medians=medians, quantiles=quantiles))
    return Reference(
        ranges=ranges,
        usual=_usual(applications, features),
        groups=groups,
        fields=fields,
        products=describe_products(applications),
    )


def _usual(applications: pl.DataFrame, features: pl.DataFrame) -> dict[str, Range]:
    inputs = Inputs.of_frame(applications, features)
    columns = [
        pl.Series(name, inputs.value(name)).fill_nan(None) for name in MEASURES if MEASURES[name].has_usual_range
    ]
    return {column.name: Range(low=column.min(), high=column.max()) for column in columns}


def describe_products(applications: pl.DataFrame) -> list[Product]:
    """Return the kinds of loan asked for; cash loans have `TERMS`."""
    products = []
    for (contract_type,), rows in sorted(
        applications.drop_nulls("NAME_CONTRACT_TYPE").partition_by("NAME_CONTRACT_TYPE", as_dict=True).items()
    ):
        ratios = rows["AMT_CREDIT"] / rows["AMT_ANNUITY"]
        rates = (HIGHEST_RATE, LOWEST_RATE)
        plans = [(months, [credit_to_annuity(rate, months) for rate in rates]) for months in TERMS]
        products.append(
            Product(
                contract_type=contract_type,
                clients=len(rows),
                credit=Range(low=rows["AMT_CREDIT"].quantile(0.01), high=rows["AMT_CREDIT"].quantile(0.99)),
                credit_to_annuity=Range(low=ratios.quantile(0.01), high=ratios.quantile(0.99)),
                plans=[
                    Plan(months=months, loans=MIN_GROUP_SIZE, credit_to_annuity=Range(low=low, high=high))
                    for months, (low, high) in plans
                    if contract_type == "Cash loans"
                ],
            )
        )
    return products


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
