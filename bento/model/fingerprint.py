"""Fingerprint of the code that decides."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

DECIDING = ("data", "features", "model", "rules", "scoring", "policy.py", "i18n.py")
"""Packages and modules of `bento` that decide, or word the reasons; a change of any other one changes no decision.

The lender's rules are no code: their version is journalled beside the fingerprint."""
LIBRARIES = ("lightgbm", "numpy", "polars", "pydantic")


@cache
def code_fingerprint() -> str:
    """Return a SHA-256, shortened, over the modules that decide and the versions of the numeric libraries."""
    root = Path(__file__).parents[1]
    paths = [root / name for name in DECIDING]
    modules = sorted(module for path in paths for module in ([path] if path.is_file() else path.rglob("*.py")))
    digest = hashlib.sha256()
    for path in modules:
        digest.update(f"{path.relative_to(root)}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return digest.hexdigest()[:16]
