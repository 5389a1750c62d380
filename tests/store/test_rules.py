"""What the database holds, also against direct SQL."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from gridmap.store.places import read_grids, read_households, read_townships, read_units
from gridmap.store.plans import plan_faults
from gridmap.store.schema import schema_differences
from gridmap.store.versions import TOPICS, read_versions
from gridmap.store.writing import write_rows
from gridmap.texts import t, use_language
from tests import tiny


def test_models_and_migrations_agree(engine: Engine):
    assert schema_differences(engine) == []


def test_tiny_township_reads_back_as_written(tiny_engine: Engine):
    with tiny_engine.connect() as connection:
        (township,) = read_townships(connection)
        grids = read_grids(connection, township_code=tiny.TOWNSHIP, on=date(2026, 11, 1))
        households = read_households(connection, township_code=tiny.TOWNSHIP)
    assert (township.code, township.metric_epsg) == (tiny.TOWNSHIP, 4547)
    assert list(grids.index) == list(tiny.GRIDS)
    assert grids.crs == households.crs == "EPSG:4490"
    assert grids.to_crs(tiny.METRIC).area.round(-2).tolist() == [2e6, 2e6, 4e6]
    assert len(households) == 18
    assert households["n_residents"].sum() == 6 + 10 + 15 + 21


def test_no_plan_is_in_force_before_its_first_day(tiny_engine: Engine):
    with tiny_engine.connect() as connection:
        grids = read_grids(connection, township_code=tiny.TOWNSHIP, on=date(2025, 12, 31))
    assert len(grids) == 0
    assert grids.crs == "EPSG:4490"


def _published(engine: Engine, spoil: str = "", *, household_cap: int = 100, allow: bool = False) -> None:
    with engine.begin() as connection:
        tiny.write_places(connection)
        plan_id = tiny.write_plan(connection, household_cap=household_cap)
        if allow:
            connection.execute(
                text("INSERT INTO grid_exception VALUES (:plan_id, :grid, '集镇', '张主任', NULL)"),
                {"plan_id": plan_id, "grid": tiny.GRIDS[2]},
            )
        if spoil:
            connection.execute(text(spoil))
        tiny.publish(connection, plan_id)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("DELETE FROM plan_unit WHERE unit_id = (SELECT min(unit_id) FROM unit)", "belong to no grid"),
        (("UPDATE unit SET geom = ST_Multi(ST_Scale(geom, ST_MakePoint(1.01, 1), ST_Centroid(geom)))"
         " WHERE unit_id = (SELECT min(unit_id) FROM unit)"), "overlap by"),
        ("UPDATE household SET geom = ST_Translate(geom, 0, 1) WHERE household_code = 'H-0-0'", "lies in no grid"),
        (f"UPDATE plan_unit SET grid_code = '{tiny.GRIDS[0]}' WHERE grid_code = '{tiny.GRIDS[2]}'",
         "outside the village"),
    ],
    ids=["gap", "overlap", "household outside", "crosses village"],
)  # fmt: skip
def test_a_faulty_plan_cannot_be_published(engine: Engine, spoil: str, said: str):
    with pytest.raises(DBAPIError, match=said):
        _published(engine, spoil)


def test_a_grid_over_the_cap_needs_an_exception(engine: Engine):
    with pytest.raises(DBAPIError, match="holds 11 households, more than 10"):
        _published(engine, household_cap=10)
    _published(engine, household_cap=10, allow=True)


def test_only_one_plan_is_in_force_a_day(tiny_engine: Engine):
    with tiny_engine.begin() as connection:
        second = tiny.write_plan(connection)
    with pytest.raises(IntegrityError, match="ex_plan_one_in_force"), tiny_engine.begin() as connection:
        tiny.publish(connection, second)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE plan SET household_cap = 500",
        "UPDATE plan SET state = 'draft'",
        "DELETE FROM plan",
        "DELETE FROM plan_unit",
        "UPDATE unit SET geom = ST_Multi(ST_Translate(geom, 0.001, 0))",
        "DELETE FROM grid WHERE level = 3",
    ],
)
def test_a_published_plan_stays_as_it_is(tiny_engine: Engine, sql: str):
    with pytest.raises(DBAPIError), tiny_engine.begin() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize(
    "kind", ["empty", "overlap", "gap", "household_outside", "over_cap", "crosses_village", "foreign_unit"]
)
def test_every_fault_that_the_database_finds_has_words(tiny_engine: Engine, kind: str):
    with tiny_engine.connect() as connection:
        known = connection.execute(
            text("SELECT pg_get_functiondef('gridmap_plan_faults(integer)'::regprocedure)")
        ).scalar()
    assert f"SELECT '{kind}'" in known
    assert known.count("UNION ALL") == 6
    assert t(f"db.fault_{kind}", place="439901999201001", measured="12")


def test_a_fault_is_told_in_the_language_that_was_chosen(tiny_engine: Engine):
    use_language("zh")
    with tiny_engine.connect() as connection, connection.begin() as change:
        plan_id = tiny.write_plan(connection, household_cap=10)
        assert plan_faults(connection, plan_id=plan_id) == [f"网格 {tiny.GRIDS[2]} 有 11 户，超过上限，且没有登记例外"]
        change.rollback()


def _one_checkin(connection: Connection) -> None:
    row = {"township_code": tiny.TOWNSHIP, "staff_id": "m1", "kind": "外出打卡", "happened_at": tiny.at(5)}
    write_rows(connection, "checkin", pd.DataFrame([row]), key=["staff_id", "happened_at", "kind"], append_only=True)


def _one_fix(connection: Connection) -> None:
    row = {"track_code": "t1", "township_code": tiny.TOWNSHIP, "staff_id": "m1", "happened_at": tiny.at(5)}
    fixes = gpd.GeoDataFrame([row], geometry=tiny.stored([tiny.metric_point(100, 100)]))
    write_rows(connection, "track_fix", fixes, key=["track_code", "happened_at"], append_only=True)


def _one_home_visit(connection: Connection) -> None:
    row = {"household_code": "H-0-0", "township_code": tiny.TOWNSHIP, "staff_id": "m1", "happened_at": tiny.at(5)}
    write_rows(connection, "home_visit", pd.DataFrame([row]), key=["household_code", "happened_at"], append_only=True)


@pytest.mark.parametrize("table", ["checkin", "track_fix", "home_visit"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET staff_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_facts_are_append_only(tiny_engine: Engine, table: str, sql: str):
    sql = sql.format(table)
    with tiny_engine.begin() as connection:
        for write in (_one_checkin, _one_fix, _one_home_visit):
            write(connection)
    with pytest.raises(DBAPIError, match="never changed or deleted"), tiny_engine.begin() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize(
    "shape",
    ["POINT(200 30)", "POINT(1e300 30)", "POINT(114 60)", "POINT(NaN NaN)", "POINT EMPTY", "POINT(27.9 114.2)"],
)
def test_geometry_outside_the_china_box_is_refused(tiny_engine: Engine, shape: str):
    with pytest.raises(DBAPIError), tiny_engine.begin() as connection:
        connection.execute(
            text("UPDATE household SET geom = ST_GeomFromText(:shape, 4490) WHERE household_code = 'H-0-0'"),
            {"shape": shape},
        )


@pytest.mark.parametrize(
    ("write", "topic"), [(_one_checkin, "checkins"), (_one_fix, "tracks"), (_one_home_visit, "home_visits")]
)
def test_a_write_raises_the_version_of_its_topic_only(tiny_engine: Engine, write, topic: str):
    with tiny_engine.begin() as connection:
        before = read_versions(connection)
        write(connection)
        after = read_versions(connection)
    assert {topic for topic in TOPICS if after[topic] != before[topic]} == {topic}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("hours_from = '08:00'", "hours_from_until"),
        ("hours_from = '08:00', hours_until = '08:00'", "hours_from_until"),
        ("season_from = '04-15'", "season_from_until"),
        ("season_from = '4-15', season_until = '10-15'", "season_from_form"),
        ("season_from = '04-15', season_until = '10-32'", "season_until_form"),
        ("least_stay_minutes = 0", "least_stay_plausible"),
    ],
)
def test_half_or_impossible_restrictions_of_a_checkpoint_are_refused(busy_engine: Engine, change: str, rule: str):
    with pytest.raises(IntegrityError, match=rule), busy_engine.begin() as connection:
        connection.execute(text(f"UPDATE checkpoint SET {change}"))


def test_a_home_visit_is_of_a_known_household(tiny_engine: Engine):
    row = {"household_code": "nowhere", "township_code": tiny.TOWNSHIP, "staff_id": "m1", "happened_at": tiny.at(5)}
    with pytest.raises(ForeignKeyViolation, match="household"), tiny_engine.begin() as connection:
        write_rows(connection, "home_visit", pd.DataFrame([row]), key=["household_code", "happened_at"])


def test_units_are_read_by_code(tiny_engine: Engine):
    with tiny_engine.connect() as connection:
        units = read_units(connection, township_code=tiny.TOWNSHIP)
    assert units["unit_code"].tolist() == [f"{group}00" for group in tiny.GROUPS]
