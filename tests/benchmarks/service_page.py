"""Write the figures of docs/explanations/speed.md: `python -m tests.benchmarks.service_page`.

They are those of research/results/benchmarks.json; the text around them is written by hand.
"""

from collections.abc import Iterator

from research.cli import ROOT, run
from tests.benchmarks.__main__ import RESULT
from tests.benchmarks.figures_page import RESULTS, FiguresPage
from tests.benchmarks.measure import Figures
from tests.benchmarks.table import ANCHOR_LABELS, TARGETS, is_judged, is_met, is_time, value_at

LABELS = {
    "online.files.average.served.wall_ms.median": "features that the model reads, of an average credit file, ms",
    "online.files.average.all.wall_ms.median": "all features of the catalogue, of an average credit file, ms",
    "service.predict.wall_ms.median": "predict, one connection, median, ms",
    "service.predict.wall_ms.p99": "predict, one connection, 99th percentile, ms",
    "service.sustained.requests_per_second": "predict, 16 connections, requests a second",
    "service.sustained.errors": "predict, 16 connections, errors",
    "service.explain.wall_ms.median": "explain, median, ms",
    "service.predict_batch.over_one_by_one": "batch of 100 without reasons, times as many files as one by one",
    "service.batch_with_reasons.over_one_by_one": "batch of 100 with reasons, times as many files as one by one",
    "service.sustained.livez.worst": "`/livez` beside 16 connections, longest, ms",
    "service.largest_batch.livez.worst": "`/livez` beside the largest batches, longest, ms",
    "service.memory.after_sustained_mib": "memory of a worker after 16 connections, MiB",
    "service.memory.peak_mib": "memory of a worker in the largest batches, at most, MiB",
    "service.soak.most_mib": "memory of a worker over all requests of the soak, at most, MiB",
    "service.cold_start_seconds.median": "start to ready, s",
    "service.mlflow_over_ours.median": "MLflow's server over ours, median of predict",
    "service.mlflow_over_ours.requests_per_second": "ours over MLflow's server, requests a second at 16 connections",
}
"""The targets in words."""
COMMAND = "mlflow models serve"
"""Written as code."""
FOR_EACH_FILE = ("parse and check", "contributions", "reasons in words")
"""Layers of a decision with reasons that a batch repeats for each of its files."""


def block(figures: Figures) -> str:
    """Return the figures as Markdown."""
    parts = (_measured(figures), _targets(figures), _servers(figures), _layers(figures), _bounds(figures))
    return "\n\n".join("\n".join(part) for part in parts)


def _measured(figures: Figures) -> Iterator[str]:
    machine, calibration, service = figures["machine"], figures["calibration"], figures["service"]
    asked, slowdown = service["asked"], max(calibration["slowdown"].values())
    state = (
        f"which did nothing else (a fixed loop took at most {slowdown:.2f} times its shortest time)"
        if calibration["is_quiet"]
        else f"which was busy with other work (a fixed loop took up to {slowdown:.1f} times its shortest time): times "
        "are not judged, ratios are"
    )
    yield (
        f"Measured on {machine['cores']} cores, {state}, with the journal and reasons on: {asked['credit_files']} "
        f"credit files of about {asked['history_rows']:.0f} history rows ({asked['bytes'] / 1000:.0f} kB), a model of "
        f"{service['model']['features']} features."
    )


def _targets(figures: Figures) -> Iterator[str]:
    yield "| what | measured | target | |"
    yield "|---|---:|---:|---|"
    for path, (sign, wanted) in TARGETS.items():
        value = value_at(figures, path)
        if value is None:
            continue
        verdict = "not judged" if not is_judged(figures, path) else "met" if is_met(path, value) else "**missed**"
        limit = "at most" if sign == "<=" else "at least"
        yield f"| {LABELS[path]} | {_number(value)} | {limit} {wanted:g} | {verdict} |"


def _servers(figures: Figures) -> Iterator[str]:
    service = figures["service"]
    yield "The same requests in the same run, the servers in turn:"
    yield ""
    yield "| server | median, ms | 99th percentile, ms | requests a second, 16 connections | processor, ms a request |"
    yield "|---|---:|---:|---:|---:|"
    servers = {"predict": ("this service, raw tables in", "sustained")}
    servers |= {
        name: (label.replace(COMMAND, f"`{COMMAND}`"), f"{name}_sustained") for name, label in ANCHOR_LABELS.items()
    }
    for name, (label, sustained) in servers.items():
        one, many = service[name], service[sustained]
        yield (
            f"| {label} | {one['wall_ms']['median']:.1f} | {one['wall_ms']['p99']:.1f} | "
            f"{many['requests_per_second']:,.0f} | {many['processor_ms']:.1f} |"
        )


def _layers(figures: Figures) -> Iterator[str]:
    yield "Processor time of one decision, by layer:"
    yield ""
    yield "| layer | ms |"
    yield "|---|---:|"
    for name, taken in figures["service"]["layers_ms"].items():
        yield f"| {name} | {taken:.2f} |"


def _bounds(figures: Figures) -> Iterator[str]:
    """Say of each missed ratio what it would take, beside what a part of the work takes by itself."""
    missed = {path for path in TARGETS if (value := value_at(figures, path)) is not None and not is_met(path, value)}
    service = figures["service"]
    layers, median = service["layers_ms"], service["predict"]["wall_ms"]["median"]
    floor, floor_rate = service["bentoml"]["wall_ms"]["median"], service["bentoml_sustained"]["requests_per_second"]
    wanted = {path: TARGETS[path][1] for path in missed if not is_time(path)}
    if wanted:
        yield "What the missed ratios would take:"
        yield ""
    if (path := "service.mlflow_over_ours.median") in missed:
        yield (
            f"- {wanted[path]:g} times as fast as MLflow's server is a median of "
            f"{service['mlflow']['wall_ms']['median'] / wanted[path]:.2f} ms; BentoML alone, with finished features, "
            f"without reasons and journal, takes {floor:.2f} ms."
        )
    if (path := "service.mlflow_over_ours.requests_per_second") in missed:
        yield (
            f"- {wanted[path]:g} times the requests of MLflow's server are "
            f"{service['mlflow_sustained']['requests_per_second'] * wanted[path]:,.0f} a second; BentoML alone answers "
            f"{floor_rate:,.0f}."
        )
    if (path := "service.predict_batch.over_one_by_one") in missed:
        yield (
            f"- {wanted[path]:g} times one by one is {median / wanted[path]:.2f} ms for a file of a batch; to parse "
            f"and check one takes {layers['parse and check']:.2f} ms, before anything is computed."
        )
    if (path := "service.batch_with_reasons.over_one_by_one") in missed:
        repeated = sum(layers[name] for name in FOR_EACH_FILE)
        yield (
            f"- {wanted[path]:g} times one by one with reasons is {median / wanted[path]:.2f} ms for a file; parsing, "
            f"contributions and words, which each file needs for itself, take {repeated:.2f} ms."
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.1f}"


PAGE = FiguresPage(
    file=ROOT / "docs" / "explanations" / "speed.md",
    start="<!-- figures: python -m tests.benchmarks.service_page -->",
    published=RESULTS / RESULT,
    block=block,
)

if __name__ == "__main__":
    run(PAGE.write)
