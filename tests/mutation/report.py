"""Figures of a run: how many mutants the statement of every feature detects."""

from collections.abc import Sequence
from typing import Any

from tests.mutation.equivalent import reason
from tests.mutation.judge import Outcome
from tests.mutation.mutants import Mutant, modules

MIN_SHARE = 0.95
"""Of the mutants that raise no error, those whose values must differ."""
SYNTHETIC_CLIENTS = 200
SEED = 1
RESULT = "mutation.json"
"""Name of the published file in `research/results`."""


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Count outcomes: mutants that raise no error, those of them detected, their share, and those that raise one.

    An error in a value would be detected by any use of the features, so that it would flatter the share.
    """
    verdicts = [outcome.verdict for outcome in outcomes]
    raised, survived = verdicts.count("error"), verdicts.count("survived")
    running = len(verdicts) - raised
    killed = running - survived
    share = round(killed / running, 4) if running else 1.0
    return {"mutants": running, "killed": killed, "share_killed": share, "raised": raised}


def report(outcomes: Sequence[Outcome], every: Sequence[Mutant]) -> dict[str, Any]:
    """Return what the result file holds.

    Args:
        outcomes: of the mutants that were judged.
        every: all mutants, with those that are equivalent.
    """
    evaluated = [(outcome.mutant, outcome) for outcome in outcomes if outcome.mutant]
    by_module = {
        module: summary([outcome for mutant, outcome in evaluated if mutant.module == module]) for module in modules()
    }
    return {
        "data": "synthetic",
        "clients": SYNTHETIC_CLIENTS,
        "seed": SEED,
        **summary(outcomes),
        "modules": by_module,
        "survivors": sorted(mutant.name for mutant, outcome in evaluated if outcome.verdict == "survived"),
        "equivalent": [{"mutant": mutant.name, "reason": why} for mutant in every if (why := reason(mutant))],
    }
