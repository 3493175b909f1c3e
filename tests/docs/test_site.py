"""The site is built without a broken link, from the code, and asks no other host for anything."""

import re
from pathlib import Path

import pytest

from bento.__main__ import COMMANDS as BENTO_COMMANDS
from bento.api.endpoints import ENDPOINTS
from bento.data.tables import TABLES
from bento.settings import Settings
from drift.__main__ import COMMANDS as DRIFT_COMMANDS
from research.__main__ import COMMANDS as RESEARCH_COMMANDS
from research.cli import ROOT, CommandError
from research.reporting import licences, reference, site

NAV = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|SSPL|General Public)", re.IGNORECASE)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does."""
    out = tmp_path_factory.mktemp("site")
    site.write_sources()
    site.build(out)
    return out


def page(name: str) -> str:
    return (site.SOURCES / "docs" / "reference" / name).read_text("utf-8")


def test_every_page_is_in_the_menu():
    pages = {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")} | set(site.ROOT_PAGES)

    assert pages | {f"docs/reference/{name}" for name in reference.PAGES} == NAV


def test_the_site_asks_no_other_host(built: Path):
    for path in built.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]* src="(https?:)?//', text), path
        assert not re.findall(r'<link[^>]* rel="(?:stylesheet|preconnect|icon)"[^>]* href="(?:https?:)?//', text), path


def test_every_page_of_the_menu_is_built(built: Path):
    for name in NAV:
        folder = built / name.removesuffix("README.md").removesuffix(".md")
        assert (folder / "index.html").is_file(), name


def test_the_reference_holds_every_command_with_its_help(built: Path):
    text = page("commands.md")

    for program, names in (("research", RESEARCH_COMMANDS), ("bento", BENTO_COMMANDS), ("drift", DRIFT_COMMANDS)):
        for name in names:
            assert re.search(
                rf"^### {program} {name}\n\n```text\nusage: python -m {program} {name}", text, re.MULTILINE
            )


def test_the_reference_holds_settings_addresses_and_columns(built: Path):
    assert all(f"| `{field.validation_alias}` |" in page("settings.md") for field in Settings.model_fields.values())
    assert all(f"| `{endpoint.method} {endpoint.path}` |" in page("addresses.md") for endpoint in ENDPOINTS)
    assert all(f"| `{column.name}` |" in page("tables.md") for table in TABLES.values() for column in table)


def test_the_reference_holds_every_metric_of_the_alerts(built: Path):
    alerts = (ROOT / "docs" / "monitoring" / "alerts.yml").read_text("utf-8")
    named = set(re.findall(r"\bcredit_\w+", alerts))
    metrics = set(re.findall(r"`(credit_\w+)`", page("metrics.md")))

    assert {re.sub("_(bucket|sum|count)$", "", name) for name in named} <= metrics | {"credit_scoring"}


def test_a_link_to_code_becomes_its_path():
    text = "See [the service](../bento/service.py), [`bento/serve.py`](../bento/serve.py), [alerts](operate.md#alerts)."

    result = site.without_links_to_code(text, Path("docs/page.md"), {Path("docs/operate.md")})

    assert result == "See the service (`bento/service.py`), `bento/serve.py`, [alerts](operate.md#alerts)."


def test_a_site_with_a_broken_link_is_refused(built: Path, tmp_path: Path):
    broken = site.SOURCES / "docs" / "drift.md"
    text = broken.read_text("utf-8")
    broken.write_text(f"{text}\n[nowhere](missing.md)\n", "utf-8")

    try:
        with pytest.raises(CommandError, match=r"the site was not built: .*missing\.md"):
            site.build(tmp_path)
    finally:
        broken.write_text(text, "utf-8")


def test_the_container_holds_no_package_that_binds_its_user_to_a_licence():
    rows = list(licences.rows())
    serving = [row for row in rows if row[3]]

    assert len(serving) > 50
    assert [row for row in serving if row[2] == licences.UNKNOWN] == []
    assert [row for row in serving if COPYLEFT.search(row[2])] == []


def test_without_an_environment_the_command_names_it(tmp_path: Path):
    with pytest.raises(CommandError, match=r"no environment of Python; make it with `make setup`"):
        licences.installed(tmp_path)
