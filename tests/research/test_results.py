"""The published result files fit their models, and reading one and writing it again changes nothing."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from research import results
from research.cli import CommandError
from research.reporting.publish import PUBLISHED

FILES: dict[str, type[BaseModel]] = {
    results.RESULTS_FILE: results.TrainingResults,
    f"full_size/{results.RESULTS_FILE}": results.TrainingResults,
    results.GATE_FILE: results.GateResult,
    results.COMPARISON_FILE: results.Comparison,
    results.PRICE_FILE: results.FairnessPrice,
    results.MITIGATION_FILE: results.Mitigation,
    results.STUDY_FILE: results.FeatureStudy,
    results.FIDELITY_FILE: results.FidelityReport,
    results.MISSING_FILE: results.MissingFields,
    results.RULES_FILE: results.RulePrices,
    results.COUNTERFACTUALS_FILE: results.Counterfactuals,
    results.QUOTABLE_FILE: results.QuotableStudy,
    results.LAWFUL_FILE: results.LawfulStudy,
    results.SERVED_FEATURES_FILE: results.ServedFeatures,
    results.REASONS_FILE: results.ReasonQuality,
}
PUBLISHED_FILES = [name for name in FILES if (PUBLISHED / name).is_file()]


@pytest.mark.parametrize("name", PUBLISHED_FILES)
def test_published_file_is_the_same_after_reading_and_writing(name: str):
    content = json.loads((PUBLISHED / name).read_text())

    assert results.written(results.read(FILES[name], PUBLISHED / name)) == content


def test_every_published_result_file_has_a_model():
    files = {str(path.relative_to(PUBLISHED)) for path in PUBLISHED.rglob("*.json")}

    others = (
        "benchmarks",
        "drift_proof",
        "drift_speed",
        "gate_simulation",
        "image",
        "journal_scale",
        "mutation",
        "nannyml",
        "page_speed",
        "portfolio",
    )
    assert files - {f"{name}.json" for name in others} <= set(FILES)  # their tests read them
    assert results.RESULTS_FILE in files


def test_file_of_another_shape_is_named_with_its_fault(tmp_path: Path):
    path = tmp_path / "gate.json"
    path.write_text(json.dumps({"data": "real", "clients": 1, "fingerprint": "0", "promoted": "perhaps"}))

    with pytest.raises(
        CommandError, match=r"gate\.json: not a GateResult of this code \(promoted: Input should be a valid boolean"
    ):
        results.read(results.GateResult, path)


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(CommandError, match=r"nowhere\.json: No such file"):
        results.read(results.GateResult, tmp_path / "nowhere.json")

    assert results.read_if_present(results.GateResult, tmp_path / "nowhere.json") is None
