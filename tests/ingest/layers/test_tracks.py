"""GPS tracks: fixes with an account and an instant, from CSV, GeoJSON and GPX."""

import json

import pandas as pd
import pytest

from gridmap.errors import InputError
from tests.ingest.town import ZONE, context, degrees, read, reasons

PLACES = degrees([500, 520, 540], [500, 500, 500])
STAFF = frozenset({"qs0051", "qs0052"})


def _csv(tmp_path, *rows, header="轨迹编号,账号,时间,经度,纬度,定位精度"):
    file = tmp_path / "tracks.csv"
    file.write_text("\n".join([header, *rows]), "utf-8")
    return read("tracks", file, datum="wgs84", context=context(staff_ids=STAFF))


def _row(number, **changes):
    lon, lat = PLACES[number]
    cells = {"track": "t1", "who": "qs0051", "at": f"2026-10-30 09:0{number}:00", "lon": lon, "lat": lat, "accuracy": 8}
    return ",".join(str(cell) for cell in (cells | changes).values())


def test_a_table_of_fixes_is_read(tmp_path):
    fixes = _csv(tmp_path, _row(0), _row(1, accuracy=""), _row(2)).frames["tracks"]
    assert fixes["track_code"].tolist() == ["t1"] * 3
    assert fixes["happened_at"].iloc[1] == pd.Timestamp("2026-10-30 09:01", tz=ZONE)
    assert fixes["accuracy_m"].fillna(-1).tolist() == [8, -1, 8]
    assert fixes.geometry.iloc[0].x == pytest.approx(PLACES[0][0])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"who": "nobody"}, "unknown_staff"),
        ({"at": "morning"}, "not_a_time"),
        ({"accuracy": -3}, "out_of_range"),
        ({"lon": 0, "lat": 0}, "zero_coordinates"),
        ({"lon": "", "lat": ""}, "missing_coordinates"),
        ({"lon": 114.6}, "outside_township"),
        ({"at": "2026-10-30 09:00:00"}, "repeated_key"),
        ({"track": ""}, "missing_value"),
    ],
)
def test_a_faulty_fix_is_refused(tmp_path, changes, code):
    assert reasons(_csv(tmp_path, _row(0), _row(1, **changes), _row(2))) == {3: code}


def test_points_with_a_time_are_read_from_geojson(tmp_path):
    features = [
        {
            "type": "Feature",
            "properties": {"track": "t1", "userid": "qs0052", "time": f"2026-10-30T01:0{number}:00Z"},
            "geometry": {"type": "Point", "coordinates": list(place)},
        }
        for number, place in enumerate(PLACES)
    ]
    file = tmp_path / "tracks.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    fixes = read("tracks", file, context=context(staff_ids=STAFF)).frames["tracks"]
    assert fixes["happened_at"].iloc[0] == pd.Timestamp("2026-10-30 09:00", tz=ZONE)
    assert set(fixes["staff_id"]) == {"qs0052"}


def _gpx(file, *, name, segments=((0, 1), (2,))):
    points = "".join(
        "<trkseg>"
        + "".join(
            f'<trkpt lon="{PLACES[k][0]}" lat="{PLACES[k][1]}"><time>2026-10-30T01:0{k}:00Z</time></trkpt>' for k in one
        )
        + "</trkseg>"
        for one in segments
    )
    said = f"<trk><name>{name}</name>{points}</trk>" if segments else '<wpt lon="114.2" lat="27.9"/>'
    file.write_text(f'<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">{said}</gpx>', "utf-8")
    return file


def test_gpx_names_tell_who_walked_and_its_times_are_utc(tmp_path):
    file = _gpx(tmp_path / "walk.gpx", name="早巡 qs0051")
    reading = read("tracks", file, context=context(staff_ids=STAFF))
    fixes = reading.frames["tracks"]
    assert fixes["staff_id"].tolist() == ["qs0051"] * 3
    assert fixes["track_code"].tolist() == ["walk-1-1", "walk-1-1", "walk-1-2"]
    assert fixes["happened_at"].iloc[0] == pd.Timestamp("2026-10-30 09:00", tz=ZONE)
    assert reading.datum == "wgs84"


def test_the_name_of_a_gpx_file_tells_where_the_track_does_not(tmp_path):
    file = _gpx(tmp_path / "2026 qs0052.gpx", name="Track 7")
    assert set(read("tracks", file, context=context(staff_ids=STAFF)).frames["tracks"]["staff_id"]) == {"qs0052"}


def test_gpx_of_an_unknown_person_is_quarantined(tmp_path):
    file = _gpx(tmp_path / "morning.gpx", name="walk")
    assert set(reasons(read("tracks", file, context=context(staff_ids=STAFF))).values()) == {"unknown_staff"}


def test_gpx_without_a_track_is_refused(tmp_path):
    with pytest.raises(InputError, match="no track points"):
        read("tracks", _gpx(tmp_path / "a.gpx", name="", segments=()))
