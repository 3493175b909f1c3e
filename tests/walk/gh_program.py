"""A stand-in for gh: it answers from the files of `GitHub` in tests/walk/runner.py."""

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path


def folder() -> Path:
    return Path(os.environ["WALK_FOLDER"])


def fail(reason: str) -> None:
    sys.exit(f"error: {reason}")


def options(arguments: list[str]) -> argparse.Namespace:
    """Return what these calls of gh may name; any other option is an error, as it is to gh."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+")
    single = ("repo", "workflow", "branch", "status", "limit", "json", "name", "dir", "signer-workflow", "source-ref")
    for name in (*single, "predicate-type", "label", "state", "title", "body-file", "description"):
        parser.add_argument(f"--{name}")
    for name in ("deny-self-hosted-runners", "force"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args(arguments)


def run_list(given: argparse.Namespace) -> None:
    runs = [json.loads(path.read_text()) for path in folder().glob("runs/*/run.json")]
    wanted = {"success"} if given.status == "success" else {"success", "failure"}
    fitting = [run for run in runs if run["workflow"] == given.workflow and run["status"] in wanted]
    print(json.dumps(sorted(fitting, key=lambda run: -run["databaseId"])[: int(given.limit)]))


def run_download(given: argparse.Namespace) -> None:
    artifact = folder() / "runs" / given.words[2] / given.name
    if not artifact.is_dir():
        fail("no valid artifacts found to download")
    shutil.copytree(artifact, given.dir, dirs_exist_ok=True)


def attestation_verify(given: argparse.Namespace) -> None:
    subject = given.words[2]
    digest = subject.partition("@")[2] if subject.startswith("oci://") else ""
    digest = digest or f"sha256:{hashlib.sha256(Path(subject).read_bytes()).hexdigest()}"
    file = folder() / "attestations.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    wanted = {"signer": given.signer_workflow, "digest": digest, "predicate": given.predicate_type}
    if wanted not in lines:
        fail(f"no attestation of {digest} by {given.signer_workflow} with {given.predicate_type}")


def issue(given: argparse.Namespace) -> None:
    file = folder() / "issues.json"
    issues = json.loads(file.read_text()) if file.is_file() else []
    if given.words[1] == "list":
        print(json.dumps([one for one in issues if one["label"] == given.label][: int(given.limit)]))
        return
    if given.words[1] == "create":
        issues.append(
            {"number": len(issues) + 1, "url": f"https://example.org/{len(issues) + 1}", "label": given.label}
        )
    number = int(given.words[2]) if given.words[1] == "edit" else len(issues)
    issues[number - 1] |= {"title": given.title, "text": Path(given.body_file).read_text("utf-8")}
    file.write_text(json.dumps(issues))
    print(issues[number - 1]["url"])


def main() -> None:
    given = options(sys.argv[1:])
    if not os.environ.get("GH_TOKEN"):
        fail("to use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable")
    command = " ".join(given.words[:2])
    calls = {"run list": run_list, "run download": run_download, "attestation verify": attestation_verify}
    if command == "label create":
        return
    calls.get(command, issue)(given)


if __name__ == "__main__":
    main()
