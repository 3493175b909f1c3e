"""The image holds what serving needs and no more, and its container answers as the model."""

import json
import shutil
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
from research.cli import ROOT
from research.data.example_credit_files import example_credit_files
from research.deployment.containerize import run_command
from tests.container.base_image import buildah
from tests.container.hardened import image_settings
from tests.support.deadlines import timeout_s
from tests.support.services import REQUEST_TIMEOUT_S

PACKAGES = ("ensurepip", "evidently", "mlflow", "pandas", "pip", "scipy", "setuptools", "sklearn", "streamlit", "uv")
PROGRAMS = (
    "apt",
    "apt-get",
    "cc",
    "c++",
    "curl",
    "gcc",
    "g++",
    "git",
    "ld",
    "make",
    "perl",
    "pip",
    "pip3",
    "uv",
    "wget",
)
MAX_IMAGE_MB, MAX_PACKAGES_MB = 600, 400
"""Megabytes that an image, and the installed packages in it, may have."""
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
    built, line, bill = containerized.splitlines()

    assert built.startswith(f"{bento_tag} built, ")
    assert f"buildah from {bento_tag}" in line
    assert Path(bill.split(": ")[1]).is_file()
    size, unit = built.split(", ")[1].split(";")[0].split()
    assert unit == "MB"
    assert float(size) < MAX_IMAGE_MB
    with capsys.disabled():
        sys.stdout.write(f"\n{built}\n")


@pytest.mark.promise("the image holds what serving needs: no compiler, no pip, uv, apt or perl, no scipy")
def test_the_image_holds_serving_packages_only(container: str) -> None:
    look = (
        "import importlib.util, shutil;"
        f"print([name for name in {PACKAGES} if importlib.util.find_spec(name)],"
        f"[name for name in {PROGRAMS} if shutil.which(name)])"
    )

    assert buildah("run", container, "--", "python", "-c", look) == "[] []"


@pytest.mark.promise("the service's user can write nothing of the image but /journal and /tmp")
def test_the_user_can_write_nothing_of_the_image(container: str) -> None:
    look = (
        "import os; skipped = ('/proc', '/sys', '/dev', '/run', '/etc/hosts', '/etc/resolv.conf');"
        "paths = [os.path.join(folder, name) for folder, folders, files in os.walk('/')"
        " if not folder.startswith(skipped) for name in folders + files];"
        "print(sorted(p for p in paths if not os.path.islink(p) and not p.startswith(skipped)"
        " and os.access(p, os.W_OK) and not p.startswith(('/tmp/', '/journal/'))))"
    )

    assert buildah("run", container, "--", "id", "--user") == "1034"
    assert buildah("run", container, "--", "python", "-c", look) == "['/journal', '/tmp', '/var/tmp']"


def test_installed_packages_stay_within_their_bound(container: str) -> None:
    assert int(buildah("run", container, "--", "du", "-sm", "/app").split()[0]) <= MAX_PACKAGES_MB


@pytest.mark.promise("the bill of materials names every package of the image, with its version")
def test_the_bill_of_materials_is_what_is_installed(container: str) -> None:
    look = (
        "import importlib.metadata as m, json;"
        "print(json.dumps(sorted([d.name.lower().replace('_', '-').replace('.', '-'), d.version]"
        " for d in m.distributions() if '/app/' in str(d.locate_file('')))))"
    )
    installed = json.loads(buildah("run", container, "--", "python", "-c", look))
    bill = json.loads(buildah("run", container, "--", "cat", "env/python/sbom.cdx.json"))

    assert bill["specVersion"] == "1.5"
    named = {(component["name"], component["version"]) for component in bill["components"]}
    assert len(installed) > 50
    assert [pair for pair in map(tuple, installed) if pair not in named] == []


def test_labels_name_source_version_and_licence(containerized: str, bento_tag: str) -> None:
    labels = image_settings(bento_tag)["Labels"]

    assert labels["org.opencontainers.image.version"] == bento_tag.partition(":")[2]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.base.name"] == "docker.io/library/python:3.11-slim"
    if shutil.which("git") is not None and (ROOT / ".git").exists():
        assert len(labels["org.opencontainers.image.revision"].removesuffix("-dirty")) == 40


def test_port_3000_is_declared(containerized: str, bento_tag: str) -> None:
    assert list(image_settings(bento_tag)["ExposedPorts"]) == ["3000/tcp"]


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
