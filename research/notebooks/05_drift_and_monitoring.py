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
# # 5. Drift, and the model's life in production
#
# A model is right about the population on which it was trained. This notebook compares new applications with those of
# the training, makes a drift step by step until the report finds it, lets the journal of decisions raise the alarm, and
# ends with what to do about it. The commands are `python -m drift report`, `performance` and `watch`.
#
# ## The strategy
#
# | question | measured by | known |
# |---|---|---|
# | do the applications change? | PSI of columns and features, missing values, new categories | at once |
# | does it matter to the model? | PSI of the PD, approval rate, effect of drifted features | at once |
# | what will the decisions cost? | estimate from the calibrated PD and known outcomes | at once, as an estimate |
# | were the decisions right? | AUC, calibration and cost of granted loans | months later |
#
# Columns are not counted: forty columns on the building may change without effect, and few scores may carry most of
# the model. A limit is what chance reaches at the sample size at hand, over all columns together, and at least a
# small change; the verdict follows what the change does to the PD.

# %%
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from IPython.display import display

from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from bento.model.scoring_model import ScoringModel
from drift.actions import REMEDIES, findings
from drift.champion import scores
from drift.judge import Weighed, judge
from drift.performance import performance
from drift.populations import of_file, of_journal, population
from drift.transport import correlation
from drift.watch import stability
from research.data.credit_files import credit_files
from research.reporting.notebook_support import model_for, open_notebook, subplots
from research.reporting.simulated_decisions import emptied, write_decisions

# %matplotlib inline

data = open_notebook()
version, results = model_for(data)
model = ScoringModel(results / "model")
reference, current = (population(str(data.folder), side) for side in ("reference", "current"))

# %% [markdown]
# What the command does: both populations are scored by the model, then compared.


# %%
def compared(before, now, sample=10_000):
    """Judge two populations by the model."""
    parts = [scores(model, side, sample, seed=1) for side in (before, now)]
    return judge(before, now, Weighed(tag="champion", model=model, reference=parts[0], current=parts[1]))


# %% [markdown]
# ## New applications against those of the training
#
# `application_train` against `application_test`, as `make drift` compares them: the data's own shift. Of the public
# data it is known that revolving loans nearly vanish, enquiries at the bureau are counted in another way,
# EXT_SOURCE_1 is missing less often, amounts fall; the table shows what of that this data has. The command also
# writes an HTML page with Evidently's drawings of the columns that matter most.

# %%
report = compared(reference, current).report
print(report.verdict)
for ground in report.grounds:
    print(f"- {ground}")
columns = {
    "column": [column.column for column in report.drifted_columns],
    "PSI": [column.values.psi for column in report.drifted_columns],
    "threshold": [column.values.threshold for column in report.drifted_columns],
    "missing before": [column.missing_reference for column in report.drifted_columns],
    "missing now": [column.missing_current for column in report.drifted_columns],
    "change of PD": [column.pd_change for column in report.drifted_columns],
}
display(pl.DataFrame(columns).head(15))

# %% [markdown]
# The change of PD is that of clients of the training who are given the current distribution of the feature. Columns
# without a value there drift, but the model does not read them.

# %%
weights = [feature for feature in report.features if feature.pd_change is not None][:12]
figure, axes = subplots(figsize=(9, 4))
names = [feature.column for feature in reversed(weights)]
axes.barh(names, [100 * feature.pd_change for feature in reversed(weights)])
axes.set_xlabel("mean change of the PD, % of its mean")
_ = axes.set_title("What the drifted features do to the PD")

# %% [markdown]
# ## A drift, step by step
#
# Two random halves of the training data are one population: the first comparison below is "no drift". Then the
# external scores of the second half vanish for more and more clients. The verdict turns where the PSI of the PD, or
# the effect on clients of the reference, exceeds its limit.

# %%
half = np.random.default_rng(1).permutation(reference.rows)
before, now = (
    replace(reference, applications=reference.applications[np.sort(rows)])
    for rows in (half[: reference.rows // 2], half[reference.rows // 2 :])
)
EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
ranks = np.random.default_rng(2).random(now.rows)


def with_emptied(population, share):
    """Remove the external scores of a share of the clients."""
    chosen = pl.Series(ranks < share)
    kept = [pl.when(~chosen).then(pl.col(name)).alias(name) for name in EXTERNAL]
    return replace(population, applications=population.applications.with_columns(kept))


SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
judgements = [compared(before, with_emptied(now, share)) for share in SHARES]

# %% [markdown]
# The rank correlation of the PD with the true probabilities, which only synthetic data has, shows what is lost.

# %%
oracle_file = data.folder / "oracle.parquet"
truth = pl.read_parquet(oracle_file) if oracle_file.is_file() else None


def with_truth(scored):
    """Return the rank correlation of the PD with the true probabilities."""
    applicants = now.applications[scored.rows].select("SK_ID_CURR")
    joined = applicants.join(truth, on="SK_ID_CURR", how="left", maintain_order="left")
    return correlation(scored.probability, joined["PROBABILITY"].to_numpy())


# %%
reports = [judgement.report for judgement in judgements]
steps = pl.DataFrame(
    {
        "share emptied": SHARES,
        "columns drifted": [len(step.drifted_columns) for step in reports],
        "PSI of the PD": [step.probability.psi for step in reports],
        "limit": [step.probability.threshold for step in reports],
        "approved": [step.probability.approval_current for step in reports],
        "verdict": [step.verdict for step in reports],
    }
)
if truth is not None:
    steps = steps.with_columns(order=pl.Series([with_truth(item.weighed.current) for item in judgements]))
display(steps)

# %% [markdown]
# Three columns change, however much order the PD loses above. A report that counts columns would find no drift.

# %%
figure, axes = subplots(figsize=(8, 3.5))
axes.plot(steps["share emptied"], steps["PSI of the PD"], "o-", label="PSI of the PD")
axes.plot(steps["share emptied"], steps["limit"], "--", color="grey", label="limit")
axes.set(xlabel="share of clients without external scores", ylabel="PSI", title="The drift grows")
_ = axes.legend()

# %% [markdown]
# ## The alarm
#
# Decisions go to the journal, as the service writes them: here six months of clients, the external scores of the last
# two months emptied. The outcomes of the first three months arrive. The watch compares the period with the training,
# measures what has an outcome, estimates the rest, and names an action.
#
# The clients are from the training data, in which the model has seen the outcomes: granted loans default less often
# than among new clients, and a finding on calibration says just that.

# %%
PER_MONTH = min(300, reference.rows // 8)
start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
clients = reference.applications["SK_ID_CURR"][: 6 * PER_MONTH].to_list()
files = list(credit_files(data.folder, clients))
files[4 * PER_MONTH :] = [emptied(credit_file, EXTERNAL) for credit_file in files[4 * PER_MONTH :]]
folder = tempfile.TemporaryDirectory()
journal = Journal(f"sqlite:///{folder.name}/journal.db", Vault(None))
upgrade(journal)
write_decisions(journal, model, files, start, PER_MONTH)
labelled = of_file(data.folder / Path(reference.name).name, with_target=True)
outcomes = Path(folder.name) / "outcomes.csv"
pl.DataFrame({"SK_ID_CURR": clients, "TARGET": labelled.target[: len(clients)]})[: 3 * PER_MONTH].write_csv(outcomes)

# %%
period = of_journal(journal, start, end)
judgement = compared(reference, period)
measured = performance(journal, period, outcomes, "champion", model)
months = stability(judgement.weighed, period)
results_of_watch = findings(judgement.report, measured, months)
print(f"action: {results_of_watch[0].action}: {REMEDIES[results_of_watch[0].action]}")
for finding in results_of_watch:
    print(f"- {finding.action}: {finding.text}")

# %% [markdown]
# ## Stability over time
#
# The PSI of each month's PD against the training, and the mean PD with control limits of three standard errors.
# Emptied scores need not move the mean: compare both charts before trusting one.

# %%
figure, (left, right) = subplots(1, 2, figsize=(11, 3.5))
names = [month.month for month in months]
left.plot(names, [month.psi for month in months], "o-", label="PSI of the PD")
left.plot(names, [month.limit for month in months], "--", color="grey", label="limit")
left.set_title("PSI by month")
right.plot(names, [month.mean_pd for month in months], "o-", label="mean PD")
low, high = [month.low for month in months], [month.high for month in months]
right.fill_between(names, low, high, alpha=0.2, label="control limits")
right.set_title("Mean PD by month")
for axes in (left, right):
    axes.legend()

# %%
by_month = measured.by_month
table = {
    "month": [row.group for row in by_month],
    "decisions": [row.decisions for row in by_month],
    "approved": [row.approval_rate for row in by_month],
    "outcomes": [row.outcomes for row in by_month],
    "defaults": [row.defaults for row in by_month],
    "expected default rate": [row.estimate.default_rate for row in by_month],
    "expected cost of 1,000": [row.estimate.cost for row in by_month],
}
display(pl.DataFrame(table))
journal.close()
folder.cleanup()

# %% [markdown]
# ## Conclusions and corrective actions
#
# - Train and test of the public data differ in the product mix, the counts of enquiries and the amounts; the first
#   table says what of it is found here, and how far the PD moves. Before production, train on applications as recent
#   as there are.
# - The fault of production to fear most is silent: a source of scores that fails. It changes three columns, keeps
#   the service running, and may take the order out of the PD. The watch above names its action for that; training
#   again on emptied scores would be the wrong remedy.
# - Where the ranking of granted loans falls beyond chance: train again on recent outcomes, and let the gate decide.
#   Where the ranking holds but defaults are not those predicted: calibrate again. Where neither is measured yet: look,
#   and wait for outcomes.
# - Concept drift, the same applications defaulting more often, is in no report without outcomes: the estimate cannot
#   see it. So outcomes are collected and joined every month, and the estimate is never shown as a measurement.

# %%
print("report, performance and watch: python -m drift --help; how well they work: docs/drift.md")
