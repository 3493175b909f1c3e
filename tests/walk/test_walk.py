"""deploy.yml, walked through: once as it should go, and once with each fault."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from research.deployment.cloud import stacks
from tests.walk.conftest import REGION, World
from tests.walk.runner import Result, run

DEPLOY = "Deploy, test, shift the traffic in steps, or go back"


def serving(environment: str) -> str | None:
    """Return the image that an environment serves."""
    account = stacks.Stacks(REGION)
    traffic = account.find(stacks.stack_name(environment, "traffic"))
    assert traffic is not None
    release = account.find(stacks.stack_name(environment, traffic.parameters["Serving"]))
    return release.parameters["Image"] if release else None


@pytest.fixture(scope="module")
def deployment(world: World) -> Result:
    """Return the run of deploy.yml as it should go."""
    with ExitStack() as stack:
        started = []

        def start_service(step: str, _: Path) -> None:
            if DEPLOY in step and not started:
                started.append(stack.enter_context(world.deployed()))

        return run("deploy.yml", world.github, before=start_service)


def test_a_release_reaches_production_by_the_steps_of_the_workflow(deployment: Result):
    assert deployment.failed is None, deployment.output

    image = deployment.outputs["build / build"]["image"]
    assert serving("staging") == serving("production") == image
    assert deployment.outputs["build / build"]["model-version"] == "1"
