"""The BentoML service: one credit file in, a decision or its explanation out."""

import gc
import logging
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import ServiceUnavailable
from pydantic import BaseModel, ConfigDict, Field

from bento import NAME
from bento.credit_file import CreditFile, FieldWarning, Wording, warnings
from bento.decision import Decision, decide
from bento.features import CATALOGUE, GROUP_LABELS
from bento.model import FOLDER_IN_STORE, ModelError, ScoringModel, probability

log = logging.getLogger("bentoml.credit_scoring")

# No compiler and no git in the image: with an unknown distro BentoML installs no build tools of its own.
image = bentoml.images.Image(base_image="python:3.11-slim", distro="none", python_version="3.11").run(
    "apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*"
)


class ModelVersion(BaseModel):
    """Which model decided."""

    name: str = Field(examples=[NAME])
    version: str = Field(description="version in the model registry", examples=["3"])


class Prediction(BaseModel):
    """The decision on one application."""

    model_config = ConfigDict(protected_namespaces=())

    SK_ID_CURR: int
    probability_of_default: float = Field(ge=0, le=1)
    decision: Decision
    threshold: float = Field(description="probability of default from which an application is refused")
    model: ModelVersion
    warnings: list[FieldWarning] = Field(description="what was scored although it was not understood")


class GroupContribution(BaseModel):
    """What a concept adds to the log-odds of default."""

    group: str
    label: Wording
    contribution: float


class FeatureContribution(BaseModel):
    """What a feature adds to the log-odds of default; positive raises the risk."""

    feature: str
    group: str
    meaning: Wording
    unit: str
    value: float | str | None
    contribution: float


class Explanation(Prediction):
    """The decision on one application and why: exact TreeSHAP contributions, largest first.

    `base_value` plus all contributions is `log_odds`, the logit of the probability of default.
    """

    log_odds: float
    base_value: float
    groups: list[GroupContribution]
    contributions: list[FeatureContribution]


@bentoml.service(
    name=NAME,
    image=image,
    envs=[{"name": "UV_NO_CACHE", "value": "1"}],  # 25 MB less in an image built without BuildKit
    workers=1,
    threads=2,
    # BentoML keeps each request's objects until the timeout: a short one keeps memory and pauses small.
    traffic={"timeout": 5, "max_concurrency": 64},
)
class CreditScoring:
    """Decides on loan applications and explains the decisions."""

    stored_model = bentoml.models.BentoModel(f"{NAME}:latest")

    def __init__(self) -> None:
        labels = self.stored_model.info.labels
        self.version = ModelVersion(name=NAME, version=labels.get("mlflow_version", "unregistered"))
        self._model: ScoringModel | None = None
        try:
            model = ScoringModel(Path(self.stored_model.path_of(FOLDER_IN_STORE)))
            model.verify()
        except ModelError as error:
            log.error("the model is refused, nothing will be decided: %s", error)
        else:
            self._model = model
        # What lives as long as the process is kept out of garbage collection, so that no request waits for it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)

    def __is_ready__(self) -> bool:
        return self._model is not None

    @property
    def model(self) -> ScoringModel:
        """The verified model; without one every call is answered 503."""
        if self._model is None:
            raise ServiceUnavailable("no usable model is loaded")
        return self._model

    @bentoml.api  # type: ignore[untyped-decorator]
    async def predict(self, credit_file: CreditFile, /) -> Prediction:
        """Probability of default and decision for one credit file."""
        features = self.model.features([credit_file])
        return Prediction(**self._decision(credit_file, float(self.model.log_odds(features)[0])))

    @bentoml.api  # type: ignore[untyped-decorator]
    def explain(self, credit_file: CreditFile, /) -> Explanation:
        """The decision and what each feature and each concept adds to the log-odds of default."""
        features = self.model.features([credit_file])
        log_odds = float(self.model.log_odds(features)[0])
        contributions, base_value = self.model.contributions(features)
        values = features.row(0, named=True)
        by_feature = [
            FeatureContribution(
                feature=name,
                group=CATALOGUE[name].group,
                meaning=Wording(en=CATALOGUE[name].en, fr=CATALOGUE[name].fr),
                unit=CATALOGUE[name].unit,
                value=values[name],
                contribution=contribution,
            )
            for name, contribution in zip(self.model.feature_names, contributions[0].tolist(), strict=True)
        ]
        return Explanation(
            **self._decision(credit_file, log_odds),
            log_odds=log_odds,
            base_value=base_value,
            groups=_by_group(by_feature),
            contributions=sorted(by_feature, key=lambda item: -abs(item.contribution)),
        )

    def _decision(self, credit_file: CreditFile, log_odds: float) -> dict[str, Any]:
        probability_of_default = probability(log_odds)
        return {
            "SK_ID_CURR": int(credit_file.application["SK_ID_CURR"]),
            "probability_of_default": probability_of_default,
            "decision": decide(probability_of_default, self.model.threshold),
            "threshold": self.model.threshold,
            "model": self.version,
            "warnings": warnings(credit_file),
        }


def _by_group(contributions: list[FeatureContribution]) -> list[GroupContribution]:
    totals: dict[str, float] = {}
    for item in contributions:
        totals[item.group] = totals.get(item.group, 0.0) + item.contribution
    groups = [
        GroupContribution(group=group, label=Wording(**label), contribution=totals[group])
        for group, label in GROUP_LABELS.items()
        if group in totals
    ]
    return sorted(groups, key=lambda item: -abs(item.contribution))
