"""The sample township: its last day is today, nothing lies in the future, twice is once, and it goes on living."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from gridmap.actions.demo import SAMPLE_TOWNSHIP, ShiftToToday, load_demo, shift_to_today
from gridmap.actions.live import LiveTownship
from gridmap.errors import InputError
from gridmap.reports.circle import circle_report
from gridmap.reports.circle_points import suggest_points
from gridmap.reports.coverage import coverage_report
from gridmap.settings import Settings
from gridmap.store.versions import read_versions
from gridmap.texts import use_language
from tests import tiny

SETTINGS = Settings()
NOON = datetime(2027, 3, 1, 4, 0, tzinfo=UTC)


def _load(engine: Engine) -> tuple[bool, list]:
    told: list = []
    done = load_demo(engine, sample_dir=SETTINGS.sample_dir, settings=SETTINGS, now=NOON, progress=told.append)
    return done, told


def test_the_sample_loads_once_shifted_to_today_and_then_lives(engine: Engine):
    done, told = _load(engine)
    assert done
    assert [outcome.reading.layer for outcome in told] == [
        "areas", "households", "paths", "water", "grids", "staff", "checkpoints", "checkins", "tracks",
        "home_visits", "incidents",
    ]  # fmt: skip
    assert all(one.reading.n_taken + one.reading.n_quarantined == one.reading.n_read for one in told)
    with engine.connect() as connection:
        newest, oldest, n_grids, n_homes = connection.execute(
            text(
                "SELECT (SELECT max(happened_at) FROM incident), (SELECT min(happened_at) FROM checkin),"
                " (SELECT count(DISTINCT grid_code) FROM plan JOIN plan_unit USING (plan_id)"
                "  WHERE state = 'published'), (SELECT count(*) FROM household)"
            )
        ).one()
        booked = (
            connection.execute(text("SELECT n_taken FROM import_record WHERE layer = 'checkins'")).scalar()
            == connection.execute(text("SELECT count(*) FROM checkin")).scalar()
        )
    assert newest <= NOON
    assert newest.astimezone(SETTINGS.zone).date() == date(2027, 3, 1)
    assert (newest - oldest).days > 365
    assert (n_grids, n_homes) == (34, 3054)
    assert booked
    assert _load(engine) == (False, [])
    _assert_planted_gaps_are_found(engine)
    _assert_the_ledgers_are_filled(engine)

    township = LiveTownship.open(engine, settings=SETTINGS, rng=Random(1), now=NOON)
    with engine.connect() as connection:
        before = read_versions(connection)
        facts = connection.execute(
            text("SELECT (SELECT count(*) FROM checkin) + (SELECT count(*) FROM incident_step)")
        ).scalar()
    told_facts = [township.invent(now=NOON + timedelta(seconds=second)) for second in range(40)]
    with engine.connect() as connection:
        after = read_versions(connection)
        more = connection.execute(
            text("SELECT (SELECT count(*) FROM checkin) + (SELECT count(*) FROM incident_step)")
        ).scalar()
    assert all(told_facts)
    assert more == facts + 40
    assert after["checkins"] > before["checkins"]
    assert after["incidents"] > before["incidents"]
    assert after["places"] == before["places"]


def _assert_planted_gaps_are_found(engine: Engine) -> None:
    """Two checkpoints that nobody visits, two teams that do not get round to all homes, a village beyond 15 minutes."""
    with engine.connect() as connection:
        report = coverage_report(
            connection,
            township_code=SAMPLE_TOWNSHIP,
            first_on=date(2027, 2, 1),
            last_on=date(2027, 2, 28),
            duty=None,
            village_code=None,
            now=NOON,
            zone=SETTINGS.zone,
            **{
                name: getattr(SETTINGS, name)
                for name in (
                    "checkpoint_reach_m", "fix_accuracy_m", "patrol_max_speed_kmh", "far_checkin_m", "cover_reach_m",
                )
            },
        )  # fmt: skip
    never = report.checkpoints[report.checkpoints["state"] == "never"]
    assert set(never.index) == {"QSD013", "QSD086"}
    runs = report.visits.checkpoints.loc[never.index]
    assert (runs["run_missed"] == runs["longest_missed"]).all()
    assert (runs["run_missed"] > 40).all()
    # Four weeks leave out a round or two of the month that they are cut from.
    low = report.visits.doors[report.visits.doors["visited_share"] < 0.85]
    assert low.index[0] == "439901101001005"
    assert {code[:12] for code in low.index[1:]} == {"439901101205"}
    assert report.visits.kept.value > 0.6
    assert report.visits.by_duty["n_out_of_season"].sum() < 20
    with engine.connect() as connection:
        circle = circle_report(
            connection,
            township_code=SAMPLE_TOWNSHIP,
            on=NOON.date(),
            minutes=15,
            goal="service",
            walking_kmh=SETTINGS.walking_kmh,
            path_attach_m=SETTINGS.path_attach_m,
            path_snap_m=SETTINGS.path_snap_m,
            circle_land_m=SETTINGS.circle_land_m,
        )
    assert circle.villages.index[0] == "439901101205"
    assert circle.villages["reached_share"].iloc[0] == 0
    assert circle.villages["reached_share"].iloc[1:].min() > 0.4
    best = suggest_points(circle, n_points=1, seconds_left=lambda: 20.0)
    assert best.siting.is_optimal
    assert circle.households.loc[best.won, "village_code"].mode()[0] == "439901101205"


def _assert_the_ledgers_are_filled(engine: Engine) -> None:
    """Rules since before the first fact, lists of this month and the two before, nothing recorded later than now."""
    with engine.connect() as connection:
        rules, first_rule, tasks, months, things, n_later = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM point_rule), (SELECT max(valid_from) FROM point_rule),"
                " (SELECT count(*) FROM task_list), (SELECT array_agg(DISTINCT month) FROM task_list),"
                " (SELECT count(*) FROM practical_thing), (SELECT count(*) FROM task_tick WHERE recorded_at > :now)"
            ),
            {"now": NOON},
        ).one()
        countered = connection.execute(
            text("SELECT count(*) FROM point_entry WHERE counters_entry_id IS NOT NULL")
        ).scalar()
    assert (rules, first_rule, tasks, things > 80, n_later, countered) == (11, date(2026, 1, 1), 408, True, 0, 1)
    assert sorted(months) == [date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)]


def test_seasons_move_with_the_days():
    shift = ShiftToToday(days=25, now=NOON)
    moved = shift.shifted(pd.DataFrame({"season_from": ["04-01", None, "12-20"]}))
    assert moved["season_from"].fillna("-").tolist() == ["04-26", "-", "01-14"]


def test_the_sample_is_never_mixed_with_another_township(tiny_engine: Engine):
    use_language("en")
    with pytest.raises(InputError, match="never mixed"):
        _load(tiny_engine)
    with tiny_engine.connect() as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM area WHERE township_code <> :t"), {"t": tiny.TOWNSHIP}
            ).scalar()
            == 0
        )
    assert tiny.TOWNSHIP != SAMPLE_TOWNSHIP


def test_what_lies_later_than_now_is_held_back_with_its_steps():
    shift = shift_to_today(now=datetime(2026, 10, 31, 4, tzinfo=UTC), zone=SETTINGS.zone)
    assert shift.days == 0
    instants = pd.to_datetime(["2026-10-31 03:00", "2026-10-31 05:00"], utc=True)
    frames = {
        "incidents": pd.DataFrame(
            {"incident_code": ["early", "late"], "happened_at": instants, "recorded_at": instants}
        ),
        "incident_steps": pd.DataFrame(
            {"incident_code": ["early", "late", "early"], "happened_at": [*instants, instants[1]]}
        ),
        "categories": pd.DataFrame({"category_code": ["D1"]}),
    }
    adjusted = shift(frames)
    assert adjusted.frames["incidents"]["incident_code"].tolist() == ["early"]
    assert len(adjusted.frames["incident_steps"]) == 1
    assert len(adjusted.frames["categories"]) == 1
    assert adjusted.n_held == 3
