"""Values that training, evaluation and comparison share: arrays, the training matrix, out-of-fold scores."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from bento.model.manifest import ModelFeature

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
FoldSplit = tuple[Integers, Integers]
"""Positions of a fold's training rows and of its validation rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingMatrix:
    """The encoded features of clients (clients x columns; NaN is missing), with what is needed to fit on them."""

    matrix: Floats
    target: Integers
    """1 where the client defaulted."""
    columns: list[ModelFeature]
    person: Integers
    """The same number where two applications seem to be of one person, who stays in one fold."""

    def __len__(self) -> int:
        return len(self.target)

    def select(self, names: Collection[str]) -> Self:
        """Return the named columns, in the order of the matrix."""
        positions = [position for position, column in enumerate(self.columns) if column.name in names]
        columns = [self.columns[position] for position in positions]
        return replace(self, matrix=self.matrix[:, positions], columns=columns)

    def rows(self, positions: Integers) -> Self:
        """Return the clients at these positions."""
        target, person = self.target[positions], self.person[positions]
        return replace(self, matrix=self.matrix[positions], target=target, person=person)


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfFold:
    """The score of each client by the model of a fold that did not train on that client, with the fold's number."""

    target: Integers
    log_odds: Floats
    fold: Integers

    @classmethod
    def from_folds(cls, target: Integers, splits: Sequence[FoldSplit], log_odds: Sequence[Floats]) -> Self:
        """Join the scores of each fold's validation rows.

        >>> splits = [(np.array([1]), np.array([0, 2])), (np.array([0, 2]), np.array([1]))]
        >>> scores = OutOfFold.from_folds(np.array([0, 1, 0]), splits, [np.array([-2.0, -1.0]), np.array([3.0])])
        >>> scores.log_odds.tolist(), scores.fold.tolist()
        ([-2.0, 3.0, -1.0], [0, 1, 0])
        """
        joined, fold = np.full(len(target), np.nan), fold_numbers(splits, len(target))
        for (_, validation), scores in zip(splits, log_odds, strict=True):
            joined[validation] = scores
        return cls(target=target, log_odds=joined, fold=fold)

    @classmethod
    def from_probability(cls, target: Integers, probability: Floats, fold: Integers) -> Self:
        """Take probabilities of default instead of log-odds."""
        return cls(target=target, log_odds=logit(probability), fold=fold)

    @cached_property
    def probability(self) -> Floats:
        """Probability of default of each client."""
        return expit(self.log_odds)

    def by_fold(self) -> Iterator[tuple[int, Booleans]]:
        """Yield the number of each fold, and which clients it validates."""
        for number in np.unique(self.fold):
            yield int(number), self.fold == number

    def rows(self, chosen: Booleans) -> Self:
        """Return the scores of some clients."""
        return replace(self, target=self.target[chosen], log_odds=self.log_odds[chosen], fold=self.fold[chosen])

    def calibrated(self, slope: float, intercept: float) -> Self:
        """Return the scores with an affine map applied to their log-odds."""
        return replace(self, log_odds=self.log_odds * slope + intercept)


def fold_numbers(splits: Sequence[FoldSplit], rows: int) -> Integers:
    """Return the number of the fold that validates each row."""
    numbers = np.empty(rows, dtype=np.int64)
    for number, (_, validation) in enumerate(splits):
        numbers[validation] = number
    return numbers
