"""The map excerpt of a grid: all of it inside, names apart, no text in the picture."""

import geopandas as gpd
import pytest
import shapely

from gridmap.maps.grid_sketch import Sketch, grid_sketch
from tests.tiny import METRIC

GRID = shapely.box(500_000, 3_000_000, 501_000, 3_002_000)
GRIDS = gpd.GeoDataFrame(
    index=["G", "H"], geometry=[GRID, shapely.box(501_000, 3_000_000, 502_000, 3_002_000)], crs=METRIC
)
NOBODY = gpd.GeoDataFrame({"kind": [], "name": []}, geometry=[], crs=METRIC)


def points(*named: tuple[str, float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": [name for name, _, _ in named]},
        geometry=[shapely.Point(500_000 + x, 3_000_000 + y) for _, x, y in named],
        crs=METRIC,
    )


def sketch(
    *, groups: gpd.GeoDataFrame = NOBODY, service_points: gpd.GeoDataFrame = NOBODY, aspect: float = 2.0, **more
) -> Sketch:
    layers = {"grids": GRIDS, "paths": NOBODY, "water": NOBODY} | more
    return grid_sketch("G", groups=groups, service_points=service_points, aspect=aspect, **layers)


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.3])
def test_the_whole_grid_is_in_view_and_in_its_middle(aspect: float):
    groups = gpd.GeoDataFrame({"name": ["一组"]}, geometry=[GRID], crs=METRIC)
    found = sketch(groups=groups, aspect=aspect)
    (name,) = found.names
    assert (name.x_share, name.y_share) == pytest.approx((0.5, 0.5), abs=0.02)
    width, height = (float(part) for part in found.svg.split('viewBox="0 0 ')[1].split('"')[0].split())
    assert width / height == pytest.approx(aspect, rel=1e-3)


def test_the_bar_is_as_long_as_it_says():
    found = sketch(aspect=2.0)
    # 2,000 m and 12 % of room above and below stand in the height; the width is twice as much.
    assert found.bar_m / found.bar_share == pytest.approx(2000 * 1.24 * 2.0)
    assert 0 < found.bar_share <= 0.25


def test_names_stand_apart_and_a_group_moves_for_a_service_point():
    groups = gpd.GeoDataFrame({"name": ["下码头组"]}, geometry=[GRID], crs=METRIC)
    service, group = sketch(groups=groups, service_points=points(("便民代办点", 500, 1040))).names
    assert (service.kind, group.kind) == ("service", "group")
    assert abs(service.y_share - group.y_share) >= 0.06


def test_a_name_that_finds_no_room_is_left_out_and_its_dot_stays():
    crowd = points(*[(f"便民代办点{n}", 500 + n, 1000) for n in range(6)])
    found = sketch(service_points=crowd)
    assert len(found.names) == 2  # below and above
    assert found.svg.count("<circle") == 6


def test_nothing_is_written_under_the_scale_bar():
    assert sketch(service_points=points(("角落", -1900, -200))).names == ()


def test_the_picture_holds_no_text_and_bridges_no_view():
    nasty = "</svg><script>"
    lane = gpd.GeoDataFrame(
        {"kind": ["lane"]}, geometry=[shapely.LineString([(400_000, 3_001_000), (600_000, 3_001_000)])], crs=METRIC
    )
    pond = gpd.GeoDataFrame({"kind": ["pond"]}, geometry=[shapely.Point(500_500, 3_001_000).buffer(50)], crs=METRIC)
    found = sketch(service_points=points((nasty, 500, 500)), paths=lane, water=pond)
    assert nasty not in found.svg
    assert "<text" not in found.svg
    xs = [
        float(pair.split(" ")[0])
        for path in found.svg.split('d="M')[1:]
        for pair in path.split('"')[0].rstrip("Z").split("L")
        if "M" not in pair and "Z" not in pair
    ]
    assert min(xs) >= -25
    assert max(xs) <= 1025


def test_an_unknown_grid_and_an_aspect_of_nothing_are_refused():
    with pytest.raises(KeyError):
        grid_sketch("X", grids=GRIDS, groups=NOBODY, paths=NOBODY, water=NOBODY, service_points=NOBODY, aspect=1)
    with pytest.raises(ValueError, match="aspect"):
        sketch(aspect=0)
