"""Points of a month from the database: by hand, against SQL, as known at an instant, frozen."""

from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.actions.points import freeze_month
from gridmap.errors import InputError
from gridmap.reports.ledgers.month import month_settled_at
from gridmap.reports.ledgers.points import PointsReport, as_result, from_result, grade_limits, points_report
from tests.busy import NOW
from tests.ledger_town import ATTAINABLE_TENTHS, MONTH, POINTS, SETTINGS, write_ledger_town, write_rules, write_steps
from tests.tiny import GRIDS, TOWNSHIP, at

VISIT_RULE = {
    name: getattr(SETTINGS, name)
    for name in (
        "checkpoint_reach_m", "fix_accuracy_m", "patrol_max_speed_kmh", "far_checkin_m", "point_prior", "point_grades",
    )
}  # fmt: skip


def report_of(engine: Engine, *, now: datetime = NOW, month: date = MONTH, **options: object) -> PointsReport:
    with engine.connect() as connection:
        return points_report(
            connection, township_code=TOWNSHIP, month=month, now=now, zone=SETTINGS.zone, **VISIT_RULE, **options
        )


@pytest.fixture
def town(busy_engine: Engine) -> Engine:
    with busy_engine.begin() as connection:
        write_ledger_town(connection)
    return busy_engine


def test_a_month_by_hand(town: Engine):
    report = report_of(town)
    people = report.people
    assert people["points"].to_dict() == POINTS
    assert people["attainable_tenths"].to_dict() == ATTAINABLE_TENTHS
    assert people.loc["u1", ["points_patrol", "points_homes", "points_cases", "points_hand", "points_minus"]].tolist() == [
        2, 11, 6, 0, 0,
    ]  # fmt: skip
    assert people.loc["u2", ["points_cases", "points_minus"]].tolist() == [7, -5]
    assert people["grade"].to_dict() == {"u1": "excellent", "u2": "fair"}
    assert people["rank"].tolist() == [1, 2]
    assert (people["points"] == people.filter(like="points_").sum(axis=1)).all()
    assert (report.n_others, report.n_unassigned) == (0, 1)
    assert (report.is_over, report.is_frozen, report.is_reproduced) == (False, False, None)
    first = report.grids.loc[GRIDS[0]]
    assert first[["n_visits_due", "n_visits_made", "n_households", "n_homes_visited", "n_closings", "n_on_time"]].tolist() == [
        6, 2, 3, 2, 2, 1,
    ]  # fmt: skip
    assert (first["n_disputes"], first["n_missed"], first["n_done"], first["n_due"]) == (1, 2, 5, 11)


def test_every_entry_rests_on_rows_that_are_there(town: Engine):
    entries = report_of(town).entries
    with town.connect() as connection:
        checkins = connection.execute(text("SELECT staff_id, happened_at FROM checkin")).all()
        steps = connection.execute(text("SELECT incident_code, kind, happened_at FROM incident_step")).all()
        visits = connection.execute(text("SELECT household_code, happened_at FROM home_visit")).all()

    def stamp(instant: datetime) -> str:
        return f"{pd.Timestamp(instant).tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}"

    kinds = {"report_accepted": "accepted", "satisfied": "followed_up"}
    known = {f"checkin/{who}/{stamp(when)}" for who, when in checkins}
    known |= {f"{home}/{stamp(when)}" for home, when in visits}
    known_steps = {(code, kind, stamp(when)) for code, kind, when in steps}
    for _, entry in entries.iterrows():
        if entry["counts"] == "patrol_visit":
            assert entry["reference"].split("/", 1)[1] in known
        elif entry["counts"] == "home_visit":
            assert entry["reference"] in known
        elif entry["counts"] not in {"missed_due", "home_visit_share"}:
            code, counts, when = entry["reference"].split("/")
            assert (code, kinds.get(counts, "closed"), when) in known_steps


# The same rules in SQL, straight from the tables: points by person and rule before any ceiling.
ORACLE = """
WITH span AS (SELECT timestamptz '2026-10-01 00:00+08' AS since, timestamptz '2026-11-01 00:00+08' AS until),
visit AS (
    SELECT DISTINCT c.staff_id, p.checkpoint_code, (c.happened_at AT TIME ZONE 'Asia/Shanghai')::date AS day
    FROM checkin AS c JOIN checkpoint AS p ON ST_DWithin(c.geom::geography, p.geom::geography, 60), span
    WHERE c.happened_at >= since AND c.happened_at < until
), home AS (
    SELECT DISTINCT ON (household_code) staff_id FROM home_visit, span
    WHERE happened_at >= since AND happened_at < until ORDER BY household_code, happened_at, staff_id
), accepted AS (
    SELECT incident_code, min(happened_at) AS happened_at FROM incident_step WHERE kind = 'accepted' GROUP BY 1
), closed AS (
    SELECT DISTINCT ON (incident_code) step.incident_code, step.staff_id, step.happened_at, incident.due_at
    FROM incident_step AS step JOIN incident USING (incident_code)
    WHERE step.kind = 'closed' ORDER BY incident_code, step.happened_at DESC
)
SELECT staff_id, 'visit' AS rule_code, count(*)::int AS points FROM visit GROUP BY 1
UNION ALL SELECT staff_id, 'home', count(*)::int FROM home GROUP BY 1
UNION ALL SELECT step.staff_id, 'report', 2 * count(*)::int FROM incident_step AS step JOIN accepted USING (incident_code), span
    WHERE step.kind = 'reported' AND step.staff_id IS NOT NULL AND accepted.happened_at >= since GROUP BY 1
UNION ALL SELECT staff_id, 'on_time', 3 * count(*)::int FROM closed, span
    WHERE happened_at >= since AND happened_at <= due_at AND staff_id IS NOT NULL GROUP BY 1
UNION ALL SELECT staff_id, 'late', -3 * count(*)::int FROM closed, span
    WHERE happened_at >= since AND happened_at > due_at AND staff_id IS NOT NULL GROUP BY 1
"""


def test_sums_are_those_of_plain_sql(town: Engine):
    with town.connect() as connection:
        expected = {(who, rule): points for who, rule, points in connection.execute(text(ORACLE))}
    rows = report_of(town).by_rule
    found = {(row["staff_id"], row["rule_code"]): row["raw_points"] for _, row in rows.iterrows()}
    asked = {"visit", "home", "report", "on_time", "late"}
    assert {key: points for key, points in found.items() if key[1] in asked} == expected
    assert expected[("u1", "visit")] == 3


def test_what_is_recorded_later_changes_no_month_as_it_was_known(town: Engine):
    then = at(13)
    before = report_of(town, known_at=then)
    # Neither the acceptance recorded on the 14th nor the visit of the 15th was known then.
    assert before.people["points"].to_dict() == {"u1": 2 + 1 + 10 + 2, "u2": 1 + 10 + 3 + 3 + 1 - 2}
    with town.begin() as connection:
        write_steps(connection, ("I1", "closed", "grid", "u2", at(12), 5, at(16)))
    after = report_of(town, known_at=then)
    assert after.digest == before.digest
    pd.testing.assert_frame_equal(after.people, before.people)
    assert report_of(town, now=at(17)).digest != before.digest


def test_a_rule_counts_from_its_month_on_and_as_it_was_known(town: Engine):
    assert report_of(town, month=date(2025, 12, 1)).rules.empty
    with town.begin() as connection:
        connection.execute(
            text(
                "UPDATE point_rule SET valid_until = '2026-10-01', ended_by = '甲', ended_at = :at WHERE rule_code = 'visit'"
            ),
            {"at": at(14)},
        )
    assert "visit" not in report_of(town).rules.index
    assert "visit" in report_of(town, known_at=at(13)).rules.index
    assert "visit" in report_of(town, month=date(2026, 9, 1)).rules.index


def _freeze(engine: Engine, *, now: datetime, reason: str | None = None) -> int:
    return freeze_month(
        engine, township_code=TOWNSHIP, month=MONTH, frozen_by="李主任", reason=reason, settings=SETTINGS, now=now
    )


def test_a_frozen_month_stays_and_says_whether_it_comes_out_again(town: Engine):
    later = datetime.fromisoformat("2026-11-02T09:00+08:00")
    assert _freeze(town, now=later) == 1
    frozen = report_of(town, now=later + timedelta(days=1))
    assert (frozen.is_over, frozen.is_frozen, frozen.is_reproduced) == (True, True, True)
    live = report_of(town, now=later + timedelta(hours=1), is_live=True)
    pd.testing.assert_frame_equal(frozen.people, live.people)
    pd.testing.assert_frame_equal(frozen.grids, live.grids)
    with town.begin() as connection:
        write_steps(connection, ("I1", "closed", "grid", "u2", at(15, 20), 5, later + timedelta(days=2)))
    much_later = later + timedelta(days=3)
    again = report_of(town, now=much_later)
    assert again.is_reproduced
    pd.testing.assert_frame_equal(again.people, frozen.people)
    assert report_of(town, now=much_later, is_live=True).people.loc["u2", "points"] != frozen.people.loc["u2", "points"]
    assert _freeze(town, now=much_later, reason="补录办结") == 2
    second = report_of(town, now=much_later + timedelta(days=1))
    assert [one.number for one in second.freezes] == [1, 2]
    assert second.people.loc["u2", "points"] == live.people.loc["u2", "points"] + 3 + 3
    assert report_of(town, now=much_later, known_at=later).freezes[-1].number == 1


def test_a_frozen_month_that_does_not_come_out_again_is_called_so(town: Engine):
    later = datetime.fromisoformat("2026-11-02T09:00+08:00")
    _freeze(town, now=later)
    with town.begin() as connection:
        connection.execute(
            text("UPDATE household SET geom = ST_Translate(geom, 0.012, 0) WHERE household_code = 'H-0-0'")
        )
    report = report_of(town, now=later)
    assert report.is_reproduced is False
    assert report.grids.loc[GRIDS[0], "n_households"] == 3


def test_tables_come_back_from_json_as_they_were(town: Engine):
    report = report_of(town)
    frames = {name: getattr(report, name) for name in ("people", "by_rule", "grids", "rules")}
    for name, table in from_result(as_result(frames)).items():
        pd.testing.assert_frame_equal(table, frames[name])


def test_nobody_and_nothing_is_unknown_not_zero(tiny_engine: Engine):
    report = report_of(tiny_engine)
    assert report.people.empty
    assert report.entries.empty
    assert report.grids["n_visits_made"].isna().all()
    assert report.grids["rank"].isna().all()
    with tiny_engine.begin() as connection:
        write_rules(connection)
    assert report_of(tiny_engine).people.empty


def test_grade_limits_that_make_no_sense_are_refused():
    for written in ("90 75", "60 75 90", "a b c", "90 90 60", "9999 75 60"):
        with pytest.raises(InputError):
            grade_limits(written)


def test_a_month_that_is_over_is_asked_for_as_of_its_end_or_the_last_writing(busy_engine: Engine):
    end = datetime.fromisoformat("2026-11-01T00:00+08:00")
    with busy_engine.begin() as connection:
        ask = {"month": MONTH, "zone": SETTINGS.zone}
        assert month_settled_at(connection, **ask, now=end - timedelta(seconds=1)) is None
        connection.execute(text("UPDATE data_version SET changed_at = '2026-10-20T00:00Z'"))
        assert month_settled_at(connection, **ask, now=end) == end
        late = end + timedelta(days=3)
        connection.execute(text("UPDATE data_version SET changed_at = :late WHERE topic = 'checkins'"), {"late": late})
        assert month_settled_at(connection, **ask, now=end + timedelta(days=9)) == late
