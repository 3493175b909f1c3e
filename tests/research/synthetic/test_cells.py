"""Statistics within cells: few rows borrow from all, and draws have the statistics that were made."""

import numpy as np
import pytest

from research.synthetic.cells import (
    LEVELS,
    MIN_ROWS,
    band_of,
    draw_positions,
    draw_quantiles,
    quantiles_by_cell,
    raked,
    rank_in_cell,
    shares_by_cell,
)


def test_bands_begin_at_their_edges():
    assert band_of(np.array([-1.0, 0.0, 9.9, 10.0, 99.0]), (0.0, 10.0, 20.0)).tolist() == [0, 0, 0, 1, 2]


def test_a_cell_of_few_rows_has_the_quantiles_of_all_rows():
    values = np.concatenate([np.zeros(500), np.full(MIN_ROWS - 1, 100.0)])
    cell = np.concatenate([np.zeros(500), np.ones(MIN_ROWS - 1)]).astype(np.int64)

    many, few = quantiles_by_cell(values, cell, 2)

    assert set(many) == {0.0}
    assert few == quantiles_by_cell(values, np.zeros(len(values), dtype=np.int64), 1)[0]


def test_no_extreme_of_a_cell_is_kept():
    values = np.append(np.linspace(0.0, 1.0, 1000), 1e9)
    assert max(quantiles_by_cell(values, np.zeros(1001, dtype=np.int64), 1)[0]) < 1.0


def test_rare_values_of_a_cell_have_the_shares_of_all_rows():
    position = np.array([0] * 900 + [1] * 90 + [2] * 10 + [0] * 90 + [2] * 10)
    cell = np.array([0] * 1000 + [1] * 100)

    shares = shares_by_cell(position, cell, 2, 3)

    assert shares[1] == pytest.approx([0.9, 0.1 * 90 / 110, 0.1 * 20 / 110], abs=1e-4)
    assert [sum(row) for row in shares] == pytest.approx([1.0, 1.0], abs=1e-4)


def test_raked_shares_have_the_overall_shares():
    cells = raked([[0.8, 0.2], [0.2, 0.8]], np.array([30, 70]), np.array([0.6, 0.4]))
    assert np.array([0.3, 0.7]) @ np.array(cells) == pytest.approx([0.6, 0.4], abs=1e-4)
    assert cells[0][0] > cells[1][0]


def test_draws_have_the_quantiles_and_shares_of_their_cells():
    rank = np.linspace(0.0005, 0.9995, 1000)
    cell = np.ones(1000, dtype=np.int64)
    quantiles = [LEVELS.tolist(), (10 * LEVELS).tolist()]

    drawn = draw_quantiles(quantiles, cell, rank)

    assert drawn == pytest.approx(10 * rank)
    assert rank_in_cell(quantiles, cell, drawn) == pytest.approx(rank, abs=0.03)
    assert np.bincount(draw_positions([[1.0, 0.0], [0.25, 0.75]], cell, rank)).tolist() == [250, 750]
