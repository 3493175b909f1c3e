"""What is asked of GitHub, by a stand-in for gh that answers from files and writes down how it was called."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from research.cli import CommandError
from research.deployment import github
from tests.research.commands import run_command

DIGEST = "sha256:" + "0" * 64
IMAGE = f"registry.example.org/credit-scoring@{DIGEST}"
Gh = Callable[..., Path]


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gh:
    """Puts a gh on the PATH whose calls print, write files or fail by their first two words; returns its log."""
    programs, log = tmp_path / "programs", tmp_path / "calls"
    programs.mkdir()
    log.touch()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/project")

    def one(**answers: str) -> Path:
        cases = "\n".join(f"'{name.replace('_', ' ')}') {script} ;;" for name, script in answers.items())
        program = programs / "gh"
        program.write_text(f'#!/bin/sh\necho "$*" >>{shlex.quote(str(log))}\ncase "$1 $2" in\n{cases}\nesac\n')
        program.chmod(0o755)
        return log

    return one


def files(*names: str) -> str:
    """Return a script that writes these files into the folder after --dir."""
    return 'while [ "$1" != --dir ]; do shift; done; ' + "; ".join(f'echo x >"$2/{name}"' for name in names)


ONE_RUN = "echo '[{\"databaseId\": 7}]'"


def test_a_champion_is_downloaded_once_its_attestation_holds(gh: Gh, tmp_path: Path, capsys):
    log = gh(run_list=ONE_RUN, run_download=files("champion.tar"))

    assert run_command(github, "download", "--attested", "--output", str(tmp_path / "build")) == 0

    assert (tmp_path / "build" / "champion.tar").read_text() == "x\n"
    listed, downloaded, verified = log.read_text().splitlines()
    assert "--workflow train.yml --branch main --status success" in listed
    assert downloaded.startswith("run download 7 --repo owner/project --name champion --dir ")
    assert "--signer-workflow owner/project/.github/workflows/train.yml" in verified
    assert verified.endswith("--deny-self-hosted-runners --source-ref refs/heads/main")
    assert "champion.tar is of run 7 of train.yml" in capsys.readouterr().out


def test_a_champion_without_attestation_is_not_kept(gh: Gh, tmp_path: Path):
    gh(run_list=ONE_RUN, run_download=files("champion.tar"), attestation_verify="echo 'no attestations' >&2; exit 1")

    with pytest.raises(CommandError, match=r"gh attestation verify .* failed: no attestations"):
        github.download(7, "train.yml", "champion", tmp_path / "build", attested=True)

    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"run_list": "echo '[]'"}, "train.yml has not succeeded on main yet: run it once, then this again"),
        ({"run_list": ONE_RUN, "run_download": "true"}, "the artifact champion of run 7 of train.yml is empty"),
        ({"run_list": ONE_RUN, "run_download": "echo expired >&2; exit 1"}, "gh run download 7 failed: expired"),
        ({"run_list": "exit 4"}, "gh run list --repo failed: it gave no reason"),
    ],
)
def test_without_a_champion_one_line_says_why(answers: dict[str, str], words: str, gh: Gh, tmp_path: Path, capsys):
    gh(**answers)

    assert run_command(github, "download", "--output", str(tmp_path / "build")) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "build").exists()


def test_where_none_is_needed_the_first_run_goes_on(gh: Gh, tmp_path: Path, capsys):
    gh(run_list="echo '[]'")

    assert run_command(github, "download", "--or-none", "--output", str(tmp_path / "build")) == 0

    assert capsys.readouterr().out == "train.yml has not succeeded on main yet: nothing to download\n"


def test_the_results_of_a_failed_run_are_downloaded_where_asked(gh: Gh, tmp_path: Path):
    log = gh(run_list=ONE_RUN, run_download=files("watch.jsonl"))
    wanted = ("--workflow", "drift.yml", "--artifact", "drift", "--also-failed")

    assert run_command(github, "download", *wanted, "--output", str(tmp_path / "build")) == 0

    assert "--workflow drift.yml --branch main --status completed" in log.read_text()
    assert "attestation" not in log.read_text()


def test_what_was_pushed_becomes_outputs_of_a_step(tmp_path: Path, capsys):
    pushed = {"image": IMAGE, "page": f"registry.example.org/page@{DIGEST}", "model_version": "3", "bento": "b"}
    (tmp_path / "deployment.json").write_text(json.dumps(pushed))

    assert run_command(github, "outputs", str(tmp_path / "deployment.json")) == 0

    lines = capsys.readouterr().out.splitlines()
    assert {"model-version=3", f"image={IMAGE}", f"image-digest={DIGEST}"} <= set(lines)
    assert "page-name=registry.example.org/page" in lines


@pytest.mark.parametrize(
    "change", [{"image": "registry/x:latest"}, {"model_version": "3\nimage=other"}, {"page": None}]
)
def test_what_was_pushed_is_checked_before_others_use_it(change: dict[str, str | None], tmp_path: Path):
    pushed = {"image": IMAGE, "page": IMAGE, "model_version": "3"} | change
    (tmp_path / "deployment.json").write_text(json.dumps(pushed))

    with pytest.raises(CommandError, match=f"{next(iter(change))} is missing or wrong: run cloud push again"):
        github.outputs(tmp_path / "deployment.json")


def test_an_image_needs_provenance_and_bill_of_materials(gh: Gh):
    log = gh()

    github.verify_image(IMAGE)

    provenance, bill = log.read_text().splitlines()
    assert provenance.startswith(f"attestation verify oci://{IMAGE} --repo owner/project")
    assert "--signer-workflow owner/project/.github/workflows/build.yml" in provenance
    assert "--predicate-type https://slsa.dev/provenance/v1" in provenance
    assert "--predicate-type https://cyclonedx.org/bom" in bill


def test_an_image_that_lacks_its_bill_of_materials_is_refused(gh: Gh):
    gh(attestation_verify='case "$*" in *cyclonedx*) echo none found >&2; exit 1;; esac')

    with pytest.raises(CommandError, match="none found"):
        github.verify_image(IMAGE)


def test_an_image_named_by_a_tag_is_refused(gh: Gh):
    gh()

    with pytest.raises(CommandError, match="name the image by its digest"):
        github.verify_image("registry.example.org/credit-scoring:latest")


@pytest.mark.parametrize(("issues", "called"), [([], "issue create"), ([{"number": 5, "url": "u"}], "issue edit 5")])
def test_one_issue_is_kept_open(issues: list[dict[str, object]], called: str, gh: Gh, tmp_path: Path):
    log = gh(issue_list=f"echo {shlex.quote(json.dumps(issues))}", issue_create="echo u")

    assert github.report("Drift", "drift", tmp_path / "watch.md") == "u"

    assert log.read_text().splitlines()[-1].startswith(called)
    assert ("issue create" in log.read_text()) is (not issues)


def test_the_repository_must_be_named(gh: Gh, monkeypatch: pytest.MonkeyPatch):
    gh()
    monkeypatch.delenv("GITHUB_REPOSITORY")

    with pytest.raises(CommandError, match="GITHUB_REPOSITORY is not set"):
        github.verify_image(IMAGE)


def test_without_gh_its_page_is_named(gh: Gh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))

    with pytest.raises(CommandError, match="gh is not installed"):
        github.verify_image(IMAGE)
