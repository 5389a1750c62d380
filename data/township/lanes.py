"""Path network: county road, village roads, ways to every hamlet, tracks that close loops, footpaths into the hills."""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import shapely
from scipy import ndimage
from scipy.spatial import Delaunay
from shapely import Geometry, LineString

from township import noise
from township.land import Hamlet
from township.place import CELL_M, VILLAGES, BoolArray, FloatArray, IntArray, stream
from township.raster import KNIGHT, CostGraph, cell_ids, walk_back
from township.terrain import Terrain, cell_centres, cell_of

RANK = {"公路": 0, "村道": 1, "机耕路": 2, "小路": 3}
BRIDGES: tuple[tuple[str, float], ...] = (("青石大桥", 5450.0), ("白鹭桥", 3150.0), ("石桥", 8050.0))
"""The three bridges and about where (metres east) each crosses."""


@dataclass
class RouteNet:
    """Steps between cells that carry a way, each with its best kind."""

    kinds: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, way: list[int], kind: str) -> None:
        """Lay a way of cells; where one lies already the better kind stays."""
        for a, b in pairwise(way):
            step = (min(a, b), max(a, b))
            if step not in self.kinds or RANK[kind] < RANK[self.kinds[step]]:
                self.kinds[step] = kind

    def cells(self) -> IntArray:
        """All cells on the network, sorted."""
        return np.unique(np.array(list(self.kinds), dtype=np.int64))


@dataclass(frozen=True)
class Bridge:
    """A straight way from bank to bank (local metres) and the cells it joins."""

    name: str
    line: LineString
    ends: tuple[int, int]


def find_bridges(terrain: Terrain) -> list[Bridge]:
    """Straight crossings, square to the river."""
    ids = cell_ids()
    xy = np.asarray(terrain.river_line.coords)
    bridges = []
    for name, east in BRIDGES:
        at = int(np.argmin(np.abs(xy[:, 0] - east)))
        along = xy[at + 3] - xy[at - 3]
        across = np.array([-along[1], along[0]]) / np.hypot(*along)
        cells = [int(ids[cell_of(xy[at] + sign * 75 * across)][0]) for sign in (-1, 1)]
        ends = [_centre(cell) for cell in cells]
        bridges.append(Bridge(name, LineString(ends), (cells[0], cells[1])))
    return bridges


def _centre(cell: int) -> tuple[float, float]:
    row, col = divmod(cell, cell_ids().shape[1])
    return (col + 0.5) * CELL_M, (row + 0.5) * CELL_M


def _way_cost(terrain: Terrain) -> FloatArray:
    brook = np.clip(1 - terrain.valley_distance_m / 60, 0, 1) * (terrain.river_distance_m > 100)
    wet = np.clip(1 - terrain.river_distance_m / 160, 0, 1)
    return np.asarray(
        1 + (terrain.slope / 0.07) ** 2 + 0.55 * np.clip(terrain.roughness + 1.2, 0, 3) + 1.2 * brook + 2.5 * wet
    )


def lay_routes(
    terrain: Terrain, villages: IntArray, hamlets: list[Hamlet], *, lake: Geometry, bridges: list[Bridge]
) -> tuple[RouteNet, IntArray]:
    """All ways between cells, and the cell of each hamlet."""
    x, y = cell_centres()
    dry = ~shapely.contains_xy(terrain.river.buffer(32), x, y) & ~shapely.contains_xy(lake.buffer(30), x, y)
    for bridge in bridges:
        dry.ravel()[list(bridge.ends)] = True
    inner = ndimage.binary_erosion(villages > 0, iterations=2)
    links = [(*bridge.ends, 400.0) for bridge in bridges]
    cost = _way_cost(terrain)
    spots = np.array([(hamlet.x, hamlet.y) for hamlet in hamlets])
    places = cell_ids()[cell_of(spots)]
    net = RouteNet()
    _main_roads(net, villages, cost, dry, links)
    graph = CostGraph.build(cost, moves=KNIGHT, open_cells=dry & inner, links=links)
    _ways_to_hamlets(net, graph, places, hamlets)
    _loops(net, graph, spots, places)
    _footpaths(net, graph, terrain, inner & dry)
    for bridge in bridges:
        net.kinds[min(bridge.ends), max(bridge.ends)] = "公路" if bridge.name == "青石大桥" else "村道"
    return net, places


def _main_roads(
    net: RouteNet,
    villages: IntArray,
    cost: FloatArray,
    dry: BoolArray,
    links: list[tuple[int, int, float]],
) -> None:
    """Lay the county road from border to border through the market town, then a road to the middle of each village."""
    ids = cell_ids()
    graph = CostGraph.build(cost, moves=KNIGHT, open_cells=dry & (villages > 0), links=links)
    town = ids[cell_of(np.array(VILLAGES[0].centre))]
    _, before, _ = graph.reach(town)
    for exit_cell in (
        _border_cell(villages, dry, (1500, 4950)),
        _border_cell(villages, dry, (9600, 5250)),
        _border_cell(villages, dry, (6100, 900)),
    ):
        net.add(walk_back(before, exit_cell), "公路")
    centres = np.array([village.centre for village in VILLAGES[1:]])
    _, before, _ = graph.reach(net.cells())
    for cell in ids[cell_of(centres)]:
        net.add(walk_back(before, int(cell)), "村道")


def _border_cell(villages: IntArray, dry: BoolArray, near: tuple[float, float]) -> int:
    """Cell just inside the township's border that lies nearest to a point."""
    land = villages > 0
    rim = land & ~ndimage.binary_erosion(land) & dry
    x, y = cell_centres()
    far = np.where(rim, np.hypot(x - near[0], y - near[1]), np.inf)
    return int(np.argmin(far))


def _ways_to_hamlets(net: RouteNet, graph: CostGraph, places: IntArray, hamlets: list[Hamlet]) -> None:
    """Cheapest way from the nearest road to each hamlet: ways share their beginnings as trees do."""
    _, before, _ = graph.reach(net.cells())
    ways = [walk_back(before, int(cell)) for cell in places]
    users: dict[int, int] = {}
    for way in ways:
        for cell in way:
            users[cell] = users.get(cell, 0) + 1
    for way, hamlet in zip(ways, hamlets, strict=True):
        busy = [cell for cell in way if users[cell] > 1 or hamlet.village.kind == "社区"]
        net.add(way, "机耕路" if len(way) > 40 and len(busy) < len(way) / 2 else "村道")


def _loops(net: RouteNet, graph: CostGraph, spots: FloatArray, places: IntArray) -> None:
    """Tracks between hamlets that are near each other but far apart on the ways there are."""
    triangles = Delaunay(spots).simplices
    pairs = np.unique(
        np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0
    )
    gap = np.hypot(*(spots[pairs[:, 0]] - spots[pairs[:, 1]]).T)
    for a, b in pairs[np.argsort(gap, kind="stable")]:
        crow = float(np.hypot(*(spots[a] - spots[b])))
        if crow > 950 or _on_foot(net, int(places[a]), int(places[b]), limit=2.1 * crow) <= 2.1 * crow:
            continue
        cost, before, _ = graph.reach(places[[a]], limit=9 * crow)
        if np.isfinite(cost[places[b]]):
            net.add(walk_back(before, int(places[b])), "机耕路" if cost[places[b]] < 3.2 * crow else "小路")


def _on_foot(net: RouteNet, start: int, goal: int, *, limit: float) -> float:
    """Metres along the ways laid so far (plain Dijkstra on the small graph of steps)."""
    near: dict[int, list[int]] = {}
    for a, b in net.kinds:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    best = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        far, cell = heappop(queue)
        if cell == goal or far > limit:
            return far
        if far > best[cell]:
            continue
        for other in near.get(cell, []):
            step = float(np.hypot(*np.subtract(_centre(cell), _centre(other))))
            if far + step < best.get(other, np.inf):
                best[other] = far + step
                heappush(queue, (far + step, other))
    return np.inf


def _footpaths(net: RouteNet, graph: CostGraph, terrain: Terrain, land: BoolArray) -> None:
    """Footpaths from the nearest way up to hilltops."""
    rng = stream(6)
    tops = (terrain.height_m == ndimage.maximum_filter(terrain.height_m, 21)) & land & (terrain.valley_distance_m > 450)
    cells = np.flatnonzero(tops.ravel())
    rng.shuffle(cells)
    reach = graph.reach(net.cells())
    for cell in cells[:45]:
        way = walk_back(reach[1], int(cell))
        if np.isfinite(reach[0][cell]) and len(way) > 6:
            net.add(way, "小路")


def _kind(net: RouteNet, a: int, b: int) -> str:
    return net.kinds[min(a, b), max(a, b)]


def smooth_routes(net: RouteNet, bridges: list[Bridge]) -> list[tuple[LineString, str]]:
    """Ways as curved lines: cut at junctions, rounded in between, the ends kept."""
    near: dict[int, list[int]] = {}
    fixed = {(min(b.ends), max(b.ends)) for b in bridges}
    for a, b in net.kinds:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    stops = {cell for cell, others in near.items() if len(others) != 2} | {cell for pair in fixed for cell in pair}
    stops |= {
        cell for cell, (a, *more) in near.items() if any(_kind(net, cell, a) != _kind(net, cell, b) for b in more)
    }
    rng = stream(13)
    lines = []
    done: set[tuple[int, int]] = set()
    for start in sorted(stops):
        for nxt in sorted(near[start]):
            if (min(start, nxt), max(start, nxt)) in done:
                continue
            way = [start, nxt]
            done.add((min(start, nxt), max(start, nxt)))
            while way[-1] not in stops:
                onward = next(c for c in near[way[-1]] if c != way[-2])
                done.add((min(way[-1], onward), max(way[-1], onward)))
                way.append(onward)
            kind = net.kinds[min(start, nxt), max(start, nxt)]
            points = np.array([_centre(cell) for cell in way])
            straight = (min(way[0], way[-1]), max(way[0], way[-1])) in fixed and len(way) == 2
            lines.append((LineString(points if straight else _curved(rng, points)), kind))
    return lines


def _curved(rng: np.random.Generator, points: FloatArray) -> FloatArray:
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, length[-1], max(int(length[-1] / 10), 2) + 1)
    dense = np.column_stack([np.interp(at, length, points[:, k]) for k in (0, 1)])
    smooth = noise.smooth_line(dense, sigma=min(5.0, len(dense) / 6))
    if len(smooth) > 8:
        smooth = noise.sway(rng, smooth, step_m=10, sway_m=3.5, wavelength_m=170)
    return np.asarray(shapely.get_coordinates(LineString(smooth).simplify(0.7)))
