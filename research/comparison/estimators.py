"""Estimators and samplers of the comparison."""

from typing import Any, Self

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTENC
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags, get_tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from research.training import boosting
from research.training.feature_selection import rank
from research.types import Booleans, Floats, Integers, TrainingMatrix

NEIGHBOURS = 5
"""Neighbours of SMOTE."""


class PriorCorrected(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Correct a binary classifier that is trained at another share of defaults than the natural one.

    `trained_at` is that share, None for no correction; `weight_of_default` names the estimator's parameter that takes
    the weight of one default, where it does not compute it itself.
    """

    def __init__(self, estimator: Any, trained_at: float | None = None, weight_of_default: str | None = None) -> None:
        self.estimator, self.trained_at, self.weight_of_default = estimator, trained_at, weight_of_default

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on rows x features at their natural share of defaults, the second class."""
        X, y = validate_data(self, X, y, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, outcome = np.unique(y, return_inverse=True)
        if (kind := type_of_target(y)) != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        if len(self.classes_) < 2:
            raise ValueError("the rows have 1 class; a classifier needs two")
        self.prevalence_ = float(outcome.mean())
        self.estimator_ = clone(self.estimator)
        if self.weight_of_default:
            self.estimator_.set_params(**{self.weight_of_default: (1 - self.prevalence_) / self.prevalence_})
        self.estimator_.fit(X, outcome)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities (rows x 2) of repaying and of default."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
        probability = np.asarray(self.estimator_.predict_proba(X)[:, 1], dtype=np.float64)
        if self.trained_at is not None:
            probability = corrected(probability, self.prevalence_, self.trained_at)
        return np.column_stack([1 - probability, probability])

    def predict(self, X: Any) -> Integers:
        """Return the more probable class of each row."""
        default = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[default.astype(int)])


class LogOddsMean(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Average the log-odds of two binary classifiers; training finds weights that suit its folds instead."""

    def __init__(self, trees: Any, linear: Any) -> None:
        self.trees, self.linear = trees, linear

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Fit both on the same rows x features."""
        validate_data(self, X, skip_check_array=True)
        self.trees_, self.linear_ = clone(self.trees).fit(X, y), clone(self.linear).fit(X, y)
        self.classes_ = self.trees_.classes_
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities (rows x 2) of both classes."""
        check_is_fitted(self)
        log_odds = [logit(model.predict_proba(X)[:, 1]) for model in (self.trees_, self.linear_)]
        probability = expit(np.mean(log_odds, axis=0))
        return np.column_stack([1 - probability, probability])

    def predict(self, X: Any) -> Integers:
        """Return the more probable class of each row."""
        default = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[default.astype(int)])


def corrected(probability: Floats, prevalence: float, trained_at: float) -> Floats:
    """Convert probabilities of a model trained at another share of defaults to the natural prevalence.

    >>> corrected(np.array([0.5, 0.0, 1.0]), prevalence=0.08, trained_at=0.5).round(6).tolist()
    [0.08, 0.0, 1.0]
    """
    a, b = prevalence / trained_at, (1 - prevalence) / (1 - trained_at)
    return probability * a / (probability * a + (1 - probability) * b)


class RankedFeatures(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Select the `count` features that rank best on the training rows, None for those above noise."""

    def __init__(
        self, columns: tuple[ModelFeature, ...] | None = None, count: int | None = boosting.BEST_FEATURES, seed: int = 0
    ) -> None:
        self.columns, self.count, self.seed = columns, count, seed

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Rank on rows x all columns; the last class is the outcome that is predicted."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        columns = list(self.columns or (ModelFeature(name=f"x{position}") for position in range(X.shape[1])))
        target = (np.asarray(y) == np.max(y)).astype(np.int64)
        data = TrainingMatrix(matrix=X, target=target, columns=columns, person=np.arange(len(X)))
        best = rank(data, self.seed).best(self.count)
        self.support_ = np.array([column.name in best for column in data.columns])
        return self

    def _get_support_mask(self) -> Booleans:
        check_is_fitted(self)
        return self.support_

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the selected columns."""
        names = super().get_feature_names_out(input_features)
        if self.columns is None:
            return names
        return np.array([column.name for column in self.columns], dtype=object)[self.support_]


def numbers(frame: pd.DataFrame) -> list[str]:
    """Return the columns that hold numbers, for a ColumnTransformer."""
    return [name for name in frame.columns if not CATALOGUE[name].categories]


def categories(frame: pd.DataFrame) -> list[str]:
    """Return the columns that hold codes of categories, for a ColumnTransformer."""
    return [name for name in frame.columns if CATALOGUE[name].categories]


def with_category_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Give categories the type by which boosters and SMOTE recognise them, in the order of the catalogue."""
    typed = frame[[name for name in CATALOGUE if name in frame.columns]].copy()
    for name in categories(typed):
        codes = typed[name].fillna(-1).astype(int)
        typed[name] = pd.Categorical.from_codes(codes, categories=range(len(CATALOGUE[name].categories)))
    return typed


def complete_and_scale() -> ColumnTransformer:
    """Return an imputer of all columns and scaler of the numbers, still to be fitted: distances need both."""
    median = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    most_frequent = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    steps = [("numbers", median, numbers), ("categories", most_frequent, categories)]
    return ColumnTransformer(steps, verbose_feature_names_out=False).set_output(transform="pandas")


def smote(X: Any, y: Any, seed: int) -> tuple[Any, Any]:
    """Add synthetic defaults until they are half of the rows; their categories are the most frequent of neighbours."""
    options = {"random_state": seed, "k_neighbors": min(NEIGHBOURS, int(np.sum(y)) - 1)}
    types = getattr(X, "dtypes", None)
    mixed = types is not None and any(isinstance(kind, pd.CategoricalDtype) for kind in types)
    return (SMOTENC("auto", **options) if mixed else SMOTE(**options)).fit_resample(X, y)
