"""Read the journal of an environment from inside its network: allow `drift.yml` to, fetch address and keys."""

from pathlib import Path

import boto3
import sqlalchemy as sa
from botocore.exceptions import ClientError

from research.cli import CommandError
from research.deployment.cloud.environment import WATCH
from research.deployment.cloud.stacks import Stack, Stacks, stack_name

URL_FILE, MASTER_KEY_FILE, CERTIFICATES_FILE = "url", "master.key", "database_ca.pem"


def allow_watch(stacks: Stacks, environment: str, repository: str) -> Stack:
    """Make the role by which `drift.yml` of a repository (owner/name) reads the journal of an environment."""
    parent = _environment(stacks, environment)
    parameters: dict[str, str | int] = {
        "Environment": parent.name,
        "Repository": repository,
        "MasterKey": parent.outputs["MasterKey"],
        "ServicePassword": parent.outputs["DatabaseService"],
    }
    return stacks.apply(stack_name(environment, WATCH), "watch.yaml", parameters)


def fetch_journal(stacks: Stacks, environment: str, folder: Path) -> None:
    """Write address, master key and database certificates of a journal into a folder, for this user alone.

    Raises CommandError where there is no such environment, or a secret cannot be read.
    """
    parent = _environment(stacks, environment)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificates = folder / CERTIFICATES_FILE
    password = _secret(stacks.region, parent.outputs["DatabaseService"])
    # `update_query_dict` keeps the mode of TLS, and names the certificates where they are here.
    url = sa.make_url(parent.outputs["ServiceUrl"]).set(password=password)
    url = url.update_query_dict({"sslrootcert": str(certificates.absolute())})
    parameter = boto3.client("ssm", region_name=stacks.region).get_parameter(Name=f"/{parent.name}/database-ca")
    _write(certificates, parameter["Parameter"]["Value"])
    _write(folder / MASTER_KEY_FILE, _secret(stacks.region, parent.outputs["MasterKey"]))
    _write(folder / URL_FILE, url.render_as_string(hide_password=False))


def _environment(stacks: Stacks, environment: str) -> Stack:
    remedy = f"create it with: python -m research cloud create --environment {environment}"
    return stacks.require(stack_name(environment), remedy)


def _secret(region: str, name: str) -> str:
    try:
        return str(boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=name)["SecretString"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise CommandError(
            f"the secret {name.rpartition(':')[2]} cannot be read ({code}); see that the role is the one that "
            "`python -m research cloud allow-watch` printed"
        ) from error


def _write(file: Path, content: str) -> None:
    """Write a file that only this user may read, from its first byte on."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(content + "\n", "utf-8")
