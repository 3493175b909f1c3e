"""Explain a model on the test split by SHAP, and by LIME, whose stability is measured."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bento.features.catalogue import CATALOGUE
from bento.features.definitions import GROUP_LABELS, Group
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from research.cli import CommandError
from research.explanation import figures
from research.explanation.lime_explainer import LIME_SAMPLES, LIME_SEEDS, TOP, Lime, LimeView
from research.options import SEED
from research.registry.trained_run import add_run_options, open_run
from research.types import Floats

EXAMPLE = "python -m research explain --client 100002"
MAX_CLIENTS = 2000
"""Clients that SHAP is drawn for, and that LIME takes values of neighbours from."""
MAX_LISTED = 30
"""Features whose importance is reported."""
LIME_CLIENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles of the log-odds at which LIME explains a client."""


def by_group(contributions: Floats, names: list[str]) -> tuple[Floats, list[Group]]:
    """Add up contributions (rows x features) by group (rows x groups), which is exact: SHAP values are additive."""
    groups = [group for group in GROUP_LABELS if any(CATALOGUE[name].group == group for name in names)]
    group_of = np.array([CATALOGUE[name].group for name in names])
    return np.column_stack([contributions[:, group_of == group].sum(axis=1) for group in groups]), groups


class Explained:
    """Clients with their scores and SHAP contributions."""

    def __init__(self, model: ScoringModel, features: pl.DataFrame) -> None:
        self.model, self.features = model, features
        self.contributions, self.base = model.contributions(features)
        self.log_odds, self.probability = model.log_odds(features), model.probability(features)
        self.view = figures.View.of(model, features, self.contributions, self.base)

    def typical(self) -> dict[str, int]:
        """Return, for each decision, the row of the client whose log-odds are nearest to the median."""
        decisions = [self.model.decide(value) for value in self.probability]
        rows = {}
        for decision in Decision:
            members = np.flatnonzero([decided == decision for decided in decisions])
            if len(members):
                log_odds = self.log_odds[members]
                rows[decision.value] = int(members[_nearest(log_odds, float(np.median(log_odds)))])
        return rows


def explain(
    model: ScoringModel, features: pl.DataFrame, out: Path, seed: int = SEED, lime_samples: int = LIME_SAMPLES
) -> dict[str, Any]:
    """Draw SHAP and LIME of these clients (rows; above `MAX_CLIENTS`, a sample) into `out`, and return the figures."""
    out.mkdir(parents=True, exist_ok=True)
    explained = Explained(model, _sample(features, seed))
    typical, log_odds, probability = explained.typical(), explained.log_odds, explained.probability
    lime_rows = [_nearest(log_odds, float(np.quantile(log_odds, quantile))) for quantile in LIME_CLIENTS]
    drawn = typical.get("refused", lime_rows[-1])
    lime = Lime(model, explained.features, lime_samples)
    views = {row: lime.explain(row, seed) for row in {*lime_rows, drawn}}
    _draw(explained, typical, drawn, views[drawn], out, seed)
    sums = explained.base + explained.contributions.sum(axis=1)
    return {
        **model.manifest.training_data.model_dump(),
        "rows": len(explained.features),
        "sample_seed": seed,
        "base_value": explained.base,
        "largest_additivity_error": float(np.abs(sums - log_odds).max()),
        **_importance(explained),
        "typical": {name: {"probability_of_default": float(probability[row])} for name, row in typical.items()},
        "lime": _lime_report(explained, [(row, views[row]) for row in lime_rows], seed, lime_samples),
    }


def _draw(
    explained: Explained, typical: dict[str, int], lime_row: int, lime_view: LimeView, out: Path, seed: int
) -> None:
    view, probability = explained.view, explained.probability
    grouped, groups = by_group(explained.contributions, view.names)
    figures.plot_beeswarm(view, out / "shap_beeswarm.png", seed)
    figures.plot_groups(np.abs(grouped).mean(axis=0), groups, view, out / "shap_groups.png")
    figures.plot_dependence(view, out / "shap_dependence.png", seed)
    threshold = explained.model.threshold
    titles = {
        row: f"Typical client ({name}): probability {probability[row]:.1%}, threshold {threshold:.1%}"
        for name, row in typical.items()
    }
    figures.plot_waterfalls(view, titles, out / "shap_waterfall.png")
    figures.plot_lime(view, lime_row, lime_view.weights, float(probability[lime_row]), out / "lime.png")


def _importance(explained: Explained) -> dict[str, Any]:
    """Return the mean size of the contributions, by feature and by group, largest first."""
    names, by_feature = explained.model.feature_names, np.abs(explained.contributions).mean(axis=0)
    grouped, groups = by_group(explained.contributions, names)
    group_importance = np.abs(grouped).mean(axis=0)
    return {
        "features": [
            {
                "feature": name,
                "label": CATALOGUE[name].en,
                "group": CATALOGUE[name].group,
                "mean_abs_shap": float(importance),
            }
            for name, importance in sorted(zip(names, by_feature, strict=True), key=lambda pair: -pair[1])[:MAX_LISTED]
        ],
        "groups": [
            {"group": group, "label": GROUP_LABELS[group]["en"], "mean_abs_shap": float(importance)}
            for group, importance in sorted(zip(groups, group_importance, strict=True), key=lambda pair: -pair[1])
        ],
    }


def _lime_report(
    explained: Explained, views: list[tuple[int, LimeView]], seed: int, lime_samples: int
) -> dict[str, Any]:
    clients: list[dict[str, Any]] = [
        {
            "probability_of_default": float(explained.probability[row]),
            "stability": view.stability(),
            "agreement": view.agreement(explained.contributions[row]),
            "fit": float(view.fit.mean()),
        }
        for row, view in views
    ]
    return {
        "settings": {
            "num_samples": lime_samples,
            "num_features": len(explained.model.feature_names),
            "seeds": list(range(seed, seed + LIME_SEEDS)),
            "top": TOP,
            "neighbours": "quartiles of the known values; missing values are a separate bin",
        },
        "clients": clients,
        **{
            part: {name: float(np.mean([client[part][name] for client in clients])) for name in clients[0][part]}
            for part in ("stability", "agreement")
        },
        "fit": float(np.mean([client["fit"] for client in clients])),
    }


def explain_client(
    model: ScoringModel, features: pl.DataFrame, client: pl.DataFrame, out: Path, name: str, seed: int = SEED
) -> dict[str, Any]:
    """Draw NAME_waterfall.png and NAME_lime.png of one client (row); LIME takes neighbours from `features`."""
    out.mkdir(parents=True, exist_ok=True)
    rows = pl.concat([_sample(features, seed).select(model.feature_names), client.select(model.feature_names)])
    row = len(rows) - 1
    explained = Explained(model, rows)
    view, probability = explained.view, float(explained.probability[row])
    decision = model.decide(probability)
    title = f"Probability of default {probability:.1%}, threshold {model.threshold:.1%}: {decision}"
    figures.plot_waterfalls(view, {row: title}, out / f"{name}_waterfall.png")
    lime_view = Lime(model, rows).explain(row, seed)
    figures.plot_lime(view, row, lime_view.weights, probability, out / f"{name}_lime.png")
    return {
        "probability_of_default": probability,
        "stability": lime_view.stability(),
        "agreement": lime_view.agreement(explained.contributions[row]),
    }


def _sample(features: pl.DataFrame, seed: int) -> pl.DataFrame:
    if len(features) <= MAX_CLIENTS:
        return features
    return features[np.sort(np.random.default_rng(seed).permutation(len(features))[:MAX_CLIENTS])]


def _nearest(values: Floats, value: float) -> int:
    return int(np.argmin(np.abs(values - value)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_run_options(parser)
    parser.add_argument("--client", type=int, metavar="SK_ID_CURR", help="explain this client of the training file")
    parser.add_argument("--seed", type=int, default=SEED)


def run(options: argparse.Namespace) -> None:
    """Explain the model of a run on the test split, or one client; a CommandError where the data is not the run's."""
    trained = open_run(options.run, options.data)
    out, model, data = trained.results, trained.model, trained.data
    features = data.test_features()
    if options.client is not None:
        client = data.features().filter(pl.col("SK_ID_CURR") == options.client)
        if client.is_empty():
            raise CommandError(f"{data.folder}: application_train holds no client {options.client}")
        explained = explain_client(model, features, client, out, str(options.client), options.seed)
        print(json.dumps(explained, indent=1))
    else:
        report = explain(model, features, out, options.seed)
        (out / "explanations.json").write_text(json.dumps(report, indent=1) + "\n")
        for row in report["groups"]:
            print(f"{row['label']:36} {row['mean_abs_shap']:.3f}")
        lime = report["lime"]
        print(f"LIME: {lime['stability']['overlap']:.0%} of the top {TOP} shared by two seeds, ", end="")
        print(f"{lime['agreement']['sign']:.0%} with the sign of SHAP")
    print(f"figures: {out}")
