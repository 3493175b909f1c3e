"""The rules in the journal: stored once, never rewritten, printed for an auditor; an older journal takes them."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bento import __main__ as commands
from bento.journal.entries import JournalError, JournalUnavailableError
from bento.journal.purge import purge
from bento.journal.schema import REVISION
from bento.journal.store import Journal
from bento.journal.upgrade import MIGRATIONS, upgrade
from bento.rules.rulebook import Rulebook
from tests.support.journals import NOW, VAULTS, another, entry, execute, opened, rows

RULEBOOK = Rulebook.read()
OTHER = RULEBOOK.model_copy(update={"usual_margin": 0.5})
WITH_RULES = {"rules": RULEBOOK.version, "rulebook": RULEBOOK}


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    with opened(journal_url) as made:
        yield made


def test_rules_are_stored_once_for_all_their_decisions(journal: Journal):
    for _ in range(2):
        journal.write([entry(**WITH_RULES), entry(**WITH_RULES), entry(rules=OTHER.version, rulebook=OTHER)])
    assert sorted(row["version"] for row in rows(journal, "rulebooks")) == sorted([RULEBOOK.version, OTHER.version])
    assert [row["rules"] for row in rows(journal)].count(RULEBOOK.version) == 4
    assert journal.rulebook(RULEBOOK.version) == RULEBOOK
    assert {version for version, _ in journal.rulebooks()} == {RULEBOOK.version, OTHER.version}


def test_processes_that_bring_the_same_rules_store_them_once(journal: Journal):
    with another(journal) as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda made: made.write([entry(**WITH_RULES)]), (journal, other)))
    assert len(rows(journal, "rulebooks")) == 1
    assert len(rows(journal)) == 2


def test_a_journal_file_that_replaces_another_gets_the_rules_too(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/new.db"):
        pass
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        journal.write([entry(**WITH_RULES)])
        for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
            (tmp_path / name).rename(tmp_path / f"old_{name}")
        (tmp_path / "new.db").rename(tmp_path / "journal.db")
        journal.write([after := entry(**WITH_RULES)])
        assert journal.ids() == [after.id]
        assert journal.rulebook(RULEBOOK.version) == RULEBOOK


def test_rules_of_a_write_that_failed_are_stored_by_the_next(journal: Journal):
    with pytest.raises(JournalUnavailableError):
        journal.write([entry(**WITH_RULES, threshold=object())])
    assert rows(journal, "rulebooks") == []
    journal.write([entry(**WITH_RULES)])
    assert len(rows(journal, "rulebooks")) == 1


def test_decisions_from_before_there_were_rules_name_none(journal: Journal):
    journal.write([old := entry()])
    stored = journal.find(old.id)
    assert stored is not None
    assert stored.rules is None
    assert journal.rulebook(None) == Rulebook.none()


def test_unknown_rules_are_an_error_with_a_remedy(journal: Journal):
    with pytest.raises(JournalError, match="holds no rules of version abc; python -m bento journal rules"):
        journal.rulebook("abc")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rulebooks SET content = '{}'",
        "UPDATE rulebooks SET version = 'x'",
        "DELETE FROM rulebooks",
        "UPDATE decisions SET rules = NULL",
        "UPDATE decisions SET decision = 'refused'",
        "DELETE FROM decisions",
    ],
)
def test_rules_and_the_rules_of_a_decision_are_never_rewritten(journal: Journal, statement: str):
    journal.write([entry(**WITH_RULES)])
    with pytest.raises(sa.exc.DBAPIError, match="history is appended, never rewritten"):
        execute(journal, statement)


def test_a_purge_keeps_the_rules_of_a_decision(journal: Journal):
    journal.write([old := entry(**WITH_RULES)])
    assert purge(journal, NOW + timedelta(days=1), NOW)[0] == 1
    stored = journal.find(old.id)
    assert stored is not None
    assert (stored.answer, stored.rules) == (None, RULEBOOK.version)
    assert journal.rulebook(stored.rules) == RULEBOOK


# A journal from before there were rules


def test_an_older_journal_keeps_its_decisions_and_takes_rules(journal_url: str):
    journal = Journal(journal_url, VAULTS["plain"])
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if journal.engine.dialect.name == "sqlite":
        sqlite3.connect(str(journal.engine.url.database)).close()
    with journal.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    old = {name: value for name, value in vars(entry()).items() if name not in ("rules", "rulebook", "client")}
    with journal.transaction() as connection:
        table = sa.Table("decisions", sa.MetaData(), autoload_with=connection)
        connection.execute(table.insert().values(**old, client="700"))
    before = rows(journal)

    assert upgrade(journal) == ("0001", REVISION)

    assert [row | {"rules": None} for row in before] == rows(journal)
    journal.check()
    journal.write([entry(**WITH_RULES)])
    assert journal.rulebook(RULEBOOK.version) == RULEBOOK
    with pytest.raises(sa.exc.DBAPIError, match="never rewritten"):
        execute(journal, "UPDATE decisions SET threshold = 0.5")


# Commands


def _main(journal: Journal, *arguments: str) -> int:
    url = journal.engine.url.render_as_string(hide_password=False)
    return commands.main(["journal", "--url", url, "rules", *arguments])


def test_the_command_lists_and_prints_the_rules(journal: Journal, capsys: pytest.CaptureFixture[str]):
    journal.write([entry(**WITH_RULES)])
    assert _main(journal) == 0
    assert capsys.readouterr().out.startswith(f"{RULEBOOK.version}: first used 20")
    assert _main(journal, RULEBOOK.version) == 0
    assert Rulebook.of_content(capsys.readouterr().out) == RULEBOOK


def test_the_command_reports_unknown_rules_in_one_line(journal: Journal, capsys: pytest.CaptureFixture[str]):
    assert _main(journal, "abc") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "no rules of version abc" in line
