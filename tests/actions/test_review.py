"""What a meeting does with a review: freezing, computing it again, decisions, tasks, signatures; on a real database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError

from gridmap.actions.plans import Actor
from gridmap.actions.record import NewIncident, record_incident
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
from gridmap.reports.review.shape import ReviewReport
from gridmap.settings import Settings, settings
from gridmap.store.cases import append_step
from gridmap.store.review import append_pack
from gridmap.store.versions import read_versions
from gridmap.store.writing import write_rows
from tests.busy import write_busy_day
from tests.reviewing import database
from tests.tiny import TOWNSHIP, WEST_VILLAGE, at, load_tiny_township, metric_point, stored

ZONE = ZoneInfo("Asia/Shanghai")
MEETING, LATER = at(5, month=11), at(25, month=11)
LI = Actor(name="李书记", at=MEETING)


@dataclass(frozen=True)
class _Met:
    """The busy township after its October was frozen."""

    template: str
    frozen: Frozen
    record: dict[str, Any]


@pytest.fixture(scope="module")
def met(cluster_url: URL, template_database: str) -> Iterator[_Met]:
    """A database in which October is frozen, to be cloned by each test."""
    with database(cluster_url, template_database) as engine:
        with engine.begin() as connection:
            load_tiny_township(connection)
            write_busy_day(connection)
        record = to_record(_report(engine))
        yield _Met(template=str(engine.url.database), frozen=_freeze(engine), record=record)


@pytest.fixture
def met_engine(met: _Met, cluster_url: URL) -> Iterator[Engine]:
    """An engine on a clone of it."""
    with database(cluster_url, met.template) as engine:
        yield engine


def _report(engine: Engine, *, month: str = "2026-10", known_at: datetime = MEETING) -> ReviewReport:
    with engine.connect() as connection:
        return review_report(
            connection, township_code=TOWNSHIP, month=month, known_at=known_at, zone=ZONE, rules=rules_of(Settings())
        )


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


def test_a_frozen_review_comes_out_again_to_the_digit(met: _Met, met_engine: Engine):
    _late_dispute(met_engine)
    with met_engine.connect() as connection:
        again = reproduce(connection, pack_id=met.frozen.pack_id)
    assert again.is_identical
    assert again.has_same_figures
    assert again.digest == again.digest_again == met.frozen.digest
    assert again.differences == ()


def test_what_was_frozen_is_read_as_it_was_whatever_came_later(met: _Met, met_engine: Engine):
    _late_dispute(met_engine)
    with met_engine.connect() as connection:
        found = frozen_review(connection, pack_id=met.frozen.pack_id)
    assert found.is_intact
    assert (found.frozen_by, found.frozen_at, found.digest) == ("李书记", MEETING, met.frozen.digest)
    assert to_record(found.report) == met.record


def test_figures_changed_behind_the_database_are_not_those_that_were_frozen(met: _Met, met_engine: Engine):
    with met_engine.begin() as connection:
        connection.execute(text("ALTER TABLE review_pack DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE review_pack SET figures = replace(figures::text, '东村', '西村')::jsonb"))
    with met_engine.connect() as connection:
        assert not frozen_review(connection, pack_id=met.frozen.pack_id).is_intact
        again = reproduce(connection, pack_id=met.frozen.pack_id)
    assert not again.is_identical
    assert not again.has_same_figures
    assert "village" in {one.column for one in again.differences}


def test_without_late_data_nothing_differs(met: _Met, met_engine: Engine):
    assert _changed(met_engine, met.frozen.pack_id) == set()


def test_a_late_dispute_changes_exactly_the_cells_that_it_should(met: _Met, met_engine: Engine):
    """One dispute more, open, on time nowhere yet, in the west village's first grid; nothing of patrols, homes or plans."""
    pack_id = met.frozen.pack_id
    code = _late_dispute(met_engine)
    changed = _changed(met_engine, pack_id)
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


def test_what_is_being_recorded_when_a_review_is_frozen_is_in_it(met_engine: Engine):
    """It was recorded before the instant of the review, and is committed while the review is being made."""
    incident = text(
        "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, happened_at, recorded_at)"
        " VALUES ('I98', :township, 'D1', 2026, 'normal', :at, :at)"
    )
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'")
    with ThreadPoolExecutor(1) as pool, met_engine.connect() as writer, met_engine.connect() as watch:
        writer.execute(incident, {"township": TOWNSHIP, "at": at(20)})
        freezing = pool.submit(_freeze, met_engine, known_at=LATER, actor=Actor(name="李书记", at=LATER))
        while not (freezing.done() or watch.execute(waiting).scalar_one()):
            watch.rollback()
        writer.commit()
        pack_id = freezing.result().pack_id
    with met_engine.connect() as connection:
        assert frozen_review(connection, pack_id=pack_id).report.figures["disputes.n_new"].value == 3
        assert reproduce(connection, pack_id=pack_id).is_identical


@pytest.mark.parametrize("recorded_at", [at(20), MEETING])
def test_a_file_loaded_later_is_late_though_it_says_it_was_recorded_before(
    met: _Met, met_engine: Engine, recorded_at: datetime
):
    with met_engine.begin() as connection:
        import_id = connection.execute(
            text(
                "INSERT INTO import_record (township_code, layer, file_name, file_sha256, file_bytes, n_read, n_taken, n_new,"
                " n_changed, n_quarantined, notes, imported_by, imported_at) VALUES (:township, 'incidents', 'late.csv',"
                " repeat('0', 64), 1, 1, 1, 1, 0, 0, '[]', '李', :at) RETURNING import_id"
            ),
            {"township": TOWNSHIP, "at": at(20, month=11)},
        ).scalar_one()
        row = {
            "incident_code": ["I99"], "township_code": TOWNSHIP, "category_code": "D1", "list_year": 2026,
            "urgency": "normal", "happened_at": [at(20)], "recorded_at": [recorded_at], "due_at": [at(27)],
            "import_id": import_id,
        }  # fmt: skip
        late = gpd.GeoDataFrame(row, geometry=stored([metric_point(310, 910)]))
        write_rows(connection, "incident", late, key=["incident_code"], append_only=True)
    with met_engine.connect() as connection:
        again = reproduce(connection, pack_id=met.frozen.pack_id)
    assert (again.is_identical, again.differences) == (True, ())
    assert ("disputes.n_new", "", "value") in _changed(met_engine, met.frozen.pack_id)


def test_a_late_closing_moves_one_case_from_open_to_settled(met: _Met, met_engine: Engine):
    pack_id = met.frozen.pack_id
    with met_engine.begin() as connection:
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
    with met_engine.connect() as connection:
        found = late_differences(connection, pack_id=pack_id, known_at=LATER).differences
    values = {one.key: (one.before, one.after) for one in found if one.place == "figure" and one.column == "value"}
    assert values["disputes.n_new_settled"] == (0, 1)
    assert values["disputes.n_open_after"] == (3, 2)
    assert values["disputes.n_settled"] == (1, 2)
    assert "disputes.n_new" not in values


def test_a_closing_after_the_month_changes_nothing_of_it(met: _Met, met_engine: Engine):
    pack_id = met.frozen.pack_id
    with met_engine.begin() as connection:
        append_step(connection, incident_code="I1", kind="closed", level="grid", now=at(6, month=11))
    assert _changed(met_engine, pack_id) == set()


def test_a_late_visit_changes_no_figure_of_cases(met: _Met, met_engine: Engine):
    pack_id = met.frozen.pack_id
    row = {
        "township_code": TOWNSHIP, "staff_id": "u1", "kind": "外出打卡", "exception": None, "happened_at": [at(21)],
        "recorded_at": [at(20, month=11)], "place": None,
    }  # fmt: skip
    points = stored([metric_point(705, 1500)])
    with met_engine.begin() as connection:
        key = ["staff_id", "happened_at", "kind"]
        write_rows(connection, "checkin", gpd.GeoDataFrame(row, geometry=points), key=key, append_only=True)
    changed = {key.split(".")[0] for key, _, _ in _changed(met_engine, pack_id)}
    assert {"coverage", "quality"} <= changed <= {"coverage", "gaps", "quality"}


def test_what_cannot_be_turned_back_is_told_and_not_hidden(met: _Met, met_engine: Engine):
    """A household that moved away after the meeting: households are those of now."""
    pack_id = met.frozen.pack_id
    with met_engine.begin() as connection:
        connection.execute(text("DELETE FROM household WHERE household_code = 'H-0-0'"))
    with met_engine.connect() as connection:
        again = reproduce(connection, pack_id=pack_id)
    assert not again.is_identical
    found = {(one.key, one.column): (one.before, one.after) for one in again.differences}
    assert found["cap.n_households", "value"] == (18, 17)


def test_it_is_computed_again_by_the_settings_of_then(met: _Met, met_engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDMAP_COVER_REACH_M", "5")
    settings.cache_clear()
    with met_engine.connect() as connection:
        assert reproduce(connection, pack_id=met.frozen.pack_id).is_identical
    assert _freeze(met_engine).digest != met.frozen.digest


def test_another_version_of_the_program_is_told_apart_from_other_figures(met: _Met, met_engine: Engine):
    older = met.record | {"code_version": "0.0.9+000000000000"}
    with met_engine.begin() as connection:
        pack_id = append_pack(
            connection, township_code=TOWNSHIP, month="2026-10", known_at=MEETING, digest=digest_of(older),
            figures=older, frozen_by="李", frozen_at=MEETING,
        )  # fmt: skip
        again = reproduce(connection, pack_id=pack_id)
    assert not again.is_identical
    assert again.has_same_figures
    assert [one.key for one in again.differences] == ["code_version"]


def test_the_same_review_twice_is_one_pack_and_a_later_one_is_another(met: _Met, met_engine: Engine):
    again = _freeze(met_engine)
    assert (again.pack_id, again.is_new) == (met.frozen.pack_id, False)
    later = _freeze(met_engine, known_at=LATER, actor=Actor(name="李书记", at=LATER))
    assert later.is_new
    with met_engine.connect() as connection:
        assert packs_report(connection, township_code=TOWNSHIP).index.tolist() == [later.pack_id, met.frozen.pack_id]
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


def test_records_of_different_months_are_not_compared(met: _Met):
    other = met.record | {"month": met.record["previous"]}
    with pytest.raises(ValueError, match="month"):
        differences(met.record, other)
    assert digest_of(other) != digest_of(met.record)


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
    report = _report(busy_engine, month="2026-11", known_at=at(5, month=12))
    rows = report.tables["actions.tasks"].rows
    assert rows["state"].tolist() == ["done", "open", "open"]
    assert rows["until"].tolist() == ["2026-11-20", "2026-12-20", None]
    done = report.figures["actions.done"]
    assert (done.numerator, done.denominator) == (1, 2)
    assert [report.figures[f"actions.{name}"].value for name in ("n_open", "n_overdue")] == [1, 0]


def test_a_task_is_known_as_it_stood_on_a_day(tiny_engine: Engine):
    task = _task(tiny_engine)
    follow_up(
        tiny_engine, township_code=TOWNSHIP, task_id=task, kind="done", actor=Actor(name="王", at=at(18, month=11))
    )
    assert _states(tiny_engine, at(1, month=11)) == []
    assert _states(tiny_engine, at(17, month=11)) == ["open"]
    assert _states(tiny_engine, at(19, month=11)) == ["done"]


def test_a_task_that_is_done_is_opened_again_before_anything_else(tiny_engine: Engine):
    task = _task(tiny_engine)

    def step(kind: str) -> None:
        follow_up(tiny_engine, township_code=TOWNSHIP, task_id=task, kind=kind, actor=LI)

    with pytest.raises(ConflictError, match="未完成"):
        step("reopened")
    step("done")
    with pytest.raises(ConflictError, match="已完成"):
        step("dropped")
    step("reopened")
    step("dropped")
    assert _states(tiny_engine, LATER) == ["dropped"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"figure_key": "weather"}, "weather"),
        ({"what": "  "}, "内容"),
        ({"who": None}, "期限"),
        ({"until": None}, "期限"),
    ],
)
def test_half_a_task_is_refused(tiny_engine: Engine, changed: dict[str, object], said: str):
    with pytest.raises(InputError, match=said):
        _task(tiny_engine, **changed)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"kind": "forgotten"}, "forgotten"),
        ({"kind": "moved"}, "期限"),
        ({"kind": "done", "until": date(2026, 12, 1)}, "期限"),
        ({"kind": "done", "task_id": 99}, "99"),
    ],
)
def test_an_impossible_step_of_a_task_is_refused(tiny_engine: Engine, step: dict[str, object], said: str):
    given = {"township_code": TOWNSHIP, "task_id": _task(tiny_engine), "actor": LI}
    with pytest.raises(InputError, match=said):
        follow_up(tiny_engine, **{**given, **step})


def test_each_role_signs_once(met: _Met, met_engine: Engine):
    pack_id = met.frozen.pack_id
    sign_review(met_engine, pack_id=pack_id, role="chair", actor=LI)
    with pytest.raises(ConflictError, match="主持人"):
        sign_review(met_engine, pack_id=pack_id, role="chair", actor=Actor(name="别人", at=LATER))
    with pytest.raises(InputError, match="mayor"):
        sign_review(met_engine, pack_id=pack_id, role="mayor", actor=LI)
    with pytest.raises(InputError, match="99"):
        sign_review(met_engine, pack_id=99, role="chair", actor=LI)
    with met_engine.connect() as connection:
        assert frozen_review(connection, pack_id=pack_id).signatures["name"].tolist() == ["李书记"]


# ---- what the database holds itself

TABLES = {"review_pack": "frozen_by", "review_task": "text", "review_task_step": "note", "review_signature": "name"}


def test_nothing_of_a_review_is_changed_or_deleted(met: _Met, met_engine: Engine):
    sign_review(met_engine, pack_id=met.frozen.pack_id, role="chair", actor=LI)
    follow_up(met_engine, township_code=TOWNSHIP, task_id=_task(met_engine), kind="done", actor=LI)
    for table, column in TABLES.items():
        for sql in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DBAPIError, match="never changed or deleted"), met_engine.begin() as connection:
                connection.execute(text(sql))


def test_a_decision_raises_the_version_of_reviews_only(tiny_engine: Engine):
    with tiny_engine.connect() as connection:
        before = read_versions(connection)
    _task(tiny_engine)
    with tiny_engine.connect() as connection:
        after = read_versions(connection)
    assert {topic for topic in after if after[topic] != before[topic]} == {"reviews"}


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
    tiny_engine: Engine, changed: dict[str, object], rule: str
):
    given = {
        "township_code": TOWNSHIP, "month": "2026-10", "known_at": MEETING, "digest": "a" * 64, "figures": {},
        "frozen_by": "李", "frozen_at": MEETING,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=rule), tiny_engine.begin() as connection:
        append_pack(connection, **{**given, **changed})
