"""Reach on a path network of 100,000 junctions: ways, areas and polygons beside what others make of the same network.

    .venv/bin/python bench/reach.py [--side 317] [--points 100] [--recipes 5] [--repeats 15] [--json]

The network is a jittered grid of streets, 317 × 317 junctions about 100 m apart, built by `build_network` from drawn lines.
The points lie at random on edges; they are attached beforehand, as the peers get nodes. 15 minutes at 4.5 km/h. All sides run
turn by turn, and the best of the repeats counts for everyone: the machine is never quite alone.

- *Union*: nearest point of every node. Peers: `scipy.sparse.csgraph.dijkstra(indices, limit=, min_only=True)` on the same
  matrix (it answers less: points at nodes, nothing on edges), networkx `multi_source_dijkstra_path_length(cutoff=)`.
- *Areas*: the pieces of path that reach each point. Peer: osmnx's isochrone recipe (`nx.ego_graph`, then points and lines of
  the subgraph), which leaves out edges that are reached in part; timed on some of the points. Where osmnx is installed, also
  the same subgraph through `osmnx.graph_to_gdfs`.
- *Polygons* of these areas, 25 m beside the paths. Peer: each piece buffered (the same ones), then the union. The symmetric
  difference is measured on every area.
- *A point moved*: which homes are won and lost, of 3,000; against searching all points anew.
- *Patrols*: 3,000 homes, 400 days, 30,000 fixes on a township's network (1,600 edges), once.

networkx and osmnx run where they are installed; the recipe needs nothing of osmnx but networkx.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import dijkstra

from gridmap.analysis.network.areas import reached_pieces
from gridmap.analysis.network.attach import Attached, attach
from gridmap.analysis.network.build import build_network
from gridmap.analysis.network.matrix import reach_matrix, what_if
from gridmap.analysis.network.network import Network
from gridmap.analysis.network.polygons import polygons_around
from gridmap.analysis.network.travel import times_to_points, travel
from gridmap.analysis.patrolled import patrolled

METRIC, SPEED_M_S, LIMIT_S, STEP_M, BUFFER_M = "EPSG:4547", 1.25, 900.0, 100.0, 25.0
NEAR = {"limit_m": 200.0, "off_path_m_s": SPEED_M_S}


def streets(side: int, *, seed: int = 1) -> gpd.GeoDataFrame:
    """A grid of streets, every junction moved by up to a quarter of a block."""
    chance = np.random.default_rng(seed)
    xy = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) * STEP_M
    xy += chance.uniform(-STEP_M / 4, STEP_M / 4, xy.shape)
    across = np.stack([xy[:, :-1], xy[:, 1:]], axis=2).reshape(-1, 2, 2)
    along = np.stack([xy[:-1], xy[1:]], axis=2).reshape(-1, 2, 2)
    return gpd.GeoDataFrame(geometry=shapely.linestrings(np.concatenate([across, along])), crs=METRIC)


def places(network: Network, n: int, *, seed: int, spread_m: float = 15.0) -> gpd.GeoDataFrame:
    """Points beside the paths."""
    chance = np.random.default_rng(seed)
    edge = chance.integers(0, network.n_edges, n)
    xy = network.xy_at(edge, chance.uniform(0, 1, n) * network.length_m[edge])
    xy += chance.normal(0, spread_m, xy.shape)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=METRIC)


def by_turns(repeats: int, **sides: Callable[[], object]) -> dict[str, float]:
    """The least seconds of each side, run one after the other again and again."""
    spans: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, work in sides.items():
            began = time.perf_counter()
            work()
            spans[name].append(time.perf_counter() - began)
    return {name: min(times) for name, times in spans.items()}


def as_networkx(network: Network) -> object:
    import networkx as nx

    graph = nx.MultiDiGraph(crs=METRIC)
    graph.add_nodes_from((at, {"x": x, "y": y}) for at, (x, y) in enumerate(network.node_xy.tolist()))
    ends = zip(network.start.tolist(), network.end.tolist(), strict=True)
    for (start, end), there, back in zip(ends, network.forward_s.tolist(), network.backward_s.tolist(), strict=True):
        graph.add_edge(start, end, time=there)
        graph.add_edge(end, start, time=back)
    return graph


def recipe(graph: object, centre: int) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries]:
    """osmnx's examples, notebook 13 (isochrones): the subgraph of a centre, its points and lines."""
    import networkx as nx

    subgraph = nx.ego_graph(graph, centre, radius=LIMIT_S, distance="time")
    points = [shapely.Point((data["x"], data["y"])) for _, data in subgraph.nodes(data=True)]
    nodes = gpd.GeoDataFrame({"id": list(subgraph.nodes)}, geometry=points).set_index("id")
    lines = []
    for start, end in subgraph.edges():
        straight = shapely.LineString([nodes.loc[start].geometry, nodes.loc[end].geometry])
        lines.append(graph.get_edge_data(start, end)[0].get("geometry", straight))
    return nodes, gpd.GeoSeries(lines)


def frames(graph: object, centre: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The same with osmnx's own frames in place of its example's loop."""
    import networkx as nx
    import osmnx as ox

    return ox.graph_to_gdfs(nx.ego_graph(graph, centre, radius=LIMIT_S, distance="time"))


def buffered(pieces: gpd.GeoDataFrame) -> list[shapely.Geometry]:
    """Each piece buffered, then the union: the usual way to a polygon."""
    by_point = pieces.groupby("point", sort=False).geometry
    return [shapely.union_all(shapely.buffer(lines.to_numpy(), BUFFER_M)) for _, lines in by_point]


def unions(network: Network, at: Attached, repeats: int, graph: object | None) -> dict[str, float]:
    nodes = network.start[at.edge]

    def scipy_alone() -> object:
        return dijkstra(network.arriving, indices=nodes, limit=LIMIT_S, min_only=True, return_predecessors=True)

    spans = by_turns(
        4 * repeats,
        gridmap=lambda: times_to_points(network, at, limit_s=LIMIT_S),
        scipy=scipy_alone,
        scipy_distances_only=lambda: dijkstra(network.arriving, indices=nodes, limit=LIMIT_S, min_only=True),
    )
    if graph is not None:
        import networkx as nx

        centres = set(nodes.tolist())
        spans |= by_turns(
            max(3, repeats // 3),
            networkx=lambda: nx.multi_source_dijkstra_path_length(graph, centres, cutoff=LIMIT_S, weight="time"),
        )
    return spans


def areas(network: Network, at: Attached, repeats: int, graph: object | None, n_recipes: int) -> dict[str, float]:
    ours = by_turns(repeats, gridmap=lambda: reached_pieces(network, at, limit_s=LIMIT_S, is_each=True))
    if graph is None:
        return ours
    centres = network.start[at.edge[:n_recipes]].tolist()
    makers = {"recipe": recipe} | ({"osmnx_frames": frames} if importlib.util.find_spec("osmnx") else {})
    each = {
        name: [by_turns(2, one=lambda make=make, at=centre: make(graph, at))["one"] for centre in centres]
        for name, make in makers.items()
    }
    # Ours again, so that both have seen the same machine.
    again = by_turns(repeats, gridmap=lambda: reached_pieces(network, at, limit_s=LIMIT_S, is_each=True))
    peers = {name: float(np.mean(spans)) * len(at) for name, spans in each.items()}
    return {"gridmap": min(ours["gridmap"], again["gridmap"]), **peers}


def polygons(network: Network, at: Attached, repeats: int) -> dict[str, float]:
    pieces = reached_pieces(network, at, limit_s=LIMIT_S, is_each=True)
    spans = by_turns(
        max(2, repeats // 5),
        gridmap=lambda: polygons_around(pieces, buffer_m=BUFFER_M),
        buffers=lambda: buffered(pieces),
    )
    ours, exact = polygons_around(pieces, buffer_m=BUFFER_M).to_numpy(), np.array(buffered(pieces))
    off = shapely.area(shapely.symmetric_difference(ours, exact)) / shapely.area(exact)
    return spans | {"difference_mean": float(off.mean()), "difference_most": float(off.max())}


def moves(network: Network, at: Attached, repeats: int) -> dict[str, float]:
    """One of the points goes elsewhere: the question of a click on the map, attaching included."""
    homes = attach(network, places(network, 3_000, seed=5), **NEAR)
    reach = reach_matrix(network, homes, at, limit_s=LIMIT_S)
    goals = places(network, 1, seed=6)

    def click() -> object:
        new = attach(network, goals, **NEAR)
        return what_if(network, homes, reach, added=new, removed=np.array([3]), limit_s=LIMIT_S)

    anew = at.take(np.setdiff1d(np.arange(len(at)), [3]))
    return by_turns(4 * repeats, gridmap=click, anew=lambda: travel(network, homes, anew, limit_s=LIMIT_S))


def patrols() -> dict[str, float]:
    network, _ = build_network(streets(29, seed=3), snap_m=0.5, speed_m_s=SPEED_M_S)
    homes, fixes = places(network, 3_000, seed=8), places(network, 30_000, seed=9, spread_m=8.0)
    first = np.datetime64("2025-01-01")
    days = first + np.random.default_rng(9).integers(0, 400, len(fixes)) * np.timedelta64(1, "D")
    fixes = fixes.assign(day=pd.Series(days))
    span = {"first_day": date(2025, 1, 1), "last_day": date(2026, 2, 4), "reach_m": 200.0, "attach_limit_m": 200.0}
    return by_turns(3, gridmap=lambda: patrolled(homes, fixes, network, **span))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=317)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--recipes", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    began = time.perf_counter()
    network, _ = build_network(streets(asked.side), snap_m=0.5, speed_m_s=SPEED_M_S)
    built_s = time.perf_counter() - began
    at = attach(network, places(network, asked.points, seed=4), **NEAR)
    graph = as_networkx(network) if importlib.util.find_spec("networkx") else None
    found = {
        "network": {"n_nodes": network.n_nodes, "n_edges": network.n_edges, "built_s": built_s},
        "union": unions(network, at, asked.repeats, graph),
        "areas": areas(network, at, asked.repeats, graph, asked.recipes),
        "polygons": polygons(network, at, asked.repeats),
        "move": moves(network, at, asked.repeats),
        "patrols": patrols(),
    }
    if asked.json:
        print(json.dumps(found))
        return
    print(f"network: {network.n_nodes:,} nodes, {network.n_edges:,} edges, built in {built_s:.1f} s")
    for what in ("union", "areas", "polygons", "move", "patrols"):
        ours = found[what]["gridmap"]
        print(f"{what:9s} gridmap {ours * 1e3:10.2f} ms")
        for peer, value in found[what].items():
            if peer.startswith("difference"):
                print(f"          {peer:22s} {value:.4f}")
            elif peer != "gridmap":
                print(f"          {peer:22s} {value * 1e3:10.2f} ms   {value / ours:8.2f} x")
    if graph is None:
        print("networkx is not installed: no comparison with it and with osmnx's recipe (`pip install networkx`).")


if __name__ == "__main__":
    main()
