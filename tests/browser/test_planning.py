"""Planning in a real Chromium: click, give, count, cut, undo, save, and the map never drawn anew."""

import re
from collections.abc import Callable

from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect
from playwright.sync_api import TimeoutError as TookTooLong
from sqlalchemy import text

from tests.browser.conftest import Dashboard, Visit
from tests.tiny import WEST_VILLAGE

Open = Callable[..., Visit]
_FRAME = "iframe[title='streamlit_folium.st_folium']"
_UNIT = "path.leaflet-interactive"
_TRIES, _A_STEP_MS = 5, 8_000


def _quiet(page: Page) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def _planning(visit: Open, dashboard: Dashboard) -> tuple[Page, FrameLocator]:
    """Open the page, say who is there and begin a draft."""
    page = visit(dashboard, "planning").page
    expect(page.get_by_text("小乡 网格规划").first).to_be_visible()
    expect(page.frame_locator(_FRAME).locator(_UNIT)).to_have_count(4)
    page.get_by_label("规划员姓名").fill("李规划")
    page.get_by_label("规划员姓名").press("Enter")
    page.get_by_role("tab", name="流程").click()
    plan = page.locator(".st-key-planning_plan input")
    before = plan.input_value()
    page.get_by_role("button", name="从所选方案另起草案").click()
    # The map of the plan before stands until the draft's has come; only then do the tools stay where they are.
    expect(plan).not_to_have_value(before)
    expect(page.get_by_text("划入网格（已选 0 个单元，0 户）")).to_be_visible()
    expect(page.frame_locator(_FRAME).last.locator(".leaflet-draw-draw-polyline")).to_be_visible()
    _quiet(page)
    expect(page.locator(_FRAME)).to_have_count(1)
    frame = page.frame_locator(_FRAME)
    expect(frame.locator(_UNIT)).to_have_count(4)
    _quiet(page)
    return page, frame


def _marked_frame(page: Page) -> Frame:
    """Write a mark into the map's frame: a frame that is made anew has lost it."""
    handle = page.locator(_FRAME).first.element_handle()
    frame = handle.content_frame() if handle else None
    assert frame is not None
    frame.evaluate("window.mark = 'here'")
    return frame


def _middle(unit: Locator) -> tuple[float, float]:
    box = unit.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.3


def _unsaved_log(dashboard: Dashboard) -> int:
    with dashboard.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM plan_edit")).scalar_one())


def test_a_planner_gives_a_unit_to_another_grid_sees_the_counts_and_saves(visit: Open, dashboard: Dashboard):
    page, frame = _planning(visit, dashboard)
    kept = _marked_frame(page)
    page.mouse.click(*_middle(frame.locator(_UNIT).first))
    expect(page.get_by_text(re.compile("划入网格（已选 1 个单元，\\d+ 户）"))).to_be_visible()
    page.get_by_role("combobox", name=re.compile("划入网格")).click()
    page.get_by_role("option", name=re.compile("西村第2网格")).click()
    _quiet(page)
    page.get_by_role("button", name="划入", exact=True).click()
    expect(frame.get_by_text("2 · 7")).to_be_visible()
    assert _unsaved_log(dashboard) == 0
    page.get_by_role("button", name="↶").click()
    expect(frame.get_by_text("2 · 4")).to_be_visible()
    page.get_by_role("button", name="↷").click()
    expect(frame.get_by_text("2 · 7")).to_be_visible()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存。")).to_be_visible()
    assert _unsaved_log(dashboard) == 1
    assert kept.evaluate("window.mark") == "here"


def test_a_line_drawn_over_a_unit_cuts_it(visit: Open, dashboard: Dashboard):
    page, frame = _planning(visit, dashboard)
    for _ in range(_TRIES):
        if _draw_a_line(page, frame):
            break
        page.keyboard.press("Escape")
    expect(page.get_by_text(re.compile(f"单元 {WEST_VILLAGE}0100 已切分"))).to_be_visible()
    expect(frame.locator(_UNIT)).to_have_count(5)


def _draw_a_line(page: Page, frame: FrameLocator) -> bool:
    """Draw across the first unit as a person does; tells whether the tool heard it all.

    The tool hears nothing for a moment after a click, and a page that is drawn anew takes it away: then one tries again.
    """
    corners, tooltip = frame.locator(".leaflet-editing-icon"), frame.locator(".leaflet-draw-tooltip")
    try:
        frame.locator(".leaflet-draw-draw-polyline").click()
        expect(tooltip).to_have_count(1, timeout=_A_STEP_MS)
        # Where the unit stands is asked anew each time: a click on a tool may scroll the page.
        page.mouse.click(*_beside(frame.locator(_UNIT).first, is_above=True))
        expect(corners).to_have_count(1, timeout=_A_STEP_MS)
        page.mouse.move(*_beside(frame.locator(_UNIT).first, is_above=False), steps=10)
        expect(tooltip).to_contain_text("km", timeout=_A_STEP_MS)
        page.mouse.down()
        page.mouse.up()
        expect(corners).to_have_count(2, timeout=_A_STEP_MS)
        frame.get_by_role("link", name="完成").click(timeout=_A_STEP_MS)
    except (AssertionError, TookTooLong):
        return False
    return True


def _beside(unit: Locator, *, is_above: bool) -> tuple[float, float]:
    """A place a third from the unit's west, just above or just below it."""
    box = unit.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * 0.35, box["y"] - 8 if is_above else box["y"] + box["height"] + 8
