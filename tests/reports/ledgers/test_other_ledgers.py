"""Ledgers of people, patrols and lists from the database, by hand; unknown where nothing is known."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from gridmap.actions.ledgers import (
    NewThing,
    add_tasks,
    count_signatures,
    keep_counts,
    log_update,
    promise_thing,
    step_thing,
    tick_task,
)
from gridmap.reports.ledgers.lists import ListsReport, lists_report
from gridmap.reports.ledgers.patrols import PatrolLedger, patrol_ledger
from gridmap.reports.ledgers.people import NEEDS, PeopleLedger, people_ledger
from tests.busy import NOW
from tests.ledger_town import MONTH, SETTINGS, write_ledger_town
from tests.tiny import GRIDS, GROUPS, TOWNSHIP, at

ON = {"township_code": TOWNSHIP, "now": NOW, "zone": SETTINGS.zone}
PATROL = {
    name: getattr(SETTINGS, name)
    for name in (
        "checkpoint_reach_m", "fix_accuracy_m", "patrol_max_speed_kmh", "far_checkin_m", "ledger_link_m", "ledger_link_hours",
        "disputes_a_month", "things_a_year",
    )
}  # fmt: skip


def people_of(engine: Engine) -> PeopleLedger:
    with engine.connect() as connection:
        return people_ledger(connection, **ON, roster_stale_days=180, roster_stale_percent=15)


def patrols_of(engine: Engine) -> PatrolLedger:
    with engine.connect() as connection:
        return patrol_ledger(connection, **ON, on=NOW.date(), month=MONTH, **PATROL)


def lists_of(engine: Engine, *, month: date = MONTH) -> ListsReport:
    with engine.connect() as connection:
        return lists_report(connection, **ON, month=month)


@pytest.fixture
def town(busy_engine: Engine) -> Engine:
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    return busy_engine


def test_people_are_counted_and_a_team_that_went_through_them_is_not_due(tiny_engine: Engine):
    ledger = people_of(tiny_engine)
    # All were updated on the first of March, 228 days before.
    assert ledger.grids["n_households"].to_dict() == {GRIDS[0]: 3, GRIDS[1]: 4, GRIDS[2]: 11}
    assert ledger.grids["n_residents"].sum() == ledger.n_residents.value == 52
    assert ledger.grids["is_due"].all()
    assert set(ledger.grids["due_on"]) == {date(2026, 8, 28)}
    assert (ledger.n_due.value, ledger.n_stale.value, ledger.n_nowhere) == (3, 1, 0)
    assert ledger.groups.set_index("group_code").loc[GROUPS[2], ["n_households", "grid_code"]].tolist() == [5, GRIDS[2]]
    assert ledger.updates["n_households"].to_dict() == {date(2026, 3, 1): 18}
    log_update(
        tiny_engine,
        township_code=TOWNSHIP,
        grid_code=GRIDS[2],
        updated_on=date(2026, 10, 1),
        updated_by="丁",
        note=None,
        now=NOW,
    )
    after = people_of(tiny_engine)
    assert after.grids["is_due"].to_dict() == {GRIDS[0]: True, GRIDS[1]: True, GRIDS[2]: False}
    assert after.grids.loc[GRIDS[2], ["n_stale", "gone_through_by", "newest_on"]].tolist() == [
        0,
        "丁",
        date(2026, 10, 1),
    ]
    assert after.n_stale.numerator == 7


def test_counts_are_kept_once_a_month(tiny_engine: Engine):
    keep = {"township_code": TOWNSHIP, "taken_by": "丁", "settings": SETTINGS}
    assert keep_counts(tiny_engine, **keep, now=NOW) == 4
    assert keep_counts(tiny_engine, **keep, now=NOW + timedelta(days=1)) == 0
    assert keep_counts(tiny_engine, **keep, now=NOW + timedelta(days=20)) == 4
    history = people_of(tiny_engine).history
    assert history.groupby("month")["n_residents"].sum().tolist() == [52, 52]
    assert sorted(history["month"].unique()) == [date(2026, 10, 1), date(2026, 11, 1)]


def test_what_everybody_sees_hides_small_counts_and_totals_that_would_tell(tiny_engine: Engine):
    from sqlalchemy import text

    with tiny_engine.begin() as connection:
        connection.execute(
            text("INSERT INTO household_need VALUES ('H-0-0', 'living_alone', 2), ('H-1-0', 'living_alone', 5)")
        )
    table = people_of(tiny_engine).public_table(hidden_below=3)
    assert table[NEEDS[0]].tolist() == ["<3", "5", "0", "6-7"]
    assert "2" not in table.to_numpy().ravel().tolist()


def test_patrols_of_a_month_by_hand(town: Engine):
    ledger = patrols_of(town)
    points = ledger.checkpoints
    assert points["n_made"].to_dict() == {"C1": 1, "C2": 1, "C3": 1, "C4": 0}
    # Of five visits a week at C4 none was made until Thursday: that week is lost as well.
    assert points["n_missed"].to_dict() == {"C4": 2, "C2": 1, "C1": 1, "C3": 0}
    assert points["n_findings"].to_dict() == {"C2": 0, "C4": 0, "C1": 1, "C3": 0}
    assert ledger.findings[["checkpoint_code", "how", "category_name"]].to_numpy().tolist() == [
        ["C1", "same_person", "消防隐患"]
    ]
    assert ledger.visits[ledger.visits["checkpoint_code"] == "C1"][["staff_id", "reason"]].to_numpy().tolist() == [
        ["u1", "visit"]
    ]
    assert max(ledger.months["month"]) == MONTH
    quiet = ledger.months[ledger.months["month"] == date(2026, 8, 1)]
    assert quiet["n_made"].isna().all()
    assert set(quiet["verdict"]) == {"cannot_tell"}
    # J1 and J7 of the busy day were closed this month, J1 and I7 in the grids of the west.
    assert ledger.targets["n_disputes"].to_dict() == {GRIDS[0]: 1, GRIDS[1]: 1, GRIDS[2]: 0}
    assert ledger.n_disputes.numerator == 2


def _promise(engine: Engine, title: str, due_on: date) -> int:
    thing = NewThing(
        township_code=TOWNSHIP, grid_code=GRIDS[0], title=title, promised_on=date(2026, 3, 1), due_on=due_on
    )
    return promise_thing(engine, thing, recorded_by="丁", now=at(1, month=3))


def test_practical_things_and_the_target_of_the_year(town: Engine):
    late, begun, done, dropped = (
        _promise(town, title, due)
        for title, due in (
            ("路灯", date(2026, 9, 1)),
            ("水渠", date(2026, 12, 1)),
            ("护栏", date(2026, 6, 1)),
            ("广场", date(2026, 7, 1)),
        )
    )
    step = {"township_code": TOWNSHIP, "recorded_by": "丁", "now": NOW}
    step_thing(town, thing_id=begun, kind="begun", happened_on=date(2026, 9, 1), reason=None, **step)
    step_thing(town, thing_id=done, kind="done", happened_on=date(2026, 6, 9), reason=None, **step)
    step_thing(town, thing_id=dropped, kind="dropped", happened_on=date(2026, 6, 9), reason="重复", **step)
    ledger = patrols_of(town)
    assert ledger.things["state"].to_dict() == {done: "done", dropped: "dropped", late: "overdue", begun: "begun"}
    first = ledger.targets.loc[GRIDS[0]]
    assert (first["n_promised"], first["n_done"], first["is_things_met"]) == (3, 1, False)
    assert (ledger.n_things.numerator, ledger.n_things.denominator) == (1, 3)


def test_without_facts_patrols_are_unknown_and_not_zero(tiny_engine: Engine):
    ledger = patrols_of(tiny_engine)
    figures = (ledger.made, ledger.n_missed, ledger.n_findings, ledger.n_disputes, ledger.n_things)
    assert {figure.value for figure in figures} == {None}
    assert ledger.targets["n_disputes"].isna().all()


def test_lists_are_ticked_off_and_the_last_tick_counts(tiny_engine: Engine):
    task = {
        "township_code": TOWNSHIP,
        "month": MONTH,
        "kind": "visit",
        "title": "走访独居老人",
        "entered_by": "丁",
        "now": NOW,
    }
    assert add_tasks(tiny_engine, grid_codes=GRIDS[:2], **task) == 2
    assert add_tasks(tiny_engine, grid_codes=GRIDS, **task) == 1
    first, second = lists_of(tiny_engine).tasks.index[:2]
    for task_id, is_done in ((first, True), (second, True), (second, False)):
        tick_task(tiny_engine, task_id=int(task_id), is_done=is_done, ticked_by="丁", note=None, now=NOW)
    report = lists_of(tiny_engine)
    assert (report.n_ticked.numerator, report.n_ticked.denominator) == (1, 3)
    assert report.tasks["is_done"].tolist() == [False, False, True]
    assert report.progress["n_visit_done"].sum() == 1
    assert report.progress["n_publicity"].sum() == 0


def test_signatures_are_counted_again_and_history_stays(tiny_engine: Engine):
    count = {"township_code": TOWNSHIP, "grid_code": GRIDS[0], "agreed_on": date(2026, 5, 1), "recorded_by": "丁"}
    count_signatures(tiny_engine, n_signed=1, n_households=3, now=at(2, month=5), **count)
    count_signatures(tiny_engine, n_signed=3, n_households=4, now=at(2, month=9), **count)
    report = lists_of(tiny_engine)
    assert report.conventions.loc[GRIDS[0], ["n_signed", "signed_share", "counted_on"]].tolist() == [
        3,
        0.75,
        date(2026, 9, 2),
    ]
    assert report.signatures["n_signed"].tolist() == [1, 3]
    assert (report.n_agreed.numerator, report.n_agreed.denominator, report.n_signed.value) == (1, 3, 0.75)


def test_a_past_month_shows_conventions_as_they_stood_at_its_end(tiny_engine: Engine):
    """One was agreed and counted before June ended, one agreed in it and entered in August, one agreed in July."""
    given = {"township_code": TOWNSHIP, "recorded_by": "丁", "n_households": 4}
    for grid, agreed_on, n_signed, month in (
        (0, date(2026, 5, 1), 1, 5),
        (1, date(2026, 6, 20), 2, 8),
        (0, date(2026, 5, 1), 3, 9),
        (1, date(2026, 6, 20), 4, 9),
        (2, date(2026, 7, 1), 4, 7),
    ):
        now = at(2, month=month)
        count_signatures(tiny_engine, grid_code=GRIDS[grid], agreed_on=agreed_on, n_signed=n_signed, now=now, **given)
    june, july = (lists_of(tiny_engine, month=date(2026, month, 1)) for month in (6, 7))
    assert june.signatures["n_signed"].tolist() == [1, 2]
    assert (june.n_agreed.numerator, june.n_signed.numerator, june.n_signed.denominator) == (2, 3, 8)
    assert (july.n_agreed.numerator, july.n_signed.numerator) == (3, 7)
    assert lists_of(tiny_engine).n_signed.numerator == 11
