"""The linear models: a plain logistic regression's preprocessing, and the fit of the spline that is served."""

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
from research.data.splits import fold_rows
from research.training.cross_fitting import Choose, Fitted, algebra_threads, out_of_fold, select_columns
from research.training.spline import SplineLogistic
from research.types import Floats, Integers, TrainingMatrix

TAIL = 0.005
"""Share of the values clipped at either end: amounts have tails that a linear effect does not fit."""
INVERSE_PENALTY = 0.1
"""`C` of a plain logistic regression."""
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


def linear_pipeline(columns: Sequence[ModelFeature]) -> Pipeline:
    """Return a plain logistic regression on these columns of a matrix, with its preprocessing, still to be fitted."""
    categories = [position for position, column in enumerate(columns) if column.categories]
    numbers = [position for position in range(len(columns)) if position not in categories]
    classifier = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS)
    return Pipeline([("preprocess", linear_preprocessing(numbers, categories)), ("classify", classifier)])


def fit_linear(
    data: TrainingMatrix, folds: int, seed: int, choose: Choose | None = None, constraints: bool = True
) -> Fitted:
    """Fit a `SplineLogistic` for each fold, and one on all rows.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """

    def fitted_on(rows: Integers, seed: int) -> tuple[SplineLogistic, TrainingMatrix]:
        chosen = select_columns(data, rows, choose, seed)
        model = SplineLogistic(tuple(chosen.columns), constraints=constraints)
        return model.fit(chosen.matrix[rows], data.target[rows]), chosen

    def score_fold(number: int, train: Integers, validation: Integers) -> Floats:
        model, chosen = fitted_on(train, seed + number)
        return model.decision_function(chosen.matrix[validation])

    splits = fold_rows(data.target, data.person, folds, seed)
    with algebra_threads(len(data)):
        scores = out_of_fold(data.target, splits, score_fold, "folds, linear")
        model, chosen = fitted_on(np.arange(len(data)), seed)
    return Fitted(predictor=model.predictor_, features=chosen.columns, out_of_fold=scores, rounds=[], curves={})
