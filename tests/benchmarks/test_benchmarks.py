"""The benchmark runs and writes what it says; the pandas recipe computes what ours computes, where they coincide."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from bento.features import CATALOGUE, build_features
from bento.tables import HISTORIES, TABLES
from tests.benchmarks.__main__ import main
from tests.benchmarks.offline import Tables
from tests.benchmarks.pandas_recipe import simple_features

PREFIXES = {
    "bureau": "bureau",
    "previous_application": "previous",
    "POS_CASH_balance": "pos",
    "credit_card_balance": "cards",
}
AGGREGATES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "min": pl.Expr.min,
    "max": pl.Expr.max,
    "mean": pl.Expr.mean,
    "sum": pl.Expr.sum,
}


def _coincide() -> dict[str, str]:
    """Our name by the recipe's, of every plain aggregate of a column that needs no cleaning."""
    found = {}
    for table, prefix in PREFIXES.items():
        clean = [column for column in TABLES[table] if not column.missing_codes and column.kind != "id"]
        plain = [
            column.name for column in clean if (column.plausible_minimum, column.plausible_maximum) == (None, None)
        ]
        for column in plain:
            for name, aggregate in AGGREGATES.items():
                expected = aggregate(pl.col(column))
                for feature in CATALOGUE.values():
                    if feature.name.startswith(prefix[:4]) and feature.expression.meta.eq(expected):
                        found[f"{prefix}_{column}_{name}"] = feature.name
    return found


def test_the_recipe_gives_our_values_where_the_definitions_coincide(synthetic_folder: Path):
    pairs = _coincide()
    assert len(pairs) >= 10
    ours = build_features(Tables(synthetic_folder), list(pairs.values()))
    tables = {name: pd.read_parquet(synthetic_folder / f"{name}.parquet") for name in HISTORIES}
    applications = [pd.read_parquet(synthetic_folder / f"application_{part}.parquet") for part in ("train", "test")]
    recipe = simple_features(tables | {"application": pd.concat(applications, ignore_index=True)})
    assert recipe["SK_ID_CURR"].tolist() == ours["SK_ID_CURR"].to_list()
    for theirs, name in pairs.items():
        # Without a row a sum is 0 for us and missing for the recipe.
        expected = recipe[theirs].fillna(0) if theirs.endswith("_sum") else recipe[theirs]
        found = ours[name].to_pandas()
        pd.testing.assert_series_equal(found, expected, check_names=False, check_dtype=False, rtol=1e-9, obj=name)


@pytest.mark.usefixtures("bento_tag")
def test_it_writes_every_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["--clients", "300", "--rounds", "1", "--seconds", "0.1", "--out", str(tmp_path)])
    figures = json.loads((tmp_path / "benchmarks.json").read_text())
    assert figures.keys() == {"data", "clients", "seed", "machine", "offline", "online", "service"}
    assert (figures["data"], figures["clients"], figures["seed"]) == ("synthetic", 300, 1)
    assert figures["machine"].keys() >= {"cores", "memory_gib", "python", "polars", "pandas"}
    for job in ("ours", "pandas"):
        assert figures["offline"][job]["clients"] == 300
        assert figures["offline"][job].keys() >= {"features", "seconds", "cpu_seconds", "peak_memory_mib"}
    assert figures["offline"]["pandas_over_ours"].keys() == {"seconds", "cpu_seconds", "peak_memory_mib"}
    assert figures["online"]["files"].keys() == {"average", "short", "long"}
    for file in figures["online"]["files"].values():
        assert file["all"]["features"] == len(CATALOGUE)
        assert file["all"]["parts_ms"].keys() == {"parse", "frames", "clean", "features"}
        for part in ("served", "all", "pandas"):
            assert file[part]["wall_ms"]["median"] <= file[part]["wall_ms"]["p95"]
            assert file[part]["cpu_ms"]["median"] > 0
        assert file["pandas_over_ours"].keys() == {"served", "all"}
    for endpoint in ("predict", "explain"):
        assert figures["service"][endpoint]["wall_ms"].keys() == {"median", "p95", "p99"}
    assert "offline, 300 synthetic clients" in capsys.readouterr().out


def test_a_folder_of_full_size_is_measured_by_table(synthetic_folder: Path):
    from tests.benchmarks.offline import ours, ours_by_table

    whole, by_table = ours(synthetic_folder), ours_by_table(synthetic_folder)
    assert whole["features"] == len(CATALOGUE) == sum(alone["features"] for alone in by_table.values())
    assert by_table.keys() >= TABLES.keys()
