"""Backups of a journal, and what can be read from them after a purge; the commands, on SQLite and PostgreSQL."""

import os
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bento import __main__ as commands
from bento.journal.backup import backup, restore
from bento.journal.entries import JournalError, JournalUnavailableError, OutcomeUnknownError
from bento.journal.keys import replace_wrapped, wrapped_after
from bento.journal.purge import purge
from bento.journal.readiness import Readiness
from bento.journal.rotate import rotate
from bento.journal.store import Journal
from bento.journal.vault import Vault, VaultError
from bento.journal.verify import Verified, faults
from tests.support.deadlines import timeout_s
from tests.support.journals import CLIENT, NOW, VAULTS, another, entry, execute, opened, review, rows
from tests.support.postgresql import Server, programs

DAY = timedelta(days=1)
COMMAND_TIMEOUT_S = 60
KEY, OTHER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AQ" * 21 + "E="


def _filled(journal: Journal) -> tuple[str, str]:
    """An old decision and a younger one, of other clients; both reviewed."""
    old, young = entry(), entry(decided_at=NOW + 5 * DAY, client=CLIENT + 1)
    for decided in (old, young):
        journal.write([decided])
        journal.add_review(decided.id, review())
    return old.id, young.id


def _path(journal: Journal) -> Path:
    return Path(journal.engine.url.database or "")


def _readable(url: str, decision_id: str) -> bool:
    with opened(url, VAULTS["encrypted"]) as journal:
        try:
            stored = journal.find(decision_id)
        except VaultError:
            return False
        return stored is not None and stored.credit_file is not None


# SQLite


@pytest.mark.promise("a backup made under load is whole")
def test_a_backup_made_under_load_is_whole(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        ended, written = threading.Event(), list[str]()

        def write() -> None:
            with another(journal) as other:
                while not ended.is_set():
                    other.write([decided := entry()])
                    written.append(decided.id)

        writer = threading.Thread(target=write)
        writer.start()
        for number in range(5):
            before = set(written)
            backup(journal, tmp_path / f"backup_{number}.db", None)
            with opened(f"sqlite:///{tmp_path}/backup_{number}.db") as copy:
                assert before <= set(copy.ids())
                assert list(faults(copy, Verified())) == []
        ended.set()
        writer.join()


@pytest.mark.promise("what a purge destroyed cannot be read from an earlier backup without the keys")
def test_what_was_purged_since_cannot_be_read_from_a_backup(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db", VAULTS["encrypted"]) as journal:
        old, young = _filled(journal)
        wrapped = [row["wrapped_key"] for row in rows(journal, "client_keys")]
        backup(journal, tmp_path / "yesterday.db", tmp_path / "yesterday.keys")
        assert purge(journal, NOW + DAY, NOW + 6 * DAY) == (1, 1)
    backed_up = (tmp_path / "yesterday.db").read_bytes()
    assert [key for key in wrapped if key in backed_up] == []
    assert not _readable(f"sqlite:///{tmp_path}/yesterday.db", old)

    restore(
        tmp_path / "journal.db", tmp_path / "yesterday.db", None, VAULTS["encrypted"]
    )  # with the keys of the present journal

    url = f"sqlite:///{tmp_path}/journal.db"
    assert (_readable(url, old), _readable(url, young)) == (False, True)


def test_a_lost_journal_is_restored_with_the_backup_of_its_keys(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url, VAULTS["encrypted"]) as journal:
        ids = _filled(journal)
        backup(journal, tmp_path / "data.db", tmp_path / "keys.db")
    (tmp_path / "journal.db").unlink()
    (tmp_path / "journal.db-wal").write_bytes(b"of the lost file")
    with pytest.raises(JournalError, match="holds no keys of clients; name a backup of them with --keys"):
        restore(tmp_path / "journal.db", tmp_path / "data.db", None, VAULTS["encrypted"])
    restore(tmp_path / "journal.db", tmp_path / "data.db", tmp_path / "keys.db", VAULTS["encrypted"])
    assert all(_readable(url, decision_id) for decision_id in ids)
    with opened(url, VAULTS["encrypted"]) as journal:
        assert journal.write([entry()]) == [None]
        assert list(faults(journal, Verified())) == []


def test_a_backup_is_for_its_owner_alone_and_replaces_no_file(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db", VAULTS["encrypted"]) as journal:
        _filled(journal)
        backup(journal, tmp_path / "data.db", tmp_path / "keys.db")
        modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("data.db", "keys.db")]
        assert modes == [0o600, 0o600]
        with pytest.raises(JournalError, match=r"data\.db exists; name another file"):
            backup(journal, tmp_path / "data.db", None)
    assert not list(tmp_path.glob("*.unfinished"))


OPEN = """
import sys
from bento.journal.store import Journal
from bento.journal.vault import Vault
journal = Journal(sys.argv[1], Vault(None))
print(len(journal.ids()), flush=True)
input()
"""


def test_a_journal_that_is_open_is_not_restored(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url) as journal:
        journal.write([entry()])
        backup(journal, tmp_path / "data.db", None)
    before = (tmp_path / "journal.db").read_bytes()
    command = [sys.executable, "-c", OPEN, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "1\n"
        with pytest.raises(JournalError, match="is open in another process; stop the service first"):
            restore(tmp_path / "journal.db", tmp_path / "data.db", None, VAULTS["encrypted"])
        assert (tmp_path / "journal.db").read_bytes() == before
        service.communicate("end\n")
    moved = restore(tmp_path / "journal.db", tmp_path / "data.db", None, VAULTS["encrypted"])
    assert moved is not None
    assert moved.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database " * 1000, b""])
def test_a_file_that_is_no_backup_is_not_restored(content: bytes, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url) as journal:
        journal.write([kept := entry()])
    (tmp_path / "data.db").write_bytes(content)
    with pytest.raises((JournalError, JournalUnavailableError), match=r"data\.db"):
        restore(tmp_path / "journal.db", tmp_path / "data.db", None, VAULTS["encrypted"])
    with opened(url) as journal:
        assert journal.ids() == [kept.id]


# A file that is replaced while it is used


def _replaced(folder: Path) -> Path:
    """A backup that was moved onto the journal, beside the write-ahead log of the file before it."""
    path = folder / "journal.db"
    os.replace(folder / "data.db", path)
    return path


def test_nothing_is_written_to_a_file_beside_the_log_of_another(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        readiness = Readiness(journal, 0)
        journal.write([entry()])
        backup(journal, tmp_path / "data.db", None)
        journal.write([entry() for _ in range(20)])
        content = _replaced(tmp_path).read_bytes()
        for _ in range(3):
            with pytest.raises(JournalUnavailableError, match=r"journal\.db-wal of the former is still beside it"):
                journal.write([entry()])
        assert "the file was replaced" in str(readiness.fault())
        assert (tmp_path / "journal.db").read_bytes() == content

        for suffix in ("-wal", "-shm"):
            (tmp_path / f"journal.db{suffix}").unlink()

        assert journal.write([entry()]) == [None]
        assert readiness.fault() is None
        assert len(journal.ids()) == 2
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_log_made_anew_is_known_too(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        journal.write([entry()])
        backup(journal, tmp_path / "data.db", None)
        journal.engine.dispose()  # the last connection: SQLite removes the log
        journal.write([entry()])
        _replaced(tmp_path)
        with pytest.raises(JournalUnavailableError, match=r"journal\.db-wal of the former is still beside it"):
            journal.write([entry()])


def test_a_file_replaced_during_a_write_makes_its_outcome_unknown(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        journal.write([entry()])
        backup(journal, tmp_path / "data.db", None)
        sa.event.listen(journal.engine, "commit", lambda _: _replaced(tmp_path))
        with pytest.raises(OutcomeUnknownError, match="the file was replaced while it was written"):
            journal.write([entry()])


def test_a_file_removed_during_a_write_makes_its_outcome_unknown(tmp_path: Path):
    path = tmp_path / "journal.db"
    with opened(f"sqlite:///{path}") as journal:
        journal.write([entry()])
        sa.event.listen(journal.engine, "commit", lambda _: path.rename(tmp_path / "moved.db"))
        with pytest.raises(OutcomeUnknownError, match="the file was replaced while it was written"):
            journal.write([entry()])


# Rotation of the master key


def test_a_backup_from_before_a_rotation_is_restored_with_present_keys(tmp_path: Path):
    url, former, new = f"sqlite:///{tmp_path}/journal.db", bytes(range(32)), bytes(range(1, 33))
    with opened(url, Vault(former)) as journal:
        journal.write([kept := entry()])
        backup(journal, tmp_path / "data.db", tmp_path / "keys.db")
    with opened(url, Vault(new, former)) as journal:
        rotate(journal)

    with pytest.raises(VaultError, match="another master key"):  # the keys of that time, and not the master key
        restore(tmp_path / "journal.db", tmp_path / "data.db", tmp_path / "keys.db", Vault(new))
    restore(tmp_path / "journal.db", tmp_path / "data.db", None, Vault(new))

    with opened(url, Vault(new)) as journal:
        stored = journal.find(kept.id)
        assert stored is not None
        assert stored.credit_file == kept.credit_file
        assert list(faults(journal, Verified())) == []
        journal.write([another_one := entry()])
        assert journal.find(another_one.id) is not None


def test_a_restore_that_the_master_key_cannot_open_leaves_the_journal(tmp_path: Path):
    url, former, new = f"sqlite:///{tmp_path}/journal.db", bytes(range(32)), bytes(range(1, 33))
    with opened(url, Vault(former)) as journal:
        journal.write([kept := entry()])
        backup(journal, tmp_path / "data.db", tmp_path / "keys.db")

    for target in ("journal.db", "elsewhere.db"):
        with pytest.raises(VaultError, match="another master key"):
            restore(tmp_path / target, tmp_path / "data.db", tmp_path / "keys.db", Vault(new))

    assert sorted(path.name for path in tmp_path.iterdir() if "journal.db-" not in path.name) == [
        "data.db",
        "journal.db",
        "keys.db",
    ]
    with opened(url, Vault(former)) as journal:
        assert journal.find(kept.id) is not None


@pytest.mark.promise("after a rotation of the master key the former one opens nothing")
def test_a_rotated_key_opens_all_and_the_former_nothing(journal_url: str):
    former, new = bytes(range(32)), bytes(range(1, 33))
    with opened(journal_url, Vault(former)) as journal:
        ids = _filled(journal)
    with opened(journal_url, Vault(new, former)) as journal:
        journal.write([entry(client=CLIENT + 2)])
        assert rotate(journal, size=1) == 2
        assert rotate(journal) == 0
    with opened(journal_url, Vault(new)) as journal:
        journal.check()
        journal.write([again := entry()])
        assert all(journal.find(decision_id) is not None for decision_id in (*ids, again.id))
        assert journal.reviews(ids[0]) == [review()]
        assert list(faults(journal, Verified())) == []
        names = [row["client"] for row in rows(journal) if row["id"] in (ids[0], again.id)]
        assert len(set(names)) == 1  # the client keeps the pseudonym
    other = Journal(journal_url, Vault(former))
    with pytest.raises(VaultError, match="another master key"):
        other.check()
    other.close()


def test_a_key_that_changed_since_it_was_read_is_not_replaced(journal_url: str):
    with opened(journal_url, VAULTS["encrypted"]) as journal:
        journal.write([entry(), entry(client=CLIENT + 1)])
        with journal.reader() as connection:
            (first, key), (second, _) = wrapped_after(connection, "", 10)

        with journal.transaction() as connection:
            replace_wrapped(connection, [(first, key, b"new"), (second, b"another", b"new"), ("gone", b"", b"new")])

        wrapped = {row["client"]: bytes(row["wrapped_key"]) for row in rows(journal, "client_keys")}
        assert wrapped.keys() == {first, second}
        assert [wrapped[name] == b"new" for name in (first, second)] == [True, False]


def test_a_journal_of_an_older_schema_keeps_its_pseudonyms_when_it_is_rotated(journal_url: str):
    former, new = bytes(range(32)), bytes(range(1, 33))
    with opened(journal_url, Vault(former)) as journal:
        journal.write([first := entry()])
        execute(journal, "DELETE FROM journal_keys")  # as before there was that table
    with opened(journal_url, Vault(new, former)) as journal:
        assert rotate(journal) == 1
        journal.write([second := entry()])
        assert len({row["client"] for row in rows(journal)}) == 1
        assert {row["id"] for row in rows(journal)} == {first.id, second.id}
        assert list(faults(journal, Verified())) == []


# Commands


def _main(capsys: pytest.CaptureFixture[str], url: str, *arguments: object) -> tuple[int, str]:
    code = commands.main(["journal", "--url", url, *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.fixture
def _key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "master.key").write_text(KEY)
    monkeypatch.setenv("SCORING_MASTER_KEY_FILE", str(tmp_path / "master.key"))


@pytest.mark.usefixtures("_key")
def test_the_commands_back_up_restore_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url, VAULTS["encrypted"]) as journal:
        _filled(journal)
    assert _main(capsys, url, "backup", tmp_path / "data.db", "--keys", tmp_path / "keys.db")[0] == 0
    assert _main(capsys, url, "purge", "--older-than", "0")[0] == 0
    code, output = _main(capsys, url, "restore", tmp_path / "data.db")
    assert code == 0
    assert "restored from" in output
    code, output = _main(capsys, url, "check")
    assert (code, output.rstrip().partition(": ")[2]) == (
        0,
        "sound, 2 decisions, 2 of which cannot be decrypted, as their keys are not here, 2 reviews, 0 contests",
    )


def test_a_damaged_journal_fails_its_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    url = f"sqlite:///{tmp_path}/journal.db"
    with opened(url) as journal:
        journal.write([entry(credit_file=os.urandom(3000), client=number) for number in range(200)])
    assert _main(capsys, url, "check")[0] == 0
    content = bytearray((tmp_path / "journal.db").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = bytes(8192)
    (tmp_path / "journal.db").write_bytes(content)
    code, output = _main(capsys, url, "check")
    assert code == 2
    assert output.startswith(f"error: {tmp_path}/journal.db is damaged: ")


@pytest.mark.usefixtures("_key")
def test_the_command_rotates_the_key(
    tmp_path: Path, journal_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    with opened(journal_url, VAULTS["encrypted"]) as journal:
        _filled(journal)
    (tmp_path / "master.key").write_text(f"{OTHER_KEY}\n{KEY}\n")
    code, output = _main(capsys, journal_url, "rotate-key")
    assert (code, output.rstrip().rpartition(": ")[2]) == (0, "2 keys of clients encrypted anew")
    (tmp_path / "master.key").write_text(OTHER_KEY)
    assert _main(capsys, journal_url, "check")[0] == 0


@pytest.mark.postgresql
@pytest.mark.usefixtures("_key")
def test_the_lines_for_postgresql_back_up_and_restore(
    postgresql_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    url, restored = postgresql_server.new_database(), postgresql_server.new_database()
    path = f"{programs()}:{os.environ['PATH']}"
    with opened(url, VAULTS["encrypted"]) as journal:
        old, young = _filled(journal)

    def run(address: str, *arguments: object) -> None:
        code, lines = _main(capsys, address, *arguments)
        assert code == 0
        subprocess.run(
            ["/bin/sh", "-ec", lines],
            env=os.environ | {"JOURNAL_URL": address, "PATH": path},
            check=True,
            timeout=timeout_s(COMMAND_TIMEOUT_S),
        )

    run(url, "backup", tmp_path / "data.dump")
    with opened(url, VAULTS["encrypted"]) as journal:
        assert purge(journal, NOW + DAY, NOW + 6 * DAY) == (1, 1)
    run(url, "backup", tmp_path / "today.dump", "--keys", tmp_path / "keys.dump")
    run(restored, "restore", tmp_path / "data.dump", "--keys", tmp_path / "keys.dump")
    assert (_readable(restored, old), _readable(restored, young)) == (False, True)
    with opened(restored, VAULTS["encrypted"]) as journal:
        assert list(faults(journal, Verified())) == []
        journal.write([entry()])
