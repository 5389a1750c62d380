"""The circle's map: numbers and colours only, from this program only."""

import re

import geopandas as gpd
import shapely

from gridmap.maps.circle_map import CircleShapes, circle_layer
from gridmap.maps.leaflet import still_map

BOUNDS = (114.1, 27.8, 114.3, 28.0)


def _points(*places: tuple[float, float]) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.Point(place) for place in places], crs=4490)


def _script(tried: tuple[tuple[float, float], ...] = ()) -> str:
    drawn = still_map(bounds=BOUNDS, urls={"paths": "/map/1/paths-ab.json"})
    drawn.add_child(
        circle_layer(
            CircleShapes(
                areas=gpd.GeoSeries([shapely.box(114.15, 27.85, 114.2, 27.9)], crs=4490),
                outside=_points((114.25, 27.95), (114.26, 27.96)),
                unmatched=_points((114.29, 27.99)),
                won=_points(),
                points=_points((114.17, 27.87)),
                tried=tried,
                villages=gpd.GeoSeries([shapely.box(*BOUNDS)], crs=4490),
            )
        )
    )
    drawn.get_root().render()
    script: str = drawn.get_root().script.render()
    return script


def test_every_home_and_point_is_drawn_once():
    script = _script()
    for place in ("[27.95, 114.25]", "[27.96, 114.26]", "[27.99, 114.29]", "[27.87, 114.17]"):
        assert script.count(place) == 1


def test_tried_points_are_drawn_with_latitude_first():
    assert "[27.91, 114.21]" in _script(tried=((27.91, 114.21),))


def test_nothing_is_fetched_from_another_host():
    assert not re.findall(r"https?://", _script())
