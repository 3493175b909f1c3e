"""Draw the fairness of decisions: approval and AUC by group, and what leaving attributes out costs."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bento.model.manifest import DataSource
from research.plotting import LESS_RISK, MORE_RISK, save_figure

WORDS = {"F": "women", "M": "men"}
TITLES = {"gender": "gender", "age": "age", "gender_age": "gender and age"}


def plot_groups(report: dict[str, Any], path: Path, source: DataSource) -> None:
    """Draw approval rate and AUC by group with intervals; a dash marks the rate that the four-fifths rule requires."""
    lines: list[tuple[str, dict[str, Any] | None, float | None]] = [("all clients", report["all"], None)]
    for dimension, title in TITLES.items():
        groups, most_approved = report[dimension]["groups"], report[dimension]["most_approved"]
        best = next((row["approval_rate"]["value"] for row in groups if row["group"] == most_approved), None)
        lines.append((f"by {title}", None, None))
        lines += [(group_label(row["group"]), row, best) for row in groups]
    lines.reverse()
    figure = Figure(figsize=(10, 0.3 * len(lines) + 1.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    least = report["rule"]["least_approval_ratio"]
    for height, (_, row, best) in enumerate(lines):
        if row is None:
            continue
        _interval(left, height, row.get("approval_rate"), MORE_RISK if row.get("below_rule") else LESS_RISK)
        _interval(right, height, row.get("auc"), LESS_RISK)
        if best is not None:
            left.plot([best * least], [height], "|", c="black", ms=12)
    labels = [name if row is None else f"{name} ({row['clients']:,})" for name, row, _ in lines]
    left.set_yticks(range(len(lines)), labels, size=9)
    for tick, (_, row, _) in zip(left.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if row is None else "normal")
    left.set_title("Share of applications granted")
    left.set_xlabel(f"dash: {least:g} of the most approved group's (four-fifths rule); red: below", size=9)
    right.set_title("AUC")
    right.set_xlabel("no point: too few clients or outcomes", size=9)
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Decisions and scores by group, with {report['level']:.0%} intervals (clients)")
    save_figure(figure, path, source)


def plot_excluding_cost(report: dict[str, Any], path: Path, source: DataSource) -> None:
    """Draw the AUC that the default loses, and, for every arm, how approval differs between two groups of each kind."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    prices = report["prices"][::-1]
    for height, row in enumerate(prices):
        _interval(left, height, row["auc"], LESS_RISK)
    left.set_yticks(range(len(prices)), [f"{row['leaving_out']} left out" for row in prices])
    left.set_ylim(-0.5, len(prices) - 0.5)
    left.axvline(0, c="grey", lw=0.8)
    left.set_title("AUC lost by leaving out")
    left.set_xlabel("AUC with it less AUC of the default", size=9)
    arms = report["arms"][::-1]
    for shift, name, colour in ((0.12, "gender", LESS_RISK), (-0.12, "age", MORE_RISK)):
        for height, row in enumerate(arms):
            _interval(right, height + shift, _first_difference(row["approval"][name]), colour)
        right.plot([], [], "o", c=colour, label=_first_title(arms[0]["approval"][name], name))
    right.set_yticks(range(len(arms)), [row["arm"] for row in arms])
    right.set_ylim(-0.5, len(arms) - 0.5)
    right.axvline(0, c="grey", lw=0.8)
    right.set_title("Difference in approval")
    right.set_xlabel("share granted, with its sign", size=9)
    right.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path, source)


def _first_difference(approval: dict[str, Any]) -> dict[str, Any] | None:
    """Return the difference of the first group that is not the reference: that of men or women, of the youngest."""
    return next(iter(approval["differences"].values()), None)


def _first_title(approval: dict[str, Any], dimension: str) -> str:
    name = next(iter(approval["differences"]), None)
    return dimension if name is None else f"{group_label(name)} less {group_label(approval['reference'])}"


def group_label(group: str) -> str:
    """Return the label of a group in a figure.

    >>> group_label("F, 30-39"), group_label("60 and over")
    ('women, 30-39', '60 and over')
    """
    return ", ".join(WORDS.get(part, part) for part in group.split(", "))


def _interval(axes: Axes, height: float, estimate: dict[str, Any] | None, colour: str) -> None:
    if estimate is None or estimate["value"] is None:
        return
    if estimate["low"] is not None:
        axes.plot([estimate["low"], estimate["high"]], [height, height], c=colour, lw=2, alpha=0.6)
    axes.plot([estimate["value"]], [height], "o", c=colour, ms=5)
