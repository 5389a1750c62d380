import geopandas as gpd
import pytest
import shapely

from tests.ingest.town import EAST_M, METRIC, NORTH_M, box, read, reasons, write_vector


def _line(*points):
    return shapely.LineString([(EAST_M + x, NORTH_M + y) for x, y in points])


def _file(tmp_path, rows, columns, ending=".geojson"):
    frame = gpd.GeoDataFrame(
        [row[:-1] for row in rows], columns=columns, geometry=[row[-1] for row in rows], crs=METRIC
    )
    return write_vector(frame.to_crs(4326 if ending == ".geojson" else 4490), tmp_path / f"a{ending}")


PATH = ("L1", "环村路", "村道", "否", _line((0, 0), (100, 100)))
PATH_COLUMNS = ("编号", "名称", "类型", "桥")


@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".shp"])
def test_paths(tmp_path, ending):
    rows = [
        PATH,
        ("L2", None, "公路", "是", _line((0, 0), (500, 0))),
        ("L3", None, "机耕路", None, _line((0, 9), (5, 0))),
    ]
    reading = read("paths", _file(tmp_path, rows, PATH_COLUMNS, ending))
    paths = reading.frames["paths"]
    assert paths["kind"].tolist() == ["lane", "road", "track"]
    assert paths["is_bridge"].tolist() == [False, True, False]
    assert paths["is_bridge"].dtype == bool
    assert paths["name"].tolist() == ["环村路", None, None]
    assert paths.to_crs(METRIC).length.tolist() == pytest.approx([141.4214, 500, 10.2956], abs=1e-3)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("L2", None, "高速铁路", "否", _line((0, 0), (5, 5))), "unknown_word"),
        (("L2", None, "村道", "也许", _line((0, 0), (5, 5))), "not_yes_no"),
        (("L1", None, "村道", "否", _line((0, 0), (5, 5))), "repeated_key"),
        ((None, None, "村道", "否", _line((0, 0), (5, 5))), "missing_value"),
        (("L2", None, "村道", "否", _line((5, 5), (5, 5))), "empty_geometry"),
        (("L2", None, "村道", "否", box(0, 0, 9, 9)), "wrong_geometry_type"),
        (("L2", None, "村道", "否", _line((9000, 0), (9100, 5))), "outside_township"),
    ],
)
def test_a_faulty_path_is_refused(tmp_path, row, code):
    assert reasons(read("paths", _file(tmp_path, [PATH, row], PATH_COLUMNS))) == {2: code}


def test_water_is_lines_and_polygons(tmp_path):
    rows = [
        ("W1", "青石河", "河流", _line((0, 0), (0, 900))),
        ("W2", None, "水塘", box(10, 10, 40, 50)),
        ("W3", None, "水渠", _line((0, 0), (9, 0))),
    ]
    water = read("water", _file(tmp_path, rows, ("编号", "名称", "类型"))).frames["water"]
    assert water["kind"].tolist() == ["river", "pond", "canal"]
    assert water.geom_type.tolist() == ["LineString", "Polygon", "LineString"]
