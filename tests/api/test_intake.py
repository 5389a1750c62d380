"""Intake over HTTP on a real database: what is taken in, once each, and what is refused with a sentence."""

import hashlib
import io
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from sqlalchemy import Engine, text

from gridmap.actions.tokens import add_token
from tests.api.conftest import Client
from tests.busy import write_checkpoints, write_team
from tests.tiny import GRIDS, TOWNSHIP, metric_point, stored, write_categories


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


def make_town(engine: Engine) -> None:
    """The team of the first grid, checkpoints, this year's categories, on the tiny township."""
    with engine.begin() as connection:
        write_team(connection)
        write_checkpoints(connection)
        write_categories(connection)


@pytest.fixture
def town(tiny_engine: Engine) -> Engine:
    make_town(tiny_engine)
    return tiny_engine


@pytest.fixture
def member(client: Client, town: Engine) -> Sender:
    """The member of the first grid."""
    return Sender(client, add_token(town, name="甲的手机", kind="member", staff_id="u1", now=datetime.now(UTC)))


@pytest.fixture
def system(client: Client, town: Engine) -> Sender:
    """A hotline that acts for nobody in particular."""
    return Sender(client, add_token(town, name="12345", kind="system", staff_id=None, now=datetime.now(UTC)))


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
