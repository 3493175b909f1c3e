"""Write parts that several pages share: a figure with its interval, tables, what the test split was opened for."""

from collections.abc import Iterable

from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.results import SPLITS, Interval, TrainingResults


def interval(figure: Interval | None, form: str = ".3f") -> str:
    """Return a figure with its interval.

    >>> interval(Interval(value=0.5, low=0.4, high=0.6)), interval(None)
    ('0.500 (0.400 to 0.600)', 'too few')
    """
    if figure is None or figure.value is None:
        return "too few"
    if figure.low is None:
        return f"{figure.value:{form}}"
    return f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"


def metric_rows(results: TrainingResults, metrics: Iterable[tuple[str, str]], form: str) -> list[list[str]]:
    """Return a row of title and both splits for each metric (title, name) that the run wrote."""
    rows = []
    for title, name in metrics:
        values = [value for split in SPLITS if (value := results.metric(split, name)) is not None]
        if len(values) == len(SPLITS):
            rows.append([title, *(f"{value:{form}}" for value in values)])
    return rows


def table(head: str, rows: list[list[str]]) -> str:
    """Return a table as Markdown; cells of its head are separated by ` | `."""
    lines = [head, " | ".join(["---"] * (head.count("|") + 1)), *(" | ".join(cells) for cells in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def with_intervals(head: str, rows: list[list[str]]) -> str:
    """Return a table that shows intervals, and below it what they do not hold."""
    return f"{table(head, rows)}\n\n{WHAT_INTERVALS_HOLD['en']}"


def opening(results: TrainingResults) -> str:
    """Return for how many models of the data the test split has been opened; empty for results of an older training."""
    if results.test_split is None:
        return ""
    day, models = results.test_split.opened_at[:10], results.test_split.models
    if models == 1:
        return f"The test split was opened once for this data: for this model, on {day}."
    return (
        f"The test split has been opened {models} times for this data, for as many models, for this one on {day}: each "
        "time that it guides a choice, its figures hold less."
    )
