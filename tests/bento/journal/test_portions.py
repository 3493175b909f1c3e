"""Commands read and write a journal in portions: no statement reads all decisions, and nothing is locked in vain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bento.journal.purge import purge
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.journal.verify import Verified, faults
from tests.support.filled_journal import DECISIONS_FOR_A_REVIEW, fill
from tests.support.journals import NOW, VAULTS, another, entry, execute, locked, opened, without_triggers

DECISIONS, SIZE = 200, 10
DAY = timedelta(days=1)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Journal]:
    """A journal in SQLite whose decisions are all sound, and in the chain."""
    url = f"sqlite:///{tmp_path}/journal.db"
    fill(url, VAULTS["encrypted"], DECISIONS, NOW)
    journal = Journal(url, VAULTS["encrypted"])
    yield journal
    journal.close()


@contextmanager
def _most_rows_read(journal: Journal) -> Iterator[Callable[[], int]]:
    """Count, for each statement, the steps of SQLite's machine; return the most of any."""
    steps = [0]

    def begin(connection: sa.Connection, *_: Any) -> None:
        steps.append(0)
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: steps.__setitem__(-1, steps[-1] + 1), 10)

    sa.event.listen(journal.engine, "before_cursor_execute", begin)
    yield lambda: max(steps)
    sa.event.remove(journal.engine, "before_cursor_execute", begin)


def _verify(journal: Journal) -> None:
    assert list(faults(journal, Verified(), size=SIZE)) == []


COMMANDS: dict[str, Callable[[Journal], object]] = {
    "verify": _verify,
    "seal": lambda journal: seal(journal, SIZE),
    "purge": lambda journal: purge(journal, NOW + DAY, NOW + DAY, SIZE),
    "replay": lambda journal: list(journal.portions(SIZE)),
    "draw": lambda journal: journal.ids(3),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_longest_statement_does_not_grow_with_the_journal(tmp_path: Path, command: str):
    most = []
    for decisions in (DECISIONS, 4 * DECISIONS):
        url = f"sqlite:///{tmp_path}/{decisions}.db"
        fill(url, VAULTS["encrypted"], decisions, NOW)
        journal = Journal(url, VAULTS["encrypted"])
        with _most_rows_read(journal) as most_rows_read:
            COMMANDS[command](journal)
            most.append(most_rows_read())
        journal.close()

    assert most[1] <= 1.5 * most[0]


@pytest.mark.promise("journal seal and verify take no lock of the service where nothing is to be written")
def test_seal_and_verify_take_no_lock_where_nothing_is_to_be_written(journal: Journal):
    journal.write([entry() for _ in range(3)])

    with another(journal) as other, locked(other):
        assert seal(journal) == 0
        assert list(faults(journal, Verified())) == []


def test_a_second_purge_empties_and_destroys_nothing_more(filled: Journal):
    assert purge(filled, NOW + DAY, NOW + DAY, SIZE)[0] == DECISIONS
    assert purge(filled, NOW + DAY, NOW + DAY, SIZE) == (0, 0)
    assert filled.ids(3) == []
    _verify(filled)


def test_each_decision_is_drawn_sooner_or_later(filled: Journal):
    drawn: set[str] = set()
    for _ in range(200):
        ids = filled.ids(20)
        assert len(set(ids)) == 20
        drawn |= set(ids)

    assert drawn == set(filled.ids())


@pytest.mark.parametrize("vault", VAULTS)
def test_a_filled_journal_is_as_the_service_writes_it(tmp_path: Path, vault: str):
    url = f"sqlite:///{tmp_path}/journal.db"
    fill(url, VAULTS[vault], DECISIONS, NOW)

    with opened(url, VAULTS[vault]) as journal:
        verified = Verified()
        assert list(faults(journal, verified)) == []
        assert verified.entries == DECISIONS + DECISIONS // DECISIONS_FOR_A_REVIEW
        stored = [journal.find(decision_id) for decision_id in journal.ids()]
        assert all(decision is not None and decision.credit_file for decision in stored)
        assert len(list(journal.decided_between(datetime(2000, 1, 1, tzinfo=UTC), NOW + DAY))) == DECISIONS
        assert sum(len(journal.reviews(decision_id)) for decision_id in journal.ids()) == DECISIONS // 50
        without_triggers(journal)  # they are there
        execute(journal, "UPDATE decisions SET threshold = 0.5 WHERE id = (SELECT min(id) FROM decisions)")
        assert len(list(faults(journal, Verified()))) == 1
