"""What a purge takes and what it leaves; on SQLite and PostgreSQL."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bento.journal.entries import JournalUnavailableError
from bento.journal.purge import purge
from bento.journal.schema import PERSONAL
from bento.journal.store import Journal
from bento.journal.vault import Vault
from tests.support.journals import CLIENT, NOW, SECONDS, VAULTS, another, entry, opened, review, rows

DAY = timedelta(days=1)


@pytest.mark.promise("a purged decision keeps id, time, outcome, hashes and versions")
def test_a_purged_decision_keeps_id_time_outcome_and_hashes(journal: Journal):
    old, young = entry(idempotency_hash="i" * 64), entry(decided_at=NOW + DAY, client=CLIENT + 1)
    journal.write([old, young])
    for decided in (old, young):
        journal.add_review(decided.id, review())
    before = {row["id"]: row for row in rows(journal)}
    emptied, _ = purge(journal, NOW + DAY, NOW + 2 * DAY)
    assert emptied == 1
    after = {row["id"]: row for row in rows(journal)}
    assert after[young.id] == before[young.id]
    changed = {name for name in before[old.id] if after[old.id][name] != before[old.id][name]}
    assert changed | {"data_key"} == {*PERSONAL, "purged_at"}
    assert all(after[old.id][name] is None for name in PERSONAL)
    stored = journal.find(old.id)
    assert stored is not None
    assert stored.purged_at == NOW + 2 * DAY
    assert (stored.decided_at, stored.decision, stored.probability, stored.answer) == (NOW, "granted", None, None)
    assert journal.reviews(old.id) == [review(reason=None, reviewer=None)]
    assert journal.reviews(young.id) == [review()]


def test_a_purged_decision_is_not_drawn_reviewed_or_purged_again(journal: Journal):
    old = entry()
    journal.write([old])
    assert purge(journal, NOW + DAY, NOW)[0] == 1
    assert journal.ids() == []
    assert not journal.add_review(old.id, review())
    assert rows(journal, "reviews") == []
    assert purge(journal, NOW + DAY, NOW + DAY) == (0, 0)
    stored = journal.find(old.id)
    assert stored is not None
    assert stored.purged_at == NOW


def test_a_key_is_destroyed_with_the_last_decision_that_needs_it(encrypted: Journal):
    later = entry(decided_at=NOW + DAY)
    encrypted.write([entry(), later, entry(client=CLIENT + 1)])
    assert purge(encrypted, NOW + DAY, NOW) == (2, 1)
    stored = encrypted.find(later.id)
    assert stored is not None
    assert stored.credit_file == later.credit_file
    assert purge(encrypted, NOW + 2 * DAY, NOW) == (1, 1)
    assert rows(encrypted, "client_keys") == []


def test_an_unused_key_is_destroyed(encrypted: Journal):
    encrypted.write([entry(idempotency_hash="i" * 64, decided_at=NOW + DAY)])
    encrypted.write([entry(idempotency_hash="i" * 64, client=CLIENT + 1)])
    assert purge(encrypted, NOW, NOW) == (0, 1)


def test_a_purged_client_gets_a_new_key(encrypted: Journal):
    encrypted.write([entry()])
    (first,) = rows(encrypted, "client_keys")
    purge(encrypted, NOW + DAY, NOW)
    encrypted.write([back := entry(decided_at=NOW + 2 * DAY)])
    (second,) = rows(encrypted, "client_keys")
    assert first["client"] == second["client"]
    assert first["wrapped_key"] != second["wrapped_key"]
    assert encrypted.find(back.id) is not None


def test_a_large_purge_takes_several_transactions(journal: Journal):
    journal.write([entry(client=number) for number in range(7)])
    commits: list[None] = []
    sa.event.listen(journal.engine, "commit", lambda _: commits.append(None))
    assert purge(journal, NOW + DAY, NOW, batch_size=3) == (7, 7 if journal.vault.encrypts else 0)
    assert len(commits) >= (6 if journal.vault.encrypts else 3)
    assert journal.ids() == []


def test_a_review_during_a_purge_is_not_stored(journal: Journal):
    old = entry()
    journal.write([old])
    emptied = ", ".join(f"{name} = NULL" for name in PERSONAL)
    with ThreadPoolExecutor() as pool, another(journal) as purging:
        with purging.transaction() as connection:
            connection.execute(sa.text(f"UPDATE decisions SET purged_at = '2026-06-01 00:00:00', {emptied}"))  # noqa: S608
            reviewing = pool.submit(journal.add_review, old.id, review())
            with pytest.raises(TimeoutError):
                reviewing.result(0.3)
        assert reviewing.result(SECONDS) is False
    assert rows(journal, "reviews") == []


def test_a_key_that_is_used_during_a_purge_stays(encrypted: Journal):
    encrypted.write([entry()])
    written, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor() as pool, another(encrypted) as other:
        sa.event.listen(other.engine, "commit", lambda _: (written.set(), go_on.wait(SECONDS)))
        late = entry(decided_at=NOW + 2 * DAY)
        writing = pool.submit(other.write, [late])
        assert written.wait(SECONDS)
        purging = pool.submit(purge, encrypted, NOW + DAY, NOW)
        with pytest.raises(TimeoutError):
            purging.result(0.3)
        go_on.set()
        assert writing.result(SECONDS) == [None]
        assert purging.result(SECONDS) == (1, 0)
    stored = encrypted.find(late.id)
    assert stored is not None
    assert stored.answer == late.answer


# The file itself


def _bytes(folder: Path) -> bytes:
    """What database, write-ahead log and its index hold."""
    return b"".join(path.read_bytes() for path in folder.glob("journal.db*"))


@pytest.mark.parametrize("vault", VAULTS.values(), ids=VAULTS)
@pytest.mark.promise("a purge leaves no byte of a person in the file")
def test_a_purge_leaves_no_byte_of_a_person_in_the_file(tmp_path: Path, vault: Vault):
    with opened(f"sqlite:///{tmp_path}/journal.db", vault) as journal:
        old = [entry(client=CLIENT + n, credit_file=os.urandom(10_000), answer=os.urandom(500)) for n in range(20)]
        journal.write(old)
        for decided in old:
            journal.add_review(decided.id, review())
        blobs = [row[name] for row in rows(journal) for name in ("credit_file", "answer")]
        blobs += [row["content"] for row in rows(journal, "reviews")]
        blobs += [row["wrapped_key"] for row in rows(journal, "client_keys")]
        pieces = [blob[at : at + 16] for blob in blobs for at in range(0, len(blob), 1000)]
        pieces += [row["client"].encode() for row in rows(journal)]
        journal.write([entry(client=1, decided_at=NOW + 2 * DAY) for _ in range(20)])
        before = _bytes(tmp_path)
        canaries = [piece for piece in pieces if piece in before]
        assert len(canaries) > 0.9 * len(pieces)  # the others lie on two pages of the file
        assert purge(journal, NOW + DAY, NOW)[0] == 20
        after = _bytes(tmp_path)
        assert [canary for canary in canaries if canary in after] == []
        assert len(journal.ids()) == 20


def test_a_purge_that_cannot_clear_the_log_can_be_repeated(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        journal.write([entry()])
        with another(journal) as reading, reading.engine.connect() as connection:
            connection.execute(sa.text("ROLLBACK"))
            connection.execute(sa.text("BEGIN"))
            connection.execute(sa.text("SELECT * FROM decisions")).all()
            with pytest.raises(JournalUnavailableError, match="copies of what was purged are in use; purge again"):
                purge(journal, NOW + DAY, NOW)
            connection.execute(sa.text("ROLLBACK"))
        assert str(CLIENT).encode() in _bytes(tmp_path)
        assert purge(journal, NOW + DAY, NOW) == (0, 0)
        assert str(CLIENT).encode() not in _bytes(tmp_path)
