"""The proof itself, on little data."""

from pathlib import Path

import pytest

from bento.model.scoring_model import ScoringModel
from research.cli import ROOT
from research.synthetic import write
from tests.drift_proof.__main__ import FILE, PICTURE, main
from tests.drift_proof.beside_nannyml import FILE as NANNYML_FILE
from tests.drift_proof.cost import KNOWN_CONCEPT, SHIFTS_OF_COST
from tests.drift_proof.results import DriftProof, NannymlResults, PowerPoint, document_rows
from tests.drift_proof.shifts import SHIFTS
from tests.support.small_model import write_small_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proof") / "clients"
    write(folder, 16_000, seed=2)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ScoringModel:
    return write_small_model(tmp_path_factory.mktemp("model") / "model", folder)


@pytest.fixture(scope="module")
def proof(folder: Path, model: ScoringModel, tmp_path_factory: pytest.TempPathFactory) -> DriftProof:
    out = tmp_path_factory.mktemp("out")
    options = ["--sizes", "500", "5000", "--seeds", "2", "--evidently-seeds", "1", "--out", str(out)]
    assert main(["--data", str(folder), "--model", str(model.folder), *options]) == 0
    assert (out / PICTURE).stat().st_size > 10_000
    return DriftProof.model_validate_json((out / FILE).read_bytes())


def test_one_population_has_no_drift_at_any_size(proof: DriftProof):
    assert [(size.rows, size.false_verdicts) for size in proof.null] == [(500, 0), (5000, 0)]


def test_large_shifts_are_found_and_small_ones_need_more_rows(proof: DriftProof):
    detected = {(point.shift, point.rows): point.detected for point in proof.power}

    assert {shift for shift, _ in detected} == {shift.name for shift in SHIFTS}
    assert detected["mean +0.1 sd", 500] == 0
    for shift in ("unit x 1000", "scores vanish", "outlier and +0.5 sd", "category renamed"):
        assert detected[shift, 5000] == 1


def test_the_error_of_the_estimate_is_given_for_every_shift(proof: DriftProof):
    errors = {row.shift: row for row in proof.cost}

    assert tuple(errors) == SHIFTS_OF_COST
    assert all(0 < row.true_cost and row.low <= row.error <= row.high for row in errors.values())
    assert errors["concept drift"].error > errors["none"].error


def test_the_smallest_size_holds_for_all_larger_ones():
    points = [
        PowerPoint(shift="s", by="columns", rows=rows, seeds=20, detected=detected, evidently=None)
        for rows, detected in ((500, 1.0), (1000, 0.9), (2000, 0.95), (5000, 1.0))
    ]
    proof = DriftProof(data="synthetic", clients=1, seed=1, model="none", power=points)

    assert proof.smallest("s") == 2000
    assert proof.smallest("s", share=0.99) == 5000


def test_the_table_beside_nannyml_is_the_published_one():
    document = (ROOT / "docs" / "drift.md").read_text("utf-8")
    results = NannymlResults.model_validate_json((ROOT / "research" / "results" / NANNYML_FILE).read_bytes())

    assert f"NannyML {results.version} " in document
    assert [row.shift for row in results.rows] == [shift for shift in SHIFTS_OF_COST if shift != KNOWN_CONCEPT]
    assert [row for row in results.document_rows if row not in document] == []


def test_the_tables_of_the_document_are_those_of_the_published_proof():
    document = (ROOT / "docs" / "drift.md").read_text("utf-8")
    proof = DriftProof.model_validate_json((ROOT / "research" / "results" / "drift_proof.json").read_bytes())

    assert f"{proof.clients:,} clients, seed {proof.seed}, with the model {proof.model}" in document
    assert len(document_rows(proof)) > 15
    assert [row for row in document_rows(proof) if row not in document] == []
