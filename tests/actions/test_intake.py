"""What comes in is placed, listed, masked and recorded once; what cannot be taken leaves nothing behind."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest
from PIL import Image
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from gridmap import settings as settings_module
from gridmap.actions.arrivals import NotAccepted, Position
from gridmap.actions.duty import NewArrival, StepConflict, WantedStep, check_in, take
from gridmap.actions.intake import NewReport, report, report_by_resident
from gridmap.actions.tokens import add_token, revoke_token, token_hash
from gridmap.errors import ConflictError, InputError
from gridmap.ingest.gcj02 import to_bd09, to_gcj02
from gridmap.store.intake import Source, read_source
from gridmap.store.writing import write_rows
from tests.busy import NOW
from tests.intake_town import make_town
from tests.tiny import EAST_VILLAGE, GRIDS, TOWNSHIP, WEST_VILLAGE, metric_point, stored

SKEW = timedelta(seconds=300)


@pytest.fixture
def town(intake_town: Engine) -> Engine:
    return intake_town


@pytest.fixture
def own_town(engine: Engine) -> Engine:
    """A town of its own, for tests that change more than facts."""
    make_town(engine)
    return engine


def source_named(engine: Engine, name: str, kind: str, staff_id: str | None) -> Source:
    token = add_token(engine, name=name, kind=kind, staff_id=staff_id, now=NOW)
    with engine.connect() as connection:
        found = read_source(connection, token_sha256=token_hash(token))
    assert found is not None
    return found


@pytest.fixture
def member(town: Engine) -> Source:
    return source_named(town, "甲的手机", "member", "u1")


@pytest.fixture
def system(town: Engine) -> Source:
    return source_named(town, "12345", "system", None)


def point(east_m: float, north_m: float, *, datum: str = "cgcs2000", accuracy_m: float | None = None) -> Position:
    (place,) = stored([metric_point(east_m, north_m)])
    return Position(lng=place.x, lat=place.y, datum=datum, accuracy_m=accuracy_m)


HOME = point(300, 900)
_count = iter(range(10**6))


def send(engine: Engine, source: Source, *, key: str | None = None, now: datetime = NOW, **said) -> dict:
    new = NewReport(**({"category": "D1", "position": HOME} | said))
    return report(engine, source, new, key=key or f"key-{next(_count):08d}", now=now).answer


def refused(engine: Engine, source: Source, **said) -> NotAccepted:
    with pytest.raises(NotAccepted) as told:
        send(engine, source, **said)
    assert rows(engine, "SELECT count(*) FROM incident UNION ALL SELECT count(*) FROM intake_receipt") == [(0,), (0,)]
    return told.value


def rows(engine: Engine, sql: str, **values) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def picture(width: int = 40, height: int = 30, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(written, kind)
    return written.getvalue()


# --- where


@pytest.mark.parametrize(
    ("said", "grid", "village"),
    [
        ({"position": point(1500, 900)}, GRIDS[1], "西村"),
        ({"position": None, "grid_code": GRIDS[2]}, GRIDS[2], "东村"),
        ({"position": None, "grid_name": "西村第2网格"}, GRIDS[1], "西村"),
        ({"position": None, "grid_name": " 西村第２网格", "village": "西村"}, GRIDS[1], "西村"),
        ({"position": None, "village": "东村"}, GRIDS[2], "东村"),  # the village is one grid
        ({"position": None, "village": WEST_VILLAGE}, None, "西村"),
        ({"position": None, "grid_code": WEST_VILLAGE}, None, "西村"),
        ({"position": None, "grid_code": TOWNSHIP, "place": "街上"}, None, None),
        ({"position": None, "place": "老桥头"}, None, None),
    ],
)  # fmt: skip
def test_the_grid_is_found_by_place_else_by_name(town: Engine, system: Source, said: dict, grid: str, village: str):
    told = send(town, system, **said)
    assert (told["grid_code"], told["village"]) == (grid, village)
    assert bool(told["warnings"]) == (grid is None)


@pytest.mark.parametrize("shift", [("gcj02", to_gcj02), ("bd09", to_bd09)])
def test_a_place_in_a_chinese_datum_is_moved_back(town: Engine, system: Source, shift: tuple):
    datum, move = shift
    place = point(995, 900)  # five metres from the border: unmoved it would lie hundreds of metres away
    lng, lat = move(pd.Series([place.lng]).to_numpy(), pd.Series([place.lat]).to_numpy())
    told = send(town, system, position=Position(lng=float(lng[0]), lat=float(lat[0]), datum=datum))
    assert told["grid_code"] == GRIDS[0]
    (kept,) = rows(town, "SELECT ST_X(geom), ST_Y(geom) FROM incident")
    assert kept == pytest.approx((place.lng, place.lat), abs=1e-8)


def test_a_place_outside_every_grid_is_taken_for_the_township_and_the_nearest_grid_is_told(
    town: Engine, system: Source
):
    told = send(town, system, position=point(-40, 900))
    assert (told["grid_code"], told["village"]) == (None, None)
    assert "西村第1网格，相距 40 米" in told["warnings"][0]
    assert rows(town, "SELECT grid_code, village_code, geom IS NULL FROM incident") == [(None, None, False)]


def test_beside_a_place_outside_the_named_grid_answers_for_it(town: Engine, system: Source):
    told = send(town, system, position=point(-40, 900), grid_code=GRIDS[0])
    assert (told["grid_code"], told["village"]) == (GRIDS[0], "西村")
    assert rows(town, "SELECT grid_code, village_code FROM incident") == [(GRIDS[0], WEST_VILLAGE)]


def test_a_wrong_name_is_overruled_by_the_place(town: Engine, system: Source):
    told = send(town, system, position=HOME, grid_code=GRIDS[2])
    assert told["grid_code"] == GRIDS[0]
    assert "东村第1网格" in told["warnings"][0]
    assert rows(town, "SELECT village_code FROM incident") == [(WEST_VILLAGE,)]


def test_a_rough_position_is_warned_of(town: Engine, system: Source):
    assert "800" in send(town, system, position=point(300, 900, accuracy_m=800))["warnings"][0]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"position": None}, "no_place"),
        ({"position": None, "place": " "}, "no_place"),
        ({"position": None, "grid_code": GRIDS[0][:-1] + "9"}, "unknown_grid"),
        ({"position": None, "grid_code": "'; DROP TABLE incident; --"}, "unknown_grid"),
        ({"position": None, "grid_name": "第1网格"}, "unknown_grid"),
        ({"position": None, "grid_name": "西村第1网格", "village": "东村"}, "unknown_grid"),
        ({"position": None, "village": "南村"}, "unknown_village"),
        ({"position": Position(lng=30.2, lat=113.1, datum="wgs84")}, "outside_china"),
        ({"position": Position(lng=float("nan"), lat=30.0, datum="wgs84")}, "outside_china"),
        ({"position": Position(lng=113.1, lat=30.2, datum="")}, "unknown_datum"),
        ({"position": Position(lng=113.1, lat=30.2, datum="mars")}, "unknown_datum"),
        ({"position": point(300, 900, accuracy_m=-1)}, "bad_accuracy"),
        ({"position": point(300, 900, accuracy_m=float("nan"))}, "bad_accuracy"),
        ({"township_code": "000000000"}, "unknown_township"),
        ({"staff_id": "nobody"}, "unknown_staff"),
        ({"urgency": "panic"}, "unknown_urgency"),
        ({"category": "吵架"}, "unknown_category"),
        ({"text": "长" * 2001}, "too_long"),
        ({"text": "a\x00b"}, "not_text"),
        ({"text": "a\ud800b"}, "not_text"),
        ({"place": "\udfff"}, "not_text"),
        ({"happened_at": NOW + SKEW + timedelta(seconds=1)}, "future"),
        ({"happened_at": datetime(1999, 12, 31, tzinfo=UTC)}, "too_early"),
        ({"happened_at": NOW.replace(tzinfo=None)}, "no_zone"),
        ({"photos": [b"no picture"]}, "bad_photo"),
        ({"photos": [picture()[:60]]}, "bad_photo"),
        ({"photos": [b"<svg xmlns='http://www.w3.org/2000/svg'/>"]}, "bad_photo"),
        ({"photos": [picture()] * 5}, "too_many_photos"),
        ({"photos": [bytes(12_000_001)]}, "photo_too_large"),
        ({"key": "short"}, "bad_key"),
        ({"key": "schlüssel-1"}, "bad_key"),
        ({"key": "k" * 201}, "bad_key"),
    ],
)
def test_what_cannot_be_taken_leaves_nothing_behind(town: Engine, system: Source, said: dict, code: str):
    error = refused(town, system, **said)
    assert error.code == code
    assert len(str(error)) > 5


def test_an_unknown_category_names_the_choices(town: Engine, system: Source):
    error = refused(town, system, category="吵架")
    assert {one["name"] for one in error.data["choices"]} == {"邻里", "婚姻", "消防隐患", "办事咨询", "线索"}
    assert "邻里" in str(error)


# --- when


def test_a_clock_that_is_a_little_ahead_is_cut_to_now(town: Engine, system: Source):
    send(town, system, happened_at=NOW + SKEW)
    assert rows(town, "SELECT happened_at FROM incident") == [(NOW,)]


def test_the_instant_is_kept_whatever_zone_it_came_in(town: Engine, system: Source):
    told = send(town, system, happened_at=(NOW - timedelta(hours=2)).astimezone(timezone(timedelta(hours=-5))))
    assert rows(town, "SELECT happened_at FROM incident") == [(NOW - timedelta(hours=2),)]
    assert told["happened_at"] == "2026-10-15T10:00:00+08:00"


def test_due_times_count_from_the_receipt_in_working_days(town: Engine, system: Source):
    told = send(town, system, happened_at=NOW - timedelta(days=30))
    # Thursday noon: accepted by Friday noon, closed by noon of the seventh working day, Monday the 26th.
    assert (told["accept_due_at"], told["due_at"]) == ("2026-10-16T12:00:00+08:00", "2026-10-26T12:00:00+08:00")


def _change_list(engine: Engine, on: date) -> None:
    """In the middle of the year D1 ends and D9 comes, in the list of the same year."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE category SET valid_until = :on WHERE category_code = 'D1'"), {"on": on})
        late = {
            "category_code": ["D9"],
            "list_year": 2026,
            "kind": "dispute",
            "name": "邻里关系",
            "is_private": False,
            "valid_from": on,
        }
        write_rows(connection, "category", pd.DataFrame(late), key=["category_code", "list_year"])


def test_the_list_that_changed_in_the_year_is_the_one_of_the_day_it_happened(own_town: Engine):
    system = source_named(own_town, "12345", "system", None)
    _change_list(own_town, date(2026, 10, 15))
    yesterday = NOW - timedelta(days=1)
    assert send(own_town, system, category="D1", happened_at=yesterday)["category"] == "邻里"
    assert send(own_town, system, category="D9")["category"] == "邻里关系"
    # What somebody chose from today's list for a matter of yesterday is understood as well.
    assert send(own_town, system, category="邻里关系", happened_at=yesterday)["category_code"] == "D9"
    with pytest.raises(NotAccepted) as told:
        send(own_town, system, category="D1")
    assert "D9" in [one["code"] for one in told.value.data["choices"]]
    assert "D1" not in [one["code"] for one in told.value.data["choices"]]


def test_of_two_lists_that_are_open_the_newer_year_is_in_force(own_town: Engine):
    system = source_named(own_town, "12345", "system", None)
    with own_town.begin() as connection:
        newer = {
            "category_code": ["D1"],
            "list_year": 2027,
            "kind": "dispute",
            "name": "邻里新",
            "is_private": False,
            "valid_from": date(2026, 10, 1),
        }
        write_rows(connection, "category", pd.DataFrame(newer), key=["category_code", "list_year"])
    assert send(own_town, system, category="D1")["category"] == "邻里新"
    assert rows(own_town, "SELECT list_year FROM incident") == [(2027,)]


# --- who


def test_a_member_s_report_is_his_and_a_system_s_nobody_s(town: Engine, member: Source, system: Source):
    send(town, member)
    send(town, system)
    send(town, system, staff_id="u2")
    assert rows(town, "SELECT level, staff_id, source FROM incident_step JOIN incident USING (incident_code) ORDER BY 2") == [
        ("member", "u1", "网格员上报"), ("grid", "u2", "12345"), (None, None, "12345"),
    ]  # fmt: skip


def test_a_member_speaks_for_nobody_else(town: Engine, member: Source):
    assert refused(town, member, staff_id="u2").code == "not_yours"


def test_a_resident_is_nobody_and_hears_nothing_of_private_matters(town: Engine, member: Source):
    send(town, member, category="D2")
    seen = send(town, member, category="D1")["number"]

    def tell(category: str) -> dict:
        new = NewReport(category=category, text=f"请回电13912345678 {category}", grid_code=GRIDS[0], position=HOME)
        return report_by_resident(town, new, key=f"resident-{category}", now=NOW).answer

    assert tell("D2")["duplicates"] == []
    assert [one["number"] for one in tell("D1")["duplicates"]] == [seen]
    assert rows(town, "SELECT level, staff_id, source, text FROM incident_step JOIN incident USING (incident_code)"
                " WHERE source = '居民扫码上报' AND category_code = 'D1'") == [(None, None, "居民扫码上报", "请回电〔电话〕 D1")]  # fmt: skip


def test_the_member_of_the_grid_has_what_a_resident_reports(town: Engine, member: Source):
    new = NewReport(category="D1", grid_code=GRIDS[0])
    number = report_by_resident(town, new, key="resident-1", now=NOW).answer["number"]
    for minute, kind in enumerate(("accepted", "handled", "closed"), start=1):
        step = WantedStep(number=number, kind=kind)
        told = take(town, member, step, key=f"step-{kind}", now=NOW + timedelta(minutes=minute)).answer
        assert (told["level"], told["holder"]) == ("member", "member")


def test_a_resident_s_report_needs_the_grid_of_its_form(town: Engine):
    with pytest.raises(NotAccepted) as told:
        report_by_resident(town, NewReport(category="D1", position=HOME), key="resident-1", now=NOW)
    assert told.value.code == "no_place"


# --- texts and photos


def test_numbers_are_masked_before_anything_is_stored(town: Engine, member: Source):
    number = send(
        town,
        member,
        text="张某 138 1234 5678，证件１１０１０５１９４９１２３１００２Ｘ",
        place="桥头，电话0716-5123456",
    )["number"]
    take(
        town,
        member,
        WantedStep(number=number, kind="accepted", note="已联系13912345678"),
        key="step-0001",
        now=NOW + SKEW,
    )
    check_in(
        town, member, NewArrival(position=HOME, note="问13912345678", place="13912345678旁"), key="check-001", now=NOW
    )
    found = rows(town, "SELECT text, place FROM incident") + rows(
        town, "SELECT note FROM incident_step WHERE note IS NOT NULL"
    )
    assert found == [("张某 〔电话〕，证件〔证件号〕", "桥头，电话〔电话〕"), ("已联系〔电话〕",)]
    assert rows(town, "SELECT note, place FROM checkin") == [("问〔电话〕", "〔电话〕旁")]
    everything = str(rows(town, "SELECT answer::text FROM intake_receipt"))
    assert "1381234" not in everything
    assert "13912345678" not in everything


def test_the_same_photo_twice_is_one(town: Engine, member: Source):
    told = send(town, member, photos=[picture(), picture(), picture(50, 50, "WEBP")])
    assert len(told["photos"]) == 2
    contents = rows(town, "SELECT content, sha256 FROM incident_photo")
    assert all(hashlib.sha256(content).hexdigest() == digest for content, digest in contents)


def test_a_large_picture_is_made_smaller_and_one_of_too_many_pixels_refused(
    town: Engine, member: Source, monkeypatch: pytest.MonkeyPatch
):
    send(town, member, photos=[picture(2400, 1200)])
    assert rows(town, "SELECT width_px, height_px FROM incident_photo") == [(1600, 800)]
    monkeypatch.setenv("GRIDMAP_INTAKE_PHOTO_MPX", "1")
    settings_module.settings.cache_clear()
    with pytest.raises(NotAccepted, match=r"第 2 张照片.*1200 × 1000"):
        send(town, member, photos=[picture(), picture(1200, 1000)])
    assert rows(town, "SELECT count(*) FROM incident") == [(1,)]


# --- once


def test_a_key_is_answered_once_and_the_same_afterwards(town: Engine, member: Source, system: Source):
    new = NewReport(category="D1", position=HOME, photos=[picture()])
    first = report(town, member, new, key="key-once-1", now=NOW)
    again = report(town, member, new, key="key-once-1", now=NOW + timedelta(days=3))
    assert (first.is_replay, again.is_replay, again.answer) == (False, True, first.answer)
    other = report(town, system, new, key="key-once-1", now=NOW)  # another sender's key is another key
    assert other.answer["number"] != first.answer["number"]
    assert rows(town, "SELECT count(*) FROM incident UNION ALL SELECT count(*) FROM incident_photo") == [(2,), (2,)]


@pytest.mark.parametrize(
    "changed", [{"text": "别的"}, {"photos": [picture(41, 30)]}, {"position": point(301, 900)}, {"urgency": "urgent"}]
)
def test_a_key_is_for_one_matter(town: Engine, member: Source, changed: dict):
    same = {"text": "水沟堵了", "photos": [picture()], "key": "key-once-1"}
    send(town, member, **same)
    with pytest.raises(ConflictError, match="Idempotency-Key"):
        send(town, member, **same | changed)
    with pytest.raises(ConflictError):
        check_in(town, member, NewArrival(position=HOME), key="key-once-1", now=NOW)
    assert rows(town, "SELECT count(*) FROM incident UNION ALL SELECT count(*) FROM checkin") == [(1,), (0,)]


def test_a_refused_report_may_be_mended_under_its_key(town: Engine, member: Source):
    refused(town, member, category="吵架", key="key-once-1")
    assert send(town, member, key="key-once-1")["number"].endswith("-0001")


def test_of_many_who_send_one_key_at_once_one_is_recorded_and_all_hear_its_number(town: Engine, member: Source):
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: send(town, member, key="key-once-1")["number"], range(8)))
        others = set(pool.map(lambda n: send(town, member, key=f"key-more-{n}")["number"], range(8)))
    assert len(set(told)) == 1
    assert len(others) == 8
    assert rows(town, "SELECT count(*) FROM incident UNION ALL SELECT count(*) FROM incident_step") == [(9,), (9,)]


def test_a_transaction_that_fails_at_its_end_leaves_nothing(own_town: Engine):
    member = source_named(own_town, "甲的手机", "member", "u1")
    with own_town.begin() as connection:
        connection.execute(text("ALTER TABLE intake_receipt ADD CONSTRAINT spoilt CHECK (false) NOT VALID"))
    with pytest.raises(IntegrityError):
        send(own_town, member, photos=[picture()], key="key-once-1")
    counts = " UNION ALL ".join(
        f"SELECT count(*) FROM {table}" for table in ("incident", "incident_step", "incident_photo", "intake_receipt")
    )
    assert rows(own_town, counts) == [(0,)] * 4
    with own_town.begin() as connection:
        connection.execute(text("ALTER TABLE intake_receipt DROP CONSTRAINT spoilt"))
    assert send(own_town, member, photos=[picture()], key="key-once-1")["number"].endswith("-0001")


def test_receipts_and_photos_are_only_appended(town: Engine, member: Source):
    send(town, member, photos=[picture()])
    for table in ("intake_receipt", "incident_photo"):
        for change in (f"UPDATE {table} SET recorded_at = now()", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DBAPIError, match="never changed"), town.begin() as connection:
                connection.execute(text(change))


def test_the_ten_thousandth_report_of_a_day_has_a_number_too(own_town: Engine):
    member = source_named(own_town, "甲的手机", "member", "u1")
    first = send(own_town, member)["number"]
    with own_town.begin() as connection:
        connection.execute(
            text("INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, happened_at, recorded_at)"
                 " SELECT :start || n, township_code, category_code, list_year, urgency, happened_at, recorded_at"
                 " FROM incident, (VALUES ('9999'), ('A')) AS made (n)"), {"start": first[:-4]},
        )  # fmt: skip
    assert [send(own_town, member)["number"][-5:] for _ in range(2)] == ["10000", "10001"]


# --- look-alikes


def test_look_alikes_are_suggested_and_never_merged(town: Engine, member: Source):
    first = send(town, member, position=point(300, 900), now=NOW)["number"]
    nowhere = send(town, member, position=None, grid_code=GRIDS[0], now=NOW)["number"]
    send(town, member, position=point(300, 900), category="Z1", now=NOW)
    send(town, member, position=point(700, 900), now=NOW)
    told = send(town, member, position=point(330, 940), now=NOW + timedelta(hours=20))
    assert told["duplicates"] == [
        {"number": first, "distance_m": 50, "hours": 20.0, "category": "邻里"},
        {"number": nowhere, "distance_m": None, "hours": 20.0, "category": "邻里"},
    ]
    assert rows(town, "SELECT count(*) FROM incident") == [(5,)]
    assert send(town, member, now=NOW + timedelta(hours=73))["duplicates"][0]["number"] == told["number"]


# --- steps and check-ins


def test_who_serves_elsewhere_takes_no_step(town: Engine, member: Source):
    number = send(town, member, position=point(1500, 900))["number"]
    with pytest.raises(NotAccepted, match="西村第2网格") as told:
        take(town, member, WantedStep(number=number, kind="accepted"), key="step-0001", now=NOW + SKEW)
    assert told.value.code == "not_yours"


def test_a_step_of_another_level_is_refused(town: Engine, member: Source):
    number = send(town, member)["number"]
    with pytest.raises(InputError, match="权限"):
        take(
            town,
            member,
            WantedStep(number=number, kind="dispatched", team_code="advice"),
            key="step-0001",
            now=NOW + SKEW,
        )
    assert rows(town, "SELECT count(*) FROM incident_step") == [(1,)]


def test_a_system_takes_a_step_for_a_person_or_a_level(town: Engine, system: Source):
    number = send(town, system)["number"]
    with pytest.raises(NotAccepted) as told:
        take(town, system, WantedStep(number=number, kind="accepted"), key="step-0001", now=NOW + SKEW)
    assert told.value.code == "missing"
    take(town, system, WantedStep(number=number, kind="accepted", staff_id="u2"), key="step-0002", now=NOW + SKEW)
    take(town, system, WantedStep(number=number, kind="escalated", level="grid"), key="step-0003", now=NOW + 2 * SKEW)
    assert rows(town, "SELECT kind, level, staff_id FROM incident_step ORDER BY step_id") == [
        ("reported", None, None), ("accepted", "grid", "u2"), ("escalated", "grid", None),
    ]  # fmt: skip


def test_of_two_who_close_the_second_hears_who_was_first_and_a_replay_hears_yes(town: Engine, member: Source):
    number = send(town, member)["number"]
    for minute, kind in enumerate(("accepted", "handled", "closed"), start=1):
        step = WantedStep(number=number, kind=kind)
        done = take(town, member, step, key=f"step-{kind}", now=NOW + timedelta(minutes=minute))
    assert take(town, member, step, key="step-closed", now=NOW + SKEW).answer == done.answer
    with pytest.raises(StepConflict) as told:
        take(town, member, step, key="step-another", now=NOW + SKEW)
    assert told.value.first == {
        "step": "closed", "level": "member", "staff_id": "u1", "happened_at": "2026-10-15T12:03:00+08:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("step", "code"),
    [({"number": "nowhere"}, "unknown_report"), ({"kind": "vanish"}, "unknown_step"), ({"note": "\x00"}, "not_text"),
     ({"staff_id": "u2"}, "not_yours"), ({"level": "township"}, "not_yours")],
)  # fmt: skip
def test_a_step_that_cannot_be_taken_says_why(town: Engine, member: Source, step: dict, code: str):
    number = send(town, member)["number"]
    with pytest.raises(NotAccepted) as told:
        take(town, member, WantedStep(**{"number": number, "kind": "accepted"} | step), key="step-0001", now=NOW + SKEW)
    assert told.value.code == code


def test_a_case_of_another_township_is_not_there(own_town: Engine):
    member = source_named(own_town, "甲的手机", "member", "u1")
    number = send(own_town, member)["number"]
    with own_town.begin() as connection:
        connection.execute(text("INSERT INTO staff (staff_id, township_code, name) VALUES ('far', '110000000', '远')"))
    stranger = source_named(own_town, "远的手机", "member", "far")
    with pytest.raises(NotAccepted) as told:
        take(own_town, stranger, WantedStep(number=number, kind="accepted"), key="step-0001", now=NOW + SKEW)
    assert told.value.code == "unknown_report"


def test_a_checkin_far_from_every_checkpoint_is_taken_too(town: Engine, member: Source):
    told = check_in(town, member, NewArrival(position=point(2500, 100)), key="check-001", now=NOW).answer
    assert (told["checkpoint"], told["grid_code"], told["village"]) == (None, GRIDS[2], "东村")
    closed = check_in(town, member, NewArrival(position=point(3500, 1500)), key="check-002", now=NOW + SKEW).answer
    assert closed["checkpoint"] is None  # C5 was closed on the first of the month


@pytest.mark.parametrize(
    ("arrival", "code"),
    [
        ({}, "no_place"),
        ({"position": HOME, "kind": " "}, "missing"),
        ({"position": HOME, "staff_id": "u2"}, "not_yours"),
    ],
)
def test_a_checkin_that_says_too_little_is_refused(town: Engine, member: Source, arrival: dict, code: str):
    with pytest.raises(NotAccepted) as told:
        check_in(town, member, NewArrival(**arrival), key="check-001", now=NOW)
    assert told.value.code == code


def test_a_system_must_say_who_checks_in(town: Engine, system: Source):
    with pytest.raises(NotAccepted, match="staff_id"):
        check_in(town, system, NewArrival(position=HOME), key="check-001", now=NOW)
    told = check_in(town, system, NewArrival(place="村部", staff_id="u1"), key="check-002", now=NOW)
    assert told.answer["warnings"] == ["没有位置：打卡已登记，但不计入任何检查点。"]


# --- tokens


def test_only_the_hash_of_a_token_is_kept_and_a_revoked_one_is_worth_nothing(town: Engine):
    token = add_token(town, name="甲的手机", kind="member", staff_id="u1", now=NOW)
    assert token not in str(rows(town, "SELECT * FROM intake_source"))
    revoke_token(town, name="甲的手机", now=NOW)
    with town.connect() as connection:
        assert read_source(connection, token_sha256=token_hash(token)) is None
    with pytest.raises(InputError, match="甲的手机"):
        revoke_token(town, name="甲的手机", now=NOW)


def test_a_source_that_comes_back_keeps_its_receipts(town: Engine, member: Source):
    before = send(town, member, key="key-once-1")
    revoke_token(town, name=member.name, now=NOW)
    again = source_named(town, member.name, "member", "u1")
    assert send(town, again, key="key-once-1") == before


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "甲的手机"}, {"name": " "}, {"name": "resident"}, {"name": "长" * 61}, {"name": "a\nb"}, {"kind": "boss"},
        {"name": "x", "kind": "member", "staff_id": None}, {"name": "x", "staff_id": "nobody"},
    ],
)  # fmt: skip
def test_a_token_that_cannot_be_is_refused(town: Engine, member: Source, asked: dict):
    with pytest.raises(InputError):
        add_token(town, **{"name": "新", "kind": "member", "staff_id": "u1", "now": NOW} | asked)


def test_the_residents_form_has_no_token(town: Engine):
    with pytest.raises(IntegrityError, match="resident_is_nobody"), town.begin() as connection:
        connection.execute(text("UPDATE intake_source SET token_sha256 = repeat('0', 64) WHERE kind = 'resident'"))


def test_a_village_without_a_grid_today_keeps_its_name(own_town: Engine):
    system = source_named(own_town, "12345", "system", None)
    with own_town.begin() as connection:
        connection.execute(text("UPDATE plan SET state = 'retired', valid_until = '2026-10-01'"))
    told = send(own_town, system, position=None, village="东村")
    assert (told["grid_code"], told["village"]) == (None, "东村")
    assert rows(own_town, "SELECT village_code FROM incident") == [(EAST_VILLAGE,)]
    assert "没有生效的网格划分" in send(own_town, system, position=HOME)["warnings"][0]
