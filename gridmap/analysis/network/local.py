"""Many limited searches, one for each point: each in its own surroundings, all in one run."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gridmap.analysis.network.attach import Attached
from gridmap.analysis.network.network import Floats, Ints, Network
from gridmap.analysis.network.travel import SLACK_S

# Copies of nodes searched at once, and cells of the table that finds them: a few ten MB each.
_COPIES, _CELLS = 400_000, 20_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Searches:
    """What each of several points reaches: one entry a point and node, sorted by point and node.

    Parameters
    ----------
    point
        Position of the point.
    node
        A node from which the point is reached within the limit.
    seconds
        From the node to the point.
    """

    point: Ints
    node: Ints
    seconds: Floats
    _owner: Ints
    _copy_of: npt.NDArray[np.int32]
    _copy_seconds: Floats
    _n_nodes: int

    def seconds_at(self, entry: Ints, node: Ints) -> Floats:
        """Return the seconds from nodes to the points of some entries, infinite where not reached."""
        copy = self._copy_of[self._owner[entry] * self._n_nodes + node] - 1
        return np.where(copy >= 0, self._copy_seconds[copy], np.inf)


def search_each(network: Network, points: Attached, *, limit_s: float) -> Iterator[Searches]:
    """Search from each point against the direction of walking; the points come in portions, in their order.

    Nothing farther in a straight line than the fastest walker gets is looked at, so the size of the network does not
    matter. A portion answers until the next one is asked for: they share a table, which is kept for the next search.

    Parameters
    ----------
    network
        The paths.
    points
        Where the ways end; unmatched ones are passed over.
    limit_s
        Seconds; finite.
    """
    live = np.flatnonzero(points.is_matched)
    if not len(live):
        return
    xy = network.xy_at(points.edge[live], points.along_m[live])
    left_s = np.maximum(limit_s - points.offset_s[live], 0.0)
    radius_m = left_s * network.fastest_m_s * (1 + 1e-9) + SLACK_S
    n_near = network.node_tree.query_ball_point(xy, radius_m, return_length=True)
    portion = np.maximum(np.cumsum(n_near) // _COPIES, np.arange(len(live)) * network.n_nodes // _CELLS)
    n_cells = int(np.bincount(portion).max()) * network.n_nodes
    table = _borrowed(network.tables, n_cells)
    for which in np.split(np.arange(len(live)), np.flatnonzero(np.diff(portion)) + 1):
        near = network.node_tree.query_ball_point(xy[which], radius_m[which], return_sorted=True)
        size = np.array([len(one) for one in near])
        node = np.concatenate([np.asarray(one, dtype=np.int64) for one in near])
        cell = np.repeat(np.arange(len(which)), size) * network.n_nodes + node
        table[cell] = np.arange(1, len(node) + 1)
        yield _search_copies(network, points, live[which], _Copies(node=node, size=size, table=table), limit_s=limit_s)
        table[cell] = 0
    network.tables.append(table)


def _borrowed(tables: list[npt.NDArray[np.int32]], n_cells: int) -> npt.NDArray[np.int32]:
    """Return a table of zeros, one of those that lie there if it is large enough."""
    try:
        table = tables.pop()  # in one step: other threads borrow too
    except IndexError:
        return np.zeros(n_cells, dtype=np.int32)
    return table if len(table) >= n_cells else np.zeros(n_cells, dtype=np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Copies:
    """The nodes around each point, one after the other, and the table that finds them by point and node (0: none)."""

    node: Ints
    size: Ints
    table: npt.NDArray[np.int32]


def _search_copies(network: Network, points: Attached, live: Ints, copies: _Copies, *, limit_s: float) -> Searches:
    """Search a graph that holds, for each point, a copy of the nodes around it."""
    node, copy_of = copies.node, copies.table
    n_copies, owner = len(node), np.repeat(np.arange(len(live)), copies.size)
    graph = network.arriving
    degree = np.diff(graph.indptr)[node]
    row = np.repeat(np.arange(n_copies), degree)
    entry = np.arange(len(row)) - np.repeat(np.cumsum(degree) - degree - graph.indptr[node], degree)
    column = copy_of[owner[row] * network.n_nodes + graph.indices[entry]] - 1
    inside = column >= 0
    row, column, cost = row[inside], column[inside], graph.data[entry[inside]]
    edge = points.edge[live]
    goal = np.arange(len(live))
    ends = np.column_stack([network.start[edge], network.end[edge]])
    goal_column = copy_of[goal[:, None] * network.n_nodes + ends] - 1
    goal_cost = np.column_stack([points.from_start_s[live], points.from_end_s[live]])
    near = goal_column >= 0
    starts = np.concatenate(
        [[0], np.cumsum(np.bincount(row, minlength=n_copies)), len(row) + np.cumsum(near.sum(axis=1))]
    )
    total = n_copies + len(live)
    arrays = (
        np.concatenate([cost, goal_cost[near]]),
        np.concatenate([column, goal_column[near]]).astype(np.int32),
        starts.astype(np.int32),
    )
    seconds = dijkstra(
        csr_array(arrays, shape=(total, total)),
        indices=np.arange(n_copies, total),
        limit=limit_s + SLACK_S,
        min_only=True,
    )[:n_copies]
    reached = np.flatnonzero(np.isfinite(seconds))
    return Searches(
        point=live[owner[reached]],
        node=node[reached],
        seconds=seconds[reached],
        _owner=owner[reached],
        _copy_of=copy_of,
        _copy_seconds=seconds,
        _n_nodes=network.n_nodes,
    )
