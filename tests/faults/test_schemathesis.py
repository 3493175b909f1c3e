"""The service holds what its own OpenAPI document promises, whatever a client sends."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.serving import Service

SECONDS = 60
# Not checked: that whatever fits the document is accepted, for no document can say that rows belong to their client.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


@pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
def test_no_request_gets_anything_but_what_the_document_says(service: Service, tmp_path: Path):
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{service.url}/docs.json", "--no-color"]
    command += ["--mode", "all", "--max-examples", "10", "--generation-deterministic", "--max-time", str(SECONDS)]
    command += ["--max-response-time", "10", "--continue-on-failure", "--checks", ",".join(CHECKS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=6 * SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried is not None, done.stdout
    assert int(tried[1]) > 500
    assert re.search(r"Tested: 9\b", done.stdout), done.stdout
