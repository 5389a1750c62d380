"""Pages for phones in a real Chromium at 390 × 844: a place and a photo, no network, the same thing sent twice, script as text."""

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import text

from gridmap.actions.tokens import add_token
from tests.browser.conftest import Dashboard, Visit
from tests.busy import EVIL
from tests.tiny import GRIDS, metric_point, stored

Open = Callable[..., Visit]
PHONE = {"width": 390, "height": 844}
STRUCK = '<img src=x onerror="window.struck=1"><script>window.struck=1</script>'


@dataclass(kw_only=True)
class Phone:
    """A member's phone: what it complains about while it has network, and what it asks of other hosts."""

    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    is_online: bool = True

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self._see(request.url, address))
        page.goto(address)
        return page

    def network(self, *, is_there: bool) -> None:
        self.is_online = is_there
        self.context.set_offline(not is_there)

    def _hear(self, message) -> None:
        if self.is_online and message.type in ("error", "warning") and "ERR_INTERNET_DISCONNECTED" not in message.text:
            self.complaints.append(message.text)

    def _see(self, url: str, address: str) -> None:
        home = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
        if not url.startswith(("data:", "blob:", home)):
            self.elsewhere.append(url)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Phone]:
    """A phone in the first grid that tells its place; afterwards it must have had nothing to complain about."""
    (place,) = stored([metric_point(300, 900)])
    context = browser.new_context(
        viewport=PHONE,
        locale="zh-CN",
        has_touch=True,
        geolocation={"longitude": place.x, "latitude": place.y, "accuracy": 8},
        permissions=["geolocation"],
    )
    context.set_default_timeout(20_000)
    held = Phone(context=context)
    yield held
    context.close()
    assert held.complaints == []
    assert held.elsewhere == []


@pytest.fixture
def token(dashboard: Dashboard) -> str:
    """The key of the member of the first grid."""
    return add_token(dashboard.engine, name=uuid.uuid4().hex, kind="member", staff_id="u1", now=datetime.now(UTC))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A large photo with a place hidden in its tags."""
    tags = Image.Exif()
    tags[0x8825] = {1: "N", 2: (28.0, 0.0, 0.0)}
    file = tmp_path / "photo.jpg"
    Image.new("RGB", (3000, 2000), "#884422").save(file, "JPEG", exif=tags)
    return file


def rows(dashboard: Dashboard, sql: str, **values) -> list[tuple]:
    with dashboard.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def reports(dashboard: Dashboard, said: str) -> list[tuple]:
    """Every incident of a text: number, whether it has a place, its photos."""
    return rows(
        dashboard,
        "SELECT incident_code, geom IS NOT NULL, (SELECT count(*) FROM incident_photo AS p WHERE p.incident_code = i.incident_code)"
        " FROM incident AS i WHERE text = :said",
        said=said,
    )


def write_report(page: Page, said: str, photo: Path | None = None) -> None:
    """Fill in the members' form and send it."""
    page.locator("#go_report").click()
    page.locator('label[for="kind-dispute"]').click()
    page.get_by_text("邻里", exact=True).click()
    page.locator("#text").fill(said)
    if photo:
        page.locator("#photo").set_input_files(photo)
        expect(page.locator(".thumbs img")).to_have_count(1)
    expect(page.locator("#place_said")).to_contain_text("误差约 8 米")
    page.get_by_role("button", name="提交").click()


def fits(page: Page) -> bool:
    """Whether nothing stands out at the side, and whatever is touched is high enough."""
    return page.evaluate(
        """() => document.scrollingElement.scrollWidth <= innerWidth && [...document.querySelectorAll('button, .button, .tile, .chip, textarea, select')]
            .filter(one => one.offsetParent).every(one => one.offsetHeight >= 48)"""
    )


def test_a_report_with_place_and_photo_is_on_record_once_though_the_answer_was_lost(
    phone: Phone, dashboard: Dashboard, token: str, photo: Path
):
    said = f"田埂积水 {STRUCK}"
    page = phone.open(f"{dashboard.address}/m#token={token}")
    expect(page.locator("#standing")).to_have_text("已联网，全部已发出")
    assert token not in page.url
    keys = []

    def lose_answer(route: Route) -> None:
        """The first time the server does its work, and its answer never arrives."""
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    phone.is_online = False  # a lost answer is an error in the console
    page.route("**/intake/reports", lose_answer)
    write_report(page, said, photo)
    expect(page.get_by_text("已存在这台手机里")).to_be_visible()
    expect(page.locator("#standing")).to_have_text("已联网，全部已发出")  # sent again by itself
    ((number, has_place, n_photos),) = reports(dashboard, said)
    assert (has_place, n_photos, len(set(keys)), len(keys) > 1) == (True, 1, 1, True)
    ((content,),) = rows(dashboard, "SELECT content FROM incident_photo WHERE incident_code = :n", n=number)
    kept = Image.open(io.BytesIO(bytes(content)))
    assert (max(kept.size) <= 1600, dict(kept.getexif())) == (True, {})
    page.get_by_role("button", name="返回").click()
    page.locator("#go_cases").click()
    card = page.locator(f'[data-number="{number}"]')
    expect(card).to_contain_text(STRUCK)
    assert fits(page)
    card.get_by_role("button", name="受理").click()
    expect(page.get_by_text("已记录：受理")).to_be_visible()
    steps = rows(
        dashboard, "SELECT kind, level, staff_id FROM incident_step WHERE incident_code = :n ORDER BY step_id", n=number
    )
    assert steps == [("reported", "member", "u1"), ("accepted", "member", "u1")]
    assert page.evaluate("window.struck") is None


def test_without_network_nothing_is_lost_and_nothing_is_sent_twice(
    phone: Phone, dashboard: Dashboard, token: str, photo: Path
):
    said = f"山路塌方 {uuid.uuid4().hex}"
    page = phone.open(f"{dashboard.address}/m#token={token}")
    page.locator("#go_report").click()
    expect(page.locator(".tile")).to_have_count(4)  # the list of categories is on the phone now
    page.get_by_role("button", name="返回").click()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    ((before,),) = rows(dashboard, "SELECT count(*) FROM checkin WHERE staff_id = 'u1'")
    phone.network(is_there=False)
    write_report(page, said, photo)
    expect(page.locator("#standing")).to_have_text("待发送 1，没有网络")
    page.get_by_role("button", name="返回").click()
    page.locator("#go_check_in").click()
    expect(page.get_by_text("已存在这台手机里")).to_be_visible()
    assert reports(dashboard, said) == []
    page.close()
    page = phone.open(f"{dashboard.address}/m")  # closed and opened again, still without network
    expect(page.locator("#standing")).to_contain_text("待发送 2")
    phone.network(is_there=True)
    expect(page.locator("#standing")).to_have_text("已联网，全部已发出")
    ((_, has_place, n_photos),) = reports(dashboard, said)
    assert (has_place, n_photos) == (True, 1)
    assert rows(dashboard, "SELECT count(*) FROM checkin WHERE staff_id = 'u1'") == [(before + 1,)]


def test_what_the_server_refuses_stays_with_its_reason_until_it_is_changed(
    phone: Phone, dashboard: Dashboard, token: str, tmp_path: Path
):
    said = f"路灯不亮 {uuid.uuid4().hex}"
    no_picture = tmp_path / "no_picture.jpg"
    no_picture.write_bytes(b"no picture at all")
    phone.is_online = False  # a refusal is an error in the console
    page = phone.open(f"{dashboard.address}/m#token={token}")
    write_report(page, said, no_picture)
    expect(page.locator("#main")).to_contain_text("没有被接收")
    expect(page.locator("#standing")).to_have_text("1 件没有被接收")
    page.close()
    page = phone.open(f"{dashboard.address}/m")
    page.locator("#line").get_by_role("button").click()
    page.get_by_role("button", name="改一改再报").click()
    expect(page.locator("#text")).to_have_value(said)
    expect(page.locator("#place_said")).to_have_text("用的是当时的位置。")
    page.get_by_role("button", name="✕").click()
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#number")).to_be_visible()
    expect(page.locator("#standing")).to_have_text("已联网，全部已发出")
    assert [row[1:] for row in reports(dashboard, said)] == [(True, 0)]


def test_a_phone_that_tells_no_place_lets_the_member_choose_the_grid(phone: Phone, dashboard: Dashboard, token: str):
    said = f"井盖丢失 {uuid.uuid4().hex}"
    phone.context.clear_permissions()
    page = phone.open(f"{dashboard.address}/m#token={token}")
    page.locator("#go_report").click()
    expect(page.locator("#place_said")).to_contain_text("没有得到定位的许可")
    page.locator('label[for="kind-hazard"]').click()
    page.get_by_text("消防隐患", exact=True).click()
    page.locator("#text").fill(said)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("还不知道在哪里")).to_be_visible()
    page.locator("#grid").select_option(GRIDS[0])
    page.get_by_role("button", name="提交").click()
    expect(page.locator("#number")).to_be_visible()
    ((_, has_place, n_photos),) = reports(dashboard, said)
    assert (has_place, n_photos) == (False, 0)


def test_a_key_that_is_not_valid_any_more_is_said_and_nothing_is_lost(phone: Phone, dashboard: Dashboard):
    phone.is_online = False  # a refusal is an error in the console
    page = phone.open(f"{dashboard.address}/m#token=gm_not-a-token-at-all")
    page.locator("#go_check_in").click()
    expect(page.locator("#warnings")).to_contain_text("个人链接已失效")
    expect(page.locator("#standing")).to_have_text("待发送 1")


def test_a_resident_reports_and_asks_by_number(phone: Phone, dashboard: Dashboard, photo: Path):
    said = f"隔壁排水 {STRUCK}"
    page = phone.open(f"{dashboard.address}/r/{GRIDS[0]}")
    expect(page.get_by_text(EVIL)).to_be_visible()  # the chief's name, as text
    page.locator('label[for="kind-dispute"]').click()
    page.get_by_text("邻里", exact=True).click()
    page.locator("#text").fill(said)
    page.locator("#ask_place").click()
    expect(page.locator("#place_said")).to_contain_text("误差约 8 米")
    page.locator("#photo").set_input_files(photo)
    expect(page.locator("#thumbs img")).to_have_count(1)
    assert fits(page)
    page.evaluate("document.querySelector('button.main').click(); document.querySelector('button.main').click()")
    number = page.locator("#number").inner_text()
    assert reports(dashboard, said) == [(number, True, 1)]
    page.get_by_role("link", name="凭编号查进度").click()
    expect(page.locator("#state")).to_contain_text("已登记")
    assert said not in page.content()
    assert page.evaluate("window.struck") is None


def test_stored_script_stays_text_on_every_page_for_phones(visit: Open, scripted_dashboard: Dashboard):
    for name in ("m", f"r/{GRIDS[0]}", "r/state?number=I1"):
        opened = visit(scripted_dashboard, name, size=(390, 844))
        expect(opened.page.locator("h1")).to_be_visible()
        assert "default-src 'none'" in opened.policy
        assert opened.page.evaluate("window.struck") is None
        assert opened.page.locator("img").count() == 0
