"""The image holds what serving needs and no more, and its container answers as the model."""

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from research.data.example_credit_files import example_credit_files
from research.deployment.containerize import run_command
from tests.container.base_image import buildah
from tests.support.deadlines import timeout_s
from tests.support.services import REQUEST_TIMEOUT_S

PACKAGES = ("evidently", "mlflow", "pandas", "sklearn", "streamlit")
PROGRAMS = ("cc", "c++", "gcc", "g++", "git", "ld", "make")
MAX_IMAGE_MB = 900
"""Megabytes an image may have."""
EXACT = 1e-12
START_TIMEOUT_S = 120.0
"""Seconds in which a service that may not start has ended."""


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(params=range(3), ids=("no history", "some history", "long history"))
def credit_file(request: pytest.FixtureRequest) -> dict[str, Any]:
    number: int = request.param
    return example_credit_files(3)[number]


def test_the_command_names_the_image_its_size_and_how_to_run_it(
    containerized: str, bento_tag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    built, line = containerized.splitlines()

    assert built.startswith(f"{bento_tag} built, ")
    assert f"buildah from {bento_tag}" in line
    size, unit = built.split(", ")[1].split(";")[0].split()
    assert unit == "MB"
    assert float(size) < MAX_IMAGE_MB
    with capsys.disabled():
        sys.stdout.write(f"\n{built}\n")


def test_the_image_holds_serving_packages_only(container: str) -> None:
    look = (
        "import importlib.util, shutil;"
        f"print([name for name in {PACKAGES} if importlib.util.find_spec(name)],"
        f"[name for name in {PROGRAMS} if shutil.which(name)])"
    )

    assert buildah("run", container, "--", "python", "-c", look) == "[] []"


def test_the_user_has_no_rights(container: str) -> None:
    assert buildah("run", container, "--", "id", "--user") != "0"
    assert buildah("run", container, "--", "sh", "-c", "test -w /app || test -w /usr || echo neither") == "neither"


def test_port_3000_is_declared(containerized: str, bento_tag: str) -> None:
    ports = buildah("inspect", "--type", "image", "--format", "{{.OCIv1.Config.ExposedPorts}}", bento_tag)

    assert "3000/tcp" in ports


def test_every_address_is_listened_on(container_url: str) -> None:
    # A service on 127.0.0.1 alone could not be reached from outside its container.
    with socket.create_connection(("127.0.0.2", urlsplit(container_url).port)):
        pass


def test_without_keys_the_service_refuses_to_start_and_names_the_remedy(container: str) -> None:
    run = subprocess.run(
        run_command(container), capture_output=True, text=True, timeout=timeout_s(START_TIMEOUT_S), check=False
    )

    assert run.returncode != 0
    assert "keys new-key" in run.stderr
    assert "Traceback" not in run.stderr


def _asked(address: str, body: bytes, key: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    timeout = timeout_s(REQUEST_TIMEOUT_S)
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=timeout) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
        return answer


def test_a_request_without_a_key_is_refused(container_url: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        _asked(f"{container_url}/predict", b"{}", "none")


def test_predict_answers_as_the_model(
    container_url: str, api_key: str, model: ScoringModel, credit_file: dict[str, Any]
) -> None:
    body = json.dumps(credit_file)
    features = model.features([CreditFile.model_validate_json(body)])

    answer = _asked(f"{container_url}/predict", body.encode(), api_key)

    assert answer["probability_of_default"] == pytest.approx(model.probability(features)[0], rel=0, abs=EXACT)
    assert answer["threshold"] == model.threshold


def test_explain_answers_as_the_model(
    container_url: str, api_key: str, model: ScoringModel, credit_file: dict[str, Any]
) -> None:
    body = json.dumps(credit_file)
    features = model.features([CreditFile.model_validate_json(body)])
    contributions, base_value = model.contributions(features)

    answer = _asked(f"{container_url}/explain", body.encode(), api_key)

    assert answer["probability_of_default"] == pytest.approx(model.probability(features)[0], rel=0, abs=EXACT)
    assert answer["base_value"] == pytest.approx(base_value, rel=0, abs=EXACT)
    contributed = {item["feature"]: item["contribution"] for item in answer["contributions"]}
    expected = dict(zip(model.feature_names, contributions[0].tolist(), strict=True))
    assert contributed == pytest.approx(expected, rel=0, abs=EXACT)
