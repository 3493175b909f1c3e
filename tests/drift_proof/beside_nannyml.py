"""Compare the estimated cost with that of NannyML's CBPE, which has another environment.

NannyML does not install beside the project's packages (docs/drift.md says why). In an environment by itself:

    python -m venv nannyml && nannyml/bin/pip install nannyml==0.13.1 statsmodels
    python -m tests.drift_proof.beside_nannyml --data data/proof --python nannyml/bin/python
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from bento.model.scoring_model import ScoringModel
from drift.champion import champion
from drift.estimate import expected_costs
from tests.drift_proof.cost import KNOWN_CONCEPT, SHIFTS_OF_COST, Draw, draw, truth_of
from tests.drift_proof.results import NannymlError, NannymlResults
from tests.drift_proof.world import World

RESULTS = Path(__file__).parents[2] / "research" / "results"
FILE = "nannyml.json"
SCRIPT = Path(__file__).with_name("cbpe.py")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison and write nannyml.json."""
    parser = argparse.ArgumentParser(prog="python -m tests.drift_proof.beside_nannyml", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of synthetic tables that the model was not trained on")
    add("--python", type=Path, required=True, help="Python of an environment that has NannyML")
    add("--model", help="model of the BentoML store, or its folder (default: the newest there)")
    add("--seeds", type=int, default=20, help="draws for each shift (%(default)s)")
    add("--out", type=Path, default=RESULTS, help="where to write (research/results)")
    options = parser.parse_args(arguments)
    named = champion(options.model)
    if named is None:
        raise SystemExit("there is no model in the BentoML store; name one with --model")
    description = json.loads((options.data / "synthetic.json").read_text())
    world = World.of(options.data, named[1])
    results = compared(world, truth_of(world, options.data), options.python, options.seeds)
    source = {"data": "synthetic", "clients": description["clients"], "seed": description["seed"]}
    content = NannymlResults(**source, **results)
    (options.out / FILE).write_text(content.model_dump_json(indent=1) + "\n", "utf-8")
    return 0


def compared(world: World, truth: np.ndarray, python: Path, seeds: int) -> dict[str, object]:
    """Return NannyML's version, and the errors of both estimates under each shift."""
    shifts = [shift for shift in SHIFTS_OF_COST if shift != KNOWN_CONCEPT]
    draws = {(shift, seed): draw(world, truth, shift, seed) for shift in shifts for seed in range(seeds)}
    costs = world.model.manifest.costs
    with tempfile.TemporaryDirectory() as folder:
        for (shift, seed), drawn in draws.items():
            _write(world, drawn, Path(folder) / f"{shifts.index(shift)}_{seed}")
        command = [str(python), str(SCRIPT), folder, str(costs.false_negative / costs.false_positive)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answer = json.loads(output.splitlines()[-1])
    errors: dict[str, list[tuple[float, float]]] = {shift: [] for shift in shifts}
    for (shift, seed), drawn in draws.items():
        refused = drawn.probability >= world.model.threshold
        true, by_pd = (
            1000 * float(expected_costs(values, refused, costs).mean()) for values in (drawn.true, drawn.probability)
        )
        cost = costs.false_positive * answer["costs"][f"{shifts.index(shift)}_{seed}"]
        errors[shift].append((abs(cost - true), abs(by_pd - true)))
    means = {shift: np.mean(values, axis=0) for shift, values in errors.items()}
    rows = [
        NannymlError(shift=shift, seeds=seeds, error_nannyml=mean[0], error_pd=mean[1]) for shift, mean in means.items()
    ]
    return {"version": answer["version"], "rows": rows}


def _write(world: World, drawn: Draw, path: Path) -> None:
    """Write past applications, all with their outcome, and new ones."""
    target = world.population.target
    assert target is not None
    past = world.scores.probability[drawn.past]
    frames = {"past": _frame(past, world.model), "new": _frame(drawn.probability, world.model)}
    frames["past"] = frames["past"].with_columns(target[drawn.past].cast(pl.Int64).alias("target"))
    for name, frame in frames.items():
        frame.write_parquet(f"{path}_{name}.parquet")


def _frame(probability: np.ndarray, model: ScoringModel) -> pl.DataFrame:
    return pl.DataFrame({"pd": probability, "refused": (probability >= model.threshold).astype(np.int64)})


if __name__ == "__main__":
    sys.exit(main())
