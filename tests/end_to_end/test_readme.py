"""The examples of the README work as they are printed."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from research.cli import ROOT

# As printed, but that an error of the service ends it, and that each answer can be told from the next.
CURL = 'curl() { command curl --fail-with-body --write-out "\\n=====\\n" "$@"; }\n'


def _block() -> str:
    found = re.search(r"test_readme\.py -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_curl_examples_work_as_printed(service_url: str, tmp_path: Path):
    assert shutil.which("curl"), "the README tells people to use curl: it is needed to try what it says"
    shutil.copytree(ROOT / "ui" / "examples", tmp_path / "ui" / "examples")
    script = _block().replace("> decision.json", "| sed '/^=====$/d' > decision.json")
    script = CURL + script.replace("http://127.0.0.1:3000", service_url)
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(text) for text in done.stdout.split("\n=====\n") if text.strip()]
    decision, simulation, explanation, batch, record, review, model = answers
    kept = json.loads((tmp_path / "decision.json").read_text())
    assert decision["decision_id"]
    assert simulation["decision_id"] is None
    assert simulation["probability_of_default"] == kept["probability_of_default"]
    assert explanation["counterfactual"]["text"]["fr"]
    assert [item["problem"] for item in batch["results"]] == [None, None]
    assert record["decision_id"] == kept["decision_id"]
    assert review["verdict"] == "confirmed"
    assert model["features"]
