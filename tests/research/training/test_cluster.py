"""What training on a cluster refuses, before anything is read."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from research.cli import CommandError
from research.data.dataset import Data
from research.training import train
from research.training.cluster import check_cluster_can_train
from research.training.settings import Settings
from tests.research.commands import run_command

BOOSTER = Settings(family="lightgbm", trials=0)


def test_without_a_feature_table_the_error_says_how_to_make_one(data: Data):
    with pytest.raises(CommandError, match="python -m bento portfolio features, and name it with --features"):
        check_cluster_can_train(data, BOOSTER)


@pytest.mark.parametrize("family", ["blend", "linear"])
def test_a_family_that_needs_all_clients_on_one_machine_is_refused(data: Data, tmp_path: Path, family: str):
    with pytest.raises(CommandError, match=f"not the family {family}, .*: add --family lightgbm"):
        check_cluster_can_train(replace(data, feature_table=tmp_path), replace(BOOSTER, family=family))


def test_without_dask_the_error_names_the_package(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.delitem(sys.modules, "research.training.dask_engine", raising=False)
    with pytest.raises(CommandError, match=r"needs the package dask: uv sync --group dask \(docs/portfolio.md\)"):
        check_cluster_can_train(replace(data, feature_table=tmp_path), BOOSTER)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scheduler", "tcp://host:8786"], "--scheduler is that of Dask: add --engine dask, or leave it out"),
        (["--engine", "dask", "--family", "lightgbm"], "--engine dask trains from a feature table"),
    ],
)
def test_the_command_refuses_before_it_trains(data: Data, client, capsys, options: list[str], message: str):
    runs = len(client.search_runs(["0"]))
    assert run_command(train, "--data", str(data.folder), *options) == 2
    assert message in capsys.readouterr().err
    assert len(client.search_runs(["0"])) == runs
