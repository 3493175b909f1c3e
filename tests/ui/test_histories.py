import pytest

from ui import form, histories
from ui.client import Column

COLUMNS = {
    "SK_ID_BUREAU": Column("integer", 1.0, None, (), required=False),
    "CREDIT_ACTIVE": Column("category", None, None, ("Active", "Closed"), required=False),
    "AMT_CREDIT_SUM": Column("number", 0.0, None, (), required=False),
}
ROWS = [
    {"SK_ID_BUREAU": 5_000_001, "CREDIT_ACTIVE": "Active", "AMT_CREDIT_SUM": 90_000.5, "unlisted": 1},
    {"SK_ID_BUREAU": 5_000_002, "CREDIT_ACTIVE": "Closed"},
]


def edited(state):
    start = histories.texts("fr", ROWS, COLUMNS, list(COLUMNS))
    return histories.rows_entered("fr", ROWS, histories.edited_cells(start, state), COLUMNS)


def test_a_table_left_alone_is_no_change():
    rows, wrong = edited({})

    assert (rows, wrong) == (ROWS, [])
    assert histories.changed_tables({"bureau": ROWS}, {"bureau": rows}) == {}


def test_cells_are_shown_as_the_language_writes_them():
    first, second = histories.texts("fr", ROWS, COLUMNS, list(COLUMNS))

    assert first == {"SK_ID_BUREAU": "5000001", "CREDIT_ACTIVE": "Active", "AMT_CREDIT_SUM": "90\u202f000,50"}
    assert second["AMT_CREDIT_SUM"] is None


def test_rows_can_be_changed_added_and_deleted():
    state = {
        "edited_rows": {"0": {"AMT_CREDIT_SUM": "1 200,5"}},
        "added_rows": [{"CREDIT_ACTIVE": "Active", "AMT_CREDIT_SUM": "7"}, {}],
        "deleted_rows": [1],
    }

    rows, wrong = edited(state)

    assert wrong == []
    assert rows == [ROWS[0] | {"AMT_CREDIT_SUM": 1200.5}, {"CREDIT_ACTIVE": "Active", "AMT_CREDIT_SUM": 7.0}]


def test_an_emptied_cell_is_left_out():
    rows, _ = edited({"edited_rows": {"0": {"CREDIT_ACTIVE": None}}})

    assert "CREDIT_ACTIVE" not in rows[0]
    assert rows[0]["unlisted"] == 1


@pytest.mark.parametrize(("text", "fault"), [("beaucoup", "not_a_number"), ("-1", "too_small")])
def test_a_wrong_cell_is_named_by_row_and_column(text, fault):
    rows, (cell,) = edited({"edited_rows": {1: {"AMT_CREDIT_SUM": text}}})

    assert (cell.row, cell.column) == (2, "AMT_CREDIT_SUM")
    assert (cell.wrong.text, cell.wrong.fault) == (text, fault)
    assert isinstance(cell.wrong, form.Wrong)
    assert rows == ROWS
