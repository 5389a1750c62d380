"""Homes along the lanes of each group, with residents and service-need counts."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, Polygon

from township.grids import Grid
from township.hamlet_lanes import Edge
from township.place import FloatArray, IntArray, stream

NEEDS = ("独居老人", "留守儿童", "残疾人", "低保")
BORDER_M = 5.0
"""Homes keep this far from group borders, so that borders drawn 2 m off never change whose they are."""


@dataclass(frozen=True)
class Homes:
    """Homes of the township, one entry each: place (local metres), group and grid number, residents, needs."""

    xy: FloatArray
    group: IntArray
    grid: IntArray
    residents: IntArray
    needs: IntArray


def homes_per_group(grids: list[Grid], n_groups: int) -> IntArray:
    """Split each grid's homes over its groups, unevenly."""
    rng = stream(11)
    wanted = np.zeros(n_groups, dtype=np.int64)
    for grid in grids:
        share = rng.dirichlet(np.full(len(grid.groups), 26.0))
        homes = np.floor(share * grid.n_households).astype(int)
        homes[np.argmax(homes)] += grid.n_households - homes.sum()
        wanted[list(grid.groups)] = homes
    return wanted


def place_homes(
    polygons: NDArray[np.object_],
    hamlets: FloatArray,
    grids: list[Grid],
    edges: list[Edge],
    *,
    water: Geometry,
) -> Homes:
    """Homes 8 to 40 m from a lane, about 12 m or more apart, in clusters around the hamlets, never in water."""
    rng = stream(12)
    wanted = homes_per_group(grids, len(polygons))
    lanes = np.array([edge.line for edge in edges if edge.kind in ("村道", "机耕路", "公路") and not edge.is_bridge])
    every = shapely.STRtree(np.array([edge.line for edge in edges]))
    spots, groups = [], []
    shapely.prepare(water)
    for number, (polygon, n_homes) in enumerate(zip(polygons, wanted, strict=True)):
        chosen = _group_homes(
            rng, polygon.buffer(-BORDER_M), hamlets[number], lanes=lanes, every=every, water=water, n_homes=int(n_homes)
        )
        if len(chosen) < n_homes:
            raise ValueError(f"group {number}: room for {len(chosen)} of {n_homes} homes")
        spots.append(chosen)
        groups += [number] * len(chosen)
    grid_of = np.empty(len(polygons), dtype=np.int64)
    for k, grid in enumerate(grids):
        grid_of[list(grid.groups)] = k
    group = np.array(groups)
    residents, needs = _people(rng, len(group))
    return Homes(np.vstack(spots), group, grid_of[group], residents, needs)


def _group_homes(
    rng: np.random.Generator,
    land: Polygon,
    hamlet: FloatArray,
    *,
    lanes: NDArray[np.object_],
    every: shapely.STRtree,
    water: Geometry,
    n_homes: int,
) -> FloatArray:
    for widen, apart_m in ((1.0, 12.5), (2.6, 11.0), (5.0, 9.5), (5.0, 8.0)):
        tries = [
            _candidates(rng, land, hamlet, lanes=lanes, every=every, water=water, reach_m=120 * widen)
            for _ in range(1 if widen < 2 else 3)
        ]
        spots = np.vstack(tries)
        chosen = _apart(spots, n_homes, apart_m=apart_m)
        if len(chosen) == n_homes:
            break
    return chosen


def _candidates(
    rng: np.random.Generator,
    land: Polygon,
    hamlet: FloatArray,
    *,
    lanes: NDArray[np.object_],
    every: shapely.STRtree,
    water: Geometry,
    reach_m: float,
) -> FloatArray:
    """Places beside lanes in the order in which people would have built there."""
    parts = shapely.intersection(lanes, land)
    parts = parts[~shapely.is_empty(parts)]
    pieces = [p for p in shapely.get_parts(parts) if p.geom_type == "LineString" and p.length > 8]
    spots: list[FloatArray] = []
    for piece in pieces:
        at = np.arange(4, piece.length - 1, 5.0) + rng.uniform(-2, 2)
        here = shapely.get_coordinates(shapely.line_interpolate_point(piece, at))
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(piece, np.minimum(at + 2, piece.length)))
        back = shapely.get_coordinates(shapely.line_interpolate_point(piece, np.maximum(at - 2, 0)))
        along = ahead - back
        along /= np.maximum(np.hypot(*along.T), 1e-6)[:, None]
        for side in (-1, 1):
            off = 9 + 25 * rng.beta(1.1, 2.6, len(at))
            spots.append(here + side * off[:, None] * np.column_stack([-along[:, 1], along[:, 0]]))
    if not spots:
        return np.empty((0, 2))
    xy = np.vstack(spots)
    points = shapely.points(xy)
    near_lane = every.query(points, predicate="dwithin", distance=7.5)[0]
    keep = np.ones(len(xy), dtype=bool)
    keep[near_lane] = False
    keep &= shapely.contains(land, points) & (shapely.distance(points, water) > 9)
    xy = xy[keep]
    far = np.hypot(*(xy - hamlet).T)
    return xy[np.argsort(far / reach_m - 0.9 * np.log(rng.random(len(xy))), kind="stable")]


def _apart(spots: FloatArray, n_homes: int, *, apart_m: float) -> FloatArray:
    chosen: list[FloatArray] = []
    for spot in spots:
        if not chosen or np.min(np.hypot(*(np.array(chosen) - spot).T)) >= apart_m:
            chosen.append(spot)
            if len(chosen) == n_homes:
                break
    return np.array(chosen).reshape(-1, 2)


def _people(rng: np.random.Generator, n: int) -> tuple[IntArray, IntArray]:
    size = rng.choice(np.arange(1, 9), n, p=[0.105, 0.225, 0.24, 0.19, 0.13, 0.075, 0.025, 0.01])
    alone = (size == 1) & (rng.random(n) < 0.55)
    children = np.where((size >= 3) & (rng.random(n) < 0.14), rng.integers(1, 3, n), 0)
    disabled = (rng.random(n) < 0.055).astype(int)
    poor = np.where(rng.random(n) < 0.05, np.minimum(size, rng.integers(1, 4, n)), 0)
    return size, np.column_stack([alone.astype(int), children, disabled, poor])
