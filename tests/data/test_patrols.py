"""Checkpoints, staff and check-ins."""

import json

import numpy as np
import pytest
import shapely

REMOTE = "荷叶塘村"


def test_about_160_checkpoints_on_dry_ground_of_the_township(checkpoints, township, river):
    assert 150 <= len(checkpoints) <= 170
    assert checkpoints["巡查点编号"].is_unique
    assert set(checkpoints["职责"]) == {"防火", "防汛", "安全", "道路", "服务", "走访"}
    assert checkpoints["频次"].str.fullmatch(r"每[周月]\d次").all()
    assert checkpoints.within(township).all()
    assert not checkpoints.intersects(river).any()


def test_every_grid_has_four_or_more_checkpoints(checkpoints, grids):
    found = checkpoints.sjoin(grids[["网格代码", "geometry"]], predicate="within").groupby("网格代码").size()
    assert len(found) == 34
    assert found.min() >= 4


def test_no_service_point_in_the_remote_village(checkpoints, villages):
    service = checkpoints[checkpoints["职责"] == "服务"].sjoin(
        villages[["名称", "geometry"]].rename(columns={"名称": "村"}), predicate="within"
    )
    assert set(service["村"]) == set(villages["名称"]) - {REMOTE}


def test_exactly_two_checkpoints_are_never_visited(checkpoints, checkins):
    tree = shapely.STRtree(checkins.geometry.to_numpy())
    nearest = tree.query_nearest(checkpoints.geometry.to_numpy(), return_distance=True, all_matches=False)[1]
    assert (nearest > 100).sum() == 2
    assert np.sort(nearest)[-3] < 30
    near = tree.query(checkpoints.geometry.to_numpy(), predicate="dwithin", distance=50)[0]
    visits = np.bincount(near, minlength=len(checkpoints))
    assert (visits == 0).sum() == 2
    assert np.sort(visits)[2] > 8


def test_form_of_the_rows(checkin_rows):
    whole = {
        "userid", "groupname", "checkin_type", "exception_type", "checkin_time", "location_title", "location_detail", "wifiname", "notes",
        "wifimac", "mediaids", "lat", "lng",
    }  # fmt: skip
    assert set(checkin_rows[0]) == whole
    must = {"userid", "groupname", "checkin_type", "checkin_time", "lat", "lng"}
    assert all(must <= set(row) <= whole for row in checkin_rows)
    assert all(isinstance(row["lat"], int) and isinstance(row["lng"], int) for row in checkin_rows)
    assert 29_000 <= len(checkin_rows) <= 31_500


def test_thirteen_months_in_order(checkin_rows, checkins):
    times = [row["checkin_time"] for row in checkin_rows]
    assert times == sorted(times)
    assert str(checkins["at"].min())[:10] == "2025-10-01"
    assert str(checkins["at"].max())[:16] <= "2026-10-31 17:40"
    assert str(checkins["at"].max())[:10] == "2026-10-31"
    per_day = checkins.groupby(checkins["at"].dt.date).size()
    assert len(per_day) == 396
    assert (checkins["at"] >= "2026-10-31 00:00+08:00").sum() >= 60


def test_one_percent_stand_twice(checkin_rows):
    keys = [(row["userid"], row["checkin_time"], row["checkin_type"]) for row in checkin_rows]
    again = len(keys) - len(set(keys))
    assert 0.007 < again / len(keys) < 0.013
    assert len({json.dumps(row, sort_keys=True) for row in checkin_rows}) == len(set(keys))


def test_missed_clockings_have_no_place(checkin_rows):
    for row in checkin_rows:
        assert (row["lat"] == 0) == (row["lng"] == 0) == (row.get("exception_type") == "未打卡")
    kinds = {row.get("exception_type", "") for row in checkin_rows}
    assert kinds == {"", "未打卡", "时间异常", "地点异常", "非常用设备"}


def test_places_are_gcj02_and_lie_in_the_township(checkins, township):
    usual = checkins[checkins["exception_type"] != "地点异常"]
    assert usual.within(township.buffer(60)).all()
    unshifted = shapely.distance(checkins.geometry.to_numpy(), township) > 0
    assert unshifted.mean() < 0.01


def test_gps_noise_is_that_of_phones(checkins, checkpoints):
    titled = checkins[(checkins["groupname"] == "巡查") & checkins["exception_type"].isna()]
    tree = shapely.STRtree(checkpoints.geometry.to_numpy())
    off = tree.query_nearest(titled.geometry.to_numpy(), return_distance=True, all_matches=False)[1]
    assert 5 <= np.median(off) <= 15
    assert np.quantile(off, 0.99) <= 40


def test_people_work_by_day_on_weekdays_and_watch_water_in_the_rains(checkins):
    field = checkins[checkins["checkin_type"] == "外出打卡"]
    hour = field["at"].dt.hour
    assert hour.between(7, 20).mean() > 0.97
    weekday = field.groupby(field["at"].dt.date).size()
    is_weekend = np.array([day.weekday() >= 5 for day in weekday.index])
    assert weekday[~is_weekend].mean() > 1.3 * weekday[is_weekend].mean()


def test_flood_points_are_visited_more_in_the_rains(checkins, checkpoints):
    flood = checkpoints[checkpoints["职责"] == "防汛"]
    near = checkins[checkins["groupname"] == "巡查"].sjoin(
        flood[["巡查点编号", "geometry"]].set_geometry(flood.buffer(50)), predicate="within"
    )
    month = near["at"].dt.month
    assert month.isin([4, 5, 6]).sum() / 91 > 1.15 * month.isin([11, 12, 1]).sum() / 92


def test_known_points_of_gcj02(gcj_shift):
    """Published pairs (eviltransform): WGS 84 -> GCJ-02."""
    pairs = [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ]
    for (lon, lat), (shifted_lon, shifted_lat) in pairs:
        east, north = gcj_shift(np.array([shifted_lon]), np.array([shifted_lat]))
        assert shifted_lon - east[0] == pytest.approx(lon, abs=1e-5)
        assert shifted_lat - north[0] == pytest.approx(lat, abs=1e-5)


def test_staff_lead_and_serve_every_grid(staff, grids, villages):
    assert staff["账号"].str.fullmatch(r"qs\d{4}").all()
    assert staff["姓名"].is_unique
    serving = staff[staff["离任日期"].isna()]
    chiefs = serving[serving["职务"] == "网格长"].groupby("所属代码").size()
    assert (chiefs.reindex([*grids["网格代码"], *villages["代码"], "439901101"]) == 1).all()
    assert set(serving["队伍"].dropna()) == {"咨询服务", "民生通道", "矛调处理", "应急处突", "文明实践"}
    assert 3 <= staff["离任日期"].notna().sum() <= 10


def test_only_people_in_office_check_in(staff, checkins):
    postings = staff.set_index("账号")
    left = postings["离任日期"].dropna()
    gone = checkins[checkins["userid"].isin(left.index)]
    assert (gone["at"].dt.tz_localize(None).dt.normalize() <= gone["userid"].map(left)).all()
    assert set(checkins["userid"]) <= set(postings.index)
