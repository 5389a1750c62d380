"""Area grids: contiguous threes and fours of groups, their codes, and the map somebody drew by hand."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.ops import substring

from township.place import VILLAGES, FloatArray, IntArray, stream

OVER_CAP: tuple[tuple[str, int, str, str], ...] = (
    ("439901101001", 122, "老街居民集中居住，院落相连，暂不宜拆分", "周启明"),
    ("439901101201", 112, "新屋里安置点新迁入住户较多，待下半年重新划分", "周启明"),
    ("439901101204", 108, "山地居住分散，单独成格人员不足", "罗文彬"),
    ("439901101208", 105, "两组共用一条主巷，合并管理更便于服务", "罗文彬"),
    ("439901101207", 103, "秋收期间临时并入渠边住户，年底复核", "周启明"),
)
"""Village, households, 超限原因 and 批准人 of the grids over the cap."""

OVERLAP_M = 0.40


@dataclass(frozen=True)
class Grid:
    """One area grid with the numbers of its groups (from 0) and how many households it is to hold."""

    code: str
    name: str
    village_code: str
    groups: tuple[int, ...]
    n_households: int
    reason: str = ""
    approved_by: str = ""


def neighbours(polygons: NDArray[np.object_]) -> set[tuple[int, int]]:
    """Pairs of polygons that share more than 40 m of border."""
    left, right = shapely.STRtree(polygons).query(polygons, predicate="touches")
    shared = shapely.length(shapely.intersection(polygons[left], polygons[right]))
    return {(int(a), int(b)) for a, b, metres in zip(left, right, shared, strict=True) if metres > 40}


def partition(polygons: NDArray[np.object_], village_of: IntArray, hamlets: FloatArray) -> list[list[int]]:
    """Split each village's groups into grids of three and four, joined up and compact (best of many random tries)."""
    rng = stream(8)
    touching = neighbours(polygons)
    near: dict[int, list[int]] = {k: [] for k in range(len(polygons))}
    for a, b in sorted(touching):
        if village_of[a] == village_of[b]:
            near[a].append(b)
    result: list[list[int]] = []
    for number, village in enumerate(VILLAGES):
        members = [int(k) for k in np.flatnonzero(village_of == number)]
        n_fours = len(members) - 3 * village.n_grids
        best: list[list[int]] | None = None
        best_spread = np.inf
        for _ in range(1500):
            trial = _one_try(rng, members, near, [4] * n_fours + [3] * (village.n_grids - n_fours))
            if trial is None:
                continue
            spread = sum(float(hamlets[part].var(axis=0).sum()) for part in trial)
            if spread < best_spread - 1e-6:
                best, best_spread = trial, spread
        if best is None:
            raise ValueError(f"no split of {village.name} into {village.n_grids} grids found")
        result += best
    return result


def _one_try(
    rng: np.random.Generator, members: list[int], near: dict[int, list[int]], sizes: list[int]
) -> list[list[int]] | None:
    left = set(members)
    parts = []
    for size in rng.permutation(sizes):
        fewest = min(sum(o in left for o in near[k]) for k in left)
        starts = sorted(k for k in left if sum(o in left for o in near[k]) <= fewest + 1)
        part = [int(rng.choice(starts))]
        left.discard(part[0])
        while len(part) < size:
            edge = sorted({o for k in part for o in near[k] if o in left})
            if not edge:
                return None
            links = np.array(
                [
                    1.0 + 3 * (sum(o in part for o in near[k]) - 1) + 2 * (sum(o in left for o in near[k]) == 0)
                    for k in edge
                ]
            )
            part.append(edge[int(np.searchsorted(np.cumsum(links) / links.sum(), rng.random()))])
            left.discard(part[-1])
        parts.append(sorted(part))
    return parts


def number_grids(
    parts: list[list[int]], polygons: NDArray[np.object_], village_of: IntArray, *, market: Polygon
) -> list[Grid]:
    """Codes from west to east, then north to south, inside each village; households to come in each grid."""
    rng = stream(9)
    grids: list[Grid] = []
    for number, village in enumerate(VILLAGES):
        own = [part for part in parts if village_of[part[0]] == number]
        shapes = [shapely.coverage_union_all(polygons[part]) for part in own]
        order = sorted(range(len(own)), key=lambda k: (shapes[k].centroid.x, -shapes[k].centroid.y))
        over = next((item for item in OVER_CAP if item[0] == village.code), None)
        crowded = _crowded(shapes, order, village.code, market)
        for place, k in enumerate(order, start=1):
            is_over = over is not None and k == crowded
            homes = over[1] if is_over and over else int(rng.integers(78, 99))
            reason, approved = (over[2], over[3]) if is_over and over else ("", "")
            grids.append(
                Grid(
                    f"{village.code}{place:03d}",
                    f"{village.name}第{place}网格",
                    village.code,
                    tuple(own[k]),
                    homes,
                    reason,
                    approved,
                )
            )
    return grids


def _crowded(shapes: list[Polygon], order: list[int], village_code: str, market: Polygon) -> int:
    """Choose the grid that will be over the cap: the market's own in the community, the smallest of four groups elsewhere."""
    if village_code == VILLAGES[0].code:
        return int(np.argmin([shape.distance(market) + shape.centroid.distance(market) / 1e4 for shape in shapes]))
    return order[int(np.argmin([shapes[k].area for k in order]))]


def hand_drawn(grids: list[Grid], polygons: NDArray[np.object_]) -> list[Polygon]:
    """Draw the grids as somebody drew them over a paper map: every border up to 2 m off, a few gaps, and one overlap of 40 cm."""
    rng = stream(10)
    exact = np.array([shapely.coverage_union_all(polygons[list(grid.groups)]) for grid in grids])
    drawn = shapely.coverage_simplify(exact, 1.1)
    drawn = _shaken(rng, drawn)
    gaps = rng.choice(len(grids), len(grids) // 3, replace=False)
    for k in gaps:
        drawn[k] = shapely.set_precision(drawn[k].buffer(-rng.uniform(0.15, 0.45), join_style="mitre"), 0.01)
    return _one_overlap(drawn, {int(k) for k in gaps})


def _shaken(rng: np.random.Generator, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Every vertex moved by up to 0.9 m, the same way for all grids that share it."""
    xy = shapely.get_coordinates(shapes)
    corners, number = np.unique(np.round(xy, 2), axis=0, return_inverse=True)
    turn, far = rng.uniform(0, 2 * np.pi, len(corners)), rng.uniform(0, 0.9, len(corners))
    moved = np.round(corners + np.column_stack([far * np.cos(turn), far * np.sin(turn)]), 2)
    return np.asarray(shapely.set_coordinates(shapes.copy(), moved[number.ravel()]))


def _one_overlap(shapes: NDArray[np.object_], gaps: set[int]) -> list[Polygon]:
    """One grid laps 40 cm over its neighbour along a few hundred metres of their border."""
    pairs = sorted((a, b) for a, b in neighbours(shapes) if a < b and not {a, b} & gaps)
    a, b = max(pairs, key=lambda pair: (round(shapes[pair[0]].intersection(shapes[pair[1]]).length), pair))
    shared = shapely.line_merge(shapes[a].intersection(shapes[b]))
    line = max(shapely.get_parts(shared), key=lambda part: part.length)
    stretch = substring(line, line.length * 0.3, line.length * 0.6)
    lip = stretch.buffer(OVERLAP_M, cap_style="flat").intersection(shapes[b])
    joined = shapely.union_all([shapes[a], lip], grid_size=0.01)
    result = list(shapes)
    result[a] = max(shapely.get_parts(joined), key=lambda part: part.area)
    return result
