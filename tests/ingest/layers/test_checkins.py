import time

import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.errors import InputError
from gridmap.ingest.gcj02 import to_gcj02
from tests.ingest.town import ZONE, context, degrees, read, reasons, wecom_file

(LON, LAT), *_ = degrees([500], [500])
GCJ_LON, GCJ_LAT = (float(value[0]) for value in to_gcj02(np.array([LON]), np.array([LAT])))
SECONDS = 1_772_668_800  # 2026-03-05 08:00 in Shanghai


def _item(number=0, **changes):
    return {
        "userid": "qs001",
        "groupname": "网格巡查",
        "checkin_type": "外出打卡",
        "exception_type": "",
        "checkin_time": SECONDS + 60 * number,
        "location_title": "大坝",
        "location_detail": "青石乡大坝路",
        "wifiname": "home",
        "notes": "正常",
        "wifimac": "aa:bb",
        "mediaids": ["m1"],
        "lat": round(GCJ_LAT * 1e6),
        "lng": round(GCJ_LON * 1e6),
    } | changes


def _read(tmp_path, *items, **options):
    return read("checkins", wecom_file(tmp_path / "checkins.json", items), **options)


def test_gcj02_times_a_million_becomes_cgcs2000(tmp_path):
    reading = _read(tmp_path, _item())
    (checkin,) = reading.frames["checkins"].to_dict("records")
    assert checkin["happened_at"] == pd.Timestamp("2026-03-05 08:00", tz=ZONE)
    assert checkin["geometry"].distance(shapely.Point(LON, LAT)) < 1e-6
    assert checkin["place"] == "大坝 青石乡大坝路"
    assert checkin["exception"] is None
    assert np.isnan(checkin["accuracy_m"])
    assert reading.datum == "gcj02"
    assert reading.raw_points.to_dict("records") == [
        {"row_number": 1, "raw_x": round(GCJ_LON * 1e6), "raw_y": round(GCJ_LAT * 1e6)}
    ]


@pytest.mark.parametrize("changes", [{"checkin_type": "未打卡"}, {"exception_type": "未打卡"}])
def test_a_missed_checkin_has_no_place(tmp_path, changes):
    reading = _read(tmp_path, _item(lat=0, lng=0, **changes))
    assert reading.n_taken == 1
    assert reading.frames["checkins"].geometry.isna().all()
    assert len(reading.raw_points) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lat": 0, "lng": 0}, "zero_coordinates"),
        ({"lat": round(GCJ_LON * 1e6), "lng": round(GCJ_LAT * 1e6)}, "swapped_axes"),
        ({"lat": 48_860_000, "lng": 2_350_000}, "outside_china"),
        ({"lat": 39_900_000, "lng": 116_400_000}, "outside_township"),
        ({"userid": None}, "missing_value"),
        ({"userid": "stranger"}, "unknown_staff"),
        ({"userid": "13912345678"}, "personal_value"),
        ({"checkin_time": "yesterday"}, "not_a_time"),
        ({"checkin_time": 0}, "not_a_time"),
        ({"notes": "换了说明", "checkin_time": SECONDS}, "repeated_key"),
        ({"checkin_time": SECONDS}, "duplicate"),
    ],
)
def test_a_faulty_checkin_is_refused(tmp_path, changes, code):
    known = context(staff_ids=frozenset({"qs001", "13912345678"}))
    reading = _read(tmp_path, *(_item(number) for number in range(25)), _item(99, **changes), context=known)
    assert reasons(reading) == {26: code}


def test_a_telephone_number_in_a_note_is_masked_and_told(tmp_path):
    reading = _read(tmp_path, _item(notes="请联系13912345678"))
    assert reading.frames["checkins"]["note"].tolist() == ["请联系〔电话〕"]
    assert len(reading.changed) == 1


def test_a_table_of_checkins_is_read_too(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(f"账号,打卡类型,打卡时间,经度,纬度,定位精度\nqs1,签到,2026-03-05 08:00,{LON},{LAT},15\n", "utf-8")
    checkins = read("checkins", file, datum="cgcs2000").frames["checkins"]
    assert checkins["happened_at"].iloc[0] == pd.Timestamp("2026-03-05 08:00", tz=ZONE)
    assert checkins["accuracy_m"].tolist() == [15.0]


def test_an_error_of_wecom_is_told(tmp_path):
    with pytest.raises(InputError, match="error 40014"):
        read("checkins", wecom_file(tmp_path / "a.json", [], errcode=40014, errmsg="invalid access_token"))


def test_thirty_thousand_checkins_take_seconds(tmp_path):
    rng = np.random.default_rng(1)
    lat, lng = GCJ_LAT * 1e6 + rng.integers(-900, 900, 30_000), GCJ_LON * 1e6 + rng.integers(-900, 900, 30_000)
    items = [_item(n, lat=int(y), lng=int(x)) for n, (y, x) in enumerate(zip(lat, lng, strict=True))]
    file = wecom_file(tmp_path / "a.json", items)
    started = time.perf_counter()
    assert read("checkins", file).n_taken == 30_000
    assert time.perf_counter() - started < 30, "measured 1.3 s; a wide margin for slow machines"
