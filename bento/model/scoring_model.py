"""The scoring model: a folder without pickle that turns features into probabilities and contributions."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import ValidationError

from bento import CorrectableError
from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, catalogue_hash, needed_columns, share_counts_of
from bento.model.manifest import EXAMPLES_FILE, SCORING_FILE, Examples, ModelFeature, ModelManifest
from bento.model.peer_groups import REFERENCE_FILE, Reference, ReferenceFileError
from bento.model.predictors import FamilyError, load
from bento.policy import ReviewBand

TOLERANCE = 1e-9
"""Largest difference allowed between an example recomputed here and as it was at training."""
BITS = 40
"""Of a number that the predictor sees, about 12 digits."""

Matrix = NDArray[np.float64]


class ModelError(CorrectableError):
    """A model folder that cannot be trusted with a decision; the message says why, in one line."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a model folder but the examples, which hold these."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != EXAMPLES_FILE
    }


def probability(log_odds: float) -> float:
    """The logistic function, exact in both tails: probability of default from its log-odds."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1 + odds)


def encode(features: pl.DataFrame, columns: list[ModelFeature]) -> Matrix:
    """Features (rows x columns) as a predictor takes them: float64; categories as codes, unknown ones and nulls NaN."""
    if len(features) == 1:  # far quicker than to have the engine plan a hundred casts
        row = features.row(0, named=True)
        return np.array([[column.code(row[column.name]) for column in columns]])
    return features.select(
        pl.col(column.name).cast(pl.Enum(column.categories), strict=False).to_physical().cast(pl.Float64)
        if column.categories
        else pl.col(column.name)
        for column in columns
    ).to_numpy(order="c")


def rounded(matrix: Matrix) -> Matrix:
    """Numbers to `BITS`: what differs in the last bits would else fall on two sides of a split now and then.

    They differ because many clients are added up in another order than one.
    """
    mantissa, exponent = np.frexp(matrix)
    return np.asarray(np.ldexp(np.rint(mantissa * 2.0**BITS), exponent - BITS))


class ScoringModel:
    """A model folder, loaded: the text file of its family, `scoring.json`, `reference.json` and `examples.json`.

    A folder that anything may have happened to since it was written is loaded by `verified`.

    Raises:
        ModelError: a file is missing, broken, or made for other features than this code computes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest = ModelManifest.model_validate_json((folder / SCORING_FILE).read_bytes())
            self.feature_names = [feature.name for feature in self.manifest.features]
            self._predictor = load(self.manifest.family, folder, self.feature_names)
            self.reference = Reference.load(folder)
        except (OSError, ValidationError, FamilyError, ReferenceFileError) as error:
            raise ModelError(f"{folder}: not a usable model folder: {str(error).splitlines()[0]}") from error
        unknown = [name for name in self.feature_names if name not in CATALOGUE]
        if unknown:
            raise ModelError(f"{folder}: the model needs {unknown[0]}, which this code does not compute; train again")
        if any(segment.typical.keys() != set(self.feature_names) for segment in self.reference.segments):
            raise ModelError(f"{folder}: {REFERENCE_FILE} and {SCORING_FILE} name different features; train again")
        self._with_facts = [*self.feature_names, *share_counts_of(self.feature_names)]
        self._columns = needed_columns(self._with_facts)

    @classmethod
    def verified(cls, folder: Path) -> Self:
        """The model of a folder that is as it was at training, `verify` passed.

        The files are compared before they are loaded: LightGBM ends the process at some damaged files.

        Raises:
            ModelError: it is not.
        """
        _golden(folder)
        model = cls(folder)
        model.verify()
        return model

    @property
    def threshold(self) -> float:
        """Probability of default from which an application is refused."""
        return self.manifest.threshold

    @property
    def review_band(self) -> ReviewBand | None:
        """Probabilities of default at which a person decides; None while that is off."""
        return self.manifest.review_band

    def features(self, credit_files: Sequence[CreditFile], *, facts: bool = False) -> pl.DataFrame:
        """The features this model asks for, from raw tables, one row for each credit file; on request also their facts.

        Facts are counts from the same columns (`bento.features.share_counts_of`), for the wording of reasons.
        """
        return build_features(self.tables(credit_files), self._with_facts if facts else self.feature_names)

    def tables(self, credit_files: Sequence[CreditFile]) -> dict[str, pl.DataFrame]:
        """The raw tables, cleaned, with the columns that the features and their facts are computed from."""
        return clean(frames(credit_files, self._columns))

    def log_odds(self, features: pl.DataFrame) -> Matrix:
        """Calibrated log-odds of default, one for each row."""
        return self._calibrated(self._matrix(features))

    def log_odds_with(self, features: pl.DataFrame, changed: pl.DataFrame) -> Matrix:
        """Calibrated log-odds of default of one client, one for each row of `changed`, whose features replace theirs.

        To encode what stays the same for each row again would take half the time.
        """
        positions = [at for at, name in enumerate(self.feature_names) if name in changed.columns]
        matrix = np.repeat(self._matrix(features), len(changed), axis=0)
        matrix[:, positions] = rounded(encode(changed, [self.manifest.features[at] for at in positions]))
        return self._calibrated(matrix)

    def _matrix(self, features: pl.DataFrame) -> Matrix:
        return rounded(encode(features, self.manifest.features))

    def _calibrated(self, matrix: Matrix) -> Matrix:
        return self._predictor.log_odds(matrix) * self.manifest.calibration.slope + self.manifest.calibration.intercept

    def probability(self, features: pl.DataFrame) -> Matrix:
        """Probability of default, one for each row."""
        return np.array([probability(value) for value in self.log_odds(features).tolist()])

    def contributions(self, features: pl.DataFrame) -> tuple[Matrix, float]:
        """Exact SHAP contributions (rows x features) to the log-odds, and their base value.

        Base value plus a row's contributions is that row's log-odds.
        """
        raw, base = self._predictor.contributions(self._matrix(features))
        slope, intercept = self.manifest.calibration.slope, self.manifest.calibration.intercept
        return raw * slope, base * slope + intercept

    def verify(self) -> None:
        """Compare the files with those at training and recompute the examples: code and model cannot part unnoticed.

        Raises:
            ModelError: a file is another, or a feature, log-odds or probability differs by more than `TOLERANCE`.
        """
        golden, credit_files = _golden(self.folder)
        if golden.catalogue != catalogue_hash():
            raise ModelError(f"{self.folder}: trained with other feature code than this; train again")
        for number, (example, credit_file) in enumerate(zip(golden.examples, credit_files, strict=True)):
            features = self.features([credit_file])
            log_odds = float(self.log_odds(features)[0])
            found = {
                **features.select(self.feature_names).row(0, named=True),
                "log-odds": log_odds,
                "probability of default": probability(log_odds),
            }
            expected = {
                **example.features,
                "log-odds": example.log_odds,
                "probability of default": example.probability_of_default,
            }
            if found.keys() != expected.keys():
                raise ModelError(f"{self.folder}: example {number} has other features than the model; train again")
            for name, value in expected.items():
                if not same(found[name], value):
                    detail = f"{name} is {found[name]}, was {value} at training"
                    raise ModelError(f"{self.folder}: example {number}: {detail}; train again")


def _golden(folder: Path) -> tuple[Examples, list[CreditFile]]:
    """The examples of a folder and their credit files, once its other files are found to be as they were."""
    try:
        golden = Examples.model_validate_json((folder / EXAMPLES_FILE).read_bytes())
        credit_files = [CreditFile.model_validate(example.credit_file) for example in golden.examples]
        found = digests(folder)
    except (OSError, ValidationError) as error:
        raise ModelError(f"{folder}: no usable {EXAMPLES_FILE}: {str(error).splitlines()[0]}") from error
    for name, digest in golden.files.items():
        if found.get(name) != digest:
            raise ModelError(f"{folder}: {name} is not what it was at training; train again")
    return golden, credit_files


def same(found: float | str | None, expected: float | str | None) -> bool:
    """Equal, or both numbers and within `TOLERANCE`, relative where they are large."""
    if isinstance(found, float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return found == expected
