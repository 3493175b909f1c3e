"""Write MODEL_CARD.md from the published results alone: purpose, quality, limits."""

from pathlib import Path

from research.cli import ROOT
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.reporting.article_18 import strict_reading
from research.reporting.card_fairness import groups_part, mitigation_part, price_part
from research.reporting.card_parts import interval, metric_rows, opening, table, with_intervals
from research.results import (
    COUNTERFACTUALS_FILE,
    GATE_FILE,
    LAWFUL_FILE,
    MISSING_FILE,
    MITIGATION_FILE,
    PRICE_FILE,
    QUOTABLE_FILE,
    REASONS_FILE,
    RESULTS_FILE,
    RULES_FILE,
    SPLITS,
    Counterfactuals,
    FairnessPrice,
    GateResult,
    LawfulStudy,
    MissingFields,
    Mitigation,
    Policy,
    QuotableStudy,
    ReasonQuality,
    Review,
    RulePrices,
    TrainingResults,
    read,
    read_if_present,
)

CARD = ROOT / "MODEL_CARD.md"
POLICIES: tuple[tuple[str, Policy], ...] = (
    ("model, at the threshold", "model"),
    ("model, at theory's threshold", "model_at_theory"),
    ("everybody granted", "accept_all"),
    ("everybody refused", "refuse_all"),
)


MAX_MISSING_FIELDS = 10
"""Fields that the card lists, of those that change the PD when they are left out."""


def model_card(folder: Path) -> str:
    """Return the card as Markdown; every figure in it comes from a result file of this folder."""
    results = read(TrainingResults, folder / RESULTS_FILE)
    gate, price = read_if_present(GateResult, folder / GATE_FILE), read_if_present(FairnessPrice, folder / PRICE_FILE)
    missing = read_if_present(MissingFields, folder / MISSING_FILE)
    rules = read_if_present(RulePrices, folder / RULES_FILE)
    other_loans = read_if_present(Counterfactuals, folder / COUNTERFACTUALS_FILE)
    quotable = read_if_present(QuotableStudy, folder / QUOTABLE_FILE)
    reasons = read_if_present(ReasonQuality, folder / REASONS_FILE)
    parts = [
        _head(results),
        _PURPOSE,
        _training(results),
        _metrics(results),
        _decision(results),
        _review(results.review),
        _rules(rules),
        _calibration(results),
        _gate(gate, results),
        groups_part(results),
        price_part(price),
        mitigation_part(read_if_present(Mitigation, folder / MITIGATION_FILE)),
        _quotable(quotable),
        _lawful(read_if_present(LawfulStudy, folder / LAWFUL_FILE)),
        _explanation(results),
        _reasons(reasons, results),
        _missing(missing, results),
        _other_loans(other_loans, results),
        _limits(results),
        _versions(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_model_card(folder: Path, card: Path = CARD) -> None:
    """Write the card of the published results."""
    card.write_text(model_card(folder))


def _head(results: TrainingResults) -> str:
    caution = ""
    if results.data == "synthetic":
        caution = (
            "\n\n> **This card describes the generator of the synthetic data, not the world.** "
            "Publish a run on the real data, and it describes that."
        )
    family = {
        "blend": "a blend of gradient-boosted trees (LightGBM) and logistic regression on pieces of lines",
        "lightgbm": "gradient-boosted trees (LightGBM)",
        "linear": "logistic regression on pieces of lines",
    }[results.family]
    return (
        f"# Model card: probability of default{caution}\n\n"
        f"Obtained on {results.description}: {family}, run `{results.run}`. "
        "Written by `python -m research publish`; figures in brackets are bootstrap intervals at 95 %."
    )


_PURPOSE = """## What it is for

It estimates how likely a loan applicant of "Prêt à dépenser" is to default, from the application and the client's
history at this and other lenders, so that the application is granted, refused or reviewed by a person, and the
decision is explained.

- **Users**: loan officers, through the service and its page; a client may ask for the reasons and for a human review.
- **Not for**: other products or countries than those of the training data, setting prices or limits, collecting
  debts, advertising, or any decision on people who did not apply.
- **Regulation**: credit scoring of natural persons is a high-risk use under Annex III 5(b) of the EU AI Act and, where
  the decision depends on the score, an automated decision under Article 22 GDPR. The decision must stay contestable."""


def _training(results: TrainingResults) -> str:
    age = "they may be used" if results.with_age else "left out"
    rest = "Family status, region and housing stay in: they may be proxies of what is left out, see below."
    if results.lawful == "strict":
        rest = "All features that a strict reading of the law doubts are left out, but the external scores."
    constraints = "held to one direction each" if results.constraints else "free"
    metrics = results.metrics
    return f"""## Data and exclusions

- Home Credit's seven tables: one application, and the client's history in six others. `docs/features.md` lists every
  feature; {metrics["features"]:.0f} of them are used, chosen inside the folds:
  [which, and what the law may doubt](docs/governance/features_and_article_18.md).
- Split by a salted hash of the person: development 70 % (folds, tuning, selection, calibration, threshold), gate 15 %
  (promotion only), test 15 % (outcomes read by `python -m research publish` alone; explanations read its files).
  {metrics["out_of_fold_clients"]:,.0f} development and {metrics["test_clients"]:,.0f} test clients. Applications that
  seem to be the same person's are in one split and one fold. {opening(results)}
- **Gender is never a feature**, nor is maternity leave. Features computed from age: {age}. Monotone features:
  {constraints}. {rest}
- Defaults in the development rows: {metrics["out_of_fold_default_rate"]:.1%}; test:
  {metrics["test_default_rate"]:.1%}."""


def _metrics(results: TrainingResults) -> str:
    rows = [["AUC", *(interval(results.intervals[split].get("auc")) for split in SPLITS)]]
    rows += metric_rows(results, (("Gini", "gini"), ("KS", "ks")), ".3f")
    named = (("PR-AUC", "pr_auc"), ("log-loss", "log_loss"), ("Brier score", "brier"))
    rows += metric_rows(results, named, ".4f")
    if results.oracle:
        oracle = [results.oracle.get(f"{split}_auc") for split in SPLITS]
        rows.append(["AUC of the oracle (the true probabilities)", *(f"{auc:.3f}" for auc in oracle if auc)])
    return f"""## How well it ranks

The figures to quote are those of the test split, of which no choice has seen anything; out of fold, features and
tuning were chosen on the same clients.

{with_intervals(" | out of fold | test", rows)}"""


def _decision(results: TrainingResults) -> str:
    costs, economics, metrics = results.costs, results.economics, results.metrics
    return f"""## Decision

A missed default costs {costs.false_negative:g}, a good client refused {costs.false_positive:g}; in money a
default loses {economics.loss_given_default:.1%} of the loan, a good client refused a margin of
{economics.margin:.1%}. {_threshold(metrics)}
Out of fold, costs are computed with thresholds that the other folds chose.

{_policies(results)}

If a missed default cost more or less (out of fold, in good clients refused):

{_sensitivity(results)}"""


def _threshold(metrics: dict[str, float]) -> str:
    """Return the threshold that is served, and why this one."""
    served = f"Refused from a probability of **{metrics['threshold']:.4f}** on"
    theory, searched = metrics["theoretical_threshold"], metrics.get("searched_threshold")
    if searched is None:  # results of an older training
        return f"{served}, chosen on out-of-fold scores (theory: {theory:.4f})."
    saves, error = metrics["searched_threshold_saves"], metrics["searched_threshold_saves_error"]
    on_other_folds = f"saves {saves:+.4f} per client on other folds, with a standard error of {error:.4f}"
    if metrics["threshold"] == theory:
        return (
            f"{served}, the threshold of theory on calibrated scores. The one searched on out-of-fold scores, "
            f"{searched:.4f}, {on_other_folds}: it is served only where it saves more than that."
        )
    return f"{served}, searched on out-of-fold scores: against theory's {theory:.4f} it {on_other_folds}."


def _policies(results: TrainingResults) -> str:
    rows = []
    for title, policy in POLICIES:
        test = results.business["test"][policy]
        costs = (interval(results.business[split][policy].cost_per_client) for split in SPLITS)
        rows.append([title, *costs, f"{test.money_per_client:,.0f}", f"{test.refused_share:.1%}"])
    head = "policy | cost per client, out of fold | cost per client, test | money per client, test | refused, test"
    return with_intervals(head, rows)


def _sensitivity(results: TrainingResults) -> str:
    rows = []
    for row in results.sensitivity:
        costs = (row.cost_per_client, row.cost_per_client_accept_all, row.cost_per_client_refuse_all)
        thresholds = (row.threshold, row.theoretical_threshold)
        rows.append([f"{row.ratio:g}", *(f"{part:.4f}" for part in thresholds), *(f"{cost:.3f}" for cost in costs)])
    return table("ratio | threshold found | theory | cost | everybody granted | everybody refused", rows)


def _review(review: Review | None) -> str:
    if review is None:  # results of an older training
        return ""
    served = "As served, no application is reviewed: that takes a capacity at training."
    if review.served:
        served = (
            f"As served, a person decides from a probability of **{review.served.low:.4f}** up to "
            f"**{review.served.high:.4f}**: {review.served.capacity:.1%} of the applications out of fold."
        )
    return f"""## Review

{served}

A capacity, the share of applications that a person can review, determines the band around the threshold in which the
model's decision costs most on average (Chow's rule of the reject option); it extends further above than below, because
a missed default costs more than a good client refused. Out of fold, bands are those that the other folds chose.
Reviewers err as often on either outcome; the break-even is the share of wrong decisions from which on the reviewer
costs more than the model alone.
**Their time has no price here**: compare it with what a review saves, in good clients refused. The figure:
`research/results/review.png`.

{_review_table(review)}"""


def _review_table(review: Review) -> str:
    """Return the costs of each capacity and reviewer, after those without review."""
    head = "capacity | band | reviewer wrong in"
    head += " | cost per client, out of fold | cost per client, test | saved per review, out of fold"
    first = review.table[0]
    without = [interval(part.cost_per_client) if part else "" for part in (first.out_of_fold, first.test)]
    rows = [["none", "", "", *without, ""]]
    for row in review.table:
        band = f"{row.band.low:.4f} to {row.band.high:.4f}"
        tested = {reviewer.error: reviewer for reviewer in row.test.reviewers} if row.test else {}
        for reviewer in row.out_of_fold.reviewers:
            saved, test = reviewer.saved_per_review, tested.get(reviewer.error)
            costs = [interval(part.cost_per_client) if part else "" for part in (reviewer, test)]
            wrong = f"{reviewer.error:.0%} of cases"
            rows.append([f"{row.capacity:g}", band, wrong, *costs, "none" if saved is None else f"{saved:.2f}"])
        if row.out_of_fold.break_even is not None:
            even = [interval(part.break_even, ".1%") if part else "" for part in (row.out_of_fold, row.test)]
            rows.append([f"{row.capacity:g}", band, "break-even", *even, "0"])
    return with_intervals(head, rows)


def _rules(prices: RulePrices | None) -> str:
    if prices is None:  # results of an older training
        return ""
    rows = []
    for row in prices.table:
        price = row.out_of_fold
        default = "" if price.default_rate is None else f"{price.default_rate:.1%}"
        outcome = row.outcome if row.on else f"{row.outcome}, off"
        applies, stops = (f"{part / price.clients:.2%}" for part in (price.applies, price.stops))
        changes = (interval(change.cost_change, "+.4f") for change in price.changes)
        rows.append([row.code, outcome, applies, default, stops, *changes])
    errors = " | ".join(f"cost, reviewer wrong in {change.error:.0%}" for change in prices.table[0].out_of_fold.changes)
    head = f"rule | outcome | applies to | of them default | stops | {errors}"
    return f"""## Rules before the model

The lender's rules (`bento/rules/rules.toml`, version `{prices.rules_version}`) can only make a decision stricter.
Obtained on {prices.description}, run `{prices.run}`, out of fold. A rule *stops* those whom the model would grant.
The cost is the change per client, in good clients refused, where a person who is wrong in a share of the cases decides
on those in review; **the time of that person has no price here.** An *impossible* application is refused unread: what
such a rule stops in training data is an error of the data.

{with_intervals(head, rows)}"""


def _calibration(results: TrainingResults) -> str:
    rows = [
        [row.method, f"{row.log_loss:.5f}", f"{row.brier:.5f}", f"{row.slope:.3f}", f"{row.intercept:.3f}"]
        for row in results.calibration.compared
    ]
    served, metrics, intervals = results.calibration.served, results.metrics, results.intervals
    left = interval(intervals["out_of_fold"].get("calibration_slope"))
    test = interval(results.intervals["test"].get("calibration_slope"))
    return f"""## Calibration

{table("method | log-loss | Brier | slope left | intercept left", rows)}

Each map was fitted on other folds than those that it is evaluated on: on its own rows, the slope that is left would be
1 by construction. Served: log-odds times {served.slope:.4f} plus {served.intercept:.4f} (1 and 0: as they are). Out of
fold, calibrated on the other folds, the slope is {left}, the Brier score {metrics["out_of_fold_brier"]:.5f}, and
{metrics["out_of_fold_predicted_to_observed"]:.3f} defaults are predicted for each; on the test split the slope is
{test}, the Brier score {metrics["test_brier"]:.5f}, and {metrics["test_predicted_to_observed"]:.3f} defaults are
predicted for each. {WHAT_INTERVALS_HOLD["en"]}"""


def _gate(gate: GateResult | None, results: TrainingResults) -> str:
    if gate is None or gate.fingerprint != results.fingerprint:
        return ""
    against = f"champion version {gate.champion}" if gate.champion else "the trivial policies"
    rows = [[check.name, "ok" if check.passed else "failed", check.found] for check in gate.checks]
    return (
        f"## Gate\n\nVersion {gate.challenger} against {against}, on {gate.clients:,} clients that nothing else "
        f"reads: {'promoted' if gate.promoted else 'refused'}.\n\n{table('check |  | found', rows)}"
    )


def _quotable(study: QuotableStudy | None) -> str:
    if study is None:
        return ""
    rows = [
        [
            arm.arm,
            f"{arm.features:.0f}",
            f"{arm.auc:.4f}" if gain is None else f"{gain:+.4f} ± {arm.auc_gain_error:.4f}",
            f"{arm.cost:.4f}" if arm.cost_gain is None else f"{0 - arm.cost_gain:+.4f} ± {arm.cost_gain_error:.4f}",
        ]
        for arm, gain in ((arm, arm.auc_gain) for arm in study.arms)
    ]
    return f"""## What may be held against a client

On {study.description}, out of fold, paired; ± is a standard error, without the randomness of the fit.
Features that cannot be quoted to a client can be left out by family, and the risk can be held monotone in more features
than those whose direction is certain: *declared*, where the catalogue names a direction and the feature can be quoted,
or *quoted*, where it is quoted in one direction only. The default is the first of these arms that costs no more than
one standard error, in AUC and in cost: all changes together, then each time without the one that is dearest alone.
Left out: **{", ".join(study.left_out) or "none"}**; directions: **{study.directions}**.
The figure: `research/results/quotable.png`.

{table("arm | features | AUC, or its change | cost per client, or its change", rows)}"""


def _lawful(study: LawfulStudy | None) -> str:
    if study is None:
        return ""
    return f"""## What a strict reading of the law costs

Which features are left out, and why: `docs/governance/features_and_article_18.md`.

{strict_reading(study)}"""


def _reasons(reasons: ReasonQuality | None, results: TrainingResults) -> str:
    if reasons is None or reasons.run != results.run:
        return ""
    rows = [
        [name, f"{part.files}", *(interval(share, ".1%") for share in (part.falls, part.falls_more, part.both))]
        for name, part in {"all": reasons.fidelity, **reasons.fidelity_by_kind}.items()
    ]
    again = [
        [row.model, interval(row.same_first, ".1%"), interval(row.first_among_reasons, ".1%")]
        for row in reasons.stability
    ]
    return f"""## How true and stable the reasons are

Of {reasons.fidelity.files} refused files of the test split, what the first reason names was set to what is usual among
similar clients (of a concept without a fact all features, of something unknown the unknown ones), and for comparison
all features of another concept, drawn at random:

{table("first reason names | files | PD falls | falls by more than for the other concept | both", rows)}

The same files with models that were trained again, features chosen anew:

{table("trained with | same first reason | first reason among theirs", again)}

The first reason quotes no fact in {interval(reasons.without_fact, ".1%")} of {reasons.decisions:,} decisions, and in
{interval(reasons.refused_without_fact, ".1%")} of the refusals."""


_HOW_EXPLAINED = {
    "lightgbm": "TreeSHAP",
    "linear": "each effect less its mean",
    "blend": "TreeSHAP for its trees, each effect less its mean for its linear part, summed by their weights",
}
"""How each family's contributions are computed."""


def _explanation(results: TrainingResults) -> str:
    explained = results.explanations
    groups = [[row.label, f"{row.mean_abs_shap:.3f}"] for row in explained.groups]
    return f"""## How it is explained

Each decision by exact SHAP contributions to the log-odds of default ({_HOW_EXPLAINED[results.family]}),
which add up to the score, grouped by concept. Mean weight of each on {explained.rows:,} test clients:

{table("concept | mean absolute SHAP, log-odds", groups)}

LIME was tried as a second view and is not served: two seeds share {explained.lime.stability["overlap"]:.0%} of its ten
main features, and {explained.lime.agreement["sign"]:.0%} of them push the way SHAP says."""


def _missing(missing: MissingFields | None, results: TrainingResults) -> str:
    if missing is None or missing.run != results.run:
        return ""
    present = [row for row in missing.fields if row.files]
    changing = [row for row in present if row.changed]
    rows = [
        [
            f"`{row.field}`",
            f"{row.changed or 0:.0%}",
            f"{row.mean_change or 0:+.1%}",
            f"{row.largest_change or 0:+.1%}",
            f"{row.flipped} of {row.files}",
            f"{row.warned} of {row.files}",
        ]
        for row in sorted(changing, key=lambda row: -(row.mean_absolute_change or 0))[:MAX_MISSING_FIELDS]
    ]
    head = "field left out | PD changed in | mean change | largest change | decisions changed | named under warnings"
    return f"""## Fields that are missing

An unknown value of which training saw few is read as the median, or most frequent category, of the training clients;
of others the model has learnt what unknown means. Neither a value read as typical nor an unknown one alone is a reason.
Of {missing.files} credit files of the test split, each of {len(present)} optional fields was left out in turn;
{len(changing)} of them change the PD of some file. All are in `research/results/{MISSING_FILE}`; the largest changes,
relative to the PD:

{table(head, rows)}"""


def _other_loans(counterfactuals: Counterfactuals | None, results: TrainingResults) -> str:
    if counterfactuals is None or counterfactuals.run != results.run:
        return ""
    share, medians = counterfactuals.with_proposal, counterfactuals.medians
    rows = [[kind.replace("_", " "), f"{part:.1%}"] for kind, part in counterfactuals.by_kind.items()]
    rows.append(["two of them", f"{counterfactuals.with_two:.1%}"])
    rows.append(["the nearest needs a down payment", f"{counterfactuals.with_down_payment:.1%}"])
    nearest = ""
    if medians.loan_cut is not None and medians.instalment_cut is not None:
        nearest = (
            f" At the median the nearest cuts the loan by {medians.loan_cut:.1%} and the instalment by "
            f"{medians.instalment_cut:.1%}."
        )
    return f"""## Other loans for a refused client

Of {counterfactuals.files:,} applications of the test split that are not granted, {interval(share, ".1%")} get at least
one other loan with which they would be: smaller, or over a longer term that is sold at the same monthly rate; the price
of the goods and all facts about the client stay.{nearest}

{table("loan | share of the applications", rows)}

Each was sent as a new application: {counterfactuals.not_confirmed} applications had one that was not granted."""


def _limits(results: TrainingResults) -> str:
    first = results.explanations.groups[0].group == "external_scores"
    scores = "The external scores have the largest weight, and" if first else "It reads external scores, and"
    return f"""## Limits

- Past applicants who were refused have no outcome: the model is trained on granted loans only.
- {scores} this project does not know their content.
- A threshold chosen on few clients is uncertain: see the intervals and the cost curve, which is flat around it.
- It does not explain why people default; changing a feature need not change the risk.
- It becomes outdated: `make drift` compares new applications with those it was trained on."""


def _versions(results: TrainingResults) -> str:
    return f"""## Versions

| | |
|---|---|
| code | `{results.code_version}` |
| features | `{results.catalogue}` |
| data | `{results.fingerprint}` |
| run | `{results.run}` |
| seed of training | {results.seed_of_training} |"""
