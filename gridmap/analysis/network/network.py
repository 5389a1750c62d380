"""A path network as arrays: junctions, edges with their vertices, and what walking them costs in both directions."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from scipy.sparse import csr_array

from gridmap.analysis.network.blocks import BLOCK, NodeBlocks
from gridmap.analysis.network.room import SearchRoom

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Junctions (nodes) joined by edges; an edge runs from its start to its end along its vertices.

    Parameters
    ----------
    crs
        Coordinate system in metres.
    node_xy
        East and north of each node, shape (n_nodes, 2).
    node_component
        Which nodes hang together; component 0 has the longest paths.
    start, end
        The nodes of each edge; a loop has one node twice.
    path
        Label of the row of the frame that the edge comes from.
    is_bridge
        Whether the edge is of a bridge.
    first_vertex
        Edge `e` has the vertices `first_vertex[e]` to `first_vertex[e + 1] - 1`; shape (n_edges + 1,).
    vertex_xy
        East and north of each vertex, shape (n_vertices, 2).
    vertex_m
        Metres along the edge from its start to the vertex.
    vertex_forward_s, vertex_backward_s
        Seconds from the edge's start to the vertex, and from the vertex back to the start.
    """

    crs: pyproj.CRS
    node_xy: Floats
    node_component: Ints
    start: Ints
    end: Ints
    path: pd.Index
    is_bridge: Flags
    first_vertex: Ints
    vertex_xy: Floats
    vertex_m: Floats
    vertex_forward_s: Floats
    vertex_backward_s: Floats

    @property
    def n_nodes(self) -> int:
        """Number of junctions and ends."""
        return len(self.node_xy)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.start)

    @property
    def n_components(self) -> int:
        """Number of parts that do not hang together."""
        return int(self.node_component.max(initial=-1)) + 1

    @cached_property
    def length_m(self) -> Floats:
        """Metres of each edge."""
        return self.vertex_m[self.first_vertex[1:] - 1]

    @cached_property
    def forward_s(self) -> Floats:
        """Seconds of each edge from start to end."""
        return self.vertex_forward_s[self.first_vertex[1:] - 1]

    @cached_property
    def backward_s(self) -> Floats:
        """Seconds of each edge from end to start."""
        return self.vertex_backward_s[self.first_vertex[1:] - 1]

    @cached_property
    def edge_component(self) -> Ints:
        """The component of each edge."""
        return self.node_component[self.start]

    @cached_property
    def lines(self) -> Shapes:
        """The edges as lines, from start to end."""
        edge_of_vertex = np.repeat(np.arange(self.n_edges), np.diff(self.first_vertex))
        lines: Shapes = shapely.linestrings(self.vertex_xy, indices=edge_of_vertex)
        return lines

    @cached_property
    def segment_vertex(self) -> Ints:
        """The first vertex of each straight segment of all edges."""
        is_last = np.zeros(len(self.vertex_m), dtype=bool)
        is_last[self.first_vertex[1:] - 1] = True
        return np.flatnonzero(~is_last)

    @cached_property
    def segment_edge(self) -> Ints:
        """The edge of each straight segment."""
        edge: Ints = np.searchsorted(self.first_vertex, self.segment_vertex, side="right") - 1
        return edge

    @cached_property
    def segment_tree(self) -> shapely.STRtree:
        """The straight segments, to find what is near."""
        at = self.segment_vertex
        ends = np.stack([self.vertex_xy[at], self.vertex_xy[at + 1]], axis=1)
        return shapely.STRtree(shapely.linestrings(ends))

    @cached_property
    def blocks(self) -> NodeBlocks:
        """The nodes, to find those around a place."""
        return NodeBlocks(self.node_xy)

    @cached_property
    def block_starts(self) -> Ints:
        """Where the entries of each node begin in `arriving`, as if all blocks of nodes were full; the last is the end."""
        n_more = self.blocks.n_blocks * BLOCK - self.n_nodes
        return np.pad(self.arriving.indptr.astype(np.intp), (0, n_more), mode="edge")

    @cached_property
    def fastest_m_s(self) -> float:
        """No place of the network is walked faster than this, metres a second."""
        at = self.segment_vertex
        run_m = self.vertex_m[at + 1] - self.vertex_m[at]
        least_s = np.minimum(
            self.vertex_forward_s[at + 1] - self.vertex_forward_s[at],
            self.vertex_backward_s[at + 1] - self.vertex_backward_s[at],
        )
        return float((run_m / least_s).max(initial=0.0))

    @property
    def arriving(self) -> csr_array:
        """Seconds from column to row over one edge, the fastest of several: a search from a goal follows the rows.

        Loops are left out: no way between nodes uses one.
        """
        return self._arriving[0]

    @property
    def arriving_m(self) -> Floats:
        """Metres of the edges behind the entries of `arriving`, in their order."""
        return self._arriving[1]

    @cached_property
    def _arriving(self) -> tuple[csr_array, Floats]:
        rows = np.concatenate([self.end, self.start])
        columns = np.concatenate([self.start, self.end])
        seconds = np.concatenate([self.forward_s, self.backward_s])
        order = np.lexsort((seconds, columns, rows))
        rows, columns, seconds = rows[order], columns[order], seconds[order]
        kept = rows != columns
        kept[1:] &= (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        rows, columns, seconds = rows[kept], columns[kept], seconds[kept]
        starts = np.searchsorted(rows, np.arange(self.n_nodes + 1)).astype(np.int32)
        shape = (self.n_nodes, self.n_nodes)
        metres: Floats = np.tile(self.length_m, 2)[order][kept]
        return csr_array((seconds, columns.astype(np.int32), starts), shape=shape), metres

    @cached_property
    def room(self) -> SearchRoom:
        """`arriving` with room for the goals of a search."""
        return SearchRoom(self.arriving)

    @cached_property
    def starting(self) -> tuple[Ints, Ints]:
        """The edges that start at each node: `first`, and the edges, of which `[first[n]:first[n + 1]]` are node n's."""
        return self._edges_by(self.start)

    @cached_property
    def ending(self) -> tuple[Ints, Ints]:
        """The edges that end at each node, as in `starting`."""
        return self._edges_by(self.end)

    def _edges_by(self, node: Ints) -> tuple[Ints, Ints]:
        order = np.argsort(node, kind="stable")
        return np.searchsorted(node[order], np.arange(self.n_nodes + 1)), order

    @cached_property
    def by_length(self) -> "Network":
        """The same network walked at one metre a second everywhere: its seconds are metres."""
        measured = replace(self, vertex_forward_s=self.vertex_m, vertex_backward_s=self.vertex_m)
        for name in ("length_m", "lines", "segment_vertex", "segment_edge", "segment_tree", "blocks"):
            measured.__dict__[name] = getattr(self, name)
        return measured

    def seconds_at(self, edge: Ints, along_m: Floats) -> tuple[Floats, Floats]:
        """Return the seconds from each edge's start to a place on it, and from the place back to the start."""
        at, share = self._segment(self._vertex_m_in_a_row, self.vertex_m, edge, along_m)
        forward, backward = self.vertex_forward_s, self.vertex_backward_s
        return (
            forward[at] + share * (forward[at + 1] - forward[at]),
            backward[at] + share * (backward[at + 1] - backward[at]),
        )

    def place_after(self, edge: Ints, seconds: Floats, *, is_forward: bool) -> Floats:
        """Return the metres along each edge at which so many seconds from (or, backward, to) its start are spent.

        Below 0 is the start, above the edge's seconds its end.
        """
        table = self.vertex_forward_s if is_forward else self.vertex_backward_s
        in_a_row = self._forward_s_in_a_row if is_forward else self._backward_s_in_a_row
        at, share = self._segment(in_a_row, table, edge, seconds)
        along_m: Floats = self.vertex_m[at] + share * (self.vertex_m[at + 1] - self.vertex_m[at])
        return along_m

    def xy_at(self, edge: Ints, along_m: Floats) -> Floats:
        """Return east and north of places on edges, shape (n, 2)."""
        at, share = self._segment(self._vertex_m_in_a_row, self.vertex_m, edge, along_m)
        xy: Floats = self.vertex_xy[at] + share[:, None] * (self.vertex_xy[at + 1] - self.vertex_xy[at])
        return xy

    @cached_property
    def _vertex_m_in_a_row(self) -> Floats:
        return self._in_a_row(self.vertex_m, self.length_m)

    @cached_property
    def _forward_s_in_a_row(self) -> Floats:
        return self._in_a_row(self.vertex_forward_s, self.forward_s)

    @cached_property
    def _backward_s_in_a_row(self) -> Floats:
        return self._in_a_row(self.vertex_backward_s, self.backward_s)

    def _in_a_row(self, table: Floats, totals: Floats) -> Floats:
        """Lay the edges behind each other, so that one sorted table is searched for all."""
        before = np.concatenate([[0.0], np.cumsum(totals)[:-1]]) if len(totals) else totals
        in_a_row: Floats = table + np.repeat(before, np.diff(self.first_vertex))
        return in_a_row

    def _segment(self, in_a_row: Floats, table: Floats, edge: Ints, value: Floats) -> tuple[Ints, Floats]:
        """Return the vertex before each value on its edge, and the share of the segment behind it."""
        low, high = self.first_vertex[edge], self.first_vertex[edge + 1] - 2
        at = low.copy()
        bent = np.flatnonzero(high > low)
        found = np.searchsorted(in_a_row, in_a_row[low[bent]] + value[bent], side="right") - 1
        at[bent] = np.clip(found, low[bent], high[bent])
        step = table[at + 1] - table[at]
        return at, np.clip((value - table[at]) / step, 0.0, 1.0)
