"""List the licences of the installed dependencies from their metadata, those of the container and the others."""

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path

from research.cli import ROOT, CommandError, shown

ENVIRONMENT, SERVING_ENVIRONMENT = ROOT / ".venv", ROOT / ".venv-serve"
UNKNOWN = "not stated"
_CLASSIFIER = "License :: "
MAX_LICENCE_LENGTH = 60
"""Characters of a licence field: a longer one is the text of the licence, not its name."""


def licence(package: Distribution) -> str:
    """Return the licence that a package's metadata names: its SPDX expression, or its classifiers, or its field."""
    metadata = package.metadata
    if expression := _field(metadata, "License-Expression"):
        return expression
    names = [
        entry.rpartition(" :: ")[2]
        for entry in metadata.get_all("Classifier") or []
        if entry.startswith(_CLASSIFIER) and not entry.endswith("OSI Approved")
    ]
    field = _field(metadata, "License").splitlines()
    if names:
        return ", ".join(sorted(names))
    return field[0] if field and len(field[0]) <= MAX_LICENCE_LENGTH else UNKNOWN


def _field(metadata: PackageMetadata, name: str) -> str:
    return str(metadata[name]).strip() if name in metadata else ""


def installed(environment: Path) -> dict[str, Distribution]:
    """Return the packages of a virtual environment by name; a `CommandError` where there is no such environment."""
    folders = sorted(environment.glob("lib/python*/site-packages"))
    if not folders:
        raise CommandError(f"{shown(environment)}: no environment of Python; make it with `make setup`")
    packages = distributions(path=[str(folder) for folder in folders])
    return {str(package.metadata["Name"]).lower(): package for package in packages}


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, version, licence, and whether the container holds it, of each package."""
    serving = installed(SERVING_ENVIRONMENT)
    for name, package in sorted((installed(ENVIRONMENT) | serving).items()):
        yield name, package.version, licence(package), "yes" if name in serving else ""
