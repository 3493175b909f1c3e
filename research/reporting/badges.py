"""Draw the badges of the README from what they state: version, Python, licence, data of the published figures."""

import tomllib
from html import escape
from pathlib import Path

from research.cli import ROOT
from research.reporting.quoted_figures import PUBLISHED
from research.results import RESULTS_FILE, TrainingResults, read

BADGES = ROOT / "docs" / "images" / "badges"
CHARACTER_PX, PADDING_PX, HEIGHT_PX = 6.6, 12, 20


def facts(folder: Path = PUBLISHED) -> dict[str, tuple[str, str]]:
    """Return the label and the text of each badge, by the name of its file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "version": ("version", project["version"]),
        "python": ("Python", project["requires-python"]),
        "licence": ("licence", project["license"]),
        "data": ("figures", f"{read(TrainingResults, folder / RESULTS_FILE).data} data"),
    }


def badge(label: str, text: str) -> str:
    """Return a badge as SVG, with its content as a title for those who do not see it."""
    left, right = (round(len(part) * CHARACTER_PX) + PADDING_PX for part in (label, text))
    label, text = escape(label), escape(text)
    style = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT_PX}" role="img">'
        f"<title>{label}: {text}</title>"
        f'<rect width="{left}" height="{HEIGHT_PX}" fill="#444c56"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT_PX}" fill="#1f5f8b"/>'
        f"<g {style}>"
        f'<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{text}</text></g></svg>\n'
    )


def write_badges(folder: Path = BADGES) -> None:
    """Write the badges of the README."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (label, text) in facts().items():
        (folder / f"{name}.svg").write_text(badge(label, text), "utf-8")
