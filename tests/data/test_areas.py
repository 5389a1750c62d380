"""Township, villages and groups as they stand in `areas.shp`."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import box


def test_one_township_nine_villages_118_groups(areas):
    assert areas["级别"].value_counts().to_dict() == {"组": 118, "村": 8, "社区": 1, "乡": 1}
    assert areas["代码"].is_unique
    assert areas["代码"].str.len().isin([9, 12, 14]).all()


def test_file_is_gbk_without_a_word_about_it(sample, areas):
    assert not (sample / "areas.cpg").exists()
    assert "青石乡".encode("gbk") in (sample / "areas.dbf").read_bytes()
    assert areas.crs.to_epsg() == 4547 or "CM_114E" in areas.crs.to_wkt()


def test_groups_belong_to_their_village_by_code(groups, villages):
    assert (groups["代码"].str[:12] == groups["上级代码"]).all()
    assert set(groups["上级代码"]) == set(villages["代码"])
    assert not groups.duplicated(["上级代码", "名称"]).any()


def test_groups_cover_the_township_exactly(groups, villages, township):
    assert shapely.coverage_is_valid(groups.geometry.to_numpy())
    for code, own in groups.groupby("上级代码"):
        assert shapely.coverage_is_valid(own.geometry.to_numpy()), code
    union = shapely.coverage_union_all(groups.geometry.to_numpy())
    assert len(union.interiors) == 0
    assert union.equals(township)
    assert groups.area.sum() == pytest.approx(township.area, rel=1e-9)
    assert shapely.coverage_is_valid(villages.geometry.to_numpy())


def test_villages_are_the_union_of_their_groups_vertex_for_vertex(groups, villages):
    for _, village in villages.iterrows():
        own = groups[groups["上级代码"] == village["代码"]]
        union = shapely.coverage_union_all(own.geometry.to_numpy())
        assert union.normalize().equals_exact(village.geometry.normalize(), 0), village["名称"]


def test_township_has_the_size_and_the_place_it_should(areas, township):
    west, south, east, north = township.bounds
    assert 9_000 <= east - west <= 11_500
    assert 7_000 <= north - south <= 11_000
    assert 52e6 <= township.area <= 66e6
    middle = gpd.GeoSeries([township.centroid], crs="EPSG:4547").to_crs(4490).iloc[0]
    assert (middle.x, middle.y) == (pytest.approx(114.2, abs=0.02), pytest.approx(27.9, abs=0.02))


def test_borders_wind(groups):
    """A straight-edged map (Voronoi cells) would have hulls hardly larger than the areas and few vertices."""
    vertices = shapely.get_num_coordinates(groups.geometry.to_numpy())
    assert np.median(groups.length / vertices) < 40
    assert (groups.convex_hull.area / groups.area).median() > 1.08


def test_parts_of_village_borders_follow_the_river(villages, river):
    near = river.buffer(5)
    along = sum(shape.boundary.intersection(near).length for shape in villages.geometry)
    assert along > 3_000


def test_hills_are_empty(township, households):
    """At least a quarter of the ground is more than 500 m from any home."""
    lived_in = households.geometry.buffer(500, quad_segs=4).union_all()
    assert township.difference(lived_in).area > 0.25 * township.area
    assert box(*township.bounds).covers(households.geometry.union_all())
