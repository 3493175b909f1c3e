"""The linear model: one scikit-learn pipeline to fit, and the terms that are served."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from bento.model.manifest import ModelFeature
from bento.model.predictors import LinearPredictor, Term

Matrix = NDArray[np.float64]

TAIL = 0.005
"""Share of the values at either end that are pulled in: amounts have tails that a straight line cannot follow."""
INVERSE_PENALTY = 0.1
MAX_ITERATIONS = 500


class Clip(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Holds each column between two quantiles of its training rows; missing values (NaN) stay.

    Attributes:
        low_, high_: the bounds of each column; 0 where a column has no value.
    """

    def __init__(self, tail: float = TAIL) -> None:
        self.tail = tail

    def fit(self, X: Matrix, y: Any = None) -> Self:
        """Learn the bounds (rows x columns).

        Raises:
            ValueError: an infinite value.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        empty = np.isnan(X).all(axis=0)
        self.low_, self.high_ = np.nanquantile(np.where(empty, 0.0, X), [self.tail, 1 - self.tail], axis=0)
        return self

    def transform(self, X: Matrix) -> Matrix:
        """The matrix, held between the bounds."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return np.clip(X, self.low_, self.high_)


def linear_preprocessing(columns: list[ModelFeature]) -> ColumnTransformer:
    """Numbers clipped, filled by their median with a mark, standardised; categories as one column for each code.

    Args:
        columns: of the matrix it is to be given, as `bento.model.scoring_model.encode` makes it.
    """
    numbers = [position for position, column in enumerate(columns) if not column.categories]
    categories = [position for position, column in enumerate(columns) if column.categories]
    steps = [
        ("clip", Clip()),
        ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
        ("scale", StandardScaler()),
    ]
    return ColumnTransformer(
        [
            ("numbers", Pipeline(steps), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        ]
    )


def linear_pipeline(columns: list[ModelFeature], C: float = INVERSE_PENALTY) -> Pipeline:
    """Preprocessing and a logistic regression with inverse penalty `C`, fitted on log-loss."""
    classifier = LogisticRegression(C=C, max_iter=MAX_ITERATIONS)
    return Pipeline([("preprocess", linear_preprocessing(columns)), ("classify", classifier)])


def linear_predictor(fitted: Pipeline, matrix: Matrix, columns: list[ModelFeature]) -> LinearPredictor:
    """The fitted pipeline as an intercept and a term for each feature, which give the same log-odds.

    Args:
        fitted: by `linear_pipeline` on these columns.
        matrix: the rows it was fitted on; the mean effects are taken over them.
        columns: of the matrix.
    """
    clip = fitted.named_steps["preprocess"].named_transformers_.get("numbers")
    bounds = iter(zip(clip["clip"].low_, clip["clip"].high_, strict=True)) if clip is not None else iter(())
    nothing = np.full((1, len(columns)), np.nan)
    base = float(fitted.decision_function(nothing)[0])

    def effects(position: int, values: list[float]) -> list[float]:
        """What each value of a feature adds to the log-odds of a client of whom nothing is known."""
        rows = np.repeat(nothing, len(values), axis=0)
        rows[:, position] = values
        return (fitted.decision_function(rows) - base).tolist()

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
    plain = LinearPredictor(intercept=base, terms=terms)
    means = plain.contributions(matrix)[0].mean(axis=0)
    averaged = [term.model_copy(update={"mean": float(mean)}) for term, mean in zip(terms, means, strict=True)]
    return LinearPredictor(intercept=base, terms=averaged)
