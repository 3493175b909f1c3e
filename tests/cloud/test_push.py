"""An image is pushed once, by its digest, and described with the model and the code that it holds."""

from pathlib import Path
from types import SimpleNamespace

import bentoml
import pytest

from bento import NAME
from research.cli import CommandError
from research.deployment.cloud import push as module
from research.deployment.cloud.push import Pushed, push
from research.deployment.cloud.stacks import Stacks
from tests.cloud.conftest import REGION, VERSION, Deployed, pushed_image
from tests.cloud.engine import REVISION, Engine, named_bento
from tests.support.commands import CommandRunner


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Engine(tmp_path)


@pytest.fixture
def version(request: pytest.FixtureRequest, deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version of a Bento, new for each test, which holds the model of the store."""
    name = f"v{abs(hash(request.node.name)) % 10**8}"
    monkeypatch.setattr(module, "find_bento", lambda _: named_bento(name))
    return name


@pytest.mark.promise("what is deployed is named by digest, with the version of its model and the commit of its code")
def test_image_and_page_are_pushed_and_described(
    staging: Stacks, engine: Engine, version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    engine.install(version)
    output = tmp_path / "deployment.json"
    options = ("--engine", "docker", "--page", "page:latest", "--output", output)

    code, printed, error = CommandRunner(capsys)("cloud", "push", "--environment", "staging", *options)

    assert code == 0, error
    pushed = Pushed.model_validate_json(output.read_text())
    assert pushed.image.startswith("123456789012.dkr.ecr.eu-west-1.amazonaws.com/credit-scoring@sha256:")
    assert "/credit-scoring-page@sha256:" in str(pushed.page)
    assert (pushed.bento, pushed.model_version, pushed.revision) == (f"{NAME}:{version}", VERSION, REVISION)
    assert pushed.image in printed
    words = [arguments[0] for arguments in engine.asked if arguments[0] not in ("info", "image")]
    assert words == ["login", "tag", "push", "tag", "push"]
    login = next(arguments for arguments in engine.asked if arguments[0] == "login")
    assert login[-1] not in login[:-1]  # the password comes by the standard input, not as an argument


def test_what_is_there_is_not_pushed_again(staging: Stacks, engine: Engine, version: str):
    engine.install(version)
    there = pushed_image(version)

    assert push(REGION, "docker", "any").image == there
    assert [arguments[0] for arguments in engine.asked] == ["image"]


def test_an_image_of_another_bento_is_refused(staging: Stacks, engine: Engine, version: str):
    engine.install("another")

    with pytest.raises(CommandError, match=f"holds Bento another, not {version}; build it with: make container"):
        push(REGION, "docker", "any")


def test_a_push_that_fails_gives_the_engine_s_reason(staging: Stacks, engine: Engine, version: str):
    engine.install(version, broken=True)

    with pytest.raises(CommandError, match=r"could not be pushed to .*: denied: the registry is full"):
        push(REGION, "docker", "any")


def test_a_bento_without_a_registered_model_is_refused(
    staging: Stacks, engine: Engine, version: str, monkeypatch: pytest.MonkeyPatch
):
    engine.install(version)
    bento = SimpleNamespace(tag=bentoml.Tag(NAME, version), info=SimpleNamespace(all_models=[]))
    monkeypatch.setattr(module, "find_bento", lambda _: bento)

    with pytest.raises(CommandError, match="holds no model of the registry; make it with"):
        push(REGION, "docker", "any")


def test_an_account_without_the_registry_is_named(staging: Stacks, engine: Engine, version: str):
    engine.install(version)

    with pytest.raises(CommandError, match="the account has no registry credit-scoring; make it with"):
        push("eu-west-3", "docker", "any")
