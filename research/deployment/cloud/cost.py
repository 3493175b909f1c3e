"""What an environment costs in a month: at rest, and for each million decisions; by the list prices of prices.json."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from research.deployment.cloud.stacks import read_template

PRICES = Path(__file__).with_name("prices.json")
KB_OF_GB = 1e6
SECONDS_OF_HOUR = 3600
MIN_AWAKE_ACU = 0.5
"""ACU of a database that may pause, while the service holds connections to it."""
UNIT_GB_HOUR = 1.0
"""GB that one capacity unit (LCU) of a balancer carries in an hour, of its limits the first that is reached here."""
MILLION = 1e6


@dataclass(frozen=True)
class Line:
    """One part of a bill, in US dollars: a month without a decision, and a million decisions more."""

    name: str
    month: float
    million: float = 0.0


@cache
def prices() -> dict[str, Any]:
    """Return the content of prices.json: prices, each with source and date, and what a decision is taken to need."""
    content: dict[str, Any] = json.loads(PRICES.read_text("utf-8"))
    return content


def _price(name: str) -> float:
    return float(prices()["prices"][name]["price"])


def _load(name: str) -> float:
    return float(prices()["load"][name]["value"])


def bill(size: str, *, resting: bool = False) -> list[Line]:
    """Return the bill of an environment of a size; `resting` is one without tasks, whose database pauses if it can."""
    return [*_compute(size, resting), *_journal(size, resting), *_network(size, resting), *_watching()]


def total(lines: list[Line]) -> Line:
    """Return the sum of a bill."""
    return Line("total", sum(line.month for line in lines), sum(line.million for line in lines))


def _size(template: str, size: str) -> dict[str, float]:
    mapping: dict[str, float] = read_template(template)["Mappings"]["Sizes"][size]
    return mapping


def _compute(size: str, resting: bool) -> Iterator[Line]:
    hours = prices()["hours"]
    for name, template in (("service", "release.yaml"), ("page", "page.yaml")):
        facts = _size(template, size)
        of_hour = facts["Cpu"] / 1024 * _price("vcpu_hour") + facts["Memory"] / 1024 * _price("memory_gb_hour")
        tasks = 0 if resting else facts["Tasks"]
        text = f"{name}: {tasks} of {facts['Cpu'] / 1024:g} vCPU, {facts['Memory'] / 1024:g} GB"
        yield Line(text, tasks * of_hour * hours)


def _journal(size: str, resting: bool) -> Iterator[Line]:
    facts = _size("environment.yaml", size)
    least = facts["MinCapacity"]
    capacity = least if resting else max(least, MIN_AWAKE_ACU)
    month = facts["Instances"] * capacity * _price("acu_hour") * prices()["hours"]
    yield Line(f"journal: {facts['Instances']} of {capacity:g} ACU", month)
    stored_gb = MILLION * _load("journal_kb") / KB_OF_GB
    written = _load("database_io") * _price("database_million_io")
    yield Line("journal: storage, and its reads and writes", 0.0, stored_gb * _price("database_gb_month") + written)


def _network(size: str, resting: bool) -> Iterator[Line]:
    hours = prices()["hours"]
    carried_gb = MILLION * (_load("request_kb") + _load("answer_kb")) / KB_OF_GB
    units = carried_gb / UNIT_GB_HOUR * _price("balancer_unit_hour")
    yield Line("balancer", _price("balancer_hour") * hours, units)
    sent_gb = MILLION * _load("answer_kb") / KB_OF_GB
    yield Line("CloudFront", 0.0, _price("cloudfront_million") + sent_gb * _price("cloudfront_gb"))
    gateways = _size("environment.yaml", size)["NatGateways"]
    if gateways:
        # The log leaves by them; images come by the gateway of S3, which is free.
        log_gb = MILLION * _load("log_kb") / KB_OF_GB
        yield Line(
            f"{gateways} NAT gateways, with an address each",
            gateways * (_price("nat_hour") + _price("address_hour")) * hours,
            log_gb * _price("nat_gb"),
        )
    else:
        tasks = sum(_size(template, size)["Tasks"] for template in ("release.yaml", "page.yaml"))
        addresses = 0 if resting else tasks
        yield Line(f"{addresses} public addresses of tasks", addresses * _price("address_hour") * hours)


def _watching() -> Iterator[Line]:
    resources = read_template("environment.yaml")["Resources"]
    kinds = [resource["Type"] for resource in resources.values()]
    yield Line(
        f"{kinds.count('AWS::SecretsManager::Secret')} secrets",
        kinds.count("AWS::SecretsManager::Secret") * _price("secret_month"),
    )
    alarms = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = sum(max(1, sum("MetricStat" in part for part in alarm.get("Metrics", []))) for alarm in alarms)
    own = kinds.count("AWS::Logs::MetricFilter")
    month = metrics * _price("alarm_metric_month") + own * _price("metric_month") + _price("dashboard_month")
    log_gb = MILLION * _load("log_kb") / KB_OF_GB
    yield Line("alarms, metrics, dashboard, log", month, log_gb * (_price("log_gb") + _price("log_gb_month")))
    yield Line("images", _load("image_gb") * _price("image_gb_month"))


def table() -> str:
    """Return the bills of both sizes as a table of Markdown, in dollars a month."""
    lines = ["| | small | small, resting | standard | each million decisions |", "|---|---:|---:|---:|---:|"]
    bills = {
        "small": _by_subject(bill("small")),
        "resting": _by_subject(bill("small", resting=True)),
        "standard": _by_subject(bill("standard")),
    }
    for subject in bills["standard"]:
        month = [bills[name].get(subject, Line(subject, 0.0)).month for name in bills]
        million = bills["standard"][subject].million
        lines.append(f"| {subject} | {month[0]:.2f} | {month[1]:.2f} | {month[2]:.2f} | {million:.2f} |")
    sums = [total(list(lines_of.values())) for lines_of in bills.values()]
    cells = " | ".join(f"**{one.month:.0f}**" for one in sums)
    return "\n".join([*lines, f"| **total** | {cells} | **{sums[-1].million:.2f}** |"])


_SUBJECTS = {
    "service": "tasks of the service",
    "page": "tasks of the page",
    "journal": "journal (Aurora PostgreSQL)",
    "balancer": "balancer",
    "CloudFront": "CloudFront",
    "NAT": "ways out (NAT gateways, or public addresses)",
    "addresses": "ways out (NAT gateways, or public addresses)",
    "secrets": "secrets",
    "alarms": "alarms, dashboard, log",
    "images": "images",
}


def _by_subject(lines: list[Line]) -> dict[str, Line]:
    """Sum the lines of a bill under the subjects of the table, by the first word of `_SUBJECTS` in their name."""
    sums: dict[str, Line] = {}
    for line in lines:
        words = line.name.replace(":", " ").replace(",", " ").split()
        subject = next(text for word, text in _SUBJECTS.items() if word in words)
        before = sums.get(subject, Line(subject, 0.0))
        sums[subject] = Line(subject, before.month + line.month, before.million + line.million)
    return sums


def sources() -> str:
    """Return the prices with date and source as a table of Markdown; a price that could not be looked up is marked."""
    lines = ["| price | USD | as of | source |", "|---|---:|---|---|"]
    for price in prices()["prices"].values():
        mark = "" if price["verified"] else " (not verified)"
        lines.append(f"| {price['of']}{mark} | {price['price']:g} | {price['date']} | <{price['source']}> |")
    return "\n".join(lines)


def summary(size: str) -> str:
    """Return one line that tells what an environment of a size costs.

    >>> summary("small").startswith("size small: about ")
    True
    """
    month, rest = total(bill(size)), total(bill(size, resting=True))
    return (
        f"size {size}: about {month.month:.0f} USD a month without a decision ({rest.month:.0f} with tasks at rest), "
        f"and {month.million:.2f} for each million decisions, at the list prices of {prices()['region']}"
    )
