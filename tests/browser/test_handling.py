"""The page of cases in a real Chromium: the queue, the map, one click a step, the history."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, Visit
from tests.browser.pixels import colours, until

Open = Callable[..., Visit]


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_a_case_is_found_and_taken_a_step_further_by_one_click(
    visit: Open, dashboard: Dashboard, size: tuple[int, int]
):
    page = visit(dashboard, "handling", size=size).page
    expect(page.get_by_text("小乡 事件办理").first).to_be_visible()
    canvas = page.get_by_test_id("stDeckGlJsonChart").locator("canvas").first
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_be_visible()
    until(page, lambda: colours(canvas.screenshot()) > 20)
    page.get_by_label("查编号、内容或地点").fill("I5")
    page.get_by_label("查编号、内容或地点").press("Enter")
    expect(page.get_by_text("I5 · 邻里").first).to_be_visible()
    # What was pressed on the wide screen is there on the narrow one: both are about the same case.
    step = "受理" if size[0] > 1000 else "处置"
    page.get_by_role("button", name=step, exact=True).click()
    expect(page.get_by_text(f"已记录：{step}。")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
