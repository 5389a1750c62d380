"""The screen as the browser tells it: bounded, whatever is sent."""

import pytest

from gridmap.ui.viewport import Viewport, _measured


@pytest.mark.parametrize(
    "told",
    [[], ["x", None, {}, []], [float("nan")] * 4, [True, False, True, True], ["", "", "", ""], ["1e9", "-1", "½", "٣"]],
)
def test_nonsense_is_the_usual_screen(told: list[object]):
    assert _measured(told) == Viewport()


def test_absurd_sizes_are_bounded():
    screen = _measured([-5, 10**9, 0, "99999999999999"])
    assert (screen.width_px, screen.height_px, screen.map_width_px) == (120, 16_000, 120)
    assert screen.map_height_px == 16_000


@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [(1920, 1080, 1), (3840, 2160, 2), (1920, 1200, 1), (2560, 1080, 1), (1366, 768, 0.711), (960, 540, 0.5)],
)
def test_the_scale_fills_the_screen_one_way(width: int, height: int, scale: float):
    assert Viewport(width, height).scale == scale


@pytest.mark.parametrize(("width", "height", "stacked"), [(390, 844, True), (1080, 1920, True), (1366, 768, False)])
def test_small_and_upright_screens_are_stacked(width: int, height: int, stacked: bool):
    assert Viewport(width, height).is_stacked is stacked


def test_marks_shrink_with_a_small_map():
    assert Viewport(390, 844, 362, 350).map_scale == 0.5
    assert Viewport(1920, 1080).map_scale == 1
