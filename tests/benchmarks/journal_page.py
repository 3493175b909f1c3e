"""Write the figures of the journal's commands in docs/operate.md: `python -m tests.benchmarks.journal_page`.

They are those of research/results/journal_scale.json; the text around them is written by hand.
"""

from research.cli import ROOT, run
from tests.benchmarks.figures_page import RESULTS, FiguresPage
from tests.benchmarks.journal_scale import BEYOND, RESULT, WRITES_PER_S, table
from tests.benchmarks.measure import Figures


def block(figures: Figures) -> str:
    """Return the figures as Markdown."""
    return "\n".join([_measured(figures), "", *table(figures), "", _refused(figures)])


def _measured(figures: Figures) -> str:
    machine, calibration = figures["machine"], figures["calibration"]
    state = (
        "which did nothing else"
        if calibration["is_quiet"]
        else "which was busy with other work (a fixed loop took up to "
        f"{max(calibration['slowdown'].values()):.1f} times its shortest time), so that seconds and waits are longer "
        "than on a quiet one"
    )
    size, largest = max((int(size), of_size["bytes"]) for size, of_size in figures["sizes"].items())
    return (
        f"Measured in SQLite on a machine of {machine['cores']} cores and {machine['memory_gib']:.0f} GiB of memory, "
        f"{state}. Beside each command up to {WRITES_PER_S} decisions a second were written. The cells hold seconds, "
        "processor seconds, peak memory, and the longest that a decision waited.\n\n"
        f"No journal of {BEYOND:,} decisions (some {largest / size * BEYOND / 1e9:.0f} GB) was made: its processor "
        "seconds lie on the line through the measured sizes. Its seconds are up to the disk, where the "
        "journal is larger than the memory."
    )


def _refused(figures: Figures) -> str:
    runs = [
        (f"{run_['refused_beside']} failed beside `{name}` at {int(size):,}", run_)
        for size, of_size in figures["sizes"].items()
        for name, run_ in of_size["commands"].items()
    ]
    written = sum(run_["decisions_beside"] for _, run_ in runs)
    refused = [text for text, run_ in runs if run_["refused_beside"]]
    if not refused:
        return f"All {written:,} decisions beside these commands were written."
    return f"Of {written:,} decisions beside these commands not all were written: {', '.join(refused)}."


PAGE = FiguresPage(
    file=ROOT / "docs" / "operate.md",
    start="<!-- figures: python -m tests.benchmarks.journal_page -->",
    published=RESULTS / RESULT,
    block=block,
)

if __name__ == "__main__":
    run(PAGE.write)
