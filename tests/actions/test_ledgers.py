"""Writing the ledgers: what is refused and in which words, who approves, appeals, opinions that become incidents."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import Engine, text

from gridmap.actions.ledgers import (
    NewOpinion,
    NewThing,
    add_tasks,
    collect_opinion,
    count_signatures,
    keep_counts,
    log_update,
    promise_thing,
    step_thing,
    tick_task,
)
from gridmap.actions.points import (
    Appeal,
    NewEntry,
    NewRule,
    begin_rule,
    enter_points,
    finish_rule,
    freeze_month,
    grant_appeal,
)
from gridmap.errors import ConflictError, InputError
from gridmap.reports.ledgers.lists import lists_report
from gridmap.texts import use_language
from tests.busy import NOW
from tests.ledger_town import MONTH, POINTS, SETTINGS, write_ledger_town
from tests.reports.ledgers.test_points import report_of
from tests.tiny import GRIDS, TOWNSHIP, write_categories

ENTRY = NewEntry(
    township_code=TOWNSHIP, staff_id="u1", month=MONTH, rule_code="praise", points=5, reason="好人好事，联系13812345678",
    entered_by="甲", approved_by="乙",
)  # fmt: skip
APPEAL = Appeal(township_code=TOWNSHIP, month=MONTH, key="", reason="当日请假", entered_by="甲", approved_by="乙")
RULE = NewRule(
    township_code=TOWNSHIP, rule_code="night", name="夜巡", counts="patrol_visit", points=2, monthly_ceiling=None,
    threshold_percent=None, valid_from=MONTH,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _english():
    use_language("en")


@pytest.fixture
def town(busy_engine: Engine) -> Engine:
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    return busy_engine


def test_points_by_hand_count_and_numbers_of_telephones_are_masked(town: Engine):
    enter_points(town, ENTRY, now=NOW)
    report = report_of(town)
    assert report.people.loc["u1", "points"] == POINTS["u1"] + 5
    assert report.people.loc["u1", "points_hand"] == 5
    assert report.entries.loc[report.entries["key"] == "entry|1", "reason"].tolist() == ["好人好事，联系〔电话〕"]


SENSELESS_ENTRIES = [
    ({"approved_by": " 甲 "}, "two people"),
    ({"approved_by": ""}, "Approved by"),
    ({"reason": "\n"}, "Reason"),
    ({"reason": "长" * 501}, "at most 500"),
    ({"reason": "a\x00b"}, "cannot be printed"),
    ({"rule_code": "visit"}, "by hand"),
    ({"month": date(2025, 12, 1)}, "by hand"),
    ({"month": date(2026, 11, 1)}, "not begun"),
    ({"points": -5}, "same sign"),
    ({"points": 0}, "same sign"),
    ({"staff_id": "nobody"}, "nobody"),
]


def test_an_entry_that_makes_no_sense_is_refused(town: Engine):
    for change, said in SENSELESS_ENTRIES:
        with pytest.raises(InputError, match=said):
            enter_points(town, replace(ENTRY, **change), now=NOW)


def _key(engine: Engine, prefix: str) -> str:
    keys = report_of(engine).entries["key"]
    return str(keys[keys.str.startswith(prefix)].iloc[0])


def test_an_appeal_takes_an_entry_back_once(town: Engine):
    missed = _key(town, "missed|u2|C1")
    grant_appeal(town, replace(APPEAL, key=missed), settings=SETTINGS, now=NOW)
    report = report_of(town)
    assert report.people.loc["u2", "points"] == POINTS["u2"] + 1
    assert report.entries.set_index("key")["state"].loc[[missed, "entry|1"]].tolist() == ["countered", "counter"]
    with pytest.raises(ConflictError, match="before"):
        grant_appeal(town, replace(APPEAL, key=missed), settings=SETTINGS, now=NOW)
    enter_points(town, ENTRY, now=NOW)
    grant_appeal(town, replace(APPEAL, key="entry|2"), settings=SETTINGS, now=NOW)
    assert report_of(town).people.loc["u1", "points"] == POINTS["u1"]
    for key in ("entry|1", _key(town, "missed||C4")):
        with pytest.raises(InputError, match="no such entry"):
            grant_appeal(town, replace(APPEAL, key=key), settings=SETTINGS, now=NOW)
    with pytest.raises(InputError, match="two people"):
        grant_appeal(town, replace(APPEAL, key=missed, approved_by="甲"), settings=SETTINGS, now=NOW)


def test_rules_begin_and_end_with_a_month(town: Engine):
    rule_id = begin_rule(town, RULE, recorded_by="甲", now=NOW)
    assert report_of(town).people.loc["u1", "points"] == POINTS["u1"] + 6
    with pytest.raises(ConflictError, match="Another version"):
        begin_rule(town, RULE, recorded_by="甲", now=NOW)
    end = {"township_code": TOWNSHIP, "rule_id": rule_id, "ended_by": "甲", "now": NOW}
    for month in (MONTH, date(2026, 11, 2)):
        with pytest.raises(InputError, match="after the rule's first month"):
            finish_rule(town, valid_until=month, **end)
    finish_rule(town, valid_until=date(2026, 11, 1), **end)
    with pytest.raises(ConflictError, match="ended before"):
        finish_rule(town, valid_until=date(2026, 12, 1), **end)
    begin_rule(town, replace(RULE, valid_from=date(2026, 11, 1)), recorded_by="甲", now=NOW)


SENSELESS_RULES = [
    ({"name": ""}, "Name of the rule"),
    ({"counts": "hours"}, "hours"),
    ({"points": 0}, "whole numbers"),
    ({"points": -2}, "cannot be like that"),
    ({"counts": "home_visit_share"}, "cannot be like that"),
    ({"rule_code": "Nacht!"}, "cannot be like that"),
    ({"valid_from": date(2026, 10, 2)}, "cannot be like that"),
]


def test_a_rule_that_makes_no_sense_is_refused(town: Engine):
    for change, said in SENSELESS_RULES:
        with pytest.raises(InputError, match=said):
            begin_rule(town, replace(RULE, **change), recorded_by="甲", now=NOW)


def test_a_month_is_settled_when_it_is_over_and_again_only_with_a_reason(town: Engine):
    freeze = {"township_code": TOWNSHIP, "frozen_by": "甲", "settings": SETTINGS}
    with pytest.raises(InputError, match="not over"):
        freeze_month(town, month=MONTH, reason=None, now=NOW, **freeze)
    later = datetime.fromisoformat("2026-11-01T00:30+08:00")
    assert freeze_month(town, month=MONTH, reason=None, now=later, **freeze) == 1
    with pytest.raises(InputError, match="settled again"):
        freeze_month(town, month=MONTH, reason=" ", now=later, **freeze)
    with pytest.raises(InputError, match="nothing to settle"):
        freeze_month(town, month=date(2025, 11, 1), reason=None, now=later, **freeze)


THING = NewThing(township_code=TOWNSHIP, grid_code=GRIDS[0], title="路灯", promised_on=MONTH, due_on=date(2026, 12, 1))


def test_practical_things_take_legal_steps_only(tiny_engine: Engine):
    for change, said in (
        ({"title": " "}, "Practical thing"),
        ({"grid_code": "x"}, "no area grid"),
        ({"due_on": date(2026, 9, 1)}, "due before"),
    ):
        with pytest.raises(InputError, match=said):
            promise_thing(tiny_engine, replace(THING, **change), recorded_by="甲", now=NOW)
    thing_id = promise_thing(tiny_engine, THING, recorded_by="甲", now=NOW)
    step = {
        "township_code": TOWNSHIP,
        "thing_id": thing_id,
        "happened_on": NOW.date(),
        "reason": None,
        "recorded_by": "甲",
    }
    for change, said in (
        ({"kind": "opened"}, "no step"),
        ({"kind": "dropped"}, "Reason"),
        ({"kind": "done", "thing_id": 99}, "no such practical thing"),
        ({"kind": "done", "happened_on": date(2026, 9, 30)}, "between"),
        ({"kind": "done", "happened_on": date(2026, 10, 16)}, "between"),
        ({"kind": "done", "recorded_by": ""}, "Recorded by"),
    ):
        with pytest.raises(InputError, match=said):
            step_thing(tiny_engine, **{**step, **change}, now=NOW)
    step_thing(tiny_engine, **step, kind="begun", now=NOW)
    with pytest.raises(ConflictError, match="begun before"):
        step_thing(tiny_engine, **step, kind="begun", now=NOW)
    step_thing(tiny_engine, **step, kind="done", now=NOW)
    with pytest.raises(ConflictError, match="ended already"):
        step_thing(tiny_engine, **{**step, "reason": "重复"}, kind="dropped", now=NOW)


OPINION = NewOpinion(
    township_code=TOWNSHIP, grid_code=GRIDS[0], category_code="R1", list_year=2026, text="路灯太暗，请回电\n13812345678"
)


def test_an_opinion_becomes_an_incident_with_a_due_time_and_without_a_telephone_number(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        write_categories(connection)
    number = collect_opinion(tiny_engine, OPINION, collected_by="甲", settings=SETTINGS, now=NOW)
    with tiny_engine.connect() as connection:
        said, due_at, village, n_steps = connection.execute(
            text(
                "SELECT incident.text, due_at, village_code, (SELECT count(*) FROM incident_step) FROM incident"
                " WHERE incident_code = :number"
            ),
            {"number": number},
        ).one()
        listed = lists_report(connection, township_code=TOWNSHIP, month=MONTH, now=NOW, zone=SETTINGS.zone).opinions
    assert (said, village, n_steps) == ("路灯太暗，请回电 〔电话〕", GRIDS[0][:12], 1)
    assert due_at > NOW
    assert listed[["grid_code", "collected_by"]].to_numpy().tolist() == [[GRIDS[0], "甲"]]
    for change, words in (
        ({"category_code": "D1"}, "requests"),
        ({"text": ""}, "Opinion"),
        ({"grid_code": "x"}, "no area grid"),
    ):
        with pytest.raises(InputError, match=words):
            collect_opinion(tiny_engine, replace(OPINION, **change), collected_by="甲", settings=SETTINGS, now=NOW)


def test_lists_signatures_and_updates_that_make_no_sense_are_refused(tiny_engine: Engine):
    task = {"township_code": TOWNSHIP, "month": MONTH, "entered_by": "甲", "now": NOW}
    with pytest.raises(InputError, match="kind of list"):
        add_tasks(tiny_engine, grid_codes=GRIDS, kind="song", title="走访", **task)
    with pytest.raises(InputError, match="Grid"):
        add_tasks(tiny_engine, grid_codes=[], kind="visit", title="走访", **task)
    with pytest.raises(InputError, match="no area grid"):
        add_tasks(tiny_engine, grid_codes=[GRIDS[0], "x"], kind="visit", title="走访", **task)
    with tiny_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM task_list")).scalar() == 0
    with pytest.raises(InputError, match="no such task"):
        tick_task(tiny_engine, task_id=1, is_done=True, ticked_by="甲", note=None, now=NOW)
    count = {"township_code": TOWNSHIP, "grid_code": GRIDS[0], "recorded_by": "甲", "now": NOW}
    with pytest.raises(InputError, match="between 0 and 3"):
        count_signatures(tiny_engine, agreed_on=MONTH, n_signed=4, n_households=3, **count)
    with pytest.raises(InputError, match="ahead"):
        count_signatures(tiny_engine, agreed_on=date(2026, 10, 16), n_signed=1, n_households=3, **count)
    with pytest.raises(InputError, match="ahead"):
        log_update(
            tiny_engine,
            township_code=TOWNSHIP,
            grid_code=GRIDS[0],
            updated_on=date(2026, 10, 16),
            updated_by="甲",
            note=None,
            now=NOW,
        )


def test_without_households_there_is_nothing_to_keep(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        connection.execute(text("DELETE FROM household"))
    with pytest.raises(InputError, match="no households"):
        keep_counts(tiny_engine, township_code=TOWNSHIP, taken_by="甲", settings=SETTINGS, now=NOW)
