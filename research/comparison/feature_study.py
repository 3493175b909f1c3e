"""Measures which tables, features, constraints and trees earn their place, and states what is served by default."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata
from tqdm import tqdm

from bento.data.tables import HISTORIES, TABLES
from bento.features.catalogue import CATALOGUE, table_of
from bento.model.scoring_model import encode
from research.cli import CommandError, add_data_option, parser, run
from research.data.dataset import Data, Rows, open_data
from research.data.splits import fold_rows
from research.evaluation.business_score import costs_of, cross_fitted_decisions
from research.reporting.publish import PUBLISHED
from research.training import boosting, cross_fitting
from research.training.feature_selection import Ranking, rank, smallest_within_noise

mpl.use("Agg")

FOLDS = 5
SEED = 1
COUNTS = (30, 60, 100, 150, 200, 300)
CONSTRAINTS_MAY_COST = 0.002
AGE_MAY_COST = 0.003
TREES_MUST_EARN = 0.001
"""AUC that each choice may cost, or must earn, to be the default."""
TREES = 500
"""Most trees of an arm that does not try more: explanations cost time by them."""
STEP = 0.05
"""Learning rate of every arm that tries no other: coarse, for the study fits over a hundred boosters."""
FINER = {"steps of 0.02": {"learning_rate": 0.02}}
"""Within the trees and leaves of the default."""
LARGER = {
    "63 leaves, steps of 0.02": ({"num_leaves": 63, "learning_rate": 0.02}, 1),
    "3 times the trees, steps of 0.02": ({"learning_rate": 0.02}, 3),
    "3 times the trees, steps of 0.01": ({"learning_rate": 0.01}, 3),
}
"""Beyond them: parameters, and how many times the trees."""

Vector = NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """One way to fit: the features of each fold, and what differs from the default parameters."""

    name: str
    chosen: list[list[str]]
    count: int | None = None
    """How many features of the ranking, where that is what the arm tries; None: those above noise."""
    constraints: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    times_the_trees: int = 1


@dataclass(frozen=True)
class Result:
    """The score of each development row from the booster of the fold that did not see it."""

    arm: Arm
    trees: float
    target: NDArray[np.int64]
    fold: NDArray[np.int64]
    log_odds: Vector

    @cached_property
    def placement(self) -> Vector:
        """Share of the rows of the other outcome, in the same fold, that this row stands on the right side of."""
        placement = np.empty(len(self.target))
        for fold in np.unique(self.fold):
            default, good = (np.flatnonzero((self.fold == fold) & (self.target == outcome)) for outcome in (1, 0))
            ranks = rankdata(self.log_odds[np.concatenate([default, good])])
            goods_below = ranks[: len(default)] - rankdata(self.log_odds[default])
            defaults_below = ranks[len(default) :] - rankdata(self.log_odds[good])
            placement[default] = goods_below / len(good)
            placement[good] = 1 - defaults_below / len(default)
        return placement

    @cached_property
    def cost(self) -> Vector:
        """Cost of the decision on each row, at the best threshold of the other folds' scores."""
        refused, _ = cross_fitted_decisions(self.target, expit(self.log_odds), self.fold)
        return costs_of(self.target, refused)

    def row(self, against: "Result | None" = None) -> Row:
        """Line of the table; gains are paired client by client, errors are standard errors."""
        features = float(np.mean([len(names) for names in self.arm.chosen]))
        row: Row = {"arm": self.arm.name, "features": features, "trees": self.trees}
        row["auc"], row["auc_error"] = area(self.placement, self.target)
        row["cost"], row["cost_error"] = mean(self.cost)
        if against is not None:
            row["against"] = against.arm.name
            row["auc_gain"], row["auc_gain_error"] = area(self.placement - against.placement, self.target)
            row["cost_gain"], row["cost_gain_error"] = mean(against.cost - self.cost)
        return row


def area(placement: Vector, target: NDArray[np.int64]) -> tuple[float, float]:
    """AUC and its standard error (DeLong) from placements; of a difference of placements, those of the difference."""
    outcomes = [placement[target == outcome] for outcome in (1, 0)]
    error = np.sqrt(sum(np.var(each, ddof=1) / len(each) for each in outcomes))
    return float(np.mean(outcomes[0])), float(error)


def mean(values: Vector) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


class Bench:
    """Fits arms on the same folds of the same rows, as many at a time as there are cores, one thread each."""

    def __init__(self, development: Rows, folds: int, seed: int, most_rounds: int) -> None:
        self.columns = cross_fitting.model_features(cross_fitting.catalogue_names(with_age=True))
        self.matrix = encode(development.features, self.columns)
        self.target = development.target
        self.seed, self.most_rounds = seed, most_rounds
        self.splits = fold_rows(self.target, development.person, folds, seed)

    @cached_property
    def ranked(self) -> list[Ranking]:
        """The ranking of each fold, from the rows that it trains on."""
        return self._rankings(cross_fitting.catalogue_names(with_age=True), "rankings")

    @cached_property
    def ranked_without_age(self) -> list[Ranking]:
        """The same, of the features that are not computed from age."""
        return self._rankings(cross_fitting.catalogue_names(with_age=False), "rankings without age")

    def _rankings(self, names: list[str], title: str) -> list[Ranking]:
        part, columns = cross_fitting.take(self.matrix, self.columns, names)

        def one(fold: int) -> Ranking:
            train, _ = self.splits[fold]
            return rank(part[train], self.target[train], columns, self.seed + fold)

        return self._each(one, range(len(self.splits)), title)

    def fit(self, arms: list[Arm], title: str) -> list[Result]:
        """Out-of-fold scores of each arm."""
        fitted = iter(self._each(self._one, [(arm, fold) for arm in arms for fold in range(len(self.splits))], title))
        results = []
        for arm in arms:
            log_odds, fold_of = np.empty(len(self.target)), np.empty(len(self.target), dtype=np.int64)
            trees = []
            for fold, (_, judged) in enumerate(self.splits):
                log_odds[judged], grown = next(fitted)
                fold_of[judged] = fold
                trees.append(grown)
            results.append(Result(arm, float(np.median(trees)), self.target, fold_of, log_odds))
        return results

    def _one(self, task: tuple[Arm, int]) -> tuple[Vector, int]:
        arm, fold = task
        train, judged = self.splits[fold]
        part, columns = cross_fitting.take(self.matrix, self.columns, arm.chosen[fold])
        held = boosting.constrained(columns) if arm.constraints else {}
        parameters = {**boosting.PARAMETERS, "learning_rate": STEP, **arm.parameters, **held, "num_threads": 1}
        most = self.most_rounds * arm.times_the_trees
        booster, _ = boosting.grow(part, self.target, columns, train, self.seed + fold, parameters, most)
        return booster.predict(part[judged], raw_score=True, num_threads=1), booster.best_iteration

    @staticmethod
    def _each(work: Callable[[Any], Any], tasks: Sequence[Any], title: str) -> list[Any]:
        with ThreadPoolExecutor(joblib.cpu_count()) as pool:
            return list(tqdm(pool.map(work, tasks), total=len(tasks), desc=title, unit="fit"))


def study(
    data: Data, folds: int, seed: int, counts: Sequence[int] = COUNTS, most_rounds: int = TREES
) -> dict[str, Any]:
    """The whole study: source of the data, a row for each arm, the decisions and the features that they select.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    bench = Bench(data.rows("development"), folds, seed, most_rounds)
    tables, numbers, selected = _tables_and_numbers(bench, counts)
    variants = _variants(bench, selected)
    decisions = _decide(variants)
    served = Arm(
        "as served",
        _best(bench.ranked if decisions["with_age"] else bench.ranked_without_age, selected.arm.count),
        constraints=decisions["constraints"],
        parameters={name: decisions[name] for name in ("num_leaves", "learning_rate")},
        times_the_trees=decisions["times_the_trees"],
    )
    variants += [result.row(selected) for result in bench.fit([served], served.name)]
    part, columns = cross_fitting.take(
        bench.matrix, bench.columns, cross_fitting.catalogue_names(decisions["with_age"])
    )
    return {
        **data.source.model_dump(),
        "development_clients": len(bench.target),
        "tables": tables,
        "numbers": numbers,
        "variants": variants,
        "decisions": {"selected": selected.arm.name, "best_features": selected.arm.count, **decisions},
        "features": rank(part, bench.target, columns, seed).best(selected.arm.count),
    }


def _tables_and_numbers(bench: Bench, counts: Sequence[int]) -> tuple[list[Row], list[Row], Result]:
    rankings, folds = bench.ranked, len(bench.splits)
    tables = [Arm("application", [_from_tables("application")] * folds)]
    tables += [Arm(f"application, {table}", [_from_tables("application", table)] * folds) for table in HISTORIES]
    numbers = [Arm("above noise", _best(rankings, None))]
    numbers += [Arm(f"{count} best", _best(rankings, count), count) for count in counts if count < len(CATALOGUE)]
    numbers += [Arm("all", [list(CATALOGUE)] * folds, len(CATALOGUE))]
    results = bench.fit([*tables, *numbers], "tables and numbers of features")
    alone, joined, on_curve = results[0], results[1 : len(tables)], results[len(tables) :]
    best = max(on_curve, key=lambda result: result.row()["auc"])
    rows = [result.row(best) for result in on_curve]
    sizes, gains, errors = ([row[key] for row in rows] for key in ("features", "auc_gain", "auc_gain_error"))
    selected = on_curve[smallest_within_noise(sizes, [-gain for gain in gains], errors)]
    return [alone.row(), *(result.row(alone) for result in joined)], rows, selected


def _variants(bench: Bench, selected: Result) -> list[Row]:
    chosen = selected.arm.chosen
    arms = [Arm("constraints", chosen, constraints=True)]
    arms += [Arm("without age", _best(bench.ranked_without_age, selected.arm.count))]
    arms += [Arm(name, chosen, parameters=finer) for name, finer in FINER.items()]
    arms += [Arm(name, chosen, parameters=more, times_the_trees=times) for name, (more, times) in LARGER.items()]
    return [result.row(selected) for result in bench.fit(arms, "constraints, age, trees")]


def _decide(variants: list[Row]) -> dict[str, Any]:
    gain = {row["arm"]: row["auc_gain"] for row in variants}
    parameters, times, earned = {}, 1, 0.0
    for sizes in ({name: (finer, 1) for name, finer in FINER.items()}, LARGER):
        best = max(sizes, key=lambda name: gain[name])
        if gain[best] - earned >= TREES_MUST_EARN:
            (parameters, times), earned = sizes[best], gain[best]
    return {
        "constraints": -gain["constraints"] < CONSTRAINTS_MAY_COST,
        "with_age": -gain["without age"] >= AGE_MAY_COST,
        "num_leaves": boosting.PARAMETERS["num_leaves"],
        "learning_rate": STEP,
        "times_the_trees": times,
        **parameters,
    }


def _best(rankings: list[Ranking], count: int | None) -> list[list[str]]:
    return [ranking.best(count) for ranking in rankings]


def _from_tables(*tables: str) -> list[str]:
    """The features that need no other tables than these."""
    return [name for name in CATALOGUE if _sources(name) <= set(tables)]


def _sources(name: str) -> set[str]:
    table = table_of(name)
    if table in TABLES:
        return {table}
    return {"application"}.union(*(_sources(root) for root in CATALOGUE[name].roots if root in CATALOGUE))


def picture(found: dict[str, Any]) -> Figure:
    """AUC against the number of features; the band is one standard error of the difference from the best."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot(title="AUC against number of features, out-of-fold", xlabel="features", ylabel="AUC")
    axes.grid(alpha=0.3)
    curve = sorted(found["numbers"], key=lambda row: row["features"])
    size, auc, error = (np.array([row[key] for row in curve]) for key in ("features", "auc", "auc_gain_error"))
    axes.fill_between(size, auc - error, auc + error, alpha=0.2, label="standard error of the difference from the best")
    axes.plot(size, auc, "o-")
    axes.axhline(auc.max(), ls=":", c="grey", label=f"best: {auc.max():.4f}")
    selected = next(row for row in curve if row["arm"] == found["decisions"]["selected"])
    axes.plot(selected["features"], selected["auc"], "o", c="C1", ms=10, label=f"selected: {selected['auc']:.4f}")
    served = found["variants"][-1]
    axes.plot(served["features"], served["auc"], "D", c="C2", label=f"as served: {served['auc']:.4f}")
    axes.legend()
    seed = "" if found["seed"] is None else f", seed {found['seed']}"
    note = f"data: {found['data']}, {found['clients']:,} clients{seed}"
    figure.text(0.99, 0.01, note, ha="right", size=7, c="grey")
    return figure


def print_table(found: dict[str, Any]) -> None:
    """Print every arm, then the decisions."""
    print(f"{'arm':40} {'features':>8} {'trees':>5}  {'AUC':^15}  {'cost per client':^15}  {'AUC gained':^16} against")
    for row in (*found["tables"], *found["numbers"], *found["variants"]):
        line = f"{row['arm']:40} {row['features']:8.0f} {row['trees']:5.0f}  {row['auc']:.4f} ± {row['auc_error']:.4f}"
        line += f"  {row['cost']:.4f} ± {row['cost_error']:.4f}"
        if "against" in row:
            line += f"  {row['auc_gain']:+.4f} ± {row['auc_gain_error']:.4f} {row['against']}"
        print(line)
    print()
    for name, value in found["decisions"].items():
        print(f"{name}: {value}")


def main() -> None:
    """The command line."""
    arguments = parser(
        "Measure, on the development split, which tables, features, constraints and trees earn their place.",
        "python -m research.comparison.feature_study --data data/raw --folds 5",
    )
    add_data_option(arguments)
    arguments.add_argument("--out", type=Path, default=PUBLISHED, metavar="DIR", help="where the two files go")
    arguments.add_argument("--folds", type=int, default=FOLDS)
    arguments.add_argument("--seed", type=int, default=SEED)
    options = arguments.parse_args()
    if options.folds < 2:
        raise CommandError("--folds must be at least 2")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--out {options.out}: {error.strerror}") from error
    found = study(open_data(options.data), options.folds, options.seed)
    (options.out / "feature_study.json").write_text(json.dumps(found, indent=1) + "\n")
    picture(found).savefig(options.out / "feature_study.png", dpi=110)
    print_table(found)


if __name__ == "__main__":
    run(main)
