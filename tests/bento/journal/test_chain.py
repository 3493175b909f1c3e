"""The chain over all entries: what is altered, deleted or inserted is named; on SQLite and PostgreSQL."""

import logging
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bento import __main__ as commands
from bento.journal import chain
from bento.journal.database import commit_errors
from bento.journal.entries import JournalUnavailableError, OutcomeUnknownError
from bento.journal.purge import purge
from bento.journal.schema import DECISIONS
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.journal.vault import JournalKeys
from bento.journal.verify import Verified, faults, logged_heads
from tests.support.journals import (
    CLIENT,
    NOW,
    VAULTS,
    another,
    entry,
    execute,
    locked,
    opened,
    review,
    rows,
    without_triggers,
)
from tests.support.postgresql import Server

DAY = timedelta(days=1)


def named_faults(journal: Journal, size: int = 2) -> list[str]:
    """Return all faults, read in portions that are smaller than the journal."""
    return list(faults(journal, Verified(), size=size))


def _written(journal: Journal, count: int = 5) -> list[str]:
    """Decisions of several commits, the first reviewed and the last purged."""
    entries = [entry(client=CLIENT + n, decided_at=NOW + n * DAY) for n in range(count)]
    journal.write(entries[:2])
    for decided in entries[2:]:
        journal.write([decided])
    journal.add_review(entries[1].id, review())
    assert purge(journal, NOW + DAY, NOW + 9 * DAY)[0] == 1
    return [decided.id for decided in entries]


def test_a_journal_as_it_was_written_has_no_faults(journal: Journal):
    _written(journal)
    with another(journal) as other:
        _written(other)
        other.write([first := entry(idempotency_hash="i" * 64)])
        journal.write([entry(idempotency_hash="i" * 64), first])
    assert named_faults(journal) == []
    verified = Verified()
    assert list(faults(journal, verified)) == []
    assert (verified.chains, verified.entries) == (2, 2 * (5 + 1 + 1) + 1)


def test_concurrent_writers_of_one_process_make_one_chain(journal: Journal):
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda n: _decide(journal, n), range(20)))
        list(pool.map(lambda decision_id: journal.add_review(decision_id, review()), ids))
    assert named_faults(journal) == []
    assert sorted(row["position"] for row in rows(journal, "chain")) == list(range(40))


def _decide(journal: Journal, client: int) -> str:
    journal.write([decided := entry(client=client)])
    return decided.id


CHANGES = {
    "decided_at": "'2020-01-01 00:00:00'",
    "key_id": "'other'",
    "idempotency_hash": "'other'",
    "credit_file_hash": "'other'",
    "features_hash": "'other'",
    "decision": "'refused'",
    "threshold": "0.5",
    "model_name": "'other'",
    "model_version": "'4'",
    "model_tag": "'other'",
    "bento": "'other'",
    "code": "'other'",
    "probability": "0.5",
    "client": "'other'",
    "data_key": "'other'",
    "credit_file": "answer",
    "answer": "credit_file",
}


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.promise("an altered decision is named by the chain")
def test_an_altered_column_of_a_decision_is_named(journal: Journal, column: str):
    ids = _written(journal)
    without_triggers(journal)
    execute(journal, f"UPDATE decisions SET {column} = {CHANGES[column]} WHERE id = '{ids[2]}'")  # noqa: S608
    assert named_faults(journal) == [f"decision {ids[2]} was altered"]


def test_what_stays_of_a_purged_decision_is_covered(journal: Journal):
    ids = _written(journal)
    without_triggers(journal)
    execute(journal, f"UPDATE decisions SET decision = 'refused' WHERE id = '{ids[0]}'")  # noqa: S608
    assert named_faults(journal) == [f"decision {ids[0]} was altered"]


def test_an_altered_review_is_named(journal: Journal):
    _written(journal)
    (stored,) = rows(journal, "reviews")
    without_triggers(journal)
    for change in ("outcome = 'refused'", "verdict = 'overturned'", "key_id = 'other'"):
        execute(journal, f"UPDATE reviews SET {change}")  # noqa: S608
        assert named_faults(journal) == [f"review {stored['id']} was altered"]


@pytest.mark.promise("deleted entries are named by the chain")
def test_deleted_entries_are_named(journal: Journal):
    ids = _written(journal)
    (stored,) = rows(journal, "reviews")
    without_triggers(journal)
    execute(journal, "DELETE FROM reviews", f"DELETE FROM decisions WHERE id = '{ids[3]}'")  # noqa: S608
    assert sorted(named_faults(journal)) == [f"decision {ids[3]} was deleted", f"review {stored['id']} was deleted"]


def test_entries_deleted_with_their_links_leave_a_gap(journal: Journal):
    ids = _written(journal)
    without_triggers(journal)
    removed = f"IN ('{ids[2]}', '{ids[3]}')"
    execute(journal, f"DELETE FROM decisions WHERE id {removed}", f"DELETE FROM chain WHERE entry {removed}")  # noqa: S608
    assert named_faults(journal) == [f"chain {journal.writer}: entries 2 to 3 were deleted"]


def test_links_that_are_numbered_anew_do_not_fit(journal: Journal):
    ids = _written(journal)
    without_triggers(journal)
    execute(
        journal,
        f"DELETE FROM decisions WHERE id = '{ids[4]}'",  # noqa: S608
        f"DELETE FROM chain WHERE entry = '{ids[4]}'",  # noqa: S608
        "UPDATE chain SET position = position - 1 WHERE position = 5",
        "UPDATE chain SET position = position - 1 WHERE position = 6",
    )
    named = named_faults(journal)
    assert named[0].startswith(f"chain {journal.writer}: entry 4 (review ")
    assert named[0].endswith("is forged or was altered")


def test_entries_cut_off_at_the_end_are_named_from_the_log(
    journal: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "bentoml.credit_scoring")
    ids = _written(journal)
    journal.close()
    (tmp_path / "service.log").write_text(f"2026-05-04 [INFO] ready\n{caplog.text}")
    heads = logged_heads(tmp_path / "service.log")
    assert [head.position for head in heads] == [1, 6]  # the first commit, and the end
    assert list(faults(journal, Verified(), heads)) == []
    without_triggers(journal)
    last = f"IN ('{ids[4]}') OR position > 4"
    execute(journal, f"DELETE FROM decisions WHERE id = '{ids[4]}'", f"DELETE FROM chain WHERE entry {last}")  # noqa: S608
    assert f"chain {journal.writer}: entry 6, which the log names, was deleted" in list(
        faults(journal, Verified(), heads)
    )


def test_a_chain_that_was_written_anew_differs_from_the_log(journal: Journal):
    journal.write([entry()])
    other = chain.Head(journal.writer, 0, b"m" * 32)
    assert list(faults(journal, Verified(), [journal.head])) == []
    assert list(faults(journal, Verified(), [other])) == [
        f"chain {journal.writer}: entry 0 is another than the log names"
    ]


def test_a_head_that_was_not_committed_is_not_logged(journal: Journal):
    journal.write([entry()])
    committed = journal.head

    def lose(_: sa.Connection) -> None:
        raise OutcomeUnknownError("lost")

    sa.event.listen(journal.engine, "commit", lose)
    with pytest.raises(OutcomeUnknownError):
        journal.write([entry()])
    assert journal.head == committed


@pytest.mark.promise("a forged review is named by the chain")
def test_a_forged_review_is_named(journal: Journal):
    ids = _written(journal)
    execute(
        journal,
        "INSERT INTO reviews SELECT 'forged', id, decided_at, key_id, 'overturned', 'refused', NULL "  # noqa: S608
        f"FROM decisions WHERE id = '{ids[2]}'",
    )
    (fault,) = named_faults(journal)
    assert fault.startswith("review forged is not in the chain: forged, or ")


def test_a_decision_copied_under_another_id_is_named(journal: Journal):
    ids = _written(journal)
    names = ", ".join(rows(journal)[0].keys() - {"id", "idempotency_hash"})
    copied = f"SELECT 'forged', {names} FROM decisions WHERE id = '{ids[2]}'"  # noqa: S608
    execute(journal, f"INSERT INTO decisions (id, {names}) {copied}")
    (fault,) = named_faults(journal)
    assert fault.startswith("decision forged is not in the chain: forged, or ")


def test_a_purge_by_hand_is_named(journal: Journal):
    ids = _written(journal)
    emptied = "client = NULL, data_key = NULL, probability = NULL, credit_file = NULL, answer = NULL"
    execute(journal, f"UPDATE decisions SET purged_at = decided_at, {emptied} WHERE id = '{ids[2]}'")  # noqa: S608
    assert named_faults(journal) == [f"decision {ids[2]} was emptied, but not by a purge of this journal"]


def test_a_link_forged_without_the_key_is_named(encrypted: Journal):
    """The forger has the code and the database, and not the master key."""
    ids = _written(encrypted)
    without_triggers(encrypted)
    execute(encrypted, f"UPDATE decisions SET threshold = 0.5 WHERE id = '{ids[2]}'")  # noqa: S608
    row = next(row for row in _typed(encrypted) if row["id"] == ids[2])
    for keyed in (True, False):
        forged = chain.link(JournalKeys(chain=bytes(32)), chain.DECISION, row, keyed=keyed)
        with encrypted.transaction() as connection:
            connection.execute(
                sa.text("UPDATE chain SET kept = :kept, personal = :personal, keyed = :keyed WHERE entry = :entry"),
                {"kept": forged.kept, "personal": forged.personal, "keyed": keyed, "entry": ids[2]},
            )
        named = named_faults(encrypted)
        assert any(ids[2] in fault for fault in named)


def _typed(journal: Journal) -> list[dict[str, object]]:
    with journal.reader() as connection:
        return [dict(row) for row in connection.execute(sa.select(DECISIONS)).mappings()]


def test_the_chain_itself_cannot_be_rewritten(journal: Journal):
    _written(journal)
    for statement in ("UPDATE chain SET entry = 'x'", "DELETE FROM chain", "UPDATE chain SET position = position + 9"):
        with pytest.raises(sa.exc.DBAPIError, match="history is appended, never rewritten"):
            execute(journal, statement)
    if journal.engine.dialect.name == "sqlite":
        before = rows(journal, "chain")
        execute(journal, "REPLACE INTO chain SELECT writer, position, kind, 'x', keyed, kept, personal, mac FROM chain")
        assert rows(journal, "chain") == before


def test_entries_from_before_the_chain_are_named_until_they_are_sealed(journal: Journal):
    ids = _written(journal)
    without_triggers(journal)
    execute(journal, "DELETE FROM chain")
    assert len(named_faults(journal)) == len(ids) + 2  # the review and the purge
    assert seal(journal, size=2) == len(ids) + 2
    assert named_faults(journal) == []
    assert seal(journal) == 0


def test_entries_from_before_the_master_key_are_named_until_they_are_sealed(journal_url: str):
    with opened(journal_url, VAULTS["plain"]) as journal:
        _written(journal)
    with opened(journal_url, VAULTS["encrypted"]) as journal:
        journal.write([entry()])
        assert len(named_faults(journal)) == 7
        assert seal(journal) == 7
        assert named_faults(journal) == []


def test_a_failed_write_leaves_no_gap_in_the_chain(journal: Journal):
    with another(journal) as other:
        journal.write([entry()])
        with locked(other), pytest.raises(JournalUnavailableError):
            journal.write([entry()])
        journal.write([entry()])
    assert named_faults(journal) == []


# Command


def _main(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.delenv("SCORING_MASTER_KEY_FILE", raising=False)
    if journal.vault.encrypts:
        (tmp_path / "master.key").write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        monkeypatch.setenv("SCORING_MASTER_KEY_FILE", str(tmp_path / "master.key"))
    url = journal.engine.url.render_as_string(hide_password=False)
    return commands.main(["journal", "--url", url, *arguments])


def test_the_command_ends_with_1_where_something_was_altered(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    ids = _written(journal)
    assert _main(journal, tmp_path, monkeypatch, "verify") == 0
    assert re.search(r": 7 entries in 1 chains.*; no faults\n$", capsys.readouterr().out)
    without_triggers(journal)
    execute(journal, f"UPDATE decisions SET code = 'other' WHERE id = '{ids[2]}'")  # noqa: S608
    assert _main(journal, tmp_path, monkeypatch, "verify") == 1
    assert capsys.readouterr().out.splitlines()[0] == f"decision {ids[2]} was altered"
    assert _main(journal, tmp_path, monkeypatch, "replay", ids[2]) == 1
    assert capsys.readouterr().out.startswith(f"{ids[2]}: altered; ")


def test_a_head_is_compared_with_the_log_by_the_command(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    _written(journal)
    (tmp_path / "log").write_text(f'{{"message": "journal head {journal.writer} 70 {"0" * 64}"}}\n')
    assert _main(journal, tmp_path, monkeypatch, "verify", "--log", str(tmp_path / "log")) == 1
    assert "entry 70, which the log names, was deleted" in capsys.readouterr().out


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR])
def test_a_commit_that_fails_at_the_disk_is_of_unknown_outcome(code: int):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with pytest.raises(OutcomeUnknownError, match="while it was committed"), commit_errors("here"):
        raise sa.exc.OperationalError("COMMIT", {}, error)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_WRITE])
def test_a_commit_that_was_not_written_is_rolled_back(code: int):
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    with pytest.raises(sa.exc.OperationalError), commit_errors("here"):
        raise sa.exc.OperationalError("COMMIT", {}, error)


@pytest.mark.postgresql
def test_a_connection_lost_at_a_commit_is_of_unknown_outcome(postgresql_server: Server):
    with opened(postgresql_server.emptied_database()) as journal, another(journal) as other:

        def cut(connection: sa.Connection) -> None:
            pid = connection.connection.driver_connection.info.backend_pid
            execute(other, f"SELECT pg_terminate_backend({pid}, 5000)")

        journal.write([entry()])
        sa.event.listen(journal.engine, "commit", cut)
        with pytest.raises(OutcomeUnknownError, match="while it was committed"):
            journal.write([entry()])
        sa.event.remove(journal.engine, "commit", cut)
        assert journal.write([entry()]) == [None]
        assert len(journal.ids()) == 2
        assert named_faults(journal) == []
