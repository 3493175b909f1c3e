"""deploy.yml, walked through: once as it should go, and once with each fault.

A fault before anything is pushed is met by the whole of deploy.yml; one after it by rollout.yml, which deploy.yml calls
for each environment, with an image that was built and attested.
"""

import dataclasses
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import moto.core
import pytest
import yaml
from moto.cloudformation.models import Stack, cloudformation_backends

from research.deployment.cloud import stacks
from tests.support.archives import halved_example, remade
from tests.support.deadlines import wait_until
from tests.walk.conftest import REGION, World, keep_champion
from tests.walk.github import GitHub
from tests.walk.runner import Result, run

DOWNLOAD = "Champion of the last promoted training run, its attestation verified"
IMPORT = "Import it, its examples recomputed"
VERIFY = "Verify who built the images, and of what"
DEPLOY = "Deploy, test, shift the traffic in steps, or go back"
CREDENTIALS = "aws-actions/configure-aws-credentials"


def serving(environment: str) -> str | None:
    """Return the image that an environment serves."""
    account = stacks.Stacks(REGION)
    traffic = account.find(stacks.stack_name(environment, "traffic"))
    assert traffic is not None
    release = account.find(stacks.stack_name(environment, traffic.parameters["Serving"]))
    return release.parameters["Image"] if release else None


def backend_stack(name: str) -> Stack:
    """Return a stack as moto holds it."""
    return cloudformation_backends[moto.core.DEFAULT_ACCOUNT_ID][REGION].get_stack(name)


@pytest.fixture(scope="module")
def deployment(world: World) -> Iterator[Result]:
    """Return the run of deploy.yml as it should go; the service that it deployed goes on."""
    service = world.deployed()
    started = []

    def start_service(step: str, _: Path) -> None:
        if DEPLOY in step and not started:
            started.append(service.__enter__())

    result = run("deploy.yml", world.github, before=start_service)
    yield result
    if started:
        service.__exit__(None, None, None)


@pytest.fixture
def inputs(deployment: Result, world: World) -> dict[str, str]:
    """Return what deploy.yml gives rollout.yml, with an image that serves nowhere yet."""
    built = deployment.outputs["build / build"]
    return {
        "environment": "staging",
        "image": world.new_image(),
        "page": built["page"],
        "model-version": built["model-version"],
    }


@pytest.fixture
def kept(deployment: Result) -> Iterator[None]:
    """Both environments must serve after the test what they served before it."""
    before = serving("staging"), serving("production")
    yield
    assert (serving("staging"), serving("production")) == before
    assert before[0] is not None


def test_a_release_reaches_production_by_the_steps_of_the_workflow(deployment: Result):
    assert deployment.failed is None, deployment.output

    built = deployment.outputs["build / build"]
    assert serving("staging") == serving("production") == built["image"]
    assert built["model-version"] == "1"
    assert "/credit-scoring-page@sha256:" in built["page"]
    assert built["image"] in deployment.summary


def test_production_comes_after_staging_and_both_verify_first(deployment: Result):
    order = [step for step in deployment.steps if VERIFY in step or DEPLOY in step]

    assert order == [f"{name} / rollout: {step}" for name in ("staging", "production") for step in (VERIFY, DEPLOY)]


def test_nothing_is_built_twice(deployment: Result):
    building = [step for step in deployment.steps if "make bento" in step or "Image of" in step]

    assert len(building) == 3


def empty_github(world: World, name: str) -> GitHub:
    """Return a repository with the settings of the other, and no run."""
    folder = world.folder / name
    homes = {"BENTOML_HOME": str(folder / "bentoml"), "SCORING_DATA": str(folder / "data")}
    return dataclasses.replace(world.github, folder=folder, environment=world.github.environment | homes)


def test_without_a_champion_nothing_is_built(world: World, kept: None):
    result = run("deploy.yml", empty_github(world, "no_champion"))

    assert result.failed == f"build / build: {DOWNLOAD}"
    assert result.error == "error: train.yml has not succeeded on main yet: run it once, then this again"


def test_a_champion_that_train_has_not_attested_is_not_built(world: World, kept: None, champion: Path):
    github = empty_github(world, "not_attested")
    keep_champion(github, champion)
    github.attestations.unlink()

    result = run("deploy.yml", github)

    assert result.failed == f"build / build: {DOWNLOAD}"
    assert "gh attestation verify" in result.error
    assert "no attestation of sha256:" in result.error


def test_a_champion_that_fails_its_examples_is_not_built(world: World, kept: None, champion: Path):
    github = empty_github(world, "broken_champion")
    keep_champion(github, remade(champion, halved_example))

    result = run("deploy.yml", github)

    assert result.failed == f"build / build: {IMPORT}"
    assert re.match(r"error: .*: example 0: log-odds is .* at training; train again", result.error)


def test_an_image_without_a_model_is_not_pushed(world: World, kept: None, champion: Path):
    github = empty_github(world, "no_model")
    keep_champion(github, champion)

    def remove_model(step: str, _: Path) -> None:
        if "Image of the service" in step:
            (manifest,) = Path(github.environment["BENTOML_HOME"]).glob("bentos/*/*/bento.yaml")
            content = yaml.safe_load(manifest.read_text("utf-8"))
            manifest.write_text(yaml.safe_dump(without_models(content)), "utf-8")

    result = run("deploy.yml", github, before=remove_model)

    assert result.failed == "build / build: Image of the service"
    assert "holds no model; build another one with: make import bento" in result.error


def without_models(content: dict[str, Any]) -> dict[str, Any]:
    return content | {"models": [], "services": [one | {"models": []} for one in content.get("services", [])]}


@pytest.mark.parametrize("missing", ["AWS_DEPLOY_ROLE", "AWS_REGION"])
def test_without_a_role_or_region_nothing_is_touched(
    missing: str, world: World, kept: None, inputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    for variables in world.github.variables.values():
        monkeypatch.delitem(variables, missing, raising=False)

    result = run("rollout.yml", world.github, inputs=inputs)

    assert result.failed == f"rollout: {CREDENTIALS}"


def test_an_image_that_build_has_not_attested_is_not_deployed(world: World, kept: None, inputs: dict[str, str]):
    foreign = inputs["image"].partition("@")[0] + "@sha256:" + "f" * 64

    result = run("rollout.yml", world.github, inputs=inputs | {"image": foreign})

    assert result.failed == f"rollout: {VERIFY}"
    assert "no attestation of sha256:ffff" in result.error


def test_a_wrong_key_of_the_smoke_test_stops_the_release(world: World, kept: None, inputs: dict[str, str]):
    client, secret = world.client("secretsmanager"), world.secret("staging", "SmokeKey")
    right = client.get_secret_value(SecretId=secret)["SecretString"]
    client.put_secret_value(SecretId=secret, SecretString="wrong")

    result = run("rollout.yml", world.github, inputs=inputs)
    client.put_secret_value(SecretId=secret, SecretString=right)

    assert result.failed == f"rollout: {DEPLOY}"
    assert "not deployed: model: 401: the key is not one of the service" in result.error


def test_a_failed_smoke_test_puts_the_release_of_before_back(world: World, kept: None, inputs: dict[str, str]):
    result = run("rollout.yml", world.github, inputs=inputs | {"model-version": "2"})

    assert result.failed == f"rollout: {DEPLOY}"
    assert "not deployed: model: version 1 is served, not 2" in result.error


@contextmanager
def failing_release(reason: str) -> Iterator[None]:
    """Let CloudFormation take the next change of a release back, as where its tasks do not start."""
    update, create, left = Stack.update, Stack.create_resources, [1]

    def is_taken_back(stack: Stack) -> bool:
        return stack.name.endswith(("-blue", "-green")) and bool(left) and bool(left.pop())

    def end(stack: Stack, status: str) -> None:
        stack._add_stack_event(f"{status}_IN_PROGRESS", resource_status_reason=reason)
        stack.status = f"{status}_COMPLETE"

    def updating(self: Stack, *arguments: Any, **options: Any) -> None:
        if is_taken_back(self):
            end(self, "UPDATE_ROLLBACK")
        else:
            update(self, *arguments, **options)

    def creating(self: Stack) -> None:
        create(self)
        if is_taken_back(self):
            end(self, "ROLLBACK")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stack, "update", updating)
        patch.setattr(Stack, "create_resources", creating)
        yield


# Out of reach, the database ends the container `journal`, and ECS stops the deployment; moto runs no containers.
@pytest.mark.parametrize(
    "reason",
    [
        "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'",
        "You've reached the limit on the number of vCPUs you can run concurrently",
    ],
    ids=["database out of reach", "quota exceeded"],
)
def test_a_release_that_does_not_start_leaves_that_of_before(
    reason: str, world: World, kept: None, inputs: dict[str, str]
):
    with failing_release(reason):
        result = run("rollout.yml", world.github, inputs=inputs)

    assert result.failed == f"rollout: {DEPLOY}"
    assert reason in result.error
    assert "not deployed" in result.error


def mark(environment: str, value: str) -> None:
    """Write into the traffic of an environment who deploys since when, or `none`."""
    account = stacks.Stacks(REGION, 0.01)
    traffic = account.find(stacks.stack_name(environment, "traffic"))
    assert traffic is not None
    account.apply(traffic.name, "traffic.yaml", {**traffic.parameters, "Deployment": value})


def begun(ago: timedelta) -> str:
    return f"0000@{(datetime.now(UTC) - ago).isoformat(timespec='seconds')}"


def test_a_second_deployment_at_once_leaves_the_first_alone(world: World, kept: None, inputs: dict[str, str]):
    mark("staging", begun(timedelta()))

    result = run("rollout.yml", world.github, inputs=inputs)
    mark("staging", "none")

    assert result.failed == f"rollout: {DEPLOY}"
    assert "a deployment to staging is in work" in result.error


def test_an_environment_that_was_never_whole_is_named(world: World, kept: None, inputs: dict[str, str]):
    stack = backend_stack(stacks.stack_name("staging"))
    stack.status = "ROLLBACK_COMPLETE"

    result = run("rollout.yml", world.github, inputs=inputs)
    stack.status = "CREATE_COMPLETE"

    assert result.failed == f"rollout: {DEPLOY}"
    assert "the stack credit-scoring-staging was never whole (ROLLBACK_COMPLETE)" in result.error


def candidate() -> str:
    """Return the name of the stack of the release that rests."""
    traffic = stacks.Stacks(REGION).find(stacks.stack_name("staging", "traffic"))
    assert traffic is not None
    return stacks.stack_name("staging", "green" if traffic.parameters["Serving"] == "blue" else "blue")


def test_a_release_whose_creation_failed_before_is_made_anew(world: World, inputs: dict[str, str]):
    with failing_release("no memory"):
        assert run("rollout.yml", world.github, inputs=inputs).failed == f"rollout: {DEPLOY}"
    assert backend_stack(candidate()).status in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE")
    backend_stack(candidate()).status = "ROLLBACK_COMPLETE"

    result = run("rollout.yml", world.github, inputs=inputs)

    assert result.failed is None, result.output
    assert serving("staging") == inputs["image"]


def test_a_deployment_that_was_cut_is_run_again(world: World, inputs: dict[str, str]):
    before = serving("staging")
    name = stacks.stack_name("staging", "traffic")

    def cut() -> None:
        wait_until(
            lambda: stacks.Stacks(REGION).require(name, "").parameters["Deployment"] != "none", 120, pause_s=0.05
        )
        assert world.github.process is not None
        os.killpg(world.github.process.pid, signal.SIGKILL)

    thread = threading.Thread(target=cut)

    def begin(step: str, _: Path) -> None:
        if DEPLOY in step:
            thread.start()

    killed = run("rollout.yml", world.github, inputs=inputs, before=begin)
    thread.join()
    assert killed.failed == f"rollout: {DEPLOY}"
    assert serving("staging") == before
    soon = run("rollout.yml", world.github, inputs=inputs)
    assert "a deployment to staging is in work" in soon.error
    assert serving("staging") == before

    mark("staging", begun(timedelta(hours=1)))
    again = run("rollout.yml", world.github, inputs=inputs)

    assert again.failed is None, again.output
    assert serving("staging") == inputs["image"]


def test_runs_of_one_group_wait_for_each_other(world: World, kept: None):
    github, order = empty_github(world, "two_runs"), []
    entered, go_on = threading.Event(), threading.Event()

    def slow(step: str, _: Path) -> None:
        order.append("first")
        entered.set()
        assert go_on.wait(60)

    first = threading.Thread(target=lambda: run("deploy.yml", github, before=slow))
    second = threading.Thread(target=lambda: run("deploy.yml", github, before=lambda *_: order.append("second")))
    first.start()
    assert entered.wait(60)
    second.start()
    go_on.set()
    first.join()
    second.join()

    assert order == sorted(order)
