"""The sample township: its three planted hot spots are found, and its real geometry raises no false alarms."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gridmap.analysis.counting import count_points, locate
from gridmap.analysis.hotspots.find import HotSpots, Rules, hot_spots
from gridmap.analysis.hotspots.near import Near, touching

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
METRIC = "EPSG:4547"
RULES = Rules(alpha=0.05, min_households=10, min_expected=5)


@pytest.fixture(scope="module")
def grids() -> gpd.GeoDataFrame:
    """The 34 grids with their households, each a point of the file that has a place in the township."""
    grids = gpd.read_file(SAMPLE / "grids.shp", encoding="GBK").set_index("网格代码")
    rows = pd.read_excel(SAMPLE / "households.xlsx", engine="calamine")
    # 38 is the zone in front of the easting.
    east = pd.to_numeric(rows["横坐标Y"], errors="coerce") - 38_000_000
    homes = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(east, pd.to_numeric(rows["纵坐标X"], errors="coerce")), crs=METRIC
    )
    return grids.assign(homes=count_points(homes, grids)["n_points"].astype(float))


def _judged(counts: pd.Series, grids: gpd.GeoDataFrame, near: Near) -> HotSpots:
    return hot_spots(counts, grids["homes"], near, rules=RULES, permutations=1, rng=np.random.default_rng(1))


def test_the_planted_hot_spots_are_hot(grids: gpd.GeoDataFrame):
    rows = pd.read_excel(SAMPLE / "incidents.xlsx", sheet_name="事件", engine="calamine")
    disputes = rows[rows["类别代码"].str.startswith("D")]
    points = gpd.GeoSeries(gpd.points_from_xy(disputes["经度"], disputes["纬度"]), crs="EPSG:4490").to_crs(METRIC)
    counts = count_points(gpd.GeoDataFrame(geometry=points), grids)["n_points"]
    found = _judged(counts, grids, touching(grids, tolerance_m=2.5))
    # data/README.md says where they are.
    planted = gpd.GeoSeries(gpd.points_from_xy([114.195, 114.221, 114.204], [27.899, 27.897, 27.886]), crs="EPSG:4490")
    places = locate(planted.to_crs(METRIC), grids)
    assert (found.table.loc[places, "class"] == "hot").all()
    assert found.overall.dispersion > 3


def test_slivers_between_hand_drawn_grids_part_no_neighbours(grids: gpd.GeoDataFrame):
    exact, tolerant = (touching(grids, tolerance_m=tolerance_m).n_near for tolerance_m in (0, 2.5))
    assert (tolerant >= exact).all()
    assert exact.min() == 0
    assert tolerant.min() >= 2


@pytest.mark.parametrize("total", [60, 400])
def test_chance_on_the_real_geometry_raises_few_alarms(grids: gpd.GeoDataFrame, total: int):
    near, chance, n_maps = touching(grids, tolerance_m=2.5), np.random.default_rng(total), 100
    share = (grids["homes"] / grids["homes"].sum()).to_numpy()
    alarms = sum(
        _judged(pd.Series(one, index=grids.index), grids, near).table["class"].isin(["hot", "cold"]).any()
        for one in chance.multinomial(total, share, size=n_maps)
    )
    assert alarms <= stats.binom.ppf(0.999, n_maps, RULES.alpha)
