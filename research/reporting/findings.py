"""State what published results show: the conditions that texts are written by, and the names and counts they quote.

A title such as "the three best families differ less than chance" is true of some results only. Texts therefore hold
both sentences, `{families_alike? ... ?}{not families_alike? ... ?}`, and the results choose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bento.features.definitions import GROUP_LABELS
from bento.i18n import TextPair

if TYPE_CHECKING:
    from research.reporting.quoted_figures import QuotedFigures

FAMILIES: dict[str, TextPair] = {
    "logistic": ("logistic regression", "régression logistique"),
    "linear": ("spline logistic regression", "régression logistique à splines"),
    "random_forest": ("random forest", "forêt aléatoire"),
    "xgboost": ("XGBoost", "XGBoost"),
    "lightgbm": ("LightGBM", "LightGBM"),
    "slow_lightgbm": ("slow LightGBM", "LightGBM lent"),
    "spline": ("spline logistic regression", "régression logistique à splines"),
    "blend": ("blend of trees and splines", "mélange d'arbres et de splines"),
}
"""Names of families of models; another family is named as the result files name it."""
TREES = ("random_forest", "xgboost", "lightgbm", "slow_lightgbm")
ARMS: dict[str, TextPair] = {
    "none": ("as it is", "tel quel"),
    "class_weights": ("weights", "pondération"),
    "under_sampling": ("under sampling", "sous-échant."),
    "smote": ("SMOTE", "SMOTE"),
}
"""Treatments of the imbalance."""
POLICIES = ("accept_all", "refuse_all")
WITHOUT_MODEL = (*POLICIES, "prior", "champion")
"""Rows of the comparison that are no family: policies, the dummy model, and the registered model once more."""
TABLES: dict[str, TextPair] = {
    "bureau": ("credits elsewhere", "les crédits ailleurs"),
    "bureau_balance": ("monthly states of credits elsewhere", "les états mensuels des crédits ailleurs"),
    "previous_application": ("earlier applications", "les demandes antérieures"),
    "POS_CASH_balance": ("monthly states of instalment loans", "les états mensuels des prêts échelonnés"),
    "installments_payments": ("payments of instalments", "le paiement des échéances"),
    "credit_card_balance": ("credit cards", "les cartes de crédit"),
}
"""Tables of the history, as texts name them."""
MAX_CALIBRATION_DISTANCE = 0.1
"""Largest distance of predicted to observed defaults from 1 at which a text says that predictions come true."""
MAX_FLAT_MIB = 1.0
"""Growth of memory for 10,000 requests from which a text does not call it flat."""
MIN_TRUE_REASONS = 0.9
"""Share of refused files in which the first reason passes both tests, from which a text calls reasons true."""
Row = dict[str, Any]


def label(family: str) -> TextPair:
    """Return the name of a family.

    >>> label("xgboost"), label("spline_logistic")
    (('XGBoost', 'XGBoost'), ('spline logistic', 'spline logistic'))
    """
    return FAMILIES.get(family, (family.replace("_", " "),) * 2)


def joined(names: Sequence[TextPair]) -> TextPair:
    """Join names as both languages do.

    >>> joined([("a", "a"), ("b", "b"), ("c", "c")])
    ('a, b and c', 'a, b et c')
    """
    english, french = [name[0] for name in names], [name[1] for name in names]
    if len(names) == 1:
        return names[0]
    return (
        f"{', '.join(english[:-1])} and {english[-1]}",
        f"{', '.join(french[:-1])} et {french[-1]}",
    )


def families(figures: QuotedFigures) -> list[Row]:
    """Return the rows of the families without treatment of the imbalance, the cheapest first."""
    return [row for row in _candidates(figures) if row["arm"] == "none"]


def _candidates(figures: QuotedFigures) -> list[Row]:
    rows = [row for row in figures.file("comparison")["rows"] if row["family"] not in WITHOUT_MODEL]
    return sorted(rows, key=_cost)


def _cost(row: Row) -> float:
    return float(row["cost_per_client"]["value"])


def _alike(figures: QuotedFigures) -> list[Row]:
    """Return the families that are dearer than the best candidate by no more than chance explains."""
    return [row for row in families(figures) if row["cost_above_best"]["low"] <= 0]


def _slowest(figures: QuotedFigures) -> Row:
    return max(families(figures), key=lambda row: float(row["fit_seconds"] or 0))


def _study(figures: QuotedFigures, name: str) -> Row:
    study = figures.file("feature_study")
    return next(arm for arm in study["numbers"] if arm["arm"] == name)


def _selected(figures: QuotedFigures) -> Row:
    return _study(figures, figures.value("feature_study", "decisions.selected"))


def _few_features_suffice(figures: QuotedFigures) -> bool:
    every, few = _study(figures, "all"), _selected(figures)
    return bool(few["features"] < every["features"] and every["auc_gain"] <= every["auc_gain_error"])


def _best_table(figures: QuotedFigures) -> Row:
    """Return the table of the history that adds most to the application: its name and AUC."""
    best = max(figures.file("feature_study")["tables"], key=lambda arm: arm["auc"])
    name = best["arm"].removeprefix("application, ")
    return {"name": TABLES.get(name, (name, name)), "auc": best["auc"]}


def _treated(figures: QuotedFigures, arm: str, names: Sequence[str]) -> list[tuple[Row, Row]]:
    """Return each of the families, as it is and under a treatment."""
    rows = {(row["family"], row["arm"]): row for row in _candidates(figures)}
    return [(rows[name, "none"], rows[name, arm]) for name in names if (name, arm) in rows and (name, "none") in rows]


def _smote_harms_trees(figures: QuotedFigures) -> bool:
    pairs = _treated(figures, "smote", TREES)
    return bool(pairs) and all(_cost(smote) > plain["cost_per_client"]["high"] for plain, smote in pairs)


def _saved_share(figures: QuotedFigures) -> float:
    """Return the share of the cost of the cheaper policy without a model that the model saves, on the test part."""
    costs = {name: row["cost_per_client"]["value"] for name, row in figures.value("results", "business.test").items()}
    return float(1 - costs["model"] / min(costs[policy] for policy in POLICIES))


def _tuned(figures: QuotedFigures) -> bool:
    tuning = figures.value("results", "tuning")
    return bool(tuning) and {"gain", "gain_error", "trials", "table"} <= set(tuning)


def _correction_gains(figures: QuotedFigures) -> bool:
    methods = figures.value("results", "calibration.compared")
    return any(row["log_loss_gain"] > row["log_loss_gain_error"] for row in methods if row["method"] != "none")


def _ratio(figures: QuotedFigures, group: str, name: str) -> float:
    return float(figures.value("results", f"fairness.gender.groups[group={group}].{name}.value"))


def _price_holds_zero(figures: QuotedFigures) -> bool:
    return all(
        price[measure]["low"] <= 0 <= price[measure]["high"]
        for price in figures.file("fairness_price")["prices"]
        for measure in ("auc", "cost")
    )


def _quotable_is_free(figures: QuotedFigures) -> bool:
    study = figures.file("quotable")
    chosen = [
        arm
        for arm in study["arms"]
        if arm["left_out"] == study["left_out"] and arm["directions"] == study["directions"] and "auc_gain" in arm
    ]
    return any(
        all(-arm[f"{name}_gain"] <= arm[f"{name}_gain_error"] for name in ("auc", "cost") if arm[f"{name}_gain"])
        for arm in chosen
    )


def _drift_beats_plain(figures: QuotedFigures) -> bool:
    return any(point["detected"] > 0.9 and point["evidently"] < 0.1 for point in figures.file("drift_proof")["power"])


CONDITIONS: dict[str, Callable[[QuotedFigures], bool]] = {
    "synthetic": lambda figures: figures.file("results")["data"] == "synthetic",
    "real": lambda figures: figures.file("results")["data"] == "real",
    "few_features_suffice": _few_features_suffice,
    "below_oracle": lambda figures: bool(
        figures.file("results")["oracle"]
        and _candidates(figures)
        and max(row["auc"] for row in _candidates(figures)) < figures.value("results", "oracle.out_of_fold_auc")
    ),
    "theory_is_served": lambda figures: (
        figures.value("results", "metrics.threshold") == figures.value("results", "metrics.theoretical_threshold")
    ),
    "families_alike": lambda figures: len(_alike(figures)) > 1,
    "families_beat_policies": lambda figures: (
        max(row["cost_per_client"]["high"] for row in families(figures))
        < min(
            row["cost_per_client"]["low"] for row in figures.file("comparison")["rows"] if row["candidate"] in POLICIES
        )
    ),
    "served_family_is_cheapest": lambda figures: (
        label(figures.value("results", "family")) == label(families(figures)[0]["family"])
    ),
    "slowest_is_cheapest": lambda figures: _slowest(figures) == families(figures)[0],
    "untreated_is_cheapest": lambda figures: _candidates(figures)[0]["arm"] == "none",
    "smote_harms_trees": _smote_harms_trees,
    "saves": lambda figures: _saved_share(figures) > 0,
    "tuned": _tuned,
    "tuning_gains_little": lambda figures: (
        not _tuned(figures)
        or figures.value("results", "tuning.gain") <= 2 * figures.value("results", "tuning.gain_error")
    ),
    "predictions_come_true": lambda figures: (
        abs(figures.value("results", "metrics.test_predicted_to_observed") - 1) <= MAX_CALIBRATION_DISTANCE
    ),
    "correction_gains": _correction_gains,
    "served_as_it_is": lambda figures: (
        figures.value("results", "calibration.served.slope") == 1
        and figures.value("results", "calibration.served.intercept") == 0
    ),
    "women_default_less": lambda figures: (
        _ratio(figures, "F", "predicted_over_observed") > 1 > _ratio(figures, "M", "predicted_over_observed")
    ),
    "external_scores_first": lambda figures: (
        figures.value("results", "explanations.groups")[0]["group"] == "external_scores"
    ),
    "lime_agrees": lambda figures: figures.value("results", "explanations.lime.agreement.sign") == 1,
    "reasons_are_true": lambda figures: figures.value("reasons", "fidelity.both.value") >= MIN_TRUE_REASONS,
    "protected_are_free": _price_holds_zero,
    "young_below_rule": lambda figures: bool(
        figures.value("results", "fairness.age.groups[group=under 30].below_rule")
    ),
    "quotable_is_free": _quotable_is_free,
    "memory_is_flat": lambda figures: (
        (figures.value("benchmarks", "service.soak") or {}).get("mib_per_10000_requests", MAX_FLAT_MIB) < MAX_FLAT_MIB
    ),
    "drift_beats_plain": _drift_beats_plain,
}
"""What a part of a text may depend on."""

QUOTED: dict[str, Callable[[QuotedFigures], Any]] = {
    "features": lambda figures: _selected(figures)["features"],
    "fewest_features": lambda figures: min(arm["features"] for arm in figures.file("feature_study")["numbers"]),
    "best_table": _best_table,
    "best_auc": lambda figures: max(row["auc"] for row in _candidates(figures)),
    "families": lambda figures: joined([label(row["family"]) for row in families(figures)]),
    "families_compared": lambda figures: len(families(figures)),
    "alike_count": lambda figures: len(_alike(figures)),
    "best_family": lambda figures: label(families(figures)[0]["family"]),
    "best_cost": lambda figures: families(figures)[0]["cost_per_client"],
    "next_family": lambda figures: label(families(figures)[1]["family"]),
    "next_cost": lambda figures: families(figures)[1]["cost_per_client"],
    "served": lambda figures: label(figures.value("results", "family")),
    "slowest": lambda figures: label(_slowest(figures)["family"]),
    "slowest_seconds": lambda figures: _slowest(figures)["fit_seconds"],
    "slowest_scores_ms": lambda figures: max(row["score_ms_per_1000"] or 0 for row in families(figures)),
    "cheapest_treatment": lambda figures: ARMS.get(_candidates(figures)[0]["arm"], ("other", "autre")),
    "families_treated": lambda figures: len(_treated(figures, "class_weights", _names(figures))),
    "weights_help": lambda figures: _helped(figures, "class_weights"),
    "smote_helps": lambda figures: _helped(figures, "smote"),
    "saved_share": _saved_share,
    "concepts": lambda figures: {
        place: tuple(text[:1].lower() + text[1:] for text in _concept(figures, number))
        for number, place in enumerate(("first", "second", "third"))
    },
    "least_same_reason": lambda figures: min(
        row["same_first"]["value"] for row in figures.value("reasons", "stability")
    ),
}
"""Names and counts that texts quote, as `{findings:best_family:s}`."""


def _helped(figures: QuotedFigures, arm: str) -> int:
    """Return the number of families that a treatment makes cheaper."""
    return sum(_cost(treated) < _cost(plain) for plain, treated in _treated(figures, arm, _names(figures)))


def _names(figures: QuotedFigures) -> list[str]:
    return [row["family"] for row in families(figures)]


def _concept(figures: QuotedFigures, number: int) -> TextPair:
    texts = GROUP_LABELS[figures.value("results", "explanations.groups")[number]["group"]]
    return texts["en"], texts["fr"]


class Findings:
    """The quoted names and counts of a folder of results, each computed when a text asks for it."""

    def __init__(self, figures: QuotedFigures) -> None:
        self._figures = figures

    def __getitem__(self, name: str) -> Any:
        """Return a name or count; a `KeyError` where there is no such finding."""
        return QUOTED[name](self._figures)
