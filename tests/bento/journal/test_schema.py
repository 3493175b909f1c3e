"""The schema, its upgrades, and the commands on a journal; on SQLite and PostgreSQL."""

import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bento import __main__ as commands
from bento.journal import indexes
from bento.journal.entries import JournalError, JournalUnavailableError, OutcomeUnknownError
from bento.journal.migrations.versions import first_0001
from bento.journal.purge import purge
from bento.journal.schema import METADATA, PERSONAL, REVISION
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.journal.upgrade import MIGRATIONS, upgrade
from bento.journal.vault import pack
from bento.journal.verify import Verified, faults
from bento.settings import LIMITS, Settings
from tests.support.deadlines import timeout_s
from tests.support.journals import (
    NOW,
    VAULTS,
    another,
    entry,
    execute,
    opened,
    rows,
    wait_for,
    without_triggers,
)
from tests.support.postgresql import Server

TO_DO = "bring it up to date with: python -m bento journal upgrade"
NOWHERE = "postgresql://scoring:hidden-word@127.0.0.1:1/journal"


@pytest.fixture
def unmade(journal_url: str) -> Journal:
    """A database without a journal."""
    return Journal(journal_url, VAULTS["plain"])


# Schema


def test_the_code_has_the_schema_of_the_newest_migration():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == REVISION
    assert first_0001.PERSONAL == PERSONAL


def test_the_migrations_make_the_declared_tables(journal_url: str):
    with opened(journal_url) as journal, journal.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_an_upgrade_of_an_up_to_date_journal_changes_nothing(unmade: Journal):
    assert upgrade(unmade) == (None, REVISION)
    unmade.write([entry()])
    before = rows(unmade)
    assert upgrade(unmade) == (REVISION, REVISION)
    assert rows(unmade) == before
    unmade.check()


@pytest.mark.promise("concurrent upgrades make one journal")
def test_concurrent_upgrades_make_one_journal(journal_url: str):
    journals = [Journal(journal_url, VAULTS["plain"]) for _ in range(4)]
    with ThreadPoolExecutor(len(journals)) as pool:
        made = list(pool.map(upgrade, journals))
    assert {after for _, after in made} == {REVISION}
    for journal in journals:
        journal.check()
        journal.close()


def test_a_database_without_a_journal_is_refused(unmade: Journal):
    with pytest.raises(JournalError, match=f"holds no journal; {TO_DO}"):
        unmade.check()


def test_a_journal_of_another_schema_is_refused(journal_url: str):
    with opened(journal_url) as journal:
        execute(journal, "UPDATE alembic_version SET version_num = '0000'")
        with pytest.raises(JournalError, match=f"holds a journal of schema 0000, this code {REVISION}; {TO_DO}"):
            journal.check()


def test_a_newer_journal_is_left_alone(journal_url: str):
    with opened(journal_url) as journal:
        execute(journal, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(JournalError, match="holds a journal of schema 9999, newer than this code"):
            upgrade(journal)
        assert journal.revision() == "9999"


def test_a_failed_upgrade_changes_nothing(unmade: Journal, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("alembic.op.create_index", fail)  # after two of the tables
    with pytest.raises(ZeroDivisionError):
        upgrade(unmade)
    monkeypatch.undo()
    assert unmade.revision() is None
    assert upgrade(unmade) == (None, REVISION)


def test_only_the_owner_may_read_the_file(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/new/folder/journal.db") as journal:
        journal.write([entry()])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new" / "folder").iterdir()}
    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o600)


# Addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nonsense", "is no address such as postgresql://"),
        ("postgresql://me:a@b:hidden-word@db/x", "write @ and : in a password as %40 and %3A"),
        ("mysql://me:hidden-word@db/x", "names a database of kind mysql; known are sqlite and postgresql"),
        ("postgres://me:hidden-word@db/x", "names a database of kind postgres; known are sqlite and postgresql"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must name a file"),
    ],
)
def test_an_invalid_address_is_refused_without_its_password(url: str, expected: str):
    with pytest.raises(JournalError) as caught:
        Journal(url, VAULTS["plain"])
    message = str(caught.value)
    assert message.startswith("JOURNAL_URL")
    assert expected in message
    assert "\n" not in message
    assert "hidden-word" not in message


def test_every_driver_of_a_known_database_is_accepted():
    for url in ("postgresql+psycopg2://db/x", "postgresql+asyncpg://db/x", "postgresql://db/x"):
        assert Journal(url, VAULTS["plain"]).engine.driver == "psycopg"
    assert Journal("sqlite+aiosqlite:///x.db", VAULTS["plain"]).engine.driver == "pysqlite"


# Commands


def main(arguments: list[str]) -> int:
    return commands.main(["journal", *arguments])


def _line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of error."""
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert "hidden-word" not in line
    return line


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOURNAL_URL", "SCORING_MASTER_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


OUT_OF_REACH = (
    "postgresql://me:hidden-word@127.0.0.1:1/journal",
    "postgresql://hidden-word@127.0.0.1:1/journal",
    "postgresql://127.0.0.1:1/journal?user=me&password=hidden-word",
)


@pytest.mark.parametrize("url", OUT_OF_REACH)
@pytest.mark.parametrize(
    "command", [["upgrade"], ["replay", "any"], ["replay", "--random", "1"], ["purge", "--older-than", "30"]]
)
@pytest.mark.parametrize("source", ["option", "environment"])
@pytest.mark.promise("no command prints the password of an address")
def test_no_command_prints_the_secret_of_an_address(
    url: str, command: list[str], source: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    if source == "environment":
        monkeypatch.setenv("JOURNAL_URL", url)
    assert main([*(["--url", url] if source == "option" else []), *command]) == 2
    line = _line(capsys)
    assert line.startswith("error: postgresql")
    assert "127.0.0.1:1/journal" in line


def test_a_misplaced_address_is_not_repeated_with_its_secret(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["upgrade", OUT_OF_REACH[0]])
    assert "hidden-word" not in capsys.readouterr().err


def test_the_service_refuses_to_start_without_the_secret_of_an_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    from bento import service

    for url in OUT_OF_REACH:
        settings = Settings(JOURNAL_URL=url, SCORING_AUTH="off")
        monkeypatch.setattr(service, "read_settings", lambda settings=settings: settings)
        with pytest.raises(SystemExit):
            service.CreditScoring.inner.check()
        _line(capsys)


def test_upgrade_prints_the_schema(journal_url: str, capsys: pytest.CaptureFixture[str]):
    assert main(["--url", journal_url, "upgrade"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(f": schema {REVISION}, before none")
    assert main(["--url", journal_url, "upgrade"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(f": schema {REVISION}, as before")


def test_purge_prints_what_it_destroyed(
    journal_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    now = NOW.now(NOW.tzinfo)
    key = tmp_path / "master.key"
    key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    monkeypatch.setenv("SCORING_MASTER_KEY_FILE", str(key))
    monkeypatch.setenv("JOURNAL_URL", journal_url)
    with opened(journal_url, VAULTS["encrypted"]) as journal:
        young, old = entry(decided_at=now - timedelta(days=29), client=1), entry(decided_at=now - timedelta(days=31))
        journal.write([young, old])
        assert main(["purge", "--older-than", "30"]) == 0
        assert journal.ids() == [young.id]
    assert capsys.readouterr().out.rstrip().endswith(": 1 decisions purged, 1 keys destroyed")


@pytest.mark.parametrize("days", ["-1", "nan", "inf", "1e300", "a year", ""])
def test_an_invalid_age_is_refused(days: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["purge", f"--older-than={days}"])
    assert caught.value.code == 2
    assert "--older-than" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("number", ["0", "-5", "x"])
def test_an_invalid_number_is_refused(number: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["replay", f"--random={number}"])
    assert caught.value.code == 2
    assert "--random" in capsys.readouterr().err.splitlines()[-1]


def test_the_replay_of_an_unknown_id_is_an_error(journal_url: str, capsys: pytest.CaptureFixture[str]):
    with opened(journal_url):
        assert main(["--url", journal_url, "replay", "nothing"]) == 2
    assert _line(capsys).endswith(" holds no decision nothing")


def test_purged_entries_and_those_of_other_code_are_not_the_same(journal_url: str, capsys: pytest.CaptureFixture[str]):
    with opened(journal_url) as journal:
        journal.write([purged := entry()])
        purge(journal, NOW + timedelta(days=1), NOW)
        journal.write([other := entry()])
    assert main(["--url", journal_url, "replay", purged.id]) == 2
    assert capsys.readouterr().out == f"{purged.id}: purged\n"
    assert main(["--url", journal_url, "replay"]) == 2
    assert capsys.readouterr().out.splitlines()[-1] == "1 decisions replayed: 1 other code"
    assert main(["--url", journal_url, "replay", other.id]) == 2
    assert f"{other.id}: other code; decided by 0123456789abcdef, this is " in capsys.readouterr().out


@pytest.mark.parametrize("command", [["upgrade"], ["replay"], ["purge", "--older-than", "1"]])
def test_an_unreachable_database_is_reported_in_one_line(command: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["--url", NOWHERE, *command]) == 2
    assert "refused" in _line(capsys).lower()


@pytest.mark.parametrize("command", [["replay"], ["purge", "--older-than", "1"]])
def test_commands_require_an_upgrade_first(journal_url: str, command: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["--url", journal_url, *command]) == 2
    assert _line(capsys).endswith(TO_DO)


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"not a database at all" * 100)])
def test_a_file_that_is_no_database_is_reported_in_one_line(
    make: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make(tmp_path / "journal.db")
    for name in ("upgrade", "replay"):
        assert main(["--url", f"sqlite:///{tmp_path}/journal.db", name]) == 2
        assert f"{tmp_path}/journal.db" in _line(capsys)


@pytest.mark.parametrize("url", ["nonsense", "mysql://me:hidden-word@db/x"])
def test_a_bad_address_is_reported_in_one_line(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("JOURNAL_URL", url)
    assert main(["upgrade"]) == 2
    assert _line(capsys).startswith("error: JOURNAL_URL")


def test_a_missing_master_key_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SCORING_MASTER_KEY_FILE", str(tmp_path / "nowhere"))
    assert main(["upgrade"]) == 2
    assert "make one with" in _line(capsys)


# Upgrades while others write or upgrade


@pytest.mark.end_to_end
def test_six_upgrade_commands_at_once_all_succeed(journal_url: str):
    line = [sys.executable, "-m", "bento", "journal", "--url", journal_url, "upgrade"]
    processes = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    ended = [process.communicate(timeout=timeout_s(120)) for process in processes]
    assert [process.returncode for process in processes] == 6 * [0], ended
    journal = Journal(journal_url, VAULTS["plain"])
    journal.check()
    journal.close()


def _at_revision(journal_url: str, revision: str) -> Journal:
    """A journal as older code made it."""
    journal = Journal(journal_url, VAULTS["plain"])
    if journal.engine.dialect.name == "sqlite":
        Path(str(journal.engine.url.database)).touch()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with journal.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return journal


@pytest.mark.promise("a journal is upgraded while the service before writes")
def test_a_journal_is_upgraded_while_the_service_before_writes(journal_url: str):
    old = _at_revision(journal_url, "0002")
    values = {name: value for name, value in vars(entry()).items() if name not in ("rulebook", "client", "id")}
    values |= {name: pack(values[name]) for name in ("credit_file", "answer")}
    with old.reader() as connection:
        table = sa.Table("decisions", sa.MetaData(), autoload_with=connection)
    written, ended = list[str](), threading.Event()

    def write() -> None:  # as the code before did
        with another(old) as mine:
            while not ended.is_set():
                name = str(uuid.uuid4())
                try:
                    with mine.transaction() as connection:
                        connection.execute(table.insert().values(**values, id=name, client="700"))
                except OutcomeUnknownError:
                    raise
                except JournalUnavailableError:  # it waited too long for the upgrade, and may retry
                    continue
                written.append(name)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]

        def has_written(count: int) -> bool:
            for writer in writers:
                if writer.done():
                    writer.result()
            return len(written) > count

        try:
            wait_for(lambda: has_written(300))
            new = Journal(journal_url, VAULTS["encrypted"], LIMITS.maintenance_timeout_s)  # as the command has
            before_upgrade = len(written)
            assert upgrade(new) == ("0002", REVISION)
            wait_for(lambda: has_written(before_upgrade + 50))
        finally:
            ended.set()
        for writer in writers:
            writer.result()
    new.check()
    assert set(new.ids()) == set(written)
    new.write([entry()])
    seal(new)  # those that the service before wrote after the upgrade
    assert list(faults(new, Verified())) == []
    stored = new.find(written[0])
    assert stored is not None
    assert stored.threshold == entry().threshold
    for journal in (old, new):
        journal.close()


FOR_REVIEW = "decisions_for_review"


def _indexes(journal: Journal) -> set[str | None]:
    with journal.reader() as connection:
        return {index["name"] for index in sa.inspect(connection).get_indexes("decisions")}


def test_an_upgrade_makes_the_index_before_which_one_was_ended(journal_url: str):
    with opened(journal_url) as journal:
        journal.write([entry() for _ in range(3)])
        execute(journal, f"DROP INDEX {FOR_REVIEW}")
        assert upgrade(journal) == (REVISION, REVISION)
        assert FOR_REVIEW in _indexes(journal)


@pytest.mark.promise("decisions are written while an upgrade reads all of them for an index")
def test_decisions_are_written_while_an_upgrade_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(indexes, "ROWS_READ_AT_ONCE", 2)
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal, another(journal) as service:
        journal.write([entry(decision=decision) for decision in ("review", "granted", "refused", "review", "granted")])
        execute(journal, f"DROP INDEX {FOR_REVIEW}")
        statements, read = list[str](), list[int]()

        def write_beside(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
            statements.append(statement)
            if "rowid" in statement and len(read) < 3:  # each decision that is written is read too
                assert service.write([entry()]) == [None]
                read.append(len(statements))

        sa.event.listen(journal.engine, "before_cursor_execute", write_beside)
        upgrade(journal)

    made = next(number for number, statement in enumerate(statements) if FOR_REVIEW in statement)
    assert len(read) == 3
    assert max(read) <= made
    assert sum("rowid" in statement for statement in statements) == 5  # two at a time of 5 + 3, and none


@contextmanager
def _waiting_for_a_transaction(journal: Journal) -> Iterator[Future[object]]:
    """Upgrade in PostgreSQL while a transaction is open, for which the index has to wait."""
    with ThreadPoolExecutor(1) as pool, another(journal) as other:
        with other.transaction() as connection:
            connection.execute(sa.text("LOCK TABLE decisions IN ROW EXCLUSIVE MODE"))
            upgraded: Future[object] = pool.submit(upgrade, journal)
            progress = "SELECT count(*) FROM pg_stat_progress_create_index WHERE lockers_total > 0"
            with journal.reader() as watching:
                wait_for(lambda: watching.execute(sa.text(progress)).scalar_one() > 0)
            yield upgraded
        upgraded.result()


@pytest.mark.postgresql
def test_decisions_are_written_while_postgresql_makes_an_index(postgresql_server: Server):
    with opened(postgresql_server.emptied_database()) as journal, another(journal) as service:
        execute(journal, f"DROP INDEX {FOR_REVIEW}")
        with _waiting_for_a_transaction(journal) as upgraded:
            assert service.write([entry()]) == [None]
            assert not upgraded.done()
        assert FOR_REVIEW in _indexes(journal)


@pytest.mark.postgresql
def test_an_index_that_was_left_half_made_is_made_anew(postgresql_server: Server):
    is_valid = f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{FOR_REVIEW}'::regclass"  # noqa: S608
    with opened(postgresql_server.emptied_database()) as journal, another(journal) as watching:
        execute(journal, f"DROP INDEX {FOR_REVIEW}")
        with pytest.raises(JournalUnavailableError), _waiting_for_a_transaction(journal):
            execute(watching, "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")
        with watching.reader() as connection:
            assert connection.execute(sa.text(is_valid)).scalar_one() is False

        upgrade(journal)

        with watching.reader() as connection:
            assert connection.execute(sa.text(is_valid)).scalar_one() is True


@pytest.mark.postgresql
def test_an_upgrade_does_not_wait_for_ever_for_another(postgresql_server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bento.journal.upgrade.LIMITS", replace(LIMITS, maintenance_timeout_s=0))
    journal = Journal(postgresql_server.emptied_database(), VAULTS["plain"])
    with another(journal) as other, other.transaction() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('alembic_version'))"))
        with pytest.raises(JournalUnavailableError, match="another upgrade takes too long"):
            upgrade(journal)
    assert upgrade(journal) == (None, REVISION)
    journal.close()


def test_an_upgrade_takes_the_entries_before_it_into_the_chain(journal_url: str):
    old = _at_revision(journal_url, "0002")
    values = {name: value for name, value in vars(entry()).items() if name not in ("rulebook", "client")}
    with old.transaction() as connection:
        table = sa.Table("decisions", sa.MetaData(), autoload_with=connection)
        connection.execute(table.insert().values(**values, client="700"))
    assert upgrade(old) == ("0002", REVISION)
    assert list(faults(old, Verified())) == []
    without_triggers(old)
    execute(old, "UPDATE decisions SET code = 'other'")
    assert len(list(faults(old, Verified()))) == 1
    old.close()


@pytest.mark.postgresql
def test_a_command_may_take_longer_than_a_statement_of_the_service(postgresql_server: Server):
    url = postgresql_server.emptied_database()
    with opened(url) as journal, pytest.raises(JournalUnavailableError, match="statement timeout"):
        execute_in(journal, "SELECT pg_sleep(3)")
    journal = Journal(url, VAULTS["plain"], LIMITS.maintenance_timeout_s)
    execute_in(journal, "SELECT pg_sleep(3)")
    journal.close()


def execute_in(journal: Journal, statement: str) -> None:
    with journal.reader() as connection:
        connection.execute(sa.text(statement))
