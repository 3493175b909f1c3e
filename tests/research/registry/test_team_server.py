"""A team's MLflow: a real server with PostgreSQL and S3, by the commands that a single machine runs on a file."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bento.model.manifest import SCORING_FILE
from research.deployment.processes import free_port, running
from tests.support import postgresql
from tests.support.commands import bento, research
from tests.support.deadlines import timeout_s

BUCKET = "models"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1"}
COMMAND_TIMEOUT_S = 240.0
"""Seconds for a command; training on 1,500 clients takes about fifteen."""
Command = Callable[[list[str]], str]

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """Return a client of an S3 on this machine, with a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    server.stop()


@pytest.fixture(scope="module")
def server_url(
    postgresql_server: postgresql.Server, s3: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of an MLflow server that keeps runs in PostgreSQL, and artifacts in S3."""
    database = postgresql_server.new_database().replace("postgresql://", "postgresql+psycopg://")
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--artifacts-destination", f"s3://{BUCKET}/mlflow"]
    environment = CREDENTIALS | {"MLFLOW_S3_ENDPOINT_URL": s3.meta.endpoint_url}
    with running(command, f"{url}/health", tmp_path_factory.mktemp("mlflow") / "server.log", **environment):
        yield url


def machine(server_url: str, folder: Path) -> Command:
    """Return what runs a command on a machine that has stores in a folder, and neither database nor S3."""
    hidden = {*CREDENTIALS, "MLFLOW_S3_ENDPOINT_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"BENTOML_HOME": str(folder / "bentoml"), "SCORING_DATA": str(folder / "data")}
    environment["MLFLOW_TRACKING_URI"] = server_url

    def one(arguments: list[str]) -> str:
        done = subprocess.run(
            arguments,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout_s(COMMAND_TIMEOUT_S),
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    return one


@pytest.fixture(scope="module")
def outputs(server_url: str, synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Train and promote on one machine, and return what the commands printed."""
    run, data = machine(server_url, tmp_path_factory.mktemp("first")), f"--data={synthetic_folder}"
    training = research("train", data, "--folds", "2", "--trials", "0", "--lime-samples", "300")
    return [run(training), run(research("promote", data))]


def test_train_and_promote_by_a_server_keep_the_model_in_s3(outputs: list[str], s3: Any):
    assert "version 1" in outputs[0]
    assert "version 1 promoted: it is champion now" in outputs[1]
    keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert any(key.startswith("mlflow/") and key.endswith(SCORING_FILE) for key in keys)


def test_another_machine_imports_verifies_and_exports_the_champion(outputs: list[str], server_url: str, tmp_path: Path):
    run = machine(server_url, tmp_path)

    imported = run(research("import"))
    (folder,) = (path.parent for path in (tmp_path / "bentoml").rglob(SCORING_FILE))
    run(bento("verify", folder))
    exported = run(research("export", "--output", tmp_path / "champion.tar"))

    assert imported.strip().endswith("holds credit_scoring version 1")
    assert "holds credit_scoring version 1, data: synthetic" in exported
