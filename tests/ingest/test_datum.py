"""The datum of points is decided by their fit to homes and lanes, on simulated townships."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.ingest import gcj02
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.datum import CANDIDATES, fit_datum, is_same, landmark_terms, stated_term, to_cgcs2000

SHIFTS = {"cgcs2000": lambda lon, lat: (lon, lat), "gcj02": gcj02.to_gcj02, "bd09": gcj02.to_bd09}
SIZE_M = 8000.0
N_TOWNSHIPS, N_POINTS = 40, 50


def _township(rng, lon, lat):
    """Hamlets of homes along short lanes, joined by winding paths, around one place of China."""
    zone = 4534 + (round(lon / 3) * 3 - 75) // 3
    middle = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4490).to_crs(zone).iloc[0]
    corner = np.array([middle.x - SIZE_M / 2, middle.y - SIZE_M / 2])
    hamlets = corner + rng.uniform(500, SIZE_M - 500, (40, 2))
    homes, paths = [], []
    for hamlet in hamlets:
        angle = rng.uniform(0, np.pi)
        along = rng.uniform(-150, 150, rng.integers(8, 30))
        lane = np.array([np.cos(angle), np.sin(angle)])
        paths.append(shapely.LineString([hamlet - 160 * lane, hamlet + 160 * lane]))
        side = rng.choice([-1, 1], len(along)) * rng.uniform(8, 25, len(along))
        homes.append(hamlet + along[:, None] * lane + side[:, None] * np.array([-lane[1], lane[0]]))
    for one, other in pairwise(hamlets):
        bend = (one + other) / 2 + rng.normal(0, 200, 2)
        paths.append(shapely.LineString([one, bend, other]))
    outline = shapely.box(*corner, *(corner + SIZE_M))
    places = gpd.GeoSeries([outline, shapely.MultiPoint(np.concatenate(homes)), *paths], crs=zone).to_crs(4490)
    areas = gpd.GeoDataFrame(
        {"area_code": ["439901999"], "level": ["township"], "parent_code": [None], "name": ["乡"]},
        geometry=places[:1].to_numpy(),
        crs=4490,
    )
    known = {"households": places[1:2].explode(), "paths": places[2:]}
    return TownshipContext(township_code="439901999", areas=areas, landmarks=known), np.concatenate(homes), paths, zone


def _degrees(points, zone):
    return shapely.get_coordinates(gpd.GeoSeries(shapely.points(points), crs=zone).to_crs(4490).to_numpy()).T


def _near_homes(rng, homes, n):
    return homes[rng.choice(len(homes), n, replace=False)] + rng.normal(0, 20, (n, 2))


def _along_paths(rng, paths, n):
    """Patrols: on paths with the error of a telephone, one in ten somewhere else."""
    chosen = [paths[number] for number in rng.integers(0, len(paths), n)]
    points = np.array([line.interpolate(rng.uniform(0, 1), normalized=True).coords[0] for line in chosen])
    noise = np.where(rng.uniform(size=(n, 1)) < 0.1, rng.normal(0, 300, (n, 2)), rng.normal(0, 15, (n, 2)))
    return points + noise


def test_at_least_99_of_100_are_right_from_50_points():
    rng = np.random.default_rng(20261031)
    right = wrong = total = 0
    for _ in range(N_TOWNSHIPS):
        context, homes, paths, zone = _township(rng, rng.uniform(100, 122), rng.uniform(22, 45))
        terms = landmark_terms(context)
        for points in (_near_homes(rng, homes, N_POINTS), _along_paths(rng, paths, N_POINTS)):
            lon, lat = _degrees(points, zone)
            for datum, shift in SHIFTS.items():
                found = fit_datum(*shift(lon, lat), context=context, terms=terms).datum
                right += found == datum
                wrong += found not in {datum, None}
                total += 1
    assert right >= 0.99 * total, f"{right} of {total}"
    assert wrong == 0


def test_points_that_have_nothing_to_do_with_the_township_tell_nothing():
    rng = np.random.default_rng(1)
    context, _, _, zone = _township(rng, 114.2, 27.9)
    corner = np.array(gpd.GeoSeries([context.outline], crs=4490).to_crs(zone).iloc[0].bounds[:2])
    terms = landmark_terms(context)
    for _ in range(40):
        lon, lat = _degrees(corner + rng.uniform(0, SIZE_M, (N_POINTS, 2)), zone)
        assert fit_datum(lon, lat, context=context, terms=terms).datum is None


@pytest.mark.parametrize("offset_m", [100, 150, 300])
def test_a_datum_that_is_no_candidate_is_not_mistaken_for_one(offset_m):
    """Beijing 54 and Xi'an 80 lie about 100 m off: such points fit no candidate."""
    rng = np.random.default_rng(offset_m)
    context, homes, _, zone = _township(rng, 114.2, 27.9)
    terms = landmark_terms(context)
    for angle in np.linspace(0, 2 * np.pi, 20):
        offset = offset_m * np.array([np.cos(angle), np.sin(angle)])
        lon, lat = _degrees(_near_homes(rng, homes, N_POINTS) + offset, zone)
        assert fit_datum(lon, lat, context=context, terms=terms).datum is None


def test_few_points_or_one_place_over_and_over_tell_nothing():
    rng = np.random.default_rng(3)
    context, homes, _, zone = _township(rng, 114.2, 27.9)
    terms = landmark_terms(context)
    lon, lat = _degrees(homes[:10], zone)
    assert fit_datum(lon, lat, context=context, terms=terms).datum is None
    assert fit_datum(np.repeat(lon[:1], 500), np.repeat(lat[:1], 500), context=context, terms=terms).datum is None
    assert fit_datum(lon, lat, context=context, terms=[]).datum is None


def test_the_areas_that_rows_name_decide_without_landmarks():
    """Homes of a list are in the group that their row names: squares of 400 m here."""
    rng = np.random.default_rng(4)
    context, homes, _, zone = _township(rng, 114.2, 27.9)
    cells = np.floor(homes / 400) * 400
    stated = shapely.box(cells[:, 0], cells[:, 1], cells[:, 0] + 400, cells[:, 1] + 400)
    lon, lat = _degrees(homes, zone)
    for datum, shift in SHIFTS.items():
        assert fit_datum(*shift(lon, lat), context=context, terms=[stated_term(stated)]).datum == datum


def test_the_order_of_rows_and_missing_points_do_not_matter():
    rng = np.random.default_rng(5)
    context, homes, _, zone = _township(rng, 114.2, 27.9)
    lon, lat = gcj02.to_gcj02(*_degrees(_near_homes(rng, homes, 200), zone))
    lon[::7] = np.nan
    terms = landmark_terms(context)
    assert fit_datum(lon, lat, context=context, terms=terms) == fit_datum(
        lon.copy(), lat.copy(), context=context, terms=terms
    )
    assert fit_datum(lon[::-1], lat[::-1], context=context, terms=terms).datum == "gcj02"


@settings(max_examples=25)
@given(st.sampled_from(CANDIDATES), st.floats(80, 130), st.floats(18, 50))
def test_every_datum_comes_back_to_cgcs2000(datum, lon, lat):
    there = SHIFTS[datum](np.array([lon]), np.array([lat]))
    back = to_cgcs2000(*there, datum=datum)
    assert abs(back[0][0] - lon) < 1e-8
    assert abs(back[1][0] - lat) < 1e-8


def test_wgs84_and_cgcs2000_are_one_and_strange_names_are_refused():
    assert is_same("wgs84", "cgcs2000")
    assert not is_same("gcj02", "cgcs2000")
    with pytest.raises(ValueError, match="`datum` must be one of"):
        to_cgcs2000(np.array([1.0]), np.array([1.0]), datum="beijing54")
