"""The nearest point of each home by the time on the way, and which one it is."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import dijkstra

from gridmap.analysis.network.attach import Attached
from gridmap.analysis.network.network import Floats, Ints, Network

# Seconds that count as the limit itself: a sum of edges comes out a hair above what it is on paper.
SLACK_S = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeTimes:
    """The way from each node to the nearest point.

    Parameters
    ----------
    seconds
        Infinite where no point is reached within the limit.
    next_node
        The node after this one on the way; from the number of nodes on: the point itself; negative: there is no way.
    source
        The point as a number behind the nodes; negative: none.
    live
        Positions of the points that were searched from.
    """

    seconds: Floats
    next_node: Ints
    source: Ints
    live: Ints

    def point_of(self, nodes: Ints) -> Ints:
        """Return the positions of the nearest points of some nodes, -1: none."""
        source = self.source[nodes]
        found = source >= 0
        return np.where(found, self.live[np.where(found, source - len(self.seconds), 0)], -1)


def times_to_points(network: Network, points: Attached, *, limit_s: float = np.inf) -> NodeTimes:
    """Search from all points at once, against the direction of walking, up to a limit.

    Parameters
    ----------
    network
        The paths.
    points
        Where the ways end; unmatched ones are passed over.
    limit_s
        Seconds; nodes farther than this stay infinite.
    """
    n, live = network.n_nodes, np.flatnonzero(points.edge >= 0)
    if not len(live) or not n:
        nowhere = np.full(n, -1, dtype=np.intp)
        return NodeTimes(seconds=np.full(n, np.inf), next_node=nowhere, source=nowhere, live=np.zeros(1, dtype=np.intp))
    edge = points.edge[live]
    ends = np.column_stack([network.start[edge], network.end[edge]])
    ways = np.column_stack([points.from_start_s[live], points.from_end_s[live]])
    with network.room.with_goals(ends, ways) as graph:
        seconds, before, source = dijkstra(
            graph,
            indices=np.arange(n, n + len(live)),
            limit=limit_s + SLACK_S,
            min_only=True,
            return_predecessors=True,
        )
    return NodeTimes(seconds=seconds[:n], next_node=before[:n], source=source[:n], live=live)
