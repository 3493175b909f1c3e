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
# # 2. From eight files to one row for each client
#
# A credit file is one loan application and what is known of the client's history, in six other tables. This notebook
# follows the data from the files to the rows that a model trains on: what the files hold, their faults and how they are
# treated, how histories become features, and how clients are split.

# %%
import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from bento.data.cleaning import clean
from bento.data.files import STEMS, find_file
from bento.data.readers import read_application, read_client, read_history, scan_file
from bento.data.tables import TABLES, TARGET
from bento.data.validation import check_folder
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, table_of
from bento.features.definitions import GROUP_LABELS
from research.data.splits import PERSON_FROM, SHARES, fold_rows, split_of
from research.explanation.figures import label
from research.reporting.notebook_support import folds_for, open_notebook, relations, subplots

# %matplotlib inline

data = open_notebook()

# %% [markdown]
# ## The tables
#
# Seven tables are declared in `bento/data/tables.py`, each column with type, unit, range, known categories and codes
# for "unknown". File readers, the service's request model, the form of the UI and the drift report all derive from that
# one place. There are eight files, for applications come in two: past ones with their outcome, and new ones.

# %%
report = check_folder(data.folder)
sizes = {find_file(data.folder, stem).name: stem for stem in STEMS if find_file(data.folder, stem)}
declared = {stem: TABLES.get(stem, TABLES["application"]) for stem in STEMS}
pl.DataFrame(
    {
        "file": name,
        "rows": report.rows[name],
        "columns": len(declared[stem].columns) + (stem == "application_train"),
        "a row has as key": ", ".join(declared[stem].key) or "(rows repeat)",
        "belongs to": " by ".join(declared[stem].parent or ()),
        "what it holds": declared[stem].description.split(":")[0].split(".")[0],
    }
    for name, stem in sizes.items()
)

# %% [markdown]
# The relations form a tree: an arrow goes from a row to the one that it belongs to, and the number on it says how many
# rows one parent has on average. Three tables also name the earlier application that they are about (`SK_ID_PREV`).

# %%
rows = {stem: report.rows[name] for name, stem in sizes.items()}
rows["application"] = sum(rows.pop(stem, 0) for stem in STEMS[:2])
relations(rows)

# %% [markdown]
# ## Validation of the files
#
# `bento.data.validation` reads every file once, streaming, before anything is computed. An impossible value, such as a
# negative income, is a fault, and so is a column of which half the values do not match its declaration; no model is
# trained on such a file. A known anomaly of the data is a finding: it is cleaned or passed, and reported.

# %%
print(f"{len(report.faults)} faults, {len(report.findings)} findings")
pl.DataFrame(
    {
        "file": finding.file.split(".")[0],
        "column": finding.column,
        "what its rows do": finding.what,
        "rows": finding.rows,
        "share": finding.share,
        "example": finding.example,
        "then": finding.treatment,
    }
    for finding in sorted(report.findings, key=lambda finding: -finding.share)
).head(40)

# %% [markdown]
# ## Anomalies, and how they are cleaned
#
# The data marks "no such date" by 365,243 days, a thousand years after the application: in `DAYS_EMPLOYED` for those
# who have no job. Taken as a number it would be the longest future of all. `bento.data.cleaning` turns declared codes
# and implausible values into nulls, with the same code in training and in the service. Nothing else is filled or
# dropped: a missing value is information, and the models that are served bear it.

# %%
applications = read_application(data.folder, "application_train", [TARGET])
cleaned = clean({"application": applications})["application"]
changed = {name: int((applications[name].is_not_null() & cleaned[name].is_null()).sum()) for name in cleaned.columns}
pl.DataFrame(
    [
        {
            "column": name,
            "made null": count,
            "share": count / len(cleaned),
            "meaning": TABLES["application"][name].description,
        }
        for name, count in sorted(changed.items(), key=lambda item: -item[1])
        if count
    ]
)

# %%
figure, (before, after) = subplots(1, 2, figsize=(11, 3.2), sharey=True)
for place, frame, title in ((before, applications, "as it comes"), (after, cleaned, "cleaned")):
    years = frame["DAYS_EMPLOYED"].drop_nulls() / -365.25
    place.hist(years, bins=60)
    place.set(title=f"DAYS_EMPLOYED {title}: {len(years):,} values", xlabel="years in the present employment")
before.set(yscale="log", ylabel="clients")
plt.show()
# %% [markdown]
# The information stays: a tree can send missing values to either side, and a linear model gets an indicator of them.
# The default rates show whether it is informative.

# %%
unemployed = cleaned["DAYS_EMPLOYED"].is_null().alias("no employment known")
cleaned.group_by(unemployed).agg(clients=pl.len(), default_rate=pl.col("TARGET").mean()).sort("clients")

# %% [markdown]
# ## Missing values
#
# Each point is a column of a table. Much of what is missing is missing together: a flat whose building is not described
# lacks all columns on it, a client without a car its age.


# %%
def missing(stem: str) -> dict[str, float]:
    """Count the nulls in each column, streaming."""
    scanned = scan_file(find_file(data.folder, stem), tuple(declared[stem]))
    return scanned.null_count().collect(engine="streaming").row(0, named=True)


shares = {
    stem: {column: nulls / report.rows[name] for column, nulls in missing(stem).items()}
    for name, stem in sizes.items()
    if report.rows[name]
}

# %%
figure, axes = subplots(figsize=(10, 4))
for place, columns in enumerate(shares.values()):
    jitter = np.random.default_rng(place).uniform(-0.25, 0.25, len(columns))
    axes.scatter(list(columns.values()), place + jitter, s=18, alpha=0.6)
axes.set(title="Missing values by column", xlabel="share of rows that are null", xlim=(-0.02, 1.02))
axes.set_yticks(range(len(shares)), list(shares))
axes.invert_yaxis()
plt.show()

# %%
worst = [(stem, column, share) for stem, columns in shares.items() for column, share in columns.items()]
pl.DataFrame(worst, schema=["file", "column", "missing"], orient="row").sort("missing", descending=True).head(15)

# %% [markdown]
# ## Features
#
# The catalogue in `bento/features` declares every feature once: a Polars expression, its wording in two languages, its
# unit, its concept, and the direction that the business expects of it. Concepts matter later: the reasons of a decision
# are added up by concept, not by table.

# %%
tables = [*TABLES, "combined"]
counts = np.zeros((len(GROUP_LABELS), len(tables)), dtype=int)
for name, feature in CATALOGUE.items():
    counts[list(GROUP_LABELS).index(feature.group), tables.index(table_of(name))] += 1
figure, axes = subplots(figsize=(10, 5))
axes.imshow(np.where(counts, np.log1p(counts), np.nan), cmap="Blues", aspect="auto")
for (row, column), count in np.ndenumerate(counts):
    if count:
        axes.text(column, row, count, ha="center", va="center", c="white" if count > 25 else "black", size=9)
axes.set_xticks(range(len(tables)), tables, rotation=30, ha="right")
axes.set_yticks(range(len(GROUP_LABELS)), [words["en"] for words in GROUP_LABELS.values()])
axes.set_title(f"{len(CATALOGUE)} features by concept and table")
axes.grid(visible=False)
plt.show()

# %%
traits = {
    "categories": lambda feature: feature.is_category,
    "with an expected direction": lambda feature: feature.risk != 0,
    "with a certain direction (a model may be constrained to it)": lambda feature: feature.monotone,
    "computed from age (left out of the default model)": lambda feature: feature.uses_age,
}
counted = {what: sum(map(test, CATALOGUE.values())) for what, test in traits.items()}
pl.DataFrame({"features": list(counted), "count": list(counted.values())})

# %% [markdown]
# ## How a history becomes one row
#
# One client's payments, as an example: the first client with a handful of them. A history has any number of rows; a
# feature is a function of all of them, or of those in a window of time.

# %%
lengths = read_history(data.folder, "installments_payments", ["SK_ID_CURR"])["SK_ID_CURR"].value_counts()
with_payments = lengths.filter(pl.col("SK_ID_CURR").is_in(applications["SK_ID_CURR"].implode()), pl.col("count") >= 6)
client = int(with_payments.sort("count", "SK_ID_CURR")["SK_ID_CURR"][0])
file = clean(read_client(data.folder, "application_train", client))
print(f"client {client}: " + ", ".join(f"{len(frame)} rows of {name}" for name, frame in file.items()))
file["installments_payments"].sort("DAYS_INSTALMENT")

# %%
row = build_features(file)
shown = [
    name
    for name in row.columns
    if name.startswith("installments_") and name.endswith(("_mean", "_max", "_share", "_count"))
]
pl.DataFrame(
    {"feature": name, "what it measures": CATALOGUE[name].en, "unit": CATALOGUE[name].unit, "value": row[name][0]}
    for name in shown[:14]
)

# %% [markdown]
# The same function computes one client in the service and all clients in training. A client's features depend on that
# client's rows alone, which can be tried: computed alone, and among all others, they are the same.

# %%
features = data.features()
among_all = features.filter(pl.col("SK_ID_CURR") == client).drop(TARGET.name)
numbers = [name for name, feature in CATALOGUE.items() if not feature.is_category]
alone, together = (frame.select(numbers).fill_null(np.nan).to_numpy() for frame in (row, among_all))
same = np.isclose(alone, together, rtol=1e-9, equal_nan=True)
print(f"{same.sum()} of {same.size} numbers are equal; {row.select(pl.all().is_null()).row(0).count(True)} are null")

# %% [markdown]
# ## Three splits, and folds that keep a person together
#
# A salted hash of the person puts each client in one of three splits, the same in every run and on every machine.
# *Development* is for everything that is chosen: folds, tuning, features, calibration, threshold. *Gate* is read by
# `make promote` alone, *test* by `publish` alone, once for each model: nothing here looks at its outcomes.

# %%
applications = read_application(data.folder, "application_train", names=["SK_ID_CURR", *PERSON_FROM])
split_by_person = data.audit().select("person", split=split_of(applications)).unique()
pl.DataFrame(
    {
        "split": split,
        "meant to be": share,
        "clients": int((data.splits == split).sum()),
        "share": (data.splits == split).mean(),
    }
    for split, share in SHARES.items()
)

# %% [markdown]
# People come back under another number, and a default is often followed by another. Two applications count as one
# person's where gender, age at registration and age at the last identity document agree. Folds are drawn over persons,
# so that no model is validated on a person it was trained on; the first line below counts the persons.

# %%
development = data.rows("development")
folds = fold_rows(development.target, development.person, folds_for(data), seed=1)
persons = pl.Series(development.person)
print(f"{len(persons):,} development clients, {persons.n_unique():,} persons")
pl.DataFrame(
    {
        "fold": number,
        "trained on": len(train),
        "judged": len(validation),
        "default rate judged": development.target[validation].mean(),
        "persons on both sides": len(np.intersect1d(development.person[train], development.person[validation])),
    }
    for number, (train, validation) in enumerate(folds)
)

# %% [markdown]
# ## What separates defaults from good clients
#
# On development clients only: a choice made after looking at all clients would use the test split. The AUC of a single
# feature, among the clients with a value, is its strength: 0.5 is none, and values below 0.5 are inverted. Here is the
# strongest number of each concept, of those with values for a third of the clients or more.


# %%
def strength(name: str) -> float:
    """Return the AUC of one feature among the clients with a value, in the direction above 0.5."""
    has_value = development.features[name].is_not_null().to_numpy()
    if has_value.mean() < 1 / 3 or len(np.unique(development.target[has_value])) < 2:
        return 0.5
    auc = roc_auc_score(development.target[has_value], development.features[name].drop_nulls())
    return max(auc, 1 - auc)


ranked = pl.DataFrame({"feature": numbers, "auc": [strength(name) for name in numbers]}).with_columns(
    concept=pl.col("feature").replace_strict({name: CATALOGUE[name].group for name in numbers}),
    measures=pl.col("feature").replace_strict({name: CATALOGUE[name].en for name in numbers}),
    missing=pl.col("feature").replace_strict({name: development.features[name].null_count() for name in numbers})
    / len(development.target),
)
strongest = ranked.sort("auc", descending=True).unique("concept", keep="first", maintain_order=True)
strongest

# %%
figure, axes = subplots(2, 3, figsize=(12, 6))
for place, row in zip(axes.flat, strongest.head(6).iter_rows(named=True), strict=False):
    values = development.features[row["feature"]].to_numpy()
    edges = np.linspace(*np.nanquantile(values, [0.005, 0.995]), 30)
    for outcome, name in ((0, "repaid"), (1, "default")):
        place.hist(values[development.target == outcome], edges, density=True, alpha=0.5, label=name)
    place.set(title=f"AUC {row['auc']:.3f}", xlabel=label(row["feature"], 44), yticks=[])
axes.flat[0].legend()
plt.show()
# %% [markdown]
# ## The rules against leakage
#
# Each rule keeps information on the outcome out of the features, and is checked here on the data above.

# %%
uses = {root for feature in CATALOGUE.values() for root in feature.roots}
audit_only = {column.name for table in TABLES.values() for column in table if column.audit_only}
splits, again = split_of(applications), split_of(applications.reverse())
rules = {
    "the outcome and the client's number are no features": not {"TARGET", "SK_ID_CURR"} & (set(CATALOGUE) | uses),
    "columns kept for the audit, such as gender, are in no feature": not audit_only & uses,
    "a client's features depend on that client's rows alone": bool(same.all()),
    "each client is in one split, in any order of the table rows": splits.equals(again.reverse()),
    "no person is in two splits": bool(split_by_person["person"].is_unique().all()),
    "no person is on both sides of a fold": all(
        not np.intersect1d(development.person[train], development.person[validation]).size
        for train, validation in folds
    ),
}
pl.DataFrame({"rule": list(rules), "holds": list(rules.values())})

# %% [markdown]
# What is fitted, such as medians, scales, chosen features and samplers, is fitted inside each fold, on the rows that it
# trains on; notebook 4 uses them.
