"""Ready means able to write; on SQLite and PostgreSQL."""

import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bento import __main__ as commands
from bento.journal.entries import JournalUnavailableError
from bento.journal.readiness import Readiness
from bento.journal.roles import grants, script
from bento.journal.store import Journal
from tests.support.deadlines import timeout_s
from tests.support.journals import VAULTS, another, entry, execute, locked, opened, review, rows
from tests.support.postgresql import Server


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    with opened(journal_url, VAULTS["encrypted"]) as made:
        yield made


def _probed(journal: Journal) -> Readiness:
    """A readiness that asks for a write each time, as no decision was written lately."""
    journal.written_at = None
    return Readiness(journal, 0)


def test_a_journal_that_can_be_written_is_ready_and_stays_as_it_is(journal: Journal):
    journal.write([entry()])
    before = {table: rows(journal, table) for table in ("decisions", "chain", "client_keys")}
    assert _probed(journal).fault() is None
    assert before == {table: rows(journal, table) for table in before}
    assert journal.write([entry()]) == [None]


def test_a_look_at_readiness_names_the_last_entry_in_the_log(
    journal: Journal, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.INFO, "bentoml.credit_scoring")
    now = time.monotonic()
    for _ in range(2):
        journal.write([entry()])
    for seconds in (1, 61, 200):
        monkeypatch.setattr("bento.journal.store.time.monotonic", lambda seconds=seconds: now + seconds)
        Readiness(journal, 0).fault()
    assert [record.getMessage().split()[3] for record in caplog.records if "journal head" in record.message] == [
        "0",
        "1",
    ]


def test_a_locked_journal_is_not_ready(journal: Journal, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "bentoml.credit_scoring")
    readiness = _probed(journal)
    with another(journal) as other, locked(other):
        assert readiness.fault() is not None
        assert readiness.fault() is not None
    assert readiness.fault() is None
    assert caplog.text.count("not ready: ") == 1
    assert caplog.text.count("the journal can be written again") == 1


def test_the_database_is_asked_for_a_write_once_in_an_interval(journal: Journal):
    begun: list[None] = []
    journal.written_at = None
    readiness = Readiness(journal, interval_s=60)
    sa.event.listen(journal.engine, "rollback", lambda _: begun.append(None))
    rollbacks = []
    for _ in range(5):
        assert readiness.fault() is None
        rollbacks.append(len(begun))
    assert rollbacks[0] >= 1
    assert rollbacks[-1] - rollbacks[0] <= 4  # of the connections that only read


def test_a_recent_write_counts(journal: Journal):
    journal.write([entry()])
    with another(journal) as other, locked(other):
        assert Readiness(journal, interval_s=60).fault() is None


FULL_DISK = """
import os, resource, sys
from bento.journal.readiness import Readiness
from bento.journal.store import Journal
from bento.journal.vault import Vault
from tests.support.journals import entry
journal = Journal(sys.argv[1], Vault(None))
journal.write([entry()])
journal.written_at = None
readiness = Readiness(journal, 0)
assert readiness.fault() is None
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
print(readiness.fault())
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert readiness.fault() is None
assert journal.write([entry()]) == [None]
"""


@pytest.mark.promise("the service is not ready where a decision cannot be written")
def test_a_full_disk_is_not_ready(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url):
        pass
    command = [sys.executable, "-c", FULL_DISK, url]
    run = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s(60), check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(url)


def _cause(journal: Journal) -> str | None:
    fault = _probed(journal).fault()
    return None if fault is None else fault.cause


def _connected(url: str, statement: str) -> Journal:
    """A journal each of whose connections runs a statement first."""
    journal = Journal(url, VAULTS["plain"])
    sa.event.listen(journal.engine, "connect", lambda connection, _: connection.execute(statement))
    return journal


def test_the_code_of_a_lock(journal: Journal):
    with another(journal) as other, locked(other):
        assert _cause(journal) == "locked"
    assert _cause(journal) is None


@pytest.mark.parametrize(
    ("statement", "cause"), [("PRAGMA max_page_count = 1", "full"), ("PRAGMA query_only = ON", "read-only")]
)
def test_the_code_of_a_file_that_cannot_grow_or_be_written(tmp_path: Path, statement: str, cause: str):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url):
        assert _cause(_connected(url, statement)) == cause


def test_the_code_of_a_file_that_is_gone_replaced_or_damaged(tmp_path: Path):
    path, away = tmp_path / "journal.db", tmp_path / "away.db"
    with opened(f"sqlite:///{path}") as journal:
        journal.write([entry()])
        path.rename(away)
        assert _cause(journal) == "missing"
        path.write_bytes(away.read_bytes())
        assert _cause(journal) == "replaced"
        path.unlink()
        away.rename(path)
        assert _cause(journal) is None
    path.write_bytes(b"no database" * 1000)
    assert _cause(Journal(f"sqlite:///{path}", VAULTS["plain"])) == "damaged"
    path.unlink()
    with sqlite3.connect(path):
        pass
    assert _cause(Journal(f"sqlite:///{path}", VAULTS["plain"])) == "missing"


def test_a_file_that_is_moved_while_it_is_opened_is_not_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, away = tmp_path / "journal.db", tmp_path / "away.db"
    with opened(f"sqlite:///{path}") as journal:
        dialect = journal.engine.dialect
        connect = dialect.connect

        def connect_late(*arguments: Any, **options: Any) -> Any:
            path.rename(away)
            return connect(*arguments, **options)

        with monkeypatch.context() as patched:
            patched.setattr(dialect, "connect", connect_late)
            journal.engine.dispose()
            assert _cause(journal) == "missing"
        assert not path.exists()
        away.rename(path)
        assert _cause(journal) is None


def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, another = tmp_path / "journal.db", tmp_path / "another.db"
    with opened(f"sqlite:///{another}"):
        pass
    with opened(f"sqlite:///{path}") as journal:
        dialect = journal.engine.dialect
        connect = dialect.connect

        def connect_early(*arguments: Any, **options: Any) -> Any:
            connection = connect(*arguments, **options)
            another.rename(path)
            return connection

        with monkeypatch.context() as patched:
            patched.setattr(dialect, "connect", connect_early)
            journal.engine.dispose()
            assert _cause(journal) == "replaced"


def test_the_code_of_a_server_that_does_not_answer():
    journal = Journal("postgresql://me@127.0.0.1:1/journal", VAULTS["plain"])

    assert _cause(journal) == "away"


@pytest.mark.postgresql
def test_the_code_of_a_password_a_database_and_a_right_that_are_wrong(postgresql_server: Server):
    url = postgresql_server.emptied_database()
    with opened(url):
        address = _as_role(postgresql_server, url, "codes_role", *grants("codes_role"))
        journal = Journal(address, VAULTS["plain"])
        assert _cause(journal) is None
        assert _cause(Journal(address.replace(":word@", ":other@"), VAULTS["plain"])) == "login"
        assert _cause(Journal(f"{address}_of_nobody", VAULTS["plain"])) == "missing"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("REVOKE INSERT ON decisions FROM codes_role")
            assert _cause(journal) == "rights"
            connection.execute("ALTER ROLE codes_role SET default_transaction_read_only = on")
            assert _cause(Journal(address, VAULTS["plain"])) == "read-only"
        journal.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY codes_role; DROP ROLE codes_role")


# PostgreSQL: rights, roles and standby


def _as_role(server: Server, url: str, role: str, *statements: str) -> str:
    """Make a role, as the superuser of the tests, and return the address of the database for it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}" if _exists(connection, role) else f"CREATE ROLE {role} LOGIN")  # type: ignore[arg-type]
        connection.execute(f"ALTER ROLE {role} PASSWORD 'word'")  # type: ignore[arg-type]
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
    return f"postgresql://{role}:word@127.0.0.1:{server.port}/{url.rpartition('/')[2]}"


def _exists(connection: psycopg.Connection, role: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


@pytest.mark.postgresql
def test_a_role_that_may_only_read_is_not_ready(postgresql_server: Server):
    url = postgresql_server.emptied_database()
    with opened(url, VAULTS["encrypted"]):
        reads = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
        address = _as_role(postgresql_server, url, "reader", "GRANT USAGE ON SCHEMA public TO reader", reads)
        only_reads = Journal(address, VAULTS["encrypted"])
        assert only_reads.ids() == []
        assert "permission denied" in str(Readiness(only_reads, 0).fault())
        only_reads.close()


@pytest.fixture
def service_journal(postgresql_server: Server) -> Iterator[tuple[Journal, Journal]]:
    """A journal as its owner uses it, and as the role of the service does."""
    url = postgresql_server.emptied_database()
    with opened(url, VAULTS["encrypted"]) as owner:
        address = _as_role(postgresql_server, url, "serving_role", *grants("serving_role"))
        served = Journal(address, VAULTS["encrypted"])
        yield owner, served
        served.close()


@pytest.mark.postgresql
def test_the_role_of_the_service_writes_and_reads(service_journal: tuple[Journal, Journal]):
    _, journal = service_journal
    journal.check()
    first = entry(idempotency_hash="i" * 64)
    assert journal.write([first]) == [None]
    assert journal.write([entry(idempotency_hash="i" * 64)]) == [journal.find(first.id)]
    assert journal.add_review(first.id, review())
    assert journal.reviews(first.id) == [review()]
    assert _probed(journal).fault() is None


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET threshold = 0.5",
        "UPDATE decisions SET purged_at = now()",
        "DELETE FROM decisions",
        "TRUNCATE decisions CASCADE",
        "UPDATE reviews SET outcome = 'refused'",
        "DELETE FROM chain",
        "UPDATE chain SET position = 7",
        "DELETE FROM client_keys",
        "UPDATE client_keys SET wrapped_key = ''",
        "DELETE FROM journal_keys",
        "UPDATE journal_keys SET wrapped_key = ''",
        "ALTER TABLE decisions DISABLE TRIGGER USER",
        "DROP TRIGGER decisions_append_only_row ON decisions",
        "ALTER TABLE decisions ADD COLUMN more integer",
        "DROP TABLE chain",
        "CREATE TABLE more (id integer)",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
@pytest.mark.promise("the role of the service on PostgreSQL may alter nothing")
def test_the_role_of_the_service_may_alter_nothing(service_journal: tuple[Journal, Journal], statement: str):
    owner, journal = service_journal
    journal.write([entry()])
    tables = ("decisions", "chain", "client_keys", "journal_keys")
    before = [rows(owner, table) for table in tables]
    with pytest.raises(sa.exc.DBAPIError, match=r"permission denied|must be owner|never rewritten"):
        execute(journal, statement)
    assert before == [rows(owner, table) for table in tables]


@pytest.mark.postgresql
def test_the_printed_sql_makes_the_role(postgresql_server: Server, capsys: pytest.CaptureFixture[str]):
    url = postgresql_server.emptied_database()
    with opened(url):
        assert commands.main(["journal", "--url", url, "roles", "printed_role"]) == 0
        printed = capsys.readouterr().out
        assert printed == script("printed_role")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(printed)  # type: ignore[arg-type]
        assert commands.main(["journal", "--url", url, "upgrade", "--service-role", "printed_role"]) == 0
        address = _as_role(postgresql_server, url, "printed_role", *grants("printed_role"))
        journal = Journal(address, VAULTS["plain"])
        assert journal.write([entry()]) == [None]
        journal.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY printed_role; DROP ROLE printed_role")


@pytest.mark.postgresql
def test_an_upgrade_makes_the_role_with_the_password_of_a_file(postgresql_server: Server, tmp_path: Path):
    url = postgresql_server.emptied_database()
    file = tmp_path / "password"
    upgrade = ["journal", "--url", url, "upgrade", "--service-role", "made_role", "--service-password-file", str(file)]
    for password in ("first it's this", "then \\ that"):  # the second time the role is there
        file.write_text(password + "\n")

        assert commands.main(upgrade) == 0

        host = f"host=127.0.0.1 port={postgresql_server.port} dbname={url.rpartition('/')[2]} user=made_role"
        with psycopg.connect(host, password=password) as connection:
            assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM decisions")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host, password="another")  # noqa: S106 - it is refused
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY made_role; DROP ROLE made_role")


def test_a_password_without_a_role_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "password").write_text("word")
    url = f"sqlite:///{tmp_path}/journal.db"

    code = commands.main(["journal", "--url", url, "upgrade", "--service-password-file", str(tmp_path / "password")])

    assert code == 2
    assert "--service-role" in capsys.readouterr().err
    assert not (tmp_path / "journal.db").exists()


@pytest.mark.postgresql
def test_a_server_that_becomes_read_only_is_left_for_the_one_that_writes(postgresql_server: Server):
    url = postgresql_server.new_database()
    name = url.rpartition("/")[2]
    with opened(url) as journal:
        journal.write([entry()])
        with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")  # type: ignore[arg-type]
        execute(journal, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        with pytest.raises(JournalUnavailableError, match="read-only"):
            journal.write([entry()])
        began = time.monotonic()
        with pytest.raises(JournalUnavailableError, match="read-only"):  # a new connection, which is refused at once
            journal.write([entry()])
        assert time.monotonic() - began < timeout_s(5)
        assert _probed(journal).fault() is not None
        with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")  # type: ignore[arg-type]
        assert journal.write([entry()]) == [None]
        assert _probed(journal).fault() is None


def test_several_hosts_may_be_written_as_libpq_does():
    url = "postgresql://me:word@one:5432,two:5433/journal?sslmode=require"
    journal = Journal(url, VAULTS["plain"])
    assert journal.engine.url.query == {"host": ("one:5432", "two:5433"), "sslmode": "require"}
    assert "word" not in journal.address
    journal.close()
