"""Pulling from a platform that pages, forgets tokens, fails and is changed meanwhile: nothing lost, nothing twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, text

from gridmap.actions.wecom_pull import parsed_since, pull
from gridmap.errors import InputError
from gridmap.ingest.gcj02 import to_gcj02
from gridmap.ingest.wecom_client import Waiting, WecomClient
from gridmap.settings import Settings
from gridmap.store.work_platform import PullState, read_pull, write_pull
from gridmap.texts import use_language
from tests import tiny
from tests.ingest.wecom_orders import CREATED_AT, order, record
from tests.ingest.wecom_server import CORP, SECRET, Fault, Patience, Platform, served, wait_until

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
BEGAN = NOW.timestamp()
HISTORY = [record(1, 0), record(2, 1), record(7, 20), record(5, 30)]


@pytest.fixture
def platform():
    with served() as platform:
        platform.most_a_page = 5
        platform.grids["g-w1"] = {"grid_id": "g-w1", "grid_name": "西村第1网格", "grid_parent_id": ""}
        yield platform


@pytest.fixture
def ready(tiny_engine: Engine) -> Engine:
    use_language("en")
    with tiny_engine.begin() as connection:
        tiny.write_categories(connection)
    return tiny_engine


def _pull(engine: Engine, platform: Platform, *, now=NOW, settings=None, patience=None, **options):
    patience = patience or Patience()
    waiting = Waiting(pause=patience.pause, jitter=patience.jitter, clock=patience.clock)
    with WecomClient(
        address=platform.url, corp_id=CORP, secret=SECRET, timeout_s=10, max_bytes=2**20, waiting=waiting
    ) as client:
        outcomes = pull(engine, client, settings=settings or Settings(), now=now, **options)
    return {outcome.family: outcome for outcome in outcomes}


def _held(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT incident_code, step.kind FROM incident LEFT JOIN incident_step AS step USING (incident_code)"
                " ORDER BY step.happened_at, step.step_id"
            )
        )
        held: dict[str, list[str]] = {}
        for code, kind in rows:
            held.setdefault(code, []).append(kind)
    return held


def _state(engine: Engine, family: str = "patrol") -> PullState | None:
    with engine.connect() as connection:
        return read_pull(connection, township_code=tiny.TOWNSHIP, family=family)


def _fill(platform: Platform, n: int, *, history=HISTORY, family: str = "patrol") -> None:
    for number in range(n):
        platform.put(order(number, process_list=history), modified=CREATED_AT + number, family=family)


def test_everything_comes_once_and_the_next_pull_asks_for_what_changed(ready, platform):
    _fill(platform, 12)
    platform.put(order(900, reporter_name="张三丰", reporter_mobile="13812345678"), family="resident")
    first = _pull(ready, platform)
    assert (first["patrol"].n_pages, first["patrol"].n_orders, first["patrol"].n_new) == (3, 12, 60)
    assert (first["resident"].n_orders, first["resident"].n_new, first["grids"].n_orders) == (1, 2, 1)
    assert all(outcome.fault is None for outcome in first.values())
    assert len(_held(ready)) == 13
    assert all(
        kinds == ["reported", "accepted", "handled", "closed"]
        for code, kinds in _held(ready).items()
        if "900" not in code
    )
    assert _state(ready) == PullState(next_since=NOW - timedelta(minutes=10))

    platform.asked.clear()
    platform.put(order(5, process_list=[*HISTORY, record(7, 40)]), modified=int(BEGAN) + 60)
    second = _pull(ready, platform, now=NOW + timedelta(minutes=5))
    assert (second["patrol"].n_orders, second["patrol"].n_new) == (1, 2)
    assert _held(ready)["QWwr-005_Ab"][-2:] == ["handled", "reopened"]
    assert platform.bodies("patrol/get_order_list") == [{"limit": 50, "begin_modify_time": int(BEGAN) - 600}]
    assert "grids" not in second
    assert _pull(ready, platform, now=NOW + timedelta(minutes=9))["patrol"].n_new == 0


def test_what_is_seen_again_leaves_no_record_behind(ready, platform):
    _fill(platform, 3)
    for minutes in (0, 1):
        _pull(ready, platform, now=NOW + timedelta(minutes=minutes), since=NOW - timedelta(days=90))
    with ready.connect() as connection:
        records = connection.execute(text("SELECT layer, imported_by, file_name FROM import_record ORDER BY 1")).all()
    assert [tuple(row) for row in records] == [
        ("incidents", "gridmap wecom pull", "report/patrol/get_order_info"),
        ("platform_grids", "gridmap wecom pull", "report/grid/list"),
    ]


def test_the_place_in_the_list_is_the_platforms_clock(ready, platform):
    platform.date = "Fri, 20 Mar 2026 03:30:00 GMT"
    _pull(ready, platform)
    assert _state(ready).next_since == datetime(2026, 3, 20, 3, 20, tzinfo=UTC)


def test_an_order_that_is_pushed_off_its_page_meanwhile_comes_all_the_same(ready, platform):
    """Pages by position: what changes while they are turned moves to the end, and another order slips through."""
    _fill(platform, 12)
    platform.pages_by_position = True
    platform.after_page = lambda: platform.put(order(0, process_list=HISTORY), modified=CREATED_AT + 10_000)
    outcome = _pull(ready, platform)["patrol"]
    assert outcome.fault is None
    assert len(_held(ready)) == 12


FAULTS = {
    "the server fails for long": ("get_order_list", [Fault(), Fault(status=500), *[Fault(status=502)] * 3]),
    "an answer is cut for long": ("get_order_info", [*[Fault()] * 6, *[Fault(cut=20)] * 4]),
    "the token is refused twice": ("get_order_list", [Fault(), *[Fault(errcode=40014)] * 2]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_pull_that_breaks_off_keeps_whole_pages_and_goes_on_there(ready, platform, name):
    path, faults = FAULTS[name]
    _fill(platform, 12)
    platform.fail(path, *faults)
    broken = _pull(ready, platform, families=["patrol"])["patrol"]
    assert broken.fault
    assert broken.is_passing == ("token" not in name)
    assert len(_held(ready)) == 5
    state = _state(ready)
    assert (state.begun_at, state.modified_since, state.next_since) == (NOW, None, None)
    platform.asked.clear()
    rest = _pull(ready, platform, now=NOW + timedelta(hours=1), families=["patrol"])["patrol"]
    assert (rest.fault, rest.n_new) == (None, 35)
    assert platform.bodies("get_order_list")[0]["cursor"] == state.cursor
    assert len(_held(ready)) == 12
    assert _state(ready) == PullState(next_since=NOW - timedelta(minutes=10))


def test_short_faults_are_waited_out(ready, platform):
    _fill(platform, 7)
    platform.token_uses = 3
    platform.fail("get_order_list", Fault(status=503), Fault(), Fault(errcode=45009))
    platform.fail(
        "get_order_info", Fault(cut=5), Fault(), Fault(text="<html>"), Fault(errcode=-1), Fault(errcode=42001)
    )
    patience = Patience()
    outcome = _pull(ready, platform, patience=patience, families=["patrol"])["patrol"]
    assert (outcome.fault, outcome.n_orders, len(_held(ready))) == (None, 7, 7)
    assert sorted(patience.waits) == [1.5, 1.5, 1.5, 3.0, 60.5]


def test_one_list_that_is_refused_does_not_stop_the_other(ready, platform):
    _fill(platform, 2, family="resident")
    platform.fail("list", Fault(errcode=48002))
    platform.fail("get_order_list", Fault(errcode=48002))
    outcomes = _pull(ready, platform)
    assert ["48002" in (outcomes[family].fault or "") for family in ("grids", "patrol", "resident")] == [
        True,
        True,
        False,
    ]
    assert len(_held(ready)) == 2
    assert "grids" in _pull(ready, platform, now=NOW + timedelta(minutes=5))


def test_a_refused_database_write_takes_rows_and_place_back_together(ready, platform):
    _fill(platform, 7)
    with ready.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF NEW.cursor IS NULL AND NEW.family = 'patrol' THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$;"
                " CREATE TRIGGER refuse BEFORE UPDATE ON work_platform_pull FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    with pytest.raises(Exception, match="disk full"):
        _pull(ready, platform)
    assert len(_held(ready)) == 5
    with ready.begin() as connection:
        connection.execute(text("DROP TRIGGER refuse ON work_platform_pull"))
    assert _pull(ready, platform)["patrol"].n_orders == 2
    assert len(_held(ready)) == 7


def test_a_list_that_stands_still_or_has_no_end_is_told(ready, platform):
    _fill(platform, 3)
    platform.stuck_cursor = "0|0|"
    outcome = _pull(ready, platform, families=["patrol"])["patrol"]
    assert "does not move on" in outcome.fault
    assert not outcome.is_passing
    assert len(_held(ready)) == 3
    assert platform.n_asked("patrol/get_order_list") == 2
    platform.stuck_cursor, platform.endless = None, True
    endless = _pull(ready, platform, families=["resident"])["resident"]
    assert "does not move on" in endless.fault
    assert platform.n_asked("resident/get_order_list") < 20


def test_a_cursor_that_died_meanwhile_begins_the_same_question_again(ready, platform):
    _fill(platform, 12)
    platform.fail("get_order_list", Fault(), Fault(status=500), *[Fault(status=500)] * 3)
    _pull(ready, platform, families=["patrol"])
    platform.fail("get_order_list", Fault(errcode=40058))
    outcome = _pull(ready, platform, families=["patrol"])["patrol"]
    assert (outcome.fault, outcome.n_orders, outcome.n_new) == (None, 12, 35)
    assert any("no longer good" in note for note in outcome.notes)
    assert len(_held(ready)) == 12


def test_details_that_are_refused_are_taken_from_the_list(ready, platform):
    _fill(platform, 3)
    platform.lacks_details = {"wr-001_Ab"}
    outcome = _pull(ready, platform)["patrol"]
    assert (outcome.fault, outcome.n_orders, len(_held(ready))) == (None, 3, 3)
    assert any("details of 1 orders" in note for note in outcome.notes)


def test_since_is_never_later_than_where_the_last_pull_ended(ready, platform):
    _fill(platform, 2)
    _pull(ready, platform, families=["patrol"])
    for since, asked in ((NOW, BEGAN - 600), (NOW - timedelta(days=30), BEGAN - 30 * 86400)):
        platform.asked.clear()
        _pull(ready, platform, families=["patrol"], since=since)
        assert platform.bodies("get_order_list")[0]["begin_modify_time"] == int(asked)


def test_orders_elsewhere_are_refused_each_with_its_reason_and_hold_up_nothing(ready, platform):
    _fill(platform, 2)
    for number in range(10, 20):
        there = {"name": "北京", "address": "", "longitude": 116.4, "latitude": 39.9}
        platform.put(order(number, location=there))
    outcome = _pull(ready, platform, families=["patrol"])["patrol"]
    assert outcome.fault is None
    assert len(_held(ready)) == 2
    with ready.connect() as connection:
        reasons = connection.execute(
            text("SELECT reason_code, count(*) FROM import_quarantine GROUP BY 1 ORDER BY 1")
        ).all()
    assert [tuple(row) for row in reasons] == [("outside_township", 10), ("unknown_incident", 10)]


def test_places_are_those_of_the_datum_that_was_set(ready, platform):
    point = tiny.stored([tiny.metric_point(500, 1000)]).iloc[0]
    lon, lat = (float(value[0]) for value in to_gcj02(np.array([point.x]), np.array([point.y])))
    platform.put(order(1, place=(lon, lat)))
    platform.put(order(2, place=(point.x, point.y)))
    _pull(ready, platform, families=["patrol"])
    with ready.connect() as connection:
        east = connection.execute(text("SELECT ST_X(geom) FROM incident ORDER BY incident_code")).scalars().all()
    assert east[0] == pytest.approx(point.x, abs=1e-7)
    assert abs(east[1] - point.x) > 1e-3
    refused = _pull(
        ready, platform, families=["patrol"], settings=Settings(wecom_datum="mars"), since=NOW - timedelta(days=99)
    )
    assert "mars" in refused["patrol"].fault


def test_two_pulls_at_once_do_not_both_move_on(ready, platform):
    state = PullState(next_since=NOW)
    given = {"township_code": tiny.TOWNSHIP, "family": "patrol", "n_orders": 1, "now": NOW}
    with ready.begin() as connection:
        assert write_pull(connection, before=None, after=state, **given)
        assert not write_pull(connection, before=None, after=state, **given)
        moved = PullState(begun_at=NOW, cursor="c", next_since=NOW)
        assert write_pull(connection, before=state, after=moved, **given)
        assert not write_pull(connection, before=state, after=moved, **given)
    assert _state(ready) == moved


def test_a_pull_that_another_one_overtook_stops_and_leaves_its_page_alone(ready, platform):
    _fill(platform, 7)

    def overtake() -> None:
        with ready.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO work_platform_pull (township_code, family, next_since, pulled_at)"
                    " VALUES (:town, 'patrol', now(), now())"
                ),
                {"town": tiny.TOWNSHIP},
            )

    platform.after_page = overtake
    outcome = _pull(ready, platform, families=["patrol"])["patrol"]
    assert "Another process" in outcome.fault
    assert _held(ready) == {}


CHILD = """
import json, sys
from datetime import datetime
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from gridmap.actions.wecom_pull import pull
from gridmap.ingest.wecom_client import Waiting, WecomClient
from gridmap.settings import Settings
given = json.loads(sys.argv[1])
waiting = Waiting(pause=lambda seconds: None, jitter=lambda: 0.0)
with WecomClient(address=given["url"], corp_id=given["corp"], secret=given["secret"], timeout_s=60, max_bytes=2**20,
                 waiting=waiting) as client:
    pull(create_engine(given["database"], poolclass=NullPool), client, settings=Settings(), families=["patrol"],
         now=datetime.fromisoformat(given["now"]))
"""


def _child(engine: Engine, platform: Platform) -> subprocess.Popen:
    given = {
        "url": platform.url,
        "corp": CORP,
        "secret": SECRET,
        "database": engine.url.render_as_string(hide_password=False),
        "now": NOW.isoformat(),
    }
    return subprocess.Popen([sys.executable, "-c", CHILD, json.dumps(given)], env=os.environ)


def _killed(child: subprocess.Popen) -> None:
    child.send_signal(signal.SIGKILL)
    assert child.wait(20) == -signal.SIGKILL


def test_killed_while_it_waits_for_the_platform_it_goes_on_at_its_page(ready, platform):
    _fill(platform, 12)
    hold = threading.Event()
    platform.fail("get_order_info", *[Fault()] * 7, Fault(until=hold))
    child = _child(ready, platform)
    wait_until(lambda: platform.n_asked("get_order_info") == 8 or child.poll() is not None)
    _killed(child)
    hold.set()
    assert len(_held(ready)) == 5
    assert _pull(ready, platform, families=["patrol"])["patrol"].n_new == 35
    assert {code: len(kinds) for code, kinds in _held(ready).items()} == {f"QWwr-{n:03d}_Ab": 4 for n in range(12)}


def test_killed_between_rows_and_place_it_has_neither(ready, platform):
    _fill(platform, 7)
    with ready.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;"
                " CREATE TRIGGER linger BEFORE UPDATE ON work_platform_pull FOR EACH ROW EXECUTE FUNCTION linger()"
            )
        )

    def lingering() -> list[int]:
        with ready.connect() as connection:
            found = connection.execute(
                text("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
            )
            return list(found.scalars())

    child = _child(ready, platform)
    wait_until(lambda: lingering() or child.poll() is not None)
    _killed(child)
    with ready.connect() as connection:
        for pid in lingering():
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    wait_until(lambda: not lingering())
    with ready.begin() as connection:
        connection.execute(text("DROP TRIGGER linger ON work_platform_pull"))
    assert len(_held(ready)) == 5
    assert _pull(ready, platform, families=["patrol"])["patrol"].n_new == 10
    assert len(_held(ready)) == 7


@pytest.mark.parametrize("given", ["20 March", "2026-03-20T08:00:00", "2026-13-01"])
def test_a_beginning_that_is_not_clear_is_refused(given):
    use_language("en")
    with pytest.raises(InputError, match="--since"):
        parsed_since(given, settings=Settings())


def test_a_day_begins_at_its_midnight_in_the_township():
    assert parsed_since("2026-03-20", settings=Settings()) == datetime(2026, 3, 19, 16, tzinfo=UTC)
    assert parsed_since("2026-03-20T08:00:00+08:00", settings=Settings()) == datetime(2026, 3, 20, tzinfo=UTC)
    assert parsed_since(None, settings=Settings()) is None


def test_a_family_that_is_none_is_refused(ready, platform):
    with pytest.raises(InputError, match="no reports `rumours`"):
        _pull(ready, platform, families=["rumours"])
