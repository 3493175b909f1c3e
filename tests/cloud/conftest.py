"""A server that stands for AWS, an environment in it, and a real service that stands for a deployed address."""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bentoml
import boto3
import httpx
import pytest

from bento import NAME
from bento.api.keys import new_key
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from bento.model.manifest import FOLDER_IN_STORE
from research.cli import ROOT, SERVING_PYTHON
from research.deployment.cloud import environment
from research.deployment.cloud.smoke import Service
from research.deployment.cloud.stacks import Stacks
from research.deployment.import_model import VERSION_LABEL
from research.deployment.processes import free_port, running
from tests.cloud import aws
from tests.support.clients import write_clients
from tests.support.deadlines import timeout_s
from tests.support.services import REQUEST_TIMEOUT_S
from tests.support.small_model import write_small_model

REGION = "eu-west-1"
VERSION = "7"
"""Version of the model that the service serves."""
SETTINGS: dict[str, str | int] = {"Size": "small", "Repository": "lender/scoring"}
PEM = "-----BEGIN CERTIFICATE-----\ninvented\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """Return the address of the server; what uses boto3, also in another process, asks it instead of AWS."""
    with pytest.MonkeyPatch.context() as patch, aws.running() as url:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "invented")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield url


@pytest.fixture(scope="module")
def stacks(aws_url: str) -> Stacks:
    """An account in which nothing is yet."""
    httpx.post(f"{aws_url}/moto-api/reset", timeout=timeout_s(REQUEST_TIMEOUT_S)).raise_for_status()
    return Stacks(REGION, poll_s=0.01)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of certificates of a database."""
    file = tmp_path_factory.mktemp("certificates") / "ca.pem"
    file.write_text(PEM)
    return file


@pytest.fixture(scope="module")
def staging(stacks: Stacks, certificates: Path) -> Stacks:
    """An account with the environment `staging`, in which nothing is deployed."""
    environment.bootstrap(stacks, "lender/scoring", "")
    environment.create(stacks, "staging", SETTINGS, certificates)
    return stacks


def pushed_image(tag: str, repository: str = "credit-scoring") -> str:
    """Put an image into the registry, and return it by its digest."""
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 1, "digest": f"sha256:{tag:0<64}"}
    kind = "application/vnd.oci.image.manifest.v1+json"
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 1, "digest": f"sha256:{tag:1<64}"}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]})
    ecr = boto3.client("ecr", region_name=REGION)
    put: dict[str, Any] = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
    address = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
    return f"{address}@{put['image']['imageId']['imageDigest']}"


@dataclass(frozen=True)
class Deployed:
    """A running service with its keys and its journal."""

    service: Service
    reader_key: str
    """A key that may read, and not score."""
    journal: Journal


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Run the service of this code with a small model, keys and an encrypted journal, in the serving environment."""
    folder = tmp_path_factory.mktemp("deployed")
    model = write_small_model(folder / "model", write_clients(folder / "clients"))
    with bentoml.models.create(NAME, labels={VERSION_LABEL: VERSION}) as stored:
        shutil.copytree(model.folder, stored.path_of(FOLDER_IN_STORE))
    key, _ = new_key(folder / "keys.json", ["score", "read"])
    reader_key, _ = new_key(folder / "keys.json", ["read"])
    master_key = folder / "master.key"
    secret = secrets.token_bytes(32)
    master_key.write_text(base64.b64encode(secret).decode())
    url, port = f"sqlite:///{folder}/journal.db", free_port()
    journal = Journal(url, Vault(secret))
    upgrade(journal)
    command = [SERVING_PYTHON, "-m", "bentoml", "serve", "bento.service:CreditScoring"]
    command += ["--working-dir", ROOT, "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "JOURNAL_URL": url,
        "SCORING_KEYS_FILE": str(folder / "keys.json"),
        "SCORING_MASTER_KEY_FILE": str(master_key),
    }
    address = f"http://127.0.0.1:{port}"
    with running(command, f"{address}/readyz", folder / "service.log", **settings):
        yield Deployed(Service(url=address, key=key), reader_key, journal)
    journal.close()
