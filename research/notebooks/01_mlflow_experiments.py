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
# # 1. Experiments in MLflow
#
# Every training and every comparison of this project is a run of one MLflow experiment, and every model that may be
# served is a version in one registry. This notebook shows what a run holds, how runs are found and compared, and how a
# version becomes champion.
#
# The notebooks are kept as scripts beside them; `make notebooks` executes all five, `make notebooks DATA=data/raw`
# on your data. All that is computed here is imported from `research`: what you read is what the commands do.

# %%
import matplotlib.pyplot as plt
import mlflow
import polars as pl

from bento import NAME
from research import tracking
from research.reporting.notebook_support import comparison_for, model_for, open_notebook, subplots

# %matplotlib inline

data = open_notebook()

# %% [markdown]
# ## A model of this data
#
# `model_for` takes the registry's version that was trained on this very data with today's feature code: the champion,
# if it is one. Where there is none, it trains one without tuning and puts it before the gate, as `make train promote`
# would, so that this notebook also works in an empty project.

# %%
version, results = model_for(data)
client = tracking.connect()
run = client.get_run(version.run_id)
print(f"{version.name} version {version.version}, of run {version.run_id[:8]}: {run.info.run_name}, {run.info.status}")

# %% [markdown]
# ## What a run says about its data
#
# A run without its data proves nothing. Each names its data as an MLflow dataset: a name, and the SHA-256 of the eight
# files' names and contents, never a row of them. Two runs may be compared when their fingerprints are the same; the
# fingerprint of the feature code (`catalogue`) stands beside it as a tag.

# %%
(dataset,) = [dataset_input.dataset for dataset_input in run.inputs.dataset_inputs]
fingerprints = {
    "dataset": dataset.name,
    "digest in the run": dataset.digest,
    "digest of the data opened here": data.source.fingerprint[: len(dataset.digest)],
    "feature code (tag)": run.data.tags[tracking.CATALOGUE_TAG],
}
pl.DataFrame({"what": list(fingerprints), "value": list(fingerprints.values())})

# %% [markdown]
# ## Parameters, metrics, artifacts
#
# Parameters are all it takes to train again: where the data came from, folds and seeds, what errors cost, and the
# booster's settings, tuned or default.

# %%
pl.DataFrame({"parameter": list(run.data.params), "value": list(run.data.params.values())}).sort("parameter")

# %% [markdown]
# Metrics are `out_of_fold`: on development clients that each fold's model had not seen. The test split, which nothing
# was chosen on, is opened by `publish` alone, which tags the run with the time; how often it was opened for this data,
# the model card states.

# %%
metrics = run.data.metrics
out_of_fold = [key for key in metrics if key.startswith("out_of_fold_")]
pl.DataFrame(
    {
        "metric": [key.removeprefix("out_of_fold_") for key in out_of_fold],
        "value": [metrics[key] for key in out_of_fold],
    }
)

# %% [markdown]
# Artifacts are what a reader wants to open: the results in one JSON file, the out-of-fold scores, and the figures. The
# model itself is logged as an MLflow model: a folder of text files, without pickle.

# %%
artifacts = client.list_artifacts(version.run_id)
pl.DataFrame(
    {"artifact": [file.path for file in artifacts], "KiB": [(file.file_size or 0) / 1024 for file in artifacts]}
)

# %% [markdown]
# ## Metrics with steps
#
# A metric may be logged once for each step. Two of them are: the log-loss on the rows that stop a booster, by tree, and
# the AUC of each fold. A curve that still falls at its end asks for more trees; folds that scatter say how much of a
# difference between two models is luck. The AUC of all folds together also ranks clients of different folds against
# each other; where the folds' models differ much, as they do on few clients, it is lower than that of each fold.


# %%
def history(run_id: str, metric: str) -> tuple[list[int], list[float]]:
    """Return the steps and values of a metric."""
    points = sorted(client.get_metric_history(run_id, metric), key=lambda point: point.step)
    return [point.step for point in points], [point.value for point in points]


# %%
figure, (curve, folds) = subplots(1, 2, figsize=(11, 3.8))
curve.plot(*history(run.info.run_id, "inner_binary_logloss"))
if "trees" in metrics:  # a linear model has none, and no curve
    curve.axvline(metrics["trees"], ls="--", c="C1", label=f"trees that are served: {metrics['trees']:.0f}")
    curve.legend()
curve.set(title="Learning curve, mean of the folds", xlabel="trees", ylabel="log-loss")
number, auc = history(run.info.run_id, "fold_auc")
folds.plot(number, auc, "o")
folds.axhline(metrics["out_of_fold_auc"], ls="--", c="C1", label=f"all folds: {metrics['out_of_fold_auc']:.3f}")
folds.set(title="AUC of each fold", xlabel="fold", xticks=number)
folds.legend()
plt.show()

# %% [markdown]
# ## The runs of the experiment
#
# A run may have others nested in it: a comparison is a parent, and each of its candidates a nested run. A candidate
# that has finished is not run again, so that a comparison that was interrupted goes on where it stopped. Where this
# data was not compared yet, two families are now, so that there is something to see; notebook 4 compares them all.


# %%
def search() -> pl.DataFrame:
    """Return the finished runs of this data."""
    of_this_data = f"tags.{tracking.DATA_TAG} = '{data.source.tag}' and attributes.status = 'FINISHED'"
    finished = mlflow.search_runs(experiment_names=[tracking.EXPERIMENT], filter_string=of_this_data)
    return pl.from_pandas(finished.drop(columns="tags.mlflow.log-model.history", errors="ignore"))


name = pl.col("tags.mlflow.runName")
runs = search()
if runs.filter(name == "comparison").is_empty():
    comparison_for(data, families=("logistic", "lightgbm"), arms=("none",))
    runs = search()

# %% [markdown]
# `mlflow.search_runs` gives a frame with one row for each run: here the finished ones of this data, the newest first,
# nested ones below their parent. The two kinds of cost are alike but not the same: a training's threshold is chosen on
# all out-of-fold scores, a candidate's on the other folds, which is a little harder and fair among candidates.

# %%
parent = pl.col("tags.mlflow.parentRunId")
started = dict(runs.select("run_id", "start_time").iter_rows())
of_parent = pl.coalesce(parent, "run_id").replace_strict(started, default=None)
listed = runs.sort(of_parent, parent.is_not_null(), "start_time", descending=[True, False, False])
listed.select(
    run=pl.when(parent.is_null()).then(name).otherwise(pl.lit("    · ") + name),
    id=pl.col("run_id").str.head(8),
    seconds=(pl.col("end_time") - pl.col("start_time")).dt.total_milliseconds() / 1000,
    auc=pl.coalesce(pl.col("^metrics.(out_of_fold_auc|auc)$")),
    cost_per_client=pl.coalesce(pl.col("^metrics.(out_of_fold_cost_per_client|cost_per_client)$")),
).head(40)

# %% [markdown]
# ## Two runs side by side
#
# Runs of the same data, folds and costs can be compared figure by figure. Here are two candidates of the latest
# comparison: the two cheapest of those that do nothing about the imbalance. Its table is an artifact of the parent run,
# and names the run of every candidate.

# %%
latest = runs.filter(name == "comparison").sort("start_time")["run_id"][-1]
comparison = mlflow.artifacts.load_dict(f"runs:/{latest}/comparison.json")
rows = [row for row in comparison["rows"] if row["arm"] == "none" and row["fit_seconds"] is not None][:2]
two = {row["candidate"]: client.get_run(row["run"]) for row in rows}
first, second = two
measured = ["auc", "pr_auc", "log_loss", "brier", "cost_per_client", "predicted_over_observed", "fit_seconds"]
pl.DataFrame(
    {"metric": measured} | {candidate: [run.data.metrics[key] for key in measured] for candidate, run in two.items()}
).with_columns(difference=pl.col(second) - pl.col(first))

# %% [markdown]
# Both were judged on the same folds, so that each fold is a fair match: lines that do not cross say more than two
# means.

# %%
figure, axes = subplots(1, 2, figsize=(11, 3.6))
for place, (metric, title) in zip(axes, {"fold_auc": "AUC", "fold_cost": "cost per client"}.items(), strict=True):
    for candidate, run in two.items():
        place.plot(*history(run.info.run_id, metric), "o-", label=candidate)
    place.set(title=f"{title} of each fold", xlabel="fold", xticks=range(comparison["folds"]))
    place.legend()
plt.show()

# %% [markdown]
# ## The registry: versions, aliases, the gate
#
# A training registers its model as a new version and gives it the alias `challenger`. `make promote` judges it on the
# gate split, which no training reads, against the champion where there is one; if every check holds, the alias
# `champion` moves to it, and the one before is `previous`. The service imports the champion; `make rollback` goes back.

# %%
aliases = client.get_registered_model(NAME).aliases
versions = sorted(client.search_model_versions(f"name = '{NAME}'"), key=lambda version: -int(version.version))
pl.DataFrame(
    {
        "version": entry.version,
        "aliases": ", ".join(alias for alias, number in aliases.items() if str(number) == str(entry.version)),
        "run": entry.run_id[:8],
        "this data": entry.tags.get(tracking.DATA_TAG) == data.source.tag,
        **{tag: entry.tags.get(tag) for tag in ("family", "gate", "gate_against", "gate_clients")},
    }
    for entry in versions[:20]
)

# %% [markdown]
# The gate writes its checks into the tags of the version, so that the reasons of its decision can be read later. A
# version without them was not judged yet. The intervals are wide where there are few clients: the gate refuses a model
# that is significantly worse; it does not demand proof that a model is better.

# %%
checked = client.get_model_version(NAME, version.version).tags
gate = {name.removeprefix("gate_"): value for name, value in sorted(checked.items()) if name.startswith("gate_")}
print(f"version {version.version}: {checked.get('gate', 'not judged yet')}")
pl.DataFrame({"check": list(gate), "found": list(gate.values())}, schema={"check": pl.String, "found": pl.String})

# %% [markdown]
# ## See for yourself
#
# `make mlflow` shows all of this in the browser, at http://127.0.0.1:5000: open the experiment `credit_scoring`, mark
# two runs and press *Compare*; open *Models* for versions, aliases and tags. To work with a server instead of the file
# beside the project, set `MLFLOW_TRACKING_URI`; every command follows.
