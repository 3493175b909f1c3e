"""The gate: champion and challenger scored on clients that nothing else reads; the alias moves if all checks hold."""

import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray
from scipy.special import expit, logit

from bento import NAME
from bento.model.scoring_model import ScoringModel
from research import tracking
from research.cli import ROOT, SERVING_PYTHON, CommandError, add_data_option, parser, run
from research.data.dataset import DATA, Data, Rows, open_data
from research.evaluation.bootstrap import Estimate, bootstrap, mean_with_interval
from research.evaluation.business_score import costs_of
from research.evaluation.calibration import calibration_line

MARGIN = 0.02
"""Cost per client, in good clients refused, by which a challenger may be dearer and still count as not worse."""
CALIBRATION_BOUNDS = (0.8, 1.25)
"""The slope of calibration, and predicted over observed defaults, must not lie surely outside."""
CONFIDENCE_LEVEL, RESAMPLES = 0.99, 500
MIN_CLASS_SIZE, MIN_EVENTS_FOR_COST_TEST = 2, 20
"""Of the rarer outcome: without so many nothing is judged; below so many, only what is surely dearer is refused."""
VERIFY_TIMEOUT_S = 120.0
REFUSED = 1
"""Exit code where the gate says no."""


@dataclass(frozen=True)
class Check:
    """One thing asked of the challenger, and what was found."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Verdict:
    """What the gate decided on a challenger, and on what grounds."""

    challenger: str
    champion: str | None
    clients: int
    checks: list[Check]

    @property
    def promoted(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)


def promote(data: Data, new_data: bool = False, margin: float = MARGIN) -> Verdict:
    """Judge the challenger on the gate split; if all holds, it becomes champion and the champion `previous`.

    Args:
        data: what the challenger was trained on.
        new_data: judge the challenger alone, for no champion was trained on this data with this feature code.
        margin: cost per client by which the challenger may be dearer than the champion, at the interval's upper end.

    Raises:
        CommandError: there is no challenger; it was trained on other data; champion and challenger cannot be compared;
            too few clients; the champion changed meanwhile.
    """
    client = tracking.connect()
    champion = tracking.registered(client, tracking.CHAMPION)
    challenger = _comparable_challenger(client, data, None if new_data else champion)
    gate = data.rows("gate")
    rarest = int(min(np.sum(gate.target == 0), np.sum(gate.target == 1)))
    if rarest < MIN_CLASS_SIZE:
        raise CommandError(
            f"the gate split holds {len(gate.target)} clients, {rarest} of the rarer outcome; judging needs "
            f"{MIN_CLASS_SIZE}: give more clients"
        )
    against = None if new_data else champion
    with tempfile.TemporaryDirectory() as folder:
        downloaded = tracking.model_folder(challenger, Path(folder) / "challenger")
        checks = [contract(downloaded)]
        if checks[0].passed:
            model = ScoringModel(downloaded)
            probability = _probability(model, gate)
            checks += _calibration(gate.target, probability)
            other = ScoringModel(tracking.model_folder(against, Path(folder) / "champion")) if against else None
            checks += _cost(gate, model, probability, other, margin)
    against_version = str(against.version) if against else None
    verdict = Verdict(str(challenger.version), against_version, len(gate.target), checks)
    _write(client, challenger, verdict, data)
    if verdict.promoted:
        _move(client, challenger, champion)
    return verdict


def contract(folder: Path) -> Check:
    """Whether a clean process of the serving environment loads a model folder and answers its examples.

    Raises:
        CommandError: there is no serving environment.
    """
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    command = [SERVING_PYTHON, "-m", "bento", "verify", folder]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=VERIFY_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Check("contract", False, f"no answer within {VERIFY_TIMEOUT_S:.0f} s")
    said = (done.stderr or "it said nothing").strip().splitlines()[-1]
    found = "loads in a clean process and answers its examples" if done.returncode == 0 else said
    return Check("contract", done.returncode == 0, found)


def _comparable_challenger(client: mlflow.MlflowClient, data: Data, champion: ModelVersion | None) -> ModelVersion:
    challenger = tracking.registered(client, tracking.CHALLENGER)
    if challenger is None:
        raise CommandError(f"no {tracking.CHALLENGER} of {NAME} is registered; train one with: make train")
    trained_on = challenger.tags.get(tracking.DATA_TAG)
    if trained_on != data.source.tag:
        raise CommandError(
            f"version {challenger.version} was trained on {trained_on}, --data is {data.source.tag}: name its data"
        )
    told_apart = {
        tracking.DATA_TAG: "data",
        tracking.CATALOGUE_TAG: "feature code",
        tracking.FORMAT_TAG: "folder format",
    }
    for tag, what in told_apart.items():
        if champion is not None and champion.tags.get(tag) != challenger.tags.get(tag):
            raise CommandError(
                f"champion version {champion.version} was trained with other {what} ({champion.tags.get(tag)}) than "
                f"challenger version {challenger.version} ({challenger.tags.get(tag)}): they cannot be compared; "
                "--new-data judges the challenger alone"
            )
    return challenger


def _probability(model: ScoringModel, rows: Rows) -> NDArray[np.float64]:
    return np.asarray(expit(model.log_odds(rows.features)))


def _calibration(target: NDArray[np.int64], probability: NDArray[np.float64]) -> list[Check]:
    log_odds = logit(probability)

    def slope(rows: NDArray[np.int64]) -> float:
        return calibration_line(target[rows], log_odds[rows])[0]

    def ratio(rows: NDArray[np.int64]) -> float:
        return float(probability[rows].sum() / max(target[rows].sum(), 1))

    low, high = CALIBRATION_BOUNDS
    checks = []
    for name, measure in (("calibration slope", slope), ("predicted over observed defaults", ratio)):
        found = bootstrap(measure, len(target), resamples=RESAMPLES, level=CONFIDENCE_LEVEL)
        inside = found.low <= high and found.high >= low
        checks.append(Check(name, inside, f"{_worded(found)}, to be within {low} to {high}"))
    return checks


def _cost(
    gate: Rows,
    model: ScoringModel,
    probability: NDArray[np.float64],
    champion: ScoringModel | None,
    margin: float,
) -> list[Check]:
    costs = model.manifest.costs
    # Decisions at the threshold, review bands off: what a person makes of an application is no merit of the model.
    cost = costs_of(gate.target, probability >= model.threshold, costs)
    if champion is not None:
        refused = _probability(champion, gate) >= champion.threshold
        difference = mean_with_interval(cost - costs_of(gate.target, refused, costs))
        found = f"{_worded(difference)} per client dearer, to be at most {margin} at the interval's upper end"
        return [Check("cost against the champion", difference.high <= margin, found)]
    checks = []
    for name, everybody in (("accept all", False), ("refuse all", True)):
        trivial = costs_of(gate.target, np.full(len(gate.target), everybody), costs)
        difference = mean_with_interval(cost - trivial)
        few = min(gate.target.sum(), (1 - gate.target).sum()) < MIN_EVENTS_FOR_COST_TEST
        passed = difference.low < 0 if few else difference.value < 0
        said = f"{_worded(difference)} per client dearer" + (
            f"; {gate.target.sum()} defaults tell little" if few else ""
        )
        checks.append(Check(f"cost against {name}", bool(passed), said))
    return checks


def _worded(found: Estimate) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _said(check: Check) -> str:
    return f"{'ok' if check.passed else 'FAILED'}: {check.found}"


def _write(client: mlflow.MlflowClient, challenger: ModelVersion, verdict: Verdict, data: Data) -> None:
    """Say why in the registry and beside the run's results."""
    tags = {
        "gate": "promoted" if verdict.promoted else "refused",
        "gate_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "gate_data": data.source.tag,
        "gate_clients": str(verdict.clients),
        "gate_against": verdict.champion or "the trivial policies",
        **{f"gate_{check.name.replace(' ', '_')}": _said(check) for check in verdict.checks},
    }
    for name, value in tags.items():
        client.set_model_version_tag(NAME, challenger.version, name, value)
    results = DATA / "results" / challenger.run_id
    if results.is_dir():
        written = {**data.source.model_dump(), "promoted": verdict.promoted, **asdict(verdict)}
        (results / "gate.json").write_text(json.dumps(written, indent=1) + "\n")


def _move(client: mlflow.MlflowClient, challenger: ModelVersion, judged: ModelVersion | None) -> None:
    """Make the challenger champion, unless somebody else moved an alias while it was judged."""
    for alias, before in ((tracking.CHAMPION, judged), (tracking.CHALLENGER, challenger)):
        now = tracking.registered(client, alias)
        if (now.version if now else None) != (before.version if before else None):
            raise CommandError(
                f"the {alias} is now version {now.version if now else 'none'}, no longer "
                f"{before.version if before else 'none'}: nothing was moved, promote again"
            )
    if judged is not None:
        client.set_model_version_tag(NAME, challenger.version, tracking.PROMOTED_OVER, judged.version)
    tracking.move_aliases(client, challenger.version, judged.version if judged else None)
    client.delete_registered_model_alias(NAME, tracking.CHALLENGER)


def print_verdict(verdict: Verdict) -> None:
    """Print each check and the decision."""
    against = f"against champion version {verdict.champion}" if verdict.champion else "alone"
    print(f"version {verdict.challenger} {against}, on {verdict.clients:,} clients of the gate split")
    for check in verdict.checks:
        print(f"  {'ok    ' if check.passed else 'FAILED'} {check.name}: {check.found}")
    done = "promoted: it is champion now" if verdict.promoted else "refused: the champion stays as it is"
    print(f"version {verdict.challenger} {done}")


def main() -> int:
    """The command line."""
    arguments = parser(
        "Judge the challenger on the gate split and make it champion if it is better or not worse; exit code 1 if not.",
        "python -m research.registry.promote --data data/raw --margin 0.01",
    )
    add_data_option(arguments)
    arguments.add_argument(
        "--new-data",
        action="store_true",
        help="judge the challenger alone: its data or feature code is not the champion's",
    )
    arguments.add_argument(
        "--margin", type=float, default=MARGIN, help="cost per client by which it may be dearer and count as not worse"
    )
    options = arguments.parse_args()
    if options.margin < 0:
        raise CommandError("--margin must be at least 0")
    verdict = promote(open_data(options.data), options.new_data, options.margin)
    print_verdict(verdict)
    return 0 if verdict.promoted else REFUSED


if __name__ == "__main__":
    run(main)
