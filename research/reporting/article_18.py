"""Write the page of features by the circumstances that the law lets a lender assess, with doubts and prices."""

from collections.abc import Iterator

from bento.features.catalogue import CATALOGUE
from bento.features.definitions import GROUP_LABELS
from research.cli import CommandError
from research.reporting.quoted_figures import QuotedFigures
from research.reporting.reference import table
from research.results import LAWFUL_FILE, SERVED_FEATURES_FILE, LawfulStudy, ServedFeatures, read_if_present
from research.training.lawful import circumstance, doubtful_features
from research.training.quoted import LEFT_OUT, families

PRICED = {
    "organisation": "without organisation",
    "documents": "without documents",
    "hour and contact flags": "without hour and contact flags",
    "building": "without building",
    "acquaintances": "without acquaintances",
}
"""Families of doubtful features, and the arm of the study that leaves each of them out."""


def left_out_by() -> dict[str, str]:
    """Return the features that no model is given by default, with the family or attribute that they belong to."""
    by_family = families()
    names = {name: family for family in LEFT_OUT for name in by_family[family]}
    return {feature.name: "age" for feature in CATALOGUE.values() if feature.uses_age} | names


def page(figures: QuotedFigures) -> str:
    """Return the page of features by circumstance, with doubts and prices."""
    weights = {entry["feature"]: entry["mean_abs_shap"] for entry in figures.value("results", "explanations.features")}
    parts = [
        _INTRODUCTION,
        "## Doubtful features, and what leaving them out costs",
        _PRICES,
        table(["left out", "AUC, change", "cost per client, change"], _prices(figures)),
        "The external scores are not priced: without them there is no model. Gender and age are priced in the"
        " [model card](../../MODEL_CARD.md).",
        "## A strict reading, and what it costs",
        "`python -m research train --lawful strict` leaves out every doubtful feature but the external scores."
        " `python -m research lawful` prices that, and each circumstance alone.",
        strict_reading(read_if_present(LawfulStudy, figures.folder / LAWFUL_FILE)),
        "## Features that the published model uses",
        _served(figures, weights),
        "## Features of the application",
        "*Given by default*: not with `--lawful strict`.",
        table(["feature", "circumstance", "doubt", "given to a model"], _application()),
        "## Features of histories",
        "Computed from credits elsewhere, earlier applications, instalments and cards: the client's commitments and how"
        " they were kept.",
        table(["concept", "circumstance", "features", "of them given by default"], _histories()),
    ]
    return "\n\n".join(parts) + "\n"


def strict_reading(study: LawfulStudy | None) -> str:
    """Return the prices of a strict reading as Markdown; a sentence where they are not published."""
    if study is None:
        return "It is not among the published results."
    rows = [
        [
            arm.arm,
            f"{arm.features:.0f}",
            f"{arm.auc:.4f}" if arm.auc_gain is None else f"{arm.auc_gain:+.4f} ± {arm.auc_gain_error:.4f}",
            f"{arm.cost:.4f}" if arm.cost_gain is None else f"{0 - arm.cost_gain:+.4f} ± {arm.cost_gain_error:.4f}",
        ]
        for arm in study.arms
    ]
    head = ["arm", "features", "AUC, or its change", "cost per client, or its change"]
    return f"On {study.description}, out of fold, paired; ± is a standard error:\n\n{table(head, rows)}"


def _prices(figures: QuotedFigures) -> Iterator[list[str]]:
    for family, arm in PRICED.items():
        row = figures.value("quotable", f"arms[arm={arm}]")
        state = "left out by default" if family in LEFT_OUT else "used by default"
        yield [
            f"{family} ({state})",
            f"{row['auc_gain']:+.4f} ± {row['auc_gain_error']:.4f}",
            f"{0 - row['cost_gain']:+.4f} ± {row['cost_gain_error']:.4f}",
        ]


def _served(figures: QuotedFigures, weights: dict[str, float]) -> str:
    """Return the table of the features of the published model, the weightiest first; a sentence where they are unknown.

    A `CommandError` where a feature of the model is none of the catalogue.
    """
    served = read_if_present(ServedFeatures, figures.folder / SERVED_FEATURES_FILE)
    run = figures.value("results", "run")
    if served is None or served.run != run:
        return f"Those of run `{run}` are not among the published results."
    unknown = [name for name in served.features if name not in CATALOGUE]
    if unknown:
        raise CommandError(f"{SERVED_FEATURES_FILE}: {unknown[0]} is no feature of this code; train and publish again")
    count = sum(bool(circumstance(CATALOGUE[name]).doubt) for name in served.features)
    rows = [
        [f"`{name}`", result.name, result.doubt, f"{weights[name]:.3f}" if name in weights else ""]
        for name in sorted(served.features, key=lambda name: -weights.get(name, 0.0))
        for result in [circumstance(CATALOGUE[name])]
    ]
    return (
        f"Of the {len(served.features)} features of run `{run}`, {count} may be doubted. *Weight* is the mean absolute"
        f" SHAP value, given for the {len(weights)} that weigh most.\n\n"
        f"{table(['feature', 'circumstance', 'doubt', 'weight'], rows)}"
    )


def _application() -> Iterator[list[str]]:
    missing, doubtful = left_out_by(), doubtful_features()
    for name, feature in CATALOGUE.items():
        if name.startswith("application_"):
            result = circumstance(feature)
            given = f"no: {missing[name]}" if name in missing else "by default" if name in doubtful else "yes"
            yield [f"`{name}`", result.name, result.doubt, given]


def _histories() -> Iterator[list[object]]:
    missing = left_out_by()
    features = [feature for name, feature in CATALOGUE.items() if not name.startswith("application_")]
    for group in dict.fromkeys(feature.group for feature in features):
        members = [feature for feature in features if feature.group == group]
        given = [feature for feature in members if feature.name not in missing]
        names = " · ".join(sorted({circumstance(feature).name for feature in members}))
        yield [GROUP_LABELS[group]["en"], names, len(members), len(given)]


_INTRODUCTION = """# Features and article 18

Article 18 of Directive (EU) 2023/2225, in force in national law since 20 November 2026 (in France: Code de la
consommation, L. 312-16), has the lender assess the client from relevant and exact data on income, expenses and other
**economic and financial circumstances**, necessary and proportionate to the credit. Special categories of personal data
are excluded, and social networks are no source. This page states for each feature which circumstance it tells, and
marks those whose relevance, necessity or proportion may be doubted. It is the reading of the project's authors in
November 2026, not an opinion of a lawyer: a lender decides, and has it checked."""
_PRICES = """What leaving a family out changes, measured on the same folds (`python -m research quotable`): below zero,
AUC is lost; above zero, cost is added, in good clients refused per client. ± is a standard error."""
