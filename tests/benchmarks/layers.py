"""Where the processor time of one decision goes, layer by layer: `python -m tests.benchmarks.layers MODEL FILE.json`.

The functions of the path are timed where they are called, so that the parts are those of the path itself.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.rules.rulebook import DEFAULT_RULES, Rulebook
from bento.scoring import score as scoring
from bento.scoring.missing_fields import file_warnings
from tests.benchmarks.measure import Figures

PARTS: dict[str, tuple[tuple[Any, str], ...]] = {
    "features": ((ScoringModel, "client_inputs"),),
    "score": ((ScoringModel, "log_odds_of"),),
    "contributions": ((ScoringModel, "contributions_of"),),
    "rules": ((Rules, "hits"),),
    "reasons in words": ((scoring, "main_reasons"),),
    "fingerprint of features": ((scoring, "features_hash"),),
}
"""The functions of `score` that are timed, by the name of their part; none of them calls another."""


def layers(model: ScoringModel, rules: Rules, text: bytes, seconds: float) -> Figures:
    """Return the median processor time of each part of deciding on one credit file, in milliseconds."""
    runs: list[dict[str, float]] = []
    taken: dict[str, float] = {}
    with timed(PARTS, taken):
        end = time.perf_counter() + seconds
        while len(runs) < 3 or time.perf_counter() < end:
            taken.clear()
            _decide(model, rules, text, taken)
            runs.append(dict(taken))
    warm = runs[len(runs) // 10 :]  # the first run compiles the formulas
    return {name: 1000 * median(run[name] for run in warm) for name in warm[-1]}


def _decide(model: ScoringModel, rules: Rules, text: bytes, taken: dict[str, float]) -> None:
    credit_file = part(taken, "parse and check", CreditFile.model_validate_json, text)
    before, start = sum(taken.values()), time.process_time()
    scoring.score(model, [credit_file], rules=rules, reasons=True)
    whole = time.process_time() - start
    taken["rest of the score"] = whole - (sum(taken.values()) - before)
    part(taken, "warnings", file_warnings, model, credit_file)


def part(taken: dict[str, float], name: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call a function, and add the processor seconds that it takes to those of a part."""
    start = time.process_time()
    result = function(*arguments, **named)
    taken[name] = taken.get(name, 0.0) + time.process_time() - start
    return result


@contextmanager
def timed(parts: Mapping[str, tuple[tuple[Any, str], ...]], taken: dict[str, float]) -> Iterator[None]:
    """Have the functions of each part, given as owner and name, add the time that they take to it."""
    patches = [
        patch.object(owner, function, _wrapped(taken, name, getattr(owner, function)))
        for name, functions in parts.items()
        for owner, function in functions
    ]
    for replaced in patches:
        replaced.start()
    try:
        yield
    finally:
        for replaced in patches:
            replaced.stop()


def _wrapped(taken: dict[str, float], name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as one that adds its processor seconds to those of a part."""
    return lambda *arguments, **named: part(taken, name, original, *arguments, **named)


def main() -> None:
    """Print the parts as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("model", type=Path, help="a model folder")
    parser.add_argument("file", type=Path, help="a credit file as JSON")
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    model = ScoringModel(options.model)
    rules = Rules(Rulebook.read(DEFAULT_RULES), model.reference.usual)
    print(json.dumps(layers(model, rules, options.file.read_bytes(), options.seconds)))  # noqa: T201


if __name__ == "__main__":
    main()
