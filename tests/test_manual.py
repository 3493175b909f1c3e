"""Every shell block of the operators' manual is run by a test, or stands here with the reason why not."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bento.api.problems import ALTERED, UNREADABLE, ProblemType
from bento.journal.causes import CAUSES
from bento.journal.vault import Vault
from bento.settings import LIMITS, MIB, Settings
from research.cli import ROOT
from tests.support.doc_blocks import manual_environment, run_block, sh_blocks

MANUAL = ROOT / "docs" / "operate.md"
TEXT = MANUAL.read_text("utf-8")
TITLE = "Running the service"

RUN_BY = {
    "python -m bento keys new-key --scope score --scope read": "tests/end_to_end/test_start.py",
    "promtool check rules": "tests/test_manual.py",
    "python -m bento journal backup": "tests/bento/journal/test_manual.py",
    "python -m bento journal restore": "tests/bento/journal/test_manual.py",
    "pg_dump": "tests/bento/journal/test_manual.py",
    "pg_restore": "tests/bento/journal/test_manual.py",
    "umask 077": "tests/bento/journal/test_manual.py",
    "python -m bento journal verify": "tests/bento/journal/test_manual.py",
    "python -m bento journal upgrade\npython -m bento journal roles": "tests/bento/journal/test_manual.py",
}
"""First words of a block, and the file of the test that runs it."""
NOT_RUN = {
    "make container": "needs Docker; its lines are run here with stand-ins that keep their arguments, and "
    "tests/container builds, hardens and asks the same image with buildah and runc",
    "docker compose": "needs Docker and a registry; tests/test_compose.py checks the file",
}
"""First words of a block, and why no test runs it."""


def test_every_shell_block_is_run_or_named_with_the_reason():
    blocks = sh_blocks(MANUAL, TITLE)

    assert len(blocks) >= len(RUN_BY) + len(NOT_RUN)
    for block in blocks:
        assert sum(block.startswith(words) for words in (*RUN_BY, *NOT_RUN)) == 1, block
    for words in (*RUN_BY, *NOT_RUN):
        assert any(block.startswith(words) for block in blocks), words


@pytest.mark.parametrize("path", sorted(set(RUN_BY.values())))
def test_the_named_test_file_exists(path: str):
    assert (ROOT / path).is_file()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
def test_the_block_about_alerts_runs():
    (block,) = sh_blocks(MANUAL, "Alerts")

    done = run_block(block, ROOT, manual_environment())

    assert done.returncode == 0, done.stdout + done.stderr


STAND_IN = """#!/bin/sh
printf '%s\\037' "$(basename "$0")" "$@" >>"$CALLS"
printf '\\n' >>"$CALLS"
"""
"""A program that keeps its arguments, separated by a character that none of them holds."""


def _calls_of(block: str, folder: Path) -> list[list[str]]:
    """Run a block in a folder with stand-ins for the programs that need an engine or another user."""
    (programs := folder / "programs").mkdir()
    for name in ("make", "docker", "sudo"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    calls = folder / "calls"
    environment = manual_environment() | {"CALLS": str(calls)}
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    (folder / "secrets").mkdir()
    (folder / "secrets" / "keys.json").touch()
    done = run_block(block, folder, environment)
    assert done.returncode == 0, done.stderr
    return [line.split("\x1f")[:-1] for line in calls.read_text("utf-8").splitlines()]


def test_the_lines_for_docker_fit_image_settings_and_commands(tmp_path: Path):
    image = (ROOT / "research" / "deployment" / "Containerfile").read_text("utf-8")
    (block,) = [block for block in sh_blocks(MANUAL, "Start") if block.startswith("make container")]
    settings = {str(field.validation_alias) for field in Settings.model_fields.values()}

    calls = _calls_of(block, tmp_path)

    assert ["make", "container"] in calls
    assert Vault.from_file(str(tmp_path / "secrets" / "master.key")).encrypts
    (owned,) = [arguments[1:] for arguments in calls if arguments[0] == "sudo"]
    assert owned == ["chown", "1034", "secrets/keys.json", "secrets/master.key"]
    assert re.search(r"^USER 1034:0$", image, re.MULTILINE)
    runs = [arguments[1:] for arguments in calls if arguments[0] == "docker"]
    assert [arguments[0] for arguments in runs] == ["run", "run"]
    for arguments in runs:
        options, command = arguments[1 : arguments.index("IMAGE")], arguments[arguments.index("IMAGE") + 1 :]
        given = list(pairwise(options))
        volumes = dict(value.split(":")[:2] for option, value in given if option == "-v")
        variables = dict(value.split("=") for option, value in given if option == "-e")
        assert variables.keys() <= settings
        assert all(Path(value).parent == Path(volumes["./secrets"]) for value in variables.values())
        assert f"JOURNAL_URL=sqlite:///{volumes['journal']}/" in image
        for port in (value for option, value in given if option == "-p"):
            assert f"EXPOSE {port.partition(':')[2]}\n" in image
        assert command in ([], ["python", "-m", "bento", "journal", "upgrade"])


@pytest.mark.parametrize("words", NOT_RUN)
def test_the_shell_can_read_the_blocks_that_are_not_run(words: str):
    (block,) = [block for block in sh_blocks(MANUAL, TITLE) if block.startswith(words)]

    done = subprocess.run(["/bin/bash", "-n", "-c", block], check=False, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_every_link_within_the_manual_leads_to_a_heading():
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([\w-]+)\)", TEXT))

    assert len(links) > 8
    assert links <= anchors


def test_the_manual_names_what_to_do_about_each_code_of_readiness():
    prefix = "urn:credit-scoring:problem:"
    codes = {kind.removeprefix(prefix) for kind in get_args(ProblemType)} - {"about:blank"}
    of_entries = {kind.removeprefix(prefix) for kind in (ALTERED, UNREADABLE)}

    assert set(re.findall(r"^\| `([a-z-]+)` \| [^|]+ \|$", TEXT, re.MULTILINE)) >= codes - of_entries
    assert {code.removeprefix("journal-") for code in codes if code.startswith("journal-")} == set(CAUSES)


def _proxy_block() -> str:
    (block,) = re.findall(r"^```nginx\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return str(block)


def test_the_proxy_waits_longer_than_the_service_and_takes_its_bodies():
    seconds = {name: int(value) for name, value in re.findall(r"(\w+)\s+(\d+)s;", _proxy_block())}

    assert f"client_max_body_size {LIMITS.max_batch_bytes // MIB}m;" in _proxy_block()
    assert seconds["proxy_read_timeout"] > LIMITS.request_timeout_s
    assert seconds["client_body_timeout"] <= LIMITS.body_timeout_s


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed (Debian package nginx-light)")
def test_nginx_accepts_the_example(tmp_path: Path):
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scoring.example.org")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate, secret = tmp_path / "scoring.pem", tmp_path / "scoring.key"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    block = (
        _proxy_block().replace("/etc/ssl/scoring.pem", str(certificate)).replace("/etc/ssl/scoring.key", str(secret))
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(f"pid {tmp_path}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{block}}}\n")

    command = ["nginx", "-t", "-e", str(tmp_path / "error.log"), "-c", str(configuration)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr
