"""Every page in a real Chromium: quiet, from this host only, guarded, with Chinese words and a map that is drawn."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from tests.browser.conftest import Dashboard, Visit
from tests.browser.pixels import colours, differing_share, until
from tests.browser.stored_script import SCRIPT
from tests.tiny import TOWNSHIP

Open = Callable[..., Visit]
PAGES = ("live", "disputes", "coverage", "circle", "workload", "ledgers", "contacts", "data")
WITH_MAP = tuple(name for name in PAGES if name not in ("circle", "ledgers", "contacts", "data"))
TITLES = {
    "live": "小乡 网格一张图",
    "disputes": "小乡 矛盾热力",
    "coverage": "小乡 巡查覆盖",
    "circle": "小乡 15 分钟服务圈",
    "workload": "小乡 网格负荷",
    "ledgers": "小乡 台账",
    "contacts": "小乡 通讯录",
    "data": "小乡 数据",
}
WALL_SIZES = ((1920, 1080), (3840, 2160))
# Two different characters drawn as the same box are a font that is missing.
_SAME_GLYPHS = """() => {
  const draw = character => {
    const canvas = document.createElement('canvas'); canvas.width = canvas.height = 40;
    const pen = canvas.getContext('2d');
    pen.font = '32px ' + getComputedStyle(document.querySelector('h1, .head-title, .panel h2')).fontFamily;
    pen.fillText(character, 2, 32);
    return canvas.toDataURL();
  };
  return draw('网') === draw('格') || draw('格') === draw('\\uffff');
}"""


def _drawn(visit: Visit, name: str) -> Page:
    """Wait until the page stands."""
    expect(visit.page.get_by_text(TITLES[name]).first).to_be_visible()
    expect(visit.page.get_by_test_id("stStatusWidget")).to_have_count(0)
    return visit.page


def _map(page: Page) -> Locator:
    """Wait until the map is drawn."""
    canvas = page.get_by_test_id("stDeckGlJsonChart").locator("canvas").first
    expect(canvas).to_be_visible()
    until(page, lambda: colours(canvas.screenshot()) > 20)
    return canvas


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_quietly_guarded_in_chinese_and_its_map_is_not_blank(visit: Open, dashboard: Dashboard, name: str):
    opened = visit(dashboard, name)
    page = _drawn(opened, name)
    assert "default-src 'self'" in opened.policy
    assert "'unsafe-eval'" not in opened.policy
    assert not page.evaluate(_SAME_GLYPHS)
    if name in WITH_MAP:
        _map(page)


@pytest.mark.parametrize(("name", "words"), [("live", "Patrol today"), ("data", "Data")])
def test_the_address_chooses_english_on_the_wall_and_in_the_office(
    visit: Open, dashboard: Dashboard, name: str, words: str
):
    # That every page is drawn in both languages is tried without a browser (tests/pages).
    opened = visit(dashboard, f"{name}?lang=en")
    expect(opened.page.get_by_text(words).first).to_be_visible()


def test_another_measure_changes_what_is_drawn(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "workload"), "workload")
    canvas = _map(page)
    before = canvas.screenshot()
    page.get_by_label("图上显示").or_(page.locator(".st-key-measure input")).first.click()
    page.get_by_role("option").nth(1).click()
    until(page, lambda: differing_share(before, canvas.screenshot()) > 0.02)


def test_the_switch_changes_what_the_disputes_map_draws(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "disputes"), "disputes")
    canvas = _map(page)
    before = canvas.screenshot()
    page.locator(".st-key-disputes_shown").get_by_role("radio", name="热点网格").click()
    expect(page.locator(".st-key-hotspots_sure")).to_contain_text("件数太少，无法判断")
    expect(page.get_by_role("tab", name="热点网格")).to_have_attribute("aria-selected", "true")
    canvas = _map(page)
    until(page, lambda: differing_share(before, canvas.screenshot()) > 0.1)


def test_a_village_narrows_the_page(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "coverage"), "coverage")
    canvas = _map(page)
    before = canvas.screenshot()
    page.locator(".st-key-village input").click()
    page.get_by_role("option", name="东村").click()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    until(page, lambda: differing_share(before, canvas.screenshot()) > 0.0005)


@pytest.mark.parametrize("size", WALL_SIZES)
def test_the_wall_fits_its_screen(visit: Open, dashboard: Dashboard, size: tuple[int, int]):
    page = _drawn(visit(dashboard, "live", size=size), "live")
    expect(page.locator(".panel")).to_have_count(7)
    boxes = page.locator(".panel, .head").evaluate_all(
        "found => found.map(one => one.getBoundingClientRect()).map(box => [box.left, box.top, box.right, box.bottom])"
    )
    assert all(left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1] for left, top, right, bottom in boxes)
    assert page.evaluate(
        "document.scrollingElement.scrollHeight <= innerHeight && document.body.scrollWidth <= innerWidth"
    )
    if size == WALL_SIZES[0]:  # a picture of the larger one takes software rendering half a minute
        _map(page)
    expect(page.locator(".head-clock")).to_have_count(1)


def test_the_wall_on_a_phone_shows_its_whole_head(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "live", size=(390, 844)), "live")
    clock = page.locator(".head-clock")
    expect(clock).to_have_count(1)
    box = clock.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_the_wall_s_refresh_shows_the_new_and_keeps_the_view(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "live", size=(1920, 1080)), "live")
    canvas = _map(page)
    canvas.evaluate("canvas => { canvas.kept = true; }")
    before = canvas.screenshot()
    with dashboard.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, village_code,"
                " geom, happened_at, recorded_at) SELECT 'NEWEST', :township, 'Z1', 2026, 'urgent', village_code, geom,"
                " now(), now() FROM incident WHERE incident_code = 'I3'"
            ),
            {"township": TOWNSHIP},
        )
    expect(page.locator("li.newest")).to_have_count(1)
    expect(page.locator(".pulse")).to_have_count(1)
    assert page.get_by_test_id("stDeckGlJsonChart").locator("canvas").first.evaluate("canvas => canvas.kept === true")
    # The new mark and its pulse, nothing else.
    until(page, lambda: differing_share(before, canvas.screenshot()) < 0.02)


def test_stored_script_comes_out_as_text(visit: Open, scripted_dashboard: Dashboard):
    for name in PAGES:
        opened = visit(scripted_dashboard, name, size=(800, 600))  # fewer pixels for software to draw
        page = opened.page
        expect(page.get_by_text("window.struck").first).to_be_attached()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        if name in WITH_MAP:
            canvas = _map(page)
            box = canvas.bounding_box()
            page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
        assert page.evaluate("window.struck") is None
        assert page.locator("img[src='x']").count() == 0
        assert "${7*7}" in page.content()


def test_tables_go_home_as_excel_and_csv(visit: Open, scripted_dashboard: Dashboard):
    page = visit(scripted_dashboard, "workload").page
    with page.expect_download() as waiting:
        page.locator(".st-key-excel button").click()
    book = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes()))
    rows = list(book.worksheets[0].values)
    assert any(SCRIPT in [str(cell) for cell in row] for row in rows)
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    with page.expect_download() as waiting:
        page.locator(".st-key-csv button").click()
    assert SCRIPT.replace('"', '""') in waiting.value.path().read_text("utf-8-sig")


def test_a_file_is_looked_at_then_loaded_and_its_bad_row_told(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "data"), "data")
    page.get_by_role("tab").nth(2).click()
    page.locator(".st-key-load_layer input").click()
    page.get_by_role("option", name="巡查点").click()
    lines = [
        "巡查点编号,名称,类型,职责,频次,启用日期,经度,纬度",
        "N1,水库坝头,水库,防汛,每周1次,2026-01-05,111.2050,27.9250",
        "N2,无处可寻,水库,防汛,每周约3次,2026-01-05,111.2050,27.9250",
    ]
    page.locator(".st-key-load_files input[type=file]").set_input_files(
        {"name": "points.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode("gb18030")}
    )
    page.locator(".st-key-load_datum input").click()
    page.get_by_role("option", name="cgcs2000").click()
    page.locator(".st-key-load_look button").click()
    said = page.get_by_role("tabpanel", name="载入文件").get_by_test_id("stAlert")
    expect(said).to_contain_text("读取 2 行")
    expect(said).to_contain_text("试运行")
    page.locator(".st-key-load_take button").click()
    expect(said).to_contain_text("隔离 ")
    expect(said).not_to_contain_text("试运行")


def test_a_bad_file_is_one_sentence(visit: Open, dashboard: Dashboard):
    page = _drawn(visit(dashboard, "data"), "data")
    page.get_by_role("tab").nth(2).click()
    page.locator(".st-key-load_files input[type=file]").set_input_files(
        {"name": "broken.geojson", "mimeType": "application/json", "buffer": b'{"type": "FeatureCollection", "fea'}
    )
    page.locator(".st-key-load_take button").click()
    said = page.get_by_role("tabpanel", name="载入文件").get_by_test_id("stAlert")
    expect(said).to_contain_text("broken.geojson")
