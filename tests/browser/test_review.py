"""The review in a real Chromium: the keys of who presents, and a decision that is clicked twice."""

from collections.abc import Callable
from datetime import datetime

from playwright.sync_api import Page, expect
from sqlalchemy import text

from gridmap.settings import settings
from tests.browser.conftest import Dashboard, Visit
from tests.browser.pixels import until

Open = Callable[..., Visit]
_SCROLLED = "() => document.querySelector('[data-testid=\"stMain\"]').scrollTop"


def _this_month(page: Page) -> None:
    month = f"{datetime.now(settings().zone):%Y-%m}"
    page.locator(".st-key-review_month input").first.click()
    page.get_by_role("option", name=month).click()
    # The point has the same title as before: only the warning of an unfinished month tells that it is drawn anew.
    expect(page.get_by_test_id("stAlert").filter(has_text=month)).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.locator(".review-title")).to_have_text("覆盖：空间与时间")


def _point(page: Page, said: str) -> None:
    expect(page.locator(".review-title")).to_have_text(said)
    # The browser marks a point of the agenda a moment after it has drawn it.
    expect(page.locator(".st-key-review_at label:has(input:checked)")).to_contain_text(said)


def test_keys_turn_the_agenda_and_scroll_a_long_point(dashboard: Dashboard, visit: Open):
    page = visit(dashboard, "review").page
    _this_month(page)
    page.locator(".review-title").click()
    for key, said in (
        ("ArrowRight", "缺口：新增与消除"),
        ("PageDown", "矛盾纠纷"),
        ("ArrowLeft", "缺口：新增与消除"),
        ("End", "封存与签字"),
        ("Home", "覆盖：空间与时间"),
    ):
        page.keyboard.press(key)
        _point(page, said)
    # As a meeting begins: the switch for the projector was clicked last, or a table, or the map.
    for clicked in (".st-key-review_presenting label", "[data-testid='stDataFrame']"):
        page.locator(clicked).first.click()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        page.keyboard.press("PageDown")
        _point(page, "缺口：新增与消除")
        page.keyboard.press("PageUp")
        _point(page, "覆盖：空间与时间")
    page.locator(".review-title").click()
    page.keyboard.press("Space")
    until(page, lambda: page.evaluate(_SCROLLED) > 0)
    page.keyboard.press("PageDown")
    _point(page, "缺口：新增与消除")
    until(page, lambda: page.evaluate(_SCROLLED) == 0)


def test_who_writes_down_a_decision_turns_nothing_and_writes_it_once(dashboard: Dashboard, visit: Open):
    page = visit(dashboard, "review").page
    _this_month(page)
    page.get_by_text("记下决定或任务").click()
    said = page.get_by_label("决定什么 / 要做什么")
    said.fill("修路")
    for key in ("ArrowLeft", "Home", "End", "ArrowRight"):
        said.press(key)
    _point(page, "覆盖：空间与时间")
    page.get_by_label("记录人").fill("张三")
    page.get_by_role("button", name="记下", exact=True).dblclick()
    expect(page.locator(".st-key-review_decided")).to_contain_text("修路")
    expect(said).to_have_count(1)
    said.fill("再修桥")
    page.get_by_role("button", name="记下", exact=True).click()
    expect(page.locator(".st-key-review_decided")).to_contain_text("再修桥")
    with dashboard.engine.connect() as connection:
        found = connection.execute(text("SELECT text FROM review_task ORDER BY task_id")).scalars().all()
    assert found == ["修路", "再修桥"]
