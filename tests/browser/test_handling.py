"""The page of cases in a real Chromium: the queue, the map, one click a step, the history."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, Visit
from tests.browser.pixels import colours, until

Open = Callable[..., Visit]


def test_a_case_is_found_and_taken_a_step_further_by_one_click(visit: Open, dashboard: Dashboard):
    page = visit(dashboard, "handling", size=(390, 844)).page  # the narrowest; members have pages of their own
    expect(page.get_by_text("小乡 事件办理").first).to_be_visible()
    canvas = page.get_by_test_id("stDeckGlJsonChart").locator("canvas").first
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_be_visible()
    until(page, lambda: colours(canvas.screenshot()) > 20)
    page.get_by_label("查编号、内容或地点").fill("I5")
    page.get_by_label("查编号、内容或地点").press("Enter")
    expect(page.get_by_text("I5 · 邻里").first).to_be_visible()
    page.get_by_role("button", name="受理", exact=True).click()
    expect(page.get_by_text("已记录：受理。")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
