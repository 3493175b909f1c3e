"""Charts of the slides, drawn from the published result files."""

import itertools
from typing import Any

from matplotlib.figure import Figure

from bento.features.definitions import GROUP_LABELS
from bento.i18n import TextPair
from bento.policy import DEFAULT_COSTS
from research.reporting.findings import ARMS, families, label
from research.reporting.quoted_figures import number
from research.reporting.slides.drawing import BLUE, GREEN, GREY, MIN_POINTS, ORANGE, Canvas, Draw, bars

POLICIES: dict[str, TextPair] = {
    "accept_all": ("grant all", "tout accorder"),
    "refuse_all": ("refuse all", "tout refuser"),
}
COST: TextPair = ("cost of 1,000 applications", "coût de 1\u202f000 demandes")


def feature_numbers(canvas: Canvas) -> Figure:
    """Draw the AUC against the number of features."""
    figure, axes = canvas.axes(("features", "variables"), ("AUC, out of fold", "AUC, hors pli"))
    arms = sorted(canvas.figures.file("feature_study")["numbers"], key=lambda arm: arm["features"])
    counts = [arm["features"] for arm in arms]
    axes.errorbar(
        counts, [arm["auc"] for arm in arms], yerr=[arm["auc_error"] for arm in arms], fmt="o-", color=BLUE, capsize=4
    )
    best = canvas.figures.value("findings", "features")
    axes.axvline(best, color=ORANGE, ls="--")
    axes.annotate(
        f"{best:.0f}",
        (best, 1),
        xycoords=("data", "axes fraction"),
        xytext=(6, -4),
        textcoords="offset points",
        va="top",
    )
    axes.set_xscale("log")
    axes.set_xticks([30, 60, 150, 300, 600], ["30", "60", "150", "300", "600"])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: number(value, ".3f", canvas.language))
    return figure


def threshold(canvas: Canvas) -> Figure:
    """Draw the expected cost of granting and of refusing, which cross at the threshold of theory."""
    labels = ("probability of default", "probabilité de défaut"), ("expected cost", "coût attendu")
    figure, axes = canvas.axes(*labels)
    end, crossing = 0.25, DEFAULT_COSTS.theoretical_threshold
    granting, refusing = DEFAULT_COSTS.false_negative * end, DEFAULT_COSTS.false_positive * (1 - end)
    axes.plot([0, end], [0, granting], color=ORANGE, lw=3)
    axes.plot([0, end], [DEFAULT_COSTS.false_positive, refusing], color=BLUE, lw=3)
    axes.axvline(crossing, color=GREY, ls="--")
    axes.text(end * 0.72, granting * 0.8, canvas.text(("granting", "accorder")), color=ORANGE, ha="right")
    axes.text(end, refusing + 0.08, canvas.text(("refusing", "refuser")), color=BLUE, ha="right")
    axes.text(crossing + 0.004, 0.05, "1/11", color="#444444")
    axes.set(xlim=(0, end), ylim=(0, granting))
    axes.xaxis.set_major_formatter(lambda value, _: number(value, ".0%", canvas.language))
    axes.yaxis.set_major_formatter(lambda value, _: number(value, ".1f", canvas.language))
    return figure


def comparison(canvas: Canvas) -> Figure:
    """Draw the cost of each family without treatment of the imbalance, beside the policies without a model."""
    figure, axes = canvas.axes(COST)
    policies = [row for row in canvas.figures.file("comparison")["rows"] if row["candidate"] in POLICIES]
    rows = sorted([*families(canvas.figures), *policies], key=lambda row: float(row["cost_per_client"]["value"]))
    for place, row in enumerate(rows):
        cost = {end: 1000 * row["cost_per_client"][end] for end in ("value", "low", "high")}
        span = [[cost["value"] - cost["low"]], [cost["high"] - cost["value"]]]
        colour = GREY if row in policies else BLUE
        axes.errorbar(cost["value"], place, xerr=span, fmt="o", ms=9, color=colour, capsize=5, lw=2)
        text = number(cost["value"], ".0f", canvas.language)
        axes.annotate(text, (cost["high"], place), xytext=(10, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), [canvas.text(_name(row)) for row in rows])
    axes.set(xlim=(0, 1150), ylim=(len(rows) - 0.5, -0.7), xticks=range(0, 1001, 250))
    return figure


def _name(row: dict[str, Any]) -> TextPair:
    return POLICIES.get(row["candidate"]) or label(row["family"])


def times(canvas: Canvas) -> Figure:
    """Draw the seconds of a fit and the milliseconds of 1,000 scores of each family."""
    figure = canvas.figure()
    parts = figure.subplots(1, 2, sharey=True)
    rows = families(canvas.figures)
    labels = [_folded(canvas.text(_name(row))) for row in rows]
    for axes, field, form, title in (
        (parts[0], "fit_seconds", ".1f", ("fit, s", "ajustement, s")),
        (parts[1], "score_ms_per_1000", ".0f", ("1,000 scores, ms", "1\u202f000 scores, ms")),
    ):
        values = [row[field] for row in rows]
        written = [number(value, form, canvas.language) for value in values]
        bars(axes, labels, values, written, [BLUE] * len(values))
        axes.set_title(canvas.text(title))
        axes.margins(x=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    parts[1].invert_yaxis()
    return figure


def imbalance(canvas: Canvas) -> Figure:
    """Draw the cost of each family that was tried with a treatment of the imbalance, and without."""
    figure, axes = canvas.axes(COST)
    rows = canvas.figures.file("comparison")["rows"]
    treated = {row["family"] for row in rows if row["arm"] in set(ARMS) - {"none"}}
    names = sorted({row["family"] for row in families(canvas.figures)} & treated)
    shapes = itertools.cycle(("o", "s", "^", "D", "v", "P"))
    marks = dict(zip(names, zip(shapes, itertools.cycle((BLUE, GREY, GREEN, ORANGE))), strict=False))
    for row in rows:
        if row["family"] in marks and row["arm"] in ARMS:
            mark, colour = marks[row["family"]]
            place = list(ARMS).index(row["arm"]) + 0.54 * (names.index(row["family"]) / max(1, len(names) - 1) - 0.5)
            axes.plot(1000 * row["cost_per_client"]["value"], place, mark, color=colour, ms=11)
    for family, (mark, colour) in marks.items():
        axes.plot([], [], mark, color=colour, ms=11, label=canvas.text(label(family)))
    axes.set_yticks(range(len(ARMS)), [canvas.text(name) for name in ARMS.values()])
    axes.set_ylim(len(ARMS) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def tuning(canvas: Canvas) -> Figure:
    """Draw the log-loss of each trial of the search, the defaults first."""
    trials = canvas.figures.value("results", "tuning.table")
    figure, axes = canvas.axes(("trial", "essai"), ("log-loss", "perte logarithmique"))
    losses = [trial["log_loss"] for trial in trials]
    best = losses.index(min(losses))
    axes.plot(range(1, len(losses) + 1), losses, "o", ms=11, color=BLUE)
    axes.plot(best + 1, losses[best], "o", ms=11, color=ORANGE)
    texts = {0: ("defaults", "par défaut"), best: ("best", "meilleur")}
    for place, text in texts.items() if best else [(0, ("defaults: best", "par défaut : meilleur"))]:
        axes.annotate(canvas.text(text), (place + 1, losses[place]), xytext=(6, -22), textcoords="offset points")
    axes.locator_params(axis="y", nbins=5)
    axes.margins(x=0.12, y=0.2)
    axes.yaxis.set_major_formatter(lambda value, _: number(value, ".4f", canvas.language))
    return figure


def policies(canvas: Canvas) -> Figure:
    """Draw the cost of the model on the test part beside granting all and refusing all."""
    figure, axes = canvas.axes(COST)
    costs = canvas.figures.value("results", "business.test")
    names = {"model": ("model", "modèle")} | POLICIES
    values = [1000 * costs[policy]["cost_per_client"]["value"] for policy in names]
    written = [number(value, ".0f", canvas.language) for value in values]
    bars(axes, [canvas.text(name) for name in names.values()], values, written, [BLUE, GREY, GREY])
    return figure


def calibration(canvas: Canvas) -> Figure:
    """Draw predicted over observed defaults by gender and by age."""
    figure, axes = canvas.axes(("predicted over observed defaults", "défauts prédits sur observés"))
    _intervals(canvas, axes, "predicted_over_observed", ".2f")
    axes.axvline(1, color=GREY, ls="--")
    return figure


def approval(canvas: Canvas) -> Figure:
    """Draw approval rates by gender and by age."""
    figure, axes = canvas.axes(("approved", "accordés"))
    _intervals(canvas, axes, "approval_rate", ".0%")
    return figure


GROUPS: dict[str, TextPair] = {
    "F": ("women", "femmes"),
    "M": ("men", "hommes"),
    "under 30": ("under 30", "moins de 30 ans"),
    "30-39": ("30 to 39", "30 à 39 ans"),
    "40-49": ("40 to 49", "40 à 49 ans"),
    "50-59": ("50 to 59", "50 à 59 ans"),
    "60 and over": ("60 and over", "60 ans et plus"),
}


def _intervals(canvas: Canvas, axes: Any, figure_name: str, form: str) -> None:
    """Draw a figure of each group of gender and age with its interval; a group that is too small is left out."""
    fairness = canvas.figures.value("results", "fairness")
    groups = [group for dimension in ("gender", "age") for group in fairness[dimension]["groups"]]
    groups = [group for group in groups if group[figure_name] and group["group"] in GROUPS]
    for place, group in enumerate(groups):
        value, low, high = (group[figure_name][end] for end in ("value", "low", "high"))
        axes.errorbar(value, place, xerr=[[value - low], [high - value]], fmt="o", ms=9, color=BLUE, capsize=5, lw=2)
    axes.set_yticks(range(len(groups)), [canvas.text(GROUPS[group["group"]]) for group in groups])
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.xaxis.set_major_formatter(lambda value, _: number(value, form, canvas.language))
    axes.locator_params(axis="x", nbins=5)


def importance(canvas: Canvas) -> Figure:
    """Draw the mean weight of each concept."""
    figure, axes = canvas.axes(("mean absolute SHAP, log-odds", "SHAP absolu moyen, log-cotes"))
    groups = canvas.figures.value("results", "explanations.groups")[:8]
    values = [group["mean_abs_shap"] for group in groups]
    labels = [_folded(GROUP_LABELS[group["group"]][canvas.language]) for group in groups]
    bars(axes, labels, values, [number(value, ".2f", canvas.language) for value in values], [BLUE] * len(values))
    axes.set_yticks(axes.get_yticks(), labels, linespacing=0.9)
    return figure


def _folded(label: str, width: int = 24) -> str:
    """Break a long label at the blank nearest to its middle."""
    if len(label) <= width:
        return label
    blank = min(
        (place for place, sign in enumerate(label) if sign == " "), key=lambda place: abs(place - len(label) / 2)
    )
    return f"{label[:blank]}\n{label[blank + 1 :]}"


def reasons(canvas: Canvas) -> Figure:
    """Draw the shares of refused files in which the first reason passes each test."""
    figure, axes = canvas.axes(("share of refused files", "part des dossiers refusés"))
    report = canvas.figures.file("reasons")
    entries: list[tuple[TextPair, float]] = [
        (("risk falls", "le risque baisse"), report["fidelity"]["falls"]["value"]),
        (
            ("and more than for\nanother concept", "et plus que pour\nun autre thème"),
            report["fidelity"]["both"]["value"],
        ),
        (
            ("same first reason,\ntrained again", "même premier motif,\nréentraîné"),
            min(entry["same_first"]["value"] for entry in report["stability"]),
        ),
        (
            ("it is among\nthe reasons", "il est parmi\nles motifs"),
            min(entry["first_among_reasons"]["value"] for entry in report["stability"]),
        ),
    ]
    values = [value for _, value in entries]
    written = [number(value, ".1%", canvas.language) for value in values]
    bars(axes, [canvas.text(label) for label, _ in entries], values, written, [BLUE, BLUE, GREEN, GREEN])
    axes.margins(x=0.25)
    return figure


def latency(canvas: Canvas) -> Figure:
    """Draw median and 99th percentile of the response times of the service and of MLflow's server."""
    figure, axes = canvas.axes(("milliseconds", "millisecondes"))
    service = canvas.figures.value("benchmarks", "service")
    entries = [
        (("service, median", "service, médiane"), service["predict"]["wall_ms"]["median"], BLUE),
        (
            ("service, slowest\nin a hundred", "service, le plus\nlent sur cent"),
            service["predict"]["wall_ms"]["p99"],
            BLUE,
        ),
        (("MLflow, median", "MLflow, médiane"), service["mlflow"]["wall_ms"]["median"], GREY),
        (
            ("MLflow, slowest\nin a hundred", "MLflow, le plus\nlent sur cent"),
            service["mlflow"]["wall_ms"]["p99"],
            GREY,
        ),
    ]
    values = [value for _, value, _ in entries]
    written = [number(value, ".0f", canvas.language) for value in values]
    bars(axes, [canvas.text(label) for label, _, _ in entries], values, written, [colour for _, _, colour in entries])
    return figure


SHIFTS: dict[str, TextPair] = {
    "mean +0.1 sd": ("mean moves a little", "moyenne, un peu"),
    "category +5 points": ("category +5 points", "catégorie +5 points"),
    "missing +10 points": ("missing +10 points", "manquants +10 points"),
    "unit x 1000": ("unit changed", "unité changée"),
    "correlation broken": ("correlation broken", "corrélation rompue"),
    "scores vanish": ("scores vanish", "scores disparus"),
}
DRIFT_ROWS = 5_000


def drift(canvas: Canvas) -> Figure:
    """Draw the share of samples in which each injected change is detected, by this report and by plain Evidently."""
    figure, axes = canvas.axes()
    points = {
        point["shift"]: point
        for point in canvas.figures.value("drift_proof", "power")
        if point["rows"] == DRIFT_ROWS and point["shift"] in SHIFTS
    }
    for by, shift, colour in (("detected", -0.19, BLUE), ("evidently", 0.19, GREY)):
        for place, point in enumerate(points.values()):
            axes.barh(place + shift, point[by], 0.36, color=colour)
            text = number(point[by], ".0%", canvas.language)
            axes.annotate(text, (point[by], place + shift), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(points)), [canvas.text(SHIFTS[key]) for key in points])
    axes.set(ylim=(len(points) - 0.4, -0.6), xlim=(0, 1.2), xticks=[])
    axes.spines["bottom"].set_visible(False)
    for name, colour in ((("this report", "ce rapport"), BLUE), (("Evidently alone", "Evidently seul"), GREY)):
        axes.barh([0], [0], color=colour, label=canvas.text(name))
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=MIN_POINTS)
    return figure


CHARTS: dict[str, Draw] = {
    draw.__name__: draw
    for draw in (
        feature_numbers,
        threshold,
        comparison,
        times,
        imbalance,
        tuning,
        policies,
        calibration,
        approval,
        importance,
        reasons,
        latency,
        drift,
    )
}
