"""What the image is made of, and a fault that prevents it, which is reported in one line."""

import json
import re
from pathlib import Path

import pytest

from bento import NAME
from bento.model.manifest import FOLDER_IN_STORE, SCORING_FILE
from research.cli import CommandError
from research.deployment.build_bento import LOCKED_REQUIREMENTS, bill_of_materials
from research.deployment.containerize import (
    BASE,
    containerize,
    find_bento,
    find_engine,
    labels_of,
    write_context,
)


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


def test_the_context_holds_the_models_and_is_readable_by_all(bento_tag: str, tmp_path: Path) -> None:
    bento = find_bento(bento_tag)

    context = write_context(bento, tmp_path / "context")

    assert (context / "env" / "python" / "requirements.lock.txt").is_file()
    assert list((context / "models" / NAME).glob(f"*/{FOLDER_IN_STORE}/{SCORING_FILE}"))
    for path in (context, *context.rglob("*")):
        executable = path.is_dir() or path.name == "entrypoint.sh"
        assert path.stat().st_mode & 0o777 == (0o755 if executable else 0o644), path


def test_a_bento_without_a_model_is_not_put_into_an_image(bento_tag: str, tmp_path: Path, monkeypatch) -> None:
    bento = find_bento(bento_tag)
    monkeypatch.setattr(type(bento.info), "all_models", [])

    with pytest.raises(CommandError, match="holds no model; build another one with: make import bento"):
        write_context(bento, tmp_path / "context")


def test_every_locked_requirement_has_a_hash(bento_tag: str) -> None:
    text = Path(find_bento(bento_tag).path_of(LOCKED_REQUIREMENTS)).read_text("utf-8")

    requirements = re.findall(r"^([\w.-]+)==(?:.*\\\n)+?\s+--hash=sha256:", text, re.MULTILINE)
    assert len(requirements) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) > 50
    assert "scipy" not in requirements


def test_the_bill_of_materials_is_the_same_text_for_the_same_content() -> None:
    def exported(serial: str, moment: str) -> str:
        component = {"type": "library", "name": "project", "version": "0", "bom-ref": "project"}
        metadata = {"timestamp": moment, "component": component}
        return json.dumps({"serialNumber": serial, "metadata": metadata, "components": [{"name": "numpy"}]})

    first = bill_of_materials(exported("urn:uuid:1", "today"), "credit_scoring:abc")
    second = bill_of_materials(exported("urn:uuid:2", "tomorrow"), "credit_scoring:abc")

    assert first == second
    assert json.loads(first)["metadata"]["component"]["version"] == "abc"
    assert first != bill_of_materials(exported("urn:uuid:1", "today"), "credit_scoring:abd")


def test_the_label_of_the_source_holds_no_secret(programs: Path, bento_tag: str) -> None:
    program(programs, "git", 'case "$*" in *remote*) echo https://me:secret@example.org/project.git;; esac')

    labels = labels_of(NAME, "abc", find_bento(bento_tag).creation_time, f"{BASE}@sha256:123")

    assert labels["org.opencontainers.image.source"] == "https://***@example.org/project.git"
    assert labels["org.opencontainers.image.base.digest"] == "sha256:123"
    assert "org.opencontainers.image.revision" not in labels
