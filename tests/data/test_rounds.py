"""Tracks of the last week and door-to-door visits, as a stranger reads them."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

REMOTE, OVERLOADED = "荷叶塘村", "439901101001005"


@pytest.fixture(scope="module")
def fixes(sample):
    table = pd.read_csv(sample / "tracks.csv", encoding="gb18030", parse_dates=["定位时间"])
    points = gpd.points_from_xy(table["经度(WGS84)"], table["纬度(WGS84)"])
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4490").to_crs("EPSG:4547")


def test_tracks_are_small_and_of_the_last_week(fixes, sample):
    assert (sample / "tracks.csv").stat().st_size < 100_000
    assert fixes["轨迹编号"].nunique() == 5
    assert fixes["定位时间"].min() >= pd.Timestamp("2026-10-25")
    assert fixes["定位时间"].max() < pd.Timestamp("2026-11-01")


def test_each_patrol_passes_the_points_of_its_grid(fixes, checkpoints, grids):
    stops = checkpoints[checkpoints["职责"] != "服务"]
    placed = stops.sjoin(grids[["网格代码", "geometry"]], predicate="within")
    for _, track in fixes.groupby("轨迹编号"):
        way = shapely.LineString(track.geometry.tolist())
        by_grid = placed.assign(far=placed.distance(way)).groupby("网格代码")["far"].max()
        assert by_grid.min() < 60


def test_home_visits_reach_most_homes_but_for_two_teams(sample, household_rows, households, grids):
    visits = pd.read_excel(sample / "home_visits.xlsx", engine="openpyxl", dtype=str)
    assert set(visits["户编号"]) <= set(household_rows["户编号"])
    placed = households.sjoin(grids[["网格代码", "geometry"]], predicate="within").drop_duplicates("户编号")
    grid_of, village_of = placed.set_index("户编号")["网格代码"], placed.set_index("户编号")["村"]
    october = visits[visits["走访日期"].str.startswith("2026-10")]["户编号"].drop_duplicates()
    share = grid_of.reindex(october).value_counts() / grid_of.value_counts()
    low = share[share < 0.9]
    assert OVERLOADED in low.index
    assert set(low.index) - {OVERLOADED} == set(grid_of[village_of == REMOTE])
