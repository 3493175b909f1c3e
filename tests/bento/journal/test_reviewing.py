"""What clients state against decisions: appended, encrypted, chained and emptied; on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bento.journal.entries import JournalUnavailableError, ReviewConflictError
from bento.journal.purge import purge
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.journal.vault import AlteredError, VaultError
from bento.journal.verify import Verified, faults
from tests.support.journals import CLIENT, NOW, another, contest, entry, execute, review, rows, without_triggers

DAY = timedelta(days=1)


def _contested(journal: Journal, **changes: object) -> str:
    journal.write([decided := entry(**changes)])
    assert journal.add_contest(decided.id, contest())
    return decided.id


def test_a_contest_is_read_as_it_was_written(journal: Journal):
    decision_id = _contested(journal)
    later = contest(contested_at=NOW + 3 * DAY, statement="\u00e9t\u00e9 \u2028 \U0001f4c4", recorder="B. Officer")
    assert journal.add_contest(decision_id, later)

    assert journal.record(decision_id).contests == (contest(), later)
    assert journal.reviews(decision_id) == []


def test_a_decision_is_contested_until_a_review_comes_after(journal: Journal):
    decision_id = _contested(journal)
    journal.add_review(decision_id, review(reviewed_at=NOW + DAY))
    assert journal.record(decision_id).unanswered == (contest(),)
    journal.add_review(decision_id, review(reviewed_at=NOW + 3 * DAY))
    assert not journal.record(decision_id).is_contested
    journal.add_contest(decision_id, again := contest(contested_at=NOW + 4 * DAY))
    assert journal.record(decision_id).unanswered == (again,)


def test_nothing_is_written_about_an_unknown_or_purged_decision(journal: Journal):
    assert not journal.add_contest("nothing", contest())
    journal.write([decided := entry()])
    purge(journal, NOW + DAY, NOW)
    assert not journal.add_contest(decided.id, contest())
    assert rows(journal, "contests") == []


@pytest.mark.parametrize("earlier", [(0, 0), (1, 1), (0, 2)])
def test_who_did_not_read_all_reviews_and_contests_writes_nothing(journal: Journal, earlier: tuple[int, int]):
    decision_id = _contested(journal)
    with pytest.raises(ReviewConflictError):
        journal.add_review(decision_id, review(), earlier)
    with pytest.raises(ReviewConflictError):
        journal.add_contest(decision_id, contest(), earlier)
    assert journal.add_review(decision_id, review(), (0, 1))
    assert len(rows(journal, "reviews")) == len(rows(journal, "contests")) == 1


@pytest.mark.promise("a purge empties the client's statement with the decision")
def test_a_purge_empties_the_statement_of_the_client(journal: Journal):
    old, young = _contested(journal), _contested(journal, decided_at=NOW + 2 * DAY, client=CLIENT + 1)
    purge(journal, NOW + DAY, NOW + 9 * DAY)
    assert journal.record(old).contests == (contest(statement=None, recorder=None),)
    assert journal.record(young).contests == (contest(),)
    assert list(faults(journal, Verified())) == []


def test_an_encrypted_contest_holds_no_word_of_the_client(encrypted: Journal):
    decision_id = _contested(encrypted)
    (row,) = rows(encrypted, "contests")
    assert b"income" not in bytes(row["content"])
    execute(encrypted, "DELETE FROM client_keys")
    with pytest.raises(VaultError):
        encrypted.record(decision_id)


@pytest.mark.parametrize("change", ["contested_at = '2020-01-01 00:00:00'", "key_id = 'other'", "content = NULL"])
@pytest.mark.promise("an altered contest is refused, and named by the chain")
def test_an_altered_contest_is_refused_and_named(journal: Journal, change: str):
    decision_id = _contested(journal)
    (row,) = rows(journal, "contests")
    without_triggers(journal)
    execute(journal, f"UPDATE contests SET {change}")  # noqa: S608
    with pytest.raises(AlteredError, match="contest"):
        journal.record(decision_id)
    assert list(faults(journal, Verified())) == [f"contest {row['id']} was altered"]


def test_deleted_and_forged_contests_are_named(journal: Journal):
    _contested(journal)
    (row,) = rows(journal, "contests")
    without_triggers(journal)
    execute(
        journal,
        "INSERT INTO contests SELECT 'forged', decision_id, contested_at, key_id, content FROM contests",
        f"DELETE FROM contests WHERE id = '{row['id']}'",  # noqa: S608
    )
    named = sorted(faults(journal, Verified()))
    assert named[0].startswith(f"contest {row['id']} was deleted")
    assert named[1].startswith("contest forged is not in the chain")


def test_a_link_of_no_kind_is_a_fault_and_stops_nothing(journal: Journal):
    _contested(journal)
    without_triggers(journal)
    execute(journal, "UPDATE chain SET kind = 'other' WHERE kind = 'contest'")
    named = sorted(faults(journal, Verified()))
    assert any("is forged or was altered" in fault for fault in named)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contests SET key_id = 'other'",
        "UPDATE contests SET content = decision_id",
        "DELETE FROM contests",
    ],
)
def test_no_contest_is_rewritten_or_deleted(journal: Journal, statement: str):
    _contested(journal)
    with pytest.raises((JournalUnavailableError, sa.exc.DBAPIError)):
        execute(journal, statement)


def test_a_contest_without_the_chain_is_taken_into_it(journal: Journal):
    decision_id = _contested(journal)
    without_triggers(journal)
    execute(journal, "DELETE FROM chain WHERE kind = 'contest'")
    with another(journal) as other:
        assert seal(other) == 1
    journal.record(decision_id)
