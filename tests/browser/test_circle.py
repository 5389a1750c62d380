"""The 15-minute circle in a real Chromium: a click tries a point, a button finds the best place, and the map stands."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, Visit

Open = Callable[..., Visit]
_FRAME = "iframe[title='streamlit_folium.st_folium']"


def _circle(visit: Open, dashboard: Dashboard) -> Page:
    page = visit(dashboard, "circle").page
    expect(page.frame_locator(_FRAME).get_by_text("西村")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.locator(_FRAME)).to_have_count(1)
    return page


def test_a_click_says_at_once_how_many_homes_a_point_there_would_win(visit: Open, dashboard: Dashboard):
    """The township is 4 km wide and one lane runs through its middle: a quarter from the west a point wins both western groups."""
    page = _circle(visit, dashboard)
    handle = page.locator(_FRAME).element_handle()
    frame = handle.content_frame() if handle else None
    assert frame is not None
    frame.evaluate("window.mark = 'here'")
    box = page.locator(_FRAME).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.27, box["y"] + box["height"] / 2)
    expect(page.get_by_text(re.compile("多 6 户、12 人"))).to_be_visible()
    page.get_by_role("button", name="清除").click()
    expect(page.get_by_text("点击地图任一处")).to_be_visible()
    assert frame.evaluate("window.mark") == "here"


def test_the_best_place_comes_with_its_proof(visit: Open, dashboard: Dashboard):
    page = _circle(visit, dashboard)
    page.get_by_role("tab", name="建议选址").click()
    page.get_by_role("button", name="计算最佳位置").click()
    expect(page.get_by_text("已证明没有更好的选法")).to_be_visible()
