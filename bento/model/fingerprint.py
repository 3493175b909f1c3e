"""Which code decides: a fingerprint of this package and of the libraries that compute."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("lightgbm", "numpy", "polars", "pydantic")


@cache
def code_fingerprint() -> str:
    """SHA-256, shortened, over every module of `bento` and the versions of the numeric libraries."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return digest.hexdigest()[:16]
