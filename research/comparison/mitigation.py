"""Price a mitigation, on the development split: training rows weighted so that age and default are independent.

Reweighing (F. Kamiran, T. Calders, Data preprocessing techniques for classification without discrimination, Knowledge
and Information Systems 33, 2012) reads ages in training only: model, calibration and threshold are the same for all,
where a threshold by age would decide by age. What it buys in approvals of young clients, it takes from the truth of
their probabilities, and both are reported.
"""

import argparse
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm
import numpy as np
from matplotlib.figure import Figure

from research.cli import add_data_option, shown
from research.comparison.feature_study import Arm, Result
from research.data.dataset import DATA, Data, Rows, open_data
from research.data.splits import fold_rows
from research.evaluation.bootstrap import Estimate, bootstrap, mean_with_interval
from research.evaluation.business_score import cross_fitted_decisions
from research.evaluation.calibration import METHODS, cross_fitted
from research.evaluation.fairness import BANDS, age_band
from research.options import FOLDS, SEED, add_options, check_folds, option, settings_from
from research.plotting import LESS_RISK, new_axes, save_figure
from research.results import MITIGATION_FILE, Mitigation, MitigationArm
from research.training import boosting, cross_fitting
from research.training.feature_selection import choose as choose_features
from research.types import Booleans, Floats, Integers, OutOfFold, TrainingMatrix

EXAMPLE = "python -m research mitigation --data data/raw"
PICTURE_FILE = "mitigation.png"
STRENGTHS = (0.0, 0.5, 1.0, 2.0)
"""Powers of the weights that are tried: 0, the model as it is; 1, age and default are independent; 2, overcorrected."""
YOUNG = BANDS[0]
"""The group whose approvals are compared with those of all others."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to measure; a CommandError where there are too few folds."""

    folds: int = option(FOLDS, "folds of the development split, the same for all arms")
    seed: int = option(SEED, "of folds, selection, boosters and intervals")

    def __post_init__(self) -> None:
        check_folds(self.folds)


DEFAULTS = Settings()


def weights(target: Integers, young: Booleans, strength: float) -> Floats:
    """Return the weight of each training row: expected over observed frequency of its group and outcome, to a power.

    Weighted by a power of 1, both groups have the default rate of all.

    >>> weights(np.array([1, 1, 0, 0]), np.array([True, True, True, False]), 1.0).round(3).tolist()
    [0.75, 0.75, 1.5, 0.5]
    """
    weight = np.ones(len(target))
    for group in (young, ~young):
        for outcome in (0, 1):
            cell = group & (target == outcome)
            if cell.any():
                weight[cell] = group.mean() * np.mean(target == outcome) / cell.mean()
    return weight**strength


def price_of_mitigation(
    data: Data,
    settings: Settings = DEFAULTS,
    choose: cross_fitting.Choose = choose_features,
    parameters: dict[str, Any] = boosting.PARAMETERS,
) -> Mitigation:
    """Compare, out of fold, boosters whose training rows are weighted by age group and outcome, by strength.

    All arms have the folds, features and number of trees of the model as it is, and are calibrated and decided alike,
    by lines and thresholds of the other folds. Changes are paired by client; the intervals do not include the
    randomness of the fit.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    rows = data.rows("development")
    young = (age_band(rows.audit["age_years"]) == YOUNG).to_numpy()
    results = _fit_arms(rows, young, settings, choose, parameters)
    refused = {strength: cross_fitted_decisions(result.scores)[0] for strength, result in results.items()}
    return Mitigation(
        **data.source.model_dump(),
        development_clients=len(rows.target),
        young_clients=int(young.sum()),
        folds=settings.folds,
        folds_seed=settings.seed,
        group=YOUNG,
        arms=[
            _arm(strength, result, results[0.0], young, (refused[strength], refused[0.0]), settings.seed)
            for strength, result in results.items()
        ],
    )


def _fit_arms(
    rows: Rows, young: Booleans, settings: Settings, choose: cross_fitting.Choose, parameters: dict[str, Any]
) -> dict[float, Result]:
    data = cross_fitting.training_matrix(rows, cross_fitting.catalogue_names(with_age=boosting.WITH_AGE))
    splits = fold_rows(rows.target, rows.person, settings.folds, settings.seed)
    seeds = [settings.seed + number for number in range(settings.folds)]

    def columns_and_trees(number: int) -> tuple[TrainingMatrix, int]:
        train, _ = splits[number]
        chosen = cross_fitting.select_columns(data, train, choose, seeds[number])
        params = boosting.booster_params(chosen, parameters, boosting.CONSTRAINTS)
        booster, _ = boosting.train_booster(chosen, train, seeds[number], params)
        return chosen, booster.best_iteration

    stopped = cross_fitting.parallel_map(columns_and_trees, range(settings.folds), len(data), "features and trees")
    matrices, trees = [chosen for chosen, _ in stopped], boosting.median_trees([best for _, best in stopped])

    def score(strength: float) -> OutOfFold:
        def score_fold(number: int, train: Integers, validation: Integers) -> Floats:
            chosen = matrices[number]
            params = boosting.booster_params(chosen, parameters, boosting.CONSTRAINTS) | {"seed": seeds[number]}
            dataset = boosting.booster_dataset(chosen.rows(train))
            dataset.set_weight(weights(rows.target[train], young[train], strength))
            booster = lightgbm.train(params, dataset, trees)
            return boosting.predict_log_odds(booster, chosen.matrix[validation])

        scores = cross_fitting.out_of_fold(rows.target, splits, score_fold, f"strength {strength:g}")
        # Weighted rows shift the probabilities, of all clients too: they are calibrated on rows as they are.
        return OutOfFold.from_probability(rows.target, cross_fitted(METHODS["sigmoid"], scores), scores.fold)

    chosen = [[column.name for column in matrix.columns] for matrix in matrices]
    return {
        strength: Result(arm=Arm(name=f"strength {strength:g}", chosen=chosen), trees=trees, scores=score(strength))
        for strength in STRENGTHS
    }


def _arm(
    strength: float,
    result: Result,
    default: Result,
    young: Booleans,
    refused: tuple[Booleans, Booleans],
    seed: int,
) -> MitigationArm:
    """Return the figures of an arm; `refused` are its refusals and those of the model as it is."""
    target, probability = result.scores.target, result.scores.probability

    def ratio(refusals: Booleans, rows: Integers) -> float:
        of_young = young[rows]
        approved = ~refusals[rows]
        return float(approved[of_young].mean() / approved[~of_young].mean())

    def estimate(statistic: Any) -> dict[str, float]:
        estimated: Estimate = bootstrap(statistic, len(target), seed)
        return asdict(estimated)

    is_default = result is default
    return MitigationArm.model_validate(
        {
            **result.row(None if is_default else default),
            "strength": strength,
            "approval_ratio": estimate(lambda rows: ratio(refused[0], rows)),
            "ratio_gain": None
            if is_default
            else estimate(lambda rows: ratio(refused[0], rows) - ratio(refused[1], rows)),
            "cost_change": None if is_default else asdict(mean_with_interval(result.cost - default.cost, seed)),
            "predicted_over_observed": estimate(
                lambda rows: float(probability[rows][young[rows]].sum() / target[rows][young[rows]].sum())
            ),
        }
    )


def plot_mitigation(content: Mitigation) -> Figure:
    """Draw, for each strength, the change of the cost against that of the approval ratio, with paired intervals."""
    first, *others = content.arms
    title = f"Reweighing: approvals of clients {content.group}, and what they cost"
    x = f"change of the approval ratio {content.group} (as it is: {first.approval_ratio.value:.2f})"
    figure, axes = new_axes(title, x, "change of the cost of 1,000 clients")
    axes.plot(0, 0, "o", color="black")
    axes.annotate(f"{first.strength:g}", (0, 0), xytext=(6, 6), textcoords="offset points")
    for arm in others:
        ratio, cost = (
            np.array([getattr(change, end) for end in ("value", "low", "high")], dtype=float)
            for change in (arm.ratio_gain, arm.cost_change)
        )
        axes.plot(ratio[1:], [1000 * cost[0]] * 2, color=LESS_RISK, lw=1)
        axes.plot([ratio[0]] * 2, 1000 * cost[1:], color=LESS_RISK, lw=1)
        axes.plot(ratio[0], 1000 * cost[0], "o", color=LESS_RISK)
        axes.annotate(f"{arm.strength:g}", (ratio[0], 1000 * cost[2]), xytext=(2, 3), textcoords="offset points")
    axes.axhline(0, ls="--", c="grey", lw=0.8)
    axes.axvline(0, ls="--", c="grey", lw=0.8)
    return figure


def print_table(content: Mitigation) -> None:
    """Print every arm."""
    print(f"{content.young_clients:,} of {content.development_clients:,} clients are {content.group}")
    print(f"{'strength':>8}  {'AUC':>6}  {'cost':>6}  {'change':>8}  {'approval ratio':^24}  predicted over observed")
    for arm in content.arms:
        ratio, change = arm.approval_ratio, arm.cost_change.value if arm.cost_change else 0
        interval = f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
        print(
            f"{arm.strength:8g}  {arm.auc:.4f}  {arm.cost:.4f}  {change:+8.4f}  {interval:^24}  "
            f"{arm.predicted_over_observed.value:.3f}"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    add_options(parser, Settings)


def run(options: argparse.Namespace) -> None:
    """Measure, write file and picture, and print the table."""
    settings = settings_from(Settings, options)
    data = open_data(options.data)
    content = price_of_mitigation(data, settings)
    out = DATA / "results" / "mitigation"
    out.mkdir(parents=True, exist_ok=True)
    (out / MITIGATION_FILE).write_text(content.model_dump_json(indent=1, exclude_none=False) + "\n")
    save_figure(plot_mitigation(content), out / PICTURE_FILE, data.source)
    print_table(content)
    print(f"written: {shown(out)}; publish them with: python -m research publish mitigation")
