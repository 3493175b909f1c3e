"""The examples of docs/decide.md work as they are printed."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from research.cli import ROOT
from tests.support.deadlines import timeout_s

SCRIPT_TIMEOUT_S = 120.0
"""Seconds for the whole script, which takes about two."""

# As printed, but an error of the service ends the script, and a line separates each answer from the next.
CURL = 'curl() { command curl --fail-with-body --write-out "\\n=====\\n" "$@"; }\n'


def _block() -> str:
    block = re.search(
        r"test_decide\.py -->\n```sh\n(.*?)```", (ROOT / "docs" / "decide.md").read_text("utf-8"), re.DOTALL
    )
    assert block is not None
    return block[1]


def test_the_curl_examples_work_as_printed(service_url: str, tmp_path: Path):
    assert shutil.which("curl"), "curl is needed to try the commands of the page"
    shutil.copytree(ROOT / "ui" / "examples", tmp_path / "ui" / "examples")
    script = _block().replace("> decision.json", "| sed '/^=====$/d' > decision.json")
    script = CURL + script.replace("http://127.0.0.1:3000", service_url)
    run = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=timeout_s(SCRIPT_TIMEOUT_S),
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    answers = [json.loads(text) for text in run.stdout.split("\n=====\n") if text.strip()]
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
