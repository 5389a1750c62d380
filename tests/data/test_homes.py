"""Households along the lanes, and the rows that are wrong."""

import numpy as np
import pandas as pd
import shapely


def test_about_3050_homes_and_10400_people(households):
    assert 3_000 <= len(households) <= 3_100
    assert 10_100 <= households["人口数"].sum() <= 10_700


def test_each_home_lies_in_the_group_it_names(households, groups):
    found = households.sjoin(groups[["代码", "geometry"]], predicate="within")
    assert len(found) == len(households)
    assert (found["代码"] == found["group_code"]).mean() > 0.998


def test_about_26_homes_a_group(households, groups):
    homes = households.groupby("group_code").size().reindex(groups["代码"], fill_value=0)
    assert homes.min() >= 10
    assert homes.max() <= 50
    assert 24 <= homes.median() <= 28


def test_homes_keep_clear_of_lanes_but_not_far(households, metric_paths):
    lanes = shapely.STRtree(metric_paths.geometry.to_numpy())
    far = lanes.query_nearest(households.geometry.to_numpy(), return_distance=True, all_matches=False)[1]
    assert far.min() >= 7
    assert np.quantile(far, 0.99) <= 40


def test_no_home_stands_in_water(households, water):
    assert not households.geometry.intersects(water.geometry.union_all()).any()


def test_homes_do_not_stand_on_each_other(households):
    xy = households.geometry.get_coordinates().to_numpy()
    apart = shapely.STRtree(shapely.points(xy)).query(shapely.points(xy), predicate="dwithin", distance=5.0)
    apart = apart[:, apart[0] < apart[1]]
    assert apart.shape[1] <= 3, "only the rows that were added wrongly may lie beside a home"


def test_twelve_rows_are_wrong_in_the_known_ways(household_rows):
    rows = household_rows
    east, north = (pd.to_numeric(rows[c], errors="coerce") for c in ("横坐标Y", "纵坐标X"))
    assert east.isna().sum() == north.isna().sum() == 2
    assert (north > 38_000_000).sum() == 2
    assert set(rows["人口数"].astype(str)) >= {"约100", "-3", "900", "４"}
    assert rows["户编号"].duplicated().sum() == 1
    assert (rows["村民小组"] == "望江组").sum() == 1
    assert ((east > 38_530_000) & (east < 39_000_000)).sum() == 1
    assert rows["更新日期"].map(lambda value: isinstance(value, str)).sum() == 1


def test_nothing_personal_is_in_the_sheet(household_rows):
    assert list(household_rows.columns) == [
        "户编号", "村", "村民小组", "横坐标Y", "纵坐标X", "人口数", "独居老人", "留守儿童", "残疾人", "低保", "更新日期",
    ]  # fmt: skip
    assert household_rows["户编号"].str.fullmatch(r"QS-\d{2}-\d{4}").all()
