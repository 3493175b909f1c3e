"""Judge the challenger on the gate split; it becomes champion if all checks hold; exit code 1 if not.

Nothing else reads the gate split.
"""

import argparse
import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
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
from research.cli import ROOT, SERVING_PYTHON, CommandError, add_data_option, last_line
from research.data.dataset import DATA, Data, Rows, open_data
from research.evaluation.bootstrap import Estimate, bootstrap, mean_with_interval
from research.evaluation.business_score import costs_of, trivial_policies
from research.evaluation.calibration import calibration_line
from research.registry.aliases import check_aliases, moved_aliases
from research.results import GATE_FILE, GateCheck, GateResult, written

EXAMPLE = "python -m research promote --data data/raw --margin 0.01"

MARGIN = 0.02
"""Cost per client, in good clients refused, by which a challenger may exceed the champion and still pass."""
CALIBRATION_BOUNDS = (0.8, 1.25)
"""Bounds of the calibration slope, and of predicted over observed defaults, that their intervals must reach."""
CONFIDENCE_LEVEL = 0.99
"""Confidence level of the intervals of the calibration checks."""
RESAMPLES = 500
"""Bootstrap resamples of the calibration checks."""
MIN_GATE_CLASS_SIZE = 2
"""Clients of the rarer outcome that the gate split must hold; a calibration slope needs both outcomes."""
MIN_EVENTS_FOR_COST_TEST = 20
"""Clients of the rarer outcome below which only a cost above a trivial policy's beyond the interval is refused."""
VERIFY_TIMEOUT_S = 120.0
"""Seconds that a clean process may take to load a model folder and recompute its examples."""
REFUSED = 1
"""Exit code where the gate refuses the challenger."""


def promote(data: Data, new_data: bool = False, margin: float = MARGIN) -> GateResult:
    """Judge the challenger on the gate split; if all checks hold, it becomes champion and the champion `previous`.

    Args:
        data: the challenger's training data.
        new_data: judge the challenger alone, because the champion has other training data or feature code.
        margin: cost per client by which the challenger may exceed the champion, at the interval's upper end.

    Raises CommandError where there is no challenger; it was trained on other data; champion and challenger cannot be
    compared; there are too few clients; another process moved an alias meanwhile.
    """
    client = tracking.connect()
    champion = tracking.registered(client, tracking.CHAMPION)
    challenger = _comparable_challenger(client, data, None if new_data else champion)
    gate = data.rows("gate")
    rarest = int(min(np.sum(gate.target == 0), np.sum(gate.target == 1)))
    if rarest < MIN_GATE_CLASS_SIZE:
        raise CommandError(
            f"the gate split holds {len(gate.target)} clients, {rarest} of the rarer outcome; judging needs "
            f"{MIN_GATE_CLASS_SIZE}: give more clients"
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
    verdict = GateResult(
        **data.source.model_dump() | {"clients": len(gate.target)},
        promoted=all(check.passed for check in checks),
        challenger=str(challenger.version),
        champion=str(against.version) if against else None,
        checks=checks,
    )
    with tracking.registry_lock("changes the registry"):
        _settle(client, challenger, champion, verdict, data)
    return verdict


def contract(folder: Path) -> GateCheck:
    """Check that a process of the serving environment, which must exist, loads a model and answers its examples."""
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    command: list[str | Path] = [SERVING_PYTHON, "-m", "bento", "verify", folder]
    try:
        finished = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=VERIFY_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return GateCheck(name="contract", passed=False, found=f"no answer within {VERIFY_TIMEOUT_S:.0f} s")
    passed = finished.returncode == 0
    success = "loads in a clean process and answers its examples"
    result = success if passed else last_line(finished.stderr, "no message")
    return GateCheck(name="contract", passed=passed, found=result)


def _comparable_challenger(client: mlflow.MlflowClient, data: Data, champion: ModelVersion | None) -> ModelVersion:
    challenger = tracking.registered(client, tracking.CHALLENGER)
    if challenger is None:
        raise CommandError(f"no {tracking.CHALLENGER} of {NAME} is registered; train one with: make train")
    trained_on = challenger.tags.get(tracking.DATA_TAG)
    if trained_on != data.source.tag:
        raise CommandError(
            f"version {challenger.version} was trained on {trained_on}, --data is {data.source.tag}: name its data"
        )
    tags = (tracking.DATA_TAG, tracking.CATALOGUE_TAG, tracking.FORMAT_TAG)
    for tag, what in zip(tags, ("data", "feature code", "folder format"), strict=True):
        if champion is not None and champion.tags.get(tag) != challenger.tags.get(tag):
            raise CommandError(
                f"champion version {champion.version} was trained with other {what} ({champion.tags.get(tag)}) than "
                f"challenger version {challenger.version} ({challenger.tags.get(tag)}): they cannot be compared; "
                "--new-data judges the challenger alone"
            )
    return challenger


def _probability(model: ScoringModel, rows: Rows) -> NDArray[np.float64]:
    return np.asarray(expit(model.log_odds(rows.features)))


def _calibration(target: NDArray[np.int64], probability: NDArray[np.float64]) -> list[GateCheck]:
    log_odds = logit(probability)

    def slope(rows: NDArray[np.int64]) -> float:
        return calibration_line(target[rows], log_odds[rows])[0]

    def ratio(rows: NDArray[np.int64]) -> float:
        return float(probability[rows].sum() / max(target[rows].sum(), 1))

    low, high = CALIBRATION_BOUNDS
    checks = []
    for name, measure in (("calibration slope", slope), ("predicted over observed defaults", ratio)):
        estimate = bootstrap(measure, len(target), resamples=RESAMPLES, level=CONFIDENCE_LEVEL)
        inside = estimate.low <= high and estimate.high >= low
        result = f"{_with_interval(estimate)}, to be within {low} to {high}"
        checks.append(GateCheck(name=name, passed=inside, found=result))
    return checks


def _cost(
    gate: Rows, model: ScoringModel, probability: NDArray[np.float64], champion: ScoringModel | None, margin: float
) -> list[GateCheck]:
    costs = model.manifest.costs
    # Decisions at the threshold, without the review band: the gate measures the model, not the reviewers.
    cost = costs_of(gate.target, probability >= model.threshold, costs)
    if champion is not None:
        refused = _probability(champion, gate) >= champion.threshold
        difference = mean_with_interval(cost - costs_of(gate.target, refused, costs))
        result = f"difference {_with_interval(difference)} per client, to be at most {margin} at the upper end"
        return [GateCheck(name="cost against the champion", passed=difference.high <= margin, found=result)]
    checks = []
    few_events = min(gate.target.sum(), (1 - gate.target).sum()) < MIN_EVENTS_FOR_COST_TEST
    caution = f"; {gate.target.sum()} defaults tell little" if few_events else ""
    for name, refused in trivial_policies(len(gate.target)).items():
        difference = mean_with_interval(cost - costs_of(gate.target, refused, costs))
        passed = difference.low < 0 if few_events else difference.value < 0
        result = f"cost difference {_with_interval(difference)} per client (below 0: cheaper){caution}"
        checks.append(GateCheck(name=f"cost against {name.replace('_', ' ')}", passed=bool(passed), found=result))
    return checks


def _with_interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _settle(
    client: mlflow.MlflowClient,
    challenger: ModelVersion,
    champion: ModelVersion | None,
    verdict: GateResult,
    data: Data,
) -> None:
    """Write the checks into the tags of the version, move the aliases, and write the verdict last.

    An error leaves aliases and verdict as they were, unless another process moved an alias while it was judged.
    """
    results = DATA / "results" / tracking.run_id(challenger)
    if verdict.promoted:
        check_aliases(client, {tracking.CHAMPION: champion, tracking.CHALLENGER: challenger})
    tags = {
        "gate_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "gate_data": data.source.tag,
        "gate_clients": str(verdict.clients),
        "gate_against": verdict.champion or "the trivial policies",
        **{
            f"gate_{check.name.replace(' ', '_')}": f"{'ok' if check.passed else 'FAILED'}: {check.found}"
            for check in verdict.checks
        },
    }
    if verdict.promoted and champion is not None:
        tags[tracking.PROMOTED_OVER] = str(champion.version)
    for name, value in tags.items():
        client.set_model_version_tag(NAME, challenger.version, name, value)
    # Without a champion, which may have been deleted, `previous` stays.
    before = {tracking.PREVIOUS: champion.version} if champion else {}
    targets = {**before, tracking.CHAMPION: challenger.version, tracking.CHALLENGER: None}
    with moved_aliases(client, targets if verdict.promoted else {}), _writing(verdict, results):
        client.set_model_version_tag(NAME, challenger.version, "gate", "promoted" if verdict.promoted else "refused")


@contextlib.contextmanager
def _writing(verdict: GateResult, results: Path) -> Iterator[None]:
    """Write the verdict beside the results of the run, if they are on this machine; it appears once the block ends."""
    if not results.is_dir():
        yield
        return
    unfinished = results / f"{GATE_FILE}.unfinished"
    try:
        unfinished.write_text(json.dumps(written(verdict), indent=1) + "\n")
        yield
        unfinished.replace(results / GATE_FILE)
    finally:
        unfinished.unlink(missing_ok=True)


def print_verdict(verdict: GateResult) -> None:
    """Print each check and the decision."""
    against = f"against champion version {verdict.champion}" if verdict.champion else "alone"
    print(f"version {verdict.challenger} {against}, on {verdict.clients:,} clients of the gate split")
    for check in verdict.checks:
        print(f"  {'ok    ' if check.passed else 'FAILED'} {check.name}: {check.found}")
    decision = "promoted: it is champion now" if verdict.promoted else "refused: the champion stays as it is"
    print(f"version {verdict.challenger} {decision}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add data, margin, and whether to judge the challenger alone."""
    add_data_option(parser)
    parser.add_argument(
        "--new-data",
        action="store_true",
        help="judge the challenger alone: its data or feature code is not the champion's",
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=MARGIN,
        help="cost per client by which the challenger may exceed the champion's and still pass",
    )


def run(options: argparse.Namespace) -> int:
    """Judge the challenger; return 1 where it is refused."""
    if options.margin < 0:
        raise CommandError("--margin must be at least 0")
    verdict = promote(open_data(options.data), options.new_data, options.margin)
    print_verdict(verdict)
    return 0 if verdict.promoted else REFUSED
