"""Side lanes inside hamlets, and the finished network: noded, one piece, with names."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array
from shapely import Geometry, LineString, Polygon

from township import noise
from township.lanes import RANK, Bridge
from township.place import BoolArray, FloatArray, IntArray, stream

GRID_M = 0.05


@dataclass(frozen=True)
class Edge:
    """One edge of the path network (local metres); it meets others at its ends only."""

    line: LineString
    kind: str
    is_bridge: bool
    name: str


def add_side_lanes(
    lines: list[tuple[LineString, str]],
    hamlets: FloatArray,
    groups: NDArray[np.object_],
    *,
    n_lanes: IntArray,
    closed: Geometry,
) -> list[tuple[LineString, str]]:
    """Short winding lanes that leave the ways near each hamlet, and some that leave those."""
    rng = stream(7)
    result = list(lines)
    for (x, y), group, wanted in zip(hamlets, groups, n_lanes, strict=True):
        near = shapely.Point(x, y).buffer(420)
        hosts = [item for item in result if item[0].intersects(near)]
        land = group.buffer(-12)
        made = 0
        for _ in range(400):
            room = sum(host.intersection(land).length for host, kind in hosts if kind != "小路")
            if (made >= wanted and room > 850) or made > 14:
                break
            lane = _side_lane(rng, hosts, (x, y), land)
            if lane is None or not land.contains(lane) or not _fits(lane, hosts, closed):
                continue
            hosts.append((lane, "村道"))
            result.append((lane, "村道"))
            made += 1
    return result


def _side_lane(
    rng: np.random.Generator, hosts: list[tuple[LineString, str]], centre: tuple[float, float], land: Polygon
) -> LineString | None:
    spots, turns = [], []
    for host, kind in hosts:
        if kind == "小路":
            continue
        xy = np.asarray(host.coords)
        for k in range(1, len(xy) - 1):
            spots.append(xy[k])
            turns.append(np.arctan2(*(xy[k + 1] - xy[k - 1])[::-1]))
    inside = shapely.contains_xy(land, np.array(spots)) if spots else np.zeros(0, dtype=bool)
    if not inside.any():
        return None
    far = np.hypot(*(np.array(spots) - centre).T)
    wish = (np.exp(-((far / 110) ** 2)) + 1e-6) * inside
    pick = int(np.searchsorted(np.cumsum(wish) / wish.sum(), rng.random()))
    turn = turns[pick] + rng.choice([-1, 1]) * rng.normal(np.pi / 2, 0.3)
    length = rng.uniform(55, 150)
    start = spots[pick]
    bend = turn + rng.normal(0, 0.45)
    half = start + length / 2 * np.array([np.cos(turn), np.sin(turn)])
    end = half + length / 2 * np.array([np.cos(bend), np.sin(bend)])
    line = noise.curve(rng, [tuple(start), tuple(half), tuple(end)], step_m=12, sway_m=3, wavelength_m=80)
    line = np.vstack([start, np.round(line[1:] / GRID_M) * GRID_M])
    return LineString(line)


def _fits(lane: LineString, hosts: list[tuple[LineString, str]], closed: Geometry) -> bool:
    if lane.intersects(closed):
        return False
    body = LineString(np.vstack([lane.interpolate(16).coords[0], np.asarray(lane.coords)[2:]])).buffer(13)
    return not any(body.intersects(host) for host, _ in hosts)


def noded(lines: list[tuple[LineString, str]], bridges: list[Bridge]) -> list[Edge]:
    """Edges that meet at shared end points only; bits that hang loose from the network are dropped."""
    geometries = np.array([line for line, _ in lines])
    pieces = shapely.get_parts(shapely.line_merge(shapely.union_all(geometries, grid_size=GRID_M)))
    pieces = _split_at_kinds(pieces, geometries)
    pieces = _without_crumbs(pieces)
    pieces = pieces[_connected(pieces)]
    tree = shapely.STRtree(geometries)
    halfway = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    kinds = [
        min((lines[k][1] for k in tree.query(p, predicate="dwithin", distance=0.2)), key=RANK.__getitem__)
        for p in halfway
    ]
    decks = {bridge.name: bridge.line for bridge in bridges}
    edges = []
    for piece, kind in zip(pieces, kinds, strict=True):
        name = next((n for n, deck in decks.items() if piece.hausdorff_distance(deck) < 1.0), "")
        edges.append(Edge(piece, kind, bool(name), name))
    return edges


def _split_at_kinds(pieces: NDArray[np.object_], geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Cut merged pieces where the kind changes and at bridge ends: at the ends of the lines they came from."""
    ends = shapely.set_precision(
        shapely.points(np.vstack([shapely.get_coordinates(g)[[0, -1]] for g in geometries])), GRID_M
    )
    stops = {tuple(xy) for xy in np.round(shapely.get_coordinates(ends), 2)}
    result = []
    for piece in pieces:
        xy = np.round(shapely.get_coordinates(piece), 2)
        cuts = [0, *[k for k in range(1, len(xy) - 1) if tuple(xy[k]) in stops], len(xy) - 1]
        result += [LineString(xy[a : b + 1]) for a, b in pairwise(cuts)]
    return np.array(result)


def _ends(pieces: NDArray[np.object_]) -> tuple[IntArray, IntArray, int]:
    xy = np.round(np.array([[piece.coords[0], piece.coords[-1]] for piece in pieces]), 2)
    _, number = np.unique(xy.reshape(-1, 2), axis=0, return_inverse=True)
    number = number.reshape(-1, 2)
    return number[:, 0], number[:, 1], int(number.max()) + 1


def _without_crumbs(pieces: NDArray[np.object_]) -> NDArray[np.object_]:
    """Dead ends under 6 m go: they are leftovers of crossings."""
    start, end, n = _ends(pieces)
    degree = np.bincount(np.concatenate([start, end]), minlength=n)
    dangling = (degree[start] == 1) | (degree[end] == 1)
    return np.asarray(pieces[~(dangling & (shapely.length(pieces) < 6))])


def _connected(pieces: NDArray[np.object_]) -> BoolArray:
    start, end, n = _ends(pieces)
    _, part = csgraph.connected_components(csr_array((np.ones(len(start)), (start, end)), shape=(n, n)), directed=False)
    main = np.bincount(part[start]).argmax()
    return np.asarray(part[start] == main)
