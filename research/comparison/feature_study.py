"""Measure which tables, features, constraints and trees improve the model; decide the defaults of training."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bento import require_writable
from bento.data.tables import HISTORIES, TABLES
from bento.features.catalogue import CATALOGUE, table_of
from research.cli import ROOT, add_data_option, shown
from research.data.dataset import Data, Rows, open_data
from research.data.splits import fold_rows
from research.evaluation.business_score import costs_of, cross_fitted_decisions
from research.evaluation.metrics import delong_auc, gini, ks, placements
from research.options import FOLDS, SEED, add_options, check_folds, option, settings_from
from research.plotting import data_note, new_axes, source_of
from research.results import STUDY_FILE
from research.training import boosting, cross_fitting
from research.training.feature_selection import Ranking, rank, smallest_within_noise
from research.types import Floats, OutOfFold

EXAMPLE = "python -m research study --data data/raw --folds 5"
OUT = ROOT / "research" / "results"
PICTURE_FILE = "feature_study.png"
COUNTS = (30, 60, 100, 150, 200, 300)
"""Numbers of features that are tried."""
MAX_AUC_LOSS_CONSTRAINTS = 0.002
"""AUC that constraints may cost to be the default."""
MAX_AUC_LOSS_WITHOUT_AGE = 0.003
"""AUC that leaving out age may cost to be the default."""
LEARNING_RATE = 0.05
"""Learning rate of every arm but the one as served: coarse, since the study fits over a hundred boosters."""
TREES: dict[str, Mapping[str, Any]] = {
    "8 leaves": {"num_leaves": 8, "max_depth": 3},
    "31 leaves": {"num_leaves": 31, "max_depth": -1},
    "three tenths of the features": {"feature_fraction": 0.3},
}
"""Parameters that are tried beside the default ones; they decide nothing, as how deep trees pay depends on the data."""

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to study; a CommandError where there are too few folds."""

    folds: int = option(FOLDS, "folds of the development split")
    seed: int = option(SEED, "of folds, rankings and boosters")
    counts: Sequence[int] = COUNTS
    max_trees: int | None = None
    """Trees of a booster; None: as many as `boosting.max_trees` allows."""

    def __post_init__(self) -> None:
        check_folds(self.folds)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to fit: the features of each fold, and the differences from the default parameters."""

    name: str
    chosen: list[list[str]]
    count: int | None = None
    """Number of features of the ranking, if the arm tries one; None: those above noise."""
    constraints: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Out-of-fold scores of an arm."""

    arm: Arm
    trees: float
    scores: OutOfFold

    @cached_property
    def placement(self) -> Floats:
        """Placement of each row; see `placements`."""
        return placements(self.scores)

    @cached_property
    def cost(self) -> Floats:
        """Cost of the decision on each row, at the best threshold of the other folds."""
        refused, _ = cross_fitted_decisions(self.scores)
        return costs_of(self.scores.target, refused)

    def row(self, against: "Result | None" = None) -> Row:
        """Return the arm's row of the table; gains are paired by client, errors are standard errors."""
        target = self.scores.target
        features = float(np.mean([len(names) for names in self.arm.chosen]))
        row: Row = {"arm": self.arm.name, "features": features, "trees": self.trees}
        row["auc"], row["auc_error"] = delong_auc(self.placement, target)
        row["gini"], row["ks"] = gini(row["auc"]), ks(target, self.scores.log_odds)
        row["cost"], row["cost_error"] = mean_with_error(self.cost)
        if against is not None:
            row["against"] = against.arm.name
            row["auc_gain"], row["auc_gain_error"] = delong_auc(self.placement - against.placement, target)
            row["cost_gain"], row["cost_gain_error"] = mean_with_error(against.cost - self.cost)
        return row


def mean_with_error(values: Floats) -> tuple[float, float]:
    """Return mean and standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


class Bench:
    """Fits arms on the same folds of the same rows, in parallel with one thread each."""

    def __init__(self, development: Rows, settings: Settings) -> None:
        self.data = cross_fitting.training_matrix(development, cross_fitting.catalogue_names(with_age=True))
        self.settings = settings
        self.splits = fold_rows(self.data.target, self.data.person, settings.folds, settings.seed)

    @cached_property
    def ranked(self) -> list[Ranking]:
        """Ranking of each fold, on its training rows."""
        return self._rankings(with_age=True, title="rankings")

    @cached_property
    def ranked_without_age(self) -> list[Ranking]:
        """Ranking of each fold without the features that are computed from age."""
        return self._rankings(with_age=False, title="rankings without age")

    def _rankings(self, with_age: bool, title: str) -> list[Ranking]:
        data = self.data.select(cross_fitting.catalogue_names(with_age))

        def rank_fold(fold: int) -> Ranking:
            return rank(data.rows(self.splits[fold][0]), self.settings.seed + fold)

        return cross_fitting.parallel_map(rank_fold, range(len(self.splits)), len(data), title)

    def fit(self, arms: list[Arm], title: str) -> list[Result]:
        """Return the out-of-fold scores of each arm."""
        folds = range(len(self.splits))
        fitted = iter(cross_fitting.parallel_map(self._fit_fold, product(arms, folds), len(self.data), title))
        results = []
        for arm in arms:
            log_odds, trees = zip(*(next(fitted) for _ in folds), strict=True)
            scores = OutOfFold.from_folds(self.data.target, self.splits, log_odds)
            results.append(Result(arm=arm, trees=float(np.median(trees)), scores=scores))
        return results

    def _fit_fold(self, task: tuple[Arm, int]) -> tuple[Floats, int]:
        arm, fold = task
        train, validation = self.splits[fold]
        data = self.data.select(arm.chosen[fold])
        parameters = {**boosting.PARAMETERS, "learning_rate": LEARNING_RATE, **arm.parameters}
        parameters = boosting.booster_params(data, parameters, arm.constraints)
        seed, max_trees = self.settings.seed + fold, self.settings.max_trees
        booster, _ = boosting.train_booster(data, train, seed, parameters, max_trees)
        return boosting.predict_log_odds(booster, data.matrix[validation]), booster.best_iteration


DEFAULTS = Settings()


def study(data: Data, settings: Settings = DEFAULTS) -> dict[str, Any]:
    """Return the content of feature_study.json: source of the data, a row for each arm, decisions, selected features.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    bench = Bench(data.rows("development"), settings)
    tables, numbers, selected = _tables_and_numbers(bench, settings.counts)
    variants = _variants(bench, selected)
    decisions = decide(variants)
    served = Arm(
        name="as served",
        chosen=_best(bench.ranked if decisions["with_age"] else bench.ranked_without_age, selected.arm.count),
        constraints=decisions["constraints"],
        parameters={"learning_rate": boosting.PARAMETERS["learning_rate"]},
    )
    variants += [result.row(selected) for result in bench.fit([served], served.name)]
    candidates = bench.data.select(cross_fitting.catalogue_names(decisions["with_age"]))
    return {
        **data.source.model_dump(),
        "development_clients": len(bench.data),
        "tables": tables,
        "numbers": numbers,
        "variants": variants,
        "decisions": {"selected": selected.arm.name, "best_features": selected.arm.count, **decisions},
        "features": rank(candidates, settings.seed).best(selected.arm.count),
    }


def _tables_and_numbers(bench: Bench, counts: Sequence[int]) -> tuple[list[Row], list[Row], Result]:
    rankings, folds = bench.ranked, len(bench.splits)
    sources = [("application",), *(("application", table) for table in HISTORIES)]
    tables = [Arm(name=", ".join(names), chosen=[features_from(*names)] * folds) for names in sources]
    allowed = cross_fitting.catalogue_names(with_age=True)
    sizes = {"above noise": None} | {f"{count} best": count for count in counts if count < len(allowed)}
    numbers = [Arm(name=name, chosen=_best(rankings, count), count=count) for name, count in sizes.items()]
    numbers += [Arm(name="all", chosen=[allowed] * folds, count=len(allowed))]
    results = bench.fit([*tables, *numbers], "tables and numbers of features")
    alone, joined, on_curve = results[0], results[1 : len(tables)], results[len(tables) :]
    best = max(on_curve, key=lambda result: result.row()["auc"])
    rows = [result.row(best) for result in on_curve]
    features, gains, errors = ([row[key] for row in rows] for key in ("features", "auc_gain", "auc_gain_error"))
    selected = on_curve[smallest_within_noise(features, [-gain for gain in gains], errors)]
    return [alone.row(), *(result.row(alone) for result in joined)], rows, selected


def _variants(bench: Bench, selected: Result) -> list[Row]:
    chosen = selected.arm.chosen
    arms = [Arm(name="constraints", chosen=chosen, constraints=True)]
    arms += [Arm(name="without age", chosen=_best(bench.ranked_without_age, selected.arm.count))]
    arms += [Arm(name=name, chosen=chosen, parameters=parameters) for name, parameters in TREES.items()]
    return [result.row(selected) for result in bench.fit(arms, "constraints, age, trees")]


def decide(variants: list[Row]) -> dict[str, Any]:
    """Return the defaults of training that follow from the rows of the variants."""
    gain = {row["arm"]: row["auc_gain"] for row in variants}
    return {
        "constraints": -gain["constraints"] < MAX_AUC_LOSS_CONSTRAINTS,
        "with_age": -gain["without age"] >= MAX_AUC_LOSS_WITHOUT_AGE,
    }


def _best(rankings: list[Ranking], count: int | None) -> list[list[str]]:
    return [ranking.best(count) for ranking in rankings]


def features_from(*tables: str) -> list[str]:
    """Return the features that a model may be given and that need no other tables than these."""
    return [name for name in cross_fitting.catalogue_names(with_age=True) if _sources(name) <= set(tables)]


def _sources(name: str) -> set[str]:
    table = table_of(name)
    if table in TABLES:
        return {table}
    return {"application"}.union(*(_sources(root) for root in CATALOGUE[name].roots if root in CATALOGUE))


def plot_study(content: dict[str, Any]) -> Figure:
    """Draw AUC against the number of features; the band is one standard error of the difference from the best."""
    figure, axes = new_axes("AUC against number of features, out-of-fold", "features", "AUC")
    curve = sorted(content["numbers"], key=lambda row: row["features"])
    size, auc, error = (np.array([row[key] for row in curve]) for key in ("features", "auc", "auc_gain_error"))
    axes.fill_between(size, auc - error, auc + error, alpha=0.2, label="standard error of the difference from the best")
    axes.plot(size, auc, "o-")
    axes.axhline(auc.max(), ls=":", c="grey", label=f"best: {auc.max():.4f}")
    selected = next(row for row in curve if row["arm"] == content["decisions"]["selected"])
    axes.plot(selected["features"], selected["auc"], "o", c="C1", ms=10, label=f"selected: {selected['auc']:.4f}")
    served = content["variants"][-1]
    axes.plot(served["features"], served["auc"], "D", c="C2", label=f"as served: {served['auc']:.4f}")
    axes.legend()
    figure.text(0.99, 0.01, data_note(source_of(content)), ha="right", size=7, c="grey")
    return figure


def print_table(content: dict[str, Any]) -> None:
    """Print every arm, then the decisions."""
    print(
        f"{'arm':40} {'features':>8} {'trees':>5}  {'AUC':^15}  {'Gini':^6}  {'KS':^6}  {'cost per client':^15}  "
        f"{'AUC gained':^16} against"
    )
    for row in (*content["tables"], *content["numbers"], *content["variants"]):
        line = f"{row['arm']:40} {row['features']:8.0f} {row['trees']:5.0f}  {row['auc']:.4f} ± {row['auc_error']:.4f}"
        line += f"  {row['gini']:.4f}  {row['ks']:.4f}  {row['cost']:.4f} ± {row['cost_error']:.4f}"
        if "against" in row:
            line += f"  {row['auc_gain']:+.4f} ± {row['auc_gain_error']:.4f} {row['against']}"
        print(line)
    print()
    for name, value in content["decisions"].items():
        print(f"{name}: {value}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    add_options(parser, Settings)
    text = f"folder of the two files; by default {shown(OUT)}"
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=text)


def run(options: argparse.Namespace) -> None:
    """Study, write both files, and print the table; an OSError where no file can be written there."""
    settings = settings_from(Settings, options)
    require_writable(options.out)
    content = study(open_data(options.data), settings)
    (options.out / STUDY_FILE).write_text(json.dumps(content, indent=1) + "\n")
    plot_study(content).savefig(options.out / PICTURE_FILE, dpi=110)
    print_table(content)
