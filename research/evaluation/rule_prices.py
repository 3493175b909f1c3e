"""Price the rules of a lender: whom each one stops, how they turned out, and what that costs."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bento.model.scoring_model import ScoringModel
from bento.policy import CostAssumptions
from bento.rules.check import Rules
from bento.rules.measures import APPLICATION_COLUMNS, HISTORY_FEATURES, Inputs
from bento.rules.rulebook import DEFAULT_RULES, Rule, Rulebook, RulesError
from research.cli import CommandError, add_data_option, shown
from research.data.dataset import DATA, Data, open_data
from research.data.splits import Split
from research.evaluation.bootstrap import mean_with_interval
from research.evaluation.business_score import costs_of, cross_fitted_decisions
from research.evaluation.review_band import REVIEWER_ERRORS, costs_with_review
from research.results import OUT_OF_FOLD_FILE, RULES_FILE, RulePrices
from research.tracking import champion, connect
from research.types import Booleans, Integers, OutOfFold

EXAMPLE = "python -m research rules --rules my_rules.toml"
TOGETHER = "together"
"""Name of the row of all rules that are on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """The clients of one split: what the rules read of them, their outcomes, and the refusals of the model."""

    inputs: Inputs
    target: Integers
    """1 where the client defaulted."""
    refused: Booleans


def rule_inputs(data: Data, split: Split, features: pl.DataFrame, rulebook: Rulebook) -> Inputs:
    """Return what rules read of the clients of one split; `features` are those of `data.rows(split)`.

    The applications are not cleaned: the service too applies its rules to what was sent.
    """
    applications = data.applications(split, APPLICATION_COLUMNS, cleaned=False)
    return Inputs.of_frame(applications, features.select(HISTORY_FEATURES), rulebook.income_months)


def price_rules(rules: Rules, out_of_fold: Decided, costs: CostAssumptions, source: dict[str, Any]) -> RulePrices:
    """Price each rule, on or off, and all that are on together; `source` says what the figures were obtained from.

    A rule changes the decisions on those whom the model grants: they are refused, or a person decides, who is wrong in
    a share of the cases (`REVIEWER_ERRORS`). The time of that person has no price here.
    """
    rulebook = rules.rulebook
    rows: list[tuple[str, str, bool, list[Rule]]] = [
        (rule.code, rule.outcome, rule.on, [rule]) for rule in rulebook.rules
    ]
    rows.append((TOGETHER, "", True, list(rulebook.active("review", "refused"))))
    table = [
        {
            "code": code,
            "outcome": outcome,
            "on": on,
            "out_of_fold": _price(out_of_fold, *_stopped(rules, chosen, out_of_fold), costs),
        }
        for code, outcome, on, chosen in rows
    ]
    content = {**source, "rules_version": rulebook.version, "costs": costs.model_dump(), "table": table}
    return RulePrices.model_validate(content)


def _stopped(rules: Rules, chosen: list[Rule], split: Decided) -> tuple[Booleans, Booleans]:
    """Return to whom rules apply, and those of them who are refused, not reviewed."""
    applies, refused = np.zeros((2, split.inputs.clients), dtype=bool)
    for rule in chosen:
        applied = rules.applies(rule, split.inputs)
        applies |= applied
        if rule.outcome == "refused":
            refused |= applied
    return applies, refused


def _price(split: Decided, applies: Booleans, refused_by_rule: Booleans, costs: CostAssumptions) -> dict[str, Any]:
    target, refused = split.target, split.refused
    without, now_refused = costs_of(target, refused, costs), refused | refused_by_rule
    in_review = applies & ~now_refused
    changes = [
        {
            "error": error,
            "cost_change": asdict(
                mean_with_interval(costs_with_review(target, now_refused, in_review, error, costs) - without)
            ),
        }
        for error in REVIEWER_ERRORS
    ]
    return {
        "clients": len(target),
        "applies": int(applies.sum()),
        "stops": int((applies & ~refused).sum()),
        "default_rate": float(target[applies].mean()) if applies.any() else None,
        "default_rate_of_stopped": float(target[applies & ~refused].mean()) if (applies & ~refused).any() else None,
        "changes": changes,
    }


def rule_metrics(prices: RulePrices) -> dict[str, float]:
    """Return the share of clients whom the rules that are on stop, under the names of MLflow metrics."""
    price = prices.row(TOGETHER).out_of_fold
    return {"out_of_fold_stopped_by_rules_share": price.stops / price.clients}


def write_prices(prices: RulePrices, results: Path) -> None:
    """Write the prices into the folder of a run's results."""
    (results / RULES_FILE).write_text(json.dumps(prices.model_dump(mode="json"), indent=1) + "\n")


def price_run(results: Path, data: Data, rulebook: Rulebook) -> RulePrices:
    """Price rules on the clients that the model of a run was evaluated on.

    Raises:
        CommandError: the folder holds no finished run, or the data is not the run's.
    """
    path = results / OUT_OF_FOLD_FILE
    if not path.is_file():
        raise CommandError(f"{shown(path)}: no such file; name a finished run by --run")
    model = ScoringModel(results / "model")
    if data.source.fingerprint != model.manifest.training_data.fingerprint:
        raise CommandError(
            f"{data.folder}: not the data that {results.name} was trained on; name that folder by --data"
        )
    costs, scored = model.manifest.costs, pl.read_parquet(path)
    scores = OutOfFold.from_probability(*(scored[name].to_numpy() for name in ("target", "probability", "fold")))
    return price_rules(
        Rules(rulebook, model.reference.usual),
        Decided(
            inputs=rule_inputs(data, "development", data.rows("development").features, rulebook),
            target=scores.target,
            refused=cross_fitted_decisions(scores, costs)[0],
        ),
        costs,
        {**data.source.model_dump(), "run": results.name},
    )


def lines(prices: RulePrices) -> Iterator[str]:
    """Yield the table of prices, out of fold, as the command prints it."""
    errors = "".join(f"{f'{error:.0%} wrong':>12}" for error in REVIEWER_ERRORS)
    yield "out of fold; stops: the share that the model grants; last: change of the cost per client by reviewer"
    yield f"{'rule':22}{'':16}{'applies':>9}{'default':>9}{'stops':>9}{errors}"
    for row in prices.table:
        price = row.out_of_fold
        default = "" if price.default_rate is None else f"{price.default_rate:.1%}"
        changes = "".join(f"{change.cost_change.value or 0:>+12.4f}" for change in price.changes)
        state = row.outcome if row.on else f"{row.outcome}, off"
        share = f"{price.applies / price.clients:.2%}"
        yield f"{row.code:22}{state:16}{share:>9}{default:>9}{price.stops / price.clients:>9.2%}{changes}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    parser.add_argument("--run", help="MLflow run id: a folder of data/results; by default that of the champion")
    parser.add_argument("--rules", type=Path, default=DEFAULT_RULES, metavar="FILE", help="the rules to price")


def run(options: argparse.Namespace) -> None:
    """Price the rules of a file, print the table and write it into the results of the run."""
    try:
        rulebook = Rulebook.read(options.rules)
    except RulesError as error:
        raise CommandError(str(error)) from error
    results = DATA / "results" / (options.run or str(champion(connect()).run_id))
    prices = price_run(results, open_data(options.data), rulebook)
    write_prices(prices, results)
    print("\n".join(lines(prices)))
    print(f"rules {rulebook.version}; written to {shown(results / RULES_FILE)}")
