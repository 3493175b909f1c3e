"""Price leaving out features that cannot be quoted to a client, and holding the others to the quoted direction."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import lightgbm
from matplotlib.figure import Figure

from research import results
from research.cli import add_data_option, shown
from research.comparison.feature_study import Arm, Result, Row
from research.data.dataset import DATA, Data, open_data
from research.data.splits import fold_rows
from research.options import FOLDS, SEED, add_options, check_folds, option, settings_from
from research.plotting import LESS_RISK, MORE_RISK, save_figure
from research.results import QUOTABLE_FILE, QuotableStudy
from research.training import boosting, cross_fitting
from research.training.feature_selection import Ranking, rank
from research.training.quoted import DIRECTION_SETS, Directions, families, features_of_families
from research.types import Floats, OutOfFold, TrainingMatrix

EXAMPLE = "python -m research quotable --data data/raw"
PICTURE_FILE = "quotable.png"
Rank = Callable[[TrainingMatrix, int], Ranking]
"""Ranks features on training rows, with a seed."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to measure; a CommandError where there are too few folds."""

    folds: int = option(FOLDS, "folds of the development split, the same for all arms")
    seed: int = option(SEED, "of folds, rankings and boosters")

    def __post_init__(self) -> None:
        check_folds(self.folds)


DEFAULTS = Settings()


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One arm: the families and single features that are left out, and the features that are held monotone."""

    name: str
    left_out: tuple[str, ...] = ()
    features_left_out: tuple[str, ...] = ()
    directions: Directions = "certain"


ALL_FEATURES = Variant(name="all features, certain directions")
"""The arm that the others are compared with."""
UNQUOTED = tuple(family for family in families() if family != "organisation")
CODES = ("documents", "hour and contact flags", "organisation")
COMBINED = (
    Variant(name="without documents, hour, contact flags, organisation", left_out=CODES),
    Variant(name="without these and building", left_out=(*CODES, "building")),
    Variant(name="without all that cannot be quoted", left_out=UNQUOTED),
)
SINGLE = (
    *(Variant(name=f"directions: {directions}", directions=directions) for directions in DIRECTION_SETS[1:]),
    *(Variant(name=f"without {family}", left_out=(family,)) for family in families()),
)
"""Single changes: the two larger sets of directions, then each family left out."""


class Bench:
    """Fits variants on the same folds, with the number of trees at which the arm `base` stops."""

    def __init__(
        self,
        data: Data,
        settings: Settings,
        ranker: Rank,
        parameters: Mapping[str, Any],
        base: Variant = ALL_FEATURES,
    ) -> None:
        rows = data.rows("development")
        self.data = cross_fitting.training_matrix(
            rows, cross_fitting.catalogue_names(with_age=boosting.WITH_AGE, left_out=())
        )
        self.splits = fold_rows(rows.target, rows.person, settings.folds, settings.seed)
        self._parameters, self._seed, self._base = parameters, settings.seed, base
        self._folds = range(settings.folds)
        self._rankings = self._parallel(
            lambda fold: ranker(self._training_rows(fold), settings.seed + fold), "rankings"
        )
        self.trees = boosting.median_trees(self._parallel(self._rounds, "number of trees"))

    def fit(self, variants: Sequence[Variant]) -> list[Result]:
        """Return the out-of-fold scores of each variant."""
        tasks = list(product(variants, self._folds))
        title = f"{len(variants)} arms"
        scores = iter(cross_fitting.parallel_map(self._score_fold, tasks, len(self.data), title))
        return [
            Result(
                arm=Arm(name=variant.name, chosen=[self._chosen(variant, fold) for fold in self._folds]),
                trees=self.trees,
                scores=OutOfFold.from_folds(self.data.target, self.splits, [next(scores) for _ in self._folds]),
            )
            for variant in variants
        ]

    def _parallel(self, task: Callable[[int], Any], title: str) -> list[Any]:
        return cross_fitting.parallel_map(task, self._folds, len(self.data), title)

    def _training_rows(self, fold: int) -> TrainingMatrix:
        return self.data.rows(self.splits[fold][0])

    def _chosen(self, variant: Variant, fold: int) -> list[str]:
        """Return the best features of the fold's ranking that are not left out: as many as without leaving out."""
        excluded = features_of_families(variant.left_out).union(variant.features_left_out)
        ranking = self._rankings[fold]
        ranked = ranking.names if boosting.BEST_FEATURES is None else [*ranking.names, *ranking.noise]
        return [name for name in ranked if name not in excluded][: boosting.BEST_FEATURES]

    def _rounds(self, fold: int) -> int:
        data = self.data.select(self._chosen(self._base, fold))
        params = boosting.booster_params(data, self._parameters, constraints=True, directions=self._base.directions)
        return boosting.train_booster(data, self.splits[fold][0], self._seed + fold, params)[0].best_iteration

    def _score_fold(self, task: tuple[Variant, int]) -> Floats:
        variant, fold = task
        train, validation = self.splits[fold]
        data = self.data.select(self._chosen(variant, fold))
        params = boosting.booster_params(data, self._parameters, constraints=True, directions=variant.directions)
        booster = lightgbm.train(
            params | {"seed": self._seed + fold}, boosting.booster_dataset(data.rows(train)), self.trees
        )
        return boosting.predict_log_odds(booster, data.matrix[validation])


def price_of_quotable(
    data: Data,
    settings: Settings = DEFAULTS,
    ranker: Rank = rank,
    parameters: Mapping[str, Any] = boosting.PARAMETERS,
) -> QuotableStudy:
    """Compare, out of fold, the model of all features with those that are given fewer, or are held monotone.

    Of each fold the features are ranked once, and an arm gets as many of the best as are not left out. Gains are paired
    by client, with standard errors, which do not include the randomness of the fit. Default becomes the first cheap one
    (`is_cheap`) of these arms: all changes together, then each time without the one that is dearest alone.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    bench = Bench(data, settings, ranker, parameters)
    base, *others = bench.fit([ALL_FEATURES, *SINGLE, *COMBINED])
    rows = [base.row(), *(result.row(base) for result in others)]
    variants = [ALL_FEATURES, *SINGLE, *COMBINED]
    single_rows = dict(zip(SINGLE, rows[1:], strict=False))
    changes, chosen = list(SINGLE[1:]), ALL_FEATURES
    while changes:
        arm = together(changes)
        row = bench.fit([arm])[0].row(base)
        variants.append(arm)
        rows.append(row)
        if is_cheap(row):
            chosen = arm
            break
        changes = without_dearest(changes, single_rows)
    arms = [
        row | {"left_out": list(variant.left_out), "directions": variant.directions}
        for variant, row in zip(variants, rows, strict=True)
    ]
    return QuotableStudy.model_validate(
        data.source.model_dump()
        | {
            "development_clients": len(bench.data),
            "folds": settings.folds,
            "folds_seed": settings.seed,
            "arms": arms,
            "left_out": list(chosen.left_out),
            "directions": chosen.directions,
        }
    )


def is_cheap(row: Row) -> bool:
    """Return whether an arm loses no more AUC, and costs no more, than one standard error of the difference."""
    return all(-row[f"{figure}_gain"] <= row[f"{figure}_gain_error"] for figure in ("auc", "cost"))


def together(changes: Sequence[Variant]) -> Variant:
    """Return the arm of several changes."""
    left_out = tuple(family for change in changes for family in change.left_out)
    directions = max((change.directions for change in changes), key=DIRECTION_SETS.index)
    kept = [family for family in families() if family not in left_out]
    name = "together" + (f", with {', '.join(kept)}" if kept else "") + f", directions: {directions}"
    return Variant(name=name, left_out=left_out, directions=directions)


def without_dearest(changes: Sequence[Variant], rows: Mapping[Variant, Row]) -> list[Variant]:
    """Return the changes without the one that alone loses most, in standard errors of AUC or of cost.

    If that is a set of directions, the next smaller set that changes anything takes its place.
    """

    def loss(change: Variant) -> float:
        row = rows[change]
        errors = [row[f"{figure}_gain_error"] for figure in ("auc", "cost")]
        gains = [row[f"{figure}_gain"] for figure in ("auc", "cost")]
        return max(-gain / error if error else 0.0 for gain, error in zip(gains, errors, strict=True))

    dearest = max(changes, key=loss)
    smaller = {SINGLE[1]: [SINGLE[0]]}.get(dearest, [])
    return [*smaller, *(change for change in changes if change is not dearest)]


def plot_prices(content: QuotableStudy, path: Path) -> None:
    """Draw AUC lost and additional cost of each arm, with one standard error; what becomes a default is blue."""
    arms = [arm for arm in content.arms if arm.auc_gain is not None][::-1]
    figure = Figure(figsize=(11, 0.32 * len(arms) + 1.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for panel, name, title in zip(axes, ("auc", "cost"), ("AUC lost", "additional cost per client"), strict=True):
        for height, arm in enumerate(arms):
            is_default = (arm.left_out, arm.directions) == (content.left_out, content.directions)
            loss, error = -getattr(arm, f"{name}_gain"), getattr(arm, f"{name}_gain_error")
            panel.errorbar(loss, height, xerr=error, fmt="o", c=LESS_RISK if is_default else MORE_RISK)
        panel.axvline(0, c="grey", lw=0.8)
        panel.set_title(title)
        panel.locator_params(axis="x", nbins=5)
        panel.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(arms)), [arm.arm for arm in arms], size=8)
    save_figure(figure, path, content)


def table(arms: Sequence[results.Arm]) -> list[str]:
    """Return the table of arms, as the command prints it."""
    width = max(len(arm.arm) for arm in arms)
    printed = [f"{'arm':{width}} {'features':>8} {'AUC':>7}  {'AUC gained':^17}  {'cost':>7}  {'cost saved':^17}"]
    for arm in arms:
        line = f"{arm.arm:{width}} {arm.features:8.1f} {arm.auc:7.4f}"
        if arm.auc_gain is None:
            line += f"  {'':17}  {arm.cost:7.4f}"
        else:
            line += f"  {arm.auc_gain:+.4f} ± {arm.auc_gain_error:.4f}  {arm.cost:7.4f}"
            line += f"  {arm.cost_gain:+.4f} ± {arm.cost_gain_error:.4f}"
        printed.append(line)
    return printed


def lines(content: QuotableStudy) -> list[str]:
    """Return the table of arms, then the decisions."""
    decided = [f"left out: {', '.join(content.left_out) or 'none'}", f"directions: {content.directions}"]
    return [*table(content.arms), "", *decided]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    add_options(parser, Settings)


def run(options: argparse.Namespace) -> None:
    """Measure, write both files, and print the table."""
    settings = settings_from(Settings, options)
    content = price_of_quotable(open_data(options.data), settings)
    out = DATA / "results" / "quotable"
    out.mkdir(parents=True, exist_ok=True)
    (out / QUOTABLE_FILE).write_text(content.model_dump_json(indent=1, exclude_unset=True) + "\n")
    plot_prices(content, out / PICTURE_FILE)
    print("\n".join(lines(content)))
    print(f"written: {shown(out)}; publish them with: python -m research publish quotable")
