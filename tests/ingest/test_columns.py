import json

import pytest

from gridmap.errors import InputError
from gridmap.ingest.columns import (
    Column,
    Part,
    datum_of_header,
    read_mapping,
    recognise,
    require_mapping,
    require_recognised,
)

PART = Part(
    name="households",
    columns=(
        Column(target="code", headers=("户编号", "户号")),
        Column(target="n", headers=("人口数",)),
        Column(target="day", headers=("更新日期",), is_required=False),
    ),
    place="point",
)


def _fit(*headers, **options):
    return recognise(PART, headers, **options)


def test_headers_are_known_by_official_name_synonym_and_english_target():
    fit = _fit("户号", "N", "经度", "纬度")
    assert fit.header_of == {"code": "户号", "n": "N", "lon": "经度", "lat": "纬度"}
    assert fit.missing == ()


@pytest.mark.parametrize("header", [" 人口数 ", "人口数（人）", "*人口数", "人口数：", "人 口 数", "人口数(人)"])
def test_marks_blanks_and_units_do_not_matter(header):
    assert _fit("户编号", header, "x", "y").header_of["n"] == header


def test_missing_columns_are_listed_with_what_was_found():
    fit = _fit("户编号", "电话")
    with pytest.raises(InputError, match=r"lacks the columns `人口数`, `经度 \+ 纬度`; found: `户编号`, `电话`"):
        require_recognised(fit, file="a.xlsx", headers=("户编号", "电话"))


def test_one_coordinate_is_not_a_place():
    assert [column.target for column in _fit("户编号", "人口数", "经度").missing] == ["lon, lat"]


def test_geometries_need_no_coordinate_columns():
    assert _fit("户编号", "人口数", has_geometry=True).missing == ()


@pytest.mark.parametrize("headers", [("户编号", "户编号", "人口数", "x", "y"), ("户编号", "户号", "人口数", "x", "y")])
def test_two_columns_for_one_target_are_refused(headers):
    with pytest.raises(InputError, match="more than one column that could be `code`"):
        require_recognised(_fit(*headers), file="a.xlsx", headers=headers)


def test_a_mapping_settles_it():
    fit = _fit("户编号", "户号", "人口数", "东", "北", mapping={"code": "户号", "x": "东", "y": "北"})
    assert (fit.header_of["code"], fit.header_of["x"], fit.header_of["y"]) == ("户号", "东", "北")
    assert fit.ambiguous == {}


def test_a_mapping_to_an_unknown_target_is_refused():
    with pytest.raises(InputError, match=r"unknown targets: `nothing`\. Known: code, n, day, lon"):
        require_mapping({"nothing": "x"}, [PART])


@pytest.mark.parametrize("content", ['code = "户号"\nn = "人数"\n', json.dumps({"code": "户号", "n": "人数"})])
def test_a_mapping_is_read_from_toml_and_json(tmp_path, content):
    file = tmp_path / ("m.json" if content.startswith("{") else "m.toml")
    file.write_text(content, "utf-8")
    assert read_mapping(file) == {"code": "户号", "n": "人数"}


@pytest.mark.parametrize(
    ("name", "content"), [("m.toml", "code = "), ("m.json", '{"code": 1}'), ("m.json", "[1]"), ("m.toml", None)]
)
def test_a_broken_mapping_is_refused(tmp_path, name, content):
    file = tmp_path / name
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(InputError, match="mapping"):
        read_mapping(file)


@pytest.mark.parametrize(
    ("header", "datum"),
    [
        ("经度(GCJ02)", "gcj02"),
        ("高德经度", "gcj02"),
        ("百度经度", "bd09"),
        ("lng_bd09ll", "bd09"),
        ("WGS84经度", "wgs84"),
        ("经度（CGCS2000）", "cgcs2000"),
        ("经度", None),
    ],
)
def test_a_header_can_name_the_datum(header, datum):
    assert datum_of_header(header) == datum


def test_a_datum_in_the_header_is_part_of_the_fit():
    fit = _fit("户编号", "人口数", "高德经度", "高德纬度")
    assert (fit.header_of["lon"], fit.datum) == ("高德经度", "gcj02")
