"""Evaluate a fitted model on development and test rows, and report the result as JSON."""

import shutil
import subprocess
import tomllib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from bento.features.catalogue import catalogue_hash
from bento.model.manifest import Calibration, ModelManifest
from bento.model.scoring_model import encode
from research.cli import ROOT
from research.data.dataset import Data, Rows
from research.evaluation.business_score import best_threshold, business_report, cross_fitted_decisions, sensitivity
from research.evaluation.calibration import compare_calibrations, served_calibration
from research.evaluation.metrics import intervals, measures, oracle
from research.evaluation.review_band import review_metrics, review_report
from research.training.cross_fitting import Fitted
from research.training.settings import Settings
from research.training.tuning import Tuned
from research.types import Booleans, Floats, OutOfFold


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """A fitted model with its calibration, threshold and decisions.

    Attributes:
        data: that it was trained on.
        settings: it was trained with.
        fitted: the model and its uncalibrated out-of-fold scores.
        tuned: result of tuning, if there was any.
        development: rows it was trained on.
        test: rows it was not trained on.
        calibrations: comparison of calibration methods.
        calibration: that is served.
        scores: calibrated out-of-fold scores.
        threshold: that is served.
        refused: out-of-fold decisions.
        test_probability: of default, on the test rows.
        review: report on the review band.
    """

    data: Data
    settings: Settings
    fitted: Fitted
    tuned: Tuned | None
    development: Rows
    test: Rows
    calibrations: list[dict[str, Any]]
    calibration: Calibration
    scores: OutOfFold
    threshold: float
    refused: Booleans
    test_probability: Floats
    review: dict[str, Any]

    @property
    def test_refused(self) -> Booleans:
        """Decisions on the test rows."""
        return self.test_probability >= self.threshold

    def metrics(self) -> dict[str, float]:
        """Compute the figures that MLflow, the model folder and the report show."""
        costs = self.settings.cost_model.costs
        metrics = {
            **measures("out_of_fold", self.scores.target, self.scores.probability, self.refused, costs),
            **measures("test", self.test.target, self.test_probability, self.test_refused, costs),
            "threshold": self.threshold,
            "theoretical_threshold": costs.theoretical_threshold,
            "features": float(len(self.fitted.features)),
            "calibration_slope": self.calibration.slope,
            "calibration_intercept": self.calibration.intercept,
        }
        if self.fitted.rounds:
            metrics["trees"] = float(np.median(self.fitted.rounds))
        return metrics | review_metrics(self.review)

    def manifest(self, metrics: dict[str, float]) -> ModelManifest:
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
            metrics=metrics,
        )


def evaluate(data: Data, development: Rows, settings: Settings, fitted: Fitted, tuned: Tuned | None) -> Evaluation:
    """Calibrate, choose the threshold, and decide on development rows out of fold and on test rows."""
    test, costs = data.rows("test"), settings.cost_model.costs
    calibrations = compare_calibrations(fitted.out_of_fold)
    calibration = served_calibration(fitted.out_of_fold, calibrations)
    scores = fitted.out_of_fold.calibrated(calibration.slope, calibration.intercept)
    threshold = best_threshold(scores.target, scores.probability, costs)
    test_log_odds = fitted.predictor.log_odds(encode(test.features, fitted.features))
    test_probability = expit(test_log_odds * calibration.slope + calibration.intercept)
    return Evaluation(
        data=data,
        settings=settings,
        fitted=fitted,
        tuned=tuned,
        development=development,
        test=test,
        calibrations=calibrations,
        calibration=calibration,
        scores=scores,
        threshold=threshold,
        refused=cross_fitted_decisions(scores, costs)[0],
        test_probability=test_probability,
        review=review_report(scores, test.target, test_probability, threshold, costs, settings.capacity),
    )


def report(
    evaluation: Evaluation,
    metrics: dict[str, float],
    run_id: str,
    fairness: dict[str, Any],
    explanations: dict[str, Any],
) -> dict[str, Any]:
    """Return the content of results.json."""
    settings, scores, development, test = (
        evaluation.settings,
        evaluation.scores,
        evaluation.development,
        evaluation.test,
    )
    cost_model = settings.cost_model
    return {
        **evaluation.data.source.model_dump(),
        "run": run_id,
        "family": settings.family,
        "code_version": code_version(),
        "catalogue": catalogue_hash(),
        "seed_of_training": settings.seed,
        "folds": settings.folds,
        "constraints": settings.constraints,
        "with_age": settings.with_age,
        "costs": cost_model.costs.model_dump(),
        "economics": cost_model.economics.model_dump(),
        "metrics": metrics,
        "intervals": {
            "out_of_fold": intervals(scores.target, scores.probability),
            "test": intervals(test.target, evaluation.test_probability),
        },
        "business": {
            "out_of_fold": business_report(
                scores.target, scores.probability, evaluation.refused, development.exposure, cost_model
            ),
            "test": business_report(
                test.target, evaluation.test_probability, evaluation.test_refused, test.exposure, cost_model
            ),
        },
        "sensitivity": sensitivity(scores),
        "review": evaluation.review,
        "calibration": {"compared": evaluation.calibrations, "served": evaluation.calibration.model_dump()},
        "tuning": asdict(evaluation.tuned) if evaluation.tuned else None,
        "oracle": oracle(evaluation.data, {"out_of_fold": development, "test": test}, cost_model.costs),
        "fairness": fairness,
        "explanations": explanations,
    }


def code_version() -> str:
    """Return the version of the project and, in a git checkout, the commit."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        number = str(tomllib.load(file)["project"]["version"])
    git = shutil.which("git")
    if git is None:
        return number
    described = subprocess.run(
        [git, "-C", str(ROOT), "describe", "--always", "--dirty"], check=False, capture_output=True, text=True
    )
    return f"{number}+{described.stdout.strip()}" if described.returncode == 0 else number
