"""Density: the sum is the number of incidents, and the surface is the sum of the kernels."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis.density import density_of_places, density_surface
from gridmap.errors import CrsError

METRIC = "EPSG:4547"
BOUNDS = (0.0, 0.0, 4000.0, 3000.0)


def _points(xy: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapely.points(xy), crs=METRIC))


def _kernels(xy: np.ndarray, *, cell_m: float, bandwidth_m: float) -> np.ndarray:
    """The sum of the kernels, and of their images in the edges, at the middles of the cells; per square metre."""
    x = np.arange(BOUNDS[2] / cell_m) * cell_m + cell_m / 2
    y = BOUNDS[3] - (np.arange(BOUNDS[3] / cell_m) * cell_m + cell_m / 2)

    def along(at: np.ndarray, places: np.ndarray, length_m: float) -> np.ndarray:
        images = [places, -places, 2 * length_m - places]
        return sum(np.exp(-((at[:, None] - image) ** 2) / (2 * bandwidth_m**2)) for image in images)

    return along(y, xy[:, 1], BOUNDS[3]) @ along(x, xy[:, 0], BOUNDS[2]).T / (2 * np.pi * bandwidth_m**2)


@pytest.mark.parametrize(("n", "cell_m", "bandwidth_m"), [(3, 50, 200), (3, 50, 100), (300, 100, 200), (3, 20, 500)])
def test_the_surface_is_the_sum_of_the_kernels(n: int, cell_m: float, bandwidth_m: float):
    xy = np.random.default_rng(n).uniform((0, 0), BOUNDS[2:], (n, 2))
    density = density_surface(_points(xy), bounds=BOUNDS, cell_m=cell_m, bandwidth_m=bandwidth_m)
    expected = _kernels(xy, cell_m=cell_m, bandwidth_m=bandwidth_m)
    assert np.abs(density.per_km2 / 1e6 - expected).max() < 0.002 * expected.max()


@pytest.mark.parametrize(("n", "bandwidth_m", "most"), [(310_000, 50, 0.005), (310_000, 200, 0.002)])
def test_many_points_keep_the_promise_too(n: int, bandwidth_m: float, most: float):
    chance = np.random.default_rng(n)
    clusters = chance.uniform((500, 500), (3500, 2500), (8, 2))
    xy = clusters[chance.integers(0, 8, n)] + chance.normal(0, 60, (n, 2))
    density = density_of_places(xy, bounds=BOUNDS, cell_m=25, bandwidth_m=bandwidth_m, crs=pyproj.CRS(METRIC))
    found = density.per_km2 / 1e6
    for row, column in zip(*np.unravel_index(np.argsort(found, axis=None)[-400::100], found.shape), strict=True):
        x, y = 25 * column + 12.5, BOUNDS[3] - 25 * row - 12.5
        kernels = np.exp(-((xy[:, 0] - x) ** 2 + (xy[:, 1] - y) ** 2) / (2 * bandwidth_m**2))
        expected = kernels.sum() / (2 * np.pi * bandwidth_m**2)
        assert abs(found[row, column] - expected) < most * found.max()


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
    density = density_surface(_points(np.array([[520.0, 2430.0]])), bounds=BOUNDS, cell_m=50, bandwidth_m=100)
    assert np.unravel_index(density.values.argmax(), density.values.shape) == (11, 10)
    assert density.bounds == BOUNDS


def test_edges_and_corners_are_inside_and_a_hair_beyond_is_not():
    corners = np.array([[0.0, 0.0], [4000.0, 0.0], [0.0, 3000.0], [4000.0, 3000.0]])
    density = density_surface(_points(corners), bounds=BOUNDS, cell_m=50, bandwidth_m=100)
    assert (density.n_points, density.n_outside) == (4, 0)
    assert density.values[0, 0] == pytest.approx(density.values[-1, -1])
    beyond = density_surface(
        _points(corners + np.array([[-1e-6, 0], [1e-6, 0], [0, 1e-6], [0, 1e-6]])),
        bounds=BOUNDS,
        cell_m=50,
        bandwidth_m=100,
    )
    assert (beyond.n_points, beyond.n_outside) == (0, 4)


def test_a_raster_of_one_cell_holds_everything():
    density = density_surface(
        _points(np.array([[5.0, 5.0], [9.0, 1.0]])), bounds=(0, 0, 10, 10), cell_m=10, bandwidth_m=50
    )
    assert density.values.tolist() == [[2]]


def test_incidents_without_a_place_are_outside():
    points = gpd.GeoDataFrame(geometry=gpd.GeoSeries([None, shapely.Point(1, 1)], crs=METRIC))
    density = density_surface(points, bounds=BOUNDS, cell_m=50, bandwidth_m=100)
    assert (density.n_points, density.n_outside) == (1, 1)


@pytest.mark.parametrize(
    ("cell_m", "bandwidth_m"), [(0, 100), (50, 0), (-1, 100), (float("nan"), 100), (50, float("inf"))]
)
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
