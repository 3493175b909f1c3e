"""Provide the image python:3.11-slim in buildah's store: pulled, or else made from Debian packages."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.deadlines import timeout_s

IMAGE = "docker.io/library/python:3.11-slim"
SUITE = "bookworm"
"""The Debian release whose Python is 3.11."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PULL_TIMEOUT_S = 120
"""Seconds for the registry."""
# As in the official images: apt keeps no packages and no caches.
APT_KEEPS_NOTHING = """\
APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


def ensure_base_image() -> None:
    """Provide the image by the quickest way: it is there, a registry has it, or a substitute is made."""
    if not _is_there() and not _pulled():
        _make_substitute()


def buildah(*arguments: str) -> str:
    """Run buildah and return its output."""
    return _run("buildah", *arguments, stdout=subprocess.PIPE).stdout.strip()


def _run(*command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=check, text=True, **options)


def _is_there() -> bool:
    return _run("buildah", "inspect", "--type", "image", IMAGE, check=False, capture_output=True).returncode == 0


def _pulled() -> bool:
    try:
        return _run("buildah", "pull", "--quiet", IMAGE, check=False, timeout=timeout_s(PULL_TIMEOUT_S)).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _make_substitute() -> None:
    container = buildah("from", "scratch")
    try:
        root = Path(buildah("mount", container))
        packages = "python3,python3-pip,ca-certificates"
        _run("debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(root))
        (root / "usr/bin/python").symlink_to("python3")
        (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink()
        (root / "etc/apt/apt.conf.d/docker-clean").write_text(APT_KEEPS_NOTHING)
        for rest in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / rest)
        # What this machine trusts, so that pip and uv reach the package index as it does.
        shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
        trust = [f"--env={name}={CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT")]
        buildah("config", *trust, container)
        buildah("commit", "--quiet", container, IMAGE)
    finally:
        buildah("rm", container)
