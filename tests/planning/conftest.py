"""Villages to plan with: chequered land of square units."""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

METRIC = "EPSG:4547"
Board = Callable[..., gpd.GeoDataFrame]


def make_board(weights: list[list[float]], *, size_m: float = 100.0) -> gpd.GeoDataFrame:
    """Square units, rows from north to south; a unit is called `r0c0`, … and `village` is its half."""
    grid = np.asarray(weights, dtype=float)
    rows, columns = grid.shape
    names = [f"r{row}c{column}" for row in range(rows) for column in range(columns)]
    shapes = [
        shapely.box(column * size_m, (rows - row - 1) * size_m, (column + 1) * size_m, (rows - row) * size_m)
        for row in range(rows)
        for column in range(columns)
    ]
    village = ["west" if column < (columns + 1) // 2 else "east" for _ in range(rows) for column in range(columns)]
    return gpd.GeoDataFrame(
        {"n_households": grid.ravel(), "village": village},
        index=pd.Index(names, name="unit_code"),
        geometry=gpd.GeoSeries(shapes, index=names, crs=METRIC),
    )


@pytest.fixture
def board() -> Board:
    return make_board
