"""The image of the pipeline's Bento, built by the command of the project, and a container of it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from research.deployment.containerize import engine_environment, run_command
from research.deployment.processes import free_port, running
from tests.container.base_image import buildah, ensure_base_image
from tests.container.hardened import FILES, MAKE_MASTER_KEY
from tests.support.commands import bento, research

STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{images}"
runroot = "{run}"

[storage.options.overlay]
skip_mount_home = "true"
"""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use a separate store of images, kept from one run to the next for the base image in it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "credit_scoring" / "containers"
    temporary = tmp_path_factory.mktemp("containers")
    driver = buildah("info", "--format", "{{.store.GraphDriverName}}")
    settings = temporary / "storage.conf"
    settings.write_text(STORAGE.format(driver=driver, images=cache, run=temporary / "run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(settings))
        for name, value in engine_environment("buildah").items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def containerized(store: None, bento_tag: str) -> Iterator[str]:
    """Build the image, named as the Bento, and return the output of the command."""
    ensure_base_image()
    command = research("containerize", "--engine", "buildah", "--bento", bento_tag)
    yield subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    buildah("rmi", bento_tag)


@pytest.fixture(scope="session")
def container(containerized: str, bento_tag: str) -> Iterator[str]:
    """Return a container of the image, in which `buildah run` runs commands."""
    name = buildah("from", bento_tag)
    yield name
    buildah("rm", name)


@pytest.fixture(scope="session")
def api_key(container: str) -> str:
    """Make a key that scores and a journal in the container, as docs/operate.md describes; return the key."""
    subprocess.run(run_command(container, *MAKE_MASTER_KEY), check=True)
    command = bento("keys", "new-key", "--scope", "score", python="python")
    made = subprocess.run(run_command(container, *command, **FILES), check=True, stdout=subprocess.PIPE, text=True)
    subprocess.run(run_command(container, *bento("journal", "upgrade", python="python"), **FILES), check=True)
    return made.stdout.strip()


@pytest.fixture(scope="session")
def container_url(container: str, api_key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the service in the container, which shares the network of this machine, and return its address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    log = tmp_path_factory.mktemp("log") / "container.log"
    command = run_command(container, "--port", str(port), **FILES)
    with running(command, f"{url}/readyz", log):
        yield url
