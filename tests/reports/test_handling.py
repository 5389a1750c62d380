"""What grids settled a month and which cases count, on a day counted by hand (`tests/busy.py`)."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.reports.handling import HandlingReport, handling_report
from gridmap.settings import settings
from tests.busy import NOW
from tests.tiny import GRIDS, TOWNSHIP, WEST_VILLAGE, metric_point, stored

ZONE = ZoneInfo("Asia/Shanghai")


def _report(engine: Engine, *, disputes_a_month: int = 1, wanted: str = "") -> HandlingReport:
    with engine.connect() as connection:
        return handling_report(
            connection, township_code=TOWNSHIP, now=NOW, zone=ZONE, due_soon_hours=24, deadlines=settings().deadlines,
            disputes_a_month=disputes_a_month, wanted=wanted,
        )  # fmt: skip


def _add(engine: Engine, code: str, *, happened_days: float, closed_days: float, east_m: float | None = 2300) -> None:
    """Add a dispute that was closed so many days before now."""
    point = None if east_m is None else stored([metric_point(east_m, 900)]).to_wkb(hex=True)[0]
    with engine.begin() as connection:
        for sql in (
            (
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, happened_at,"
                " recorded_at, geom) VALUES (:code, :town, 'D1', 2026, 'normal', :happened, :happened,"
                " ST_SetSRID(CAST(:point AS geometry), 4490))"
            ),
            (
                "INSERT INTO incident_step (incident_code, kind, level, happened_at, recorded_at)"
                " VALUES (:code, 'closed', 'grid', :closed, :closed)"
            ),
        ):
            connection.execute(
                text(sql),
                {
                    "code": code, "town": TOWNSHIP, "point": point,
                    "happened": NOW - timedelta(days=happened_days), "closed": NOW - timedelta(days=closed_days),
                },
            )  # fmt: skip


def test_every_grid_has_its_months_and_a_month_without_records_is_unknown(busy_engine: Engine):
    settled = _report(busy_engine).settled
    assert settled.index.tolist() == sorted(GRIDS)
    assert settled.columns.tolist() == ["name", "n_met", *(f"2026-{month:02}" for month in range(5, 11))]
    assert settled[["2026-09", "2026-10"]].to_numpy().tolist() == [[0, 0], [1, 1], [0, 0]]
    assert settled[["2026-05", "2026-08"]].isna().all(axis=None)
    # Of the months that are over, September alone is known.
    assert settled["n_met"].tolist() == [0, 1, 0]
    assert _report(busy_engine, disputes_a_month=2).settled["n_met"].tolist() == [0, 0, 0]


def test_a_month_before_the_ninety_days_of_the_queue_is_counted_in_full(busy_engine: Engine):
    before = _report(busy_engine)
    _add(busy_engine, "OLD", happened_days=140, closed_days=125)
    _add(busy_engine, "NOWHERE", happened_days=140, closed_days=125, east_m=None)
    after = _report(busy_engine)
    assert after.settled.loc[GRIDS[2], "2026-06"] == 1
    assert after.n_settled_elsewhere == 1
    # It is too old for the queue and its shares.
    assert "OLD" not in after.cases.index
    assert (after.closing.numerator, after.closing.denominator) == (
        before.closing.numerator,
        before.closing.denominator,
    )


def test_what_was_reopened_and_closed_long_ago_is_in_no_figure_of_ninety_days(busy_engine: Engine):
    before = _report(busy_engine)
    _add(busy_engine, "AGAIN", happened_days=300, closed_days=280)
    with busy_engine.begin() as connection:
        for kind, days in (("reopened", 290), ("closed", 250)):
            connection.execute(
                text("INSERT INTO incident_step (incident_code, kind, level, happened_at, recorded_at)"
                     " VALUES ('AGAIN', :kind, 'grid', :at, :at)"),
                {"kind": kind, "at": NOW - timedelta(days=days)},
            )  # fmt: skip
    after = _report(busy_engine)
    assert after.closing == before.closing
    pd.testing.assert_frame_equal(after.times, before.times)
    assert "AGAIN" not in after.cases.index


def test_without_anything_recorded_no_month_is_known(tiny_engine: Engine):
    report = _report(tiny_engine)
    assert report.settled.drop(columns="name").isna().all(axis=None)
    assert report.n_settled_elsewhere == 0
    assert report.closing.value is None


@pytest.mark.parametrize("wanted", ["old-7", "  OLD-7 ", "樟树下", "100%老", "西村"])
def test_a_case_of_years_ago_is_found_and_changes_no_figure(busy_engine: Engine, wanted: str):
    _add(busy_engine, "OLD-7", happened_days=900, closed_days=880, east_m=300)
    with busy_engine.begin() as connection:
        connection.execute(text("ALTER TABLE incident DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE incident SET place = '樟树下', text = '争100%老屋地基', village_code = :village"
                 " WHERE incident_code = 'OLD-7'"),
            {"village": WEST_VILLAGE},
        )  # fmt: skip
    without, found = _report(busy_engine), _report(busy_engine, wanted=wanted)
    assert "OLD-7" not in without.cases.index
    queue = found.queue(level=None, team=None, village_code=None, wanted=wanted)
    assert "OLD-7" in queue.index
    assert found.steps.loc[found.steps["incident_code"] == "OLD-7", "kind"].tolist() == ["closed"]
    for name in ("n_open", "n_overdue", "n_late", "n_due_soon", "closing", "on_time", "in_grid", "satisfied"):
        assert getattr(found, name) == getattr(without, name)
    pd.testing.assert_frame_equal(found.times, without.times)
    pd.testing.assert_frame_equal(found.settled, without.settled)
    assert not found.has_older


def test_words_that_are_signs_of_a_query_are_only_words(busy_engine: Engine):
    for words in ("%", "_", "'; DROP TABLE incident; --"):
        assert _report(busy_engine, wanted=words).queue(level=None, team=None, village_code=None, wanted=words).empty


def test_what_is_due_first_stands_first_and_of_closed_cases_the_newest(busy_engine: Engine):
    _add(busy_engine, "OLD-8", happened_days=900, closed_days=880)
    cases = _report(busy_engine, wanted="OLD").cases
    still_open, closed = cases[cases["is_open"]], cases[~cases["is_open"]]
    assert cases.index.tolist() == [*still_open.index, *closed.index]
    assert still_open["next_due_at"].is_monotonic_increasing
    assert closed["happened_at"].is_monotonic_decreasing
    assert closed.index[-1] == "OLD-8"
