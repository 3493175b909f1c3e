"""Judge mutants of the modules that compute features: does the statement of every feature detect them?

`make test-mutation` judges a sample; without --sample all mutants are evaluated, and --output writes the result file.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

# Before Polars is imported: several processes run at a time, each of which would use every core.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")

from tests.mutation.equivalent import reason
from tests.mutation.judge import Outcome, judge
from tests.mutation.mutants import Mutant, modules, mutants
from tests.mutation.report import MIN_SHARE, SEED, SYNTHETIC_CLIENTS, report, summary

MIN_TIMEOUT_S, SLOWER = 60.0, 10
"""A mutant is ended after ten times as long as the modules without a fault take, and not within a minute."""


def main(arguments: Sequence[str]) -> int:
    """Judge mutants and print those that survive; return 1 if too many do."""
    options = _options(arguments)
    every = [mutant for module in modules() for mutant in mutants(module)]
    chosen = [mutant for mutant in every if reason(mutant) is None]
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        outcomes = _evaluated(chosen, Path(folder), options.processes)
    figures = summary(outcomes)
    print(  # noqa: T201
        f"{figures['killed']} of {figures['mutants']} mutants are detected ({figures['share_killed']:.1%}); "
        f"{figures['raised']} more raise an error, {len(every) - len(chosen)} are equivalent by the list or not drawn"
    )
    if options.output:
        options.output.write_text(json.dumps(report(outcomes, every), indent=2) + "\n", "utf-8")
    return 0 if figures["share_killed"] >= MIN_SHARE else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, help="judge this number of mutants, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="mutants at a time (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="JSON file to write: figures by module, survivors")
    return parser.parse_args(arguments)


def _evaluated(chosen: Sequence[Mutant], folder: Path, processes: int) -> list[Outcome]:
    """Judge mutants, after the modules as they are; print survivors and progress."""
    writer = get_context("fork").Process(target=_write_clients, args=(folder,))
    writer.start()
    writer.join()
    sound = next(judge([None], folder, processes=1, timeout_s=600))
    if sound.verdict != "survived":
        raise SystemExit(f"without a mutant: {sound.verdict} {sound.feature}; run tests/bento/features first")
    timeout_s = max(MIN_TIMEOUT_S, SLOWER * sound.seconds)
    outcomes = []
    for outcome in judge(chosen, folder, processes=processes, timeout_s=timeout_s):
        outcomes.append(outcome)
        if outcome.verdict == "survived" and outcome.mutant:
            print(f"survived: {outcome.mutant.name}", flush=True)  # noqa: T201
        if len(outcomes) % 100 == 0:
            print(f"{len(outcomes)} of {len(chosen)} evaluated", flush=True)  # noqa: T201
    return outcomes


def _write_clients(folder: Path) -> None:
    from tests.mutation.clients import write_clients

    write_clients(folder, synthetic=SYNTHETIC_CLIENTS, seed=SEED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
