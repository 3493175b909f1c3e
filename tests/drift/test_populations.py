"""Populations of the journal: what a period holds, and what is left out of it."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from bento.data.files import DataError
from bento.journal.purge import purge
from bento.model.scoring_model import ScoringModel
from drift.__main__ import main
from drift.champion import scores
from drift.populations import of_file, of_journal, period, population
from tests.drift.journal import files, record
from tests.support.journals import VAULTS, entry, execute, opened

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=30)
COUNT = 150


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


def test_features_from_the_journal_are_those_of_the_files(clients, model, tmp_path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, files(clients, 0, COUNT), START)

        population = of_journal(journal, START, END)

    whole = of_file(clients / "application_train.parquet")
    names = [name for name in model.feature_names if "bureau_balance" not in name]
    expected = whole.features(names).filter(pl.col("SK_ID_CURR").is_in(population.applications["SK_ID_CURR"].implode()))
    assert population.rows == len(population.decisions) == COUNT
    assert population.features(names).sort("SK_ID_CURR").equals(expected.sort("SK_ID_CURR"))
    decided = [decision.probability for decision in population.decisions]
    assert scores(model, population, 1000, seed=1).probability.tolist() == pytest.approx(decided, abs=1e-9)


def test_credits_of_two_clients_with_one_id_are_not_mixed(clients, model, tmp_path):
    contents = files(clients, 0, COUNT)
    for content in contents:
        content["bureau"] = [{"SK_ID_BUREAU": 7, "DAYS_CREDIT": -content["application"]["SK_ID_CURR"] % 1000 - 1000}]
        content["bureau_balance"] = [{"SK_ID_BUREAU": 7, "MONTHS_BALANCE": -1, "STATUS": "0"}]
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, contents, START)

        population = of_journal(journal, START, END)

    assert population.features(["bureau_credits"])["bureau_credits"].to_list() == [1.0] * COUNT


def test_the_last_decision_on_a_client_counts_and_the_end_is_not_included(clients, model, tmp_path):
    contents = files(clients, 0, COUNT)
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, contents, START)
        again = record(journal, model, contents[:10], START + timedelta(days=1))
        record(journal, model, contents[:20], END)

        population = of_journal(journal, START, END)

    assert population.rows == COUNT
    assert {decision.id for decision in population.decisions} >= set(again)
    assert "10 earlier decisions on the same client are left out: the last one counts" in population.notes


def test_several_models_purged_and_unreadable_decisions_are_named(clients, model, tmp_path):
    contents = files(clients, 0, COUNT + 20)
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, contents[:10], START - timedelta(days=9))
        purge(journal, START - timedelta(days=1), START)
        record(journal, model, contents[10 : 10 + COUNT], START)
        record(journal, model, contents[10 + COUNT :], START, model_version="4")
        journal.write([entry(credit_file=b'{"application": {"AMT": 1}}', decided_at=START)])

        population = of_journal(journal, START - timedelta(days=20), END)

    purged, unreadable, models = population.notes
    assert purged == "10 decisions purged are left out"
    assert unreadable == "1 decisions of another schema are left out"
    assert "150 by credit_scoring version 3, 10 by credit_scoring version 4" in models


def test_a_period_without_decisions_names_the_journal_and_its_numbers(clients, model, tmp_path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        record(journal, model, files(clients, 0, 30), START)

        with pytest.raises(DataError, match="holds decisions on 30 clients in that period, too few"):
            of_journal(journal, START, END)
        with pytest.raises(DataError, match="decisions on 0 clients"):
            of_journal(journal, END, END + timedelta(days=1))


def test_a_journal_of_another_schema_or_without_its_key_is_one_line(clients, model, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SCORING_MASTER_KEY_FILE", raising=False)
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url, VAULTS["encrypted"]) as journal:
        record(journal, model, files(clients, 0, COUNT), START)
        command = ["report", "--data", str(clients), "--journal", url, "--out", str(tmp_path / "out")]
        command += ["--current", "journal:2026-03-01..2026-04-01"]

        assert main(command) == 2
        assert "holds encrypted entries; name its master key" in capsys.readouterr().err

        (tmp_path / "key").write_text(base64.b64encode(bytes(32)).decode())
        (tmp_path / "key").chmod(0o600)
        monkeypatch.setenv("SCORING_MASTER_KEY_FILE", str(tmp_path / "key"))
        assert main(command) == 2
        assert "another master key" in capsys.readouterr().err

        execute(journal, "UPDATE alembic_version SET version_num = '0000'")
        assert main(command) == 2
        assert "journal upgrade" in capsys.readouterr().err


def test_a_folder_gives_training_or_new_applications(clients):
    assert population(str(clients), "reference").name.endswith("application_train.parquet")
    assert population(str(clients), "current").name.endswith("application_test.parquet")


def test_moments_with_a_zone_are_kept():
    start, end = period("journal:2026-01-01T12:00:00+02:00..2026-01-02")

    assert (start.astimezone(UTC).hour, end.tzinfo) == (10, UTC)


def test_a_moment_may_have_fractions_of_a_second():
    start, end = period("journal:2026-01-01T12:00:00.25..2026-01-01T12:00:01.5+00:00")

    assert (start.microsecond, end.microsecond) == (250_000, 500_000)
