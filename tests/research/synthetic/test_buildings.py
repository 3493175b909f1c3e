"""Mean, mode and median of a building's measure are one value in three scales; measures are missing together."""

import numpy as np
import polars as pl
import pytest

from bento.data.tables import APPLICATION
from research.synthetic.buildings import TRIPLETS, building_facts, draw_missing
from research.synthetic.calibration_statistics import statistics

ROWS = 3000


@pytest.fixture(scope="module")
def invented() -> pl.DataFrame:
    """Buildings of 100 apartments a unit, of which a tenth have lower modes; APARTMENTS alone is sometimes unknown."""
    rng = np.random.default_rng(1)
    apartments = rng.integers(1, 60, ROWS)
    odd = rng.random(ROWS) < 0.1
    columns = {}
    for name in TRIPLETS:
        values = 1 - 0.3 * rng.random(ROWS) if name.startswith("YEARS") else apartments / 200
        columns |= {
            f"{name}_AVG": np.round(values, 4),
            f"{name}_MODE": np.round(np.where(odd, 0.5 * values, 1.05 * values), 4),
            f"{name}_MEDI": np.round(values, 4),
        }
    frame = pl.DataFrame(columns).with_columns(TOTALAREA_MODE=pl.col("LIVINGAREA_AVG"))
    texts = ("WALLSMATERIAL_MODE", "HOUSETYPE_MODE", "EMERGENCYSTATE_MODE", "FONDKAPREMONT_MODE")
    frame = frame.with_columns(pl.lit("x").alias(name) for name in texts)
    unknown = pl.Series(rng.random(ROWS) < 0.25)
    empty = [f"APARTMENTS_{word}" for word in ("AVG", "MODE", "MEDI")]
    return frame.with_columns(pl.when(~unknown).then(pl.col(name)).alias(name) for name in empty)


def test_facts_find_scale_units_and_agreement(invented):
    facts = building_facts(invented)["triplets"]["APARTMENTS"]

    assert facts["mode"] == {"scale": pytest.approx(1.05, abs=1e-3), "of_complement": False}
    assert facts["units"] == 200
    assert facts["same_mode"] == pytest.approx([0.9] * 4, abs=0.04)
    assert np.median(facts["mode_per_mean"]) == pytest.approx(0.5, abs=0.01)


def test_facts_find_the_patterns_of_missing_measures(invented):
    patterns = building_facts(invented)["patterns"]

    assert patterns["frequent"] == {
        "0" * 19: pytest.approx(0.75, abs=0.03),
        "1" + "0" * 18: pytest.approx(0.25, abs=0.03),
    }
    assert patterns["others"] == []


def test_missing_measures_follow_the_patterns():
    rng = np.random.default_rng(2)
    empty = pl.DataFrame(draw_missing(rng.random(20_000), rng))
    frequent = statistics()["joint"]["buildings"]["patterns"]["frequent"]

    nothing_known = empty.select(pl.all_horizontal(pl.all()).mean()).item()

    assert nothing_known == pytest.approx(frequent["1" * 19], abs=0.02)
    assert (empty["APARTMENTS_AVG"] == empty["APARTMENTS_MODE"]).all()


def test_mode_is_the_mean_in_its_scale_for_most_buildings(synthetic_tables):
    facts = statistics()["joint"]["buildings"]["triplets"]
    for name in TRIPLETS:
        if name.startswith("YEARS"):
            continue
        pair = synthetic_tables["application_train"].select(f"{name}_AVG", f"{name}_MODE").drop_nulls()
        mean, mode = pair.filter(pl.col(f"{name}_AVG") > 0).to_numpy().T
        agree = np.abs(mode - facts[name]["mode"]["scale"] * mean) < 0.0003
        assert agree.mean() > 0.75, name


def test_measures_of_a_building_are_within_their_range(synthetic_tables):
    columns = [name for name in synthetic_tables["application_train"].columns if name.rpartition("_")[0] in TRIPLETS]
    for name in columns:
        values = synthetic_tables["application_train"][name].drop_nulls()
        assert values.is_between(APPLICATION[name].minimum or 0.0, APPLICATION[name].maximum or 1.0).all(), name
