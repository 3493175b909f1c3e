"""The alert rules hold on recorded series, and the dashboard reads what the rules and the service record.

That each metric is in `/metrics` is a test of the running service: `tests/end_to_end/test_signals.py`.
"""

import re
import shutil
import subprocess

import pytest

from research.cli import ROOT
from tests.support.monitoring import ALERTS, ALERTS_TEST, FOLDER, expressions, metrics_read, panels, read, rules

MANUAL = (ROOT / "docs" / "operate.md").read_text("utf-8")
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)"
)


def promtool(*arguments: object) -> None:
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.promise("alerts are raised by their causes, and by nothing else")
def test_the_alerts_hold_on_recorded_series():
    promtool("test", "rules", ALERTS_TEST)


@needs_promtool
def test_prometheus_accepts_the_configuration():
    promtool("check", "config", FOLDER / "prometheus.yml")


def test_every_alert_is_tried_with_its_cause_and_without():
    cases = [case for test in read(ALERTS_TEST)["tests"] for case in test["alert_rule_test"]]
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}

    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


@pytest.mark.parametrize("rule", [rule for rule in rules() if "alert" in rule], ids=lambda rule: rule["alert"])
def test_the_manual_names_what_to_do_about_each_alert(rule: dict):
    assert re.search(rf"^\| `{rule['alert']}` \|", MANUAL, re.MULTILINE)
    assert rule["annotations"]["runbook"] == "docs/operate.md#alerts"
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_the_dashboard_reads_only_recorded_series():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read_by_name = {name for expression in expressions() for name in re.findall(r"credit:[\w:]+", expression)}

    assert read_by_name == recorded
    assert len(metrics_read()) >= 12


def test_panels_have_distinct_titles_and_do_not_overlap():
    cells = [
        (x, y)
        for panel in panels()
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert len({panel["title"] for panel in panels()}) == len(panels())


def test_the_rules_file_is_the_one_prometheus_loads():
    assert read(FOLDER / "prometheus.yml")["rule_files"] == [ALERTS.name]
