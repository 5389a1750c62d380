"""The nearest point of each home by the time on the way, and which one it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
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


def travel(
    network: Network, homes: Attached, points: Attached, *, limit_s: float, is_cut: bool = False
) -> pd.DataFrame:
    """Measure the way from each home to the point that it reaches first, and say who is inside the limit.

    Parameters
    ----------
    network
        The paths.
    homes, points
        Places attached to it. Ways go from the home to the point: uphill is not downhill.
    limit_s
        Seconds that still count as reached; above 0.
    is_cut
        Whether the search ends at the limit: faster, but nothing is known of the ways of those beyond it.

    Returns
    -------
    DataFrame
        On the homes' labels: `seconds` and `walk_m` of the whole way with its pieces off the path (NaN: no way, or not
        searched), `point` (label, else null), `status`: `reached`, `beyond` (farther than the limit), `unreachable` (no
        path leads to any point), `unmatched` (too far from the paths, or across water). The four add up to all homes.

    Raises
    ------
    ValueError
        If the limit is not above 0.

    Notes
    -----
    One more point lengthens no way; a longer limit reaches no fewer. Rule: docs/kpi.md, "15-minute service circle".
    """
    if not limit_s > 0:
        raise ValueError(f"`limit_s` must be above 0, got {limit_s}.")
    times = times_to_points(network, points, limit_s=limit_s if is_cut else np.inf)
    ways = _ways(network, homes, points, times)
    found = np.isfinite(ways.seconds) & (ways.seconds <= limit_s + SLACK_S if is_cut else True)
    labels = np.full(len(homes), None, dtype=object)
    labels[found] = points.labels.to_numpy(dtype=object)[ways.point[found]]
    served = np.zeros(network.n_components + 1, dtype=bool)
    served[network.edge_component[points.edge[points.is_matched]]] = True
    leads = homes.is_matched & served[_component(network, homes)]
    reached = found & (ways.seconds <= limit_s + SLACK_S)
    status = np.select([~homes.is_matched, reached, leads], ["unmatched", "reached", "beyond"], default="unreachable")
    return pd.DataFrame(
        {
            "seconds": np.where(found, ways.seconds, np.nan),
            "walk_m": np.where(found, _metres(network, homes, points, times, ways), np.nan),
            "point": labels,
            "status": status,
        },
        index=homes.labels,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ways:
    """The best way of each home: seconds, point, and the node it first goes to (-1: straight along its edge)."""

    seconds: Floats
    point: Ints
    node: Ints


def _component(network: Network, homes: Attached) -> Ints:
    """Return the component of each home, one more than there are for the unmatched."""
    component = np.full(len(homes), network.n_components, dtype=np.intp)
    component[homes.is_matched] = network.edge_component[homes.edge[homes.is_matched]]
    return component


def _ways(network: Network, homes: Attached, points: Attached, times: NodeTimes) -> _Ways:
    seconds = np.full(len(homes), np.inf)
    point = np.full(len(homes), -1, dtype=np.intp)
    first_node = np.full(len(homes), -1, dtype=np.intp)
    on = np.flatnonzero(homes.is_matched)
    if not len(on):
        return _Ways(seconds=seconds, point=point, node=first_node)
    start, end = network.start[homes.edge[on]], network.end[homes.edge[on]]
    by_start = homes.to_start_s[on] + times.seconds[start]
    by_end = homes.to_end_s[on] + times.seconds[end]
    node = np.where(by_end < by_start, end, start)
    seconds[on] = np.minimum(by_start, by_end)
    first_node[on], point[on] = node, times.point_of(node)
    # On one edge the straight way may be shorter than any way over a node.
    home, goal, direct_s = direct_ways(network, homes, points)
    order = np.lexsort((direct_s, home))
    home, goal, direct_s = home[order], goal[order], direct_s[order]
    is_first = np.append(True, home[1:] != home[:-1])[: len(home)]
    home, goal, direct_s = home[is_first], goal[is_first], direct_s[is_first]
    better = direct_s < seconds[home]
    seconds[home[better]] = direct_s[better]
    point[home[better]], first_node[home[better]] = goal[better], -1
    return _Ways(seconds=seconds, point=point, node=first_node)


def direct_ways(network: Network, homes: Attached, points: Attached) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of home and point on the same edge, and the seconds straight along it."""
    live = np.flatnonzero(points.is_matched)
    live = live[np.argsort(points.edge[live], kind="stable")]
    edges = points.edge[live]
    low, high = np.searchsorted(edges, homes.edge, "left"), np.searchsorted(edges, homes.edge, "right")
    n_pairs = high - low
    home = np.repeat(np.arange(len(homes)), n_pairs)
    goal = live[np.arange(n_pairs.sum()) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs) + np.repeat(low, n_pairs)]
    edge = homes.edge[home]
    forward, backward = network.seconds_at(edge, homes.along_m[home])
    goal_forward, goal_backward = network.seconds_at(edge, points.along_m[goal])
    on_way = np.where(homes.along_m[home] <= points.along_m[goal], goal_forward - forward, backward - goal_backward)
    return home, goal, homes.offset_s[home] + np.maximum(on_way, 0.0) + points.offset_s[goal]


def _metres(network: Network, homes: Attached, points: Attached, times: NodeTimes, ways: _Ways) -> Floats:
    """Return the metres of the ways found, along the chains of nodes that the search left."""
    found = np.flatnonzero(np.isfinite(ways.seconds))
    metres = np.zeros(len(homes))
    home_at, goal = homes.along_m[found], points.along_m[ways.point[found]]
    metres[found] = homes.offset_m[found] + points.offset_m[ways.point[found]]
    straight = ways.node[found] < 0
    metres[found[straight]] += np.abs(home_at - goal)[straight]
    over, node = found[~straight], ways.node[found[~straight]]
    edge = homes.edge[over]
    to_start_m, length = homes.along_m[over], network.length_m[edge]
    by_start = (node == network.start[edge]) & (
        (network.start[edge] != network.end[edge]) | (homes.to_start_s[over] <= homes.to_end_s[over])
    )
    metres[over] += np.where(by_start, to_start_m, length - to_start_m)
    metres[over] += _metres_from_nodes(network, points, times)[node]
    return metres


def _metres_from_nodes(network: Network, points: Attached, times: NodeTimes) -> Floats:
    """Return the metres from each node to the place of its nearest point on the paths."""
    n = network.n_nodes
    reached = np.flatnonzero(times.source >= 0)
    last = reached[times.next_node[reached] >= n]
    point = times.point_of(last)
    edge, along = points.edge[point], points.along_m[point]
    from_start, from_end = network.start[edge] == last, network.end[edge] == last
    by_start = from_start & (~from_end | (points.from_start_s[point] <= points.from_end_s[point]))
    rest_m, metres, after = np.zeros(n), np.zeros(n), np.arange(n)
    rest_m[last] = np.where(by_start, along, network.length_m[edge] - along)
    between = reached[times.next_node[reached] < n]
    after[between] = times.next_node[between]
    graph = network.arriving
    key = np.repeat(np.arange(n), np.diff(graph.indptr)) * n + graph.indices
    metres[between] = network.arriving_m[np.searchsorted(key, after[between] * n + between)]
    # Each round doubles the length of the chains that are summed up.
    while (after[after] != after).any():
        metres += metres[after]
        after = after[after]
    return metres + rest_m[after]
