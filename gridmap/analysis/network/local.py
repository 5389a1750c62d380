"""Many limited searches, one for each point: each in its own surroundings, all in one run."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gridmap.analysis.network.attach import Attached
from gridmap.analysis.network.blocks import BLOCK
from gridmap.analysis.network.network import Floats, Ints, Network
from gridmap.analysis.network.travel import SLACK_S

# Copies of nodes searched at once, and cells of the table that finds them: a few ten MB each.
_COPIES, _CELLS = 400_000, 5_000_000
# More than any number of a copy, and far enough below the end of its type for a node to be added.
_NOWHERE = 2**30


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
    _copies: "_Copies"
    _copy_seconds: Floats

    def seconds_at(self, entry: Ints, node: Ints) -> Floats:
        """Return the seconds from nodes to the points of some entries, infinite where not reached."""
        seconds: Floats = self._copy_seconds[self._copies.of(self._owner[entry], node)]
        return seconds


def search_each(network: Network, points: Attached, *, limit_s: float) -> Iterator[Searches]:
    """Search from each point against the direction of walking; the points come in portions, in their order.

    Nothing farther in a straight line than the fastest walker gets is looked at, so the size of the network does not
    matter.

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
    owner, block = network.blocks.around(xy, radius_m)
    n_near = np.bincount(owner, minlength=len(live)) * BLOCK
    portion = np.maximum(np.cumsum(n_near) // _COPIES, np.arange(len(live)) * network.blocks.n_blocks // _CELLS)
    firsts = np.flatnonzero(np.diff(portion, prepend=-1))
    for first, last in zip(firsts, np.append(firsts[1:], len(live)), strict=True):
        held = slice(*np.searchsorted(owner, [first, last]))
        copies = _Copies.of_blocks(
            owner[held] - first, block[held], n_owners=last - first, n_blocks=network.blocks.n_blocks
        )
        yield _search_copies(network, points, live[first:last], copies, limit_s=limit_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Copies:
    """Copies of the blocks of nodes around each point, one block after the other, sorted by point.

    Parameters
    ----------
    owner, block
        Which point and block each copied block is of.
    shift
        From a node to its copy, by point and block; too much where there is none.
    n_blocks
        Blocks of the network.
    """

    owner: Ints
    block: Ints
    shift: npt.NDArray[np.int32]
    n_blocks: int

    @classmethod
    def of_blocks(cls, owner: Ints, block: Ints, *, n_owners: int, n_blocks: int) -> "_Copies":
        shift = np.full(n_owners * n_blocks, _NOWHERE, dtype=np.int32)
        shift[owner * n_blocks + block] = (np.arange(len(block)) - block) * BLOCK
        return cls(owner=owner, block=block, shift=shift, n_blocks=n_blocks)

    def __len__(self) -> int:
        return len(self.block) * BLOCK

    def of(self, owner: Ints, node: Ints) -> Ints:
        """Return the copies of nodes that belong to points; the number of copies: there is none."""
        copy: Ints = np.minimum(self.shift[owner * self.n_blocks + node // BLOCK] + node, len(self))
        return copy


def _search_copies(network: Network, points: Attached, live: Ints, copies: _Copies, *, limit_s: float) -> Searches:
    """Search a graph that holds, for each point, a copy of the nodes around it; behind them a dead end and the points.

    Ways out of the surroundings lead to the dead end: nobody gets there in time.
    """
    graph, n_copies = network.arriving, len(copies)
    # Nodes of a block, and their entries, lie in a row.
    starts = network.block_starts
    first = starts[copies.block * BLOCK]
    n_entries = starts[(copies.block + 1) * BLOCK] - first
    shift = np.cumsum(n_entries) - n_entries - first
    entry = np.arange(n_entries.sum()) - np.repeat(shift, n_entries)
    column = copies.of(np.repeat(copies.owner, n_entries), graph.indices[entry])
    node = ((copies.block * BLOCK)[:, None] + np.arange(BLOCK)).ravel()
    edge, n_live = points.edge[live], len(live)
    ends = np.column_stack([network.start[edge], network.end[edge]])
    goal_cost = np.column_stack([points.from_start_s[live], points.from_end_s[live]])
    goal_column = copies.of(np.arange(n_live)[:, None], ends)
    total = n_copies + 1 + n_live
    arrays = (
        np.concatenate([graph.data[entry], goal_cost.ravel()]),
        np.concatenate([column, goal_column.ravel()]).astype(np.int32),
        np.concatenate([starts[node] + np.repeat(shift, BLOCK), [len(entry)], len(entry) + 2 * np.arange(n_live + 1)]),
    )
    seconds = dijkstra(
        csr_array(arrays, shape=(total, total)),
        indices=np.arange(n_copies + 1, total),
        limit=limit_s + SLACK_S,
        min_only=True,
    )[: n_copies + 1]
    seconds[n_copies] = np.inf
    reached = np.flatnonzero(np.isfinite(seconds))
    owner = copies.owner[reached // BLOCK]
    return Searches(
        point=live[owner],
        node=node[reached],
        seconds=seconds[reached],
        _owner=owner,
        _copies=copies,
        _copy_seconds=seconds,
    )
