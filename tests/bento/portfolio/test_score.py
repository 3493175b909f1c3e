"""A portfolio is decided as the service decides each client, in any order and kind of files."""

import json
from pathlib import Path

import polars as pl
import pytest

from bento.__main__ import main
from bento.policy import score_points
from tests.bento.portfolio.conftest import CLIENTS
from tests.bento.portfolio.online import scored_online


def _score(data: Path, out: Path, model: Path, *options: str) -> pl.DataFrame:
    arguments = ["--data", str(data), "--out", str(out), "--model", str(model), "--part-clients", "40", *options]
    assert main(["portfolio", "score", *arguments, "--workers", "1"]) == 0
    return pl.read_parquet(out / "decisions" / "*.parquet")


@pytest.mark.promise("a whole portfolio is decided as the service decides: the same PD, decision, rules and reasons")
def test_every_client_gets_the_decision_of_the_service(
    portfolio: Path, tables: dict[str, pl.DataFrame], any_model_folder: Path, tmp_path: Path
):
    rows = _score(portfolio, tmp_path / "out", any_model_folder, "--reasons", "all")
    online = list(scored_online(any_model_folder, tables))
    assert rows["SK_ID_CURR"].to_list() == [client for client, _ in online]
    assert len({scored.decision for _, scored in online}) == 3, "a decision is never made: the test shows too little"
    for row, (_, scored) in zip(rows.iter_rows(named=True), online, strict=True):
        assert row["probability_of_default"] == pytest.approx(scored.probability, rel=1e-9)
        assert row["score_points"] == pytest.approx(score_points(scored.log_odds), rel=1e-9)
        assert row["decision"] == scored.decision
        assert row["rules"] == [hit.code for hit in scored.rules]
        reasons = [(reason["code"], reason["text_en"], reason["text_fr"]) for reason in row["reasons"]]
        assert reasons == [(reason.code, reason.text.en, reason.text.fr) for reason in scored.reasons or ()]


def test_by_default_granted_clients_have_no_reasons(portfolio: Path, model_folder: Path, tmp_path: Path):
    rows = _score(portfolio, tmp_path / "out", model_folder)
    granted = rows["decision"] == "granted"
    assert rows.filter(granted)["reasons"].null_count() == granted.sum()
    assert rows.filter(~granted)["reasons"].list.len().min() >= 1


def test_reasons_can_be_left_out(portfolio: Path, model_folder: Path, tmp_path: Path):
    rows = _score(portfolio, tmp_path / "out", model_folder, "--reasons", "none")
    assert rows["reasons"].null_count() == CLIENTS


def test_the_manifest_counts_clients_decisions_and_orphans(
    portfolio: Path, tables: dict[str, pl.DataFrame], model_folder: Path, tmp_path: Path
):
    rows = _score(portfolio, tmp_path / "out", model_folder)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert manifest["clients"] == manifest["rows"] == CLIENTS
    assert manifest["decisions"] == dict(rows["decision"].value_counts().sort("decision").iter_rows())
    assert manifest["input_rows"]["bureau"] == len(tables["bureau"])
    assert [part["clients"] for part in manifest["parts"]] == [40, 40, 10]
    assert len(manifest["run"]["data"]) == 64
    assert not (tmp_path / "out" / ".work").exists()


def test_the_features_of_a_portfolio_are_those_of_the_catalogue(
    portfolio: Path, tables: dict[str, pl.DataFrame], tmp_path: Path
):
    from polars.testing import assert_frame_equal

    from bento.data.cleaning import clean
    from bento.features.build import build_features

    out = tmp_path / "out"
    arguments = ["--data", str(portfolio), "--out", str(out), "--part-clients", "40", "--workers", "2"]
    assert main(["portfolio", "features", *arguments]) == 0
    raw = {"application" if name == "application_train" else name: table for name, table in tables.items()}
    raw["application"] = raw["application"].drop("TARGET").sort("SK_ID_CURR")
    assert_frame_equal(pl.read_parquet(out / "features" / "*.parquet"), build_features(clean(raw)), rel_tol=1e-9)
