"""Build the container image of the officers' page, with its bill of materials."""

import argparse
import shutil
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from research.cli import ROOT, shown, user_path
from research.deployment.build_bento import bill_of_materials, call
from research.deployment.containerize import ENGINES, base_image, build_image, find_engine, git, labels_of

EXAMPLE = "python -m research page-image --engine podman"
NAME = "credit_scoring_page"
CONTEXT = ("pyproject.toml", "uv.lock", "ui", ".streamlit", "research/results/results.json", "MODEL_CARD.md")
"""What the image is made of, below the root of the project."""
SBOM = Path("build") / "page.cdx.json"


def containerize_page(engine: str, image: str, sbom: Path) -> str:
    """Build the image of the page, write its bill of materials (CycloneDX 1.5) and return its size, as `741 MB`.

    Raises CommandError with the engine's reason where the build fails.
    """
    base = base_image(engine)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    created = datetime.fromtimestamp(int(git("log", "-1", "--format=%ct") or 0), UTC)
    exported = call(
        "uv", "export", "--locked", "--quiet", "--no-default-groups", "--only-group", "ui", "--format", "cyclonedx1.5"
    )
    sbom.parent.mkdir(parents=True, exist_ok=True)
    sbom.write_text(bill_of_materials(exported, f"{NAME}:{version}"), "utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        context = write_context(Path(temporary) / "context")
        return build_image(
            engine, image, context / "ui" / "Containerfile", context, base, labels_of(NAME, version, created, base)
        )


def write_context(context: Path) -> Path:
    """Copy what the image is made of into a folder, and return it; the project's root holds gigabytes beside."""
    context.mkdir(parents=True)
    for name in CONTEXT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, context / name)
    return context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add engine, name of the image and file of the bill of materials."""
    parser.add_argument("--engine", choices=ENGINES, help="by default the first of these that is installed and running")
    parser.add_argument("--tag", default=f"{NAME}:latest", metavar="NAME:TAG", help="name of the image")
    parser.add_argument("--sbom", type=user_path, default=SBOM, metavar="FILE", help=f"by default {SBOM}")


def run(options: argparse.Namespace) -> None:
    """Build the image and print where its bill of materials is."""
    engine = find_engine(options.engine)
    print(f"building {options.tag} with {engine}", file=sys.stderr)
    size = containerize_page(engine, options.tag, options.sbom)
    print(f"{options.tag} built, {size}; bill of materials (CycloneDX): {shown(options.sbom)}")
