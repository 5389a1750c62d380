"""Incidents and patrols of a day that was counted by hand (`tests/busy.py`)."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from gridmap.reports.handling import handling_report
from gridmap.reports.live import IncidentsReport, PatrolReport, incidents_report, patrol_report
from gridmap.settings import settings
from tests.busy import NOW, write_checkpoints
from tests.tiny import TOWNSHIP

ZONE = ZoneInfo("Asia/Shanghai")
VISIT_RULE = {"checkpoint_reach_m": 60, "fix_accuracy_m": 20, "patrol_max_speed_kmh": 40, "far_checkin_m": 5000}


def _incidents(engine: Engine) -> IncidentsReport:
    with engine.connect() as connection:
        return incidents_report(connection, township_code=TOWNSHIP, now=NOW, zone=ZONE, due_soon_hours=24)


def _patrol(engine: Engine) -> PatrolReport:
    with engine.connect() as connection:
        return patrol_report(connection, township_code=TOWNSHIP, now=NOW, zone=ZONE, **VISIT_RULE)


def test_today_is_counted_by_what_happened_and_what_was_closed(busy_engine: Engine):
    report = _incidents(busy_engine)
    assert (report.new.value, report.closed.value) == (2, 1)


def test_yesterday_counts_up_to_the_same_time_of_day(busy_engine: Engine):
    assert _incidents(busy_engine).new_yesterday.value == 1


def test_overdue_and_due_soon_are_the_same_on_the_wall_and_where_cases_are_handled(busy_engine: Engine):
    wall = _incidents(busy_engine)
    with busy_engine.connect() as connection:
        desk = handling_report(
            connection, township_code=TOWNSHIP, now=NOW, zone=ZONE, due_soon_hours=24, deadlines=settings().deadlines
        )
    assert (desk.n_overdue.value, desk.n_due_soon.value) == (wall.overdue.value, wall.due_soon.value) == (2, 1)
    late = desk.cases[desk.cases["mark"] == "late"]
    assert not late["is_overdue"].any()
    assert (late["next_due_at"] < NOW).all()


def test_an_old_open_incident_is_overdue_however_long_ago_it_happened(busy_engine: Engine):
    report = _incidents(busy_engine)
    assert (report.due_soon.value, report.overdue.value) == (1, 2)


def test_shares_are_of_the_incidents_closed_in_thirty_days(busy_engine: Engine):
    report = _incidents(busy_engine)
    shares = (report.in_grid, report.on_time, report.satisfied)
    assert [(figure.numerator, figure.denominator) for figure in shares] == [(1, 2)] * 3


def test_disputes_have_a_day_each_and_are_open_or_closed(busy_engine: Engine):
    disputes = _incidents(busy_engine).disputes
    assert [day.day for day in disputes] == [date(2026, 10, 15) - timedelta(days=back) for back in range(29, -1, -1)]
    assert (disputes[-1].n_open, disputes[-1].n_closed) == (2, 0)
    assert sum(day.n_open + day.n_closed for day in disputes) == 2


def test_events_run_latest_first_and_name_their_village(busy_engine: Engine):
    events = _incidents(busy_engine).events
    assert [event.incident_code for event in events] == ["I2", "I1", "I4", "I3", "I7", "I5"]
    assert [event.village for event in events[1:4]] == ["西村"] * 3
    assert [event.is_overdue for event in events] == [False, False, True, False, False, True]


def test_a_private_matter_is_listed_without_its_point_and_never_marked(busy_engine: Engine):
    report = _incidents(busy_engine)
    private = next(event for event in report.events if event.incident_code == "I2")
    assert (private.kind, private.is_private, private.point) == ("dispute", True, None)
    assert len(report.marks) == 1


def test_a_private_matter_s_category_and_village_never_leave_the_report(busy_engine: Engine):
    """Everybody sees the wall: a marriage matter named with its village is a family that could be recognised."""
    events = _incidents(busy_engine).events
    assert [(event.category, event.village) for event in events if event.is_private] == [(None, None)]
    assert None not in [event.category for event in events if not event.is_private]


def test_the_newest_record_dates_the_report(busy_engine: Engine):
    assert _incidents(busy_engine).known_at == NOW - timedelta(hours=1)


def test_what_is_recorded_later_is_not_known_yet(busy_engine: Engine):
    with busy_engine.connect() as connection:
        report = incidents_report(
            connection, township_code=TOWNSHIP, now=NOW - timedelta(hours=2.5), zone=ZONE, due_soon_hours=24
        )
    assert report.new.value == 1


def test_without_incidents_nothing_is_zero(tiny_engine: Engine):
    report = _incidents(tiny_engine)
    figures = (report.new, report.closed, report.overdue, report.in_grid, report.on_time, report.satisfied)
    assert [figure.value for figure in figures] == [None] * 6
    assert (report.disputes, report.events, report.known_at) == ((), (), None)


def test_patrol_is_visited_waiting_or_unknown(busy_engine: Engine):
    report = _patrol(busy_engine)
    counts = (report.due, report.visited, report.waiting, report.unknown)
    assert [figure.value for figure in counts] == [3, 1, 1, 1]
    assert (report.visited_share.numerator, report.visited_share.denominator) == (1, 3)
    assert sorted(mark.state for mark in report.checkpoints) == ["unknown", "visited", "waiting"]


def test_the_calendar_says_unknown_on_days_when_nobody_checked_in(busy_engine: Engine):
    report = _patrol(busy_engine)
    west, east = report.calendar
    assert report.villages == ("西村", "东村")
    assert (west[-1], east[-1]) == (pytest.approx(1 / 3), 0)
    assert (west[-2], east[-2]) == (None, None)
    assert west[-4] == pytest.approx(1 / 3)


def test_patrol_without_any_checkin_is_unknown(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        write_checkpoints(connection)
    report = _patrol(tiny_engine)
    assert [figure.value for figure in (report.due, report.visited, report.visited_share)] == [None] * 3
    assert {cell for row in report.calendar for cell in row} == {None}


def test_patrol_without_checkpoints_is_unknown(tiny_engine: Engine):
    report = _patrol(tiny_engine)
    assert (report.due.value, report.checkpoints) == (None, ())
