"""What is known of the served model: its card from the service, and the results of its training from a folder."""

import json
import math
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field, ValidationError

from ui.answers import AnswerPart, Model, ReviewBand, Text
from ui.client import request, validated

RESULTS, CARD = "results.json", "MODEL_CARD.md"
SAME = 1e-12
"""Largest difference of a measure of the same training: results and model hold the same numbers."""


class Costs(AnswerPart):
    """What errors cost, in units of one good client refused."""

    false_negative: float = Field(gt=0)
    false_positive: float = Field(gt=0)


class Feature(AnswerPart):
    """One feature of the model."""

    feature: str
    meaning: Text


class Served(AnswerPart):
    """The model that decides at present."""

    model: Model
    family: str
    threshold: float
    review_band: ReviewBand | None
    costs: Costs
    training_data: dict[str, Any]
    metrics: dict[str, float]
    features: tuple[Feature, ...]


class Interval(AnswerPart):
    """A measure, and the ends of its interval of confidence of 95 %."""

    value: float
    low: float
    high: float


class Outcome(AnswerPart):
    """What deciding in one way costs, per client."""

    cost_per_client: Interval
    money_per_client: float
    refused_share: float


class Ratio(AnswerPart):
    """The best threshold and its cost where a missed default costs `ratio` times a good client refused."""

    ratio: float
    threshold: float
    cost_per_client: float
    refused_share: float


class Slope(AnswerPart):
    """How the probabilities fit the outcomes; 1 and 0 are perfect."""

    slope: float
    intercept: float


class CalibrationGroup(AnswerPart):
    """Clients of similar risk: their mean predicted risk, and the share that defaulted."""

    clients: int
    predicted: float
    observed: Interval


class Method(AnswerPart):
    """One way to correct the probabilities, and how they fit then."""

    method: str
    curve: tuple[CalibrationGroup, ...] = ()


class Calibration(AnswerPart):
    """How the probabilities fit: of the ways that were compared, one is served."""

    served: Slope
    compared: tuple[Method, ...] = ()

    @property
    def curve(self) -> tuple[CalibrationGroup, ...]:
        """The curve of what is served: the probabilities as they come, or corrected by a line; empty where unknown."""
        served = "none" if (self.served.slope, self.served.intercept) == (1, 0) else "sigmoid"
        return next((one.curve for one in self.compared if one.method == served), ())


class Group(AnswerPart):
    """One group of clients, and the decisions on them; figures are null where the group is too small."""

    group: str
    clients: int
    default_rate: Interval | None
    approval_rate: Interval | None
    good_clients_refused: Interval | None
    auc: Interval | None


class Groups(AnswerPart):
    """The groups by one attribute."""

    groups: tuple[Group, ...]


class Fairness(AnswerPart):
    """The decisions by group; none of the attributes is used by the model."""

    gender: Groups
    age: Groups


class Importance(AnswerPart):
    """How much one feature, or one theme, moves the log-odds on average."""

    feature: str = ""
    group: str = ""
    label: str
    weight: float = Field(alias="mean_abs_shap")


class Explanations(AnswerPart):
    """What the model relies on over all clients."""

    features: tuple[Importance, ...]
    groups: tuple[Importance, ...]


class Results(AnswerPart):
    """What a training has measured, as far as the page shows it."""

    data: str
    clients: int
    fingerprint: str
    run: str
    metrics: dict[str, float]
    intervals: dict[str, dict[str, Interval]]
    business: dict[str, dict[str, Outcome]]
    sensitivity: tuple[Ratio, ...]
    calibration: Calibration
    fairness: Fairness
    explanations: Explanations | None = None

    @property
    def split(self) -> str:
        """The clients whose measures are shown: those of the test split, once it was opened."""
        return "test" if "test_auc" in self.metrics else "out_of_fold"


class ResultsError(Exception):
    """The folder's results cannot be read."""


def served(service: httpx.Client) -> Served:
    """Request the card of the model that decides; raise NoAnswerError where none comes."""
    return validated(Served, request(service, "GET", "/model"))


def results(folder: Path) -> Results | None:
    """Return the results in a folder, None where it holds none.

    Raises:
        ResultsError: they are of another shape, or cannot be read.
    """
    try:
        return Results.model_validate(json.loads((folder / RESULTS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        raise ResultsError(f"{folder / RESULTS} holds no results of a training") from error


def card(folder: Path) -> str | None:
    """Return the model card beside the results, or at the root of the project; None where there is none."""
    for path in (folder / CARD, folder.parents[1] / CARD):
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
    return None


def belongs(results: Results, model: Served) -> bool:
    """Return whether results are those of the model that decides: the same data, and the same measures."""
    if results.fingerprint != model.training_data.get("fingerprint"):
        return False
    shared = results.metrics.keys() & model.metrics.keys()
    return bool(shared) and all(
        math.isclose(results.metrics[name], model.metrics[name], rel_tol=SAME, abs_tol=SAME) for name in shared
    )
