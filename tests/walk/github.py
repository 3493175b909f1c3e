"""What GitHub keeps for a repository, and the programs of its machines, as stand-ins."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = "owner/project"


@dataclass(kw_only=True)
class GitHub:
    """What GitHub keeps for a repository: settings, finished runs with their artifacts, attestations."""

    folder: Path
    variables: dict[str, dict[str, str]]
    """By environment; those of the repository by the name ""."""
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """Of the machines that run jobs."""
    process: subprocess.Popen[str] | None = None
    """The newest step; it leads a process group."""

    def __post_init__(self) -> None:
        """Put the programs of this folder on the PATH of the machines."""
        programs = self.folder / "programs"
        programs.mkdir(parents=True, exist_ok=True)
        for name in ("gh", "docker"):
            program = programs / name
            source = Path(__file__).with_name(f"{name}_program.py")
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{source}" "$@"\n')
            program.chmod(0o755)
        self.environment |= {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "WALK_FOLDER": str(self.folder),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_ACTIONS": "true",
            "CI": "true",
        }

    @property
    def attestations(self) -> Path:
        """The file of attestations, one JSON object a line."""
        return self.folder / "attestations.jsonl"

    def attest(self, workflow: str, digest: str, predicate: str) -> None:
        """Keep an attestation."""
        line = {"signer": f"{REPOSITORY}/.github/workflows/{workflow}", "digest": digest, "predicate": predicate}
        with self.attestations.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def artifact(self, run_id: int, name: str) -> Path:
        """Return the folder of an artifact of a run."""
        return self.folder / "runs" / str(run_id) / name

    def finish(self, run_id: int, workflow: str, status: str) -> None:
        """Keep how a run ended."""
        file = self.folder / "runs" / str(run_id) / "run.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"databaseId": run_id, "workflow": workflow, "status": status}))

    def new_run(self) -> int:
        """Return the number of a new run."""
        folder = self.folder / "runs"
        folder.mkdir(exist_ok=True)
        return 1 + max((int(path.name) for path in folder.iterdir()), default=0)
