"""The service keeps the promises of its OpenAPI document for any request, as Schemathesis generates them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bento.api.keys import new_key
from bento.api.openapi import REVIEW
from research.cli import ROOT
from tests.support.deadlines import timeout_s
from tests.support.services import served

RUN_TIMEOUT_S = 900
"""Seconds for the whole run; it takes about 15."""
INTERPRETER_FAULT = "AST constructor recursion depth mismatch"
"""CPython 3.11 sometimes fails so where Hypothesis, deep in a strategy, parses a lambda: no fault of the service."""
TRIES = 3
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.promise("every answer conforms to the OpenAPI document")
def test_every_answer_conforms_to_the_openapi_document(bento_tag: str, tmp_path: Path):
    keys = tmp_path / "keys.json"
    key, _ = new_key(keys, ["score", "read", "review"], name=REVIEW["reviewer"])
    command: list[str | Path] = [Path(sys.executable).with_name("schemathesis"), "--no-color"]
    command += ["--config-file", CONFIGURATION, "run", "--header", f"Authorization: Bearer {key}"]
    settings = {"SCORING_AUTH": "", "SCORING_KEYS_FILE": str(keys), "SCORING_KEY_RATE": "1000"}
    with served(bento_tag, f"sqlite:///{tmp_path}/journal.db", tmp_path, **settings) as service:
        for _ in range(TRIES):
            done = subprocess.run(
                [*command, f"{service.url}/docs.json"],
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=timeout_s(RUN_TIMEOUT_S),
                check=False,
            )
            if INTERPRETER_FAULT not in done.stdout + done.stderr:
                break
        log = service.log.read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert re.search(r"Tested: 12\b", done.stdout), done.stdout
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried is not None, done.stdout
    assert int(tried[1]) > 2000
    assert "Traceback" not in log
