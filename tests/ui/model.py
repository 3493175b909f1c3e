"""The card of a model, and the results of its training; all of it is invented."""

from typing import Any

MODEL: dict[str, Any] = {
    "model": {"name": "credit_scoring", "version": "3"},
    "family": "lightgbm",
    "threshold": 0.0909,
    "review_band": None,
    "costs": {"false_negative": 10.0, "false_positive": 1.0},
    "training_data": {"data": "synthetic", "clients": 1500, "seed": 1, "fingerprint": "f1"},
    "metrics": {"test_auc": 0.75, "test_gini": 0.5},
    "features": [
        {"feature": "ext", "meaning": {"en": "mean of the scores", "fr": "moyenne des scores"}},
    ],
}


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


RATES = ("default_rate", "approval_rate", "good_clients_refused", "auc")


def group(name: str) -> dict[str, Any]:
    return {"group": name, "clients": 500, **{rate: interval(0.2) for rate in RATES}}


RESULTS: dict[str, Any] = {
    "data": "synthetic",
    "clients": 1500,
    "fingerprint": "f1",
    "run": "0a1b",
    "metrics": {
        "test_auc": 0.75,
        "test_gini": 0.5,
        "test_ks": 0.4,
        "test_brier": 0.07,
        "test_refused_share": 0.3,
        "test_predicted_to_observed": 0.97,
    },
    "intervals": {"test": {"auc": interval(0.75), "calibration_slope": interval(0.96)}},
    "business": {
        "test": {
            way: {"cost_per_client": interval(0.5), "money_per_client": 17000.0, "refused_share": 0.3}
            for way in ("model", "accept_all", "refuse_all")
        }
    },
    "sensitivity": [
        {"ratio": ratio, "threshold": 1 / (1 + ratio), "cost_per_client": 0.5, "refused_share": 0.3}
        for ratio in (5.0, 10.0)
    ],
    "calibration": {
        "served": {"slope": 1.0, "intercept": 0.0},
        "compared": [
            {
                "method": method,
                "curve": [
                    {"clients": 525, "predicted": predicted, "observed": interval(observed)}
                    for predicted, observed in ((0.02, first), (0.25, 0.27))
                ],
            }
            for method, first in (("none", 0.031), ("sigmoid", 0.022))
        ],
    },
    "fairness": {
        "gender": {"groups": [group("F"), group("M"), {"group": "XNA", "clients": 2} | dict.fromkeys(RATES)]},
        "age": {"groups": [group("under 30"), group("30-39"), group("60 and over")]},
    },
    "explanations": {
        "features": [{"feature": "ext", "label": "Mean", "group": "external_scores", "mean_abs_shap": 0.3}],
        "groups": [
            {"group": "external_scores", "label": "External scores", "mean_abs_shap": 0.3},
            {"group": "employment", "label": "Employment", "mean_abs_shap": 0.1},
        ],
    },
}
