"""Density: the sum is the number of incidents, and the surface is the sum of the kernels."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.density import density_surface
from gridmap.errors import CrsError

METRIC = "EPSG:4547"
BOUNDS = (0.0, 0.0, 4000.0, 3000.0)


def _points(xy: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapely.points(xy), crs=METRIC))


def test_the_surface_is_the_sum_of_the_kernels():
    xy = np.array([[1510.0, 1490.0], [1525.0, 1525.0], [2475.0, 1675.0]])
    cell_m, bandwidth_m = 50.0, 200.0
    density = density_surface(_points(xy), bounds=BOUNDS, cell_m=cell_m, bandwidth_m=bandwidth_m)
    x = np.arange(80) * cell_m + cell_m / 2
    y = 3000 - (np.arange(60) * cell_m + cell_m / 2)
    # Points are counted in cells: the kernels stand over the middles of their cells.
    middles = np.floor(xy / cell_m) * cell_m + cell_m / 2
    expected = sum(
        np.exp(-((x[None, :] - px) ** 2 + (y[:, None] - py) ** 2) / (2 * bandwidth_m**2)) for px, py in middles
    ) / (2 * np.pi * bandwidth_m**2)
    error = np.abs(density.per_km2 / 1e6 - expected).max() / expected.max()
    assert error < 0.005


@given(
    st.lists(st.tuples(st.floats(-500, 4500), st.floats(-500, 3500)), max_size=40),
    st.sampled_from([40.0, 75.0]),
    st.sampled_from([100.0, 400.0]),
)
def test_no_incident_is_lost_at_the_edge(places: list[tuple[float, float]], cell_m: float, bandwidth_m: float):
    density = density_surface(
        _points(np.array(places).reshape(-1, 2)), bounds=BOUNDS, cell_m=cell_m, bandwidth_m=bandwidth_m
    )
    assert density.values.sum() == pytest.approx(density.n_points, rel=1e-9)
    assert density.n_points + density.n_outside == len(places)
    assert (density.values >= 0).all()


def test_north_is_up():
    density = density_surface(_points(np.array([[100.0, 2900.0]])), bounds=BOUNDS, cell_m=50, bandwidth_m=100)
    assert np.unravel_index(density.values.argmax(), density.values.shape) == (2, 2)
    assert density.bounds == BOUNDS


def test_incidents_without_a_place_are_outside():
    points = gpd.GeoDataFrame(geometry=gpd.GeoSeries([None, shapely.Point(1, 1)], crs=METRIC))
    density = density_surface(points, bounds=BOUNDS, cell_m=50, bandwidth_m=100)
    assert (density.n_points, density.n_outside) == (1, 1)


@pytest.mark.parametrize(("cell_m", "bandwidth_m"), [(0, 100), (50, 0), (-1, 100), (float("nan"), 100)])
def test_lengths_that_are_not_above_0_are_refused(cell_m: float, bandwidth_m: float):
    with pytest.raises(ValueError, match="must be above 0"):
        density_surface(_points(np.zeros((1, 2))), bounds=BOUNDS, cell_m=cell_m, bandwidth_m=bandwidth_m)


def test_degrees_are_refused():
    with pytest.raises(CrsError):
        density_surface(
            _points(np.zeros((1, 2))).set_crs("EPSG:4490", allow_override=True),
            bounds=BOUNDS,
            cell_m=50,
            bandwidth_m=100,
        )
