"""scikit-learn estimators of the comparison."""

from typing import Any, Self

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTENC
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone

from research.training import boosting, cross_fitting
from research.training.cross_fitting import Matrix
from research.training.feature_selection import rank
from research.training.linear import linear_preprocessing

NEIGHBOURS = 5


class PriorCorrected(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that trains on another share of defaults than there is, and answers at the share there is.

    Args:
        estimator: samples or weighs its training rows.
        trained_at: the share of defaults it then trains at; None: that of its rows, and nothing is corrected.
        weight_of_default: its parameter that takes the weight of one default, where it does not find it itself.
    """

    def __init__(self, estimator: Any, trained_at: float | None = None, weight_of_default: str | None = None) -> None:
        self.estimator, self.trained_at, self.weight_of_default = estimator, trained_at, weight_of_default

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on rows x features at their natural share of defaults (y is 1)."""
        self.classes_ = np.unique(y)
        self.prevalence_ = float(np.mean(y))
        self.estimator_ = clone(self.estimator)
        if self.weight_of_default:
            self.estimator_.set_params(**{self.weight_of_default: (1 - self.prevalence_) / self.prevalence_})
        self.estimator_.fit(X, y)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (rows x 2) of repaying and of default."""
        probability = np.asarray(self.estimator_.predict_proba(X)[:, 1], dtype=np.float64)
        if self.trained_at is not None:
            probability = corrected(probability, self.prevalence_, self.trained_at)
        return np.column_stack([1 - probability, probability])

    def predict(self, X: Any) -> NDArray[np.int64]:
        """1 where default is the likelier outcome."""
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]


def corrected(probability: NDArray[np.float64], prevalence: float, trained_at: float) -> NDArray[np.float64]:
    """Probabilities of a model that trained at another share of defaults, brought to the share there is.

    >>> corrected(np.array([0.5, 0.0, 1.0]), prevalence=0.08, trained_at=0.5).round(6).tolist()
    [0.08, 0.0, 1.0]
    """
    a, b = prevalence / trained_at, (1 - prevalence) / (1 - trained_at)
    return probability * a / (probability * a + (1 - probability) * b)


class Selected(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The best columns of the matrix by their ranking on the training rows, as a frame; categories keep their codes."""

    def __init__(self, names: tuple[str, ...], count: int | None = boosting.BEST_FEATURES, seed: int = 0) -> None:
        self.names, self.count, self.seed = names, count, seed

    def fit(self, X: Matrix, y: Any) -> Self:
        """Rank on the rows x all features."""
        columns = cross_fitting.model_features(list(self.names))
        best = set(rank(X, np.asarray(y), columns, self.seed).best(self.count))
        self.positions_ = [position for position, name in enumerate(self.names) if name in best]
        return self

    def transform(self, X: Matrix) -> pd.DataFrame:
        """The chosen columns; boosters and SMOTE tell categories by their type."""
        columns = cross_fitting.model_features([self.names[position] for position in self.positions_])
        frame = pd.DataFrame(X[:, self.positions_], columns=[column.name for column in columns])
        for column in columns:
            if column.categories:
                codes = frame[column.name].fillna(-1).astype(int)
                frame[column.name] = pd.Categorical.from_codes(codes, categories=range(len(column.categories)))
        return frame


class Linear(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """`linear_preprocessing` of whichever columns were selected."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Fit on the frame that `Selected` gives."""
        columns = cross_fitting.model_features(list(X.columns))
        self.inner_ = linear_preprocessing(columns).fit(X.to_numpy(dtype=np.float64))
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Complete standardised numbers and a column for each category."""
        return self.inner_.transform(X.to_numpy(dtype=np.float64))


class Completed(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """No missing value and one scale, as distances need: medians, most frequent categories, standardised numbers."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn what fills each column, and the scale of the numbers."""
        numbers = X.select_dtypes("number")
        self.fill_ = numbers.median().fillna(0.0).to_dict()
        self.fill_ |= {name: _most_frequent(X[name]) for name in X.columns.difference(numbers.columns)}
        filled = numbers.fillna(self.fill_)
        self.mean_, self.scale_ = filled.mean(), filled.std(ddof=0).replace(0.0, 1.0)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The frame, complete and scaled."""
        filled = X.fillna(self.fill_)
        filled[self.mean_.index] = (filled[self.mean_.index] - self.mean_) / self.scale_
        return filled


class Smote(BaseEstimator):  # type: ignore[misc]
    """SMOTE; of a frame with categories SMOTENC, whose new clients have the neighbours' most frequent category."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Training rows and as many made-up defaults as it takes for half of them all to be defaults."""
        options = {"random_state": self.seed, "k_neighbors": min(NEIGHBOURS, int(np.sum(y)) - 1)}
        types = getattr(X, "dtypes", None)
        mixed = types is not None and any(isinstance(kind, pd.CategoricalDtype) for kind in types)
        return (SMOTENC("auto", **options) if mixed else SMOTE(**options)).fit_resample(X, y)


def _most_frequent(values: pd.Series) -> Any:
    known = values.mode()
    return known.iloc[0] if len(known) else values.cat.categories[0]
