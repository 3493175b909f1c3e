"""Lists of decisions: which are listed, in which order, page by page; on SQLite and PostgreSQL."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bento.journal.entries import Entry
from bento.journal.listing import ListedState, Place, Selection
from bento.journal.purge import purge
from bento.journal.reviewing import Record
from bento.journal.store import Journal
from bento.journal.vault import VaultError
from tests.support.journals import CLIENT, NOW, VAULTS, contest, entry, execute, opened, review, without_triggers

HOUR = timedelta(hours=1)


def _ids(journal: Journal, selection: Selection, size: int = 100) -> list[str]:
    """The ids of a whole list, read in pages of a size."""
    ids: list[str] = []
    place = None
    while page := journal.listed(selection, place, size):
        ids += [listed.place.id for listed in page]
        place = page[-1].place
    return ids


def _decided(journal: Journal, hours: int = 0, **changes: object) -> str:
    journal.write([written := entry(decided_at=NOW + hours * HOUR, **changes)])
    return written.id


def test_decisions_are_listed_newest_first_with_their_contests(journal: Journal):
    first, second = _decided(journal), _decided(journal, 1, client=CLIENT + 1)
    journal.add_contest(first, contest())

    listed = journal.listed(Selection(), None, 10)

    assert [entry.place for entry in listed] == [Place(NOW + HOUR, second), Place(NOW, first)]
    assert [entry.record for entry in listed] == [Record(), Record(contests=(contest(),))]
    assert [entry.decision for entry in listed] == [journal.find(second), journal.find(first)]


def test_a_state_lists_what_a_person_has_to_look_at(journal: Journal):
    hours = iter(range(99))
    settled, waiting, contested, decided, answered, objected = (
        _decided(journal, next(hours), decision=decision)
        for decision in ("granted", "review", "refused", "review", "refused", "review")
    )
    journal.add_contest(contested, contest())
    journal.add_review(decided, review())
    journal.add_contest(answered, contest(contested_at=NOW + HOUR))
    journal.add_review(answered, review(verdict="overturned"))
    journal.add_contest(objected, contest())

    listed = {state: _ids(journal, Selection(state=state)) for state in ("waiting", "contested", "reviewed", "all")}

    assert listed == {
        "waiting": [waiting],
        "contested": [objected, contested],
        "reviewed": [answered, decided],
        "all": [objected, answered, decided, contested, waiting, settled],
    }
    purge(journal, NOW + 99 * HOUR, NOW + 99 * HOUR)
    assert [_ids(journal, Selection(state=state)) for state in ("waiting", "contested", "reviewed")] == [[], [], []]
    assert len(_ids(journal, Selection())) == 6


def test_the_outcome_is_that_of_the_latest_review(journal: Journal):
    granted, refused, left = (_decided(journal, n, decision=d) for n, d in enumerate(("granted", "refused", "review")))
    journal.add_review(granted, review(verdict="overturned", outcome="refused"))
    journal.add_review(refused, review(verdict="overturned", outcome="granted"))
    journal.add_review(refused, review(verdict="overturned", outcome="refused", reviewed_at=NOW + 99 * HOUR))

    assert _ids(journal, Selection(outcome="refused")) == [refused, granted]
    assert _ids(journal, Selection(outcome="granted")) == []
    assert _ids(journal, Selection(outcome="review")) == [left]
    journal.add_review(left, review(verdict="overturned", outcome="granted"))
    assert _ids(journal, Selection(outcome="review")) == []


def test_a_client_and_a_period_are_selected(journal: Journal):
    mine = [_decided(journal, hours) for hours in range(4)]
    _decided(journal, 1, client=CLIENT + 1)

    assert _ids(journal, Selection(client=CLIENT)) == mine[::-1]
    period = Selection(client=CLIENT, since=NOW + HOUR, until=NOW + 3 * HOUR)
    assert _ids(journal, period) == [mine[2], mine[1]]
    assert _ids(journal, Selection(client=CLIENT + 2)) == []


def test_a_page_goes_on_where_the_one_before_ended(journal: Journal):
    ids = [_decided(journal, hours) for hours in range(5)]
    first = journal.listed(Selection(), None, 2)
    _decided(journal, 9)  # newer than all
    second = journal.listed(Selection(), first[-1].place, 2)
    assert [entry.place.id for entry in [*first, *second]] == [ids[4], ids[3], ids[2], ids[1]]


def test_an_entry_that_cannot_be_used_does_not_hide_the_others(journal: Journal):
    one, other, reviewed = (_decided(journal, hours) for hours in range(3))
    journal.add_review(reviewed, review())
    without_triggers(journal)
    execute(
        journal,
        f"UPDATE decisions SET threshold = 0.5 WHERE id = '{other}'",  # noqa: S608
        "UPDATE reviews SET outcome = 'refused'",
    )

    listed = {entry.place.id: entry for entry in journal.listed(Selection(), None, 10)}

    assert isinstance(listed[other].decision, VaultError)
    assert isinstance(listed[reviewed].record, VaultError)
    assert listed[one].decision == journal.find(one)


def _model(entries: Sequence[Entry], selection: Selection) -> list[str]:
    """The list as a reader of the words makes it."""
    chosen = [
        written
        for written in entries
        if selection.outcome in (None, written.decision)
        and selection.client in (None, written.client)
        and (selection.since is None or written.decided_at >= selection.since)
        and (selection.until is None or written.decided_at < selection.until)
        and (selection.state == "all" or (selection.state == "waiting" and written.decision == "review"))
    ]
    return [w.id for w in sorted(chosen, key=lambda w: (w.decided_at, w.id), reverse=True)]


_moments = st.integers(0, 4).map(lambda hours: NOW + hours * HOUR)
_drawn = st.lists(
    st.tuples(_moments, st.sampled_from(["granted", "review", "refused"]), st.integers(1, 3)), max_size=12
)
_selections = st.builds(
    Selection,
    state=st.sampled_from(["waiting", "contested", "reviewed", "all"]),
    outcome=st.sampled_from([None, "granted", "review", "refused"]),
    client=st.sampled_from([None, 1, 2]),
    since=st.none() | _moments,
    until=st.none() | _moments,
)


@given(drawn=_drawn, selection=_selections, size=st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.promise("pages of a list hold each decision once, in one order")
def test_the_pages_of_any_list_hold_each_decision_once(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[datetime, str, int]],
    selection: Selection,
    size: int,
):
    url = f"sqlite:///{tmp_path_factory.mktemp('list')}/journal.db"
    with opened(url, VAULTS["encrypted"]) as journal:
        entries = [
            entry(id=str(uuid.UUID(int=n)), decided_at=moment, decision=decision, client=client)
            for n, (moment, decision, client) in enumerate(drawn)
        ]
        if entries:
            journal.write(entries)
        assert _ids(journal, selection, size) == _model(entries, selection)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_decisions_of_a_period_come_whole_in_any_portions(journal: Journal, size: int):
    ids = [_decided(journal, hours, client=CLIENT + hours) for hours in range(3)]
    period = journal.decided_between(NOW, NOW + 3 * HOUR, size)
    assert [decision.id for decision in period] == ids


@pytest.mark.parametrize("state", ["waiting", "all"])
def test_a_first_page_is_read_from_an_index(journal: Journal, state: ListedState):
    """A plan that sorts all decisions takes seconds at a million of them."""
    plans = _plans(journal, Selection(state=state))
    index = "decisions_for_review" if state == "waiting" else "decisions_decided_at"
    assert any(index in line for line in plans), plans


def _plans(journal: Journal, selection: Selection) -> list[str]:
    from bento.journal import listing

    texts: list[str] = []
    with journal.reader() as connection:
        if connection.dialect.name == "postgresql":  # few rows: else it reads the table
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET enable_sort = off")
            connection.exec_driver_sql("SET enable_bitmapscan = off")
        explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        query = listing.page(selection, None, None, 50)
        text = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        for row in connection.exec_driver_sql(explain + text):
            texts.append(" ".join(map(str, row)))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("RESET ALL")
    return texts
