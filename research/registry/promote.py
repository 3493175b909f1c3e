"""Judge the challenger on the gate split; it becomes champion if all checks hold; exit code 1 if not.

Nothing else reads the gate split.
"""

import argparse
import contextlib
import json
import logging
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities.model_registry import ModelVersion
from scipy.special import expit

from bento import NAME
from bento.model.scoring_model import ScoringModel
from bento.policy import CostAssumptions
from research import tracking
from research.cli import ROOT, SERVING_PYTHON, CommandError, add_data_option, last_line
from research.data import splits
from research.data.dataset import DATA, Data, Rows, open_data
from research.evaluation.business_score import costs_of
from research.evaluation.fairness import groups_of
from research.registry import checks
from research.registry.aliases import check_aliases, moved_aliases
from research.registry.checks import MARGIN, Answers
from research.results import GATE_FILE, GateCheck, GateResult, written

log = logging.getLogger(__name__)

EXAMPLE = "python -m research promote --data data/raw --margin 0.01"

MIN_GATE_CLASS_SIZE = 2
"""Clients of the rarer outcome that the gate split must hold; a calibration slope needs both outcomes."""
VERIFY_TIMEOUT_S = 120.0
"""Seconds that a clean process may take to load a model folder and recompute its examples."""
REFUSED = 1
"""Exit code where the gate refuses the challenger."""


def promote(data: Data, new_data: bool = False, margin: float = MARGIN) -> GateResult:
    """Judge the challenger on the gate split; if all checks hold, it becomes champion and the champion `previous`.

    A champion that this code can serve is judged on the same clients and at the challenger's costs, and so is the best
    champion so far; the challenger must not be dearer than either.

    Args:
        data: the challenger's training data.
        new_data: the champion has other training data or feature code.
        margin: highest cost per client by which the challenger may exceed the champion, at the interval's upper end.

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
    with tempfile.TemporaryDirectory() as folder:
        downloaded = tracking.model_folder(challenger, Path(folder) / "challenger")
        results, against = [contract(downloaded)], []
        if results[0].passed:
            model = ScoringModel(downloaded)
            against = _served(client, champion, gate, model.manifest.costs, Path(folder), new_data)
            results += _judge(client, gate, model, against, margin)
    verdict = GateResult(
        **data.source.model_dump() | {"clients": len(gate.target)},
        promoted=all(check.passed for check in results),
        challenger=str(challenger.version),
        champion=str(against[0].version.version) if against else None,
        checks=results,
    )
    best = _best(gate, model, against, challenger) if verdict.promoted else None
    with tracking.registry_lock("changes the registry"):
        _settle(client, challenger, champion, verdict, data, best)
    return verdict


@dataclass(frozen=True, eq=False)
class _Served:
    """A champion, present or former, that this code can serve, and its answers for the gate split."""

    version: ModelVersion
    answers: Answers
    name: str


def _served(
    client: mlflow.MlflowClient,
    champion: ModelVersion | None,
    gate: Rows,
    costs: CostAssumptions,
    folder: Path,
    new_data: bool,
) -> list[_Served]:
    """Return the champion, and the best one so far where that is another, each if this code can serve it.

    Raises CommandError where the artifacts of a champion of the same data cannot be had.
    """
    if champion is None:
        return []
    versions = {"the champion": champion}
    best = champion.tags.get(tracking.BEST_CHAMPION, str(champion.version))
    if best != str(champion.version) and (registered := tracking.numbered(client, best)) is not None:
        versions["the best champion so far"] = registered
    served = []
    for name, version in versions.items():
        try:
            downloaded = tracking.model_folder(version, folder / str(version.version))
        except CommandError as error:
            if version is champion and not new_data:
                raise
            log.warning("version %s is not compared: %s", version.version, error)
            continue
        check = contract(downloaded)
        if check.passed:
            served.append(_Served(version, _answers(ScoringModel(downloaded), gate, costs), name))
        else:
            log.warning("version %s is not compared, as this code cannot serve it: %s", version.version, check.found)
    return served if served and served[0].version is champion else []


def _judge(
    client: mlflow.MlflowClient, gate: Rows, model: ScoringModel, against: list[_Served], margin: float
) -> list[GateCheck]:
    costs, target = model.manifest.costs, gate.target
    answers = _answers(model, gate, costs)
    results = checks.calibration(target, answers.probability)
    if against:
        champion = str(against[0].version.version)
        attempt = 1 + _attempts(client, champion)
        results.insert(0, checks.enough_defaults(target))
        for other in against:
            name, other_answers = other.name, other.answers
            results.append(
                checks.cost_against(target, answers, other_answers, costs, name=name, attempt=attempt, margin=margin)
            )
    else:
        results += checks.cost_against_trivial(target, answers, costs)
    former = against[0].answers if against else None
    for dimension in ("gender", "age"):
        check = checks.approvals(groups_of(gate.audit)[dimension].to_list(), answers, former)
        results.append(check.model_copy(update={"name": f"{check.name} by {dimension}"}))
    return results


def _answers(model: ScoringModel, rows: Rows, costs: CostAssumptions) -> Answers:
    """Return a model's answers; where its threshold was found for other costs, that of these costs in theory."""
    same = model.manifest.costs == costs
    threshold = model.threshold if same else costs.theoretical_threshold
    return Answers(np.asarray(expit(model.log_odds(rows.features))), threshold)


def _attempts(client: mlflow.MlflowClient, champion: str) -> int:
    """Return how many other challengers were judged against a champion."""
    versions = client.search_model_versions(f"name = '{NAME}' and tag.gate_against = '{champion}'")
    challenger = tracking.registered(client, tracking.CHALLENGER)
    return len({version.version for version in versions} - {challenger.version if challenger else None})


def _best(gate: Rows, model: ScoringModel, against: list[_Served], challenger: ModelVersion) -> str:
    """Return the version of the cheapest of the challenger and those that it was judged against."""
    costs = model.manifest.costs
    cost = {challenger.version: costs_of(gate.target, _answers(model, gate, costs).refused, costs).mean()}
    cost |= {other.version.version: costs_of(gate.target, other.answers.refused, costs).mean() for other in against}
    return str(min(cost, key=lambda version: cost[version]))


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
    if (trained_splits := challenger.tags.get(tracking.SPLITS_TAG)) != splits.VERSION:
        raise CommandError(
            f"version {challenger.version} was trained on other splits ({trained_splits}) than those of this code "
            f"({splits.VERSION}), so that it may have seen clients of the gate; train again: make train"
        )
    tags = (tracking.DATA_TAG, tracking.CATALOGUE_TAG, tracking.FORMAT_TAG, tracking.SPLITS_TAG)
    for tag, what in zip(tags, ("data", "feature code", "folder format", "splits"), strict=True):
        if champion is not None and champion.tags.get(tag) != challenger.tags.get(tag):
            raise CommandError(
                f"champion version {champion.version} was trained with other {what} ({champion.tags.get(tag)}) than "
                f"challenger version {challenger.version} ({challenger.tags.get(tag)}): they cannot be compared; "
                "--new-data judges both on the challenger's data"
            )
    return challenger


def _settle(
    client: mlflow.MlflowClient,
    challenger: ModelVersion,
    champion: ModelVersion | None,
    verdict: GateResult,
    data: Data,
    best: str | None,
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
    if best is not None:
        tags[tracking.BEST_CHAMPION] = best
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
    """Add data, margin, and whether the champion has other data or feature code."""
    add_data_option(parser)
    parser.add_argument(
        "--new-data",
        action="store_true",
        help="its data or feature code is not the champion's: where that can be served, both are judged on this data",
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=MARGIN,
        help=f"highest cost per client by which the challenger may exceed the champion's ({MARGIN})",
    )


def run(options: argparse.Namespace) -> int:
    """Judge the challenger; return 1 where it is refused."""
    if options.margin < 0:
        raise CommandError("--margin must be at least 0")
    verdict = promote(open_data(options.data), options.new_data, options.margin)
    print_verdict(verdict)
    return 0 if verdict.promoted else REFUSED
