"""Prove what the drift report finds: false alarms, power and error of the estimated cost, on synthetic data.

Samples of 50,000 need 100,000 clients in application_train. Takes half an hour at full size:

    python -m research data synth --clients 120000 --seed 2 --out data/proof
    python -m tests.drift_proof --data data/proof
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from drift.champion import champion
from tests.drift_proof.cost import cost_errors
from tests.drift_proof.detection import null, power
from tests.drift_proof.figure import draw
from tests.drift_proof.results import DriftProof
from tests.drift_proof.world import World

RESULTS = Path(__file__).parents[2] / "research" / "results"
FILE, PICTURE = "drift_proof.json", "drift_proof.png"
NULL_SIZES = (500, 1_000, 5_000, 50_000)
POWER_SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
PARTS = ("null", "power", "cost")
MAX_COST_SEEDS = 40
"""Draws of the estimated cost, whose mean error they give within a tenth."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for, and write JSON and picture."""
    options = _options(arguments)
    named = champion(options.model)
    if named is None:
        raise SystemExit("there is no model in the BentoML store; name one with --model")
    path = options.out / FILE
    description = json.loads((options.data / "synthetic.json").read_text())
    start = {"data": "synthetic", "clients": description["clients"], "seed": description["seed"]}
    start["model"] = f"trained on {named[1].manifest.training_data.clients:,} clients"
    proof = DriftProof(**start)
    if path.is_file():
        proof = DriftProof.model_validate_json(path.read_bytes()).model_copy(update=start)
    world = World.of(options.data, named[1])
    sizes = [size for size in options.sizes if 2 * size <= world.population.rows]
    for part in options.parts:
        print(part, flush=True)  # noqa: T201
        results: Iterator[BaseModel] = {
            "null": lambda: null(world, [size for size in sizes if size in NULL_SIZES], options.seeds),
            "power": lambda: power(world, sizes, options.seeds, options.evidently_seeds),
            "cost": lambda: cost_errors(world, options.data, min(options.seeds, MAX_COST_SEEDS)),
        }[part]()
        proof = proof.model_copy(update={part: list(results)})
        path.write_text(proof.model_dump_json(indent=1) + "\n", "utf-8")
    draw(proof, options.out / PICTURE)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drift_proof", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of synthetic tables that the model was not trained on")
    add("--model", help="model of the BentoML store, or its folder (default: the newest there)")
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to run (default: all)")
    add("--sizes", nargs="+", type=int, default=POWER_SIZES, help="rows of each sample")
    add("--seeds", type=int, default=100, help="pairs of samples for each size (%(default)s)")
    add("--evidently-seeds", type=int, default=10, help="of these, pairs that Evidently compares (%(default)s)")
    add("--out", type=Path, default=RESULTS, help="where to write (research/results)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
