import geopandas as gpd
import pytest
import shapely

from gridmap.errors import InputError
from gridmap.ingest.files import Source
from gridmap.ingest.limits import Limits
from gridmap.ingest.vectors import read_features
from tests.ingest.town import METRIC, areas_file, write_vector


def _read(file):
    return read_features(Source(path=file, name=file.name, ending=file.suffix), limits=Limits())


@pytest.mark.parametrize("ending", [".shp", ".gpkg"])
def test_a_vector_file_becomes_a_raw_table(tmp_path, ending):
    (table,) = _read(areas_file(tmp_path / f"areas{ending}"))
    assert table.headers == ("代码", "名称", "级别", "上级代码")
    assert table.column("名称").tolist()[:2] == ["青石乡", "石桥村"]
    assert table.column("上级代码").isna().tolist() == [True] + [False] * 6
    assert table.crs == f"EPSG:{METRIC}"
    assert table.row_numbers.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert table.encoding == ("gb18030" if ending == ".shp" else "utf-8")


def test_geojson_in_gbk_is_read_and_told(tmp_path):
    file = areas_file(tmp_path / "a.geojson", crs=METRIC)
    file.write_bytes(file.read_text("utf-8").encode("gb18030"))
    (table,) = _read(file)
    assert table.encoding == "gb18030"
    assert table.column("名称")[0] == "青石乡"


def test_heights_are_dropped(tmp_path):
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(114, 28, 55)], crs=4490)
    (table,) = _read(write_vector(frame, tmp_path / "a.gpkg"))
    assert not shapely.has_z(table.geometries).any()


def test_layers_of_a_geopackage_are_told_apart(tmp_path):
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(114, 28)], crs=4490)
    frame.to_file(tmp_path / "a.gpkg", layer="one")
    frame.to_file(tmp_path / "a.gpkg", layer="two")
    assert [table.name for table in _read(tmp_path / "a.gpkg")] == ["one", "two"]


def test_a_file_without_features_is_refused(tmp_path):
    file = tmp_path / "a.geojson"
    file.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InputError, match="has no rows"):
        _read(file)


def test_geometries_that_cannot_be_made_are_none(tmp_path):
    file = tmp_path / "a.geojson"
    rings = [[114, 28], [114.1, 28], [114, 28]]
    features = [
        {"type": "Feature", "properties": {"n": 1}, "geometry": geometry}
        for geometry in (None, {"type": "Polygon", "coordinates": [rings]})
    ]
    import json

    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (table,) = _read(file)
    assert table.geometries[0] is None


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:EPSG::999999", "北京坐标系"])
def test_a_coordinate_system_that_nobody_knows_is_not_taken_for_wgs_84(tmp_path, name):
    file = tmp_path / "a.geojson"
    crs = f'"crs": {{"type": "name", "properties": {{"name": "{name}"}}}}'
    point = '{"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [114, 28]}}'
    for text in (
        f'{{"type": "FeatureCollection", "name": "a", {crs}, "features": [{point}]}}',
        f'{{"type": "FeatureCollection", "features": [{point}], {crs}, "name": "a"}}',
    ):
        file.write_text(text)
        (table,) = _read(file)
        assert table.crs == name


def test_words_about_coordinates_inside_a_feature_are_no_coordinate_system(tmp_path):
    file = tmp_path / "a.geojson"
    point = (
        '{"type": "Feature", "properties": {"crs": {"name": "nowhere"}, "n": 1},'
        ' "geometry": {"type": "Point", "coordinates": [114, 28]}}'
    )
    file.write_text(f'{{"type": "FeatureCollection", "features": [{point}]}}')
    (table,) = _read(file)
    assert table.crs == "EPSG:4326"
