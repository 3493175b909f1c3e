"""Deployments on a server that stands for AWS: what serves changes only once a new release has passed its test."""

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from research.cli import ROOT, CommandError
from research.deployment.cloud import deploy as module
from research.deployment.cloud.deploy import Deployment, DeploymentError, Release
from research.deployment.cloud.environment import first_traffic, status
from research.deployment.cloud.stacks import StackError, Stacks
from tests.cloud.conftest import REGION, VERSION, Deployed, pushed_image
from tests.support.commands import CommandRunner

STAGING = "credit-scoring-staging"


@pytest.fixture
def empty(staging: Stacks) -> Stacks:
    """The environment `staging` with nothing deployed in it, and no alarm raised."""
    for part in ("blue", "green", "page"):
        staging.delete(f"{STAGING}-{part}")
    staging.apply(f"{STAGING}-traffic", "traffic.yaml", first_traffic(STAGING))
    _set_alarm("OK")
    return staging


def _set_alarm(state: str, name: str = "server-errors") -> None:
    client = boto3.client("cloudwatch", region_name=REGION)
    client.set_alarm_state(AlarmName=f"{STAGING}-{name}", StateValue=state, StateReason="set by a test")


@pytest.fixture(scope="module")
def images(staging: Stacks) -> list[str]:
    return [pushed_image(tag) for tag in ("one", "two", "three")]


def deployment(stacks: Stacks, deployed: Deployed) -> Deployment:
    return Deployment(stacks, "staging", url=deployed.service.url, key=deployed.service.key, watch=0)


def traffic(stacks: Stacks) -> dict[str, str]:
    stack = stacks.find(f"{STAGING}-traffic")
    assert stack is not None
    return dict(stack.parameters)


def weights() -> dict[str, int]:
    """Return the weights of the colours as the balancer has them."""
    client = boto3.client("elbv2", region_name=REGION)
    (balancer,) = client.describe_load_balancers(Names=[STAGING])["LoadBalancers"]
    listeners = client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    (listener,) = (one for one in listeners if one["Port"] == 80)
    groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    colours = {target_group(colour): colour for colour in ("blue", "green")}
    return {colours[one["TargetGroupArn"]]: one["Weight"] for one in groups}


def target_group(colour: str) -> str:
    exports = boto3.client("cloudformation", region_name=REGION).list_exports()["Exports"]
    return next(one["Value"] for one in exports if one["Name"] == f"{STAGING}-{colour}")


def tasks(colour: str) -> tuple[str, int]:
    """Return the image of a colour's stack, and how many tasks of its service are wanted."""
    name = f"{STAGING}-{colour}"
    (described,) = boto3.client("cloudformation", region_name=REGION).describe_stacks(StackName=name)["Stacks"]
    image = next(one["ParameterValue"] for one in described["Parameters"] if one["ParameterKey"] == "Image")
    client = boto3.client("ecs", region_name=REGION)
    (service,) = client.describe_services(cluster=STAGING, services=[name])["services"]
    return image, service["desiredCount"]


def first_images(colour: str) -> dict[str, str]:
    """Return the image of each container of a colour, by its name, as its stack was created.

    The server that stands for AWS does not describe what an update has made of a task.
    """
    client = boto3.client("ecs", region_name=REGION)
    task = client.describe_task_definition(taskDefinition=f"{STAGING}-{colour}")["taskDefinition"]
    return {one["name"]: one["image"] for one in task["containerDefinitions"]}


def make(target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", target, *(f"{name}={value}" for name, value in variables.items())]
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)


@pytest.mark.promise("a release is deployed by digest, tested from outside, and put back, by `make` from a terminal")
def test_make_deploys_puts_back_and_destroys(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SCORING_KEY", deployed.service.key)
    options = f"--url={deployed.service.url} --poll=0.01 --watch=0"
    target = {"ENVIRONMENT": "staging", "MODEL_VERSION": VERSION, "CLOUD_OPTIONS": options}

    first = make("deploy", IMAGE=images[0], **target)
    assert (first.returncode, first.stderr[-500:] if first.returncode else "") == (0, "")
    assert tasks("green") == (images[0], 1)
    assert first_images("green") == dict.fromkeys(("files", "journal", "service"), images[0])
    assert weights() == {"blue": 0, "green": 100}

    second = make("deploy", IMAGE=images[1], **target)
    assert second.returncode == 0, second.stderr
    assert tasks("blue") == (images[1], 1)
    assert weights() == {"blue": 100, "green": 0}
    assert tasks("green")[1] == 0  # it rests, and keeps its image
    assert "10 % of the requests" in second.stderr

    failed = make("deploy", IMAGE=images[2], **(target | {"MODEL_VERSION": "8"}))
    assert failed.returncode == 2  # of make; the command ends with 3
    assert f"model: version {VERSION} is served, not 8" in failed.stderr
    assert f"blue serves {images[1]}" in failed.stderr
    assert "Error 3" in failed.stderr
    assert tasks("blue") == (images[1], 1)
    assert weights() == {"blue": 100, "green": 0}

    back = make("rollback-deployment", ENVIRONMENT="staging", CLOUD_OPTIONS=options)
    assert back.returncode == 0, back.stderr
    assert images[0] in back.stdout  # the one deployed before, not the one that failed
    assert tasks("green") == (images[0], 1)
    assert weights() == {"blue": 0, "green": 100}

    refused = make("destroy", ENVIRONMENT="staging", CLOUD_OPTIONS="--yes --poll=0.01")
    assert refused.returncode == 2
    assert "--delete-journal staging" in refused.stderr
    assert weights() == {"blue": 0, "green": 100}


@pytest.mark.parametrize("step", [10, 50, 100])
def test_an_alarm_at_any_step_puts_the_traffic_back(
    step: int, empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    shifted: list[int] = []
    shift = Deployment._shift

    def raising(self: Deployment, share: int) -> None:
        shifted.append(share)
        if share == step:
            _set_alarm("ALARM")
        shift(self, share)

    monkeypatch.setattr(Deployment, "_shift", raising)

    with pytest.raises(DeploymentError, match=rf"{STAGING}-server-errors was raised at {step} %") as raised:
        deployment(empty, deployed).deploy(Release(images[1], VERSION))

    assert raised.value.exit_code == 3
    assert shifted[-1] == step
    assert weights() == {"blue": 0, "green": 100}
    assert tasks("green") == (images[0], 1)
    assert tasks("blue")[1] == 0


def test_a_step_that_cloudformation_takes_back_ends_the_deployment(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    # As it does where an alarm is raised while it watches, which the server that stands for AWS does not.
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    apply = Stacks.apply

    def taken_back(self: Stacks, name: str, template: str, *arguments: Any, **options: Any) -> Any:
        if options.get("alarms"):
            assert len(options["alarms"]) == 4
            raise StackError(f"{name}: UPDATE_ROLLBACK_COMPLETE: alarm")
        return apply(self, name, template, *arguments, **options)

    monkeypatch.setattr(Stacks, "apply", taken_back)

    with pytest.raises(DeploymentError, match="UPDATE_ROLLBACK_COMPLETE: alarm"):
        deployment(empty, deployed).deploy(Release(images[1], VERSION))

    assert weights() == {"blue": 0, "green": 100}


def test_a_release_that_does_not_start_is_never_given_a_request(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    # As the circuit breaker ends it: no database, an image without a model, a secret that is missing.
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    apply = Stacks.apply

    def broken(self: Stacks, name: str, template: str, parameters: dict[str, Any], **options: Any) -> Any:
        if template == "release.yaml" and parameters["Tasks"] == -1:
            raise StackError(f"{name}: UPDATE_ROLLBACK_COMPLETE: Service: ECS Deployment Circuit Breaker was triggered")
        return apply(self, name, template, parameters, **options)

    monkeypatch.setattr(Stacks, "apply", broken)

    with pytest.raises(DeploymentError, match="Circuit Breaker was triggered; green serves"):
        deployment(empty, deployed).deploy(Release(images[1], VERSION))

    assert weights() == {"blue": 0, "green": 100}
    assert traffic(empty)["Deployment"] == "none"


def test_a_quota_that_is_exceeded_leaves_what_serves(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    from botocore.exceptions import ClientError

    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    answer = {"Error": {"Code": "LimitExceededException", "Message": "limit for stacks reached"}}
    real = Deployment._apply_release

    def limited(self: Deployment, colour: str, release: Release, count: int) -> None:
        if count != 0:
            raise ClientError(answer, "CreateStack")  # type: ignore[arg-type]
        real(self, colour, release, count)

    monkeypatch.setattr(Deployment, "_apply_release", limited)

    with pytest.raises(DeploymentError, match=r"AWS refused .*limit for stacks reached.*; green serves"):
        deployment(empty, deployed).deploy(Release(images[1], VERSION))

    assert weights() == {"blue": 0, "green": 100}
    assert traffic(empty)["Deployment"] == "none"


def _cut(stacks: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploy an image, then end the deployment of a second at 50 %, as where its computer is switched off."""
    deployment(stacks, deployed).deploy(Release(images[0], VERSION))
    shift = Deployment._shift

    def cut(self: Deployment, share: int) -> None:
        shift(self, share)
        if share == 50:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Deployment, "_shift", cut)
        with pytest.raises(KeyboardInterrupt):
            deployment(stacks, deployed).deploy(Release(images[1], VERSION))
    assert weights() == {"blue": 50, "green": 50}


def test_a_deployment_that_was_cut_can_be_taken_over(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    _cut(empty, images, deployed, monkeypatch)
    with pytest.raises(CommandError, match=r"is in work.*--take-over"):
        deployment(empty, deployed).deploy(Release(images[1], VERSION))
    assert weights() == {"blue": 50, "green": 50}

    deployment(empty, deployed).deploy(Release(images[1], VERSION), take_over=True)

    assert weights() == {"blue": 100, "green": 0}
    assert tasks("blue") == (images[1], 1)


def test_a_deployment_without_a_step_for_long_is_taken_for_cut(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    _cut(empty, images, deployed, monkeypatch)
    monkeypatch.setattr(module, "CUT_AFTER", timedelta(0))

    deployment(empty, deployed).deploy(Release(images[2], VERSION))

    assert tasks("blue") == (images[2], 1)
    assert weights() == {"blue": 100, "green": 0}


def test_of_two_deployments_the_first_ends_once_it_notices_the_second(
    empty: Stacks, images: list[str], deployed: Deployed
):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    first = deployment(empty, deployed)
    first._begin(take_over=False)
    second = deployment(empty, deployed)
    with pytest.raises(CommandError, match="is in work"):
        second.deploy(Release(images[2], VERSION))

    second.deploy(Release(images[2], VERSION), take_over=True)

    with pytest.raises(CommandError, match="another deployment to staging has begun"):
        first._shift(10)
    assert weights() == {"blue": 100, "green": 0}


def test_no_release_is_deployed_while_an_alarm_is_raised(empty: Stacks, images: list[str], deployed: Deployed):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    _set_alarm("ALARM")

    with pytest.raises(CommandError, match=f"{STAGING}-server-errors is raised"):
        deployment(empty, deployed).deploy(Release(images[1], VERSION))

    assert traffic(empty)["Deployment"] == "none"


def test_a_release_that_serves_already_is_only_tested(empty: Stacks, images: list[str], deployed: Deployed):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    before = traffic(empty)

    deployment(empty, deployed).deploy(Release(images[0], VERSION))

    assert traffic(empty) == before


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("registry/credit-scoring:latest", "names no digest"),
        (f"registry/credit-scoring@sha256:{'0' * 64}", "the registry holds no"),
        (f"registry/elsewhere@sha256:{'0' * 64}", "the registry holds no"),
    ],
)
def test_an_image_that_is_not_there_is_refused_first(image: str, message: str, empty: Stacks, deployed: Deployed):
    with pytest.raises(CommandError, match=message):
        deployment(empty, deployed).deploy(Release(image, VERSION))

    assert empty.find(f"{STAGING}-green") is None


def test_a_wrong_key_stops_before_any_client_is_answered(empty: Stacks, images: list[str], deployed: Deployed):
    one = Deployment(empty, "staging", url=deployed.service.url, key="wrong", watch=0)

    with pytest.raises(DeploymentError, match=r"model: 401: the key.*nothing served before"):
        one.deploy(Release(images[0], VERSION))

    assert weights() == {"blue": 100, "green": 0}
    assert tasks("green")[1] == 0


def test_a_key_without_a_value_stops_before_anything_is_changed(empty: Stacks, monkeypatch: pytest.MonkeyPatch):
    stack = empty.find(STAGING)
    assert stack is not None
    client = boto3.client("secretsmanager", region_name=REGION)
    stored = client.get_secret_value(SecretId=stack.outputs["SmokeKey"])["SecretString"]
    assert Deployment(empty, "staging")._key == stored
    without = replace(stack, outputs={**stack.outputs, "SmokeKey": client.create_secret(Name="empty")["ARN"]})
    find = Stacks.find
    monkeypatch.setattr(Stacks, "find", lambda self, name: without if name == STAGING else find(self, name))

    with pytest.raises(
        CommandError, match="the key of the smoke test has no value; run: python -m research cloud create"
    ):
        Deployment(empty, "staging")


def test_without_a_release_of_before_nothing_is_put_back(empty: Stacks, images: list[str], deployed: Deployed):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))

    with pytest.raises(CommandError, match="no release of before"):
        deployment(empty, deployed).rollback()


def test_the_environment_rests_and_wakes(empty: Stacks, images: list[str], deployed: Deployed):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))

    deployment(empty, deployed).scale(0)
    assert tasks("green") == (images[0], 0)

    deployment(empty, deployed).scale(-1)
    assert tasks("green") == (images[0], 1)


def test_requests_with_the_token_of_the_deployment_reach_the_candidate(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    sent: list[dict[str, str]] = []

    def noted(service: Any, version: str) -> str:
        sent.append(dict(service.headers))
        if len(sent) == 1:
            client = boto3.client("elbv2", region_name=REGION)
            (balancer,) = client.describe_load_balancers(Names=[STAGING])["LoadBalancers"]
            listeners = client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
            (listener,) = (one for one in listeners if one["Port"] == 80)
            rules = client.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            (rule,) = (one for one in rules if one["Conditions"] and one["Conditions"][0]["Field"] == "http-header")
            assert rule["Conditions"][0]["HttpHeaderConfig"]["Values"] == [service.headers["X-Release-Test"]]
            (group,) = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
            assert group["TargetGroupArn"] == target_group("green")
        return "an id"

    monkeypatch.setattr(module, "smoke", noted)

    deployment(empty, deployed).deploy(Release(images[0], VERSION))

    assert [set(headers) for headers in sent] == [{"X-Release-Test"}, set()]
    assert len(sent[0]["X-Release-Test"]) == 32


def test_status_tells_what_serves(
    empty: Stacks, images: list[str], deployed: Deployed, capsys: pytest.CaptureFixture[str]
):
    deployment(empty, deployed).deploy(Release(images[0], VERSION))
    _set_alarm("ALARM", "slow-answers")

    try:
        lines = status(empty, "staging")
        code, output, _ = CommandRunner(capsys)("cloud", "status", "--environment", "staging")
    finally:
        _set_alarm("OK", "slow-answers")

    assert (code, output.splitlines()) == (0, lines)
    assert any(line.startswith("green: ") and images[0] in line for line in lines)
    assert f"alarm: {STAGING}-slow-answers" in lines


def test_the_page_is_replaced_by_digest(
    empty: Stacks, images: list[str], deployed: Deployed, monkeypatch: pytest.MonkeyPatch
):
    deployment(empty, deployed).deploy_page(images[2])
    page = empty.find(f"{STAGING}-page")
    assert page is not None
    assert page.parameters["Image"] == images[2]

    def broken(*_: Any, **__: Any) -> Any:
        raise StackError("the page: UPDATE_ROLLBACK_COMPLETE: it did not start")

    monkeypatch.setattr(Stacks, "apply", broken)
    with pytest.raises(DeploymentError, match="the page is as before"):
        deployment(empty, deployed).deploy_page(images[1])


@pytest.mark.parametrize("steps", ["10,50", "50,10,100", "0,100", "half"])
def test_steps_that_do_not_grow_to_all_requests_are_refused(steps: str, capsys: pytest.CaptureFixture[str]):
    options = ("--environment", "staging", "--image", "a@sha256:b", "--model-version", "1", "--steps", steps)

    code, _, error = CommandRunner(capsys)("cloud", "deploy", *options)

    assert (code, "--steps" in error) == (2, True)


def test_the_mark_of_a_deployment_names_when_it_went_a_step_further(
    empty: Stacks, images: list[str], deployed: Deployed
):
    begun = deployment(empty, deployed)
    begun._begin(take_over=False)

    mark = traffic(empty)["Deployment"].partition("@")[2]

    assert datetime.now(UTC) - datetime.fromisoformat(mark) < timedelta(minutes=5)
