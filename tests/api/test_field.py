"""Pages for phones: the residents' form with and without script, one tap one report, nothing told that must not be; the members' page."""

import html
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gridmap import settings as settings_module
from gridmap.api import rates
from gridmap.api.assets import asset_file
from gridmap.api.headers import SecurityHeaders
from gridmap.store import database
from gridmap.texts import catalogue
from tests.api.conftest import Client
from tests.busy import EVIL
from tests.tiny import GRIDS, TOWNSHIP, WEST_VILLAGE, metric_point, stored

FORM = f"/r/{GRIDS[0]}"
FIELD = Path(__file__).parent.parent.parent / "gridmap" / "api" / "field"
NASTY = "\"'><script>alert(1)</script>{{7*7}}${7*7}{name}"


@pytest.fixture(autouse=True)
def _fresh_rates():
    rates.forget()
    yield
    rates.forget()


@pytest.fixture
def phone(client: Client, busy_engine: Engine) -> Client:
    """A phone, and the tiny township with a team, categories and cases behind the address."""
    return client


def key_of(page: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page).group(1)


def photo(**options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "#884422").save(file, "JPEG", **options)
    return file.getvalue()


def send(phone: Client, *, files=(), address: str = FORM, **fields: str):
    """Send the form as a browser does: every field there is, an empty file where none was chosen."""
    given = {"category": "D1", "text": "田埂积水", "place": "", "lng": "", "lat": "", "accuracy_m": "", "website": ""}
    given |= {"key": "resident-0000000000000001"} | fields
    parts = [(name, (None, value)) for name, value in given.items() if value is not None]
    chosen = [("photo", (f"{n}.jpg", content, "image/jpeg")) for n, content in enumerate(files)]
    return phone.post(address, files=[*parts, *(chosen or [("photo", ("", b"", "application/octet-stream"))])])


def told_number(page: str) -> str:
    return re.search(r'id="number">([^<]+)<', page).group(1)


def rows(engine: Engine, sql: str, **values) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def n_incidents(engine: Engine) -> int:
    return rows(engine, "SELECT count(*) FROM incident")[0][0]


def test_the_form_names_the_grid_its_team_and_every_category_and_needs_no_script(phone: Client):
    answer = phone.get(FORM)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    page = answer.text
    assert "<h1>西村第1网格</h1>" in page
    assert re.findall(r'name="category" id="c-(\w+)"', page) == ["Z1", "D1", "D2", "R1", "C1"]
    assert 'method="post"' in page
    assert re.findall(r"<script(?![^>]*(src=|application/json))", page) == []
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert "甲" in page
    assert html.escape(EVIL) in page
    assert "<img" not in page


def test_two_openings_have_two_keys(phone: Client):
    assert key_of(phone.get(FORM).text) != key_of(phone.get(FORM).text)


def test_a_report_is_answered_by_its_number_and_when_it_will_be_done(phone: Client, busy_engine: Engine):
    (place,) = stored([metric_point(300, 900)])
    answer = send(phone, lng=str(place.x), lat=str(place.y), accuracy_m="12.5", place="塘边", files=[photo()])
    assert answer.status_code == 201, answer.text
    number = told_number(answer.text)
    today = datetime.now(UTC) + timedelta(hours=8)
    assert number == f"{TOWNSHIP}-{today:%Y%m%d}-0001"
    assert len(re.findall(r"20\d\d-\d\d-\d\d \d\d:\d\d 前", answer.text)) == 2
    (row,) = rows(
        busy_engine,
        "SELECT category_code, text, place, source, round(ST_X(geom)::numeric, 6) FROM incident WHERE incident_code = :n",
        n=number,
    )
    assert row[:4] == ("D1", "田埂积水", "塘边", "居民扫码上报")
    assert float(row[4]) == pytest.approx(place.x, abs=1e-6)
    assert rows(busy_engine, "SELECT count(*) FROM incident_photo WHERE incident_code = :n", n=number) == [(1,)]
    steps = rows(busy_engine, "SELECT kind, level, staff_id FROM incident_step WHERE incident_code = :n", n=number)
    assert steps == [("reported", None, None)]


def test_a_double_tap_is_one_report(phone: Client, busy_engine: Engine):
    before = n_incidents(busy_engine)
    first, second = send(phone), send(phone)
    assert (first.status_code, second.status_code) == (201, 200)
    assert told_number(first.text) == told_number(second.text)
    assert n_incidents(busy_engine) == before + 1


def test_another_matter_from_the_same_page_is_asked_again_under_a_new_key(phone: Client, busy_engine: Engine):
    send(phone)
    before = n_incidents(busy_engine)
    again = send(phone, text="另一件事", category="Z1")
    assert again.status_code == 409
    assert "另一件事" in again.text
    assert n_incidents(busy_engine) == before
    assert send(phone, text="另一件事", category="Z1", key=key_of(again.text)).status_code == 201


def test_without_a_place_the_grid_of_the_poster_has_it(phone: Client, busy_engine: Engine):
    number = told_number(send(phone, address=f"/r/{GRIDS[1]}").text)
    assert rows(busy_engine, "SELECT geom IS NULL FROM incident WHERE incident_code = :n", n=number) == [(True,)]
    assert "西村第2网格" in send(phone, address=f"/r/{GRIDS[1]}").text


def test_personal_numbers_are_masked(phone: Client, busy_engine: Engine):
    number = told_number(send(phone, text="张三 13812345678 吵架").text)
    ((kept,),) = rows(busy_engine, "SELECT text FROM incident WHERE incident_code = :n", n=number)
    assert "13812345678" not in kept


def test_what_is_wrong_is_said_and_what_was_written_stays_as_text(phone: Client, busy_engine: Engine):
    before = n_incidents(busy_engine)
    answer = send(phone, category="", text=NASTY, place=NASTY)
    assert answer.status_code == 422
    assert "请先点选" in answer.text
    assert html.unescape(answer.text).count(NASTY) == 2
    assert "<script>alert" not in answer.text
    assert n_incidents(busy_engine) == before


UNUSABLE = (
    ({"category": "NO"}, 422),
    ({"text": "x" * 2001}, 422),
    ({"place": "x" * 201}, 422),
    ({"key": "short"}, 422),
    ({"key": "键" * 12}, 422),
    ({"lng": "0", "lat": "0"}, 422),
    ({"website": "http://spam"}, 400),
    ({"files": [b"no picture"]}, 422),
    ({"files": [photo()] * 5}, 422),
)


def test_what_cannot_be_taken_leaves_nothing(phone: Client, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_RESIDENT_RATE", "100/hour")
    settings_module.settings.cache_clear()
    before = n_incidents(busy_engine)
    for fields, status in UNUSABLE:
        answer = send(phone, **fields)
        assert answer.status_code == status, fields
        assert "note alarm" in answer.text
        assert n_incidents(busy_engine) == before


def test_an_unusable_key_is_replaced(phone: Client):
    assert send(phone, key=key_of(send(phone, key="short").text)).status_code == 201


def test_a_place_that_says_nothing_is_no_place_or_refused(phone: Client):
    for lng, lat in (("nan", "28"), ("inf", "28"), ("x", "y"), ("113.2", "")):
        assert send(phone, key=f"resident-{lng}-{lat}-0000", lng=lng, lat=lat).status_code in (201, 422)


def test_a_grid_that_is_not_there_has_no_form(phone: Client):
    codes = (TOWNSHIP, WEST_VILLAGE, "439901999201099", "x", "%27%20OR%201=1", "%3Cscript%3E", "%00")
    for code in codes:
        for answer in (phone.get(f"/r/{code}"), send(phone, address=f"/r/{code}")):
            assert answer.status_code == 404
            assert "海报" in answer.text
            assert "<script>" not in answer.text


def test_a_body_that_is_no_form_is_refused_with_a_page(phone: Client, busy_engine: Engine):
    before = n_incidents(busy_engine)
    for content, kind in (
        (b"{}", "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", ""),
    ):
        answer = phone.post(FORM, content=content, Content_Type=kind)
        assert answer.status_code in (400, 422)
        assert "note alarm" in answer.text
    assert n_incidents(busy_engine) == before


def test_a_body_without_end_is_refused(phone: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_MAX_BODY_MB", "1")
    settings_module.settings.cache_clear()
    assert send(phone, files=[b"x" * 1_100_000]).status_code == 413


def test_who_sends_too_much_is_told_when_to_try_again(
    phone: Client, busy_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRIDMAP_INTAKE_RESIDENT_RATE", "2/hour")
    settings_module.settings.cache_clear()
    answers = [send(phone, key=f"resident-{n:016d}", text=f"第{n}件") for n in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert "60 分钟" in answers[2].text
    assert "第2件" in answers[2].text
    assert send(phone, key="resident-another-grid", address=f"/r/{GRIDS[2]}").status_code == 201


def test_one_form_takes_no_flood_from_many_addresses(phone: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_GRID_RATE", "1/hour")
    settings_module.settings.cache_clear()
    assert send(phone, key="resident-one-000").status_code == 201
    assert send(phone, key="resident-two-000").status_code == 429


def test_while_the_database_is_gone_what_was_written_is_not_lost(phone: Client, monkeypatch: pytest.MonkeyPatch):
    page = phone.get(FORM)

    def gone():
        from gridmap.errors import StoreUnavailable

        raise StoreUnavailable("no answer")

    from gridmap.api import residents

    monkeypatch.setattr(residents, "write_engine", gone)
    answer = send(phone, key=key_of(page.text), text="不要丢")
    assert answer.status_code == 503
    assert "不要丢" in answer.text
    assert key_of(answer.text) == key_of(page.text)
    monkeypatch.setattr(residents, "write_engine", database.write_engine)
    assert send(phone, key=key_of(answer.text), text="不要丢").status_code == 201


def test_the_state_is_told_in_one_word_and_nothing_else(phone: Client):
    number = told_number(send(phone, text="很私人的话", place="某处").text)
    answer = phone.get(f"/r/state?number={number}")
    assert answer.status_code == 200
    assert "已登记" in answer.text
    for secret in ("很私人的话", "某处", "邻里", "西村"):
        assert secret not in answer.text


def test_a_number_that_is_not_there_is_said(phone: Client):
    for number in ("NO-1", "%3Cscript%3Ealert(1)%3C/script%3E", "x" * 500, "%00", "I1%0AI2"):
        answer = phone.get(f"/r/state?number={number}")
        assert (answer.status_code, "<script>alert" in answer.text) == (404, False)
        assert "note alarm" in answer.text


def test_who_guesses_numbers_is_slowed_down(phone: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_STRANGER_RATE", "2/minute")
    settings_module.settings.cache_clear()
    assert [phone.get(f"/r/state?number={n}").status_code for n in range(3)] == [404, 404, 429]


def test_it_speaks_chinese_and_english_when_asked(phone: Client):
    assert "Who serves this grid" in phone.get(f"{FORM}?lang=en", Accept_Language="zh-CN").text
    assert "本网格的人" in phone.get(FORM, Accept_Language="en").text
    assert "本网格的人" in phone.get(f"{FORM}?lang=fr").text
    assert 'lang="en"' in send(phone, address=f"{FORM}?lang=en").text


def test_the_members_page_is_whole_without_a_token_and_tells_nothing_of_cases(phone: Client):
    answer = phone.get("/m")
    assert answer.status_code == 200
    assert EVIL not in answer.text
    given = json.loads(
        re.search(r'<script type="application/json" id="given">(.*?)</script>', answer.text, re.DOTALL)[1]
    )
    assert given["grids"] == [
        [code, name] for code, name in zip(GRIDS, ("西村第1网格", "西村第2网格", "东村第1网格"), strict=True)
    ]
    assert given["utc_offset"] == "+08:00"
    for script in re.findall(r'<script src="([^"]+)"', answer.text):
        assert phone.get(script).status_code == 200
    assert "I1" not in answer.text


def test_a_grid_s_name_cannot_end_the_data_of_the_page(phone: Client, busy_engine: Engine):
    with busy_engine.begin() as connection:
        connection.execute(text("UPDATE grid SET name = :name"), {"name": "</script><script>x()</script>\u2028"})
    for address in ("/m", FORM):
        page = phone.get(address).text
        assert "<script>x()" not in page
    assert "\\u003c/script\\u003e" in phone.get("/m").text


def test_every_word_that_a_script_says_is_given_to_it(phone: Client):
    for address, names in (
        ("/m", ("member.js", "member_report.js", "member_cases.js", "dom.js")),
        (FORM, ("resident.js", "dom.js")),
    ):
        page = phone.get(address).text
        given = json.loads(re.search(r'id="given">(.*?)</script>', page, re.DOTALL)[1])["words"]
        for name in names:
            source = (FIELD / name).read_text("utf-8")
            said = set(re.findall(r'word\("(\w+)"', source)) | set(re.findall(r'"((?:place|error|m)_\w+)"', source))
            said -= {"place_said"}
            missing = said - set(given)
            assert not {one for one in missing if f"field.{one}" not in catalogue("zh")}
            assert address == FORM or not missing


def test_the_members_page_opens_while_the_database_is_gone(phone: Client, monkeypatch: pytest.MonkeyPatch):
    from gridmap.api import member_page
    from gridmap.errors import StoreUnavailable

    def gone():
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(member_page, "read_engine", gone)
    assert phone.get("/m").status_code == 200


def test_the_worker_may_stand_before_the_members_page_only(phone: Client):
    answer = phone.get("/m/worker.js")
    assert answer.headers["service-worker-allowed"] == "/m"
    assert answer.headers["content-type"].startswith("text/javascript")
    manifest = phone.get("/m/manifest.webmanifest").json()
    assert (manifest["start_url"], manifest["scope"]) == ("/m", "/m")


def test_our_scripts_name_no_other_host_and_make_nothing_from_markup():
    for file in FIELD.glob("*.js"):
        source = file.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", source), (
            file.name
        )
        assert not re.search(r"https?://", source), file.name
        assert asset_file(f"gridmap/field/{file.name}") == file.resolve()


@pytest.mark.parametrize(
    ("path", "is_field"),
    [("/m", True), ("/m/worker.js", True), (FORM, True), ("/map/x", False), ("/r", True), ("/reports", False)],
)
def test_only_pages_for_phones_may_ask_where_the_phone_is(tmp_path: Path, path: str, is_field: bool):
    page = tmp_path / "index.html"
    page.write_text("<html><head></head></html>")
    routes = [Route("/{rest:path}", lambda _request: PlainTextResponse("open"))]
    guarded = Client(SecurityHeaders(Starlette(routes=routes), page=page, addresses=["/"]))
    headers = guarded.get(path).headers
    assert ("geolocation=(self)" in headers["permissions-policy"]) == is_field
    assert ("default-src 'none'" in headers["content-security-policy"]) == is_field
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert ("'unsafe-inline'" in headers["content-security-policy"]) != is_field
