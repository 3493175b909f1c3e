"""Write the figures of docs/portfolio.md and what follows from them: `python -m tests.benchmarks.portfolio_page`.

The figures are those of research/results/portfolio.json; the text around them is written by hand.
"""

from collections.abc import Iterator, Mapping

from research.cli import ROOT, run
from tests.benchmarks.figures_page import RESULTS, FiguresPage
from tests.benchmarks.measure import Figures
from tests.benchmarks.portfolio import RESULT

SIZES = {356_255: "356,255 (all of Home Credit)", 10**6: "10⁶", 10**7: "10⁷", 10**8: "10⁸"}
BYTES_OF_IDS = 85
"""Memory of the ids of a client: 8 bytes, and 16 for each of 4.8 credits at other lenders."""
PRICE = 0.02
"""US dollars for a core-hour of a spot machine: assumed, not asked of any cloud."""
PRICE_DATE = "26 November 2026"
LABELS = {
    "local": "one machine, reasons for refused and reviewed",
    "local, no reasons": "one machine, no reasons",
    "spark": "Spark on one machine, reasons for refused and reviewed",
    "pandas": "the anchor: pandas and `Booster.predict`, no decision, no reasons",
}
SECONDS_IN_HOUR = 3600


def block(figures: Figures) -> str:
    """Return the figures as Markdown."""
    return "\n".join(
        [*_measured(figures), "", *_layers(figures["layers"]), "", *_lines(figures), "", *_sizing(figures)]
    )


def _measured(figures: Figures) -> Iterator[str]:
    calibration = figures["calibration"]
    quiet = calibration["is_quiet"]
    slowdown = max(calibration["slowdown"].values())
    state = (
        f"The machine was quiet (a fixed loop took at most {slowdown:.2f} times its shortest time)."
        if quiet
        else f"The machine was busy with other work (a fixed loop took up to {slowdown:.1f} times its shortest time): "
        "**seconds on the wall are not judged**, nor shown, and processor seconds are higher than on a quiet machine."
    )
    yield f"Measured on {figures['machine']['cores']} cores. {state}"
    yield ""
    wall = " seconds |" if quiet else ""
    yield f"| clients | engine |{wall} processor seconds | ms of a core a client | peak memory |"
    yield f"|---:|---|{'---:|' if quiet else ''}---:|---:|---:|"
    for size, of_size in figures["sizes"].items():
        for engine, run_ in of_size.items():
            seconds = f" {run_['seconds']:,.0f} |" if quiet else ""
            cpu = run_["cpu_seconds"]
            yield (
                f"| {int(size):,} | {LABELS[engine]} |{seconds} {cpu:,.1f} | {1000 * cpu / int(size):.2f} | "
                f"{run_['peak_memory_mib']:,.0f} MiB |"
            )


def _layers(layers: Mapping[str, float]) -> Iterator[str]:
    whole = sum(layers.values())
    yield "Where the time of the engine for one machine goes, in one process of one thread:"
    yield ""
    yield "| layer | share |"
    yield "|---|---:|"
    for name, seconds in sorted(layers.items(), key=lambda item: -item[1]):
        yield f"| {name} | {seconds / whole:.0%} |"


def _lines(figures: Figures) -> Iterator[str]:
    for engine, line in figures["lines"].items():
        time, memory = line["cpu_seconds"], line["peak_memory_mib"]
        low, high = (1000 * bound for bound in time["per_client_interval"])
        first, last = (1000 * bound for bound in memory["per_client_interval"])
        yield (
            f"- {LABELS[engine]}: {1000 * time['per_client']:.2f} ms of a core for each further client (95 % interval "
            f"{low:.2f} to {high:.2f}), {time['fixed']:.1f} s for the start "
            f"({time['fixed_interval'][0]:.1f} to {time['fixed_interval'][1]:.1f}); memory grows by "
            f"{1000 * memory['per_client']:.1f} MiB for 1,000 clients ({first:.1f} to {last:.1f})."
        )


def _sizing(figures: Figures) -> Iterator[str]:
    factors = {"local": 1.0}
    spark = ""
    both = {int(size): runs for size, runs in figures["sizes"].items() if {"local", "spark"} <= runs.keys()}
    if both:
        factors["spark"] = both[max(both)]["spark"]["cpu_seconds"] / both[max(both)]["local"]["cpu_seconds"]
        spark = f", Spark as {factors['spark']:.1f} times one machine, which it took at {max(both):,} clients"
    yield (
        "**Measured** stands where a run had that number of clients; all else is **extrapolated**: one machine along "
        f"its line above{spark}. The cost is core-hours times {PRICE} dollars: an assumption of {PRICE_DATE}, not a "
        "price that was asked for. Replace it by that of your region and day "
        "([AWS](https://aws.amazon.com/ec2/spot/pricing/) lists its own); the machines' start and the storage come "
        "on top."
    )
    yield ""
    yield "| clients | engine | core-hours | on 2 cores | on 16 cores | ids in memory | dollars | |"
    yield "|---:|---|---:|---:|---:|---:|---:|---|"
    line = figures["lines"]["local"]["cpu_seconds"]
    for size, label in SIZES.items():
        for engine, factor in factors.items():
            measured = figures["sizes"].get(str(size), {}).get(engine)
            cpu = measured["cpu_seconds"] if measured else factor * (line["fixed"] + line["per_client"] * size)
            hours, name = cpu / SECONDS_IN_HOUR, "one machine" if engine == "local" else "Spark"
            yield (
                f"| {label} | {name} | {_rounded(hours)} | {_time(cpu / 2)} | {_time(cpu / 16)} | "
                f"{_memory(BYTES_OF_IDS * size)} | {_rounded(hours * PRICE)} | "
                f"{'measured' if measured else 'extrapolated'} |"
            )


def _time(seconds: float) -> str:
    """Return seconds in words.

    >>> _time(20), _time(400), _time(9000)
    ('20 s', '7 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < SECONDS_IN_HOUR else f"{seconds / SECONDS_IN_HOUR:.1f} h"


def _rounded(value: float) -> str:
    """Return two significant digits, without an exponent.

    >>> _rounded(123.4), _rounded(0.0234)
    ('120', '0.023')
    """
    return f"{float(f'{value:.2g}'):g}"


def _memory(size: float) -> str:
    return f"{size / 1e6:,.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


PAGE = FiguresPage(
    file=ROOT / "docs" / "portfolio.md",
    start="<!-- figures: python -m tests.benchmarks.portfolio_page -->",
    published=RESULTS / RESULT,
    block=block,
)

if __name__ == "__main__":
    run(PAGE.write)
