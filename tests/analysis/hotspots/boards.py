"""Maps to test on: squares in rows and columns, and cells as uneven as grids are."""

import geopandas as gpd
import numpy as np
import shapely

METRIC = "EPSG:4547"


def board(rows: int, columns: int, *, side_m: float = 100.0) -> gpd.GeoDataFrame:
    """Squares that touch, numbered along the rows."""
    x, y = np.meshgrid(np.arange(columns) * side_m, np.arange(rows) * side_m)
    cells = shapely.box(x.ravel(), y.ravel(), x.ravel() + side_m, y.ravel() + side_m)
    return gpd.GeoDataFrame(geometry=cells, crs=METRIC)


def township(n: int, *, seed: int = 7) -> gpd.GeoDataFrame:
    """Voronoi cells of a square of 6 km, each with its households."""
    chance = np.random.default_rng(seed)
    seeds = shapely.multipoints(chance.uniform(0, 6000, (n, 2)))
    frame = shapely.box(0, 0, 6000, 6000)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame)), frame)
    return gpd.GeoDataFrame({"homes": chance.integers(15, 101, n)}, geometry=cells, crs=METRIC)
