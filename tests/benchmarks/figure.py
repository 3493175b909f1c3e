"""The figure of the service: response times beside those of MLflow's server, and memory over requests."""

from pathlib import Path

from matplotlib.figure import Figure

from bento.model.manifest import DataSource
from research.plotting import save_figure
from tests.benchmarks.measure import Figures
from tests.benchmarks.table import TARGETS

MAX_INVERSE_TAIL = 1000
"""End of the axis of percentiles: one answer in a thousand is slower."""
MAX_MIB = TARGETS["service.memory.peak_mib"][1]


def draw(figures: Figures, path: Path) -> None:
    """Write the figure."""
    service = figures["service"]
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2) if "soak" in service else None)
    many = f"{service['sustained']['connections']} connections"
    for name, label, style in (
        ("predict", "from raw tables, with reasons, journalled", "C0-"),
        ("mlflow", "mlflow models serve, finished features", "C1-"),
        ("sustained", f"from raw tables, {many}", "C0--"),
        ("mlflow_sustained", f"mlflow models serve, {many}", "C1--"),
        ("fastapi", "FastAPI, finished features", "C2-"),
        ("bentoml", "BentoML, finished features", "C3-"),
    ):
        places = service[name]["percentiles_ms"]
        left.plot([100 / (100 - float(place)) for place in places], list(places.values()), style, label=label)
    left.set_xscale("log", base=10)
    left.set_yscale("log")
    left.set_xticks([1, 2, 10, 100, MAX_INVERSE_TAIL], ["0", "50", "90", "99", "99.9"])
    left.minorticks_off()
    left.set(title="predict", xlabel="percentile", ylabel="milliseconds")
    figure.legend(fontsize=8, loc="outside lower left", ncols=2)
    if "soak" in service:
        right.plot(*zip(*service["soak"]["memory"], strict=True), "o-")
        right.axhline(MAX_MIB, ls="--", c="grey", lw=0.8)
        right.set(xlabel="requests", ylabel="MiB", ylim=(0, None), title="Memory of the worker")
        right.xaxis.set_major_formatter("{x:,.0f}")
        right.tick_params("x", rotation=30)
    else:
        stages = {name.removesuffix("_mib").replace("_", " "): value for name, value in service["memory"].items()}
        right.barh(list(stages), list(stages.values()))
        right.invert_yaxis()
        right.axvline(MAX_MIB, ls="--", c="grey", lw=0.8)
        right.set(title="Memory of the worker, MiB")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    save_figure(figure, path, _source(figures))


def draw_layers(figures: Figures, path: Path) -> None:
    """Write the figure of one request: the worker's processor time by layer."""
    parts = figures["service"]["layers_ms"]
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(parts), list(parts.values()))
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.grid(axis="x", alpha=0.3)
    quiet = "" if figures["calibration"]["is_quiet"] else " (the machine had other work)"
    axes.set(title=f"One decision on an average file, one connection{quiet}", xlabel="milliseconds of the processor")
    save_figure(figure, path, _source(figures))


def _source(figures: Figures) -> DataSource:
    return DataSource(data=figures["data"], clients=figures["clients"], seed=figures["seed"], fingerprint="")
