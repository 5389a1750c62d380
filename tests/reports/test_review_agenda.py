"""Points of the agenda that rest on the ledgers: lists, conventions, points as posted, practical things promised."""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL

from gridmap.actions.points import freeze_month
from gridmap.reports.ledgers.points import points_report
from gridmap.reports.review.report import review_report, rules_of
from gridmap.reports.review.shape import ReviewReport
from gridmap.settings import Settings
from gridmap.store.ledgers import append_row
from tests.busy import write_busy_day
from tests.reviewing import database
from tests.tiny import GRIDS, TOWNSHIP, at, load_tiny_township

ZONE = ZoneInfo("Asia/Shanghai")
MEETING = at(14, 12, month=11)


def _review(engine: Engine, *, known_at: datetime = MEETING) -> ReviewReport:
    with engine.connect() as connection:
        return review_report(
            connection,
            township_code=TOWNSHIP,
            month="2026-10",
            known_at=known_at,
            zone=ZONE,
            rules=rules_of(Settings()),
        )


def _promise(connection: Connection, title: str, promised: date, due: date, *, recorded: datetime) -> int:
    row = {
        "township_code": TOWNSHIP, "grid_code": GRIDS[0], "title": title, "promised_on": promised, "due_on": due,
        "recorded_by": "张三",
    }  # fmt: skip
    return int(append_row(connection, "practical_thing", row=row, recorded_at=recorded))


def _step(connection: Connection, thing: int, kind: str, on: date) -> None:
    row = {"thing_id": thing, "kind": kind, "happened_on": on, "reason": None, "recorded_by": "张三"}
    append_row(connection, "practical_step", row=row, recorded_at=at(on.day, 18, month=on.month))


@pytest.fixture(scope="module")
def kept(cluster_url: URL, template_database: str) -> Iterator[Engine]:
    """The busy township with ledgers of October; a promise was recorded late, another kept in November."""
    with database(cluster_url, template_database) as engine:
        with engine.begin() as connection:
            load_tiny_township(connection)
            write_busy_day(connection)
            done = _promise(connection, "修水渠", date(2026, 9, 10), date(2026, 10, 20), recorded=at(10, month=9))
            late = _promise(connection, "装路灯", date(2026, 10, 5), date(2026, 10, 25), recorded=at(5))
            begun = _promise(connection, "建凉亭", date(2026, 10, 8), date(2026, 12, 1), recorded=at(8))
            _promise(connection, "补录", date(2026, 10, 2), date(2026, 12, 1), recorded=at(20, month=11))
            _step(connection, done, "begun", date(2026, 10, 1))
            _step(connection, done, "done", date(2026, 10, 15))
            _step(connection, begun, "begun", date(2026, 10, 20))
            _step(connection, late, "begun", date(2026, 10, 24))
            _step(connection, late, "done", date(2026, 11, 3))
            for number, title in enumerate(("防溺水宣传", "走访独居老人")):
                row = {
                    "township_code": TOWNSHIP, "grid_code": GRIDS[number], "month": date(2026, 10, 1),
                    "kind": ("publicity", "visit")[number], "title": title, "entered_by": "张三",
                }  # fmt: skip
                task = append_row(connection, "task_list", row=row, recorded_at=at(1))
            tick = {"task_id": task, "is_done": True, "ticked_by": "张三", "note": None}
            append_row(connection, "task_tick", row=tick, recorded_at=at(9))
            connection.execute(
                text(
                    "INSERT INTO point_rule (township_code, rule_code, name, counts, points, valid_from, recorded_by,"
                    " recorded_at) VALUES (:township, 'visit', '巡查', 'patrol_visit', 2, '2026-01-01', '甲', :at)"
                ),
                {"township": TOWNSHIP, "at": at(1, month=9)},
            )
        yield engine


@pytest.fixture(scope="module")
def report(kept: Engine) -> ReviewReport:
    """October at the meeting, before its points were posted."""
    return _review(kept)


def test_practical_things_stand_as_on_the_last_day_of_the_month(report: ReviewReport):
    """The water channel is done, the lamp overdue (done in November), the pavilion begun."""
    names = ("n_promised", "n_done", "n_open", "n_overdue")
    assert [report.figures[f"promises.{name}"].value for name in names] == [2, 1, 2, 1]
    share = report.figures["promises.kept"]
    assert (share.numerator, share.denominator) == (1, 2)
    rows = report.tables["promises.things"].rows.set_index("title")
    assert rows["state"].to_dict() == {"修水渠": "done", "装路灯": "overdue", "建凉亭": "begun"}
    assert rows["ended_on"].to_dict() == {"修水渠": "2026-10-15", "装路灯": None, "建凉亭": None}
    before = report.figures["promises.n_promised"].previous
    assert before is not None
    # September had 22 working days, October 18.
    assert (before.value, before.adjusted) == (1, pytest.approx(18 / 22))


@pytest.mark.parametrize(("day", "n_overdue"), [(24, 0), (25, 0), (26, 1)])
def test_what_is_due_today_is_not_overdue_yet(kept: Engine, day: int, n_overdue: int):
    """The lamp was promised for 25 October."""
    figures = _review(kept, known_at=at(day, 12)).figures
    assert figures["promises.n_overdue"].value == n_overdue
    assert figures["promises.n_open"].value == 2


def test_a_promise_recorded_later_is_known_later(kept: Engine):
    later = _review(kept, known_at=at(30, 12, month=11))
    assert later.figures["promises.n_promised"].value == 3


def test_before_the_first_promise_nothing_is_known_of_promises(kept: Engine):
    with kept.connect() as connection:
        given = {"known_at": MEETING, "zone": ZONE, "rules": rules_of(Settings())}
        early = review_report(connection, township_code=TOWNSHIP, month="2026-08", **given)
    assert {early.figures[f"promises.{name}"].value for name in ("n_promised", "n_done", "n_open", "n_overdue")} == {
        None
    }


def test_lists_are_ticked_off_as_on_their_page(report: ReviewReport):
    ticked = report.figures["ledgers.ticked"]
    assert (ticked.numerator, ticked.denominator) == (1, 2)
    lists = report.tables["ledgers.lists"].rows
    assert lists["n_publicity"].tolist() == [1, 0, 0, 1]
    assert lists["n_visit_done"].tolist() == [0, 1, 0, 1]


def test_points_stand_in_the_review_as_they_were_posted_and_not_before(kept: Engine, report: ReviewReport):
    assert report.figures["ledgers.points"].value is None
    posted_at = at(3, month=11)
    freeze_month(
        kept,
        township_code=TOWNSHIP,
        month=date(2026, 10, 1),
        frozen_by="甲",
        reason=None,
        settings=Settings(),
        now=posted_at,
    )
    posted = _review(kept)
    with kept.connect() as connection:
        options = {
            name: getattr(Settings(), name)
            for name in (
                "checkpoint_reach_m", "fix_accuracy_m", "patrol_max_speed_kmh", "far_checkin_m", "point_prior", "point_grades"
            )
        }  # fmt: skip
        page = points_report(
            connection, township_code=TOWNSHIP, month=date(2026, 10, 1), now=MEETING, zone=ZONE, **options
        )
    assert page.is_frozen
    assert posted.figures["ledgers.points"].value == page.people["points"].sum() > 0
    assert posted.tables["ledgers.points"].rows["points"].tolist() == page.people["points"].tolist()
    assert _review(kept, known_at=at(2, month=11)).figures["ledgers.points"].value is None
