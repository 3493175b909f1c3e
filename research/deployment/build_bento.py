"""Build the Bento: the service's code, its locked requirements and the latest imported model."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import bentoml
import yaml

from bento import NAME
from bento.rules.rulebook import DEFAULT_RULES
from research.cli import NO_TELEMETRY, ROOT, CommandError, last_line
from research.deployment.import_model import latest_model

REQUIREMENTS = ROOT / "requirements.txt"
LOCKED_REQUIREMENTS = "env/python/requirements.lock.txt"
"""In the Bento: the requirements as uv exports them, each with its hashes; BentoML adds itself to its copy, without."""
SBOM = "env/python/sbom.cdx.json"
"""In the Bento: bill of materials of the locked packages, CycloneDX 1.5."""
CODE_LABEL = "code"


def build_bento(reuse: bool = False) -> bentoml.Bento:
    """Build a Bento of the latest imported model; with `reuse`, not where one of this model and code exists.

    Raises CommandError where no model is imported, or `uv` or `bentoml` reports a fault.
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
    options = ("--locked", "--no-default-groups", "--quiet")
    call("uv", "export", *options, "--no-header", "--output-file", REQUIREMENTS.name)
    bill = call("uv", "export", *options, "--format", "cyclonedx1.5")
    tag = call("bentoml", "build", "--output", "tag", "--label", f"{CODE_LABEL}={code}").rpartition("__tag__:")[2]
    bento = bentoml.bentos.get(tag.strip())
    shorten(Path(bento.path_of("bento.yaml")))
    shutil.copy(REQUIREMENTS, bento.path_of(LOCKED_REQUIREMENTS))
    Path(bento.path_of(SBOM)).write_text(bill_of_materials(bill, str(bento.tag)), "utf-8")
    return bento


def bill_of_materials(exported: str, tag: str) -> str:
    """Return uv's bill of materials with the Bento as its subject, and the same text for the same content."""
    content = json.loads(exported)
    name, _, version = tag.partition(":")
    content["metadata"]["component"] |= {"type": "application", "name": name, "version": version}
    content["metadata"].pop("timestamp", None)
    content.pop("serialNumber", None)
    content["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True)).urn
    return json.dumps(content, indent=1) + "\n"


def shorten(manifest: Path) -> None:
    """Remove BentoML's description of the endpoints from a Bento's manifest.

    Each process of the service reads the manifest, and this part takes a third of a second. Only BentoCloud's pages use
    it; clients read `/docs.json`.
    """
    content = yaml.safe_load(manifest.read_text("utf-8"))
    content["schema"] = {}
    manifest.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def call(program: str, *arguments: str) -> str:
    """Return what a program of the environment prints; raise CommandError with its last line where it fails."""
    path = shutil.which(program, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if path is None:
        raise CommandError(f"{program} is not installed; run: make setup")
    finished = subprocess.run(
        [path, *arguments], cwd=ROOT, env=os.environ | NO_TELEMETRY, check=False, text=True, capture_output=True
    )
    if finished.returncode != 0:
        message = last_line(finished.stderr or finished.stdout, "no message")
        raise CommandError(f"{program} {arguments[0]} failed: {message}")
    return finished.stdout


def _code_hash() -> str:
    """Return a fingerprint of the files that a Bento holds beside the model."""
    digest = hashlib.sha256()
    for path in (*sorted((ROOT / "bento").rglob("*.py")), DEFAULT_RULES, ROOT / "bentofile.yaml", ROOT / "uv.lock"):
        digest.update(f"{path.relative_to(ROOT)}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def run(_: argparse.Namespace) -> None:
    """Build the Bento and print its tag."""
    print(f"built {build_bento().tag}; serve it with: make serve")
