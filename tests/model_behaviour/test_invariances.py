"""What must not change a decision of the trained model."""

import copy
import random
from collections.abc import Callable, Sequence

import pytest

from bento.data.tables import HISTORIES
from bento.scoring.score import ScoredApplication
from tests.model_behaviour.conftest import Json, Score

IDS = ("SK_ID_CURR", "SK_ID_BUREAU", "SK_ID_PREV")
OFFSET = 7_000_000
"""Far from the ids of the clients, so that none is given twice."""
CREDIT_AND_TIME = {
    "bureau": ("SK_ID_BUREAU", "DAYS_CREDIT"),
    "previous_application": ("SK_ID_PREV", "DAYS_DECISION", "HOUR_APPR_PROCESS_START"),
    "installments_payments": ("SK_ID_PREV", "DAYS_INSTALMENT"),
}
"""By history the credit of a row and the columns that order the rows of a client."""


def _shuffled(file: Json) -> Json:
    order = random.Random(3)  # noqa: S311
    return file | {name: order.sample(file[name], len(file[name])) for name in HISTORIES if name in file}


def _renumbered(file: Json) -> Json:
    """Give every id another number; those that were equal stay equal, and their order stays."""
    return _with_ids(file, lambda number: OFFSET + 3 * number)


def _numbered_backwards(file: Json) -> Json:
    """Give every id another number; those that were equal stay equal, their order is reversed."""
    return _with_ids(file, lambda number: OFFSET + 10_000_000 - number)


def _with_ids(file: Json, number: Callable[[int], int]) -> Json:
    changed = copy.deepcopy(file)
    for row in [changed["application"], *(row for name in HISTORIES for row in changed.get(name, ()))]:
        row |= {name: number(row[name]) for name in IDS if name in row}
    return changed


def _without_ties(file: Json) -> Json:
    """Leave out rows of the time of another credit: of these the ids say which is the latest (docs/features.md)."""
    changed = dict(file)
    for table, (credit, *time) in CREDIT_AND_TIME.items():
        first: dict[tuple[object, ...], object] = {}
        changed[table] = [
            row
            for row in file.get(table, ())
            if first.setdefault(tuple(row.get(name) for name in time), row[credit]) == row[credit]
        ]
    return changed


def _with(**columns: object) -> Callable[[Json], Json]:
    return lambda file: file | {"application": file["application"] | columns}


CHANGES: dict[str, Callable[[Json], Json]] = {
    "the order of history rows": _shuffled,
    "the numbers of client and credits": _renumbered,
    "an unknown column": _with(SHOE_SIZE=43),
    "gender F": _with(CODE_GENDER="F"),
    "gender M": _with(CODE_GENDER="M"),
    "gender unknown": _with(CODE_GENDER=None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_decision_does_not_depend_on(scored: Score, files: list[Json], change: str):
    _assert_same(scored(files), scored([CHANGES[change](file) for file in files]))


def test_the_order_of_numbers_decides_between_rows_of_one_time_alone(scored: Score, files: list[Json]):
    untied = [_without_ties(file) for file in files]
    assert untied != files
    assert all(any(len(file[table]) > 1 for file in untied) for table in CREDIT_AND_TIME)

    _assert_same(scored(untied), scored([_numbered_backwards(file) for file in untied]))


def _assert_same(one: Sequence[ScoredApplication], other: Sequence[ScoredApplication]) -> None:
    for before, after in zip(one, other, strict=True):
        assert after.probability == pytest.approx(before.probability, rel=1e-9)
        assert after.decision == before.decision
        assert [reason.text for reason in after.reasons or ()] == [reason.text for reason in before.reasons or ()]


def test_the_decision_does_depend_on_the_loan(scored: Score, files: list[Json]):
    smaller = [_with(AMT_CREDIT=file["application"]["AMT_CREDIT"] / 3)(file) for file in files]
    assert any(
        before.probability != after.probability for before, after in zip(scored(files), scored(smaller), strict=True)
    )


def test_an_empty_history_counts_as_none(scored: Score, files: list[Json]):
    (without,) = scored([{"application": files[-1]["application"]}])
    (empty,) = scored([{"application": files[-1]["application"]} | {name: [] for name in HISTORIES}])
    assert empty.probability == without.probability
