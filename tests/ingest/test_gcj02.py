import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.ingest import gcj02

DEGREE_M = 111_320.0


def _arrays(lon, lat):
    return np.array([lon], dtype=float), np.array([lat], dtype=float)


@pytest.mark.parametrize(
    ("lon", "lat", "gcj_lon", "gcj_lat"),
    [
        # Reference points that public implementations of several authors agree on (Shanghai, Shenzhen, Beijing).
        (121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
        (113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
        (116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
        (116.404, 39.915, 116.41024449916938, 39.91640428150164),
    ],
)
def test_published_points_are_met(lon, lat, gcj_lon, gcj_lat):
    east, north = gcj02.to_gcj02(*_arrays(lon, lat))
    assert east[0] == pytest.approx(gcj_lon, abs=1e-11)
    assert north[0] == pytest.approx(gcj_lat, abs=1e-11)


def test_the_answer_of_a_map_service_is_met():
    """A published example answer: GCJ-02 120.026268, 30.279164 is BD-09 120.032768, 30.285238."""
    lon, lat = gcj02.to_bd09(*gcj02.from_gcj02(*_arrays(120.026268, 30.279164)))
    assert lon[0] == pytest.approx(120.032768, abs=1e-6)
    assert lat[0] == pytest.approx(30.285238, abs=1e-6)


@given(st.floats(73.5, 135.5), st.floats(3.5, 53.5))
def test_there_and_back_is_below_a_millimetre(lon, lat):
    for there, back in ((gcj02.to_gcj02, gcj02.from_gcj02), (gcj02.to_bd09, gcj02.from_bd09)):
        found_lon, found_lat = back(*there(*_arrays(lon, lat)))
        assert abs(found_lon[0] - lon) * DEGREE_M < 1e-3
        assert abs(found_lat[0] - lat) * DEGREE_M < 1e-3


@given(st.floats(74, 135), st.floats(4, 53))
def test_the_shift_is_between_tens_and_hundreds_of_metres(lon, lat):
    east, north = gcj02.to_gcj02(*_arrays(lon, lat))
    shift = np.hypot((east[0] - lon) * np.cos(np.radians(lat)), north[0] - lat) * DEGREE_M
    assert 30 < shift < 750


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (2.35, 48.86), (139.7, 35.7), (-70.0, -33.0)])
def test_outside_china_nothing_moves(lon, lat):
    for shift in (gcj02.to_gcj02, gcj02.from_gcj02, gcj02.to_bd09, gcj02.from_bd09):
        east, north = shift(*_arrays(lon, lat))
        assert (east[0], north[0]) == (lon, lat)


def test_arrays_are_shifted_alike_and_left_alone():
    lon, lat = np.linspace(100, 120, 50), np.linspace(20, 40, 50)
    before = lon.copy()
    east, north = gcj02.to_gcj02(lon, lat)
    one_by_one = [gcj02.to_gcj02(*_arrays(x, y)) for x, y in zip(lon, lat, strict=True)]
    assert east.tolist() == [x[0] for x, _ in one_by_one]
    assert north.tolist() == [y[0] for _, y in one_by_one]
    assert (lon == before).all()
