"""A fault that prevents an image is reported in one line."""

from pathlib import Path

import pytest

from bento import NAME
from research.cli import CommandError
from research.deployment.containerize import containerize, find_bento, find_engine


def program(folder: Path, name: str, *lines: str) -> None:
    """Write an executable that stands for a container engine."""
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder in which programs are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_an_engine_it_names_what_to_install(programs: Path) -> None:
    with pytest.raises(CommandError, match="found no container engine; install docker, podman or buildah"):
        find_engine()


def test_a_wanted_engine_must_be_there(programs: Path) -> None:
    program(programs, "podman")

    with pytest.raises(CommandError, match="found no buildah; install"):
        find_engine("buildah")


def test_docker_counts_once_its_engine_answers(programs: Path) -> None:
    program(programs, "docker", "exit 1")
    program(programs, "buildah")

    assert find_engine() == "buildah"
    with pytest.raises(CommandError, match="its engine does not answer"):
        find_engine("docker")

    program(programs, "docker")
    assert find_engine() == "docker"


@pytest.mark.parametrize("tag", [f"{NAME}:nosuchversion", "no tag"])
def test_without_the_bento_it_names_the_command(tag: str) -> None:
    with pytest.raises(CommandError, match=f"there is no Bento {tag}; build one with: make pipeline"):
        find_bento(tag)


def test_a_failed_build_ends_with_the_engines_reason(
    programs: Path, bento_tag: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program(programs, "buildah", "echo STEP 1", "echo 'Error: no space left' >&2", "exit 1")

    with pytest.raises(CommandError, match=r"^buildah could not build the image: no space left$"):
        containerize(find_bento(bento_tag), "buildah", bento_tag)

    shown = capfd.readouterr().err
    assert "STEP 1" in shown
    assert "Traceback" not in shown
