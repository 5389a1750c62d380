"""A township small enough to count by hand.

Two villages side by side, each 2 km × 2 km, of two groups (west, east) of 1 km × 2 km. One grid a group except that
the east village is one grid of both groups: three grids. Households stand in rows: 3, 4, 5 and 6 of them in the four
groups from west to east, with 1, 2, 3 … residents in each group.
"""

from datetime import UTC, date, datetime

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from gridmap.store.writing import write_rows

TOWNSHIP = "439901999"
WEST_VILLAGE, EAST_VILLAGE = TOWNSHIP + "201", TOWNSHIP + "202"
GROUPS = (WEST_VILLAGE + "01", WEST_VILLAGE + "02", EAST_VILLAGE + "01", EAST_VILLAGE + "02")
GRIDS = (WEST_VILLAGE + "001", WEST_VILLAGE + "002", EAST_VILLAGE + "001")
GRID_OF_GROUP = dict(zip(GROUPS, (GRIDS[0], GRIDS[1], GRIDS[2], GRIDS[2]), strict=True))
N_HOUSEHOLDS = dict(zip(GROUPS, (3, 4, 5, 6), strict=True))
METRIC = "EPSG:4547"
STORED = "EPSG:4490"
EAST_M, NORTH_M = 520_000.0, 3_090_000.0
PLAN_FROM = date(2026, 1, 1)


def metric_point(east_m: float, north_m: float) -> shapely.Point:
    """A point by metres east and north of the township's south-west corner."""
    return shapely.Point(EAST_M + east_m, NORTH_M + north_m)


def stored(shapes: list[shapely.Geometry]) -> gpd.GeoSeries:
    """Metric shapes in the stored coordinate system."""
    return gpd.GeoSeries(shapes, crs=METRIC).to_crs(STORED)


def _box(west: float, east: float) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shapely.box(EAST_M + west, NORTH_M, EAST_M + east, NORTH_M + 2000)])


def areas() -> gpd.GeoDataFrame:
    """Township, villages and groups."""
    groups = [_box(1000 * i, 1000 * i + 1000) for i in range(4)]
    shapes = [
        shapely.MultiPolygon([shapely.union_all(groups)]),
        shapely.MultiPolygon([shapely.union_all(groups[:2])]),
        shapely.MultiPolygon([shapely.union_all(groups[2:])]),
        *groups,
    ]
    codes = [TOWNSHIP, WEST_VILLAGE, EAST_VILLAGE, *GROUPS]
    return gpd.GeoDataFrame(
        {
            "area_code": codes,
            "township_code": TOWNSHIP,
            "level": ["township", "village", "village", *["group"] * 4],
            "kind": ["township", "community", "village", *["group"] * 4],
            "parent_code": [None, TOWNSHIP, TOWNSHIP, WEST_VILLAGE, WEST_VILLAGE, EAST_VILLAGE, EAST_VILLAGE],
            "name": ["小乡", "西村", "东村", "一组", "二组", "一组", "二组"],
        },
        geometry=stored(shapes),
    )


def households() -> gpd.GeoDataFrame:
    """Households in a row through the middle of each group, 100 m apart, from 100 m east of its west border."""
    rows = [
        (f"H-{at}-{number}", group, number + 1, metric_point(1000 * at + 100 * (number + 1), 1000))
        for at, group in enumerate(GROUPS)
        for number in range(N_HOUSEHOLDS[group])
    ]
    codes, groups, residents, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {
            "household_code": codes,
            "township_code": TOWNSHIP,
            "group_code": groups,
            "n_residents": residents,
            "updated_on": date(2026, 3, 1),
        },
        geometry=stored(list(shapes)),
    )


def units() -> gpd.GeoDataFrame:
    """One unit a group."""
    groups = areas().query("level == 'group'")
    return gpd.GeoDataFrame(
        {
            "unit_code": groups["area_code"] + "00",
            "group_code": groups["area_code"],
            "village_code": groups["parent_code"],
            "township_code": TOWNSHIP,
        },
        geometry=groups.geometry,
    )


def grids() -> pd.DataFrame:
    """The tree of grids: township, villages, three area grids."""
    codes = [TOWNSHIP, WEST_VILLAGE, EAST_VILLAGE, *GRIDS]
    return pd.DataFrame(
        {
            "grid_code": codes,
            "township_code": TOWNSHIP,
            "level": [1, 2, 2, 3, 3, 3],
            "parent_code": [None, TOWNSHIP, TOWNSHIP, WEST_VILLAGE, WEST_VILLAGE, EAST_VILLAGE],
            "name": ["小乡", "西村", "东村", "西村第1网格", "西村第2网格", "东村第1网格"],
            "opened_on": date(2025, 1, 1),
        }
    )


def write_plan(connection: Connection, *, household_cap: int = 100) -> int:
    """Write a draft plan with all units assigned; returns its id."""
    plan_id: int = connection.execute(
        text(
            "INSERT INTO plan (township_code, name, state, valid_from, owner, revision, household_cap)"
            " VALUES (:township, '方案', 'draft', :valid_from, 'tests', 0, :cap) RETURNING plan_id"
        ),
        {"township": TOWNSHIP, "valid_from": PLAN_FROM, "cap": household_cap},
    ).scalar_one()
    for group, grid in GRID_OF_GROUP.items():
        connection.execute(
            text(
                "INSERT INTO plan_unit (plan_id, unit_id, grid_code)"
                " SELECT :plan_id, unit_id, :grid FROM unit WHERE group_code = :group"
            ),
            {"plan_id": plan_id, "grid": grid, "group": group},
        )
    return plan_id


def publish(connection: Connection, plan_id: int) -> None:
    """Publish a plan (checked when the transaction commits)."""
    connection.execute(text("UPDATE plan SET state = 'published' WHERE plan_id = :plan_id"), {"plan_id": plan_id})


def write_places(connection: Connection) -> None:
    """Write areas, households, units and grids; no plan."""
    write_rows(connection, "area", areas(), key=["area_code"])
    write_rows(connection, "household", households(), key=["household_code"])
    write_rows(connection, "unit", units(), key=["unit_code"])
    write_rows(connection, "grid", grids(), key=["grid_code"])


def load_tiny_township(connection: Connection) -> None:
    """Write the places and publish the plan."""
    write_places(connection)
    publish(connection, write_plan(connection))


def write_categories(connection: Connection) -> None:
    """Write one category of each kind, list year 2026; `D2` is private."""
    rows = [
        ("D1", "dispute", "邻里", False),
        ("D2", "dispute", "婚姻", True),
        ("Z1", "hazard", "消防隐患", False),
        ("R1", "request", "办事咨询", False),
        ("C1", "clue", "线索", False),
    ]
    codes, kinds, names, private = zip(*rows, strict=True)
    categories = pd.DataFrame(
        {
            "category_code": codes,
            "list_year": 2026,
            "kind": kinds,
            "name": names,
            "is_private": private,
            "valid_from": date(2026, 1, 1),
        }
    )
    write_rows(connection, "category", categories, key=["category_code", "list_year"])


def at(day: int, hour: int = 9, minute: int = 0, *, month: int = 10) -> datetime:
    """An instant of 2026 in Asia/Shanghai wall time, as UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - pd.Timedelta(hours=8).to_pytimedelta()
