"""The wall's deck: what stands in its JSON."""

import json
import math
import re

import pytest

from gridmap.maps.deck import by_property, deck, fit, layer
from gridmap.maps.palette import DARK, LIGHT, UNKNOWN_STEP, load_colour, load_step, ramp_bounds, rgba
from gridmap.maps.wall import MARK_STATES, load_accessor, wall_deck

URLS = {name: f"/map/439901999/{name}-0.json" for name in ("areas", "grids", "paths", "water")}
BOUNDS = (114.148, 27.864, 114.255, 27.939)
LANES = [((114.2, 27.9), (114.21, 27.91))]
VIEW = fit(BOUNDS, width_px=936, height_px=888, padding_px=26)


def _wall(marks=(), urls=None, scale=1.0):
    return json.loads(
        wall_deck(URLS if urls is None else urls, marks, lanes=LANES, view=VIEW, scale=scale, near_cap_share=0.9).json
    )


def _drawn_at(longitude: float, latitude: float) -> tuple[float, float]:
    """Where deck.gl draws a place, by the textbook's Web Mercator with tiles of 512 px."""

    def world(lon: float, lat: float) -> tuple[float, float]:
        size = 512 * 2**VIEW.zoom
        radians = math.radians(lat)
        return (lon + 180) / 360 * size, (1 - math.log(math.tan(radians) + 1 / math.cos(radians)) / math.pi) / 2 * size

    x, y = world(longitude, latitude)
    centre_x, centre_y = world(VIEW.longitude, VIEW.latitude)
    return x - centre_x, y - centre_y


def test_lanes_that_nobody_passed_are_drawn_along_their_way():
    (lanes,) = [one for one in _wall()["layers"] if one["id"] == "lanes"]
    assert lanes["data"] == [{"way": [[114.2, 27.9], [114.21, 27.91]]}]


def test_geometry_comes_by_address_and_only_from_this_program():
    addresses = [one["data"] for one in _wall()["layers"] if isinstance(one["data"], str)]
    assert set(addresses) == set(URLS.values())
    assert not re.search(r"https?:|//", json.dumps(_wall()))


def test_no_base_map_of_others_is_asked_for():
    content = _wall()
    assert (content["mapStyle"], content["mapProvider"]) == ("__MAP_STYLE__", None)


def test_the_view_stands_still():
    assert [view["controller"] for view in _wall()["views"]] == [False]


def test_layers_keep_their_identity_whatever_is_drawn():
    empty, busy = _wall(), _wall([("incident", 114.2, 27.9)])
    assert [one["id"] for one in empty["layers"]] == [one["id"] for one in busy["layers"]]
    assert len({one["id"] for one in busy["layers"]}) == len(busy["layers"])


def test_incidents_are_drawn_over_checkpoints():
    marks = [("incident", 114.2, 27.9), ("visited", 114.2, 27.9), ("waiting", 114.2, 27.9)]
    rows = _wall(marks)["layers"][-1]["data"]
    assert [row["state"] for row in rows] == ["visited", "waiting", "incident"]


def test_everything_doubles_on_a_screen_twice_as_fine():
    def widths(scale):
        layers = _wall([(state, 114.2, 27.9) for state in MARK_STATES], scale=scale)["layers"]
        return [one["getLineWidth"] for one in layers if isinstance(one.get("getLineWidth"), float)], [
            row["size"] for row in layers[-1]["data"]
        ]

    (lines, sizes), (lines_fine, sizes_fine) = widths(1.0), widths(2.0)
    assert lines_fine == pytest.approx([2 * width for width in lines])
    assert sizes_fine == pytest.approx([2 * size for size in sizes])


def test_a_township_without_grids_shows_what_there_is():
    assert [one["id"] for one in _wall(urls={"areas": URLS["areas"]})["layers"] if isinstance(one["data"], str)]


def _colour_by_accessor(cap_share: float | None) -> list[int]:
    """Evaluate the accessor as a browser would."""
    expression = load_accessor(near_cap_share=0.9, alpha=1).removeprefix("@@=")
    cases = expression.split(" : ")
    for case in cases[:-1]:
        test, colour = case.split(" ? ")
        left, sign, right = test.split(" ")
        assert left == "properties.cap_share"
        if right == "null":
            holds = cap_share is None
        elif cap_share is None:
            holds = False
        else:
            holds = cap_share > float(right) if sign == ">" else cap_share < float(right)
        if holds:
            return json.loads(colour)
    return json.loads(cases[-1])


@pytest.mark.parametrize("cap_share", [0.0, 0.3, 0.5, 0.55, 0.6, 0.79, 0.8, 0.899, 0.9, 0.95, 1.0, 1.001, 1.5])
def test_the_browser_colours_a_grid_as_the_palette_says(cap_share: float):
    step = load_step(cap_share, near_cap_share=0.9)
    assert _colour_by_accessor(cap_share) == rgba(load_colour(step, shade="dark"), 1)


def test_an_unknown_load_has_no_colour_of_the_ramp():
    assert _colour_by_accessor(None)[:3] not in [rgba(colour, 1)[:3] for colour in DARK.load]
    assert load_step(math.nan, near_cap_share=0.9) == UNKNOWN_STEP


def test_a_fuller_grid_never_has_a_lower_step():
    steps = [load_step(share / 100, near_cap_share=0.9) for share in range(150)]
    assert steps == sorted(steps)


@pytest.mark.parametrize("near", [0.8, 0.9, 0.95])
def test_the_ramp_ends_where_near_the_cap_begins(near: float):
    assert ramp_bounds(near)[-1] == near
    assert list(ramp_bounds(near)) == sorted(ramp_bounds(near))


def test_both_grounds_have_a_colour_for_every_step():
    assert len(DARK.load) == len(LIGHT.load) == 7


def test_a_fitted_view_holds_the_bounds_and_touches_them():
    west, south, east, north = BOUNDS
    (left, top), (right, bottom) = _drawn_at(west, north), _drawn_at(east, south)
    assert max(-left, right) <= 936 / 2 - 26
    assert max(-top, bottom) <= 888 / 2 - 26
    assert max(-left, right) > 936 / 2 - 26 - 4 or max(-top, bottom) > 888 / 2 - 26 - 4


@pytest.mark.parametrize("place", [(114.148, 27.864), (114.2, 27.9), (114.255, 27.939)])
def test_names_are_put_where_deck_draws_the_place(place: tuple[float, float]):
    assert VIEW.offset_px(*place) == pytest.approx(_drawn_at(*place), abs=0.01)


def test_looking_further_south_draws_everything_higher():
    before, after = VIEW.offset_px(114.2, 27.9), VIEW.moved(down_px=32).offset_px(114.2, 27.9)
    assert after == pytest.approx((before[0], before[1] - 32), abs=0.01)


def test_a_pixel_is_as_long_as_the_ground_it_covers():
    metres_per_degree = 111_320 * math.cos(math.radians(VIEW.latitude))
    one_pixel_degrees = 1 / VIEW.offset_px(VIEW.longitude + 1, VIEW.latitude)[0]
    assert VIEW.metres_per_px() == pytest.approx(one_pixel_degrees * metres_per_degree, rel=0.002)


def test_a_box_without_room_is_refused():
    with pytest.raises(ValueError, match="padding_px"):
        fit(BOUNDS, width_px=50, height_px=500, padding_px=26)


def test_a_text_in_an_accessor_is_quoted():
    assert by_property("kind", {'a" ? b : "': 1}, 0) == '@@=properties.kind == "a\\" ? b : \\"" ? 1 : 0'


def test_a_movable_deck_has_a_controller():
    content = json.loads(deck([layer("GeoJsonLayer", "one", "/x.json")], view=VIEW).json)
    assert content["views"][0]["controller"] is True
