"""The benchmark writes every figure; the pandas recipe computes the same values where the definitions coincide."""

import itertools
import json
import os
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from bento.api.endpoints import PREDICT_BATCH
from bento.api.schemas import MAX_CREDIT_FILES
from bento.data.files import DataError
from bento.data.tables import HISTORIES, TABLES
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE
from tests.benchmarks.__main__ import main
from tests.benchmarks.calibration import summary
from tests.benchmarks.measure import Figures, in_process, medians
from tests.benchmarks.offline import Tables
from tests.benchmarks.pandas_recipe import simple_features
from tests.benchmarks.service import ANCHORS, ratios
from tests.benchmarks.table import TARGETS, is_judged, targets_met

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
    """Return our feature by the recipe's name, for every plain aggregate of a column that needs no cleaning."""
    names = {}
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
                        names[f"{prefix}_{column}_{name}"] = feature.name
    return names


def test_the_recipe_gives_our_values_where_the_definitions_coincide(synthetic_folder: Path):
    pairs = _coincide()
    assert len(pairs) >= 10
    ours = build_features(Tables(synthetic_folder), list(pairs.values()))
    tables = {name: pd.read_parquet(synthetic_folder / f"{name}.parquet") for name in HISTORIES}
    amounts = [name for name in tables["bureau"] if name.startswith("AMT_")]
    tables["bureau"].loc[tables["bureau"]["CREDIT_CURRENCY"] != "currency 1", amounts] = float("nan")
    applications = [pd.read_parquet(synthetic_folder / f"application_{part}.parquet") for part in ("train", "test")]
    recipe = simple_features(tables | {"application": pd.concat(applications, ignore_index=True)})
    assert recipe["SK_ID_CURR"].tolist() == ours["SK_ID_CURR"].to_list()
    for theirs, name in pairs.items():
        values, expected = ours[name].to_pandas(), recipe[theirs]
        if theirs.endswith("_sum"):
            # Without a row a sum is 0 for us and missing for the recipe; of unknown values alone it is the reverse.
            values, expected = values.fillna(0), expected.fillna(0)
        pd.testing.assert_series_equal(values, expected, check_names=False, check_dtype=False, rtol=1e-9, obj=name)


def test_it_writes_every_figure(bento_tag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    small = {"--clients": 300, "--rounds": 1, "--seconds": 0.1, "--sustained": 1, "--soak": 100}
    main([*(str(word) for option in small.items() for word in option), "--bento", bento_tag, "--out", str(tmp_path)])
    figures = json.loads((tmp_path / "benchmarks.json").read_text())
    assert figures.keys() == {"data", "clients", "seed", "machine", "offline", "online", "service", "calibration"}
    assert (figures["data"], figures["clients"], figures["seed"]) == ("synthetic", 300, 1)
    assert figures["machine"].keys() >= {"cores", "memory_gib", "python", "polars", "pandas", "mlflow"}
    _assert_offline(figures["offline"])
    _assert_online(figures["online"])
    _assert_service(figures["service"], bento_tag)
    paths = {path for path in TARGETS if is_judged(figures, path)}
    assert set(targets_met(figures)) == paths
    output = capsys.readouterr().out
    assert "offline, 300 synthetic clients" in output
    assert output.count(": met") + output.count(": MISSED") == len(paths)
    assert output.count(": not judged") == len(TARGETS) - len(paths)
    for picture in ("service.png", "request_layers.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def _assert_offline(offline: Figures):
    for job in ("ours", "pandas"):
        assert offline[job]["clients"] == 300
        assert offline[job].keys() >= {"features", "seconds", "cpu_seconds", "peak_memory_mib"}
    assert offline["pandas_over_ours"].keys() == {"seconds", "cpu_seconds", "peak_memory_mib"}


def _assert_online(online: Figures):
    assert online["files"].keys() == {"average", "short", "long"}
    for file in online["files"].values():
        assert file["all"]["features"] == len(CATALOGUE)
        assert file["all"]["parts_ms"].keys() == {"parse", "features"}
        for part in ("served", "all", "pandas"):
            assert file[part]["wall_ms"]["median"] <= file[part]["wall_ms"]["p95"]
            assert file[part]["cpu_ms"]["median"] > 0
        assert file["pandas_over_ours"].keys() == {"served", "all"}


def _assert_service(service: Figures, bento: str):
    assert service["bento"] == bento
    assert service["asked"]["credit_files"] == service["largest_batch"]["credit_files"] == MAX_CREDIT_FILES
    assert service["asked"]["batch_bytes"] < service["asked"]["largest_batch_bytes"] <= PREDICT_BATCH.max_body_bytes
    anchors = [f"{name}{load}" for name in ANCHORS for load in ("", "_sustained")]
    for name in ("predict", "explain", "predict_batch", "batch_with_reasons", "largest_batch", "sustained", *anchors):
        assert service[name]["requests"] > 0
        assert service[name]["errors"] == 0, service[name]["faults"]
        assert service[name]["wall_ms"]["median"] <= service[name]["wall_ms"]["p99"]
        if name != "largest_batch":
            assert service[name]["processor_ms"] > 0, name
    assert service["layers_ms"].keys() >= {"parse and check", "features", "contributions", "HTTP, answer, journal"}
    assert service["sustained"]["connections"] == service["mlflow_sustained"]["connections"] == 16
    for name in ("sustained", "largest_batch"):
        assert service[name]["livez"]["polls"] > 0
        assert service[name]["livez"]["errors"] == 0
    assert service["soak"]["requests"] == 100
    assert [count for count, _ in service["soak"]["memory"]] == list(range(0, 101, 10))
    assert service["memory"]["peak_mib"] >= service["memory"]["after_largest_batches_mib"] > 50


def test_ratios_compare_medians_and_rates_with_mlflow():
    ours, theirs = {"median": 5.0, "p95": 8.0, "p99": 10.0}, {"median": 10.0, "p95": 8.0, "p99": 5.0}
    figures = {
        "predict": {"wall_ms": ours},
        "mlflow": {"wall_ms": theirs},
        "sustained": {"requests_per_second": 120.0},
        "mlflow_sustained": {"requests_per_second": 60.0},
    }
    assert ratios(figures, "mlflow") == {"median": 2.0, "p95": 1.0, "p99": 0.5, "requests_per_second": 2.0}


def test_a_target_counts_as_missed_where_its_figure_is_on_the_wrong_side():
    figures = {
        "service": {"predict": {"wall_ms": {"median": 5, "p99": 12.1}}, "predict_batch": {"over_one_by_one": 15}}
    }
    assert targets_met(figures) == {
        "service.predict.wall_ms.median": True,
        "service.predict.wall_ms.p99": False,
        "service.predict_batch.over_one_by_one": True,
    }


def test_a_time_is_not_judged_on_a_machine_with_other_work():
    figures = {
        "calibration": {"is_quiet": False},
        "service": {
            "predict": {"wall_ms": {"median": 1}},
            "mlflow_over_ours": {"median": 9},
            "memory": {"peak_mib": 1},
        },
    }
    assert targets_met(figures) == {"service.mlflow_over_ours.median": True, "service.memory.peak_mib": True}


def test_a_machine_is_quiet_where_its_loop_takes_its_fastest_time():
    assert summary([("before", [0.01, 0.012]), ("after", [0.011, 0.013])])["is_quiet"]
    assert not summary([("before", [0.01, 0.011]), ("after", [0.02, 0.02])])["is_quiet"]


def test_no_error_of_any_round_is_lost():
    runs = [{"errors": errors, "livez": {"worst": 10.0 * errors}, "faults": ["x"] * errors} for errors in (0, 0, 2)]
    assert medians(runs) == {"errors": 2, "livez": {"worst": 20.0}, "faults": ["x", "x"]}


class _EveryThirdFails(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = itertools.count()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500 if next(self.asked) % 3 == 0 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object):
        pass


def test_the_load_counts_answers_and_faults_and_reads_memory(tmp_path: Path):
    (tmp_path / "body.json").write_text("{}")
    with ThreadingHTTPServer(("127.0.0.1", 0), _EveryThirdFails) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/predict"
        options = ["--warm-up", 3, "--requests", 30, "--watch", os.getpid()]
        load = in_process(Path(sys.executable), "tests.benchmarks.load", url, tmp_path, *options)
        server.shutdown()
    assert len(load["answers"]) == 20
    assert sum(load["faults"].values()) == 11
    assert all("500" in fault for fault in load["faults"])
    assert [count for count, _ in load["memory"]] == list(range(0, 31, 3))
    assert all(mib > 10 for _, mib in load["memory"])


def test_a_folder_without_clients_is_refused_before_anything_is_measured(tmp_path: Path):
    with pytest.raises(DataError, match="application_train"):
        main(["--full", str(tmp_path), "--bento", "none:none", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_folder_of_full_size_is_measured_by_table(synthetic_folder: Path):
    from tests.benchmarks.offline import ours, ours_by_table

    whole, by_table = ours(synthetic_folder), ours_by_table(synthetic_folder)
    assert whole["features"] == len(CATALOGUE) == sum(alone["features"] for alone in by_table.values())
    assert by_table.keys() >= TABLES.keys()
