"""Count the refusals with another loan that would be granted, on the test split, and try each such loan."""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from bento.data.credit_file import CreditFile
from bento.model.manifest import ModelVersion
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.counterfactual import Proposal
from bento.scoring.explanation import explanation
from bento.scoring.score import score
from research.cli import CommandError
from research.data.credit_files import credit_files
from research.data.dataset import Data
from research.evaluation.bootstrap import mean_with_interval
from research.options import SEED
from research.registry.trained_run import add_run_options, open_run
from research.results import COUNTERFACTUALS_FILE, Counterfactuals, Interval, ProposalMedians

EXAMPLE = "python -m research counterfactuals --files 200"
FILES = 500
CHUNK = 500
"""Credit files that are read and scored together."""
KINDS = ("smaller_loan", "longer_term", "smaller_loan_and_longer_term")
VERSION = ModelVersion(name="run", version="0")
"""For explanations, which name a version; nothing of it is reported."""


class Outcome(NamedTuple):
    """A credit file that is not granted, and the loans that are proposed."""

    credit_file: CreditFile
    decision: Decision
    proposals: list[Proposal]
    confirmed: bool
    """Whether every proposal passed `is_confirmed`."""


def files_of_test_split(rules: Rules, data: Data, seed: int) -> Iterator[list[CreditFile]]:
    """Yield the credit files of the test split at random, up to `CHUNK` at a time.

    Applications that the rules refuse unread are left out.
    """
    clients = np.random.default_rng(seed).permutation(data.applications("test", [])["SK_ID_CURR"].to_numpy()).tolist()
    for first in range(0, len(clients), CHUNK):
        in_chunk = credit_files(data.folder, clients[first : first + CHUNK])
        yield [credit_file for credit_file in in_chunk if not rules.faults(credit_file.application)]


def not_granted(
    model: ScoringModel, rules: Rules, data: Data, files: int, seed: int
) -> Iterator[tuple[CreditFile, Decision]]:
    """Yield `files` credit files of the test split that are not granted, or all if there are fewer, at random."""
    count = 0
    for chunk in files_of_test_split(rules, data, seed):
        for credit_file, scored in zip(chunk, score(model, chunk, rules=rules, reasons=False), strict=True):
            if scored.decision is not Decision.GRANTED:
                yield credit_file, scored.decision
                count += 1
                if count == files:
                    return


def is_confirmed(model: ScoringModel, rules: Rules, credit_file: CreditFile, proposal: Proposal) -> bool:
    """Whether a proposal, sent as a new request, is granted at its probability, and asks for nothing but less."""
    content = credit_file.model_dump(mode="json")
    asked = dict(content["application"])
    content["application"] |= {change.column: change.needed for change in proposal.changes}
    tried = CreditFile.model_validate_json(json.dumps(content))
    (scored,) = score(model, [tried], rules=rules, reasons=False)
    changed = {name for name, value in tried.application.items() if value != asked[name]}
    return (
        scored.decision is Decision.GRANTED
        and scored.probability == proposal.probability_of_default
        and bool(changed)
        and changed <= {"AMT_CREDIT", "AMT_ANNUITY"}
        and all(tried.application[name] < asked[name] for name in changed)
    )


def outcomes(model: ScoringModel, rules: Rules, data: Data, files: int, seed: int) -> Iterator[Outcome]:
    """Yield the proposals for the credit files of `not_granted`, each tried, with a progress bar."""
    for credit_file, decision in tqdm(not_granted(model, rules, data, files, seed), total=files, unit="file"):
        proposals = explanation(model, credit_file, VERSION, [], rules=rules).counterfactual.proposals
        confirmed = all(is_confirmed(model, rules, credit_file, proposal) for proposal in proposals)
        yield Outcome(credit_file, decision, proposals, confirmed)


def report(results: Sequence[Outcome], model: ScoringModel, run_id: str, seed: int) -> Counterfactuals:
    """Return the shares of the files with a proposal, and the medians of what the nearest ones change.

    Raises CommandError where there is no file.
    """
    if not results:
        raise CommandError("every application of the test split is granted: there is nothing to propose")
    kinds = [{proposal.kind for proposal in result.proposals} for result in results]
    nearest = [(result.credit_file.application, result.proposals[0]) for result in results if result.proposals]
    share = mean_with_interval(np.array([float(bool(of_file)) for of_file in kinds]), seed)
    return Counterfactuals(
        **model.manifest.training_data.model_dump(),
        run=run_id,
        sample_seed=seed,
        files=len(results),
        reviewed=sum(result.decision is Decision.REVIEW for result in results),
        with_proposal=Interval(value=share.value, low=share.low, high=share.high),
        by_kind={kind: float(np.mean([kind in of_file for of_file in kinds])) for kind in KINDS},
        with_two=float(np.mean([len(of_file) == 2 for of_file in kinds])),
        with_down_payment=sum(proposal.down_payment is not None for _, proposal in nearest) / len(results),
        not_confirmed=sum(not result.confirmed for result in results),
        medians=ProposalMedians(
            loan_cut=_median(_cut(application, proposal, "AMT_CREDIT") for application, proposal in nearest),
            instalment_cut=_median(_cut(application, proposal, "AMT_ANNUITY") for application, proposal in nearest),
            additional_months=_median(
                proposal.months - proposal.months_asked
                for _, proposal in nearest
                if proposal.months is not None and proposal.months_asked is not None
            ),
            cost=_median(proposal.cost for _, proposal in nearest),
        ),
    )


def _cut(application: Mapping[str, Any], proposal: Proposal, column: str) -> float:
    """Return by how much an amount falls, as a share of it."""
    needed = {change.column: change.needed for change in proposal.changes}
    return 1 - needed[column] / application[column] if column in needed else 0.0


def _median(values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(np.median(listed)) if listed else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_run_options(parser)
    parser.add_argument("--files", type=int, default=FILES, help="credit files to examine, all of them not granted")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample of the test split")


def run(options: argparse.Namespace) -> int:
    """Write counterfactuals.json into the results of the run; return 1 where a proposal was not confirmed."""
    trained = open_run(options.run, options.data)
    rules = Rules(Rulebook.read(), trained.model.reference.usual)
    all_outcomes = list(outcomes(trained.model, rules, trained.data, options.files, options.seed))
    result = report(all_outcomes, trained.model, trained.results.name, options.seed)
    path = trained.results / COUNTERFACTUALS_FILE
    path.write_text(result.model_dump_json(indent=1) + "\n")
    print(f"{result.files} applications not granted, {result.with_proposal.value:.1%} with another loan that would be")
    for kind, share in result.by_kind.items():
        print(f"  {kind:30} {share:.1%}")
    print(f"not confirmed: {result.not_confirmed}; {path}")
    return 1 if result.not_confirmed else 0
