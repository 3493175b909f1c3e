"""compose.yaml fits the schema of the Compose specification, and names what there is.

The schema is that of https://github.com/compose-spec/compose-spec (Apache-2.0). A machine with a registry runs the
whole: docs/operate.md, "With compose".
"""

import base64
import json
import re
import subprocess
import sys
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import psycopg
import pytest
import sqlalchemy as sa
import yaml
from psycopg import sql

from bento import __main__ as bento_commands
from bento.api.keys import new_key
from bento.api.state import check_settings
from bento.settings import Settings
from research.cli import ROOT
from tests.support.monitoring import FOLDER, read
from tests.support.postgresql import Server
from ui.settings import Settings as PageSettings

SCHEMA = json.loads((Path(__file__).parent / "support" / "compose_spec.json").read_text("utf-8"))
TEXT = (ROOT / "compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MANUAL = (ROOT / "docs" / "operate.md").read_text("utf-8")
OWN = ("journal", "service", "ui")


def test_it_fits_the_compose_specification():
    jsonschema.Draft201909Validator(SCHEMA).validate(COMPOSE)


def test_a_misspelt_key_does_not_fit():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft201909Validator(SCHEMA).validate({"services": {"a": {"imagee": "x"}}})


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_open_to_this_machine_only(name: str):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", OWN)
def test_own_containers_are_read_only_and_without_rights(name: str):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108


def test_the_service_is_given_settings_that_it_has():
    accepted = {str(field.validation_alias) for field in Settings.model_fields.values()}
    variables = {name for name in SERVICES["service"]["environment"] if not name.startswith("OTEL_")}

    assert variables <= accepted


def test_the_page_is_given_settings_that_it_has_and_the_address_of_the_service():
    environment = SERVICES["ui"]["environment"]
    address = urlsplit(environment["API_URL"])
    (port,) = SERVICES["service"]["ports"]

    assert {name.lower() for name in environment} <= set(PageSettings.model_fields)
    assert (address.hostname, str(address.port)) == ("service", port.rpartition(":")[2])
    assert SERVICES["ui"]["ports"][0].endswith(f":{exposed_port('ui/Containerfile')}")
    assert port.endswith(f":{exposed_port('research/deployment/Containerfile')}")


def exposed_port(file: str) -> str:
    (port,) = re.findall(r"^EXPOSE (\d+)$", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return str(port)


def test_the_journal_is_that_of_the_database():
    database = SERVICES["database"]["environment"]
    address = urlsplit(re.sub(r"\$\{[^}]*\}", "secret", SERVICES["service"]["environment"]["JOURNAL_URL"]))

    assert (address.hostname, address.username) == ("database", database["POSTGRES_USER"])
    assert address.path == f"/{database['POSTGRES_DB']}"
    assert {f"--username={database['POSTGRES_USER']}", f"--dbname={database['POSTGRES_DB']}"} <= set(
        SERVICES["database"]["healthcheck"]["test"]
    )


def test_every_command_is_one_of_the_project():
    commands = [service["command"] for service in SERVICES.values() if "command" in service]
    assert commands
    for program, *arguments in commands:
        assert program == "python"
        done = subprocess.run(
            [sys.executable, *arguments, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert " ".join(arguments[1:]) in done.stdout


@pytest.mark.parametrize(
    ("needed", "file"), [("service", "research/deployment/Containerfile"), ("ui", "ui/Containerfile")]
)
def test_the_images_state_whether_they_are_healthy(needed: str, file: str):
    assert "healthcheck" not in SERVICES[needed]
    assert re.search(r"^HEALTHCHECK .*CMD", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_every_mounted_file_is_there():
    sources = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    folders = {source for source in sources if source.startswith("./")} - {"./secrets"}

    assert {source for source in sources if not source.startswith("./")} == set(COMPOSE["volumes"])
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)
    assert (ROOT / SERVICES["ui"]["build"]["dockerfile"]).is_file()


def test_every_condition_can_be_met():
    for service in SERVICES.values():
        for needed, condition in service.get("depends_on", {}).items():
            assert needed in SERVICES
            if condition["condition"] == "service_healthy":
                assert needed in OWN or "healthcheck" in SERVICES[needed]
            if condition["condition"] == "service_completed_successfully":
                assert SERVICES[needed]["restart"] == "no"


def test_every_value_of_the_reader_is_named_in_the_manual():
    wanted = set(re.findall(r"\$\{(\w+)", TEXT))

    assert wanted == {name for name in wanted if f"`{name}`" in MANUAL or f"{name}=" in MANUAL}


def test_prometheus_scrapes_the_service_and_grafana_asks_prometheus():
    (scrape,) = read(FOLDER / "prometheus.yml")["scrape_configs"]
    (source,) = read(FOLDER / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    (provider,) = read(FOLDER / "grafana" / "provisioning" / "dashboards" / "dashboards.yml")["providers"]
    dashboards = json.loads((FOLDER / "grafana" / "dashboards" / "credit_scoring.json").read_text("utf-8"))

    assert scrape["static_configs"] == [{"targets": ["service:3000"]}]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in dashboards["panels"]} == {source["uid"]}
    assert any(volume.split(":")[1] == provider["options"]["path"] for volume in SERVICES["grafana"]["volumes"])


VALUES = {"DATABASE_PASSWORD": "a-password", "SCORING_API_KEY": "a-key"}
"""What a reader of the manual writes into `.env`."""


def environment(name: str) -> dict[str, str]:
    """Return the environment of a service as compose gives it; a value that is not given is empty."""
    given = SERVICES[name]["environment"]
    return {
        key: re.sub(r"\$\{(\w+)[^}]*\}", lambda match: VALUES.get(match[1], ""), text) for key, text in given.items()
    }


def test_the_page_reads_what_compose_gives_it(monkeypatch: pytest.MonkeyPatch):
    for name, value in environment("ui").items():
        monkeypatch.setenv(name, value)

    settings = PageSettings()

    assert (settings.api_url, settings.scoring_api_key) == ("http://service:3000", "a-key")


@pytest.mark.postgresql
def test_journal_and_service_begin_with_what_compose_gives_them(
    postgresql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The image of PostgreSQL makes a superuser and a database with these names; the server of the tests has the former.
    password = sa.make_url(postgresql_server.url).password
    monkeypatch.setitem(VALUES, "DATABASE_PASSWORD", str(password))
    made = sql.Identifier(environment("database")["POSTGRES_DB"])
    (volume,) = SERVICES["service"]["volumes"]
    (tmp_path / "keys.json").touch()
    new_key(tmp_path / "keys.json", ["score"])
    (tmp_path / "master.key").write_bytes(base64.b64encode(bytes(range(32))))
    here = {f"{volume.split(':')[1]}/": f"{tmp_path}/", "@database/": f"@127.0.0.1:{postgresql_server.port}/"}
    with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(made))
        try:
            for service in ("journal", "service"):
                for variable, value in environment(service).items():
                    monkeypatch.setenv(variable, reduce(lambda text, pair: text.replace(*pair), here.items(), value))
                if service == "journal":
                    assert bento_commands.main(SERVICES[service]["command"][3:]) == 0
                else:
                    check_settings(Settings())
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))
