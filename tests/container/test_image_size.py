"""Each of the image's largest packages has a purpose; its size and the seconds until it is ready are measured."""

import os
from pathlib import Path

import pytest

from tests.conftest import CLIENTS
from tests.container.base_image import IMAGE, buildah
from tests.container.conftest import FILES
from tests.container.image_size import MAX_LISTED, ImageSize, Package, packages, seconds_to_ready
from tests.support.deadlines import slowdown

RESULT = "IMAGE_RESULT"
"""Names the file into which the measurement is written, such as research/results/image.json."""


@pytest.fixture(scope="module")
def largest(container: str) -> list[Package]:
    return packages(container)


def test_each_of_the_largest_packages_has_a_purpose(largest: list[Package]) -> None:
    assert len(largest) == MAX_LISTED
    assert all(package.purpose for package in largest)


def test_it_becomes_ready_and_its_start_is_measured(
    container: str, containerized: str, bento_tag: str, api_key: str, largest: list[Package], tmp_path: Path
) -> None:
    ready_s = min(seconds_to_ready(container, tmp_path / f"{number}.log", **FILES) for number in range(3))

    assert ready_s > 0
    if RESULT in os.environ:
        kilobytes = int(buildah("run", container, "--", "du", "-sk", "/app").split()[0])
        measured = ImageSize(
            clients=CLIENTS,
            seed=1,
            bento=bento_tag,
            base=IMAGE,
            image=containerized.splitlines()[0].split(", ")[1].split(";")[0],
            packages_mb=round(kilobytes * 1024 / 1e6, 1),
            ready_s=round(ready_s, 1),
            slowdown=round(slowdown(), 1),
            largest=largest,
        )
        Path(os.environ[RESULT]).write_text(measured.model_dump_json(indent=1) + "\n", "utf-8")
