"""The tables of docs/gate.md are those of the published simulation, and its limits those of the code."""

import re
from pathlib import Path

import pytest

from research.cli import ROOT
from research.registry import checks, gate_simulation
from research.registry.gate_simulation import FILE, GateSimulation, draw, run_simulation
from research.reporting.publish import PUBLISHED

SHOWN = (-10.0, 0.0, 5.0, 10.9, 20.0)


@pytest.fixture(scope="module")
def published() -> GateSimulation:
    return GateSimulation.model_validate_json((PUBLISHED / FILE).read_bytes())


@pytest.fixture(scope="module")
def document() -> str:
    return (ROOT / "docs" / "gate.md").read_text("utf-8")


def test_the_rates_of_the_document_are_those_of_the_file(published: GateSimulation, document: str):
    rates = {(rate.clients, rate.difference_per_1000): rate for rate in published.rates if rate.attempt == 1}
    rows = [
        f"| {clients:,} | " + " | ".join(f"{rates[clients, shown].passed:.0%}" for shown in SHOWN) + " |"
        for clients in sorted({clients for clients, _ in rates})
    ]

    assert "\n".join(rows) in document


def test_the_costs_of_the_document_are_those_of_the_file(published: GateSimulation, document: str):
    rows = [f"| {end.clients:,} | {end.dearer_per_1000:.1f} | {end.before:.1f} |" for end in published.creep]

    assert "\n".join(rows) in document


def test_the_limits_of_the_document_are_those_of_the_code(document: str):
    low, high = checks.CALIBRATION_BOUNDS
    for text in (
        f"at least {checks.MIN_DEFAULTS} clients of the rarer outcome",
        f"the {checks.CONFIDENCE_LEVEL:.0%} interval reaches {low} to {high}".replace("99%", "99 %"),
        f"{checks.MARGIN_IN_HALF_WIDTHS} half-widths",
        f"and {checks.MARGIN} good clients refused",
        f"total probability of error of {checks.ALPHA:.0%}".replace("5%", "5 %"),
        f"by more than {checks.MAX_APPROVAL_LOSS}, beyond chance",
    ):
        assert text in re.sub(r"\s+", " ", document), text


def test_the_published_gate_rarely_errs_at_full_size(published: GateSimulation):
    full = {rate.difference_per_1000: rate for rate in published.rates if (rate.clients, rate.attempt) == (46_000, 1)}

    assert full[10.9].passed < 0.15 < full[10.9].before
    assert full[0.0].passed > 0.7
    assert full[-10.0].passed > 0.95
    assert all(rate.passed == 0 for rate in published.rates if rate.clients == 300)


def test_a_simulation_is_the_same_by_seed_and_can_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate_simulation, "POPULATION", 20_000)
    first, second = (run_simulation(seed=3, repeats=3, sizes=(2_600,)) for _ in range(2))

    assert first == second
    rates = {rate.difference_per_1000: rate.passed for rate in first.rates if rate.attempt == 1}
    assert rates[-20.0] >= rates[20.0]
    draw(first, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
