"""The scoring model: a folder of text files that turns features into probabilities and contributions."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from pydantic import ValidationError

from bento import CorrectableError
from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.features.build import build_features, client_features
from bento.features.catalogue import CATALOGUE, catalogue_hash, needed_columns, share_counts_of
from bento.features.client_file import client_tables
from bento.features.definitions import Value
from bento.model.manifest import EXAMPLES_FILE, SCORING_FILE, Examples, ModelFeature, ModelManifest
from bento.model.peer_groups import REFERENCE_FILE, Reference, ReferenceFileError
from bento.model.predictors import FamilyError, Matrix, Vector, load_predictor
from bento.policy import Decision, ReviewBand, decide

TOLERANCE = 1e-9
"""Largest difference between an example computed here and the same example at training; relative above 1."""
MANTISSA_BITS = 40
"""Precision of the numbers that the predictor reads, about 12 decimal digits."""


MAX_FILES_ALONE = 8
"""Credit files up to which each alone is faster than all together, which takes ten times as long for one as for each
further one: 0.9 ms of processor time a file against 9.5 ms and 0.08 ms a file (average files, 80 features)."""

Features = pl.DataFrame | Sequence[Mapping[str, Value]]
"""Features of clients: a frame with a row for each, or the values of each by name."""


class ModelError(CorrectableError):
    """A model folder must not be used for decisions; the message gives the reason in one line."""


class ScoringModel:
    """A loaded model folder: the text file of its family, `scoring.json`, `reference.json` and `examples.json`.

    Use `verified` for a folder that may have changed since it was written.

    Features are a frame with a row for each client and a column for each name in `feature_names`; other columns are
    ignored, and the order of the columns does not matter. Results have a row for each client, in the same order.

    Raises:
        ModelError: a file is missing or broken, or was made for other features than this code computes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest = ModelManifest.model_validate_json((folder / SCORING_FILE).read_bytes())
            self.feature_names = [feature.name for feature in self.manifest.features]
            self._predictor = load_predictor(self.manifest.family, folder, self.feature_names)
            self.reference = Reference.load(folder)
        except (OSError, ValidationError, FamilyError, ReferenceFileError) as error:
            raise ModelError(f"{folder}: not a usable model folder: {str(error).splitlines()[0]}") from error
        unknown = [name for name in self.feature_names if name not in CATALOGUE]
        if unknown:
            raise ModelError(f"{folder}: the model needs {unknown[0]}, which this code does not compute; train again")
        if any(group.medians.keys() != set(self.feature_names) for group in self.reference.groups):
            raise ModelError(f"{folder}: {REFERENCE_FILE} and {SCORING_FILE} name different features; train again")
        self._names_with_share_counts = [*self.feature_names, *share_counts_of(self.feature_names)]
        self._columns_with = cache(lambda others: needed_columns([*self._names_with_share_counts, *others]))

    @classmethod
    def verified(cls, folder: Path) -> Self:
        """Load a folder and make sure that it is as it was at training (see `verify`).

        The files are compared first because LightGBM ends the process when it reads some damaged files.
        """
        _checked_examples(folder)
        model = cls(folder)
        model.verify()
        return model

    @property
    def threshold(self) -> float:
        """Probability of default from which an application is refused."""
        return self.manifest.threshold

    @property
    def review_band(self) -> ReviewBand | None:
        """Probabilities of default at which a person decides; None while it is off."""
        return self.manifest.review_band

    def decide(self, default: float) -> Decision:
        """Decide on a probability of default by the model's threshold and review band, without any rule."""
        return decide(default, self.threshold, self.review_band)

    def tables(self, credit_files: Sequence[CreditFile], others: tuple[str, ...] = ()) -> dict[str, pl.DataFrame]:
        """Return cleaned tables with the columns that the model's features, share counts and other features read."""
        return clean(frames(credit_files, self._columns_with(others)))

    def features(
        self, credit_files: Sequence[CreditFile], *, share_counts: bool = False, others: tuple[str, ...] = ()
    ) -> pl.DataFrame:
        """Compute the model's features, one row for each credit file of different clients.

        With `share_counts` come the counts behind shares (`share_counts_of`), for the wording of reasons; `others` are
        further features, which rules read or reasons quote.
        """
        names = self._names_with_share_counts if share_counts else self.feature_names
        return build_features(self.tables(credit_files, others), [*names, *others])

    def client_inputs(
        self, credit_files: Sequence[CreditFile], *, share_counts: bool = False, others: tuple[str, ...] = ()
    ) -> tuple[list[dict[str, Value]], Matrix]:
        """Compute `features`: by client their values by name, and the matrix of those that the predictor reads.

        Those of a few clients are computed over arrays, one after the other (`client_features`), those of more together
        in frames.
        """
        if len(credit_files) <= MAX_FILES_ALONE:
            names = [*(self._names_with_share_counts if share_counts else self.feature_names), *others]
            columns = self._columns_with(others)
            try:
                values = [client_features(client_tables(credit_file, columns), names) for credit_file in credit_files]
            except FloatingPointError:
                pass
            else:
                return values, self.matrix(values)
        features = self.features(credit_files, share_counts=share_counts, others=others)
        return features.rows(named=True), self.matrix(features)

    def probability(self, features: Features) -> Vector:
        """Compute the probability of default, one for each row."""
        return np.array([probability(value) for value in self.log_odds(features).tolist()])

    def log_odds(self, features: Features) -> Vector:
        """Compute the calibrated log-odds of default, one for each row."""
        return self._calibrated(self.matrix(features))

    def log_odds_of(self, matrix: Matrix) -> Vector:
        """Compute the calibrated log-odds of default of the rows of a matrix (`client_inputs`)."""
        return self._calibrated(matrix)

    def unknown(self, values: Mapping[str, Value]) -> set[str]:
        """Return the features of a client that the model reads as unknown: nulls, and categories not seen before."""
        return {column.name for column in self.manifest.features if math.isnan(column.encoded(values[column.name]))}

    @cached_property
    def typical_features(self) -> frozenset[str]:
        """The features of which an unknown value is read as the typical one."""
        return frozenset(column.name for column in self.manifest.features if column.typical is not None)

    def log_odds_with(self, features: pl.DataFrame, changed: pl.DataFrame) -> Vector:
        """Compute the calibrated log-odds of one client under several variants of some features.

        `features` is the client's row, `changed` has a row for each variant, with some of the features. Those that stay
        the same are encoded once: to encode them for each variant would take half the time.
        """
        positions = [at for at, name in enumerate(self.feature_names) if name in changed.columns]
        matrix = np.repeat(self.matrix(features), len(changed), axis=0)
        matrix[:, positions] = rounded(encode(changed, [self.manifest.features[at] for at in positions]))
        return self._calibrated(matrix)

    def contributions(self, features: Features) -> tuple[Matrix, float]:
        """Compute exact SHAP contributions (rows x features) to the log-odds, and their base value.

        The base value plus the contributions of a row is the log-odds of that row.
        """
        return self.contributions_of(self.matrix(features))

    def contributions_of(self, matrix: Matrix) -> tuple[Matrix, float]:
        """Compute `contributions` of the rows of a matrix (`client_inputs`)."""
        raw, base = self._predictor.contributions(matrix)
        slope, intercept = self.manifest.calibration.slope, self.manifest.calibration.intercept
        return raw * slope, base * slope + intercept

    def prepare(self) -> None:
        """Compute now what the first contributions would wait for: half a second."""
        self.contributions_of(np.zeros((1, len(self.feature_names))))

    def verify(self) -> None:
        """Raise ModelError unless the files are those at training and the examples the same within `TOLERANCE`."""
        examples, credit_files = _checked_examples(self.folder)
        if examples.catalogue != catalogue_hash():
            raise ModelError(f"{self.folder}: trained with other feature code than this; train again")
        for number, (example, credit_file) in enumerate(zip(examples.examples, credit_files, strict=True)):
            features = self.features([credit_file])
            log_odds = float(self.log_odds(features)[0])
            values = {
                **features.select(self.feature_names).row(0, named=True),
                "log-odds": log_odds,
                "probability of default": probability(log_odds),
            }
            expected = {
                **example.features,
                "log-odds": example.log_odds,
                "probability of default": example.probability_of_default,
            }
            if values.keys() != expected.keys():
                raise ModelError(f"{self.folder}: example {number} has other features than the model; train again")
            for name, value in expected.items():
                if not is_close(values[name], value):
                    detail = f"{name} is {values[name]}, was {value} at training"
                    raise ModelError(f"{self.folder}: example {number}: {detail}; train again")

    def matrix(self, features: Features) -> Matrix:
        """Encode features as the matrix that the predictor reads, rounded to `MANTISSA_BITS`."""
        return rounded(encode(features, self.manifest.features))

    def _calibrated(self, matrix: Matrix) -> Vector:
        return self._predictor.log_odds(matrix) * self.manifest.calibration.slope + self.manifest.calibration.intercept


def probability(log_odds: float) -> float:
    """Return the probability of default for its log-odds: the logistic function, exact in both tails.

    >>> probability(0.0), probability(-800.0)
    (0.5, 0.0)
    """
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1 + odds)


def encode(features: Features, columns: list[ModelFeature]) -> Matrix:
    """Encode features as the float64 matrix (rows x columns) that every family is trained on and reads.

    A category becomes its code. An unknown value, or a category that training did not see, becomes the typical value
    where training saw too few unknown ones to learn from, otherwise NaN: of a column without any NaN in training,
    LightGBM reads NaN as 0, which is a value like any other.
    """
    if isinstance(features, pl.DataFrame) and len(features) == 1:  # Polars would plan a hundred casts
        features = features.rows(named=True)
    if not isinstance(features, pl.DataFrame):
        matrix = np.array([[column.encoded(row[column.name]) for column in columns] for row in features])
    else:
        matrix = features.select(
            pl.col(column.name).cast(pl.Enum(column.categories), strict=False).to_physical().cast(pl.Float64)
            if column.categories
            else pl.col(column.name)
            for column in columns
        ).to_numpy(order="c", writable=True)
    np.copyto(matrix, np.array([column.encoded_typical for column in columns]), where=np.isnan(matrix))
    return matrix


def rounded(matrix: Matrix) -> Matrix:
    """Round to `MANTISSA_BITS`, so that batch and single scoring, which add in another order, take the same branches.

    >>> bool(rounded(np.array([0.1 + 0.2])) == rounded(np.array([0.3])))
    True
    """
    mantissa, exponent = np.frexp(matrix)
    return np.asarray(np.ldexp(np.rint(mantissa * 2.0**MANTISSA_BITS), exponent - MANTISSA_BITS))


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model folder except `examples.json`, which holds these digests."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != EXAMPLES_FILE
    }


def is_close(value: Value, expected: Value) -> bool:
    """Whether two values are equal, or numbers within `TOLERANCE`, relative where they are large.

    >>> is_close(1e6, 1e6 + 1e-4), is_close(1.0, None), is_close("Working", "Working")
    (True, False, True)
    """
    if isinstance(value, float) and isinstance(expected, int | float):
        return math.isclose(value, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return value == expected


def _checked_examples(folder: Path) -> tuple[Examples, list[CreditFile]]:
    """Return the examples of a folder and their credit files, after the other files pass their digests."""
    try:
        examples = Examples.model_validate_json((folder / EXAMPLES_FILE).read_bytes())
        credit_files = [CreditFile.model_validate(example.credit_file) for example in examples.examples]
        present = digests(folder)
    except (OSError, ValidationError) as error:
        raise ModelError(f"{folder}: no usable {EXAMPLES_FILE}: {str(error).splitlines()[0]}") from error
    for name, digest in examples.files.items():
        if present.get(name) != digest:
            raise ModelError(f"{folder}: {name} is not what it was at training; train again")
    return examples, credit_files
