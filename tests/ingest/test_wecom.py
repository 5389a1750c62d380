import json

import pytest

from gridmap.errors import InputError
from gridmap.ingest.limits import Limits
from gridmap.ingest.wecom import checkin_table, is_geojson, read_json

ITEM = {
    "userid": "a",
    "checkin_type": "外出打卡",
    "checkin_time": 1772668800,
    "lat": 27912345,
    "lng": 114123456,
    "mediaids": ["x"],
}


def _table(content):
    return checkin_table(content, name="c.json", encoding="utf-8", limits=Limits(max_rows=3))


def test_items_become_rows_in_gcj02_times_a_million():
    table = _table({"errcode": 0, "checkindata": [ITEM, ITEM | {"notes": " "}]})
    assert table.datum == "gcj02"
    assert table.scale == 1e6
    assert table.row_numbers.tolist() == [1, 2]
    assert table.column("lat").tolist() == [27912345, 27912345]
    assert table.column("notes").isna().all()
    assert "mediaids" not in table.headers


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"errcode": 40014, "errmsg": "invalid access_token"}, "error 40014 .invalid access_token"),
        ({"errcode": 301021, "errmsg": "x", "checkindata": [ITEM]}, "error 301021"),
        ({"errcode": 0, "checkindata": []}, "no rows"),
        ({"errcode": 0, "checkindata": [1]}, "no WeCom"),
        ({"errcode": 0}, "no WeCom"),
        ([ITEM], "no WeCom"),
        ({"errcode": 0, "checkindata": [ITEM] * 4}, "more than 3 rows"),
    ],
)
def test_answers_without_data_are_refused(content, message):
    with pytest.raises(InputError, match=message):
        _table(content)


@pytest.mark.parametrize(
    "text", ['{"checkindata": [{"userid": "a"', "", '{"a": ' * 100_000, '{"a": ' + "1" * 5000 + "}"]
)
def test_broken_json_is_refused_with_its_place(tmp_path, text):
    file = tmp_path / "c.json"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError, match="breaks off or is wrong"):
        read_json(file, name="c.json")


def test_half_a_surrogate_pair_is_no_text():
    table = _table({"errcode": 0, "checkindata": [ITEM | json.loads('{"notes": "a\\ud800"}')]})
    assert table.column("notes").tolist() == ["a?"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"type": "FeatureCollection", "features": []}, True),
        ({"type": "Point", "coordinates": [1, 2]}, True),
        ({"errcode": 0}, False),
        ([], False),
    ],
)
def test_geojson_is_known_by_its_type(content, expected):
    assert is_geojson(json.loads(json.dumps(content))) is expected
