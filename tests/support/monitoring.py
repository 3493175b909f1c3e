"""The metrics that the alert rules and the dashboard read."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from research.cli import ROOT

FOLDER = ROOT / "docs" / "monitoring"
ALERTS, ALERTS_TEST = FOLDER / "alerts.yml", FOLDER / "alerts_test.yml"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "credit_scoring.json"
OF_PROMETHEUS = {"up", "ALERTS"}
"""Series that Prometheus makes itself."""
_METRIC = re.compile(r"\b(?:(?:credit|bentoml)_\w+|credit:[\w:]+|up|ALERTS)\b(?!\s*[\"(])")


def rules() -> list[dict[str, Any]]:
    """Return the alert and recording rules."""
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard."""
    content: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return content


def expressions() -> list[str]:
    """Return every expression of the rules and of the dashboard."""
    of_panels = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + of_panels


def metrics_read() -> set[str]:
    """Return the names of the metrics that rules and dashboard read from the service."""
    unlabelled = [re.sub(r"\"[^\"]*\"", '""', expression) for expression in expressions()]
    names = {name for expression in unlabelled for name in _METRIC.findall(expression)}
    return names - OF_PROMETHEUS - {rule["record"] for rule in rules() if "record" in rule}


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))
