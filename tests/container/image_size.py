"""What the image weighs, what its largest packages are for, and how soon it can decide."""

import json
import time
from pathlib import Path

from pydantic import BaseModel

from research.deployment.containerize import run_command
from research.deployment.processes import free_port, running
from tests.container.base_image import buildah

PURPOSES = {
    "polars-runtime-32": "the engine of polars: all features, of one client or many, are computed by it",
    "numpy": "matrices of features, and what LightGBM's library is given",
    "sqlalchemy": "the journal in SQLite and PostgreSQL, by one set of statements",
    "cryptography": "encryption of personal data in the journal",
    "psycopg-binary": "the client of PostgreSQL, with libpq",
    "polars": "the Python side of polars",
    "lightgbm": "the library that computes the trees; the Python package around it is not imported",
    "pydantic-core": "validation of credit files and answers",
    "bentoml": "the server: workers, health, documentation",
    "aiohttp": "imported by BentoML",
}
"""What each of the largest packages of the image is for; one that becomes one of them is added here."""
MAX_LISTED = 10
SIZES = """
import importlib.metadata as metadata, json, os
sizes = {}
for one in metadata.distributions():
    paths = {str(one.locate_file(file)) for file in one.files or []}
    for path in list(paths):
        folder, name = os.path.split(path)
        if name.endswith(".py"):
            paths.add(f"{folder}/__pycache__/{name[:-3]}.cpython-311.pyc")
    sizes[one.name.lower().replace("_", "-")] = sum(os.path.getsize(path) for path in paths if os.path.exists(path))
print(json.dumps(sizes))
"""


class Package(BaseModel):
    """A package of the image, its size, and what it is for."""

    name: str
    mb: float
    purpose: str


class ImageSize(BaseModel):
    """The content of research/results/image.json."""

    data: str = "synthetic"
    clients: int
    seed: int
    bento: str
    base: str
    image: str
    """Size of the whole image, as the engine tells it."""
    packages_mb: float
    """All that is installed for the service, /app, on disk."""
    ready_s: float
    """From the start of the container to the first 200 of /readyz, the least of three."""
    slowdown: float
    """How many times longer than on a quiet machine of two cores work took meanwhile."""
    largest: list[Package]


def packages(container: str) -> list[Package]:
    """Return the largest packages, bytecode included; raise KeyError for one whose purpose is not declared."""
    sizes: dict[str, int] = json.loads(buildah("run", container, "--", "python", "-c", SIZES))
    largest = sorted(sizes, key=lambda name: -sizes[name])[:MAX_LISTED]
    return [Package(name=name, mb=round(sizes[name] / 1e6, 1), purpose=PURPOSES[name]) for name in largest]


def seconds_to_ready(container: str, log: Path, **settings: str) -> float:
    """Start the service in a container, and return the seconds until it is ready."""
    port = free_port()
    start = time.monotonic()
    with running(run_command(container, "--port", str(port), **settings), f"http://127.0.0.1:{port}/readyz", log):
        return time.monotonic() - start
