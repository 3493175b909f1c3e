"""Fit the model of a finished run once more: on other rows or with another seed, and all else as it was."""

from collections.abc import Mapping
from typing import Any

import lightgbm

from bento.model.predictors import BlendPredictor, BoosterPredictor, LinearPredictor, Predictor
from research.training import boosting
from research.training.spline import SplineLogistic
from research.types import TrainingMatrix


def fit_again(
    served: Predictor, data: TrainingMatrix, trees: int, parameters: Mapping[str, Any], constraints: bool, seed: int
) -> Predictor:
    """Fit a predictor of the family of `served` on all rows; a blend keeps its weights, boosters have `trees`."""
    match served:
        case BlendPredictor():
            parts = {
                family: fit_again(part, data, trees, parameters, constraints, seed)
                for family, part in served.parts.items()
            }
            return BlendPredictor.of(parts, served.weights)
        case LinearPredictor():
            model = SplineLogistic(tuple(data.columns), constraints=constraints)
            return model.fit(data.matrix, data.target).predictor_
        case _:
            params = boosting.booster_params(data, parameters, constraints) | {"seed": seed}
            booster = lightgbm.train(params, boosting.booster_dataset(data), trees)
            return BoosterPredictor(booster.model_to_string())
