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
# # 3. The business score
#
# A model gives a probability of default; a decision is yes or no. This notebook goes from the costs of errors to the
# threshold that is served, with the uncertainty of each step. All scores are out of fold: each client is scored by a
# model that was not trained on that client.

# %%
import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV

from bento.model.scoring_model import ScoringModel, encode
from bento.policy import DEFAULT_COSTS, DEFAULT_ECONOMICS
from research.data.splits import fold_rows
from research.evaluation import business_score as score
from research.evaluation import calibration
from research.evaluation.bootstrap import LEVEL, mean_with_interval
from research.reporting.notebook_support import model_for, open_notebook, subplots
from research.results import OUT_OF_FOLD_FILE, RESULTS_FILE, TrainingResults, read
from research.training.linear import linear_pipeline
from research.types import OutOfFold

# %matplotlib inline

data = open_notebook()

# %%
version, results = model_for(data)
scores = pl.read_parquet(results / OUT_OF_FOLD_FILE, glob=False)
target, probability, fold = (scores[name].to_numpy() for name in ("target", "probability", "fold"))
out_of_fold = OutOfFold.from_probability(target, probability, fold)
development = data.rows("development")
print(f"{version.name} version {version.version}: {len(scores):,} development clients, {target.mean():.2%} default")
scores.head(5)

# %% [markdown]
# ## Two errors, and what they cost
#
# A loan granted that defaults loses a part of its amount: the *loss given default* (LGD). A good client refused loses
# the lender what the loan would have earned: the *margin*. Both grow with the amount, so that their ratio does not: it
# is the business rule of this project, and the assumptions behind it stand in `bento/policy.py`.

# %%
loss, margin = DEFAULT_ECONOMICS.loss_given_default, DEFAULT_ECONOMICS.margin
print(f"loss given default {loss:.1%}, margin {margin:.1%}: a missed default costs {loss / margin:.1f} good clients")
print(f"counted costs: {DEFAULT_COSTS.false_negative:g} to {DEFAULT_COSTS.false_positive:g}")
pl.DataFrame(
    {
        "client": ["defaults", "defaults", "repays", "repays"],
        "decision": ["granted", "refused", "granted", "refused"],
        "cost": score.costs_of(np.array([1, 1, 0, 0]), np.array([False, True, False, True])),
        "of a loan of 100,000": score.money_of(
            np.array([1, 1, 0, 0]), np.array([False, True, False, True]), np.full(4, 100_000.0)
        ),
    }
)

# %% [markdown]
# ## The threshold by theory
#
# Granting costs `p · FN` on average, refusing `(1 - p) · FP`. Refusing is cheaper from
#
# $$t^* = \frac{FP}{FP + FN}$$
#
# on, which no data enters: it holds wherever `p` is the true probability.

# %%
theory = DEFAULT_COSTS.theoretical_threshold
print(f"theory: refuse from a probability of {theory:.4f} on")
p = np.linspace(0, 0.3, 100)
figure, axes = subplots(figsize=(6.5, 3.4))
axes.plot(p, p * DEFAULT_COSTS.false_negative, label="grant")
axes.plot(p, (1 - p) * DEFAULT_COSTS.false_positive, label="refuse")
axes.axvline(theory, ls="--", c="grey", label=f"theory: {theory:.4f}")
axes.set(xlabel="probability of default", ylabel="expected cost (good clients refused)")
axes.legend()
plt.show()

# %% [markdown]
# ## The threshold by data
#
# The cost of every threshold can be tried on the out-of-fold scores. The band is a bootstrap over clients, and the two
# policies that need no model are drawn with it: a score that does not beat both is worth nothing. Where the curve is
# flat, the exact threshold matters little.

# %%
best = score.best_threshold(target, probability)
cost, low, high = score.cost_band(target, probability)
everybody = np.ones(len(target), dtype=bool)
figure, axes = subplots(figsize=(9, 4.4))
axes.fill_between(score.GRID, low, high, alpha=0.2, label=f"bootstrap, {LEVEL:.0%}")
axes.plot(score.GRID, cost)
for name, refused, style in (("accept all", ~everybody, ":"), ("refuse all", everybody, "-.")):
    trivial = score.cost_per_client(target, refused)
    axes.axhline(trivial, ls=style, c="grey", label=f"{name}: {trivial:.3f}")
for threshold, name, colour in ((best, "found", "C1"), (theory, "theory", "C2")):
    at = score.cost_per_client(target, probability >= threshold)
    axes.axvline(threshold, c=colour, label=f"{name}: {threshold:.4f}, cost {at:.3f}")
axes.set(xlim=(0, 0.4), xlabel="threshold", ylabel="cost per client (good clients refused)")
axes.legend(fontsize=8)
plt.show()

# %% [markdown]
# Is the threshold that was found better than theory's, or only luckier? Both decide on the same clients, so that the
# difference can be taken client by client. An interval that holds 0 says that theory would have done as well.

# %%
costs = {name: score.costs_of(target, probability >= at) for name, at in (("found", best), ("theory", theory))}
difference = mean_with_interval(costs["theory"] - costs["found"])
print(f"found {best:.4f} against theory {theory:.4f}: saves {difference.value:.4f} per client")
print(f"interval {difference.low:.4f} to {difference.high:.4f}")

# %% [markdown]
# ## Judged on other folds
#
# A threshold that is judged on the clients it was chosen on looks better than it is. So each fold is decided by the
# threshold that the other folds choose: what is left of the gain is what can be expected of it. Theory's threshold is
# taken unless the one that is searched saves more than a standard error on folds that it was not searched on.

# %%
refused, by_fold = score.cross_fitted_decisions(out_of_fold)
policies = {
    "found and judged on the same clients": probability >= best,
    "chosen by the other folds": refused,
    "theory": probability >= theory,
    "accept all": ~everybody,
    "refuse all": everybody,
}
estimates = {name: mean_with_interval(score.costs_of(target, refused)) for name, refused in policies.items()}
print("thresholds of the folds: " + ", ".join(f"{threshold:.4f}" for threshold in by_fold.values()))
choice = score.choose_threshold(out_of_fold)
print(f"a threshold searched on other folds saves {choice.saved:.4f} per client, error {choice.saved_error:.4f}")
print(f"served: {choice.threshold:.4f}, {'the one found' if choice.is_searched else 'that of theory'}")

# %%
pl.DataFrame(
    {
        "policy": name,
        "cost per client": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "refused": policies[name].mean(),
        "defaults refused": policies[name][target == 1].mean(),
        "good clients refused": policies[name][target == 0].mean(),
    }
    for name, estimate in estimates.items()
)

# %% [markdown]
# ## If a missed default cost more or less
#
# The ratio of the costs is an assumption. The table tries others: the threshold found follows theory's, and the last
# columns show where a trivial policy comes near the model.

# %%
tried = pl.DataFrame(score.sensitivity(out_of_fold))
figure, (left, right) = subplots(1, 2, figsize=(11, 3.6))
for name, style in (("", "o-"), ("_accept_all", "--"), ("_refuse_all", ":")):
    left.plot(tried["ratio"], tried[f"cost_per_client{name}"], style, label=(name or "_model")[1:].replace("_", " "))
left.set(xlabel="cost of a missed default", ylabel="cost per client (good clients refused)")
right.plot(tried["ratio"], tried["threshold"], "o-", label="found")
right.plot(tried["ratio"], tried["theoretical_threshold"], "--", c="C2", label="theory")
right.set(xlabel="cost of a missed default", ylabel="threshold")
left.legend()
right.legend()
plt.show()

# %%
tried

# %% [markdown]
# ## Why calibration matters
#
# Theory's threshold needs true probabilities. Here the same scores are distorted in ways that leave the order of
# clients, and so the AUC, as it is: shifted as balanced class weights would shift them, spread too far, or too little.
# The lowest cost stays the same, but the threshold that reaches it moves, and theory's threshold no longer reaches it.

# %%
log_odds = logit(probability)
prior = logit(target.mean())
distorted = {
    "as served": log_odds,
    "shifted, as by balanced weights": log_odds - prior,
    "too extreme (slope 2)": prior + 2 * (log_odds - prior),
    "too timid (slope 1/2)": prior + (log_odds - prior) / 2,
}

# %%
pl.DataFrame(
    {
        "scores": name,
        "AUC": roc_auc_score(target, scores),
        "mean probability": expit(scores).mean(),
        "cost at theory": score.cost_per_client(target, expit(scores) >= theory),
        "best threshold": (at_best := score.best_threshold(target, expit(scores))),
        "cost at best": score.cost_per_client(target, expit(scores) >= at_best),
    }
    for name, scores in distorted.items()
)

# %% [markdown]
# ## Which map calibrates best
#
# Three maps are compared with none on the model's own scores, each fitted on the other folds than the one it is judged
# on. Slope 1 and intercept 0 are perfect. Only the sigmoid's can be served, for scaled by one slope the reasons still
# add up to the score; it is taken where it earns more log-loss than one standard error.

# %%
served = ScoringModel(results / "model").manifest.calibration
raw = (log_odds - served.intercept) / served.slope
print(f"served: slope {served.slope:.3f}, intercept {served.intercept:.3f}")
uncalibrated = OutOfFold(target=target, log_odds=raw, fold=fold)
pl.DataFrame(calibration.compare_calibrations(uncalibrated)).drop("curve")

# %%
figure, axes = subplots(figsize=(6.5, 4.6))
for name, fit in calibration.METHODS.items():
    mapped = calibration.cross_fitted(fit, uncalibrated)
    observed, predicted = calibration_curve(target, mapped, n_bins=10, strategy="quantile")
    axes.plot(predicted, observed, "o-" if name == "none" else ".--", lw=1.5 if name == "none" else 0.8, label=name)
axes.axline((0, 0), slope=1, ls=":", c="grey", lw=0.8)
axes.set(title="Reliability by decile", xlabel="predicted probability of default", ylabel="share in default")
axes.legend()
plt.show()

# %% [markdown]
# ## The same in scikit-learn
#
# `decision_scorer` puts the business score into scikit-learn's own tools. `TunedThresholdClassifierCV` chooses the
# threshold of any classifier by cross-validation; the classifier itself is still fitted on log-loss. Here it is the
# linear model, on a sample of the development clients and with the features of the model above.

# %%
columns = ScoringModel(results / "model").manifest.features
sample = np.sort(np.random.default_rng(1).permutation(len(target))[:20_000])
matrix = encode(development.features, columns)[sample]
folds = fold_rows(target[sample], development.person[sample], folds=3, seed=1)
tuned = TunedThresholdClassifierCV(
    linear_pipeline(columns), scoring=score.decision_scorer(), cv=folds, store_cv_results=True
).fit(matrix, target[sample])
print(f"best threshold {tuned.best_threshold_:.4f}, cost {-tuned.best_score_:.4f} per client; theory {theory:.4f}")

# %%
figure, axes = subplots(figsize=(7, 3.4))
axes.plot(tuned.cv_results_["thresholds"], -tuned.cv_results_["scores"])
axes.axvline(tuned.best_threshold_, c="C1", label=f"best: {tuned.best_threshold_:.4f}")
axes.axvline(theory, ls="--", c="C2", label=f"theory: {theory:.4f}")
axes.set(title="Linear model, mean of the folds", xlabel="threshold", ylabel="cost per client", xlim=(0, 0.4))
axes.legend()
plt.show()

# %% [markdown]
# ## In money
#
# Counted errors weigh all loans alike; money weighs them by their amount. If defaults were more frequent among large
# loans than their probabilities say, the two would ask for different thresholds.

# %%
business = read(TrainingResults, results / RESULTS_FILE).business["out_of_fold"]
accept_all = business["accept_all"].money_per_client
pl.DataFrame(
    {
        "policy": name.replace("_", " "),
        "cost per client": policy.cost_per_client.value,
        "money lost per client": round(policy.money_per_client),
        "saved per 1,000 clients, against accept all": round(1000 * (accept_all - policy.money_per_client)),
    }
    for name, policy in business.items()
)

# %%
grid = score.GRID[score.GRID <= 0.4]
money = np.array([score.money_of(target, probability >= at, development.exposure).mean() for at in grid])
counted = np.array([score.cost_per_client(target, probability >= at) for at in grid])
figure, axes = subplots(figsize=(8, 3.8))
for values, name, colour in ((counted, "counted errors", "C0"), (money, "money", "C3")):
    lowest = grid[np.argmin(values)]
    axes.plot(grid, values / values.min(), c=colour, label=f"{name}: least at {lowest:.4f}")
    axes.axvline(lowest, c=colour, lw=0.8, ls=":")
axes.axvline(theory, ls="--", c="C2", label=f"theory: {theory:.4f}")
axes.set(xlabel="threshold", ylabel="cost, over the least", ylim=(0.98, 1.6))
axes.legend()
plt.show()

# %% [markdown]
# ## What is served
#
# The threshold that is served, theory's or the one that was found, goes into the model folder and with it through
# registry, Bento and service. What it costs on clients who chose nothing is measured once, on the test split, by
# `python -m research publish`; here, out of fold, with thresholds of the other folds.

# %%
model = ScoringModel(results / "model")
refused, _ = score.cross_fitted_decisions(out_of_fold)
cost = mean_with_interval(score.costs_of(target, refused))
print(f"threshold served: {model.threshold:.4f}; refused out of fold: {refused.mean():.1%}")
print(f"cost per client out of fold: {cost.value:.4f} ({cost.low:.4f} to {cost.high:.4f})")
