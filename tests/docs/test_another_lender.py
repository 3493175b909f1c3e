"""The tutorial's script maps an invented lender's tables, and a model is trained on them."""

import csv
import random
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from bento.data.validation import check_folder
from research.cli import ROOT
from research.data.dataset import open_data
from research.evaluation.metrics import measures
from research.training.settings import Settings
from research.training.train import fit_family

PAGE = (ROOT / "docs" / "tutorials" / "another_lender.md").read_text("utf-8")
CLIENTS, OPEN = 1_250, 50
"""Invented clients, and those of them whose loan has no outcome yet."""


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def mapped(folder: Path, applications: str, payments: str) -> Path:
    """Run the tutorial's script on two tables, and return the folder that it writes."""
    (folder / "tables").mkdir()
    (folder / "tables" / "applications.csv").write_text(applications)
    (folder / "tables" / "payments.csv").write_text(payments)
    (folder / "lender.py").write_text(block("python"))
    command = [sys.executable, str(folder / "lender.py"), str(folder / "tables"), str(folder / "out")]
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return folder / "out"


def test_the_printed_tables_become_files_without_a_fault(tmp_path: Path):
    out = mapped(tmp_path, block("csv"), block("csv", 1))

    report = check_folder(out)

    assert report.faults == []
    rows = list(csv.DictReader((out / "installments_payments.csv").open()))
    assert [row["DAYS_INSTALMENT"] for row in rows] == ["-787", "-756", "-273"]
    assert [row["DAYS_ENTRY_PAYMENT"] for row in rows] == ["-788", "-742", "-273"]
    finished = list(csv.DictReader((out / "application_train.csv").open()))
    assert [(row["SK_ID_CURR"], row["TARGET"]) for row in finished] == [("1", "0"), ("2", "1")]
    assert finished[0]["DAYS_BIRTH"] == str((date(1988, 5, 11) - date(2026, 3, 2)).days)
    assert finished[0]["EXT_SOURCE_1"] == ""


def invented_lender() -> tuple[str, str]:
    """Return applications and payments of clients of whom those default more often who paid late."""
    draw = random.Random(1)  # noqa: S311 - no secret
    applications = ["number,applied_on,born_on,hired_on,income_a_year,loan,instalment,children,repaid"]
    payments = ["number,loan,instalment,due_on,due,paid_on,paid"]
    applied = date(2026, 3, 1)
    for number in range(1, CLIENTS + 1):
        late = draw.random()
        repaid = "no" if draw.random() < 0.05 + 0.5 * late**2 else "yes"
        repaid = "" if number > CLIENTS - OPEN else repaid
        born, hired = applied - timedelta(draw.randint(8_000, 22_000)), applied - timedelta(draw.randint(100, 4_000))
        income, loan = draw.randint(240, 1_200) * 1000, draw.randint(20, 300) * 1000
        row = [number, applied, born, hired, income, loan, round(loan / 24), draw.randint(0, 3), repaid]
        applications.append(",".join(map(str, row)))
        for instalment in range(1, 7):
            due = applied - timedelta(30 * (8 - instalment))
            paid = due + timedelta(round(30 * late * draw.random()))
            payments.append(f"{number},{10_000 + number},{instalment},{due},2500,{paid},2500")
    return "\n".join(applications) + "\n", "\n".join(payments) + "\n"


def test_a_model_of_the_lender_uses_what_is_known_and_ranks_its_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = open_data(mapped(tmp_path, *invented_lender()))

    fitted, _ = fit_family(data.rows("development"), Settings(family="linear", folds=2))

    names = {feature.name for feature in fitted.features}
    assert any(name.startswith("installments_") for name in names)
    unknown = {name for name in names if name.startswith(("bureau_", "card_", "application_ext_source"))}
    assert unknown == set()
    probability = fitted.out_of_fold.probability
    figures = measures("x", fitted.out_of_fold.target, probability, probability > 0.1, Settings().cost_model.costs)
    assert figures["x_auc"] > 0.6
