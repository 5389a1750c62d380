"""What a meeting does with a review: freezing, computing it again, decisions, tasks, signatures; on a real database."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from gridmap.actions.plans import Actor
from gridmap.actions.record import NewIncident, record_incident, record_step
from gridmap.actions.review import Frozen, NewTask, decide, follow_up, freeze_review, sign_review
from gridmap.errors import ConflictError, InputError
from gridmap.reports.review.canonical import differences, digest_of, to_record
from gridmap.reports.review.frozen import (
    frozen_review,
    late_differences,
    pack_of_month,
    packs_report,
    reproduce,
    tasks_report,
)
from gridmap.reports.review.report import review_report, rules_of
from gridmap.settings import settings
from gridmap.store.review import append_pack
from gridmap.store.writing import write_rows
from tests.tiny import TOWNSHIP, WEST_VILLAGE, at, metric_point, stored

ZONE = ZoneInfo("Asia/Shanghai")
MEETING, LATER = at(5, month=11), at(25, month=11)
LI = Actor(name="李书记", at=MEETING)


def _freeze(engine: Engine, *, known_at: datetime = MEETING, month: str = "2026-10", actor: Actor = LI) -> Frozen:
    return freeze_review(
        engine,
        township_code=TOWNSHIP,
        month=month,
        known_at=known_at,
        zone=ZONE,
        rules=rules_of(settings()),
        actor=actor,
    )


def _late_dispute(engine: Engine) -> str:
    """A dispute of 20 October in the first grid of the west village that was recorded on 20 November."""
    point = stored([metric_point(310, 910)]).iloc[0]
    incident = NewIncident(
        township_code=TOWNSHIP,
        category_code="D1",
        list_year=2026,
        urgency="normal",
        happened_at=at(20),
        due_at=at(27),
        point=shapely.Point(point.x, point.y),
    )
    return record_incident(engine, incident, staff_id=None, now=at(20, month=11))


def _changed(engine: Engine, pack_id: int) -> set[tuple[str, str, str]]:
    with engine.connect() as connection:
        found = late_differences(connection, pack_id=pack_id, known_at=LATER).differences
    return {(one.key, " ".join(map(str, one.row)), one.column) for one in found}


# ---- frozen and computed again


def test_a_frozen_review_comes_out_again_to_the_digit(busy_engine: Engine):
    frozen = _freeze(busy_engine)
    _late_dispute(busy_engine)
    with busy_engine.connect() as connection:
        again = reproduce(connection, pack_id=frozen.pack_id)
    assert again.is_identical
    assert again.digest == again.digest_again == frozen.digest
    assert again.differences == ()


def test_what_was_frozen_is_read_as_it_was_whatever_came_later(busy_engine: Engine):
    with busy_engine.connect() as connection:
        report = review_report(
            connection,
            township_code=TOWNSHIP,
            month="2026-10",
            known_at=MEETING,
            zone=ZONE,
            rules=rules_of(settings()),
        )
    frozen = _freeze(busy_engine)
    _late_dispute(busy_engine)
    with busy_engine.connect() as connection:
        found = frozen_review(connection, pack_id=frozen.pack_id)
    assert found.is_intact
    assert (found.frozen_by, found.frozen_at, found.digest) == ("李书记", MEETING, frozen.digest)
    assert to_record(found.report) == to_record(report)


def test_without_late_data_nothing_differs(busy_engine: Engine):
    assert _changed(busy_engine, _freeze(busy_engine).pack_id) == set()


def test_a_late_dispute_changes_exactly_the_cells_that_it_should(busy_engine: Engine):
    """One dispute more, open, on time nowhere yet, in the west village's first grid; nothing of patrols, homes or plans."""
    pack_id = _freeze(busy_engine).pack_id
    code = _late_dispute(busy_engine)
    changed = _changed(busy_engine, pack_id)
    figures = {(key, column) for key, row, column in changed if not row and column != "row"}
    flow = {("n_new", "value"), ("n_new_unsettled", "value"), ("n_open_after", "value")}
    assert {(key, column) for key, column in figures if key.startswith("disputes.")} == {
        *((f"disputes.{name}", column) for name, column in flow),
        ("disputes.settled_share", "denominator"),
    }
    assert {(key, column) for key, column in figures if key.startswith("cases.")} == {
        *((f"cases.{name}", column) for name, column in flow),
        ("cases.n_overdue", "value"),
        ("cases.settled_share", "denominator"),
        ("cases.settled_share", "value"),
    }
    untouched = ("coverage", "gaps", "cap", "plans", "satisfaction", "actions", "ledgers", "promises")
    assert not [one for one in changed if one[0].startswith(untouched)]
    by_category = {(row, column) for key, row, column in changed if key == "disputes.by_category"}
    counts = {"n_new", "n_unsettled", "change"}
    assert by_category == {(name, column) for name in ("邻里", "∑") for column in counts}
    form = {(row, column) for key, row, column in changed if key == "disputes.county_form"}
    cells = {"unsettled: 邻里", "n_unsettled", "n_new", "change"}
    assert form == {(row, column) for row in (f"village {WEST_VILLAGE}", "∑ ∑") for column in cells}
    new_rows = {(key, row) for key, row, column in changed if column == "row"}
    assert {row for _, row in new_rows if row == code} == {code}
    assert {key for key, row in new_rows if row == code} == {"disputes.rows", "cases.rows", "cases.overdue"}


def test_a_late_closing_moves_one_case_from_open_to_settled(busy_engine: Engine):
    pack_id = _freeze(busy_engine).pack_id
    with busy_engine.begin() as connection:
        step = {
            "incident_code": ["I1"],
            "kind": "closed",
            "level": "grid",
            "happened_at": at(30),
            "recorded_at": at(18, month=11),
        }
        write_rows(
            connection,
            "incident_step",
            pd.DataFrame(step),
            key=["incident_code", "kind", "happened_at"],
            append_only=True,
        )
    with busy_engine.connect() as connection:
        found = late_differences(connection, pack_id=pack_id, known_at=LATER).differences
    values = {one.key: (one.before, one.after) for one in found if one.place == "figure" and one.column == "value"}
    assert values["disputes.n_new_settled"] == (0, 1)
    assert values["disputes.n_open_after"] == (3, 2)
    assert values["disputes.n_settled"] == (1, 2)
    assert "disputes.n_new" not in values


def test_a_closing_after_the_month_changes_nothing_of_it(busy_engine: Engine):
    pack_id = _freeze(busy_engine).pack_id
    record_step(busy_engine, incident_code="I1", kind="closed", level="grid", staff_id=None, now=at(6, month=11))
    assert _changed(busy_engine, pack_id) == set()


def test_a_late_visit_changes_no_figure_of_cases(busy_engine: Engine):
    pack_id = _freeze(busy_engine).pack_id
    row = {
        "township_code": TOWNSHIP, "staff_id": "u1", "kind": "外出打卡", "exception": None, "happened_at": [at(21)],
        "recorded_at": [at(20, month=11)], "place": None,
    }  # fmt: skip
    points = stored([metric_point(705, 1500)])
    with busy_engine.begin() as connection:
        key = ["staff_id", "happened_at", "kind"]
        write_rows(connection, "checkin", gpd.GeoDataFrame(row, geometry=points), key=key, append_only=True)
    changed = {key.split(".")[0] for key, _, _ in _changed(busy_engine, pack_id)}
    assert {"coverage", "quality"} <= changed <= {"coverage", "gaps", "quality"}


def test_what_cannot_be_turned_back_is_told_and_not_hidden(busy_engine: Engine):
    """A household that moved away after the meeting: households are those of now."""
    pack_id = _freeze(busy_engine).pack_id
    with busy_engine.begin() as connection:
        connection.execute(text("DELETE FROM household WHERE household_code = 'H-0-0'"))
    with busy_engine.connect() as connection:
        again = reproduce(connection, pack_id=pack_id)
    assert not again.is_identical
    found = {(one.key, one.column): (one.before, one.after) for one in again.differences}
    assert found["cap.n_households", "value"] == (18, 17)


def test_it_is_computed_again_by_the_settings_of_then(busy_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    frozen = _freeze(busy_engine)
    monkeypatch.setenv("GRIDMAP_COVER_REACH_M", "5")
    settings.cache_clear()
    with busy_engine.connect() as connection:
        assert reproduce(connection, pack_id=frozen.pack_id).is_identical
    assert _freeze(busy_engine).digest != frozen.digest


def test_the_same_review_twice_is_one_pack_and_a_later_one_is_another(busy_engine: Engine):
    first, again = _freeze(busy_engine), _freeze(busy_engine)
    assert (again.pack_id, again.is_new) == (first.pack_id, False)
    _late_dispute(busy_engine)
    later = _freeze(busy_engine, known_at=LATER, actor=Actor(name="李书记", at=LATER))
    assert later.is_new
    with busy_engine.connect() as connection:
        assert packs_report(connection, township_code=TOWNSHIP).index.tolist() == [later.pack_id, first.pack_id]
        assert pack_of_month(connection, township_code=TOWNSHIP, month="2026-10") == later.pack_id


def test_a_month_that_goes_on_cannot_be_frozen(busy_engine: Engine):
    with pytest.raises(InputError, match="2026-11"):
        _freeze(busy_engine, month="2026-11")


def test_nobody_freezes_without_a_name(busy_engine: Engine):
    with pytest.raises(InputError, match="姓名"):
        _freeze(busy_engine, actor=Actor(name=" ", at=MEETING))


def test_a_month_never_frozen_and_a_pack_that_is_not_there_are_said(busy_engine: Engine):
    with busy_engine.connect() as connection:
        with pytest.raises(InputError, match="2026-09"):
            pack_of_month(connection, township_code=TOWNSHIP, month="2026-09")
        with pytest.raises(InputError, match="7"):
            reproduce(connection, pack_id=7)


def test_records_of_different_months_are_not_compared(busy_engine: Engine):
    with busy_engine.connect() as connection:
        one, other = (
            to_record(
                review_report(
                    connection,
                    township_code=TOWNSHIP,
                    month=month,
                    known_at=MEETING,
                    zone=ZONE,
                    rules=rules_of(settings()),
                )
            )
            for month in ("2026-09", "2026-10")
        )
    with pytest.raises(ValueError, match="month"):
        differences(one, other)
    assert digest_of(one) != digest_of(other)


# ---- decisions, tasks, signatures


def _task(engine: Engine, **changed: object) -> int:
    given = {
        "figure_key": "gaps.n_opened",
        "what": "水塘两点每周去两次",
        "who": "王网格长",
        "until": date(2026, 11, 20),
    }
    return decide(engine, NewTask(township_code=TOWNSHIP, month="2026-10", **{**given, **changed}), actor=LI)


def _states(engine: Engine, known_at: datetime) -> list[str]:
    with engine.connect() as connection:
        tasks = tasks_report(connection, township_code=TOWNSHIP, known_at=known_at, on=date(2026, 11, 30))
    return tasks["state"].tolist()


def test_the_next_month_starts_with_what_was_decided(busy_engine: Engine):
    kept, moved = _task(busy_engine), _task(busy_engine, what="补装一个巡查点")
    _task(busy_engine, figure_key="disputes", what="按新分类登记", who=None, until=None)
    then = Actor(name="王网格长", at=at(18, month=11))
    follow_up(busy_engine, township_code=TOWNSHIP, task_id=kept, kind="done", actor=then, note="已去")
    follow_up(busy_engine, township_code=TOWNSHIP, task_id=moved, kind="moved", until=date(2026, 12, 20), actor=then)
    with busy_engine.connect() as connection:
        report = review_report(
            connection,
            township_code=TOWNSHIP,
            month="2026-11",
            known_at=at(5, month=12),
            zone=ZONE,
            rules=rules_of(settings()),
        )
    rows = report.tables["actions.tasks"].rows
    assert rows["state"].tolist() == ["done", "open", "open"]
    assert rows["until"].tolist() == ["2026-11-20", "2026-12-20", None]
    done = report.figures["actions.done"]
    assert (done.numerator, done.denominator) == (1, 2)
    assert [report.figures[f"actions.{name}"].value for name in ("n_open", "n_overdue")] == [1, 0]


def test_a_task_is_known_as_it_stood_on_a_day(busy_engine: Engine):
    task = _task(busy_engine)
    follow_up(
        busy_engine, township_code=TOWNSHIP, task_id=task, kind="done", actor=Actor(name="王", at=at(18, month=11))
    )
    assert _states(busy_engine, at(1, month=11)) == []
    assert _states(busy_engine, at(17, month=11)) == ["open"]
    assert _states(busy_engine, at(19, month=11)) == ["done"]


def test_a_task_that_is_done_is_opened_again_before_anything_else(busy_engine: Engine):
    task = _task(busy_engine)

    def step(kind: str) -> None:
        follow_up(busy_engine, township_code=TOWNSHIP, task_id=task, kind=kind, actor=LI)

    with pytest.raises(ConflictError, match="未完成"):
        step("reopened")
    step("done")
    with pytest.raises(ConflictError, match="已完成"):
        step("dropped")
    step("reopened")
    step("dropped")
    assert _states(busy_engine, LATER) == ["dropped"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"figure_key": "weather"}, "weather"),
        ({"what": "  "}, "内容"),
        ({"who": None}, "期限"),
        ({"until": None}, "期限"),
    ],
)
def test_half_a_task_is_refused(busy_engine: Engine, changed: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        _task(busy_engine, **changed)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"kind": "forgotten"}, "forgotten"),
        ({"kind": "moved"}, "期限"),
        ({"kind": "done", "until": date(2026, 12, 1)}, "期限"),
        ({"kind": "done", "task_id": 99}, "99"),
    ],
)
def test_an_impossible_step_of_a_task_is_refused(busy_engine: Engine, step: dict[str, object], said: str):
    given = {"township_code": TOWNSHIP, "task_id": _task(busy_engine), "actor": LI}
    with pytest.raises(InputError, match=said):
        follow_up(busy_engine, **{**given, **step})


def test_each_role_signs_once(busy_engine: Engine):
    pack_id = _freeze(busy_engine).pack_id
    sign_review(busy_engine, pack_id=pack_id, role="chair", actor=LI)
    with pytest.raises(ConflictError, match="主持人"):
        sign_review(busy_engine, pack_id=pack_id, role="chair", actor=Actor(name="别人", at=LATER))
    with pytest.raises(InputError, match="mayor"):
        sign_review(busy_engine, pack_id=pack_id, role="mayor", actor=LI)
    with pytest.raises(InputError, match="99"):
        sign_review(busy_engine, pack_id=99, role="chair", actor=LI)
    with busy_engine.connect() as connection:
        assert frozen_review(connection, pack_id=pack_id).signatures["name"].tolist() == ["李书记"]


# ---- what the database holds itself


def _everything(engine: Engine) -> None:
    pack_id = _freeze(engine).pack_id
    sign_review(engine, pack_id=pack_id, role="chair", actor=LI)
    follow_up(engine, township_code=TOWNSHIP, task_id=_task(engine), kind="done", actor=LI)


@pytest.mark.parametrize("table", ["review_pack", "review_task", "review_task_step", "review_signature"])
def test_nothing_of_a_review_is_changed_or_deleted(busy_engine: Engine, table: str):
    _everything(busy_engine)
    column = {"review_pack": "frozen_by", "review_task": "text", "review_task_step": "note"}.get(table, "name")
    for sql in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DBAPIError, match="never changed or deleted"), busy_engine.begin() as connection:
            connection.execute(text(sql))


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"month": "2026-13"}, "month_form"),
        ({"digest": "abc"}, "digest_form"),
        ({"frozen_by": " "}, "frozen_by_given"),
        ({"known_at": LATER}, "known_before"),
    ],
)
def test_a_pack_that_says_nonsense_is_refused_by_the_database(
    busy_engine: Engine, changed: dict[str, object], rule: str
):
    given = {
        "township_code": TOWNSHIP, "month": "2026-10", "known_at": MEETING, "digest": "a" * 64, "figures": {},
        "frozen_by": "李", "frozen_at": MEETING,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=rule), busy_engine.begin() as connection:
        append_pack(connection, **{**given, **changed})
