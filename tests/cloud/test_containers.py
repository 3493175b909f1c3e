"""The commands of the containers in the templates, run by a shell: they write what service and page can read."""

import base64
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bento.api.keys import new_key, read_keys
from bento.journal.vault import Vault
from research.deployment.cloud.stacks import read_template


def _container(file: str, name: str) -> dict[str, Any]:
    task = read_template(file)["Resources"]["Task"]["Properties"]
    return next(one for one in task["ContainerDefinitions"] if one["Name"] == name)


def _run(container: dict[str, Any], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command of a container, with a folder where its volumes are."""
    for volume in ("secrets", "scratch"):
        (folder / volume).mkdir(exist_ok=True)
    words = [*container["EntryPoint"], *container["Command"]]
    command = [
        word.replace("/secrets/", f"{folder}/secrets/").replace("/scratch", f"{folder}/scratch") for word in words
    ]
    variables = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_the_service_can_read_the_files_that_are_made_of_secrets(tmp_path: Path):
    key, _ = new_key(tmp_path / "given.json", ["score"])
    secret = base64.b64encode(bytes(range(32))).decode()

    done = _run(
        _container("release.yaml", "files"),
        tmp_path,
        API_KEYS=(tmp_path / "given.json").read_text(),
        MASTER_KEY=secret,
        DATABASE_CA="-----BEGIN CERTIFICATE-----",
        SERVICE_PASSWORD="it's a $(password)",  # noqa: S106 - invented
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    secrets = tmp_path / "secrets"
    assert [one.id in key for one in read_keys(secrets / "keys.json").keys] == [True]
    assert Vault.from_file(str(secrets / "master.key")).encrypts
    assert (secrets / "service_password").read_text() == "it's a $(password)"
    assert all(path.stat().st_mode & 0o777 == 0o640 for path in secrets.iterdir())
    assert (tmp_path / "scratch").stat().st_mode & 0o777 == 0o777


def test_streamlit_can_read_how_people_sign_in(tmp_path: Path):
    names = {"REDIRECT_URI", "COOKIE_SECRET", "CLIENT_ID", "CLIENT_SECRET", "METADATA_URL"}
    container = _container("page.yaml", "files")
    assert {one["Name"] for kind in ("Environment", "Secrets") for one in container[kind]} == names

    done = _run(container, tmp_path, **{name: f"the {name.lower()}" for name in names})

    assert (done.returncode, done.stderr) == (0, "")
    assert tomllib.loads((tmp_path / "secrets" / "secrets.toml").read_text())["auth"] == {
        "redirect_uri": "the redirect_uri",
        "cookie_secret": "the cookie_secret",
        "client_id": "the client_id",
        "client_secret": "the client_secret",
        "server_metadata_url": "the metadata_url",
    }


@pytest.mark.parametrize(("failures", "code", "attempts"), [(0, 0, 1), (2, 0, 3), (99, 2, 6)])
def test_the_upgrade_waits_for_a_database_that_wakes_up(failures: int, code: int, attempts: int, tmp_path: Path):
    programs, log = tmp_path / "programs", tmp_path / "log"
    programs.mkdir()
    (programs / "sleep").write_text("#!/bin/sh\n")
    (programs / "python").write_text(f'#!/bin/sh\necho "$@" >>{log}\n[ "$(wc -l <{log})" -gt {failures} ]\n')
    for program in programs.iterdir():
        program.chmod(0o755)

    done = _run(_container("release.yaml", "journal"), tmp_path, PATH=f"{programs}:{os.environ['PATH']}")

    lines = log.read_text().splitlines()
    assert (done.returncode, len(lines)) == (code, attempts)
    assert lines[0].startswith("-m bento journal upgrade --service-role scoring_service --service-password-file")
