"""The image of the officers' page, built by the command of the project, on a careful platform."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from research.deployment.page_image import NAME
from research.deployment.processes import free_port, running
from tests.container.base_image import buildah, ensure_base_image
from tests.container.hardened import bundle, image_settings
from tests.support.commands import research
from tests.support.deadlines import timeout_s
from tests.support.services import REQUEST_TIMEOUT_S

IMAGE = f"{NAME}:tested"
HEALTH = "/_stcore/health"


@pytest.fixture(scope="module")
def page(store: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the image, and return a container of it."""
    ensure_base_image()
    bill = tmp_path_factory.mktemp("page") / "page.cdx.json"
    subprocess.run(research("page-image", "--engine", "buildah", "--tag", IMAGE, "--sbom", str(bill)), check=True)
    assert {"streamlit", "httpx"} <= {component["name"] for component in json.loads(bill.read_text())["components"]}
    container = buildah("from", IMAGE)
    yield container
    buildah("rm", container)
    buildah("rmi", IMAGE)


@pytest.fixture(scope="module")
def address(page: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run it with a read-only root, as a user that the image does not know, at the port of PORT."""
    folder = tmp_path_factory.mktemp("hardened")
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = bundle(folder / "page", Path(buildah("mount", page)), IMAGE, [], None, PORT=str(port))
    with running(command, url + HEALTH, folder / "page.log"):
        yield url


@pytest.mark.promise("the page's container runs with a read-only root, as any user of group 0, at the port of PORT")
def test_the_page_answers_with_a_read_only_root_as_an_unknown_user(address: str) -> None:
    for path in (HEALTH, "/", "/static/manifest.json"):
        with urllib.request.urlopen(address + path, timeout=timeout_s(REQUEST_TIMEOUT_S)) as answer:  # noqa: S310
            assert answer.status == 200


def test_the_health_check_of_the_page_asks_the_port_of_the_page(address: str, page: str) -> None:
    kind, *check = image_settings(IMAGE)["Healthcheck"]["Test"]

    def code(port: str) -> int:
        command = ["buildah", "run", "--network", "host", f"--env=PORT={port}", page, "--", *check]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert kind == "CMD"
    assert code(address.rpartition(":")[2]) == 0
    assert code(str(free_port())) != 0


@pytest.mark.promise("the page's container draws its pages: every package that they import is in it")
def test_the_page_is_drawn_in_the_container(page: str) -> None:
    # That the server answers says nothing about the pages: their code is run for the first who opens one.
    look = (
        "import importlib, pathlib; from streamlit.runtime.context import ContextProxy;"
        "from streamlit.testing.v1 import AppTest; ContextProxy.cookies = property(lambda _: {});"
        "[importlib.import_module(f'ui.{p.stem}') for p in pathlib.Path('/app/ui').glob('*.py') if p.stem != 'app'];"
        f"drawn = AppTest.from_file('/app/ui/app.py', default_timeout={timeout_s(REQUEST_TIMEOUT_S)}).run();"
        "print([error.value for error in drawn.exception], len(drawn.main) > 0)"
    )

    assert buildah("run", page, "--", "python", "-c", look).splitlines()[-1] == "[] True"
