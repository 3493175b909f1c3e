"""The statistics are made again from a folder of tables, and come back near those that the tables were made from."""

import json

import numpy as np
import polars as pl
import pytest

from research.__main__ import run_command
from research.cli import CommandError
from research.synthetic.calibration_statistics import probabilities, statistics
from research.synthetic.facts import facts


@pytest.fixture(scope="module")
def made(synthetic_tables: dict[str, pl.DataFrame]) -> dict:
    return facts({name: frame for name, frame in synthetic_tables.items() if name != "oracle"})


def test_statistics_have_the_form_of_the_file(made):
    assert made.keys() == statistics().keys()
    for name, columns in statistics()["tables"].items():
        for column, kinds in columns.items():
            assert made["tables"][name][column].keys() | {"null_rate"} == kinds.keys() | {"null_rate"}, column
    assert made["joint"].keys() == statistics()["joint"].keys()
    assert made["structure"] == statistics()["structure"]
    assert made["joint"]["amounts"].keys() == statistics()["joint"]["amounts"].keys()


def test_marginals_come_back(made):
    train, real = (item["tables"]["application_train"] for item in (made, statistics()))
    for name in ("AMT_CREDIT", "EXT_SOURCE_2", "DAYS_BIRTH"):
        assert np.interp(real[name]["quantiles"], train[name]["quantiles"], probabilities()) == pytest.approx(
            probabilities(), abs=0.06
        ), name
    for name in ("CODE_GENDER", "NAME_EDUCATION_TYPE"):
        for value, share in real[name]["shares"].items():
            assert train[name]["shares"].get(value, 0.0) == pytest.approx(share, abs=0.02), value
    assert train["EXT_SOURCE_1"]["null_rate"] == pytest.approx(real["EXT_SOURCE_1"]["null_rate"], abs=0.03)


def test_joint_facts_come_back(made):
    joint, real = made["joint"], statistics()["joint"]
    at_years = [25, 40, 47]
    for year in at_years:
        assert np.median(joint["identity_age"][year - 20]) == pytest.approx(
            np.median(real["identity_age"][year - 20]), abs=1.5
        )
    assert joint["documents"]["FLAG_DOCUMENT_3"] == pytest.approx(real["documents"]["FLAG_DOCUMENT_3"], abs=0.08)
    rating = dict(zip(real["regions"]["population"], real["regions"]["rating"], strict=True))
    for population, again in zip(joint["regions"]["population"], joint["regions"]["rating"], strict=True):
        assert rating[population] == again
    scale = {name: item["mode"]["scale"] for name, item in joint["buildings"]["triplets"].items()}
    for name, item in real["buildings"]["triplets"].items():
        assert scale[name] == pytest.approx(item["mode"]["scale"], abs=0.005), name


def test_counts_and_patterns_come_back(made, synthetic_tables):
    assert made["published"]["rows"] == {
        name: len(frame) for name, frame in synthetic_tables.items() if name != "oracle"
    }
    assert made["published"]["clients"]["bureau"] == synthetic_tables["bureau"]["SK_ID_CURR"].n_unique()
    assert made["patterns"]["repaid_of_running"]["share"] == pytest.approx(0.43, abs=0.05)
    assert made["samples"]["application_test"] == len(synthetic_tables["application_test"])


def test_correlations_come_back(made):
    again, real = (item["correlation"]["upper_triangle_rows"] for item in (made, statistics()))
    errors = [abs(a - b) for one, other in zip(again, real, strict=True) for a, b in zip(one, other, strict=True)]
    assert np.mean(errors) < 0.03


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_command_makes_the_file_of_a_folder_without_histories(tmp_path, capsys, synthetic_tables, kind):
    folder, out = tmp_path / "real", tmp_path / "statistics.json"
    folder.mkdir()
    for name in ("application_train", "application_test"):
        getattr(synthetic_tables[name].head(5000), f"write_{kind}")(folder / f"{name}.{kind}")

    assert run_command("facts", ["--from", str(folder), "--out", str(out)]) == 0

    written = json.loads(out.read_text())
    assert written["samples"]["application_train"] == 5000
    assert written["tables"]["bureau"] == statistics()["tables"]["bureau"]
    assert written["published"] == statistics()["published"]
    assert "kept as they were: structure" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["no folder", "no test table", "broken", "few rows"])
def test_command_refuses_a_folder_without_both_tables(tmp_path, synthetic_tables, fault):
    folder = tmp_path / "real"
    if fault != "no folder":
        folder.mkdir()
        synthetic_tables["application_train"].head(50).write_parquet(folder / "application_train.parquet")
    if fault == "few rows":
        synthetic_tables["application_test"].head(50).write_parquet(folder / "application_test.parquet")
    if fault == "broken":
        (folder / "application_test.parquet").write_bytes(b"PAR1")

    with pytest.raises(CommandError, match="real"):
        run_command("facts", ["--from", str(folder), "--out", str(tmp_path / "out.json")])

    assert not (tmp_path / "out.json").exists()
