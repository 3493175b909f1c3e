"""What synthetic data concludes about families of models, beside what real data concludes."""

import json

import numpy as np
import pytest

from research.__main__ import run_command
from research.cli import CommandError
from research.comparison import carry_over as module
from research.comparison.carry_over import carry_over
from research.synthetic import generate

REAL = np.array([[0.75, 0.77], [0.74, 0.76], [0.72, 0.74]])
NAMES = ["boosting", "linear", "forest"]


def test_the_same_gaps_at_another_level_carry_over():
    report = carry_over(NAMES, REAL, REAL + 0.02)

    assert report["carries_over"]
    assert report["reference"] == "boosting"
    assert [row["real"]["gap"] for row in report["rows"]] == pytest.approx([0, -0.01, -0.03])
    assert [row["difference"] for row in report["rows"]] == pytest.approx([0, 0, 0])


def test_another_order_does_not_carry_over():
    report = carry_over(NAMES, REAL, REAL + np.array([[0.0], [0.0105], [0.0]]))

    assert report["tau"] == pytest.approx(1 / 3)
    assert not report["carries_over"]


def test_a_wider_gap_does_not_carry_over():
    report = carry_over(NAMES, REAL, REAL + np.array([[0.0], [0.0], [-0.0045]]))

    assert report["tau"] == 1.0
    assert not report["carries_over"]


def test_gaps_are_paired_by_fold():
    real = np.array([[0.70, 0.80, 0.75], [0.69, 0.79, 0.74]])

    report = carry_over(["a", "b"], real, real)

    assert report["rows"][1]["real"]["standard_error"] == pytest.approx(0, abs=1e-12)


def test_the_command_writes_ranks_and_gaps(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "DATA", tmp_path)
    real = tmp_path / "real"
    real.mkdir()
    generate(900, seed=8)["application_train"].write_parquet(real / "application_train.parquet")
    arguments = ["--real", str(real), "--families", "logistic,lightgbm", "--folds", "2", "--out", str(tmp_path / "out")]

    code = run_command("carry-over", arguments)

    report = json.loads((tmp_path / "out" / "carry_over.json").read_text())
    assert code == (0 if report["carries_over"] else 1)
    assert [row["candidate"] for row in report["rows"]] == ["logistic", "lightgbm"]
    assert report["clients"] == 777
    assert all(0.5 < row[kind]["auc"] < 0.9 for row in report["rows"] for kind in ("real", "synthetic"))
    assert "Kendall's tau" in capsys.readouterr().out


def test_an_unknown_family_is_refused(tmp_path):
    with pytest.raises(CommandError, match="unknown family 'tree'"):
        run_command("carry-over", ["--real", str(tmp_path), "--families", "tree"])
