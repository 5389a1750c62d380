"""Seeded villages to divide: single households or indivisible blocks, hardly any slack, half of them with a river."""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from gridmap.planning.neighbours import Barriers
from gridmap.planning.units import Units, make_units

METRIC, CAP, SIDE_M = "EPSG:4547", 100, 1_500.0
_MOST_SLACK, _LARGEST_BLOCK = 0.05, 30
FRAME = shapely.box(0, 0, SIDE_M, SIDE_M)


@dataclass(frozen=True, kw_only=True)
class Village:
    """One case.

    Parameters
    ----------
    name
        Kind, number, and whether a river runs through it.
    units
        What is divided.
    cells
        The ground of each unit: its block, or what is nearer to a household than to any other.
    """

    name: str
    units: Units
    cells: np.ndarray


def cells_of(points: np.ndarray) -> np.ndarray:
    """Return the Voronoi cells of points inside the frame, on their order."""
    diagram = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=FRAME, ordered=True)
    return shapely.intersection(shapely.get_parts(diagram), FRAME)


def river(chance: np.random.Generator) -> Barriers:
    """Return a winding river from west to east with one to three bridges."""
    x = np.linspace(-50, SIDE_M + 50, 80)
    middle, swing = chance.uniform(0.35, 0.65) * SIDE_M, chance.uniform(30, 120)
    y = middle + swing * np.sin(x / chance.uniform(150, 400) + chance.uniform(0, 6))
    at = chance.choice(np.arange(10, 70), chance.integers(1, 4), replace=False)
    bridges = [shapely.LineString([(x[i], y[i] - 60), (x[i], y[i] + 60)]) for i in at]
    line = shapely.LineString(np.column_stack([x, y]))
    return Barriers(walls=gpd.GeoSeries([line], crs=METRIC), bridges=gpd.GeoSeries(bridges, crs=METRIC), slip_m=0.5)


def homes(seed: int, *, n: int | None = None, with_river: bool = False) -> Village:
    """Return single households, by default two to ten grids of them, with up to 5 % slack."""
    chance = np.random.default_rng([1, seed])
    if n is None:
        n = int(np.floor(chance.integers(2, 11) * CAP * (1 - chance.uniform(0, _MOST_SLACK))))
    points = shapely.points(chance.uniform(0, SIDE_M, (n, 2)))
    frame = gpd.GeoDataFrame({"households": np.ones(n)}, geometry=points, crs=METRIC)
    barriers = river(chance) if with_river else None
    units = make_units(frame, weight="households", barriers=barriers)
    return Village(name=f"homes {seed}{' river' * with_river}", units=units, cells=cells_of(points))


def blocks(seed: int, *, with_river: bool = False) -> Village:
    """Return 40 to 200 blocks of up to 30 households; a river runs along their borders."""
    chance = np.random.default_rng([2, seed])
    n_grids = int(chance.integers(4, 17))
    wanted = int(np.floor(n_grids * CAP * (1 - chance.uniform(0, _MOST_SLACK))))
    weights: list[int] = []
    while sum(weights) < wanted:
        weights.append(int(chance.integers(1, _LARGEST_BLOCK + 1)))
    weights[-1] -= sum(weights) - wanted
    points = shapely.points(chance.uniform(0, SIDE_M, (len(weights), 2)))
    barriers = river(chance) if with_river else None
    cells = cells_of(points)
    if barriers is not None:
        barriers = _along_borders(cells, barriers)
    frame = gpd.GeoDataFrame({"households": np.array(weights, dtype=float)}, geometry=cells, crs=METRIC)
    units = make_units(frame, weight="households", barriers=barriers)
    return Village(name=f"blocks {seed}{' river' * with_river}", units=units, cells=cells)


def _along_borders(cells: np.ndarray, barriers: Barriers) -> Barriers:
    """Lay the river along the borders of the blocks: blocks whose middle lies north of it against the others."""
    line = barriers.walls.iloc[0]
    banks = shapely.get_parts(shapely.polygonize([shapely.node(shapely.union_all([line, FRAME.exterior]))]))
    south = min(banks, key=lambda bank: bank.centroid.y)
    is_south = shapely.contains(south, shapely.centroid(cells))
    bank = shapely.intersection(shapely.union_all(cells[is_south]), shapely.union_all(cells[~is_south]))
    walls = gpd.GeoSeries([shapely.line_merge(bank)], crs=METRIC)
    return Barriers(walls=walls, bridges=barriers.bridges, slip_m=barriers.slip_m)


def villages(n_each: int = 100) -> Iterator[Village]:
    """Yield villages of both kinds, every second one with a river."""
    for seed in range(n_each):
        yield homes(seed, with_river=seed % 2 == 1)
    for seed in range(n_each):
        yield blocks(seed, with_river=seed % 2 == 1)
