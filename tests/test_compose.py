"""compose.yaml fits the schema of the Compose specification, and names what there is.

The schema is that of https://github.com/compose-spec/compose-spec (Apache-2.0). A machine with a registry runs the
whole: docs/operate.md, "With compose".
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bento.settings import Settings
from research.cli import ROOT
from tests.support.monitoring import FOLDER, read

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
