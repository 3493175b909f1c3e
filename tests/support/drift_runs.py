"""Find what a run of drift wrote."""

import json
from pathlib import Path


def last_run(out: Path) -> Path:
    """Return the folder of the newest run that the index lists."""
    newest = json.loads((out / "index.json").read_text())[0]
    return (out / newest["json"]).parent
