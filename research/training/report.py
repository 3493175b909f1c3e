"""Evaluate a fitted model out of fold on the development rows, and report the result as JSON."""

import shutil
import subprocess
import tomllib
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bento.features.catalogue import catalogue_hash
from bento.model.manifest import Calibration, ModelManifest
from research.cli import ROOT
from research.data.dataset import Data, Rows
from research.evaluation.business_score import (
    ThresholdChoice,
    business_report,
    choose_threshold,
    cross_fitted_decisions,
    sensitivity,
)
from research.evaluation.calibration import compare_calibrations, cross_calibrated, served_calibration
from research.evaluation.metrics import intervals, measures, oracle
from research.evaluation.review_band import review_metrics, review_report
from research.training.cross_fitting import Fitted
from research.training.settings import Settings
from research.training.tuning import Tuned
from research.types import Booleans, OutOfFold


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """A fitted model with its calibration and threshold, and its decisions on the development rows, out of fold."""

    data: Data
    settings: Settings
    development: Rows
    fitted: Fitted
    tuned: Tuned | None

    @cached_property
    def calibrations(self) -> list[dict[str, Any]]:
        """Comparison of calibration methods."""
        return compare_calibrations(self.fitted.out_of_fold)

    @cached_property
    def calibration(self) -> Calibration:
        """The calibration that is served."""
        return served_calibration(self.fitted.out_of_fold, self.calibrations)

    @cached_property
    def served_scores(self) -> OutOfFold:
        """Out-of-fold scores calibrated as served: to choose the threshold and the review band that are served."""
        return self.fitted.out_of_fold.calibrated(self.calibration.slope, self.calibration.intercept)

    @cached_property
    def scores(self) -> OutOfFold:
        """Out-of-fold scores calibrated on the other folds: what all figures are obtained from."""
        return cross_calibrated(self.fitted.out_of_fold, self.calibration)

    @cached_property
    def threshold_choice(self) -> ThresholdChoice:
        """The choice between theory's threshold and the searched one."""
        return choose_threshold(self.served_scores, self.settings.cost_model.costs)

    @property
    def threshold(self) -> float:
        """The threshold that is served."""
        return self.threshold_choice.threshold

    @cached_property
    def refused(self) -> Booleans:
        """Out-of-fold decisions, by thresholds that the other folds choose."""
        return cross_fitted_decisions(self.scores, self.settings.cost_model.costs)[0]

    @cached_property
    def review(self) -> dict[str, Any]:
        """Report on the review band."""
        costs, capacity = self.settings.cost_model.costs, self.settings.capacity
        return review_report(self.scores, self.served_scores, self.threshold, costs, capacity)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Figures that MLflow, the model folder and the report show."""
        costs = self.settings.cost_model.costs
        metrics = {
            **measures("out_of_fold", self.scores.target, self.scores.probability, self.refused, costs),
            "threshold": self.threshold,
            "theoretical_threshold": costs.theoretical_threshold,
            "searched_threshold": self.threshold_choice.searched,
            "searched_threshold_saves": self.threshold_choice.saved,
            "searched_threshold_saves_error": self.threshold_choice.saved_error,
            "features": float(len(self.fitted.features)),
            "calibration_slope": self.calibration.slope,
            "calibration_intercept": self.calibration.intercept,
        }
        if self.fitted.rounds:
            metrics["trees"] = float(np.median(self.fitted.rounds))
        return metrics | review_metrics(self.review)

    def manifest(self) -> ModelManifest:
        """Return the content of scoring.json."""
        return ModelManifest(
            family=self.settings.family,
            features=self.fitted.features,
            calibration=self.calibration,
            costs=self.settings.cost_model.costs,
            threshold=self.threshold,
            review_band=self.review["served"],
            training_data=self.data.source,
            code_version=code_version(),
            metrics=self.metrics,
        )


def report(
    evaluation: Evaluation, run_id: str, fairness: dict[str, Any], explanations: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of results.json."""
    settings, scores, cost_model = evaluation.settings, evaluation.scores, evaluation.settings.cost_model
    development, refused = evaluation.development, evaluation.refused
    return {
        **evaluation.data.source.model_dump(),
        "run": run_id,
        "family": settings.family,
        "code_version": code_version(),
        "catalogue": catalogue_hash(),
        "seed_of_training": settings.seed,
        **{name: getattr(settings, name) for name in ("folds", "constraints", "with_age", "lawful")},
        "costs": cost_model.costs.model_dump(),
        "economics": cost_model.economics.model_dump(),
        "metrics": evaluation.metrics,
        "intervals": {"out_of_fold": intervals(scores.target, scores.probability)},
        "business": {
            "out_of_fold": business_report(
                scores.target, scores.probability, refused, development.exposure, cost_model
            ),
        },
        "sensitivity": sensitivity(scores),
        "review": evaluation.review,
        "calibration": {"compared": evaluation.calibrations, "served": evaluation.calibration.model_dump()},
        "tuning": asdict(evaluation.tuned) if evaluation.tuned else None,
        "oracle": oracle(evaluation.data, {"out_of_fold": development}, cost_model.costs),
        "fairness": fairness,
        "explanations": explanations,
    }


def code_version() -> str:
    """Return the version of the project and, in a git checkout, the commit."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        number = str(tomllib.load(file)["project"]["version"])
    if (git := shutil.which("git")) is None:
        return number
    describe = [git, "-C", str(ROOT), "describe", "--always", "--dirty"]
    described = subprocess.run(describe, check=False, capture_output=True, text=True)
    return f"{number}+{described.stdout.strip()}" if described.returncode == 0 else number
