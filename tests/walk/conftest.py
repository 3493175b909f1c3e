"""A repository on GitHub and an account in AWS, both stand-ins, and the service that is deployed, a real one."""

import contextlib
import hashlib
import json
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from bento import NAME
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from bento.model.scoring_model import ScoringModel
from research import tracking
from research.deployment.cloud import environment, stacks
from research.deployment.github import PREDICATES
from research.deployment.processes import free_port, running
from research.registry.archive import export
from tests.cloud import aws
from tests.support.commands import bentoml_serve
from tests.support.small_model import write_small_model
from tests.walk.github import REPOSITORY, GitHub

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n"


@dataclass
class World:
    """GitHub, AWS, and the address at which what is deployed answers."""

    github: GitHub
    folder: Path
    port: int
    _images: int = 0

    def client(self, service: str) -> Any:
        """Return a client of AWS."""
        return boto3.client(service, region_name=REGION)

    def secret(self, environment_name: str, output: str) -> str:
        """Return the name of a secret of an environment."""
        stack = stacks.Stacks(REGION).find(stacks.stack_name(environment_name))
        assert stack is not None
        return stack.outputs[output]

    def new_image(self) -> str:
        """Push another image, attested by build.yml, and return it by its digest."""
        client = self.client("ecr")
        self._images += 1
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        config = {"digest": f"sha256:{self._images:064}"}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config})
        tag = f"new{self._images}"
        pushed = client.put_image(repositoryName="credit-scoring", imageTag=tag, imageManifest=manifest)
        (repository,) = client.describe_repositories(repositoryNames=["credit-scoring"])["repositories"]
        digest = pushed["image"]["imageId"]["imageDigest"]
        for predicate in PREDICATES.values():
            self.github.attest("build.yml", digest, predicate)
        return f"{repository['repositoryUri']}@{digest}"

    @contextlib.contextmanager
    def deployed(self, bento_tag: str = f"{NAME}:latest", **settings: str) -> Iterator[None]:
        """Run the service of a Bento at the address of both environments, with the secrets of staging."""
        keys, master, journal = (self.folder / name for name in ("keys.json", "master.key", "journal.db"))
        client = self.client("secretsmanager")
        for file, output in ((keys, "ApiKeys"), (master, "MasterKey")):
            file.write_text(client.get_secret_value(SecretId=self.secret("staging", output))["SecretString"])
        upgrade(Journal(f"sqlite:///{journal}", Vault(None)))
        environment = {
            "BENTOML_HOME": self.github.environment["BENTOML_HOME"],
            "JOURNAL_URL": f"sqlite:///{journal}",
            "SCORING_KEYS_FILE": str(keys),
            "SCORING_MASTER_KEY_FILE": str(master),
            **settings,
        }
        log = self.folder / "service.log"
        with running(bentoml_serve(bento_tag, self.port), f"http://127.0.0.1:{self.port}/readyz", log, **environment):
            yield


@pytest.fixture(scope="session")
def champion(synthetic_folder: Path, empty_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the archive of a champion: version 1, a small model."""
    folder = tmp_path_factory.mktemp("champion")
    shutil.copy(empty_registry, folder / "mlflow.db")
    model = write_small_model(folder / "model", synthetic_folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        client = tracking.connect()
        with tracking.started_run("train", tracking.made_from(model.manifest.training_data)):
            version = tracking.log_model(ScoringModel(model.folder))
        client.set_registered_model_alias(NAME, tracking.CHAMPION, version.version)
        export(tracking.champion(client), folder / "champion.tar")
    tracking.connect()
    return folder / "champion.tar"


@pytest.fixture(scope="session")
def world(champion: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a repository whose training run was promoted, and an account with both environments, empty so far."""
    folder, port = tmp_path_factory.mktemp("walk"), free_port()
    with aws.running() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint}.items():
            patch.setenv(name, value)
        patch.setattr(stacks, "TEMPLATES", _templates(folder, port))
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()  # noqa: S310
        account = stacks.Stacks(REGION, 0.05)
        (folder / "ca.pem").write_text(CERTIFICATE)
        push_role = environment.bootstrap(account, REPOSITORY, "").outputs["PushRole"]
        variables = {"": {"AWS_REGION": REGION}}
        for name in environment.ENVIRONMENTS:
            settings: dict[str, str | int] = {"Size": "small", "Repository": REPOSITORY}
            stack = environment.create(account, name, settings, folder / "ca.pem")
            variables[name] = {"AWS_DEPLOY_ROLE": stack.outputs["DeployRole"]}
        variables["staging"]["AWS_PUSH_ROLE"] = push_role
        _share_keys(account)
        homes = {"BENTOML_HOME": str(folder / "bentoml"), "SCORING_DATA": str(folder / "data")}
        registry = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/none.db"}
        hidden = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"), "")
        github = GitHub(
            folder=folder / "github",
            variables=variables,
            environment={**homes, **registry, **hidden, "AWS_ENDPOINT_URL": endpoint},
        )
        keep_champion(github, champion)
        yield World(github, folder, port)


def keep_champion(github: GitHub, archive: Path) -> None:
    """Let a promoted run of train.yml have an attested champion."""
    number = github.new_run()
    github.artifact(number, "champion").mkdir(parents=True)
    shutil.copy(archive, github.artifact(number, "champion") / "champion.tar")
    github.attest(
        "train.yml", f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}", "https://slsa.dev/provenance/v1"
    )
    github.finish(number, "train.yml", "success")


def _templates(folder: Path, port: int) -> Path:
    """Return the templates, with the address of this machine instead of CloudFront's."""
    copied = Path(shutil.copytree(stacks.TEMPLATES, folder / "templates"))
    template = copied / "environment.yaml"
    lines = template.read_text("utf-8").splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("  Address:")]
    lines[at] = f'  Address: {{Value: "http://127.0.0.1:{port}"}}'
    template.write_text("\n".join(lines) + "\n", "utf-8")
    return copied


def _share_keys(account: stacks.Stacks) -> None:
    """Give production the keys of staging: one service stands for both."""
    client = boto3.client("secretsmanager", region_name=REGION)
    staging, production = (account.find(stacks.stack_name(name)) for name in environment.ENVIRONMENTS)
    assert staging is not None
    assert production is not None
    for output in ("ApiKeys", "SmokeKey", "MasterKey"):
        value = client.get_secret_value(SecretId=staging.outputs[output])["SecretString"]
        client.put_secret_value(SecretId=production.outputs[output], SecretString=value)
