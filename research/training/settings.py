"""Settings of a training run."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bento.model.predictors import FAMILIES
from research.cli import CommandError
from research.evaluation.business_score import CostModel
from research.explanation.lime_explainer import LIME_SAMPLES
from research.options import FOLDS, SEED, check_folds, option
from research.training import boosting
from research.training.lawful import READINGS, Reading


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train, as `research.comparison.feature_study` decided; a CommandError where a setting cannot be used."""

    family: str = option("blend", f"family of the model: {' or '.join(FAMILIES)}")
    folds: int = option(FOLDS, "folds of the development split")
    seed: int = option(SEED, "of folds, tuning, selection and models")
    trials: int = option(8, "trials of tuning beyond the default parameters; 0: no tuning (boosters only)")
    constraints: bool = option(boosting.CONSTRAINTS, "keep the risk monotone where the catalogue declares it")
    with_age: bool = option(boosting.WITH_AGE, "allow features that are computed from age")
    lawful: Reading = option(  # noqa: RUF009 - a string, which cannot change
        "usual", "strict: leave out every feature whose relevance by consumer-credit law may be doubted"
    )
    lime_samples: int = option(LIME_SAMPLES, "neighbours that LIME draws of each client it explains")
    capacity: float = 0.0
    """Share of the applications that a person can review; 0: none is reviewed."""
    cost_model: CostModel = field(default_factory=CostModel)

    def __post_init__(self) -> None:
        check_folds(self.folds)
        if self.trials < 0:
            raise CommandError("--trials must be at least 0")
        if self.lime_samples < 100:
            raise CommandError("--lime-samples must be at least 100")
        if not 0 <= self.capacity < 1:
            raise CommandError(f"--capacity must be at least 0 and below 1, it is {self.capacity:g}")
        if self.lawful not in READINGS:
            raise CommandError(f"--lawful is {' or '.join(READINGS)}, not {self.lawful!r}")
        if self.family not in FAMILIES:
            raise CommandError(f"no family {self.family!r} can be served; choose from {', '.join(FAMILIES)}")

    def parameters(self) -> dict[str, Any]:
        """Return the settings as parameters of an MLflow run."""
        plain = {name: value for name, value in asdict(self).items() if name != "cost_model"}
        return plain | self.cost_model.costs.model_dump() | self.cost_model.economics.model_dump()


DEFAULTS = Settings()
