# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Which model, and what it looks at
#
# Families of models and treatments of the imbalance are judged on the same folds of the same clients, by what their
# decisions cost. Then the model that is served is opened: what moves its scores over all clients, what moved one
# client's, and how its decisions fall on groups of clients.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from IPython.display import display

from bento.model.scoring_model import ScoringModel
from research.comparison import compare
from research.explanation.explain import TOP, explain_client
from research.reporting.notebook_support import comparison_for, model_for, open_notebook, picture, subplots
from research.results import RESULTS_FILE, Comparison, Interval, TrainingResults, read

# %matplotlib inline

data = open_notebook()

# %% [markdown]
# ## The simulations
#
# A candidate is a family under one treatment of the imbalance: none, class weights, fewer good clients, or made-up
# defaults (SMOTE). Everything that is fitted, from the choice of features to the sampler, is fitted inside the fold, on
# its training rows alone. A treatment trains on another share of defaults than there is, so its probabilities are
# brought back to the share there is; then each candidate's threshold for a fold is chosen on the other folds.
#
# A candidate that a run has finished before, with the same data, code and settings, is read and not run again. On few
# clients only the families that can be served are tried, in fewer folds.

# %%
table = comparison_for(data)
comparison = Comparison.model_validate(table)
rows = compare.table(table)
models = rows.filter(pl.col("auc").is_not_null(), pl.col("family") != "prior")
print(f"{len(rows)} candidates in {comparison.folds} folds of {comparison.development_clients:,} development clients")
print(f"of them read from earlier runs: {rows['reused'].sum()}")
print(f"costs: {comparison.costs.false_negative:g} to {comparison.costs.false_positive:g}")

# %% [markdown]
# ## The comparison
#
# The cheapest first. Costs are counted in good clients refused, per client; the interval is a bootstrap over clients.
# `above the best` is paired: the difference on the same clients, so that its interval may leave 0 out where the two
# intervals of the costs overlap.

# %%
rows.select(
    "candidate",
    "served",
    cost="cost_per_client",
    low="cost_per_client_low",
    high="cost_per_client_high",
    above_the_best="cost_above_best",
    above_low="cost_above_best_low",
    above_high="cost_above_best_high",
    at_theory="cost_per_client_at_theory",
)

# %%
quality = ["auc", "pr_auc", "log_loss", "brier", "calibration_slope", "predicted_over_observed", "refused_share"]
rows.filter(pl.col("auc").is_not_null()).select("candidate", *quality, "fit_seconds", "score_ms_per_1000")

# %%
overview = compare.plot_comparison(table)
overview.set_dpi(80)
overview

# %% [markdown]
# ## The verdict
#
# Families whose contributions add up exactly can be served; the others are compared so that we know what we forgo.
# The question is not who comes first, but whether a family that cannot be served beats the best that can beyond
# chance.

# %%
cheapest, dearest = models.row(0, named=True), models.row(-1, named=True)
print(f"cheapest: {cheapest['candidate']}, {1000 * cheapest['cost_per_client']:.1f} per 1,000 applications")
print(f"dearest model: {dearest['candidate']}, {1000 * dearest['cost_per_client']:.1f}")
tied = models.filter(pl.col("cost_above_best_low") <= 0)["candidate"].to_list()
print(f"no dearer than chance explains: {'; '.join(tied)}")
verdict = comparison.verdict
print(verdict.statement if verdict else "every family that was tried can be served")

# %% [markdown]
# ## What treating the imbalance does
#
# Each treatment against doing nothing, in the same family and the same folds. Below 0 the treatment saves. The last
# column says in how many folds it does: luck would do it in about half of them.

# %%
fold_cost = {row.candidate: [part.cost for part in row.by_fold] for row in comparison.rows if row.by_fold}
treated = models.filter(pl.col("arm") != "none").sort("family", "arm")
pl.DataFrame(
    {
        "candidate": row["candidate"],
        "cost, against none": (change := np.subtract(fold_cost[row["candidate"]], fold_cost[row["family"]])).mean(),
        "AUC, against none": row["auc"] - models.filter(candidate=row["family"])["auc"][0],
        "folds in which it saves": f"{(change < 0).sum()} of {len(change)}",
    }
    for row in treated.iter_rows(named=True)
)

# %%
shown = {"cost_per_client": "cost per client", "auc": "AUC", "predicted_over_observed": "predicted over observed"}
figure, axes = subplots(1, 3, figsize=(13, 3.8))
for place, (measure, title) in zip(axes, shown.items(), strict=True):
    for family in models["family"].unique(maintain_order=True):
        of_family = {row["arm"]: row[measure] for row in models.filter(family=family).iter_rows(named=True)}
        arms = [arm for arm in compare.ARMS if arm in of_family]
        place.plot([arm.replace("_", "\n") for arm in arms], [of_family[arm] for arm in arms], "o-", label=family)
    place.set_title(title)
axes[2].axhline(1, ls=":", c="grey")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# A treatment that leaves the AUC as it is has moved the scores, not the order of clients; a threshold does the same for
# nothing. Where `predicted over observed` is far from 1 even after the correction, the probabilities have lost their
# meaning, and with them theory's threshold (notebook 3).
#
# ## The model that is served
#
# From here on: the registered model of this data, the champion if it is one. Its training has written what it weighs,
# on test clients: SHAP values are the model's own, exact contributions to the log-odds, so that they add up.

# %%
version, results = model_for(data)
report = read(TrainingResults, results / RESULTS_FILE)
explained = report.explanations
print(f"{version.name} version {version.version}, {report.family}, {report.metrics['features']:.0f} features")
print(f"explained on {explained.rows:,} test clients; the sums are off by {explained.largest_additivity_error:.0e}")
picture(results / "shap_beeswarm.png", width=800)

# %% [markdown]
# Features that measure nearly the same share their weight, in a proportion that depends on the fit. A concept is
# steadier: the contributions of its features are added up for each client first, which is exact.

# %%
picture(results / "shap_groups.png", width=700)

# %%
pl.DataFrame(explained.features).select("label", "group", "mean_abs_shap").head(15)

# %% [markdown]
# How the score follows the main numbers. A model that is held to a direction may be flat, but may not turn.

# %%
picture(results / "shap_dependence.png", width=950)

# %% [markdown]
# ## One client
#
# The most debatable one of the test split: the client nearest to the threshold. The waterfall goes from the average to
# this client's log-odds, feature by feature. `make explain` draws it; `--client NUMBER` chooses the client.

# %%
model, test = ScoringModel(results / "model"), data.test_features()
nearest = int(np.argmin(np.abs(model.probability(test) - model.threshold)))
client = test[[nearest]]
with tempfile.TemporaryDirectory() as folder:
    explained_client = explain_client(model, test, client, Path(folder), "client")
    pictures = [picture(Path(folder) / f"client_{name}.png", width=800) for name in ("waterfall", "lime")]
print(f"client {client['SK_ID_CURR'][0]}: probability of default {explained_client['probability_of_default']:.4f}")
print(f"threshold {model.threshold:.4f}")
display(pictures[0])

# %% [markdown]
# ## LIME, a second view
#
# LIME fits a small linear model to the answers for made-up neighbours of a client. It needs to know nothing of the
# model, which is its merit; its neighbours are drawn at random, which is its fault. So it is run with several seeds,
# and asked how far it agrees with itself, and with SHAP.

# %%
display(pictures[1])

# %%
lime = explained.lime
print(f"main features: the {TOP} of greatest weight; seeds: {len(lime.settings['seeds'])}")
pl.DataFrame(
    {
        "probability of default": view.probability_of_default,
        "main features that two seeds share": view.stability["overlap"],
        "main features shared with SHAP": view.agreement["overlap"],
        "signs shared with SHAP": view.agreement["sign"],
        "fit (R²)": view.fit,
    }
    for view in lime.clients
)

# %% [markdown]
# A feature that only one of two seeds finds is noise. The reasons that clients are given are therefore taken from SHAP,
# never from LIME.
#
# ## Fairness
#
# Gender is in no model, nor is age in the default one; both are kept aside to see how the decisions fall. The approval
# ratio compares a group with the most approved one; below four fifths it is flagged. Groups whose share of defaults
# differs cannot be alike in approvals, in both errors and in calibration at once: the table shows what was traded.

# %%
rates = "approval_rate approval_ratio good_clients_refused defaults_granted auc"
parts = ["clients", "default_rate", *rates.split()]
groups = [
    {"by": by, "group": group.group}
    | {part: value.value if isinstance(value := getattr(group, part), Interval) else value for part in parts}
    | {"flagged": group.below_rule}
    for by in ("gender", "age")
    for group in report.fairness.dimension(by).groups
]
pl.DataFrame(groups, infer_schema_length=None)

# %%
picture(results / "fairness.png", width=950)

# %% [markdown]
# Empty cells are groups of too few clients to be judged. What leaving gender and age out costs is measured by
# `make fairness`, on models that are never kept.
