"""A figure of the fidelity of a synthetic population."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from research.synthetic.fidelity_metrics import Finding

_MAX_FINDINGS = 25


def plot_fidelity(findings: Sequence[Finding], file: Path, description: Mapping[str, Any]) -> None:
    """Save a PNG: the findings nearest to or beyond their bounds, and synthetic beside real AUCs of single columns."""
    figure = Figure(figsize=(13, 7), layout="constrained")
    worst, areas = figure.subplots(1, 2, width_ratios=(3, 2))
    shown = sorted(findings, key=lambda finding: -finding.distance / finding.bound)[:_MAX_FINDINGS][::-1]
    worst.barh(
        [f"{finding.table.removeprefix('application_')} {finding.column} ({finding.measure})" for finding in shown],
        [finding.distance / finding.bound for finding in shown],
        color=["#2b6cb0" if finding.passed else "#c53030" for finding in shown],
    )
    worst.axvline(1, color="black", linewidth=1)
    worst.set_xlabel("distance from the real figure, in bounds")
    worst.tick_params(axis="y", labelsize=7)
    points = np.array([(finding.fact, finding.found) for finding in findings if finding.measure == "AUC"]).reshape(
        -1, 2
    )
    areas.scatter(points[:, 0], points[:, 1], s=14, color="#2b6cb0")
    areas.plot([0.3, 0.7], [0.3, 0.7], color="black", linewidth=1)
    areas.set_xlabel("AUC of one column for TARGET, real")
    areas.set_ylabel("AUC, synthetic")
    passed = sum(finding.passed for finding in findings)
    figure.suptitle(
        f"Synthetic data, {description['clients']:,} clients, seed {description['seed']}: "
        f"{passed} of {len(findings)} findings within their bounds"
    )
    figure.savefig(file, dpi=110, metadata={"Software": None})
