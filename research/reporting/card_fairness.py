"""Write the parts of the model card on fairness: groups, and what leaving attributes out costs."""

from research.reporting.card_parts import interval, table, with_intervals
from research.results import Dimension, FairnessPrice, Mitigation, TrainingResults

DIMENSIONS: dict[Dimension, str] = {"gender": "gender", "age": "age", "gender_age": "gender and age"}
COMPARED = {
    "approval_rate": "approved",
    "good_clients_refused": "good clients refused",
    "defaults_granted": "defaults granted",
    "auc": "AUC",
}
"""Metrics whose differences between groups are listed, and their titles."""


def groups_part(results: TrainingResults) -> str:
    """Return approvals and AUC by group, signed differences, and the gaps that chance alone gives."""
    rows = [
        [row.group, f"{row.clients:,}", interval(row.approval_rate), interval(row.approval_ratio), interval(row.auc)]
        for dimension in DIMENSIONS
        for row in results.fairness.dimension(dimension).groups
    ]
    part = f"""## Groups

Out of fold. Gender and age are read for this table alone. Error rates and calibration by group, with intervals, are
in `research/results/results.json`, the figure in `research/results/fairness.png`. Where default rates differ between
groups, equal calibration and equal error rates cannot both hold. A ratio under
{results.fairness.rule.least_approval_ratio:g} needs an examination.

{with_intervals("group | clients | approved | ratio to the most approved | AUC", rows)}

{_signed_differences(results)}"""
    return part.rstrip()


def _signed_differences(results: TrainingResults) -> str:
    """Return how each group differs from the largest one, and what gaps chance alone gives; empty for older results."""
    rows, gaps = [], []
    for dimension, kind in DIMENSIONS.items():
        comparison = results.fairness.dimension(dimension)
        for row in comparison.groups:
            if row.difference is not None:
                figures = (interval(row.difference[name], "+.3f") for name in COMPARED)
                rows.append([f"{row.group} less {comparison.reference}", *figures])
        for name, title in COMPARED.items():
            if (gap := comparison.by_chance.get(name)) is not None:
                by_chance = f"{gap.usual:.3f}, up to {gap.up_to:.3f}"
                gaps.append([f"{title}, by {kind}", f"{gap.gap:.3f}", by_chance, f"{gap.p_value:.3f}"])
    if not rows:
        return ""
    titles = " | ".join(COMPARED.values())
    return f"""Each group less the largest of its kind, with its sign; an interval that holds 0 is compatible with none:

{with_intervals(f"difference | {titles}", rows)}

The gap between the two extreme groups is never 0, and the more groups, the larger it is by chance. Beside it: the
median and the 95 % quantile of the gap when the same clients are put into groups of the same sizes at random, and how
often that gives a gap as large:

{table("gap | between the groups | by chance | p", gaps)}"""


def price_part(price: FairnessPrice | None) -> str:
    """Return what leaving gender and age out costs; empty without such a study."""
    if price is None:
        return ""
    rows = [[row.leaving_out, interval(row.auc, "+.4f"), interval(row.cost, "+.4f")] for row in price.prices]
    return f"""## What leaving gender and age out costs

On {price.description}, out of fold, paired:

{with_intervals("left out | AUC it would add | cost per client it would save", rows)}"""


def mitigation_part(mitigation: Mitigation | None) -> str:
    """Return what weighting the training rows changes for the youngest; empty without such a study."""
    if mitigation is None:
        return ""
    rows = [
        [
            f"{arm.strength:g}",
            interval(arm.approval_ratio),
            "" if arm.ratio_gain is None else interval(arm.ratio_gain, "+.3f"),
            f"{arm.cost:.4f}" if arm.cost_change is None else interval(arm.cost_change, "+.4f"),
            f"{arm.auc:.4f}" if arm.auc_gain is None else f"{arm.auc_gain:+.4f} ± {arm.auc_gain_error:.4f}",
            interval(arm.predicted_over_observed, ".2f"),
        ]
        for arm in mitigation.arms
    ]
    head = f"strength | approval ratio {mitigation.group} | its change | cost per client, or its change"
    head += f" | AUC, or its change | predicted over observed defaults {mitigation.group}"
    return f"""## What approving more clients {mitigation.group} would cost

On {mitigation.description}, out of fold, paired. {mitigation.young_clients:,} of {mitigation.development_clients:,}
clients are {mitigation.group}; the ratio is their approval rate over that of all others. Tried: *reweighing*, which
weights the training rows so that age and default are independent (strength 1; less or more as a power of the weights;
0 is the model as it is). Age is read in training only, and the threshold is the same for all: a threshold by age would
decide by age. The last column is what their probabilities lose: below one, fewer of their defaults are predicted than
occur. **Nothing of it is served.** The figure: `research/results/mitigation.png`.

{with_intervals(head, rows)}"""
