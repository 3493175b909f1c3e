"""What the journal holds, and that nothing rewrites it; on SQLite and PostgreSQL."""

import json
import zlib
from collections.abc import Iterator
from datetime import timedelta, timezone

import pytest
import sqlalchemy as sa

from bento.journal.entries import JournalError
from bento.journal.purge import purge
from bento.journal.store import Journal
from bento.journal.vault import AlteredError, Vault, VaultError
from tests.support.journals import CLIENT, NOW, VAULTS, entry, execute, opened, review, rows, without_triggers


@pytest.fixture
def plain(journal_url: str) -> Iterator[Journal]:
    """An empty journal, where encryption makes no difference."""
    with opened(journal_url) as made:
        yield made


def test_an_entry_is_found_as_it_was_written(journal: Journal):
    written = entry(idempotency_hash="i" * 64)
    assert journal.write([written]) == [None]
    stored = journal.find(written.id)
    assert stored is not None
    expected = vars(written) | {"purged_at": None}
    assert vars(stored) == {name: expected[name] for name in vars(stored)}
    assert vars(written).keys() - vars(stored).keys() == {"client", "idempotency_hash", "rulebook"}
    assert journal.ids() == [written.id]


def test_a_moment_of_another_time_zone_is_the_same_moment(plain: Journal):
    written = entry(decided_at=NOW.astimezone(timezone(timedelta(hours=9, minutes=30))))
    plain.write([written])
    stored = plain.find(written.id)
    assert stored is not None
    assert stored.decided_at.isoformat() == NOW.isoformat()


def test_decisions_of_a_period_come_oldest_first_without_its_end(journal: Journal):
    moments = [NOW + timedelta(hours=hours) for hours in (2, 0, 1, 3, -1)]
    journal.write([entry(decided_at=moment) for moment in moments])

    decisions = list(journal.decided_between(NOW, NOW + timedelta(hours=3)))

    assert [decision.decided_at for decision in decisions] == [NOW + timedelta(hours=hours) for hours in (0, 1, 2)]
    assert all(decision.credit_file is not None for decision in decisions)


def test_pages_of_a_period_hold_each_decision_once_and_take_few_queries(journal: Journal):
    moments = [NOW + timedelta(seconds=second) for second in (0, 1, 1, 1, 1, 2, 3)]
    entries = [entry(decided_at=moment) for moment in moments]
    journal.write(entries)
    statements: list[str] = []
    sa.event.listen(journal.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    decisions = list(journal.decided_between(NOW, NOW + timedelta(seconds=3), page_size=2))
    queries = [statement for statement in statements if "FROM decisions" in statement or "FROM chain" in statement]

    expected = sorted((written.decided_at, written.id) for written in entries[:-1])
    assert [(decision.decided_at, decision.id) for decision in decisions] == expected
    assert decisions == [journal.find(decision_id) for _, decision_id in expected]
    assert len(queries) <= 3 * (len(decisions) / 2 + 1)  # places, decisions and chain of each page


def test_decisions_of_a_period_with_a_review_are_listed(journal: Journal):
    entries = [entry(decided_at=NOW + timedelta(hours=hours)) for hours in range(4)]
    journal.write(entries)
    for written in entries[1:]:
        journal.add_review(written.id, review())

    ids = journal.reviewed_between(NOW, NOW + timedelta(hours=2))

    assert ids == {written.id for written in entries[1:3]}


def test_an_altered_decision_of_a_period_is_not_returned(journal: Journal):
    journal.write([entry(decided_at=NOW + timedelta(seconds=second)) for second in range(3)])
    without_triggers(journal)
    execute(journal, "UPDATE decisions SET threshold = 0.5 WHERE decided_at = (SELECT max(decided_at) FROM decisions)")
    decisions = journal.decided_between(NOW, NOW + timedelta(hours=1), page_size=2)

    assert [next(decisions).decided_at for _ in range(2)] == [NOW, NOW + timedelta(seconds=1)]
    with pytest.raises(AlteredError, match="is not as it was written"):
        next(decisions)


def test_an_unknown_decision_is_not_found(plain: Journal):
    assert plain.find("nothing") is None
    assert plain.reviews("nothing") == []
    assert plain.ids() == []


def test_the_limit_of_drawn_ids_is_respected(plain: Journal):
    entries = [entry() for _ in range(5)]
    plain.write(entries)
    drawn = plain.ids(3)
    assert len(drawn) == len(set(drawn)) == 3
    assert set(plain.ids(100)) == {written.id for written in entries}


def test_an_entry_that_is_written_again_is_stored_once(journal: Journal):
    one, other = entry(), entry(client=CLIENT + 1)
    assert journal.write([one, other, one]) == [None, None, None]
    assert journal.write([other]) == [None]
    assert sorted(journal.ids()) == sorted([one.id, other.id])


def test_an_idempotency_key_keeps_its_first_decision(journal: Journal):
    first, second, third = (entry(idempotency_hash="i" * 64, answer=f"{n}".encode()) for n in range(3))
    assert journal.write([first, second]) == [None, journal.find(first.id)]
    assert journal.write([third, first]) == [journal.find(first.id), None]
    assert journal.ids() == [first.id]


def test_reviews_are_kept_with_their_decision_oldest_first(journal: Journal):
    decided, other = entry(), entry()
    journal.write([decided, other])
    late = review(reviewed_at=NOW + timedelta(days=2), verdict="overturned", outcome="refused", reason="forged, sorry")
    for written in (late, review()):
        assert journal.add_review(decided.id, written)
    assert journal.reviews(decided.id) == [review(), late]
    assert journal.reviews(other.id) == []


def test_an_unknown_decision_cannot_be_reviewed(plain: Journal):
    assert not plain.add_review("nothing", review())
    assert rows(plain, "reviews") == []


# History: it cannot be rewritten with direct access to the database either


@pytest.fixture
def history(plain: Journal) -> Journal:
    """A decision, another one that is purged, and a review of each."""
    for days in (10, 0):
        decided = entry(decided_at=NOW - timedelta(days=days), idempotency_hash=f"days {days}")
        plain.write([decided])
        plain.add_review(decided.id, review())
    assert purge(plain, NOW, NOW)[0] == 1
    return plain


def _assert_refused(journal: Journal, statement: str) -> None:
    before = rows(journal), rows(journal, "reviews")
    with pytest.raises(sa.exc.DBAPIError, match="history is appended, never rewritten"):
        execute(journal, statement)
    assert before == (rows(journal), rows(journal, "reviews"))


@pytest.mark.promise("the database refuses to change a decision")
def test_no_column_of_a_decision_can_be_changed(history: Journal):
    blob = "'\\x00'" if history.engine.dialect.name == "postgresql" else "x'00'"
    others = {
        "decided_at": "'2020-01-01 00:00:00'",
        "purged_at": "'2020-01-01 00:00:00'",
        "threshold": "0.5",
        "probability": "0.5",
        "credit_file": blob,
        "answer": blob,
    }
    for column in rows(history)[0]:
        other = others.get(column, "'x'")
        changed = f"UPDATE decisions SET {column} = {other}"  # noqa: S608
        _assert_refused(history, f"{changed} WHERE purged_at IS NULL")
        _assert_refused(history, f"{changed} WHERE purged_at IS NOT NULL")


def test_a_decision_is_emptied_wholly_and_marked_or_not_at_all(history: Journal):
    _assert_refused(history, "UPDATE decisions SET credit_file = NULL WHERE purged_at IS NULL")
    _assert_refused(
        history, "UPDATE decisions SET client = NULL, probability = NULL, credit_file = NULL, answer = NULL"
    )
    _assert_refused(history, "UPDATE decisions SET purged_at = NULL WHERE purged_at IS NOT NULL")


def test_no_column_of_a_review_can_be_changed(history: Journal):
    for column in ("id", "decision_id", "key_id", "verdict", "outcome"):
        _assert_refused(history, f"UPDATE reviews SET {column} = 'x'")  # noqa: S608
    _assert_refused(history, "UPDATE reviews SET reviewed_at = '2020-01-01 00:00:00'")
    _assert_refused(history, "UPDATE reviews SET content = (SELECT answer FROM decisions WHERE purged_at IS NULL)")


@pytest.mark.promise("the database refuses to delete decisions and reviews")
def test_nothing_can_be_deleted(history: Journal):
    for table in ("decisions", "reviews"):
        _assert_refused(history, f"DELETE FROM {table}")  # noqa: S608
        if history.engine.dialect.name == "postgresql":
            _assert_refused(history, f"TRUNCATE {table} CASCADE")


def _replace(journal: Journal, table: str, **values: str) -> None:
    columns = ["rowid", *rows(journal, table)[0]]
    selected = ", ".join(values.get(column, column) for column in columns)
    execute(journal, f"REPLACE INTO {table} ({', '.join(columns)}) SELECT {selected} FROM {table}")  # noqa: S608


def test_nothing_can_be_replaced(history: Journal):
    if history.engine.dialect.name == "postgresql":
        for table in ("decisions", "reviews"):
            again = f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET key_id = 'x'"  # noqa: S608
            _assert_refused(history, again)
        return
    before = rows(history), rows(history, "reviews")
    for table in ("decisions", "reviews"):
        _replace(history, table, rowid="NULL", key_id="'x'")
    for values in ({"idempotency_hash": "NULL"}, {"rowid": "NULL"}):
        _replace(history, "decisions", id="'x' || id", **values)
    _replace(history, "reviews", id="'x' || id")
    assert before == (rows(history), rows(history, "reviews"))


# Encryption


def _raw(journal: Journal) -> bytes:
    """Every byte that the journal stores on a decision and its review."""
    stored = [*rows(journal), *rows(journal, "reviews"), *rows(journal, "client_keys")]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in stored for value in row.values()
    )


def _written(journal: Journal) -> list[bytes]:
    """A decision and a review in the journal; what of it concerns the person, as it would be stored unencrypted."""
    decided = entry()
    journal.write([decided])
    journal.add_review(decided.id, review())
    content = json.dumps({"reason": review().reason, "reviewer": review().reviewer}).encode()
    return [str(CLIENT).encode(), *(zlib.compress(text, 1) for text in (decided.credit_file, decided.answer, content))]


@pytest.mark.promise("with a master key the journal holds no personal data in clear")
def test_an_encrypted_journal_holds_no_personal_data_in_clear(encrypted: Journal):
    canaries = _written(encrypted)
    stored = _raw(encrypted)
    assert not [canary for canary in canaries if canary in stored]


def test_a_plain_journal_holds_personal_data_in_clear(plain: Journal):
    canaries = _written(plain)
    stored = _raw(plain)
    assert not [canary for canary in canaries if canary not in stored]


def test_each_client_has_one_key(encrypted: Journal):
    encrypted.write([entry(), entry(), entry(client=CLIENT + 1)])
    encrypted.write([entry()])
    assert len(rows(encrypted, "client_keys")) == 2
    assert len({row["data_key"] for row in rows(encrypted)}) == 2


def test_entries_from_before_the_master_key_are_still_found(journal_url: str):
    before, after = entry(), entry()
    with opened(journal_url, VAULTS["plain"]) as journal:
        journal.write([before])
    with opened(journal_url, VAULTS["encrypted"]) as journal:
        journal.check()
        journal.write([after])
        for written in (before, after):
            stored = journal.find(written.id)
            assert stored is not None
            assert stored.credit_file == written.credit_file


def test_another_master_key_is_refused(encrypted: Journal):
    written = entry()
    encrypted.write([written])
    other = Journal(encrypted.engine.url.render_as_string(hide_password=False), Vault(bytes(32)))
    for use in (other.check, lambda: other.find(written.id)):
        with pytest.raises(VaultError, match="another master key"):
            use()
    other.close()


def test_without_its_master_key_an_encrypted_journal_is_refused(encrypted: Journal):
    written = entry()
    encrypted.write([written])
    other = Journal(encrypted.engine.url.render_as_string(hide_password=False), VAULTS["plain"])
    with pytest.raises(JournalError, match="holds encrypted entries; name its master key in SCORING_MASTER_KEY_FILE"):
        other.check()
    with pytest.raises(VaultError, match="name its master key"):
        other.find(written.id)
    other.close()


ALTERED = {
    "another decision's": "UPDATE decisions SET credit_file = (SELECT credit_file FROM decisions d WHERE d.id <> {id})",
    "another column": "UPDATE decisions SET credit_file = answer",
    "another key": "UPDATE decisions SET data_key = (SELECT client FROM client_keys k WHERE k.client <> data_key)",
}


@pytest.mark.parametrize("statement", ALTERED.values(), ids=ALTERED)
@pytest.mark.promise("an encrypted entry that was altered is refused")
def test_an_entry_altered_without_the_triggers_is_refused(encrypted: Journal, statement: str):
    written = entry()
    encrypted.write([written, entry(client=CLIENT + 1)])
    triggers = {"sqlite": "decisions_no_update", "postgresql": "decisions_append_only_row ON decisions"}
    execute(encrypted, f"DROP TRIGGER {triggers[encrypted.engine.dialect.name]}")
    execute(encrypted, f"{statement} WHERE id = {{id}}".format(id=f"'{written.id}'"))
    with pytest.raises(VaultError, match="an entry was altered"):
        encrypted.find(written.id)


def test_new_decisions_are_written_without_a_look_at_others(journal: Journal):
    journal.write([entry()])
    statements: list[str] = []
    sa.event.listen(journal.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    journal.write([entry(idempotency_hash="i" * 64), entry()])
    journal.write([entry(idempotency_hash="j" * 64)])

    assert len(journal.ids()) == 4
    assert not [statement for statement in statements[:-1] if "FROM decisions" in statement]
