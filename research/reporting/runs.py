"""Find the runs whose results are published together: the champion's, and what was measured on the same data."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from research.results import (
    COMPARISON_FILE,
    COUNTERFACTUALS_FILE,
    FIDELITY_FILE,
    GATE_FILE,
    LAWFUL_FILE,
    MISSING_FILE,
    MITIGATION_FILE,
    PRICE_FILE,
    QUOTABLE_FILE,
    REASONS_FILE,
    RESULTS_FILE,
    RULES_FILE,
    STUDY_FILE,
    TrainingResults,
    read,
)

OF_DATA = {
    COMPARISON_FILE: "compare",
    PRICE_FILE: "fairness",
    MITIGATION_FILE: "mitigation",
    QUOTABLE_FILE: "quotable",
    LAWFUL_FILE: "lawful",
}
"""Results that a command writes into a folder beside that of the champion: file, and target of make."""
OF_MODEL = {
    GATE_FILE: "promote",
    MISSING_FILE: "missing",
    REASONS_FILE: "reasons",
    COUNTERFACTUALS_FILE: "counterfactuals",
    RULES_FILE: "rules",
}
"""Results that a command writes into the folder of the champion: file, and target of make."""
ELSEWHERE = {STUDY_FILE: "study", FIDELITY_FILE: "fidelity"}
"""Results that a command writes elsewhere: file, and target of make."""


def runs_beside(champion: str, results: Path) -> list[str]:
    """Return the folders of `results` that hold the newest results of each command on the data of the champion's run.

    The champion's run comes first. A `CommandError` where it has no results here.
    """
    fingerprint = read(TrainingResults, results / champion / RESULTS_FILE).fingerprint
    runs = [champion]
    for name in OF_DATA:
        files = [path for path in results.glob(f"*/{name}") if _content(path).get("fingerprint") == fingerprint]
        if files:
            runs.append(max(files, key=lambda path: path.stat().st_mtime).parent.name)
    return list(dict.fromkeys(runs))


def of_another_model(folder: Path) -> Iterator[str]:
    """Yield a line for each published file of other data, or of another model, than the published training."""
    results = _content(folder / RESULTS_FILE)
    for name, target in (OF_DATA | OF_MODEL | ELSEWHERE).items():
        path = folder / name
        if not path.is_file():
            yield f"{name}: none is published; make {target}, then publish again"
            continue
        content = _content(path)
        keys = ["data", "seed"] if name == GATE_FILE else ["data", "seed", "clients"]
        keys += ["fingerprint"] if "fingerprint" in content else []
        keys += ["run"] if name in OF_MODEL and "run" in content else []
        if any(content.get(key) != results.get(key) for key in keys):
            yield f"{name}: of another model or other data than {RESULTS_FILE}; make {target}, then publish again"


def _content(path: Path) -> Mapping[str, object]:
    """Return the content of a result file."""
    content: Mapping[str, object] = json.loads(path.read_text("utf-8"))
    return content
