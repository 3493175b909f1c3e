"""Measure on refused files whether the first reason is true to the model, and the same after training again."""

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from tqdm import tqdm

from bento.data.credit_file import CreditFile
from bento.features.catalogue import CATALOGUE
from bento.features.definitions import Value
from bento.model.predictors import load_predictor
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.reasons import Reason, features_to_quote, is_without_fact
from bento.scoring.score import ScoredApplication, score
from bento.scoring.wording import facts
from bento.scoring.wording.concepts import CODES
from bento.scoring.wording.unknowns import unknown_of
from research.cli import CommandError, shown
from research.data.dataset import Data
from research.evaluation.bootstrap import mean_with_interval
from research.explanation.counterfactuals import files_of_test_split
from research.options import SEED
from research.registry.trained_run import TrainedRun, add_run_options, open_run
from research.results import (
    REASONS_FILE,
    RESULTS_FILE,
    Interval,
    ReasonFidelity,
    ReasonQuality,
    ReasonStability,
    TrainingResults,
    read,
)
from research.training import boosting
from research.training.again import fit_again
from research.training.cross_fitting import catalogue_names, select_columns, training_matrix
from research.training.feature_selection import choose
from research.training.peer_groups import COLUMNS, peer_group_statistics
from research.training.products import EARLIER_COLUMNS
from research.training.train import write_model_folder

EXAMPLE = "python -m research reasons --files 200"
FILES = 500
SEEDS = 2
"""Models that are trained again on the same clients, each with another seed."""
AIM_FIDELITY = 0.95
"""Least share of refused files in which the PD falls, and by more than for another concept."""
AIM_WITHOUT_FACT = 0.05
"""Largest share of decisions whose first reason quotes no fact."""
KINDS = ("quoted facts", "a concept without a fact", "something unknown")


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Files of the test split, in random order, up to the last refused one that is needed."""

    refused: list[tuple[CreditFile, Reason]]
    """The files that the model refuses, with their first reasons."""
    without_fact: list[bool]
    """Of each file that was decided on and has a reason: whether the first one quotes no fact."""


def decisions(model: ScoringModel, rules: Rules, data: Data, files: int, seed: int) -> Decisions:
    """Decide on files of the test split until the model has refused `files` of them, or there are no more.

    Refusals by a rule alone do not count: their ground is the rule.
    """
    result = Decisions(refused=[], without_fact=[])
    with tqdm(total=files, desc="refused files", unit="file") as progress:
        for chunk in files_of_test_split(rules, data, seed):
            for credit_file, scored in zip(chunk, score(model, chunk, rules=rules, reasons=True), strict=True):
                if not scored.reasons:
                    continue
                first = scored.reasons[0]
                result.without_fact.append(is_without_fact(first))
                if model.decide(scored.probability) is Decision.REFUSED:
                    result.refused.append((credit_file, first))
                    progress.update()
                    if len(result.refused) == files:
                        return result
    return result


def kind_of(reason: Reason) -> str:
    """Return what a reason names: one of `KINDS`."""
    if is_without_fact(reason):
        return KINDS[1]
    return KINDS[0] if reason.code in CODES.values() else KINDS[2]


def features_behind(
    reason: Reason, names: Sequence[str], values: Mapping[str, Value], application: Mapping[str, Any]
) -> list[str]:
    """Return the features of a model that a reason is about.

    These are those of the things that its facts are figures of, all of its concept where it quotes no fact, and the
    unknown ones where it names something unknown. `values` hold those features and those of `features_to_quote`.
    """
    if kind_of(reason) == KINDS[2]:
        unknowns = {name: unknown_of(name, values, application) for name in names}
        return [name for name, unknown in unknowns.items() if unknown and unknown[0].code == reason.code]
    if not reason.facts:
        return [name for name in names if CATALOGUE[name].group == reason.group]
    own = dict.fromkeys(names)
    things = [facts.quoted_features()[fact.feature].thing for fact in reason.facts]
    return list(dict.fromkeys(name for thing in things for name in facts.features_of(thing, own)))


class Fall(NamedTuple):
    """By how much the PD of a file falls, relative to it."""

    kind: str
    fall: float
    """Where what the first reason names is as usual among similar clients."""
    fall_of_other: float
    """Where all features of another concept are."""


def falls(model: ScoringModel, refused: Iterable[tuple[CreditFile, Reason]], seed: int) -> Iterator[Fall]:
    """Yield what becomes of each file's PD where features are set to the medians of its peer group.

    A feature whose median is not known becomes unknown. The other concept is drawn at random from those of the model.
    """
    random, names = np.random.default_rng(seed), model.feature_names
    for credit_file, reason in refused:
        application = credit_file.application
        medians = model.reference.peer_group(application).medians
        features = model.features([credit_file], others=features_to_quote(names))
        values = features.row(0, named=True)
        values |= dict.fromkeys(model.unknown(values))
        others = sorted({CATALOGUE[name].group for name in names} - {reason.group})
        other = others[random.integers(len(others))]
        of_other = [name for name in names if CATALOGUE[name].group == other]
        behind = features_behind(reason, names, values, application)
        before = model.probability(features)[0]
        after, after_other = (
            model.probability(with_values(features, medians, changed))[0] for changed in (behind, of_other)
        )
        yield Fall(kind_of(reason), 1 - after / before, 1 - after_other / before)


def with_values(features: pl.DataFrame, values: Mapping[str, Value], names: Iterable[str]) -> pl.DataFrame:
    """Return features with some of them set to other values."""
    return features.with_columns(pl.lit(values[name], features.schema[name]).alias(name) for name in names)


def fidelity(results: Sequence[Fall], seed: int) -> ReasonFidelity:
    """Return the shares of files whose PD falls, and by more than for another concept; intervals are bootstrap."""
    fall, other = (np.array([getattr(result, name) for result in results]) for name in ("fall", "fall_of_other"))
    return ReasonFidelity(
        files=len(results),
        falls=_share(fall > 0, seed),
        falls_more=_share(fall > other, seed),
        both=_share((fall > 0) & (fall > other), seed),
        median_fall=float(np.median(fall)) if len(results) else None,
        median_fall_of_other=float(np.median(other)) if len(results) else None,
    )


def trained_again(run: TrainedRun, folder: Path, seed: int, *, bootstrap: bool) -> ScoringModel:
    """Select features and train again with another seed, on the training clients or on a bootstrap of them.

    Family, parameters, numbers of features and trees, and calibration are those of the run. The model refuses every
    client, so that its first reason is always what raises the risk most.
    """
    results, manifest = read(TrainingResults, run.results / RESULTS_FILE), run.model.manifest
    rows = run.data.rows("development")
    data = training_matrix(rows, catalogue_names(results.with_age, lawful=results.lawful))
    clients = np.arange(len(data))
    if bootstrap:
        clients = np.random.default_rng(seed).integers(0, len(data), len(data))
    chosen = select_columns(data, clients, partial(choose, count=len(manifest.features)), seed)
    parameters = results.tuning["parameters"] if results.tuning else boosting.PARAMETERS
    trees = max(1, round(results.metrics.get("trees", 1)))
    served = load_predictor(manifest.family, run.model.folder, run.model.feature_names)
    predictor = fit_again(served, chosen.rows(clients), trees, parameters, results.constraints, seed)
    reference = run.model.reference
    medians = peer_group_statistics(
        rows.features,
        run.data.applications("development", COLUMNS),
        run.data.earlier_applications("development", EARLIER_COLUMNS),
        [column.name for column in chosen.columns],
        fields=reference.fields,
        usual=reference.usual,
    )
    changed = {"features": chosen.columns, "threshold": 0.0, "review_band": None}
    return write_model_folder(folder, predictor, manifest.model_copy(update=changed), medians)


def stability(
    name: str, model: ScoringModel, rules: Rules, refused: Sequence[tuple[CreditFile, Reason]], seed: int
) -> ReasonStability:
    """Return how often another model gives the same first reason for the refused files."""
    scored = score(model, [credit_file for credit_file, _ in refused], rules=rules, reasons=True)
    codes = [[reason.code for reason in _reasons(application)] for application in scored]
    first = [reason.code for _, reason in refused]
    same = np.array([other[:1] == [code] for other, code in zip(codes, first, strict=True)])
    among = np.array([code in other for other, code in zip(codes, first, strict=True)])
    return ReasonStability(model=name, same_first=_share(same, seed), first_among_reasons=_share(among, seed))


def _reasons(application: ScoredApplication) -> list[Reason]:
    return application.reasons or []


def _share(holds: Any, seed: int) -> Interval:
    if not len(holds):
        return Interval(value=None, low=None, high=None)
    estimate = mean_with_interval(np.asarray(holds, dtype=np.float64), seed)
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)


def reason_quality(run: TrainedRun, files: int, seed: int, seeds: int) -> ReasonQuality:
    """Measure fidelity, stability and the share of first reasons without a fact, on the test split.

    Raises:
        CommandError: no file is refused.
    """
    rules = Rules(Rulebook.read(), run.model.reference.usual)
    decided = decisions(run.model, rules, run.data, files, seed)
    if not decided.refused:
        raise CommandError("every application of the test split is granted: there is no ground of a refusal to examine")
    results = list(falls(run.model, tqdm(decided.refused, desc="fidelity", unit="file"), seed))
    training_seed = read(TrainingResults, run.results / RESULTS_FILE).seed_of_training
    models = [(f"seed {training_seed + 1 + number}", training_seed + 1 + number, False) for number in range(seeds)]
    models.append((f"seed {training_seed + 1 + seeds}, a bootstrap of the clients", training_seed + 1 + seeds, True))
    stabilities = []
    for name, model_seed, bootstrap in tqdm(models, desc="models trained again", unit="model"):
        with tempfile.TemporaryDirectory() as folder:
            model = trained_again(run, Path(folder) / "model", model_seed, bootstrap=bootstrap)
            stabilities.append(stability(name, model, rules, decided.refused, seed))
    return ReasonQuality(
        **run.data.source.model_dump(),
        run=run.results.name,
        seed_of_draw=seed,
        decisions=len(decided.without_fact),
        without_fact=_share(decided.without_fact, seed),
        refused_without_fact=_share([is_without_fact(reason) for _, reason in decided.refused], seed),
        fidelity=fidelity(results, seed),
        fidelity_by_kind={kind: fidelity([fall for fall in results if fall.kind == kind], seed) for kind in KINDS},
        stability=stabilities,
    )


def lines(content: ReasonQuality) -> Iterator[str]:
    """Yield the figures, as the command prints them."""
    yield f"aims: PD falls, and by more, in {AIM_FIDELITY:.0%}; at most {AIM_WITHOUT_FACT:.0%} without a fact"
    yield f"first reason quotes no fact: {_percent(content.without_fact)} of {content.decisions} decisions"
    yield f"  of {content.fidelity.files} refusals: {_percent(content.refused_without_fact)}"
    for name, part in {"all refusals": content.fidelity, **content.fidelity_by_kind}.items():
        yield (
            f"{name:26} {part.files:4} files: PD falls in {_percent(part.falls)}, "
            f"by more than for another concept in {_percent(part.falls_more)}, both in {_percent(part.both)}"
        )
    for row in content.stability:
        among = _percent(row.first_among_reasons)
        yield f"{row.model:40} same first reason in {_percent(row.same_first)}, among its reasons in {among}"


def _percent(share: Interval) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "none"
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_run_options(parser)
    parser.add_argument("--files", type=int, default=FILES, help="refused files to examine")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample of the test split")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="models to train again with another seed")


def run(options: argparse.Namespace) -> None:
    """Measure, write reasons.json into the results of the run, and print the figures."""
    if options.files < 1:
        raise CommandError("--files must be at least 1")
    trained = open_run(options.run, options.data)
    content = reason_quality(trained, options.files, options.seed, options.seeds)
    path = trained.results / REASONS_FILE
    path.write_text(content.model_dump_json(indent=1) + "\n")
    print("\n".join(lines(content)))
    print(f"written: {shown(path)}")
