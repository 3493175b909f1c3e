"""Where the processor time of a portfolio goes: `python -m tests.benchmarks.portfolio_layers DATA MODEL OUT`.

All parts are computed in one process of one thread; the functions of the path are timed where they are called.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bento.features.catalogue import catalogue_hash
from bento.model.scoring_model import ScoringModel
from bento.portfolio import jobs, spread
from bento.portfolio.inputs import Inputs, find_inputs
from bento.portfolio.output import OutputFolder, Run, opened
from bento.rules.rulebook import Rulebook
from tests.benchmarks.layers import part, timed

PART_CLIENTS = 10_000
PARTS: Mapping[str, tuple[tuple[Any, str], ...]] = {
    "reading ids": ((Inputs, "clients"),),
    "spreading rows over parts": ((spread, "spread"),),
    "reading a part": ((spread, "tables_of"),),
    "checks": ((jobs, "unusable"), (jobs, "impossible")),
    "cleaning": ((jobs, "_cleaned"),),
    "features": ((jobs, "build_features"),),
    "score": ((ScoringModel, "log_odds"),),
    "contributions": ((ScoringModel, "contributions"),),
    "reasons in words": ((jobs, "reasons_of"),),
    "writing": ((OutputFolder, "write"),),
}
"""The functions that are timed, by the name of their layer; none of them calls another."""


def layers(data: Path, model: Path, out: Path) -> dict[str, float]:
    """Score a folder, and return the processor seconds of each layer; `rest` is what none of them took."""
    taken: dict[str, float] = {}
    with timed(PARTS, taken):
        start = time.process_time()
        inputs = find_inputs(data)
        fingerprint = part(taken, "fingerprint of the files", lambda: inputs.fingerprint)
        job = jobs.JobSpec(model, Rulebook.read().content).job()
        same = {"code": "", "catalogue": catalogue_hash(), "part_clients": PART_CLIENTS}
        run = Run.model_validate({"job": "score", "engine": "local", "data": fingerprint, **same})
        with opened(out, run, job.name) as output:
            clients = spread.Clients(inputs.clients().to_numpy(), PART_CLIENTS)
            spread.spread(inputs, job.columns, clients, range(clients.parts), output.work)
            for number in range(clients.parts):
                computed = job.compute(spread.tables_of(output.work, number, job.columns))
                output.write(number, clients.in_part(number), computed)
                spread.forget(output.work, number)
        whole = time.process_time() - start
    return taken | {"rest": whole - sum(taken.values())}


def main() -> None:
    """Print the layers as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("data", type=Path, help="a folder of tables")
    parser.add_argument("model", type=Path, help="a model folder")
    parser.add_argument("out", type=Path, help="a new folder")
    options = parser.parse_args()
    print(json.dumps(layers(options.data, options.model, options.out)))  # noqa: T201


if __name__ == "__main__":
    main()
