"""Maps of grids as pictures: what the legend says stands in the grids, and every label inside its grid."""

import io
import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gridmap.maps.review_map import GridPicture, GridSheet, Step, class_step, nice_length, worry_colours, wrapped

CODES = ("a001", "a002")
CRS = 4547


def sheet(*, name: str = "东村") -> GridSheet:
    """Two grids side by side, one village around them."""
    lands = [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 3000, 1000)]
    empty = gpd.GeoDataFrame({"kind": []}, geometry=[], crs=CRS)
    return GridSheet(
        grids=gpd.GeoDataFrame(index=list(CODES), geometry=lands, crs=CRS),
        villages=gpd.GeoDataFrame({"name": [name]}, geometry=[shapely.union_all(lands)], crs=CRS),
        water=empty,
        paths=empty,
        words={"north": "北", "km": "公里", "m": "米"},
    )


def shown(*at: int, title: str = "标题") -> GridPicture:
    steps = [Step(label="少", colour="#ff0000"), Step(label="多", colour="#0000ff"), class_step("未知", "none")]
    return GridPicture(
        title=title, subtitle="2026-10", legend_title="图例", steps=steps, step_of=dict(zip(CODES, at, strict=True)), labels=dict.fromkeys(CODES, "1")
    )  # fmt: skip


def share_of(png: bytes, colour: tuple[int, int, int]) -> float:
    """The share of the map's frame in a colour; the legend is to its right."""
    drawn = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    frame = drawn[:, : int(drawn.shape[1] * 0.75)]
    return float((np.abs(frame - np.array(colour)).max(axis=2) < 8).mean())


def test_a_grid_twice_as_large_has_twice_the_colour():
    png = sheet().picture(shown(0, 1))
    assert share_of(png, (0, 0, 255)) == pytest.approx(2 * share_of(png, (255, 0, 0)), rel=0.12)


def test_one_sheet_shows_another_map_and_then_the_first_again_to_the_byte():
    one = sheet()
    first, other = one.picture(shown(0, 1)), one.picture(shown(1, 0))
    assert first != other
    assert one.picture(shown(0, 1)) == first
    assert sheet().picture(shown(0, 1)) == first


def test_names_and_titles_are_drawn_as_written_and_never_read_as_formulas():
    """A dollar sign begins a formula in matplotlib's text."""
    png = sheet(name="$\\frac{1}$").picture(shown(0, 1, title="$x_1$ 标题"))
    assert Image.open(io.BytesIO(png)).size[0] > 1000


def test_a_grid_that_cannot_be_told_is_hatched_and_not_coloured():
    png = sheet().picture(shown(2, 2))
    assert share_of(png, (255, 0, 0)) == share_of(png, (0, 0, 255)) == 0


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_a_nice_length_is_the_largest_of_its_kind_that_fits(most: float):
    found = nice_length(most)
    assert most / 2.5 * (1 - 1e-9) <= found <= most
    assert round(found / 10 ** math.floor(math.log10(found) + 1e-9)) in (1, 2, 5)


@pytest.mark.parametrize("most", [0.0, -1.0, math.nan])
def test_no_room_for_a_scale_bar_is_refused(most: float):
    with pytest.raises(ValueError, match="most"):
        nice_length(most)


@pytest.mark.parametrize("n", [0, 6])
def test_other_numbers_of_worry_colours_are_refused(n: int):
    with pytest.raises(ValueError, match=str(n)):
        worry_colours(n)


def test_worry_colours_go_from_light_to_dark():
    light = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in worry_colours(5)]
    assert light == sorted(light, reverse=True)


@given(st.text(alphabet="户网格，。ab1 ", max_size=60), st.integers(2, 20))
def test_wrapping_loses_no_sign(said: str, n: int):
    assert wrapped(said, n).replace("\n", "") == said
