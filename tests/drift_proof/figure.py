"""The picture of the proof: power curves, and errors of the estimated cost."""

from pathlib import Path

from matplotlib.figure import Figure

from tests.drift_proof.results import DriftProof


def draw(proof: DriftProof, path: Path) -> None:
    """Draw the share of samples in which each shift is found by sample size, and the errors of the estimate."""
    shifts = list(dict.fromkeys(point.shift for point in proof.power))
    columns = 4
    rows = -(-len(shifts) // columns) + bool(proof.cost)
    figure = Figure(figsize=(13, 2.4 * rows), layout="constrained")
    for number, shift in enumerate(shifts):
        axes = figure.add_subplot(rows, columns, number + 1)
        points = [point for point in proof.power if point.shift == shift]
        sizes = [point.rows for point in points]
        axes.plot(sizes, [point.detected for point in points], "o-", label="this report")
        axes.plot(sizes, [point.evidently for point in points], "s--", color="grey", label="plain Evidently")
        axes.set(xscale="log", ylim=(-0.05, 1.05), title=shift)
        axes.grid(alpha=0.3)
        axes.set_title(shift, fontsize=10)
        if number % columns == 0:
            axes.set_ylabel("share detected")
        if number == 0:
            axes.legend(fontsize=8)
    if proof.cost:
        axes = figure.add_subplot(rows, 1, rows)
        places = range(len(proof.cost))
        axes.bar([place - 0.2 for place in places], [row.error_plain for row in proof.cost], 0.4, label="from PD alone")
        axes.bar([place + 0.2 for place in places], [row.error for row in proof.cost], 0.4, label="calibrated again")
        axes.set_xticks(list(places), [row.shift for row in proof.cost], rotation=15, fontsize=8)
        axes.set_ylabel("error of cost of 1,000")
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=90)
