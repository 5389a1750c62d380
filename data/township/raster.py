"""Cost graphs over the raster: land that grows from seeds, cheapest ways."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from township.place import CELL_M, N_COLS, N_ROWS, BoolArray, FloatArray, IntArray

QUEEN = ((0, 1), (1, 0), (1, 1), (1, -1))
KNIGHT = (*QUEEN, (1, 2), (2, 1), (1, -2), (2, -1))


def cell_ids() -> IntArray:
    """Give the number of every cell, row by row from the south."""
    return np.arange(N_ROWS * N_COLS).reshape(N_ROWS, N_COLS)


def steps(moves: tuple[tuple[int, int], ...]) -> tuple[IntArray, IntArray, FloatArray]:
    """From-cell, to-cell and length in metres of every step between cells that `moves` allows (one way)."""
    ids = cell_ids()
    starts, ends, lengths = [], [], []
    for d_row, d_col in moves:
        low, high = max(0, -d_col), N_COLS - max(0, d_col)
        start = ids[: N_ROWS - d_row, low:high]
        end = ids[d_row:, low + d_col : high + d_col]
        starts.append(start.ravel())
        ends.append(end.ravel())
        lengths.append(np.full(start.size, np.hypot(d_row, d_col) * CELL_M))
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(lengths)


@dataclass(frozen=True)
class CostGraph:
    """Steps between cells with their costs, as a symmetric sparse matrix."""

    matrix: sparse.csr_array

    @classmethod
    def build(
        cls,
        cost: FloatArray,
        *,
        moves: tuple[tuple[int, int], ...] = QUEEN,
        open_cells: BoolArray | None = None,
        same: IntArray | None = None,
        links: list[tuple[int, int, float]] | None = None,
    ) -> "CostGraph":
        """Graph in which a step costs its length times the mean cost of its cells.

        `open_cells` closes the other cells, `same` forbids steps between cells of different value, `links` adds steps.
        """
        start, end, length = steps(moves)
        keep = np.ones(len(start), dtype=bool)
        if open_cells is not None:
            keep &= open_cells.ravel()[start] & open_cells.ravel()[end]
        if same is not None:
            keep &= same.ravel()[start] == same.ravel()[end]
        start, end, length = start[keep], end[keep], length[keep]
        weight = length * (cost.ravel()[start] + cost.ravel()[end]) / 2
        for a, b, extra in links or []:
            start, end, weight = np.append(start, a), np.append(end, b), np.append(weight, extra)
        n = N_ROWS * N_COLS
        one_way = sparse.csr_array((np.round(weight, 3), (start, end)), shape=(n, n))
        return cls(sparse.csr_array(one_way + one_way.T))

    def reach(self, sources: IntArray, *, limit: float = np.inf) -> tuple[FloatArray, IntArray, IntArray]:
        """Cost from the nearest source, the cell before, and that source, for every cell."""
        cost, before, source = csgraph.dijkstra(
            self.matrix, directed=True, indices=sources, min_only=True, return_predecessors=True, limit=limit
        )
        return cost, before, source


def walk_back(before: IntArray, cell: int) -> list[int]:
    """Cells from `cell` back to its source."""
    way = [cell]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return way


def one_piece_each(labels: IntArray) -> IntArray:
    """Labels with every scattered bit given to the neighbour that surrounds it: each label is one 4-connected piece."""
    result = labels.copy()
    loose = np.zeros(labels.shape, dtype=bool)
    for label in np.unique(labels):
        pieces, n_pieces = ndimage.label(labels == label)
        if n_pieces > 1:
            sizes = ndimage.sum_labels(np.ones(labels.shape), pieces, np.arange(1, n_pieces + 1))
            loose |= (labels == label) & (pieces != 1 + int(np.argmax(sizes)))
    while loose.any():
        for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
            ready = loose & ~np.roll(loose, shift, axis)
            result[ready] = np.roll(result, shift, axis)[ready]
            loose &= ~ready
    return result
