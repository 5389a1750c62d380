import numpy as np
import pyproj
import pytest

from gridmap.errors import CrsError
from gridmap.ingest.projected import are_projected, find_projection, to_degrees, zone_of_prefix
from tests.ingest.town import EAST_M, NORTH_M, context

EAST, NORTH = EAST_M + np.arange(10.0) * 100, NORTH_M + np.arange(10.0) * 100


def _find(first, second, **options):
    options = {"context": context(), "crs": None} | options
    return find_projection(first, second, file="a.xlsx", **options)


@pytest.mark.parametrize("prefix", [*range(13, 24), *range(25, 46)])
def test_a_prefix_is_the_zone_that_its_epsg_name_says(prefix):
    crs = pyproj.CRS.from_epsg(zone_of_prefix(prefix))
    assert crs.name.endswith(f"zone {prefix}")
    assert crs.coordinate_operation.params[-2].value == prefix * 1e6 + 500_000


@pytest.mark.parametrize("prefix", [0, 12, 24, 46])
def test_other_prefixes_are_no_zone(prefix):
    assert zone_of_prefix(prefix) is None


@pytest.mark.parametrize(
    ("east", "epsg"),
    [(EAST + 38e6, 4526), (EAST, 4547)],
)
def test_the_zone_is_in_the_number_or_in_the_township(east, epsg):
    found = _find(east, NORTH)
    assert found.crs.to_epsg() == epsg
    assert not found.is_north_first
    lon, lat = to_degrees(east, NORTH, crs=found.crs)
    straight = to_degrees(EAST, NORTH, crs=pyproj.CRS.from_epsg(4547))
    assert np.abs(lon - straight[0]).max() < 1e-10
    assert np.abs(lat - straight[1]).max() < 1e-10


def test_a_six_degree_zone_is_found_by_where_it_puts_the_township():
    six = pyproj.Transformer.from_crs(4547, 4508, always_xy=True)
    east, north = six.transform(EAST, NORTH)
    assert _find(east, north).crs.to_epsg() == 4508
    prefixed = pyproj.Transformer.from_crs(4547, 4497, always_xy=True).transform(EAST, NORTH)
    assert _find(*prefixed).crs.to_epsg() == 4497


def test_columns_the_other_way_round_are_found_by_their_range():
    found = _find(NORTH, EAST + 38e6)
    assert found.is_north_first
    assert not found.is_swapped.any()


def test_single_rows_the_other_way_round_are_marked():
    first, second = EAST + 38e6, NORTH.copy()
    first[3], second[3] = second[3], first[3]
    found = find_projection(np.tile(first, 3), np.tile(second, 3), file="a", context=None, crs=None)
    assert np.flatnonzero(found.is_swapped).tolist() == [3, 13, 23]


def test_half_and_half_is_refused():
    first, second = np.concatenate([EAST, NORTH]), np.concatenate([NORTH, EAST])
    with pytest.raises(CrsError, match="mixes east and north: 10 rows"):
        _find(first, second)


def test_a_zone_that_nobody_tells_is_asked_for():
    with pytest.raises(CrsError, match="carry no zone number"):
        _find(EAST, NORTH, context=None)
    with pytest.raises(CrsError, match="carry no zone number"):
        _find(EAST, NORTH - 1_000_000)


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(CrsError, match="zone number 24"):
        _find(EAST + 24e6, NORTH)


def test_metres_are_told_from_degrees():
    assert are_projected(EAST, NORTH)
    assert not are_projected(np.array([114.0, np.nan]), np.array([28.0, 1.0]))
    assert not are_projected(np.array([np.nan]), np.array([np.nan]))
