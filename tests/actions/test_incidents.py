"""Steps of an incident: legal ones are appended, illegal ones told and nothing written; what runs out goes up once."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from gridmap.actions.incidents import NewStep, escalate_due, take_step
from gridmap.cli.main import app
from gridmap.errors import ConflictError, InputError
from gridmap.texts import use_language
from tests import tiny
from tests.busy import NOW
from tests.serving import serve_from


def _take(engine: Engine, kind: str, level: str, *, code: str = "I1", now: datetime = NOW, **more) -> None:
    take_step(engine, NewStep(incident_code=code, kind=kind, level=level, **more), now=now)


def _steps(engine: Engine, code: str) -> list[str]:
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT kind FROM incident_step WHERE incident_code = :code ORDER BY happened_at, step_id"),
            {"code": code},
        )
        return list(found.scalars())


def test_a_case_goes_from_the_grid_to_a_team_and_is_followed_up(busy_engine: Engine):
    story = [
        ("escalated", "grid", {}), ("accepted", "village", {}), ("escalated", "village", {}),
        ("dispatched", "township", {"team_code": "mediation"}), ("accepted", "township", {}),
        ("handled", "township", {"note": "双方和解"}), ("closed", "township", {}),
        ("followed_up", "village", {"satisfaction": 5}),
    ]  # fmt: skip
    for minute, (kind, level, more) in enumerate(story):
        _take(busy_engine, kind, level, now=NOW + timedelta(minutes=minute), **more)
    assert _steps(busy_engine, "I1") == ["reported", "accepted", *[kind for kind, _, _ in story]]


def test_of_two_who_close_the_second_is_told_and_nothing_is_written(busy_engine: Engine):
    _take(busy_engine, "handled", "grid")
    _take(busy_engine, "closed", "grid", now=NOW + timedelta(minutes=1))
    with pytest.raises(ConflictError, match=r"已经办结.*10-15 12:01 片区网格办结"):
        _take(busy_engine, "closed", "village", now=NOW + timedelta(minutes=2))
    assert _steps(busy_engine, "I1").count("closed") == 1


def test_of_two_who_close_at_once_one_gets_through(busy_engine: Engine):
    _take(busy_engine, "handled", "grid")

    def close(minute: int) -> bool:
        try:
            _take(busy_engine, "closed", "grid", now=NOW + timedelta(minutes=5, microseconds=minute))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(close, range(4))) == 1


def test_the_refusal_speaks_the_reader_s_language(busy_engine: Engine):
    use_language("en")
    with pytest.raises(InputError, match="not for the member: the area grid has this case"):
        _take(busy_engine, "handled", "member")


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("dispatched", {}, "队伍"), ("dispatched", {"team_code": "nobody"}, "队伍"), ("followed_up", {}, "满意度"),
        ("followed_up", {"satisfaction": 6}, "满意度"), ("paused", {"note": " "}, "原因"), ("extended", {}, "新期限"),
        ("extended", {"due_at": NOW}, "新期限"), ("handled", {"note": "长" * 2001}, "过长"),
        ("accepted", {"code": "nowhere"}, "nowhere"), ("accepted", {"level": "county"}, "county"),
    ],
)  # fmt: skip
def test_what_a_step_needs_is_asked_for(busy_engine: Engine, kind: str, more: dict, words: str):
    with pytest.raises(InputError, match=words):
        _take(busy_engine, kind, **{"level": "township"} | more)
    assert _steps(busy_engine, "I1") == ["reported", "accepted"]


def test_a_clock_that_goes_wrong_is_told(busy_engine: Engine):
    with pytest.raises(ConflictError, match="时钟"):
        _take(busy_engine, "handled", "grid", now=NOW - timedelta(days=1))


def _due(engine: Engine, code: str) -> datetime:
    with engine.connect() as connection:
        return connection.execute(
            text("SELECT due_at FROM incident_step WHERE incident_code = :code AND due_at IS NOT NULL"
                 " ORDER BY happened_at DESC LIMIT 1"), {"code": code},
        ).scalar_one()  # fmt: skip


def test_a_resumed_case_has_the_working_time_that_was_left(busy_engine: Engine):
    _take(busy_engine, "paused", "grid", note="等待鉴定")
    _take(busy_engine, "resumed", "grid", now=NOW + timedelta(days=5))
    # Due 21 hours after the pause; paused from Thursday noon to Tuesday noon: three working days.
    assert _due(busy_engine, "I1") == tiny.at(21, 9)


def test_an_extension_is_granted_by_the_level_above(busy_engine: Engine):
    wanted = tiny.at(30)
    _take(busy_engine, "extension_asked", "grid", due_at=wanted, note="材料未齐")
    later = {"due_at": tiny.at(26), "now": NOW + timedelta(minutes=1)}
    with pytest.raises(InputError, match="权限"):
        _take(busy_engine, "extended", "grid", **later)
    _take(busy_engine, "extended", "village", **later)
    assert _due(busy_engine, "I1") == tiny.at(26)


def test_a_reopened_case_gets_a_new_due_time(busy_engine: Engine):
    _take(busy_engine, "reopened", "grid", code="I3", note="群众不满意")
    assert _due(busy_engine, "I3") == tiny.at(26, 12)  # seven working days


def test_what_ran_out_goes_up_once_however_often_it_is_asked(busy_engine: Engine):
    later = NOW + timedelta(days=1, hours=1)
    done = escalate_due(busy_engine, now=later)
    assert {(one.incident_code, one.from_level, one.to_level) for one in done} >= {("I2", "member", "grid")}
    assert escalate_due(busy_engine, now=later + timedelta(minutes=1)) == []
    assert _steps(busy_engine, "I2").count("escalated") == 1


def test_two_processes_at_once_let_it_go_up_once(busy_engine: Engine):
    later = NOW + timedelta(days=1, hours=1)
    with ThreadPoolExecutor(3) as pool:
        done = [one for run in pool.map(lambda _: escalate_due(busy_engine, now=later), range(3)) for one in run]
    codes = [one.incident_code for one in done]
    assert len(codes) == len(set(codes))
    assert codes
    with busy_engine.connect() as connection:
        n_written = connection.execute(text("SELECT count(automatic_key) FROM incident_step")).scalar()
    assert n_written == len(codes)


def test_a_killed_run_is_gone_on_with_where_it_stopped(busy_engine: Engine, database_url: URL):
    n_due = 20
    with busy_engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, happened_at, recorded_at)"
                " SELECT 'K' || n, township_code, category_code, list_year, urgency, happened_at, recorded_at"
                " FROM incident, generate_series(1, :n) AS n WHERE incident_code = 'I2'"
            ),
            {"n": n_due},
        )

    def n_up() -> tuple[int, int]:
        with busy_engine.connect() as connection:
            found = connection.execute(
                text("SELECT count(*), count(DISTINCT incident_code) FROM incident_step WHERE automatic_key <> ''")
            ).one()
        return found[0], found[1]

    variables = {"GRIDMAP_DATABASE_URL": database_url.render_as_string(hide_password=False)}
    command = [sys.executable, "-c", "from gridmap.cli.main import main; main()", "incidents", "escalate"]
    with subprocess.Popen(command, env=os.environ | variables, stderr=subprocess.DEVNULL) as running:
        while n_up()[0] == 0:
            assert running.poll() is None
        running.kill()
    stopped_at = n_up()[0]
    done = escalate_due(busy_engine, now=datetime.now(UTC))
    n_steps, n_incidents = n_up()
    assert stopped_at < n_steps == n_incidents == stopped_at + len(done)


def test_the_database_holds_the_key_itself(busy_engine: Engine):
    insert = (
        "INSERT INTO incident_step (incident_code, kind, level, automatic_key, happened_at)"
        " VALUES ('I2', '{kind}', 'member', 'k', now() + '{minutes} min')"
    )
    with busy_engine.begin() as connection:
        connection.execute(text(insert.format(kind="escalated", minutes=0)))
    for kind in ("escalated", "closed"):
        with pytest.raises(DBAPIError), busy_engine.begin() as connection:
            connection.execute(text(insert.format(kind=kind, minutes=1)))


def test_the_command_answers_in_json_and_then_has_nothing_to_do(
    busy_engine: Engine, database_url: URL, monkeypatch: pytest.MonkeyPatch
):
    with serve_from(database_url, monkeypatch):
        first, second = (json.loads(CliRunner().invoke(app, ["incidents", "escalate", "--json"]).stdout) for _ in "12")
    assert first["n_escalated"] == len(first["escalated"]) > 0
    assert second["n_escalated"] == 0
