"""Patrol points and service points, and how far homes are from the latter on foot."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely
from scipy.sparse import csgraph, csr_array
from scipy.spatial import cKDTree

from township.place import REMOTE_CODE, VILLAGES, FloatArray, IntArray, stream
from township.town import Town

FIFTEEN_MINUTES_M = 1125.0
N_SERVICE_POINTS = 13
KINDS: dict[str, tuple[str, ...]] = {
    "防火": ("林区路口", "坟山集中点", "护林点", "防火瞭望点"),
    "防汛": ("山塘", "渠道险段", "沿河低洼处", "地质灾害点"),
    "安全": ("变压器", "小卖部", "老旧房屋", "作坊", "建房工地", "幼儿园", "农家乐", "废品收购点"),
    "道路": ("急弯", "路口", "临水路段", "陡坡"),
    "走访": ("屋场集中点", "老年人活动点", "文化活动点"),
}
RHYTHMS: dict[str, tuple[str, ...]] = {
    "防火": ("每周1次", "每周2次", "每月2次"),
    "防汛": ("每周1次", "每周2次", "每周1次"),
    "安全": ("每周2次", "每周1次", "每月2次", "每周3次"),
    "道路": ("每周1次", "每周2次"),
    "走访": ("每周2次", "每周3次", "每周1次"),
}
SEASONS = {"防汛": "04-01至09-30", "防火": "10-01至04-30"}
SEASONAL_SHARE = 0.33
HOURS = {"幼儿园": "07:30-18:00", "农家乐": "08:00-次日00:30", "作坊": "06:00-20:00", "护林点": "06:00-19:00"}
LEAST_STAY_MINUTES = {"老年人活动点": 10, "屋场集中点": 5}
NEVER_VISITED = ("防火", "防汛")
"""Duties of the two points that nobody ever visits."""


@dataclass
class Checkpoint:
    """One point: where (local metres), what for, how often, and the grid whose team goes there."""

    code: str
    name: str
    kind: str
    duty: str
    rhythm: str
    xy: FloatArray
    grid: int
    opened_on: date = date(2025, 1, 1)
    is_visited: bool = True
    hours: str = ""
    season: str = ""
    least_stay_minutes: int | None = None

    def is_in_season(self, day: date) -> bool:
        """Whether anybody is expected there on a day."""
        if not self.season:
            return True
        first, last = self.season.split("至")
        here = f"{day:%m-%d}"
        return first <= here <= last if first <= last else here >= first or here <= last


class FootNet:
    """The path network as a graph of vertices a few metres apart."""

    def __init__(self, town: Town) -> None:
        lines = [shapely.get_coordinates(shapely.segmentize(edge.line, 25.0)) for edge in town.edges]
        xy = np.round(np.vstack(lines), 2)
        self.xy, number = np.unique(xy, axis=0, return_inverse=True)
        number = number.ravel()
        last = np.cumsum([len(line) for line in lines]) - 1
        start = np.setdiff1d(np.arange(len(xy)), last)
        a, b = number[start], number[start + 1]
        metres = np.hypot(*(self.xy[a] - self.xy[b]).T)
        n = len(self.xy)
        self.graph = csr_array((metres, (a, b)), shape=(n, n))
        self.tree = cKDTree(self.xy)

    def metres(self, sources: FloatArray, targets: FloatArray, *, limit: float) -> FloatArray:
        """On-foot distance from each source (rows) to each target, infinite beyond `limit`."""
        off, start = self.tree.query(np.atleast_2d(sources))
        tail, goal = self.tree.query(targets)
        far = csgraph.dijkstra(self.graph, directed=False, indices=start, limit=limit)
        return np.asarray(np.atleast_2d(far)[:, goal] + tail[None, :] + np.atleast_1d(off)[:, None])


def choose_service_points(town: Town, net: FootNet) -> FloatArray:
    """Thirteen places: one in each village but the remote one, then where most homes are still without."""
    village = town.village_of[town.homes.group]
    remote = village == next(k for k, v in enumerate(VILLAGES) if v.code == REMOTE_CODE)
    candidates = town.hamlets[[VILLAGES[v].code != REMOTE_CODE for v in town.village_of]]
    where = town.village_of[[VILLAGES[v].code != REMOTE_CODE for v in town.village_of]]
    reach = net.metres(candidates, town.homes.xy, limit=1500) <= FIFTEEN_MINUTES_M
    allowed = (reach & remote).sum(axis=1) == 0
    covered = np.zeros(len(town.homes.xy), dtype=bool)
    chosen: list[int] = []
    for number, item in enumerate(VILLAGES):
        if item.code != REMOTE_CODE:
            gain = (reach & (village == number)).sum(axis=1) * allowed * (where == number)
            chosen.append(int(np.argmax(gain)))
            covered |= reach[chosen[-1]]
    while len(chosen) < N_SERVICE_POINTS:
        gain = (reach & ~covered).sum(axis=1) * allowed
        chosen.append(int(np.argmax(gain)))
        covered |= reach[chosen[-1]]
    return np.asarray(candidates[chosen])


def make_checkpoints(town: Town) -> list[Checkpoint]:
    """All points in the order of their grids; service points last."""
    rng = stream(30)
    vertices, ranks = _way_vertices(town)
    points = shapely.points(vertices)
    homes = cKDTree(town.homes.xy)
    to_home = homes.query(vertices)[0]
    wet = shapely.union_all([item.geometry for item in town.waters])
    to_water = shapely.distance(points, wet)
    result: list[Checkpoint] = []
    for number, grid in enumerate(town.grids):
        land = shapely.coverage_union_all(town.groups[list(grid.groups)]).buffer(-25)
        inside = np.flatnonzero(shapely.contains_xy(land, vertices))
        duties = ["走访", "安全", "防火", "防汛", *(["道路"] if number % 3 == 0 else [])]
        for duty in duties:
            spot = _pick(
                rng,
                duty,
                inside,
                to_home=to_home,
                to_water=to_water,
                ranks=ranks,
                vertices=vertices,
                taken=[c.xy for c in result],
            )
            result.append(_point(rng, duty, vertices[spot], number, town))
    _leave_two_unvisited(result, town)
    _restrict(result)
    result += _service_points(town)
    for serial, item in enumerate(result, start=1):
        item.code = f"QSD{serial:03d}"
    return result


def _way_vertices(town: Town) -> tuple[FloatArray, IntArray]:
    rank = {"公路": 0, "村道": 1, "机耕路": 2, "小路": 3}
    parts = [shapely.get_coordinates(shapely.segmentize(edge.line, 40.0)) for edge in town.edges if not edge.is_bridge]
    kinds = np.concatenate(
        [np.full(len(p), rank[e.kind]) for p, e in zip(parts, [e for e in town.edges if not e.is_bridge], strict=True)]
    )
    return np.vstack(parts), kinds


def _pick(
    rng: np.random.Generator,
    duty: str,
    inside: IntArray,
    *,
    to_home: FloatArray,
    to_water: FloatArray,
    ranks: IntArray,
    vertices: FloatArray,
    taken: list[FloatArray],
) -> int:
    home, wet = to_home[inside], to_water[inside]
    wish = {
        "走访": np.exp(-home / 20),
        "安全": np.exp(-home / 40) * (ranks[inside] < 3),
        "道路": (ranks[inside] < 2) * np.exp(-home / 200),
        "防汛": np.exp(-wet / 25) + 1e-6,
        "防火": np.minimum(home, 600) ** 2 * (1 + (ranks[inside] == 3)),
    }[duty] + 1e-9
    if taken:
        apart = cKDTree(np.array(taken)).query(vertices[inside])[0]
        wish = wish * np.where(apart > 110, 1, 1e-6)
    return int(inside[np.searchsorted(np.cumsum(wish) / wish.sum(), rng.random())])


def _point(rng: np.random.Generator, duty: str, xy: FloatArray, grid: int, town: Town) -> Checkpoint:
    kind = str(rng.choice(KINDS[duty]))
    near = int(np.argmin(np.hypot(*(town.hamlets - xy).T)))
    name = f"{town.group_names[near].removesuffix('组')}{kind}"
    shift = rng.uniform(3, 8) * np.array([np.cos(a := rng.uniform(0, 7)), np.sin(a)])
    opened = date(2025, 1, 1) if rng.random() < 0.93 else date(2026, int(rng.integers(1, 6)), 1)
    return Checkpoint("", name, kind, duty, str(rng.choice(RHYTHMS[duty])), xy + shift, grid, opened)


def _leave_two_unvisited(points: list[Checkpoint], town: Town) -> None:
    """Mark the two loneliest points outside the remote village, one for each duty in `NEVER_VISITED`."""
    xy = np.array([point.xy for point in points])
    apart = cKDTree(xy).query(xy, k=2)[0][:, 1]
    home = cKDTree(town.homes.xy).query(xy)[0]
    lonely = np.minimum(apart, 2 * home)
    for duty in NEVER_VISITED:
        best = max(
            (
                k
                for k, point in enumerate(points)
                if point.duty == duty and town.grids[point.grid].village_code != REMOTE_CODE
            ),
            key=lambda k: round(float(lonely[k]), 2),
        )
        points[best].is_visited = False
        points[best].opened_on = date(2025, 1, 1)


def _restrict(points: list[Checkpoint]) -> None:
    """Give a third of the flood and fire points their season, some kinds hours, some a least stay; the two lonely ones none."""
    rng = stream(31)
    for point in points:
        is_seasonal = point.duty in SEASONS and rng.random() < SEASONAL_SHARE
        if not point.is_visited:
            continue
        point.season = SEASONS[point.duty] if is_seasonal else ""
        point.hours = HOURS.get(point.kind, "")
        point.least_stay_minutes = LEAST_STAY_MINUTES.get(point.kind)


def _service_points(town: Town) -> list[Checkpoint]:
    spots = choose_service_points(town, FootNet(town))
    names: dict[str, int] = {}
    result = []
    first = True
    for spot in spots:
        near = int(np.argmin(np.hypot(*(town.hamlets - spot).T)))
        village = VILLAGES[town.village_of[near]].name
        names[village] = names.get(village, 0) + 1
        station = "便民服务站" if names[village] == 1 else f"{town.group_names[near].removesuffix('组')}便民代办点"
        kind = "便民服务站" if names[village] == 1 else "便民代办点"
        name = f"{village}{station}"
        if first:
            name, kind, first = "青石乡便民服务中心", "便民服务中心", False
        grid = next(k for k, g in enumerate(town.grids) if near in g.groups)
        result.append(Checkpoint("", name, kind, "服务", "每周5次", spot + 6.0, grid))
    return result
