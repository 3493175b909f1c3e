"""What it costs in AUC to leave age, gender or the constraints out."""

import json
from dataclasses import asdict
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from scipy.special import expit
from scipy.stats import norm
from tqdm import tqdm

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from bento.model.scoring_model import encode
from research.cli import CommandError, add_data_option, parser, run
from research.comparison.feature_study import Arm, Result, area
from research.data.dataset import DATA, Data, Rows, open_data
from research.data.splits import fold_rows
from research.evaluation.bootstrap import Estimate, mean_with_interval
from research.evaluation.business_score import cross_fitted_decisions
from research.evaluation.fairness import BANDS, FOLDS, MIN_GROUP_OUTCOMES, SEED, TAILS, _enough, approval_gap, groups_of
from research.evaluation.fairness_figures import write_price_figure
from research.training import boosting, cross_fitting
from research.training.feature_selection import choose

DEFAULT = "default"


ARMS = {DEFAULT: (False, False), "with gender": (True, False), "with age": (False, True), "with both": (True, True)}
"""What `price` compares: whether gender is given, and whether the features of age are."""


MONOTONE = "monotone_constraints"


GENDER = ModelFeature(name="CODE_GENDER", categories=["F", "M"])
"""The one place where gender meets a model, to measure what leaving it out costs; such a model is never kept."""


def price(data: Data, folds: int = FOLDS, seed: int = SEED) -> dict[str, Any]:
    """What leaving gender and age out costs: the default model, out of fold, beside those that are given them too.

    The arms of a fold differ by what is added to the features chosen for the default: gender, and those features of age
    that are chosen where age may be. All have the number of trees at which the default stops, for a number of its own
    would move AUC and cost by more than is measured. Gender is one more column here, and nowhere else; no model of this
    function is kept.

    Args:
        data: its development split is used.
        folds: the same for all arms.
        seed: of folds, selection, boosters and intervals.

    Returns:
        What can be written as JSON: `arms`, each with AUC, cost and gaps in approval, and `prices`: what the default
        loses in AUC (DeLong's interval) and costs more per client (in good clients refused; bootstrap), both paired by
        client. The intervals do not hold the chance of the fit itself.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    rows = data.rows("development")
    results = _arms(rows, folds, seed)
    default = results[DEFAULT]
    return {
        **data.source.model_dump(),
        "development_clients": len(rows.target),
        "folds": folds,
        "folds_seed": seed,
        "constraints": boosting.CONSTRAINTS,
        "arms": [_row(result, default, rows.audit, seed) for result in results.values()],
        "prices": [
            {
                "leaving_out": name.removeprefix("with "),
                "auc": asdict(_delong(*area(result.placement - default.placement, result.target))),
                "cost": asdict(mean_with_interval(default.cost - result.cost, seed)),
            }
            for name, result in results.items()
            if result is not default
        ],
    }


def _arms(rows: Rows, folds: int, seed: int) -> dict[str, Result]:
    columns = [*cross_fitting.model_features(cross_fitting.catalogue_names(with_age=True)), GENDER]
    matrix = encode(rows.features.with_columns(rows.audit["gender"].alias(GENDER.name)), columns)
    splits = fold_rows(rows.target, rows.person, folds, seed)

    def chosen(number: int, with_age: bool) -> list[str]:
        train = splits[number][0]
        part, allowed = cross_fitting.take(matrix, columns, cross_fitting.catalogue_names(with_age))
        return list(choose(part[train], rows.target[train], allowed, seed + number))

    def settings(kept: list[ModelFeature]) -> dict[str, Any]:
        return boosting.PARAMETERS | {"num_threads": cross_fitting.threads(len(rows.target))} | held(kept)

    default = [chosen(number, with_age=False) for number in range(folds)]
    age = [[name for name in chosen(number, with_age=True) if CATALOGUE[name].uses_age] for number in range(folds)]
    rounds = []
    for number, (train, _) in enumerate(tqdm(splits, desc="number of trees", unit="fold")):
        part, kept = cross_fitting.take(matrix, columns, default[number])
        booster, _ = boosting.grow(part, rows.target, kept, train, seed + number, settings(kept))
        rounds.append(booster.best_iteration)
    trees = max(1, round(float(np.median(rounds))))

    results = {}
    for name, (with_gender, with_age) in ARMS.items():
        names = [default[number] + age[number] * with_age + [GENDER.name] * with_gender for number in range(folds)]
        log_odds, fold = np.empty(len(rows.target)), np.empty(len(rows.target), dtype=np.int64)
        for number, (train, judged) in enumerate(tqdm(splits, desc=name, unit="fold")):
            part, kept = cross_fitting.take(matrix, columns, names[number])
            dataset = lightgbm.Dataset(
                part[train],
                rows.target[train],
                feature_name=[column.name for column in kept],
                categorical_feature=[column.name for column in kept if column.categories],
            )
            booster = lightgbm.train(settings(kept) | {"seed": seed + number}, dataset, trees)
            log_odds[judged], fold[judged] = booster.predict(part[judged], raw_score=True), number
        results[name] = Result(Arm(name, names), trees, rows.target, fold, log_odds)
    return results


def held(columns: list[ModelFeature]) -> dict[str, Any]:
    """The constraints of the default model; gender, which the catalogue does not know, stands last and is free."""
    known = [column for column in columns if column.name in CATALOGUE]
    found = boosting.constrained(known) if boosting.CONSTRAINTS else {}
    return found | {name: [*found[name], *[0] * (len(columns) - len(known))] for name in found.keys() & {MONOTONE}}


def _row(result: Result, default: Result, audit: pl.DataFrame, seed: int) -> dict[str, Any]:
    refused, _ = cross_fitted_decisions(result.target, expit(result.log_odds), result.fold)
    approval = {}
    for name in ("gender", "age"):
        group = groups_of(audit)[name].to_numpy()
        names = [
            each for each in (*GENDER.categories, *BANDS) if _enough(result.target[group == each], MIN_GROUP_OUTCOMES)
        ]
        members = [refused[group == each] for each in names]
        approval[name] = {
            "rates": {each: float(np.mean(~of)) for each, of in zip(names, members, strict=True)},
            "gap": asdict(approval_gap(members, seed)) if len(members) > 1 else None,
        }
    return {
        **result.row(default),
        "given_gender": all(GENDER.name in names for names in result.arm.chosen),
        "features_of_age": float(np.mean([sum(_uses_age(name) for name in names) for names in result.arm.chosen])),
        "approval": approval,
    }


def _uses_age(name: str) -> bool:
    return name in CATALOGUE and CATALOGUE[name].uses_age


def _delong(value: float, error: float) -> Estimate:
    reach = float(norm.ppf(TAILS[1])) * error
    return Estimate(value, value - reach, value + reach)


def main() -> None:
    """The command line."""
    arguments = parser(
        "Measure, on the development split, what leaving gender and age out of the model costs.",
        "python -m research.comparison.price_of_fairness --data data/raw",
    )
    add_data_option(arguments)
    arguments.add_argument("--folds", type=int, default=FOLDS)
    arguments.add_argument("--seed", type=int, default=SEED)
    options = arguments.parse_args()
    if options.folds < 2:
        raise CommandError("--folds must be at least 2")
    data = open_data(options.data)
    found = price(data, options.folds, options.seed)
    out = DATA / "results" / "fairness"
    out.mkdir(parents=True, exist_ok=True)
    (out / "fairness_price.json").write_text(json.dumps(found, indent=1) + "\n")
    write_price_figure(found, out / "fairness_price.png", data.source)
    print(f"{'arm':14} {'AUC':>6}  {'gain':^17}  {'cost':>6}  {'gap in approval by gender, by age'}")
    for row in found["arms"]:
        gaps = [row["approval"][name]["gap"] for name in ("gender", "age")]
        words = ", ".join("unknown" if gap is None else f"{gap['value']:.3f}" for gap in gaps)
        gain = f"{row['auc_gain']:+.4f} ± {row['auc_gain_error']:.4f}"
        print(f"{row['arm']:14} {row['auc']:.4f}  {gain}  {row['cost']:.4f}  {words}")
    print(f"written: {out}")


if __name__ == "__main__":
    run(main)
