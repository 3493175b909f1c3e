"""What lasts in the cloud: make an account ready, create an environment with its secrets, show it, destroy it."""

import base64
import json
import secrets
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import boto3

from bento.api.keys import Scope, new_key
from research.cli import CommandError
from research.deployment.cloud.stacks import NEVER_STARTED, Stack, Stacks, stack_name

ENVIRONMENTS = ("staging", "production")
SIZES = ("small", "standard")
BOOTSTRAP = stack_name("account")
PARTS = ("page", "traffic", "green", "blue")
WATCH = "watch"
"""The stack of the role by which a workflow reads the journal."""
"""Stacks on top of an environment, in the order in which they are deleted."""
CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
"""AWS's list of the addresses from which CloudFront reaches an origin."""
DATABASE_CA = "https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"
"""Where AWS publishes the certificates that sign those of its databases."""
DOWNLOAD_TIMEOUT_S = 30
MASTER_KEY_BYTES = 32
NO_TOKEN = "0" * 32
"""Parameter of the traffic while nothing is tested."""


def bootstrap(stacks: Stacks, repository: str, provider: str) -> Stack:
    """Create what an account needs once: the registry of images, the trust in GitHub, the role that pushes."""
    return stacks.apply(BOOTSTRAP, "bootstrap.yaml", {"Repository": repository, "OidcProvider": provider})


def create(stacks: Stacks, environment: str, settings: dict[str, str | int], certificates: Path | None) -> Stack:
    """Create or change an environment: its stack, the values of its secrets, the certificates of its database, traffic.

    A secret that has a value keeps it, and so does a setting that is not given.

    Raises:
        CommandError: the account is not ready, or the stack was never whole.
        StackError: CloudFormation could not do it; nothing that was there is changed.
    """
    stacks.require(BOOTSTRAP, "make the account ready with: python -m research cloud bootstrap")
    name = stack_name(environment)
    present = stacks.find(name)
    if present is not None and present.status in NEVER_STARTED:
        raise CommandError(
            f"the stack {name} is {present.status}: its creation failed, and it holds nothing; remove it with "
            f"`python -m research cloud destroy --environment {environment}`, then run this again"
        )
    content = certificates.read_text("utf-8") if certificates else _download(DATABASE_CA.format(region=stacks.region))
    if "BEGIN CERTIFICATE" not in content:
        raise CommandError("the certificates of the database hold no certificate; name a PEM file by --database-ca")
    former = {} if present is None else present.parameters
    parameters = {
        **former,
        "Name": environment,
        "CloudFrontAddresses": _cloudfront_addresses(stacks.region),
        **settings,
    }
    stack = stacks.apply(name, "environment.yaml", parameters)
    _fill_secrets(stacks.region, stack)
    boto3.client("ssm", region_name=stacks.region).put_parameter(
        Name=f"/{name}/database-ca", Value=content, Type="String", Tier="Intelligent-Tiering", Overwrite=True
    )
    if stacks.find(stack_name(environment, "traffic")) is None:
        stacks.apply(stack_name(environment, "traffic"), "traffic.yaml", first_traffic(name))
    return stack


def first_traffic(name: str) -> dict[str, str | int]:
    """Return the parameters of the traffic of an environment in which nothing was deployed yet."""
    return {
        "Environment": name,
        "Serving": "blue",
        "Candidate": "green",
        "BlueWeight": 100,
        "GreenWeight": 0,
        "TestToken": NO_TOKEN,
        "Deployment": "none",
        "FormerImage": "",
        "FormerModelVersion": "",
    }


def _cloudfront_addresses(region: str) -> str:
    client = boto3.client("ec2", region_name=region)
    lists = client.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [CLOUDFRONT]}])
    identifiers = [one["PrefixListId"] for one in lists["PrefixLists"]]
    if not identifiers:
        raise CommandError(f"region {region} has no list {CLOUDFRONT}; choose another --region")
    return str(identifiers[0])


def _fill_secrets(region: str, stack: Stack) -> None:
    """Give the master key and the API keys of page and smoke test a value, where they have none yet."""
    client = boto3.client("secretsmanager", region_name=region)

    def is_empty(output: str) -> bool:
        return not client.describe_secret(SecretId=stack.outputs[output]).get("VersionIdsToStages")

    def put(output: str, value: str) -> None:
        client.put_secret_value(SecretId=stack.outputs[output], SecretString=value)

    if is_empty("MasterKey"):
        put("MasterKey", base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())
    if is_empty("ApiKeys"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "keys.json"
            keys: dict[str, Sequence[Scope]] = {"PageKey": ["score"], "SmokeKey": ["score", "read"]}
            for output, scopes in keys.items():
                text, _ = new_key(file, scopes, note={"PageKey": "the page", "SmokeKey": "deployments"}[output])
                put(output, text)
            put("ApiKeys", json.dumps(json.loads(file.read_text("utf-8"))))


def _download(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_S) as answer:  # noqa: S310 - https, above
        content: bytes = answer.read()
    return content.decode()


def status(stacks: Stacks, environment: str) -> list[str]:
    """Return lines that tell the state of an environment: stacks, what serves, alarms that are raised."""
    stack = stacks.require(
        stack_name(environment), f"create it with: python -m research cloud create --environment {environment}"
    )
    lines = [f"{stack.name}: {stack.status}, size {stack.outputs['Size']}, {stack.outputs['Address']}"]
    for part in reversed(PARTS):
        on_top = stacks.find(stack_name(environment, part))
        if on_top is None:
            lines.append(f"{part}: none")
            continue
        shown = ("Image", "ModelVersion", "Tasks", "Serving", "BlueWeight", "GreenWeight", "Deployment")
        facts = [f"{name} {on_top.parameters[name]}" for name in shown if name in on_top.parameters]
        lines.append(f"{part}: {on_top.status}" + "".join(f"; {fact}" for fact in facts))
    return [*lines, *(f"alarm: {name}" for name in raised_alarms(stacks.region, environment))]


def raised_alarms(region: str, environment: str) -> list[str]:
    """Return the names of the alarms of an environment that are raised."""
    client = boto3.client("cloudwatch", region_name=region)
    prefix = f"{stack_name(environment)}-"
    alarms = client.describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM", AlarmTypes=["MetricAlarm"])
    return sorted(one["AlarmName"] for one in alarms["MetricAlarms"] if one["StateValue"] == "ALARM")


def losses(stacks: Stacks, environment: str) -> list[str]:
    """Return what `destroy` takes away, one line each; none where the environment does not exist."""
    parts = [stack_name(environment, part) for part in PARTS if stacks.find(stack_name(environment, part)) is not None]
    stack = stacks.find(stack_name(environment))
    lines = [f"the stack {name}: its tasks end" for name in parts]
    if stack is None:
        return lines
    if stack.status in NEVER_STARTED:
        return [*lines, f"the stack {stack.name}, whose creation failed"]
    return [
        *lines,
        f"the stack {stack.name}: network, addresses ({stack.outputs['Address']}), alarms, people who may sign in",
        "all API keys: every client needs a new one",
        "the journal, with every decision; a last snapshot of the database stays, and is charged, until you delete it",
    ]


def destroy(stacks: Stacks, environment: str) -> None:
    """Delete the stacks of an environment; a snapshot of the journal, the master key and the log stay."""
    # Its role, which a repository may take, would outlive the environment, and the master key that it may use stays.
    for part in (WATCH, *PARTS):
        stacks.delete(stack_name(environment, part))
    name = stack_name(environment)
    stack = stacks.find(name)
    if stack is None:
        return
    is_protected = stack.parameters.get("Size") == "standard" and stack.parameters.get("Protection") == "on"
    if is_protected and stack.status not in NEVER_STARTED:
        stacks.apply(name, "environment.yaml", {**stack.parameters, "Protection": "off"})
    stacks.delete(name)
    client = boto3.client("ssm", region_name=stacks.region)
    client.delete_parameters(Names=[f"/{name}/database-ca"])
    print(f"kept: snapshot of the database {name}, master key {stack.outputs.get('MasterKey', '')}", file=sys.stderr)
