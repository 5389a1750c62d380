"""The entry: every bad file ends in one clear sentence with nothing half done, and the sample is read as it is."""

import json
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from gridmap.errors import CrsError, GridmapError, InputError
from gridmap.frames import FRAMES, require_frame
from gridmap.ingest.context import TownshipContext
from gridmap.ingest.datum import DatumUnknown
from gridmap.ingest.limits import Limits
from gridmap.ingest.reading import LAYERS, read_layer
from gridmap.texts import catalogue
from tests.ingest.town import (
    HOUSEHOLD_HEADERS,
    ZONE,
    areas_file,
    degrees,
    household,
    households_file,
    read,
    wecom_file,
    workbook,
)

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
OLE = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
VRT = '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
POINT = {"type": "Feature", "properties": {"户编号": "1"}, "geometry": {"type": "Point", "coordinates": [114, 28]}}


def _text(tmp_path, name, text, encoding="utf-8"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return file


def _zip(tmp_path, members):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return tmp_path / "a.zip"


def _without(tmp_path, ending):
    file = areas_file(tmp_path / "areas.shp")
    file.with_suffix(ending).unlink()
    return file


def _relabelled(tmp_path):
    """Metres that claim to be degrees."""
    return areas_file(tmp_path / "areas.gpkg", crs=4490)


def _laughing_workbook(tmp_path):
    good = households_file(tmp_path / "good.xlsx", [household(1)])
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as target:
        for info in source.infolist():
            data = source.read(info)
            target.writestr(info.filename, LAUGHS.encode() + data if info.filename.endswith("sheet1.xml") else data)
    return tmp_path / "a.xlsx"


def _csv_of_degrees(tmp_path):
    rows = [
        f"Q{n},石桥村,一组,3,{lon},{lat}"
        for n, (lon, lat) in enumerate(degrees(range(100, 900, 10), range(100, 900, 10)))
    ]
    return _text(tmp_path, "a.csv", "\n".join(["户编号,村,村民小组,人口数,经度,纬度", *rows]))


def _few_degrees(tmp_path):
    file = _csv_of_degrees(tmp_path)
    lines = file.read_text("utf-8").splitlines()[:6]
    return _text(tmp_path, "few.csv", "\n".join(lines))


def _geojson(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False)


BAD = {
    "a folder": ("households", lambda p: p, InputError, "is a folder"),
    "a missing file": ("households", lambda p: p / "none.xlsx", InputError, "There is no file"),
    "an empty file": ("households", lambda p: _text(p, "a.csv", ""), InputError, "is empty"),
    "a strange ending": ("households", lambda p: _text(p, "a.docx", "x"), InputError, "kind that cannot be read"),
    "a PDF called xlsx": ("households", lambda p: _text(p, "a.xlsx", "%PDF-1.7"), InputError, "really a PDF"),
    "a password": ("households", lambda p: _text(p, "a.xlsx", OLE), InputError, "protected by a password"),
    "an old workbook": ("households", lambda p: _text(p, "a.xlsx", OLE[:500]), InputError, "an old Excel file"),
    "UTF-16": ("households", lambda p: _text(p, "a.csv", "户编号,人口数\n1,2\n", "utf-16"), InputError, "is UTF-16"),
    "truncated GeoJSON": ("paths", lambda p: _text(p, "a.geojson", _geojson(POINT)[:-9]), InputError, "breaks off"),
    "truncated WeCom": ("checkins", lambda p: _text(p, "a.json", '{"checkindata": [{"us'), InputError, "breaks off"),
    "a WeCom error": ("checkins", lambda p: wecom_file(p / "a.json", [], errcode=40014), InputError, "error 40014"),
    "JSON of another kind": ("households", lambda p: _text(p, "a.json", "{}"), InputError, "plain JSON"),
    "101 columns": (
        "households",
        lambda p: workbook(p / "a.xlsx", {"s": [[f"c{n}" for n in range(101)], [1]]}),
        InputError,
        "has 101 columns, more than the limit of 100",
    ),
    "unknown columns": (
        "households",
        lambda p: workbook(p / "a.xlsx", {"s": [["甲", "户编号"], [1, 2]]}),
        InputError,
        r"lacks the columns `村民小组`, `人口数`, `经度 \+ 纬度`; found: `甲`, `户编号`",
    ),
    "the same header twice": (
        "households",
        lambda p: workbook(p / "a.xlsx", {"s": [[*HOUSEHOLD_HEADERS, "人口数"], [*household(1), 4]]}),
        InputError,
        "more than one column that could be `n_residents`",
    ),
    "two sheets": (
        "households",
        lambda p: workbook(
            p / "a.xlsx", {"一": [HOUSEHOLD_HEADERS, household(1)], "二": [HOUSEHOLD_HEADERS, household(2)]}
        ),
        InputError,
        "several sheets that fit: `一`, `二`. Choose one with `--sheet`",
    ),
    "merged header cells": (
        "households",
        lambda p: workbook(p / "a.xlsx", {"s": [HOUSEHOLD_HEADERS, household(1)]}, merge="D1:E1"),
        InputError,
        "has merged cells in its header",
    ),
    "only a header": ("households", lambda p: households_file(p / "a.xlsx", []), InputError, "has no rows"),
    "no .prj": ("areas", lambda p: _without(p, ".prj"), CrsError, "has no coordinate system"),
    "no .shx": ("areas", lambda p: _without(p, ".shx"), InputError, r"lacks \.shx"),
    "no .dbf": ("areas", lambda p: _without(p, ".dbf"), InputError, r"lacks \.dbf"),
    "a wrong coordinate system": ("areas", _relabelled, CrsError, "do not fit its coordinate system `EPSG:4490`"),
    "an unknown datum": ("households", _few_degrees, DatumUnknown, "Say it with `--datum`"),
    "VRT in disguise": ("paths", lambda p: _text(p, "a.geojson", VRT), InputError, "does not hold JSON"),
    "VRT in a zip": ("paths", lambda p: _zip(p, {"a.geojson": VRT}), InputError, "does not hold JSON"),
    "VRT called KML": ("paths", lambda p: _text(p, "a.kml", VRT), InputError, "does not match its kind"),
    "VRT called shapefile": (
        "paths",
        lambda p: _zip(p, {"a.shp": VRT, "a.shx": VRT, "a.dbf": VRT}),
        InputError,
        "does not match its kind|has no coordinate system",
    ),
    "laughs in KML": ("paths", lambda p: _text(p, "a.kml", LAUGHS + "<kml>&b;</kml>"), InputError, "document type"),
    "laughs in GPX": ("paths", lambda p: _text(p, "a.gpx", LAUGHS + "<gpx>&b;</gpx>"), InputError, "document type"),
    "laughs in a workbook": ("households", _laughing_workbook, InputError, "document type"),
    "a zip bomb": ("paths", lambda p: _zip(p, {"a.geojson": b"0" * 9_000_000}), InputError, "unpacks to too much"),
    "a zip that climbs": ("paths", lambda p: _zip(p, {"../a.geojson": "{}"}), InputError, "points outside"),
    "a zip of nothing": (
        "paths",
        lambda p: _zip(p, {"readme.doc": "x"}),
        InputError,
        "holds no file that can be loaded",
    ),
    "a damaged zip": ("paths", lambda p: _text(p, "a.zip", "PK nonsense"), InputError, "damaged"),
    "an unclosed quote": (
        "checkpoints",
        lambda p: _text(p, "a.csv", '编号,名称\n1,"甲\n'),
        InputError,
        "broken near line",
    ),
    "a table where shapes are needed": (
        "grids",
        lambda p: _text(p, "a.csv", "网格代码,网格名称\n1,x\n"),
        InputError,
        "has no shapes",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_ends_in_one_clear_sentence(tmp_path, case):
    layer, make, error, message = BAD[case]
    file = make(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(error, match=message) as caught:
        read(layer, file)
    sentence = str(caught.value)
    assert isinstance(caught.value, GridmapError)
    assert "`" in sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    assert sentence.endswith(".")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_file_above_the_limit_is_refused(tmp_path):
    file = households_file(tmp_path / "a.xlsx", [household(1)])
    with pytest.raises(InputError, match="more than the limit of"):
        read("households", file, limits=Limits(max_bytes=100))


def test_wrong_use_is_told(tmp_path):
    file = households_file(tmp_path / "a.xlsx", [household(1)])
    with pytest.raises(InputError, match="There is no layer `houses`"):
        read("houses", file)
    with pytest.raises(InputError, match="`datum` must be one of"):
        read("households", file, datum="beijing54")
    with pytest.raises(InputError, match="Load `areas` first"):
        read("households", file, context=None)
    with pytest.raises(InputError, match=r"has no sheet `三`\. Found: 住户"):
        read("households", file, sheet="三")
    with pytest.raises(InputError, match="unknown targets: `age`"):
        read("households", file, mapping={"age": "年龄"})


def test_a_chosen_sheet_and_a_mapping_of_ones_own(tmp_path):
    headers = ["门牌", *HOUSEHOLD_HEADERS[1:]]
    sheets = {"一": [headers, household(1)], "二": [headers, household(2)]}
    reading = read("households", workbook(tmp_path / "a.xlsx", sheets), sheet="二", mapping={"household_code": "门牌"})
    assert reading.frames["households"]["household_code"].tolist() == ["QS-01-0002"]


def test_the_datum_of_a_list_is_told_by_the_groups_that_its_rows_name(tmp_path):
    """Groups of a square kilometre are too blunt for 80 homes along one line: then it is asked for, never guessed."""
    with pytest.raises(DatumUnknown):
        read("households", _csv_of_degrees(tmp_path))


@pytest.mark.parametrize("pack", ["zip", "siblings"])
def test_a_shapefile_comes_as_zip_or_with_its_siblings(tmp_path, pack):
    areas_file(tmp_path / "areas.shp")
    parts = sorted(tmp_path.glob("areas.*"))
    if pack == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            for part in parts:
                packed.write(part, f"青石乡/{part.name}")
        parts = [tmp_path / "a.zip"]
    assert read("areas", *parts).n_taken == 7


def test_reading_twice_gives_the_same(tmp_path):
    rows = [household(number) for number in range(1, 30)] + [household(31, 人口数="约3"), household(32, 人口数="４")]
    file = households_file(tmp_path / "a.xlsx", rows)
    one, other = read("households", file), read("households", file)
    assert one.frames["households"].equals(other.frames["households"])
    assert one.quarantined.equals(other.quarantined)
    assert one.changed.equals(other.changed)
    assert one.file == other.file


def test_the_facts_of_the_file_and_the_preview(tmp_path):
    file = households_file(tmp_path / "户.xlsx", [household(number) for number in range(1, 40)])
    reading = read("households", file)
    assert reading.file.name == "户.xlsx"
    assert reading.file.n_bytes == file.stat().st_size
    assert list(reading.preview.columns) == list(HOUSEHOLD_HEADERS)
    assert reading.preview.index.tolist() == list(range(2, 22))
    assert reading.n_changed == 0


def test_columns_and_sheets_that_are_not_used_are_told(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "住户"
    book.active.append([*HOUSEHOLD_HEADERS, "屋顶颜色"])
    book.active.append([*household(1), "红"])
    book.create_sheet("说明").append(["本表由网格员填写"])
    book.save(tmp_path / "a.xlsx")
    reading = read("households", tmp_path / "a.xlsx")
    assert "columns not used: `屋顶颜色`" in reading.notes
    assert "sheet not used: `说明`" in reading.notes


def test_nothing_of_the_work_is_left_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    (tmp_path / "in").mkdir()
    read("areas", areas_file(tmp_path / "in" / "areas.shp"))
    with pytest.raises(InputError):
        read("paths", _zip(tmp_path / "in", {"a.geojson": VRT}))
    assert list((tmp_path / "temp").iterdir()) == []


def test_every_reason_and_change_has_a_sentence():
    """Codes are put together in the code: each must be in the catalogue."""
    sources = "\n".join(
        file.read_text("utf-8") for file in (Path(__file__).parents[2] / "gridmap" / "ingest").rglob("*.py")
    )
    for key in catalogue("en"):
        area, _, name = key.partition(".")
        kind, _, code = name.partition("_")
        if area == "ingest" and kind in {"reason", "change", "dropped"}:
            assert f'"{code}"' in sources or f'"ingest.{name}"' in sources, f"{key} is never used"


@pytest.fixture(scope="module")
def sample():
    """The sample township, read in its order; each layer knows those before it."""
    if not (SAMPLE / "incidents.xlsx").exists():
        pytest.skip("the sample has not been generated")
    readings = {"areas": read_layer("areas", [SAMPLE / "areas.shp"], context=None, zone=ZONE)}
    areas = readings["areas"].frames["areas"]
    township = areas.loc[areas["level"] == "township", "area_code"].iloc[0]
    known: dict = {}
    landmarks: dict = {}
    for layer, name in (
        ("grids", "grids.shp"),
        ("households", "households.xlsx"),
        ("paths", "paths.geojson"),
        ("water", "water.geojson"),
        ("checkpoints", "checkpoints.csv"),
        ("staff", "staff.xlsx"),
        ("checkins", "checkins.json"),
        ("tracks", "tracks.csv"),
        ("home_visits", "home_visits.xlsx"),
        ("incidents", "incidents.xlsx"),
    ):
        context = TownshipContext(township_code=township, areas=areas, landmarks=landmarks, **known)
        readings[layer] = read_layer(layer, [SAMPLE / name], context=context, zone=ZONE)
        frame = readings[layer].frames[layer]
        if layer == "grids":
            known["grid_codes"] = frozenset(frame["grid_code"])
        if layer == "households":
            known["household_codes"] = frozenset(frame["household_code"])
        if layer == "staff":
            known["staff_ids"] = frozenset(frame["staff_id"])
        if layer in {"households", "paths", "checkpoints"}:
            landmarks[layer] = frame.geometry
    return readings


# The sample township has files only: no grid tree of a work platform.
@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "platform_grids"])
def test_the_sample_is_read_and_its_books_balance(sample, layer):
    reading = sample[layer]
    assert reading.n_taken + reading.n_quarantined == reading.n_read
    assert reading.n_taken == sum(len(frame) for frame in reading.frames.values())
    assert reading.n_quarantined < 0.02 * reading.n_read
    for name, frame in reading.frames.items():
        require_frame(name, frame)
        assert set(FRAMES[name].columns) <= set(frame.columns)


def test_the_sample_is_understood_as_it_was_written(sample):
    assert {layer: (reading.crs, reading.datum) for layer, reading in sample.items()} == {
        "areas": ("EPSG:4547", "cgcs2000"),
        "grids": ("EPSG:4547", "cgcs2000"),
        "households": ("EPSG:4526", "cgcs2000"),
        "paths": ("EPSG:4326", "wgs84"),
        "water": ("EPSG:4326", "wgs84"),
        "checkpoints": (None, "cgcs2000"),
        "staff": (None, None),
        "checkins": (None, "gcj02"),
        "tracks": (None, "wgs84"),
        "home_visits": (None, None),
        "incidents": (None, "cgcs2000"),
    }
    assert {sample[layer].encoding for layer in ("areas", "grids", "checkpoints")} == {"gb18030"}


def test_the_bad_rows_of_the_sample_are_found(sample):
    found = set(sample["households"].quarantined["reason_code"])
    expected = {
        "missing_coordinates",
        "swapped_axes",
        "not_a_number",
        "out_of_range",
        "outside_township",
        "repeated_key",
        "unknown_group",
    }
    assert expected <= found
    assert len(sample["households"].changed) >= 2


def test_the_sample_has_its_places_where_they_belong(sample):
    areas = sample["areas"].frames["areas"].set_index("area_code").geometry
    homes = sample["households"].frames["households"]
    inside = shapely.covers(areas.loc[homes["group_code"]].to_numpy(), homes.geometry.to_numpy())
    assert inside.mean() > 0.99
    checkins = sample["checkins"].frames["checkins"]
    metres = gpd.GeoSeries(checkins.geometry.dropna().to_numpy(), crs=4490).to_crs(4547)
    lanes = sample["paths"].frames["paths"].to_crs(4547).geometry.to_numpy()
    _, distances = shapely.STRtree(lanes).query_nearest(metres.to_numpy(), return_distance=True, all_matches=False)
    assert pd.Series(distances).median() < 40


def test_the_sample_in_another_datum_is_asked_about_or_undone(sample, tmp_path):
    """The same checkpoints in GCJ-02, without saying so, land within a metre of where they are."""
    from gridmap.ingest.gcj02 import to_gcj02

    areas = sample["areas"].frames["areas"]
    landmarks = {layer: sample[layer].frames[layer].geometry for layer in ("households", "paths")}
    context = TownshipContext(township_code=areas["area_code"].iloc[0][:9], areas=areas, landmarks=landmarks)
    table = pd.read_csv(SAMPLE / "checkpoints.csv", encoding="gb18030", dtype=str)
    lon, lat = to_gcj02(table["经度"].astype(float).to_numpy(), table["纬度"].astype(float).to_numpy())
    table.assign(经度=lon, 纬度=lat).to_csv(tmp_path / "gcj.csv", index=False, encoding="gb18030")
    reading = read_layer("checkpoints", [tmp_path / "gcj.csv"], context=context, zone=ZONE)
    assert reading.datum == "gcj02"
    known = sample["checkpoints"].frames["checkpoints"]
    assert shapely.distance(reading.frames["checkpoints"].geometry.to_numpy(), known.geometry.to_numpy()).max() < 1e-5


def test_a_copy_of_the_sample_is_the_same_file(sample, tmp_path):
    shutil.copy(SAMPLE / "water.geojson", tmp_path / "copy.geojson")
    areas = sample["areas"].frames["areas"]
    context = TownshipContext(township_code=areas["area_code"].iloc[0][:9], areas=areas)
    reading = read_layer("water", [tmp_path / "copy.geojson"], context=context, zone=ZONE)
    assert reading.file.sha256 == sample["water"].file.sha256
