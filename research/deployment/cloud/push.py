"""Push an image to the registry of the account, and describe it by its digest."""

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import bentoml
import boto3
from botocore.exceptions import ClientError
from pydantic import BaseModel

from research.cli import CommandError, last_line
from research.deployment.containerize import engine_environment, find_bento
from research.deployment.import_model import VERSION_LABEL

REPOSITORIES = {"service": "credit-scoring", "page": "credit-scoring-page"}
ARCHIVES = ("docker-archive:", "oci-archive:", "oci:", "dir:")
"""Begin of the name of an image in a file or folder, which buildah and podman push as well."""
_LABEL = "org.opencontainers.image."


class Pushed(BaseModel):
    """What was pushed, as deployment.json holds it: all that a deployment needs."""

    image: str
    """REGISTRY/credit-scoring@sha256:…"""
    bento: str
    model_version: str
    revision: str
    """The commit of the code, from the label of the image."""
    page: str | None = None
    """The image of the page by its digest, where it was pushed too."""


def push(region: str, engine: str, bento_tag: str, image: str | None = None, page: str | None = None) -> Pushed:
    """Push the image of a Bento, and that of the page, and return both by their digests.

    The tag in the registry is the version of the Bento. It cannot be pushed twice: an image that is there is taken as
    it is, so that what has been tested is what is deployed.

    Raises:
        CommandError: there is no such image, its model is not one of the registry of models, or the push fails.
    """
    bento = find_bento(bento_tag)
    tag = str(bento.tag.version)
    local = image or str(bento.tag)
    labels = image_labels(engine, local)
    pushed_tag = labels.get(f"{_LABEL}version")
    if pushed_tag is not None and pushed_tag != tag:
        raise CommandError(f"{local} holds Bento {pushed_tag}, not {tag}; build it with: make container")
    revision = labels.get(f"{_LABEL}revision", "")
    registry = Registry(region, engine)
    return Pushed(
        image=registry.push(local, REPOSITORIES["service"], tag),
        bento=str(bento.tag),
        model_version=model_version(bento),
        revision=revision,
        page=None if page is None else registry.push(page, REPOSITORIES["page"], tag),
    )


def model_version(bento: bentoml.Bento) -> str:
    """Return the version of the model in a Bento; raise CommandError where it holds none that was registered."""
    for packed in bento.info.all_models:
        version = bentoml.models.get(packed.tag).info.labels.get(VERSION_LABEL)
        if version:
            return str(version)
    raise CommandError(f"{bento.tag} holds no model of the registry; make it with: make import bento container")


def image_labels(engine: str, image: str) -> dict[str, str]:
    """Return the labels of a local image; none of one in an archive."""
    if image.startswith(ARCHIVES):
        return {}
    if engine == "buildah":
        text = _run([engine, "inspect", "--type", "image", image], f"{engine} has no image {image}")
        labels = (json.loads(text).get("Docker") or {}).get("config", {}).get("Labels")
    else:
        command = [engine, "image", "inspect", "--format", "{{json .Config.Labels}}", image]
        labels = json.loads(_run(command, f"{engine} has no image {image}"))
    return dict(labels or {})


class Registry:
    """The registry of images of an account, in one region, and the engine that pushes to it."""

    def __init__(self, region: str, engine: str) -> None:
        self._client = boto3.client("ecr", region_name=region)
        self._engine, self._is_open = engine, False

    def push(self, image: str, repository: str, tag: str) -> str:
        """Push an image unless its tag is there, and return it by its digest."""
        address = self._address(repository)
        digest = self._digest(repository, tag)
        if digest is None:
            self._log_in(address)
            target = f"{address}:{tag}"
            if self._engine == "docker":
                _run(["docker", "tag", image, target], f"docker has no image {image}")
                command = ["docker", "push", target]
            else:
                plain = ["--tls-verify=false"] if address.startswith(("localhost:", "127.0.0.1:")) else []
                command = [self._engine, "push", *plain, image, f"docker://{target}"]
            _run(command, f"{image} could not be pushed to {address}")
            digest = self._digest(repository, tag)
        if digest is None:
            raise CommandError(f"{address} does not hold {tag} after the push; look at the registry")
        return f"{address}@{digest}"

    def _address(self, repository: str) -> str:
        try:
            return str(
                self._client.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                raise
            raise CommandError(
                f"the account has no registry {repository}; make it with: python -m research cloud bootstrap"
            ) from error

    def _digest(self, repository: str, tag: str) -> str | None:
        try:
            images: dict[str, Any] = self._client.describe_images(
                repositoryName=repository, imageIds=[{"imageTag": tag}]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ImageNotFoundException":
                return None
            raise
        return str(images["imageDetails"][0]["imageDigest"])

    def _log_in(self, address: str) -> None:
        if self._is_open:
            return
        token = self._client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        host = address.partition("/")[0]
        command = [self._engine, "login", "--username", user, "--password-stdin", host]
        _run(command, f"{self._engine} could not log in to {host}", password)
        self._is_open = True


def _run(command: list[str], fault: str, text: str = "") -> str:
    """Run an engine and return its output; raise CommandError, with the fault and its last line, where it fails."""
    environment = os.environ | engine_environment(command[0])
    finished = subprocess.run(command, env=environment, input=text, check=False, capture_output=True, text=True)
    if finished.returncode != 0:
        raise CommandError(f"{fault}: {last_line(finished.stderr, 'it gave no reason')}")
    return finished.stdout.strip()


def write(pushed: Pushed, file: Path) -> None:
    """Write deployment.json."""
    file.write_text(pushed.model_dump_json(indent=1) + "\n", "utf-8")
