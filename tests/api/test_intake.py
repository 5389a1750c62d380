"""Intake over HTTP on a real database: what is taken in, once each, and what is refused with a sentence."""

import hashlib
import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool
from starlette.applications import Starlette
from typer.testing import CliRunner

from gridmap import settings as settings_module
from gridmap.actions.tokens import add_token, revoke_token
from gridmap.api.intake import _CHECKIN_FIELDS, _REPORT_FIELDS, _STEP_FIELDS
from gridmap.api.rates import seconds_to_wait
from gridmap.api.routes import routes
from gridmap.cli.main import app
from gridmap.errors import InputError
from tests.api.conftest import Client
from tests.serving import serve_from
from tests.tiny import GRIDS, TOWNSHIP, metric_point, stored


def point(east_m: float, north_m: float, *, datum: str = "cgcs2000", **more) -> dict:
    """A position by metres from the township's corner."""
    (place,) = stored([metric_point(east_m, north_m)])
    return {"lng": place.x, "lat": place.y, "datum": datum, **more}


class Sender:
    """Sends as one source."""

    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token

    def post(self, address: str, json=None, *, key: str | None = None, **more):
        headers = {"Idempotency_Key": key or uuid.uuid4().hex, "Authorization": f"Bearer {self.token}"}
        return self.client.post(address, json=json, **(headers | more))

    def report(self, key: str | None = None, **fields):
        said = {"category": "D1", "text": "田埂积水", "position": point(300, 900)} | fields
        return self.post("/intake/reports", {name: value for name, value in said.items() if value is not None}, key=key)

    def get(self, address: str, **headers: str):
        return self.client.get(address, Authorization=f"Bearer {self.token}", **headers)


@pytest.fixture
def town(intake_town: Engine) -> Engine:
    return intake_town


@pytest.fixture
def client(intake_url: URL, town: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the routes on the town for what comes in."""
    with serve_from(intake_url, monkeypatch, INTAKE_RATE="100000/minute"):
        yield Client(Starlette(routes=routes()))


@pytest.fixture
def member(client: Client, town: Engine) -> Sender:
    """The member of the first grid."""
    return Sender(client, add_token(town, name="甲的手机", kind="member", staff_id="u1", now=datetime.now(UTC)))


@pytest.fixture
def system(client: Client, town: Engine) -> Sender:
    """A hotline that acts for nobody in particular."""
    return Sender(client, add_token(town, name="12345", kind="system", staff_id=None, now=datetime.now(UTC)))


@contextmanager
def intake_admin(url: URL) -> Iterator[Connection]:
    """A connection beside the database, that stays when that one is closed."""
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        yield connection


def rows(engine: Engine, sql: str, **values) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def test_a_report_gets_number_grid_category_and_due_times(member: Sender, town: Engine):
    answer = member.report(urgency="urgent")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    today = datetime.now(UTC) + timedelta(hours=8)
    assert told["number"] == f"{TOWNSHIP}-{today:%Y%m%d}-0001"
    assert (told["grid_code"], told["grid_name"], told["village"]) == (GRIDS[0], "西村第1网格", "西村")
    assert (told["category"], told["duplicates"], told["replayed"]) == ("邻里", [], False)
    assert datetime.fromisoformat(told["accept_due_at"]) - datetime.now(UTC) < timedelta(hours=2)
    assert rows(town, "SELECT kind, level, staff_id FROM incident_step") == [("reported", "member", "u1")]


def test_the_same_key_again_is_answered_the_same_and_records_nothing(member: Sender, town: Engine):
    first, again = member.report("key-00000001"), member.report("key-00000001")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}
    assert rows(town, "SELECT count(*) FROM incident") == [(1,)]


def test_the_same_key_for_another_matter_is_a_conflict(member: Sender, town: Engine):
    member.report("key-00000001")
    answer = member.report("key-00000001", text="别的事")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert rows(town, "SELECT count(*) FROM incident") == [(1,)]


def picture(width: int = 64, height: int = 48, *, kind: str = "JPEG", exif: bytes | None = None) -> bytes:
    """A picture, red on the left and blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    written = io.BytesIO()
    image.save(written, kind, **({"exif": exif} if exif else {}))
    return written.getvalue()


def gps_tags() -> bytes:
    """EXIF that says: Beijing, taken with the phone turned right."""
    tags = Image.Exif()
    tags[0x0112] = 6
    tags[0x010F] = "Maker of the phone"
    tags.get_ifd(0x8825).update({1: "N", 2: (39.0, 54.0, 0.0), 3: "E", 4: (116.0, 23.0, 0.0)})
    return tags.tobytes()


def send_photos(sender: Sender, *photos: bytes, key: str | None = None, **fields):
    said = {"category": "D1", "position": point(300, 900)} | fields
    files = [("photo", ("照片.jpg", photo, "image/jpeg")) for photo in photos]
    return sender.post("/intake/reports", key=key, data={"report": json.dumps(said)}, files=files)


def test_a_photo_is_kept_upright_and_without_its_tags(member: Sender, town: Engine):
    answer = send_photos(member, picture(exif=gps_tags()))
    assert answer.status_code == 201, answer.text
    (photo_id,) = answer.json()["photos"]
    shown = member.get(f"/intake/photos/{photo_id}")
    kept = Image.open(io.BytesIO(shown.content))
    assert (shown.headers["content-type"], kept.format, kept.size) == ("image/jpeg", "JPEG", (48, 64))
    assert not kept.getexif()
    assert b"Maker" not in shown.content
    assert b"Exif" not in shown.content
    red, _, blue = kept.getpixel((24, 5))
    assert (red > 200, blue < 60) == (True, True)  # what was left is above after turning
    assert rows(town, "SELECT sha256 FROM incident_photo") == [(hashlib.sha256(shown.content).hexdigest(),)]


def test_a_case_goes_its_way_over_http(member: Sender, town: Engine):
    number = member.report().json()["number"]
    address = f"/intake/reports/{number}"
    for kind in ("accepted", "handled", "closed"):
        answer = member.post(f"{address}/steps", {"kind": kind, "note": "已疏通"})
        assert answer.status_code == 201, answer.text
    assert (answer.json()["level"], answer.json()["is_open"]) == ("member", False)
    told = member.get(address).json()
    assert (told["state"], told["is_open"], told["grid_code"]) == ("closed", False, GRIDS[0])
    assert [step["step"] for step in told["steps"]] == ["reported", "accepted", "handled", "closed"]
    again = member.post(f"{address}/steps", {"kind": "closed"})
    assert (again.status_code, again.json()["first"]["step"], again.json()["first"]["staff_id"]) == (
        409,
        "closed",
        "u1",
    )


def test_without_a_token_only_words_are_told(member: Sender, client: Client):
    number = member.report().json()["number"]
    told = client.get(f"/intake/reports/{number}", Accept_Language="en").json()
    assert told == {"number": number, "state": "reported", "state_words": "registered", "is_open": True}


def test_open_cases_of_my_grids_come_due_first(member: Sender, town: Engine):
    later = member.report().json()["number"]
    sooner = member.report(urgency="urgent", category="Z1").json()["number"]
    member.report(position=point(1500, 900))  # the grid beside mine
    told = member.get("/intake/mine").json()
    assert [case["number"] for case in told["open"]] == [sooner, later]
    assert told["open"][0]["legal_steps"]["member"][0] == "accepted"


def test_a_checkin_tells_its_checkpoint_and_comes_once(member: Sender, town: Engine):
    answer = member.post("/intake/checkins", {"position": point(210, 1500, accuracy_m=9.5)})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["checkpoint"]["code"], told["checkpoint"]["distance_m"], told["is_new"]) == ("C1", 10, True)
    again = member.post(
        "/intake/checkins",
        {"position": point(210, 1500), "happened_at": rows(town, "SELECT happened_at FROM checkin")[0][0].isoformat()},
    )
    assert again.json()["is_new"] is False
    assert rows(town, "SELECT staff_id, kind, accuracy_m FROM checkin") == [("u1", "外出打卡", 9.5)]


def test_the_list_in_force_is_told(member: Sender):
    told = member.get("/intake/categories").json()
    assert [one["code"] for one in told["categories"]] == ["C1", "D1", "D2", "R1", "Z1"]
    assert member.get("/intake/categories?on=2025-06-01").json()["categories"] == []
    assert member.get("/intake/categories?on=soon").status_code == 422


# --- who may, how much


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer gm_wrong", "Basic dTE6dTE=", "Bearer " + "x" * 300, "Bearer \u00fc"],
)
def test_without_a_right_token_nothing_is_taken(client: Client, authorization: str | None):
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    for ask in (client.post, client.get):
        for address in (
            ("/intake/reports", "/intake/checkins", "/intake/reports/1/steps")
            if ask == client.post
            else ("/intake/mine", "/intake/photos/1")
        ):
            answer = ask(address, **headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "no_token")
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_token_is_worth_nothing_at_once(member: Sender, town: Engine):
    assert member.report().status_code == 201
    revoke_token(town, name="甲的手机", now=datetime.now(UTC))
    assert member.report().status_code == 401


def test_who_sends_too_much_is_told_when_to_come_again(client: Client, member: Sender, system: Sender, monkeypatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_RATE", "3/minute")
    settings_module.settings.cache_clear()
    assert [member.get("/intake/categories").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = member.report()
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert system.report().status_code == 201  # another source has its own count


def test_who_guesses_tokens_is_stopped_by_his_address(client: Client, member: Sender, monkeypatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_STRANGER_RATE", "2/minute")
    settings_module.settings.cache_clear()
    guesses = [client.get("/intake/mine", Authorization=f"Bearer gm_{n}").status_code for n in range(4)]
    assert guesses == [401, 401, 429, 429]
    assert client.get("/intake/reports/1").status_code == 429
    assert member.get("/intake/mine").status_code == 200


def test_a_rate_that_cannot_be_read_is_ours_to_mend(member: Sender, monkeypatch):
    monkeypatch.setenv("GRIDMAP_INTAKE_RATE", "often")
    settings_module.settings.cache_clear()
    with pytest.raises(InputError, match="intake_rate"):
        seconds_to_wait("intake_rate", "somebody")


# --- what may be sent


def test_a_text_of_ten_megabytes_is_refused_and_the_sender_hears_it(member: Sender, town: Engine):
    answer = member.report(text="长" * 3_500_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = send_photos(member, picture(), text="长" * 3_500_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = member.report(text="长" * 20_000)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_long")
    assert rows(town, "SELECT count(*) FROM incident") == [(0,)]


def test_a_body_is_read_no_further_than_its_limit(member: Sender):
    n_read = 0

    async def endless():
        nonlocal n_read
        while True:
            n_read += 1_000_000
            yield b"x" * 1_000_000

    answer = member.post("/intake/reports", content=endless(), Content_Type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert n_read <= 26_000_000
    declared = member.post(
        "/intake/reports", content=b"{}", Content_Type="application/json", Content_Length="99000000000"
    )
    assert declared.status_code == 413


_BAD_BODIES = {
    "no JSON": (b"category=D1", 400), "cut off": (b'{"category": "D1"', 400), "a list": (b"[]", 400), "a word": (b'"D1"', 400),
    "nested without end": (b"[" * 100_000, 400), "objects without end": (b'{"a":' * 50_000, 400), "not UTF-8": (b'{"category": "\xff"}', 400),
    "NaN": (b'{"category": "D1", "position": {"lng": NaN, "lat": 1, "datum": "wgs84"}}', 400),
    "Infinity": (b'{"category": "D1", "position": {"lng": 1e999, "lat": 1, "datum": "wgs84"}}', 422),
    "a number without end": (b'{"category": "D1", "position": {"lng": ' + b"9" * 5000 + b"}}", 400),
    "nothing": (b"", 400), "empty": (b"{}", 422), "half a surrogate pair": (b'{"category": "D1", "place": "\\ud800"}', 422),
    "half a pair in a name": (b'{"category": "D1", "\\ud800": 1}', 422), "NUL": (b'{"category": "D1", "place": "a\\u0000"}', 422),
    "NUL in the category": (b'{"category": "\\u0000", "place": "a"}', 422), "half a pair in the category": (b'{"category": "\\ud800", "place": "a"}', 422),
    "NUL as a person": (b'{"category": "D1", "place": "a", "staff_id": "\\u0000"}', 422),
    "half a pair as a township": (b'{"category": "D1", "place": "a", "township_code": "\\ud800"}', 422),
    "another field": (b'{"category": "D1", "place": "a", "longitude": 1}', 422), "a number as text": (b'{"category": 7, "place": "a"}', 422),
    "a list as text": (b'{"category": "D1", "place": ["a"]}', 422), "a flag as a number": (b'{"category": "D1", "position": {"lng": true, "lat": 1, "datum": "wgs84"}}', 422),
    "no datum": (b'{"category": "D1", "position": {"lng": 113.1, "lat": 30.2}}', 422), "half a place": (b'{"category": "D1", "position": {"lng": 113.1, "datum": "wgs84"}}', 422),
    "no zone": (b'{"category": "D1", "place": "a", "happened_at": "2026-01-01T10:00:00"}', 422),
    "no day": (b'{"category": "D1", "place": "a", "happened_at": "2026-02-30T10:00:00+08:00"}', 422),
    "the last day of all": (b'{"category": "D1", "place": "a", "happened_at": "9999-12-31T23:59:59-08:00"}', 422),
    "the first day of all": (b'{"category": "D1", "place": "a", "happened_at": "0001-01-01T00:00:00+14:00"}', 422),
}  # fmt: skip


@pytest.mark.parametrize("name", _BAD_BODIES)
def test_a_body_that_cannot_be_taken_is_told_in_one_sentence(member: Sender, town: Engine, name: str):
    raw, status = _BAD_BODIES[name]
    answer = member.post("/intake/reports", content=raw, Content_Type="application/json")
    assert (answer.status_code, "Traceback" in answer.text) == (status, False), answer.text
    assert len(answer.json()["error"]) > 5
    assert rows(town, "SELECT count(*) FROM incident UNION ALL SELECT count(*) FROM intake_receipt") == [(0,), (0,)]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_kinds_of_content_are_refused(member: Sender, kind: str):
    answer = member.post("/intake/reports", content=b"{}", Content_Type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "bad_content_type")


@pytest.mark.parametrize(
    "parts",
    [
        {"files": [("photo", ("a.png", b"x", "image/png"))]},
        {"data": {"report": "{}", "other": "x"}, "files": [("photo", ("a.png", b"x", "image/png"))]},
        {"data": {"report": "{}"}, "files": [("file", ("a.png", b"x", "image/png"))]},
        {"files": [("report", ("a.json", b"{}", "application/json"))]},
        {"data": {"report": "no json"}, "files": [("photo", ("a.png", b"x", "image/png"))]},
        {"files": [("photo", (f"{n}.png", b"x", "image/png")) for n in range(9)], "data": {"report": "{}"}},
        {"content": b"--x\r\nbroken", "Content_Type": "multipart/form-data; boundary=x"},
        {"content": b"", "Content_Type": "multipart/form-data"},
    ],
)
def test_a_form_that_cannot_be_read_is_refused(member: Sender, parts: dict):
    answer = member.post("/intake/reports", **parts)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_body"), answer.text


def test_the_key_is_needed(member: Sender):
    answer = member.post("/intake/checkins", {"place": "村部"}, Idempotency_Key="")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")


def test_the_answer_speaks_the_reader_s_language(member: Sender, client: Client):
    english = member.post("/intake/reports", {"category": "x"}, Accept_Language="en-GB,en;q=0.9")
    assert english.json()["error"].startswith("Say where") or "category" in english.json()["error"]
    assert "令牌" in client.get("/intake/mine", Accept_Language="fr").json()["error"]


def test_a_choice_of_categories_comes_with_the_refusal(member: Sender):
    answer = member.report(category="吵架")
    assert answer.status_code == 422
    assert {"code": "D1", "name": "邻里"} in answer.json()["choices"]


@pytest.mark.parametrize("address", ["/intake/", "/intake/nothing", "/intake/photos/abc"])
def test_other_addresses_are_not_there(member: Sender, address: str):
    assert member.get(address).status_code == 404


def test_a_photo_that_is_not_there_is_not_found(member: Sender):
    assert [member.get(f"/intake/photos/{n}").status_code for n in ("1", "99999999999999999999")] == [404, 404]


def test_a_case_that_is_not_there_is_not_found(member: Sender, client: Client):
    for number in ("nowhere", "x" * 300, "a%00b", "%F0%9F%98%80"):
        assert member.get(f"/intake/reports/{number}").status_code == 404
        assert client.get(f"/intake/reports/{number}").status_code == 404
        assert member.post(f"/intake/reports/{number}/steps", {"kind": "accepted"}).status_code == 404


_ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.sampled_from(["D1", "u1", GRIDS[0], "wgs84"]),
        st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=2),
        st.dictionaries(st.sampled_from(["lng", "lat", "datum", "accuracy_m", "x"]), inside, max_size=4),
    ),
    max_leaves=6,
)  # fmt: skip
_PLACES = st.fixed_dictionaries(
    {
        "lng": st.floats(70, 140),
        "lat": st.floats(0, 60),
        "datum": st.sampled_from(["wgs84", "gcj02", "bd09", "cgcs2000"]),
    }
)


@pytest.mark.parametrize(
    ("address", "fields"),
    [("reports", _REPORT_FIELDS), ("checkins", _CHECKIN_FIELDS), ("reports/I1/steps", _STEP_FIELDS)],
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_the_answer_is_a_sentence_and_never_a_fault(
    member: Sender, address: str, fields, data: st.DataObject
):
    sound = {"category": st.just("D1"), "position": _PLACES, "kind": st.sampled_from(["accepted", "closed"])}
    said = data.draw(
        st.fixed_dictionaries({}, optional={name: st.one_of(sound.get(name, _ANYTHING), _ANYTHING) for name in fields})
    )
    answer = member.post(f"/intake/{address}", content=json.dumps(said).encode(), Content_Type="application/json")
    assert answer.status_code in {201, 403, 404, 422}, (said, answer.text)
    assert answer.status_code == 201 or answer.json()["error"]


# --- who may read what


def test_a_case_elsewhere_and_its_photo_are_not_for_a_member(member: Sender, system: Sender):
    told = send_photos(system, picture(), position=point(2500, 900), category="D2").json()
    seen = member.get(f"/intake/reports/{told['number']}").json()
    assert set(seen) == {"number", "state", "state_words", "is_open"}
    assert member.get(f"/intake/photos/{told['photos'][0]}").status_code == 404
    assert system.get(f"/intake/photos/{told['photos'][0]}").status_code == 200
    assert system.get(f"/intake/reports/{told['number']}").json()["category"] == "婚姻"


def test_a_system_reads_only_what_it_sent(member: Sender, system: Sender):
    number = member.report().json()["number"]
    assert "category" not in system.get(f"/intake/reports/{number}").json()
    assert system.get("/intake/mine").status_code == 403


# --- when the database is gone


def test_without_the_database_the_sender_is_told_and_nothing_is_half_done(
    member: Sender, town: Engine, intake_url: URL, monkeypatch, caplog
):
    member.report("key-before-1")
    name = intake_url.database
    with intake_admin(intake_url) as admin:
        admin.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        admin.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        gone = member.report("key-gone-01")
        asked = member.get("/intake/mine", Accept_Language="en")
        admin.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    assert (gone.status_code, gone.json()["code"], gone.headers["retry-after"]) == (503, "no_database", "10")
    assert "没有登记" in gone.json()["error"]
    assert (asked.status_code, "does not answer" in asked.json()["error"]) == (503, True)
    assert rows(town, "SELECT count(*) FROM incident") == [(1,)]
    assert member.report("key-gone-01").status_code == 201
    assert rows(town, "SELECT count(*) FROM incident") == [(2,)]
    assert member.token not in caplog.text


def test_a_fault_of_ours_tells_and_logs_nothing_that_was_sent(member: Sender, town: Engine, monkeypatch, caplog):
    with town.begin() as connection:
        connection.execute(text("ALTER TABLE incident ADD CONSTRAINT spoilt CHECK (text <> '密') NOT VALID"))
    try:
        answer = member.report(text="密")
    finally:
        with town.begin() as connection:
            connection.execute(text("ALTER TABLE incident DROP CONSTRAINT spoilt"))
    assert (answer.status_code, answer.json()["code"]) == (500, "ours")
    assert set(answer.json()) == {"error", "code"}
    assert "IntegrityError" in caplog.text
    assert "密" not in caplog.text
    assert member.token not in caplog.text


# --- the command line


def test_tokens_are_made_listed_and_revoked_on_the_command_line(client: Client, town: Engine):
    def run(*words: str):
        return CliRunner().invoke(app, ["intake", "token", *words])

    made = json.loads(run("add", "乙的手机", "--kind", "member", "--staff", "u2", "--json").stdout)
    assert Sender(client, made["token"]).get("/intake/mine").json()["staff_id"] == "u2"
    assert "gm_" in run("add", "热线", "--kind", "system").stdout
    listed = run("list")
    assert "乙的手机 · 网格员 · u2" in listed.stdout
    assert made["token"] not in listed.stdout
    assert run("revoke", "乙的手机").exit_code == 0
    assert Sender(client, made["token"]).get("/intake/mine").status_code == 401
    (one, _) = json.loads(run("list", "--json").stdout)["sources"]
    assert (one["name"], one["revoked_at"] is None) == ("乙的手机", False)
    assert isinstance(run("add", "丙", "--kind", "member").exception, InputError)
    assert run("add", "丙", "--kind", "boss").exit_code == 2
