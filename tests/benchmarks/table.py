"""The figures for people: one table, and beside the figures of the service what is asked of it."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from tests.benchmarks.calibration import MAX_SLOWDOWN
from tests.benchmarks.measure import Figures

ANCHOR_LABELS = {
    "mlflow": "mlflow models serve, finished features",
    "fastapi": "FastAPI, finished features, no reasons, no journal",
    "bentoml": "BentoML, finished features, no reasons, no journal",
}
"""The anchors in words."""
WIDTHS = (12, 12, 13)
TARGETS: dict[str, tuple[str, float]] = {
    "online.files.average.served.wall_ms.median": ("<=", 1.5),
    "online.files.average.all.wall_ms.median": ("<=", 5),
    "service.predict.wall_ms.median": ("<=", 5),
    "service.predict.wall_ms.p99": ("<=", 12),
    "service.sustained.requests_per_second": (">=", 400),
    "service.sustained.errors": ("<=", 0),
    "service.explain.wall_ms.median": ("<=", 12),
    "service.predict_batch.over_one_by_one": (">=", 15),
    "service.batch_with_reasons.over_one_by_one": (">=", 5),
    "service.sustained.livez.worst": ("<=", 100),
    "service.largest_batch.livez.worst": ("<=", 200),
    "service.memory.after_sustained_mib": ("<=", 300),
    "service.memory.peak_mib": ("<=", 400),
    "service.soak.most_mib": ("<=", 300),
    "service.cold_start_seconds.median": ("<=", 3.5),
    "service.mlflow_over_ours.median": (">=", 8),
    "service.mlflow_over_ours.requests_per_second": (">=", 20),
}
"""Targets of the service on two quiet cores; a run reports which are met, tests do not check them."""
_TIMES = ("wall_ms", "livez", "cold_start_seconds")


def table(figures: Figures) -> str:
    """Return all figures, one in each line."""
    parts = [_calibration(figures), _offline(figures), _online(figures), _service(figures), _full(figures.get("full"))]
    return "\n".join(line for part in parts for line in part)


def targets_met(figures: Figures) -> dict[str, bool]:
    """Return whether each target is met whose figure was measured and may be judged."""
    values = {path: value_at(figures, path) for path in TARGETS if is_judged(figures, path)}
    return {path: is_met(path, value) for path, value in values.items() if value is not None}


def is_judged(figures: Figures, path: str) -> bool:
    """Return whether a target may be judged: one of time only where the machine was quiet, a ratio or memory always."""
    is_quiet = bool(figures.get("calibration", {}).get("is_quiet", True))
    return is_quiet or not is_time(path)


def is_time(path: str) -> bool:
    """Return whether a figure is a time or a rate, not a ratio, a size or a number of errors.

    >>> is_time("service.predict.wall_ms.median"), is_time("service.mlflow_over_ours.median")
    (True, False)
    """
    parts = path.split(".")
    return any(part in _TIMES for part in parts) or parts[-2:] == ["sustained", "requests_per_second"]


def value_at(figures: Mapping[str, Any], path: str) -> float | None:
    """Return the figure at a dotted path; None where it was not measured."""
    value: Any = reduce(lambda part, name: (part or {}).get(name), path.split("."), figures)
    return None if value is None else float(value)


def is_met(path: str, value: float) -> bool:
    """Return whether a figure is on the right side of its target.

    >>> is_met("service.predict.wall_ms.median", 4.9), is_met("service.mlflow_over_ours.median", 4.9)
    (True, False)
    """
    sign, wanted = TARGETS[path]
    return value <= wanted if sign == "<=" else value >= wanted


def _line(what: str, *cells: float | str) -> str:
    words = [cell if isinstance(cell, str) else _number(cell) for cell in cells]
    return f"{what:40}" + "".join(f"{word:>{width}}" for word, width in zip(words, WIDTHS, strict=False))


def _compared(what: str, ours: float, pandas: float) -> str:
    return _line(what, ours, pandas, f"{_number(pandas / ours)}x")


def _offline(figures: Figures) -> Iterator[str]:
    ours, pandas = figures["offline"]["ours"], figures["offline"]["pandas"]
    yield _line("", "ours", "pandas", "pandas/ours")
    yield f"offline, {figures['clients']:,} {figures['data']} clients"
    for name in ("features", "seconds", "cpu_seconds", "clients_per_second", "values_per_second", "peak_memory_mib"):
        yield _compared(f"  {name.replace('_', ' ')}", ours[name], pandas[name])


def _calibration(figures: Figures) -> Iterator[str]:
    calibration = figures["calibration"]
    slowdowns = ", ".join(f"{moment} {slowdown:.2f}" for moment, slowdown in calibration["slowdown"].items())
    yield f"the machine's own loop, {calibration['fastest_ms']:.1f} ms at its fastest; slower by: {slowdowns}"
    if not calibration["is_quiet"]:
        yield f"more than {MAX_SLOWDOWN}: the machine had other work; targets of time are not judged, ratios are"


def _online(figures: Figures) -> Iterator[str]:
    for name, file in figures["online"]["files"].items():
        yield f"online, one thread, {name} file ({file['history_rows']:,} rows, {file['bytes']:,} bytes)"
        for part in ("served", "all"):
            ours, other = file[part], file["pandas"]
            what = f"  ms, {ours['features']:.0f} features ({part})"
            path = f"online.files.{name}.{part}.wall_ms.median"
            yield _compared(what, ours["wall_ms"]["median"], other["wall_ms"]["median"]) + _asked(figures, path)
            yield _compared("    95th percentile", ours["wall_ms"]["p95"], other["wall_ms"]["p95"])
            yield _compared("    processor", ours["cpu_ms"]["median"], other["cpu_ms"]["median"])
            for step, value in ours["parts_ms"].items():
                yield _line(f"    {step}", value)


def _service(figures: Figures) -> Iterator[str]:
    service = figures["service"]
    asked = service["asked"]
    yield (
        f"service, {service['model']['features']} features, {asked['credit_files']} credit files of about "
        f"{asked['history_rows']:.0f} history rows, journal on"
    )
    yield _line("", "ours", "mlflow", "mlflow/ours")
    for place in ("median", "p95", "p99"):
        cells = (part["wall_ms"][place] for part in (service["predict"], service["mlflow"]))
        what = f"  predict, one connection, ms, {place}"
        yield _line(what, *cells, f"{_number(service['mlflow_over_ours'][place])}x") + _asked(
            figures, f"service.predict.wall_ms.{place}"
        )
    sustained, other = service["sustained"], service["mlflow_sustained"]
    several = f"  predict, {sustained['connections']} connections"
    inverse = f"1/{_number(service['mlflow_over_ours']['requests_per_second'])}"
    rates = (sustained["requests_per_second"], other["requests_per_second"], inverse)
    yield _line(f"{several}, requests/s", *rates) + _asked(figures, "service.sustained.requests_per_second")
    for place in ("median", "p99"):
        cells = [part["wall_ms"][place] for part in (sustained, other)]
        yield _line(f"{several}, ms, {place}", *cells, f"{_number(cells[1] / cells[0])}x")
    for name, label in ANCHOR_LABELS.items():
        one, many = service[name]["wall_ms"]["median"], service[f"{name}_sustained"]["requests_per_second"]
        processor = _number(service[name]["processor_ms"])
        yield f"  {label}: {_number(one)} ms, {_number(many)} requests/s, {processor} ms of the processor"
    for what, path in {
        "    processor of the worker, ms a request, one": "predict.processor_ms",
        f"{several}, errors": "sustained.errors",
        "    processor of the worker, ms a request": "sustained.processor_ms",
        "    processor of MLflow's server": "mlflow_sustained.processor_ms",
        "  explain, ms, median": "explain.wall_ms.median",
        "  explain, ms, p99": "explain.wall_ms.p99",
        f"  batch of {service['predict_batch']['credit_files']}, ms, median": "predict_batch.wall_ms.median",
        "  batch, credit files/s": "predict_batch.files_per_second",
        "    over one by one, one connection": "predict_batch.over_one_by_one",
        "    with reasons, over one by one": "batch_with_reasons.over_one_by_one",
        f"    over one by one, {sustained['connections']} connections": "predict_batch.over_sustained",
        f"  batch of {asked['largest_batch_bytes'] / 1e6:.1f} MB, ms, median": "largest_batch.wall_ms.median",
        "  livez, ms, worst, sustained load": "sustained.livez.worst",
        "  livez, ms, worst, largest batches": "largest_batch.livez.worst",
        "  memory, MiB, ready": "memory.ready_mib",
        "    after one connection": "memory.after_one_connection_mib",
        "    after the largest batches": "memory.after_largest_batches_mib",
        "    peak in the largest batches": "memory.peak_mib",
        "    after the sustained load": "memory.after_sustained_mib",
        f"    most over {value_at(service, 'soak.requests') or 0:,.0f} requests": "soak.most_mib",
        "    growth in 10,000 requests": "soak.mib_per_10000_requests",
        "  cold start to ready, s, median": "cold_start_seconds.median",
    }.items():
        if (value := value_at(service, path)) is not None:
            yield _line(what, value).ljust(40 + sum(WIDTHS)) + _asked(figures, f"service.{path}")
    met = targets_met(figures)
    for place in ("median", "requests_per_second"):
        what = f"  mlflow over ours, {place.replace('_', ' ')}"
        yield what.ljust(40 + sum(WIDTHS)) + _asked(figures, f"service.mlflow_over_ours.{place}")
    for layer, taken in service["layers_ms"].items():
        yield _line(f"    {layer}, CPU ms", taken)
    others = f", {len(TARGETS) - len(met)} not judged or not measured" if len(met) < len(TARGETS) else ""
    yield f"  {sum(met.values())} of {len(met)} targets met{others}"


def _asked(figures: Figures, path: str) -> str:
    """Return the target of a figure and whether it is met; empty where there is none."""
    value = value_at(figures, path)
    if path not in TARGETS or value is None:
        return ""
    sign, wanted = TARGETS[path]
    verdict = "not judged" if not is_judged(figures, path) else "met" if is_met(path, value) else "MISSED"
    return f"   {sign} {wanted:g}: {verdict}"


def _full(full: Figures | None) -> Iterator[str]:
    if full is None:
        return
    yield f"full size, {full['clients']:,} {full['data']} clients, {full['rows']:,} rows"
    for name in ("features", "seconds", "cpu_seconds", "peak_memory_mib"):
        yield _line(f"  {name.replace('_', ' ')}", full[name])
    for step, taken in full["parts_seconds"].items():
        yield _line(f"    seconds, {step}", taken)
    for name, alone in full["by_table"].items():
        yield _line(f"    {name} alone, cpu seconds", alone["cpu_seconds"])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
