"""Define a comparison: its settings, candidates, their results, and the problem they share."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import product
from typing import Any

import polars as pl

from bento.features.catalogue import catalogue_hash
from bento.policy import CostAssumptions
from research.cli import ROOT, CommandError
from research.comparison.candidates import ARMS, FAMILIES, METRICS, NONE, FoldScores, Setting
from research.data.dataset import Data, Rows
from research.evaluation.business_score import ACCEPT_ALL, REFUSE_ALL, CostModel
from research.options import FOLDS, SEED, check_folds, option
from research.training import boosting
from research.types import FoldSplit, Integers, TrainingMatrix, fold_numbers

PRIOR = "prior"
BASELINES = (ACCEPT_ALL, REFUSE_ALL, PRIOR)
"""Two policies that need no model, and one that gives every client the mean default rate."""
CHAMPION = "champion"
"""The registered model, tuned and with its selected features."""
Row = dict[str, Any]
PACKAGES = ("imbalanced-learn", "lightgbm", "numpy", "scikit-learn", "xgboost-cpu")
CODE = (
    "comparison/candidates",
    "comparison/estimators",
    "training/boosting",
    "training/cross_fitting",
    "training/feature_selection",
    "training/linear",
    "training/spline",
    "training/unknown_values",
    "data/splits",
    "types",
)
"""Modules whose source is part of the cache key: a candidate runs again after a change of one of them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to compare; a CommandError where a name is unknown or there are too few folds."""

    families: tuple[str, ...] = option(tuple(FAMILIES), "families of models")
    arms: tuple[str, ...] = option(ARMS, f"treatments of the imbalance; {NONE} is always among them")
    folds: int = option(FOLDS, "folds of the development split")
    seed: int = option(SEED, "of folds, selection, samplers and classifiers")
    metric: str = option("log_loss", f"by which the grid is searched: {', '.join(METRICS)}")
    grid: bool = option(True, "search the grid of each family")
    again: bool = option(False, "run finished candidates again")
    cost_model: CostModel = field(default_factory=CostModel)

    def __post_init__(self) -> None:
        for kind, names, allowed in (
            ("family", self.families, FAMILIES),
            ("arm", self.arms, ARMS),
            ("metric", (self.metric,), METRICS),
        ):
            for name in names:
                if name not in allowed:
                    raise CommandError(f"unknown {kind} {name!r}; known: {', '.join(allowed)}")
        check_folds(self.folds)

    @property
    def costs(self) -> CostAssumptions:
        """Costs of the two errors."""
        return self.cost_model.costs

    def candidates(self) -> list["Candidate"]:
        """Return the baselines, then the families under their arms, the untreated arm first."""
        families = [family for family in FAMILIES if family in self.families]
        arms = [arm for arm in ARMS if arm in self.arms or arm == NONE]
        tried = (Candidate(family, arm) for family, arm in product(families, arms) if arm in FAMILIES[family].arms)
        return [*map(Candidate, BASELINES), *tried]


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """The development rows and the folds that are the same for every candidate."""

    data: Data
    rows: Rows
    matrix: TrainingMatrix
    splits: list[FoldSplit]
    settings: Settings

    @property
    def target(self) -> Integers:
        """1 where the client defaulted."""
        return self.rows.target

    @property
    def clients(self) -> pl.Series:
        """SK_ID_CURR."""
        return self.rows.features["SK_ID_CURR"]

    @property
    def fold(self) -> Integers:
        """Number of the fold that validates each row."""
        return fold_numbers(self.splits, len(self.target))

    def key(self, candidate: Candidate) -> str:
        """Return a hash of all that determines the candidate's scores: equal where a finished run can be reused."""
        grid = FAMILIES[candidate.family].grid if candidate.family in FAMILIES else {}
        content = {
            "candidate": asdict(candidate),
            "grid": dict(grid) if self.settings.grid else None,
            "data": self.data.source.fingerprint,
            "catalogue": catalogue_hash(),
            "features": [boosting.BEST_FEATURES, *(column.model_dump() for column in self.matrix.columns)],
            "folds": len(self.splits),
            "seed": self.settings.seed,
            "costs": self.settings.costs.model_dump(),
            "metric": self.settings.metric,
            "packages": {package: version(package) for package in PACKAGES},
            "code": _code(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateResult:
    """A candidate and its scores, computed now or by an earlier run."""

    candidate: Candidate
    scores: FoldScores
    setting: Setting = field(default_factory=dict)
    grid: list[Row] = field(default_factory=list)
    run: str = ""
    reused: bool = False


@cache
def _code() -> str:
    return hashlib.sha256(b"".join((ROOT / "research" / f"{name}.py").read_bytes() for name in CODE)).hexdigest()
