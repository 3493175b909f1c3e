"""The linear model: the scikit-learn pipeline that is fitted, and the terms that are served."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from bento.model.manifest import ModelFeature
from bento.model.predictors import LinearPredictor, Term
from research.data.splits import fold_rows
from research.training.cross_fitting import Choose, Fitted, out_of_fold, select_columns
from research.types import Floats, Integers, TrainingMatrix

TAIL = 0.005
"""Share of the values clipped at either end: amounts have tails that a linear effect does not fit."""
INVERSE_PENALTY = 0.1
"""`C` of the logistic regression."""
MAX_ITERATIONS = 500
"""Maximum iterations of the solver."""
Columns = Sequence[int] | Callable[[pd.DataFrame], list[str]]
"""Positions of a matrix's columns, or a selector of a frame's."""


class Clip(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Clip each column to two quantiles of its training rows, 0 where it has no value; missing values (NaN) stay."""

    def __init__(self, tail: float = TAIL) -> None:
        self.tail = tail

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Floats, y: Any = None) -> Self:
        """Learn the bounds from rows x columns; a ValueError where a value is infinite."""
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        empty = np.isnan(X).all(axis=0)
        self.low_, self.high_ = np.nanquantile(np.where(empty, 0.0, X), [self.tail, 1 - self.tail], axis=0)
        return self

    def transform(self, X: Floats) -> Floats:
        """Clip the matrix to the bounds."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return np.clip(X, self.low_, self.high_)


def linear_preprocessing(numbers: Columns, categories: Columns) -> ColumnTransformer:
    """Clip, impute by the median with a missing indicator, and standardise numbers; one-hot encode categories."""
    steps = [
        ("clip", Clip()),
        ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
        ("scale", StandardScaler()),
    ]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("numbers", Pipeline(steps), numbers), ("categories", encoder, categories)])


def linear_pipeline(columns: list[ModelFeature]) -> Pipeline:
    """Return preprocessing and a logistic regression, still to be fitted."""
    categories = [position for position, column in enumerate(columns) if column.categories]
    numbers = [position for position in range(len(columns)) if position not in categories]
    classifier = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS)
    return Pipeline([("preprocess", linear_preprocessing(numbers, categories)), ("classify", classifier)])


def fit_linear(data: TrainingMatrix, folds: int, seed: int, choose: Choose | None = None) -> Fitted:
    """Fit a linear model for each fold, and one on all rows.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """

    def score_fold(number: int, train: Integers, validation: Integers) -> Floats:
        chosen = select_columns(data, train, choose, seed + number)
        pipeline = linear_pipeline(chosen.columns).fit(chosen.matrix[train], data.target[train])
        return np.asarray(pipeline.decision_function(chosen.matrix[validation]))

    splits = fold_rows(data.target, data.person, folds, seed)
    scores = out_of_fold(data.target, splits, score_fold, "folds")
    chosen = select_columns(data, np.arange(len(data)), choose, seed)
    pipeline = linear_pipeline(chosen.columns).fit(chosen.matrix, data.target)
    predictor = linear_predictor(pipeline, chosen.matrix, chosen.columns)
    return Fitted(predictor=predictor, features=chosen.columns, out_of_fold=scores, rounds=[], curves={})


def linear_predictor(fitted: Pipeline, matrix: Floats, columns: list[ModelFeature]) -> LinearPredictor:
    """Return the fitted pipeline as an intercept and a term for each feature, which give the same log-odds.

    Mean effects are over the rows of the matrix, those it was fitted on.
    """
    numbers = fitted.named_steps["preprocess"].named_transformers_.get("numbers")
    bounds = iter(zip(numbers["clip"].low_, numbers["clip"].high_, strict=True)) if numbers is not None else iter(())
    all_missing = np.full((1, len(columns)), np.nan)
    base = float(fitted.decision_function(all_missing)[0])

    def effects(position: int, values: list[float]) -> list[float]:
        """Return what each value of a feature adds to the log-odds of a client without any value."""
        rows = np.repeat(all_missing, len(values), axis=0)
        rows[:, position] = values
        return [float(log_odds - base) for log_odds in fitted.decision_function(rows)]

    terms = []
    for position, column in enumerate(columns):
        if column.categories:
            codes = [float(code) for code in range(len(column.categories))]
            term = Term(feature=column.name, effects=effects(position, codes), missing=0.0, mean=0.0)
        else:
            low, high = (float(bound) for bound in next(bounds))
            at_low, at_high = effects(position, [low, high])
            weight = (at_high - at_low) / (high - low) if high > low else 0.0
            offset = at_low - weight * low
            term = Term(feature=column.name, low=low, high=high, weight=weight, offset=offset, missing=0.0, mean=0.0)
        terms.append(term)
    means = LinearPredictor(intercept=base, terms=terms).contributions(matrix)[0].mean(axis=0)
    averaged = [term.model_copy(update={"mean": float(mean)}) for term, mean in zip(terms, means, strict=True)]
    return LinearPredictor(intercept=base, terms=averaged)
