"""The command that leaves out each optional field, on a small model; its figures counted again for some fields."""

import json
from pathlib import Path

import numpy as np
import pytest

from bento.data.credit_file import CreditFile
from bento.data.readers import read_client
from bento.data.tables import APPLICATION, HISTORIES, TABLES
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.scoring.missing_fields import file_warnings
from bento.scoring.score import score
from research.cli import FAULT
from research.data.dataset import Data
from research.evaluation import missing_fields
from research.evaluation.missing_fields import Json, credit_files, without
from research.registry import trained_run
from research.reporting import publish
from research.reporting.model_card import model_card
from research.results import MISSING_FILE, RESULTS_FILE, MissingField, MissingFields, read
from research.training.unknown_values import optional_columns
from tests.research.commands import run_command

CLIENTS = 12


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="module")
def files(data: Data) -> list[Json]:
    return credit_files(data, CLIENTS, seed=3)


@pytest.fixture(scope="module")
def content(model_folder: Path, data: Data, tmp_path_factory: pytest.TempPathFactory) -> tuple[MissingFields, Path]:
    """What the command writes for the small model, and the folder of the run."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "results" / "r").mkdir(parents=True)
    (folder / "results" / "r" / "model").symlink_to(model_folder)
    arguments = ("--run", "r", "--data", str(data.folder), "--clients", str(CLIENTS), "--seed", "3")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trained_run, "DATA", folder)
        assert run_command(missing_fields, *arguments) == 0
    return read(MissingFields, folder / "results" / "r" / MISSING_FILE), folder / "results" / "r"


def _of(content: tuple[MissingFields, Path], field: str) -> MissingField:
    return next(row for row in content[0].fields if row.field == field)


def test_credit_files_hold_what_the_tables_hold_of_test_clients(data: Data, files: list[Json]):
    clients = [file["application"]["SK_ID_CURR"] for file in files]
    assert len(set(clients)) == CLIENTS
    assert set(clients) <= set(data.test_features()["SK_ID_CURR"])
    for client, file in zip(clients[:4], files[:4], strict=True):
        tables = read_client(data.folder, "application_train", client)
        for name in TABLES:
            rows = [_without_nulls(row) for row in tables[name].to_dicts()]
            in_file = [file[name]] if name == APPLICATION.name else file.get(name, [])
            assert sorted(map(json.dumps, in_file)) == sorted(map(json.dumps, rows)), name


def _without_nulls(row: Json) -> Json:
    return {column: value for column, value in row.items() if value is not None}


def test_every_optional_field_is_left_out(content: tuple[MissingFields, Path], data: Data):
    fields = [f"{table.name}.{column}" for table in TABLES.values() for column in optional_columns(table)]
    assert [row.field for row in content[0].fields] == fields
    assert (content[0].files, content[0].run, content[0].clients) == (CLIENTS, "r", data.source.clients)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("application", "EXT_SOURCE_2"),
        ("application", "EXT_SOURCE_1"),
        ("application", "AMT_GOODS_PRICE"),
        ("application", "FLAG_DOCUMENT_3"),
        ("bureau", "AMT_CREDIT_SUM_DEBT"),
        ("installments_payments", "DAYS_ENTRY_PAYMENT"),
    ],
)
def test_the_figures_of_a_field_are_those_counted_file_by_file(
    content: tuple[MissingFields, Path], model: ScoringModel, files: list[Json], table: str, column: str
):
    changes, flipped, warned = [], 0, 0
    for file in files:
        rows = [file[table]] if table == APPLICATION.name else file.get(table, [])
        if not [row for row in rows if row.get(column) is not None]:
            continue
        before, after = (CreditFile.model_validate(part) for part in (file, without(file, table, column)))
        ((one,), (other,)) = (score(model, [part], rules=Rules.none(), reasons=False) for part in (before, after))
        changes.append(other.probability / one.probability - 1)
        flipped += one.decision != other.decision
        warned += any(warning.field == f"{table}.{column}" for warning in file_warnings(model, after))

    row = _of(content, f"{table}.{column}")

    assert (row.files, row.flipped, row.warned) == (len(changes), flipped, warned)
    assert row.changed == np.mean([abs(change) > 1e-9 for change in changes])
    assert row.mean_change == pytest.approx(np.mean(changes), abs=1e-9)
    assert row.mean_absolute_change == pytest.approx(np.mean(np.abs(changes)), abs=1e-9)
    assert row.largest_change == pytest.approx(max(changes, key=abs), abs=1e-9)


def test_a_field_that_training_nearly_always_had_is_always_warned_of(content: tuple[MissingFields, Path]):
    for field, is_expected in (("AMT_GOODS_PRICE", True), ("FLAG_DOCUMENT_3", True), ("EXT_SOURCE_1", False)):
        row = _of(content, f"application.{field}")
        assert row.files > 0
        assert row.warned == (row.files if is_expected else 0)


def test_a_field_that_no_feature_reads_changes_nothing(content: tuple[MissingFields, Path]):
    for field in ("application.CODE_GENDER", "application.WEEKDAY_APPR_PROCESS_START"):
        row = _of(content, field)
        assert (row.changed, row.mean_change, row.largest_change, row.flipped) == (0, 0, 0, 0)


def test_leaving_out_a_field_leaves_the_file_itself_as_it_is(files: list[Json]):
    before = json.dumps(files)
    for table in ("application", *HISTORIES):
        without(files[-1], table, TABLES[table].columns[-1].name)
    assert json.dumps(files) == before


def test_the_result_is_published_and_in_the_card_of_its_run(content: tuple[MissingFields, Path], tmp_path, monkeypatch):
    result, run_folder = content
    monkeypatch.setattr(publish, "DATA", run_folder.parents[1])
    published = publish.publish("r", tmp_path)
    trained = json.loads((publish.PUBLISHED / RESULTS_FILE).read_text())

    (published / RESULTS_FILE).write_text(json.dumps(trained | {"run": "r"}))
    card = model_card(published)
    (published / RESULTS_FILE).write_text(json.dumps(trained | {"run": "another"}))

    assert (published / MISSING_FILE).read_bytes() == (run_folder / MISSING_FILE).read_bytes()
    worst = max(result.fields, key=lambda row: row.mean_absolute_change or 0)
    assert f"| `{worst.field}` | {worst.changed:.0%} | {worst.mean_change:+.1%} |" in card
    assert "## Fields that are missing" not in model_card(published)


def test_more_clients_than_the_split_holds_are_refused(content, data: Data, monkeypatch, capsys):
    monkeypatch.setattr(trained_run, "DATA", content[1].parents[1])
    arguments = ("--run", "r", "--data", str(data.folder), "--clients")
    assert run_command(missing_fields, *arguments, "100000") == FAULT
    assert "clients: give fewer --clients" in capsys.readouterr().err
    assert run_command(missing_fields, *arguments, "0") == FAULT
    assert "--clients must be at least 1" in capsys.readouterr().err
