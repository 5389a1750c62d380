"""A township of 1,000 grids in a database of its own, for the session benchmark.

25 villages of 40 grids of one group; 90 households, 4 checkpoints a grid; a month of check-ins and incidents.
"""

from datetime import date, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Engine, text

from gridmap.store.writing import write_rows

TOWNSHIP = "439901998"
METRIC, STORED = "EPSG:4547", "EPSG:4490"
EAST_M, NORTH_M, GRID_M = 500_000.0, 3_080_000.0, 300.0
N_VILLAGES, GRIDS_A_ROW, ROWS_A_VILLAGE = 25, 8, 5


def _ragged(box: tuple[float, float, float, float]) -> shapely.Polygon:
    """A rectangle with 15 vertices a side, wavy by a function of place, so that neighbours share the border."""
    west, south, east, north = box
    steps = np.linspace(0, 1, 15, endpoint=False)
    ring = np.concatenate(
        [
            np.c_[west + (east - west) * steps, np.full(15, south)],
            np.c_[np.full(15, east), south + (north - south) * steps],
            np.c_[east - (east - west) * steps, np.full(15, north)],
            np.c_[np.full(15, west), north - (north - south) * steps],
        ]
    )
    wave = 12 * np.sin(ring[:, ::-1] / 60.0)
    return shapely.Polygon(ring + wave)


def _villages() -> gpd.GeoDataFrame:
    rows = []
    side = int(N_VILLAGES**0.5)
    for village in range(N_VILLAGES):
        west = EAST_M + (village % side) * GRIDS_A_ROW * GRID_M
        south = NORTH_M + (village // side) * ROWS_A_VILLAGE * GRID_M
        for grid in range(GRIDS_A_ROW * ROWS_A_VILLAGE):
            x, y = west + (grid % GRIDS_A_ROW) * GRID_M, south + (grid // GRIDS_A_ROW) * GRID_M
            rows.append((village, grid, _ragged((x, y, x + GRID_M, y + GRID_M))))
    groups = gpd.GeoDataFrame(rows, columns=["village", "grid", "geometry"], crs=METRIC)
    groups["village_code"] = TOWNSHIP + (groups["village"] + 201).astype(str)
    groups["group_code"] = groups["village_code"] + (groups["grid"] + 1).astype(str).str.zfill(2)
    groups["grid_code"] = groups["village_code"] + (groups["grid"] + 1).astype(str).str.zfill(3)
    return groups


def _areas(groups: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    villages = groups.dissolve("village_code").geometry
    shapes = [shapely.union_all(villages.to_numpy()), *villages, *groups.geometry]
    codes = [TOWNSHIP, *villages.index, *groups["group_code"]]
    levels = ["township"] + ["village"] * len(villages) + ["group"] * len(groups)
    parents = [None] + [TOWNSHIP] * len(villages) + groups["village_code"].tolist()
    multi = [shapely.MultiPolygon([shape]) if shape.geom_type == "Polygon" else shape for shape in shapes]
    return gpd.GeoDataFrame(
        {
            "area_code": codes,
            "township_code": TOWNSHIP,
            "level": levels,
            "kind": levels,
            "parent_code": parents,
            "name": [f"第{number}" for number in range(len(codes))],
        },
        geometry=gpd.GeoSeries(multi, crs=METRIC).to_crs(STORED),
    )


def _scattered(groups: gpd.GeoDataFrame, each: int, rng: np.random.Generator) -> gpd.GeoSeries:
    centres = np.repeat(shapely.get_coordinates(groups.geometry.centroid.to_numpy()), each, axis=0)
    points = centres + rng.uniform(-0.38 * GRID_M, 0.38 * GRID_M, centres.shape)
    return gpd.GeoSeries(shapely.points(points), crs=METRIC).to_crs(STORED)


def fill(engine: Engine, *, now: datetime) -> gpd.GeoDataFrame:
    """Write the township and return its grids with `n_households`, in degrees."""
    rng = np.random.default_rng(7)
    groups = _villages()
    n_grids = len(groups)
    areas = _areas(groups)
    today = now.date()
    with engine.begin() as connection:
        write_rows(connection, "area", areas, key=["area_code"])
        units = gpd.GeoDataFrame(
            {
                "unit_code": groups["group_code"] + "00",
                "group_code": groups["group_code"],
                "village_code": groups["village_code"],
                "township_code": TOWNSHIP,
            },
            geometry=areas.geometry.iloc[-n_grids:].reset_index(drop=True),
        )
        write_rows(connection, "unit", units, key=["unit_code"])
        upper = areas[areas["level"] != "group"]
        tree = pd.concat(
            [
                pd.DataFrame(
                    {
                        "grid_code": upper["area_code"],
                        "level": upper["area_code"].str.len() // 3 - 2,
                        "parent_code": upper["parent_code"],
                    }
                ),
                pd.DataFrame({"grid_code": groups["grid_code"], "level": 3, "parent_code": groups["village_code"]}),
            ]
        )
        tree = tree.assign(
            township_code=TOWNSHIP, name="第" + tree["grid_code"].str[-3:] + "网格", opened_on=date(2025, 1, 1)
        )
        write_rows(connection, "grid", tree, key=["grid_code"])
        each = 90
        homes = gpd.GeoDataFrame(
            {
                "household_code": [f"B-{number:06d}" for number in range(n_grids * each)],
                "township_code": TOWNSHIP,
                "group_code": np.repeat(groups["group_code"].to_numpy(), each),
                "n_residents": rng.integers(1, 7, n_grids * each),
            },
            geometry=_scattered(groups, each, rng),
        )
        write_rows(connection, "household", homes, key=["household_code"])
        _write_plan(connection, today)
        _write_work(connection, groups, rng, now)
    return gpd.GeoDataFrame(
        {"grid_code": groups["grid_code"], "n_households": each},
        geometry=areas.geometry.iloc[-n_grids:].reset_index(drop=True),
    )


def _write_plan(connection, today: date) -> None:
    plan_id = connection.execute(
        text(
            "INSERT INTO plan (township_code, name, state, valid_from, owner, revision, household_cap)"
            " VALUES (:township, 'bench', 'draft', :day, 'bench', 0, 100) RETURNING plan_id"
        ),
        {"township": TOWNSHIP, "day": today - timedelta(days=400)},
    ).scalar_one()
    connection.execute(
        text(
            "INSERT INTO plan_unit SELECT :plan_id, unit_id, left(group_code, 12) || lpad(right(group_code, 2), 3, '0')"
            " FROM unit WHERE township_code = :township"
        ),
        {"plan_id": plan_id, "township": TOWNSHIP},
    )
    connection.execute(text("UPDATE plan SET state = 'published' WHERE plan_id = :plan_id"), {"plan_id": plan_id})


def _write_work(connection, groups: gpd.GeoDataFrame, rng: np.random.Generator, now: datetime) -> None:
    n_points = 4 * len(groups)
    spots = _scattered(groups, 4, rng)
    checkpoints = gpd.GeoDataFrame(
        {
            "checkpoint_code": [f"B{number:05d}" for number in range(n_points)],
            "township_code": TOWNSHIP,
            "name": "点",
            "kind": "点",
            "duty": "fire",
            "n_visits_due": 1,
            "per": "week",
            "opened_on": date(2025, 1, 1),
        },
        geometry=spots,
    )
    write_rows(connection, "checkpoint", checkpoints, key=["checkpoint_code"])
    chosen = rng.integers(0, n_points, 30_000)
    checkins = gpd.GeoDataFrame(
        {
            "township_code": TOWNSHIP,
            "staff_id": [f"m{number % 3000}" for number in range(len(chosen))],
            "kind": "外出打卡",
            "happened_at": [
                now - timedelta(seconds=int(s)) for s in np.sort(rng.integers(60, 30 * 86_400, len(chosen)))
            ],
        },
        geometry=spots.iloc[chosen].reset_index(drop=True),
    )
    checkins = checkins.drop_duplicates(["staff_id", "happened_at"])
    write_rows(connection, "checkin", checkins, key=["staff_id", "happened_at", "kind"], append_only=True)
    category = {"category_code": "B1", "list_year": 2026, "kind": "dispute", "name": "邻里", "is_private": False}
    write_rows(
        connection,
        "category",
        pd.DataFrame([{**category, "valid_from": date(2026, 1, 1)}]),
        key=["category_code", "list_year"],
    )
    n_incidents = 6_000
    happened = [now - timedelta(seconds=int(s)) for s in rng.integers(60, 60 * 86_400, n_incidents)]
    incidents = gpd.GeoDataFrame(
        {
            "incident_code": [f"B-{number:06d}" for number in range(n_incidents)],
            "township_code": TOWNSHIP,
            "category_code": "B1",
            "list_year": 2026,
            "urgency": "normal",
            "village_code": None,
            "happened_at": happened,
            "recorded_at": happened,
            "due_at": [instant + timedelta(days=7) for instant in happened],
        },
        geometry=_scattered(groups, 6, rng),
    )
    write_rows(connection, "incident", incidents, key=["incident_code"], append_only=True)
    steps = pd.DataFrame(
        {
            "incident_code": np.repeat(incidents["incident_code"].to_numpy(), 2),
            "kind": np.tile(["reported", "closed"], n_incidents),
            "level": "grid",
            "happened_at": [instant + timedelta(hours=hours) for instant in happened for hours in (0, 20)],
        }
    )
    steps = steps[pd.to_datetime(steps["happened_at"]) <= pd.Timestamp(now)]
    write_rows(connection, "incident_step", steps, key=["incident_code", "kind", "happened_at"], append_only=True)
