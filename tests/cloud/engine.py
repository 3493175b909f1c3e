"""A program that stands for docker, and a Bento that has a name only: what `cloud push` needs of a machine."""

import json
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import bentoml

from bento import NAME

# Stands for docker, which needs a daemon: it notes what it is asked, and pushes by the interface of the registry.
ENGINE = """#!{python}
import json, os, sys
sys.path.insert(0, {root!r})
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(arguments + ([sys.stdin.read()] if "login" in arguments else [])) + "\\n")
if arguments[0] == "image":
    print(json.dumps({labels!r}))
if arguments[0] == "push":
    if {broken!r}:
        sys.exit("denied: the registry is full")
    from tests.cloud.conftest import pushed_image
    pushed_image(arguments[1].rpartition(":")[2], arguments[1].rpartition(":")[0].rpartition("/")[2])
"""
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Engine:
    """A stand-in for docker in front of the PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log = folder, folder / "log"

    def install(self, version: str, *, broken: bool = False) -> None:
        prefix = "org.opencontainers.image."
        labels = {f"{prefix}version": version, f"{prefix}revision": REVISION}
        root = str(Path(__file__).parents[2])
        program = self._folder / "docker"
        program.write_text(
            ENGINE.format(python=sys.executable, root=root, log=str(self._log), labels=labels, broken=broken)
        )
        program.chmod(program.stat().st_mode | stat.S_IEXEC)

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []


def named_bento(version: str) -> SimpleNamespace:
    """Return what `push` reads of a Bento that holds the latest model of the store."""
    model = bentoml.models.get(f"{NAME}:latest")
    return SimpleNamespace(
        tag=bentoml.Tag(NAME, version), info=SimpleNamespace(all_models=[SimpleNamespace(tag=model.tag)])
    )
