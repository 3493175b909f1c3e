"""What a comparison is made of: candidates, their results, and the problem they share."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.features.catalogue import catalogue_hash
from bento.policy import CostAssumptions, LoanEconomics
from research.cli import ROOT
from research.comparison import candidates
from research.comparison.candidates import FAMILIES, NONE, Judged
from research.data.dataset import Data, Rows
from research.training import boosting, cross_fitting

ACCEPT, REFUSE, PRIOR = BASELINES = ("accept_all", "refuse_all", "prior")
"""Two policies that need no model, and one that tells everybody the same probability."""


CHAMPION = "champion"
"""The registered model itself, tuned and on its own features."""


Row = dict[str, Any]


PACKAGES = ("imbalanced-learn", "lightgbm", "numpy", "scikit-learn", "xgboost-cpu")


CODE = (
    "comparison/candidates",
    "comparison/estimators",
    "training/boosting",
    "training/cross_fitting",
    "training/linear",
    "training/feature_selection",
    "data/splits",
)
"""Modules on whose text it hangs what a candidate's scores are: a change of one makes it run anew."""


@dataclass(frozen=True)
class Candidate:
    """A family of models under one treatment of the imbalance, or a baseline."""

    family: str
    arm: str = NONE

    @property
    def name(self) -> str:
        """As the table prints it.

        >>> Candidate("lightgbm", "smote").name, Candidate("lightgbm").name
        ('lightgbm, smote', 'lightgbm')
        """
        return self.family if self.arm == NONE else f"{self.family}, {self.arm}"

    @property
    def served(self) -> bool:
        """Whether the service can run it."""
        return self.family == CHAMPION or (self.family in FAMILIES and FAMILIES[self.family].served)


@dataclass(frozen=True)
class Problem:
    """The development rows, the folds that every candidate is judged in, and what errors cost."""

    data: Data
    rows: Rows
    matrix: cross_fitting.Matrix
    names: tuple[str, ...]
    folds: candidates.Folds
    seed: int
    costs: CostAssumptions
    economics: LoanEconomics
    metric: str
    grid: bool

    @property
    def target(self) -> cross_fitting.Outcomes:
        """1 where the client defaulted."""
        return self.rows.target

    @property
    def clients(self) -> pl.Series:
        """SK_ID_CURR."""
        return self.rows.features["SK_ID_CURR"]

    @property
    def fold(self) -> NDArray[np.int64]:
        """Number of the fold that each row is judged in."""
        number = np.empty(len(self.target), dtype=np.int64)
        for position, (_, judged) in enumerate(self.folds):
            number[judged] = position
        return number

    def key(self, candidate: Candidate) -> str:
        """The same where a finished run can stand for this one."""
        grid = FAMILIES[candidate.family].grid if candidate.family in FAMILIES else {}
        hangs_on = {
            "candidate": asdict(candidate),
            "grid": dict(grid) if self.grid else None,
            "data": self.data.source.fingerprint,
            "catalogue": catalogue_hash(),
            "features": [boosting.BEST_FEATURES, *self.names],
            "folds": len(self.folds),
            "seed": self.seed,
            "costs": self.costs.model_dump(),
            "metric": self.metric,
            "packages": {package: version(package) for package in PACKAGES},
            "code": _code(),
        }
        return hashlib.sha256(json.dumps(hangs_on, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class CandidateResult:
    """A candidate, judged: now, or by a run that had finished before."""

    candidate: Candidate
    judged: Judged
    setting: candidates.Setting = field(default_factory=dict)
    grid: list[Row] = field(default_factory=list)
    run: str = ""
    reused: bool = False


@cache
def _code() -> str:
    return hashlib.sha256(b"".join((ROOT / "research" / f"{name}.py").read_bytes() for name in CODE)).hexdigest()
