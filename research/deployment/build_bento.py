"""Builds the Bento: the service's code, its locked requirements and the latest model of the store."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import bentoml
import yaml

from bento import NAME
from research.cli import NO_TELEMETRY, ROOT, CommandError, parser, run
from research.deployment.import_model import latest_model

REQUIREMENTS = ROOT / "requirements.txt"
CODE_LABEL = "code"


def build_bento(reuse: bool = False) -> bentoml.Bento:
    """Build a Bento of the latest imported model; with `reuse`, not where one of this model and code exists.

    Raises:
        CommandError: no model is imported, or `uv` or `bentoml` reports a fault.
    """
    model = latest_model()
    if model is None:
        raise CommandError(f"the BentoML store holds no {NAME}; import one with: make import")
    code = _code_hash()
    if reuse:
        for bento in bentoml.bentos.list():
            pinned = {str(packed.tag) for packed in bento.info.all_models}
            if bento.tag.name == NAME and bento.info.labels.get(CODE_LABEL) == code and str(model.tag) in pinned:
                return bento
    _call(
        "uv", "export", "--locked", "--no-default-groups", "--no-header", "--quiet", "--output-file", REQUIREMENTS.name
    )
    tag = _call("bentoml", "build", "--output", "tag", "--label", f"{CODE_LABEL}={code}").rpartition("__tag__:")[2]
    bento = bentoml.bentos.get(tag.strip())
    shorten(Path(bento.path_of("bento.yaml")))
    return bento


def shorten(manifest: Path) -> None:
    """Leave BentoML's own description of the endpoints out of a Bento's manifest.

    Each process of the service reads the manifest, a third of a second for that alone; it is there for BentoCloud's
    pages, and clients are told by `/docs.json`.
    """
    content = yaml.safe_load(manifest.read_text("utf-8"))
    content["schema"] = {}
    manifest.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def _call(program: str, *arguments: str) -> str:
    path = shutil.which(program, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if path is None:
        raise CommandError(f"{program} is not installed; run: make setup")
    done = subprocess.run(
        [path, *arguments],
        cwd=ROOT,
        env=os.environ | NO_TELEMETRY,
        check=False,
        text=True,
        capture_output=True,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise CommandError(f"{program} {arguments[0]} failed: {said[-1]}")
    return done.stdout


def _code_hash() -> str:
    """Fingerprint of all that goes into a Bento beside the model."""
    digest = hashlib.sha256()
    for path in (*sorted((ROOT / "bento").rglob("*.py")), ROOT / "bentofile.yaml", ROOT / "uv.lock"):
        digest.update(f"{path.relative_to(ROOT)}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def main() -> None:
    """The command line."""
    parser("Build a Bento of the latest imported model.", "python -m research.deployment.build_bento").parse_args()
    print(f"built {build_bento().tag}; serve it with: make serve")


if __name__ == "__main__":
    run(main)
