"""Run the image as a careful platform does: read-only, as any user of group 0, without capabilities; by runc."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.container.base_image import buildah

FILES = {"SCORING_KEYS_FILE": "/journal/keys.json", "SCORING_MASTER_KEY_FILE": "/journal/master.key"}
MAKE_MASTER_KEY = ("sh", "-c", "head -c 32 /dev/urandom | base64 >/journal/master.key")
RUNC = "runc"
USER = 123_456
"""A user that the image does not know, as OpenShift chooses one."""
_NAMESPACES = {"pid", "ipc", "uts", "mount"}
"""The network is that of this machine, so that the tests reach the port."""
_KERNEL_MOUNTS = {"proc", "devpts", "tmpfs"}


def image_settings(image: str) -> dict[str, Any]:
    """Return what the image declares: environment, user, entry point, ports, labels, health check."""
    settings: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    return settings


def bundle(
    folder: Path, root: Path, image: str, arguments: list[str], journal: Path | None, **environment: str
) -> list[str]:
    """Write the bundle of a container, with a volume for the journal where there is one; return the command to run it.

    What the container may write is /journal, and /tmp in memory.
    """
    folder.mkdir()
    subprocess.run([RUNC, "spec"], cwd=folder, check=True)
    path = folder / "config.json"
    config, settings = json.loads(path.read_text()), image_settings(image)
    config["root"] = {"path": str(root), "readonly": True}
    config["process"] |= {
        "terminal": False,
        "user": {"uid": USER, "gid": 0},
        "args": [*settings["Entrypoint"], *arguments],
        "env": [*settings["Env"], *(f"{name}={value}" for name, value in environment.items())],
        "cwd": settings["WorkingDir"],
        "capabilities": {},
        "noNewPrivileges": True,
    }
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] in _KERNEL_MOUNTS] + [
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]},  # noqa: S108
        {"destination": "/etc/hosts", "type": "bind", "source": "/etc/hosts", "options": ["bind", "ro"]},
    ]
    if journal is not None:
        journal.chmod(0o770)  # of group 0, as a platform prepares a volume
        volume = {"destination": "/journal", "type": "bind", "source": str(journal), "options": ["bind", "rw"]}
        config["mounts"].append(volume)
    config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] in _NAMESPACES]
    config["linux"].pop("resources", None)
    path.write_text(json.dumps(config))
    name = f"credit_scoring_{folder.name}_{abs(hash(folder)) % 10**8}"
    return [RUNC, "run", "--bundle", str(folder), name]


def prepare(command: Callable[..., list[str]], **settings: str) -> str:
    """Make master key, API key and journal as docs/operate.md does, and return the API key.

    `command` returns the command of a container: from its name, what it runs, and its environment.
    """
    subprocess.run(command("master", *MAKE_MASTER_KEY), check=True)
    new_key = command("key", "python", "-m", "bento", "keys", "new-key", "--scope", "score", **settings)
    key = subprocess.run(new_key, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run(command("upgrade", "python", "-m", "bento", "journal", "upgrade", **settings), check=True)
    return key
