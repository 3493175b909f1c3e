"""What training on a cluster refuses, before anything is read."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from research.cli import CommandError
from research.data.dataset import Data
from research.training.cluster import Cluster, fit_on_cluster
from research.training.settings import Settings

BOOSTER = Settings(family="lightgbm", trials=0)


def test_without_a_feature_table_the_error_says_how_to_make_one(data: Data):
    with pytest.raises(CommandError, match="python -m bento portfolio features, and name it with --features"):
        fit_on_cluster(data, BOOSTER, Cluster())


@pytest.mark.parametrize("family", ["blend", "linear"])
def test_a_family_that_needs_all_clients_on_one_machine_is_refused(data: Data, tmp_path: Path, family: str):
    with pytest.raises(CommandError, match=f"not the family {family}, .*: add --family lightgbm"):
        fit_on_cluster(replace(data, feature_table=tmp_path), replace(BOOSTER, family=family), Cluster())


def test_without_dask_the_error_names_the_package(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.delitem(sys.modules, "research.training.dask_engine", raising=False)
    with pytest.raises(CommandError, match=r"needs the package dask: uv sync --group dask \(docs/portfolio.md\)"):
        fit_on_cluster(replace(data, feature_table=tmp_path), BOOSTER, Cluster())
