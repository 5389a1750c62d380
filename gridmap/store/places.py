"""Read places: areas, units, grids, households, the base map and checkpoints."""

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from gridmap.crs import metric_epsg
from gridmap.frames import SERVICE_NEEDS
from gridmap.store.reading import read_layer, read_table


@dataclass(frozen=True, kw_only=True)
class Township:
    """One township (乡镇) of the database.

    Parameters
    ----------
    code
        Nine digits.
    name
        As on the map.
    metric_epsg
        Its own 3-degree Gauss-Krueger zone, chosen from its centre.
    bounds
        West, south, east, north in degrees (EPSG:4490).
    """

    code: str
    name: str
    metric_epsg: int
    bounds: tuple[float, float, float, float]


def read_townships(connection: Connection) -> list[Township]:
    """Return the townships of the database by code; empty while no areas are loaded."""
    rows = connection.execute(
        text(
            "SELECT area_code, name, ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom)"
            " FROM area WHERE level = 'township' ORDER BY area_code"
        )
    )
    return [
        Township(
            code=code,
            name=name,
            metric_epsg=metric_epsg((west + east) / 2),
            bounds=(west, south, east, north),
        )
        for code, name, west, south, east, north in rows
    ]


# An area that ended had its land for itself until then, whoever holds it now.
_AREAS = """
SELECT area.area_code, area.name, area.kind, area.parent_code,
       ST_AsBinary(CASE WHEN ended.geom IS NULL THEN area.geom
                   ELSE ST_Multi(ST_CollectionExtract(ST_Difference(area.geom, ended.geom), 3)) END) AS geom
FROM area
LEFT JOIN LATERAL (
    SELECT ST_Union(earlier.geom) AS geom FROM area AS earlier
    WHERE earlier.township_code = area.township_code AND earlier.level = area.level AND earlier.valid_until IS NOT NULL
      AND daterange(earlier.valid_from, earlier.valid_until) @> CAST(:on AS date)
      AND earlier.valid_until < coalesce(area.valid_until, 'infinity') AND ST_Intersects(earlier.geom, area.geom)
) AS ended ON true
WHERE area.township_code = :township_code AND area.level = :level
  AND (CAST(:on AS date) IS NULL OR daterange(area.valid_from, area.valid_until) @> CAST(:on AS date))
ORDER BY area.area_code
"""


def read_areas(connection: Connection, *, township_code: str, level: str, on: date | None = None) -> gpd.GeoDataFrame:
    """Return the areas of one level, index `area_code`: `name`, `kind`, `parent_code`.

    With a day only those that exist on it, with the land they had: a village that was merged into another is not there any
    more, and before that day its land is not the other's.
    """
    return read_layer(connection, _AREAS, index="area_code", township_code=township_code, level=level, on=on)


def read_area_names(connection: Connection, *, township_code: str, level: str) -> pd.Series:
    """Return the names of the areas of one level by code; also of those that have ended, which facts may name."""
    names = read_table(
        connection,
        "SELECT area_code, name FROM area WHERE township_code = :township_code AND level = :level ORDER BY area_code",
        index="area_code",
        township_code=township_code,
        level=level,
    )
    return names["name"]


def read_area_ends(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return every area of a township, the upper levels first, index `area_code`: `name`, `valid_until` (null: it stands)."""
    return read_table(
        connection,
        "SELECT area_code, name, valid_until FROM area WHERE township_code = :township_code"
        " ORDER BY length(area_code), area_code",
        index="area_code",
        township_code=township_code,
    )


def read_units(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return the units that are not retired, index `unit_id`: `unit_code`, `group_code`, `village_code`."""
    return read_layer(
        connection,
        "SELECT unit_id, unit_code, group_code, village_code, ST_AsBinary(geom) AS geom FROM unit"
        " WHERE township_code = :township_code AND retired_on IS NULL ORDER BY unit_code",
        index="unit_id",
        township_code=township_code,
    )


_GRIDS = """
SELECT grid.grid_code, grid.name, village.area_code AS village_code, village.name AS village_name,
       plan.household_cap, allowed.reason AS exception_reason, ST_AsBinary(ST_Union(unit.geom)) AS geom
FROM plan
JOIN plan_unit USING (plan_id)
JOIN unit USING (unit_id)
JOIN grid USING (grid_code)
JOIN area AS village ON village.area_code = grid.parent_code
LEFT JOIN grid_exception AS allowed ON allowed.plan_id = plan.plan_id AND allowed.grid_code = grid.grid_code
WHERE {which}
GROUP BY grid.grid_code, grid.name, village.area_code, village.name, plan.household_cap, allowed.reason
ORDER BY grid.grid_code
"""


def read_grids(connection: Connection, *, township_code: str, on: date) -> gpd.GeoDataFrame:
    """Return the area grids of the plan in force on a day, index `grid_code`.

    Columns `name`, `village_code`, `village_name`, `household_cap`, `exception_reason` (null where the cap holds).
    A grid's polygon is the union of its units. Empty when no plan is in force.
    """
    which = (
        "plan.township_code = :township_code AND plan.state IN ('published', 'retired')"
        " AND daterange(plan.valid_from, plan.valid_until) @> CAST(:on AS date)"
    )
    return read_layer(connection, _GRIDS.format(which=which), index="grid_code", township_code=township_code, on=on)


def read_grids_of(connection: Connection, *, plan_id: int | None) -> gpd.GeoDataFrame:
    """Return the area grids of one plan, as `read_grids`; None of no plan: empty."""
    return read_layer(connection, _GRIDS.format(which="plan.plan_id = :plan_id"), index="grid_code", plan_id=plan_id)


def read_grid_tree(connection: Connection, *, township_code: str, on: date) -> pd.DataFrame:
    """Return the grids of all three levels that are open on a day, index `grid_code`: `level`, `parent_code`, `name`.

    The township first, then each village with its area grids.
    """
    return read_table(
        connection,
        "SELECT grid_code, level, parent_code, name FROM grid WHERE township_code = :township_code"
        " AND opened_on <= :on AND (closed_on IS NULL OR closed_on > :on) ORDER BY grid_code",
        index="grid_code",
        township_code=township_code,
        on=on,
    )


def read_households(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return households, index `household_code`: `group_code`, `n_residents`, `updated_on`, one `n_<need>` each."""
    needs = ", ".join(
        f"coalesce(sum(need.n_people) FILTER (WHERE need.need_code = '{need}'), 0)::integer AS n_{need}"
        for need in SERVICE_NEEDS
    )
    return read_layer(
        connection,
        f"SELECT household_code, group_code, n_residents, updated_on, {needs}, ST_AsBinary(geom) AS geom"  # noqa: S608  the needs are constants of frames.py
        " FROM household LEFT JOIN household_need AS need USING (household_code)"
        " WHERE township_code = :township_code GROUP BY household_code ORDER BY household_code",
        index="household_code",
        township_code=township_code,
    )


def read_paths(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return the path network, index `path_code`: `kind`, `name`, `is_bridge`."""
    return read_layer(
        connection,
        "SELECT path_code, kind, name, is_bridge, ST_AsBinary(geom) AS geom FROM path"
        " WHERE township_code = :township_code ORDER BY path_code",
        index="path_code",
        township_code=township_code,
    )


def read_water(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return rivers, canals, ponds and reservoirs, index `water_code`: `kind`, `name`."""
    return read_layer(
        connection,
        "SELECT water_code, kind, name, ST_AsBinary(geom) AS geom FROM water"
        " WHERE township_code = :township_code ORDER BY water_code",
        index="water_code",
        township_code=township_code,
    )


def read_labels(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return names on the base map, index `label_id`: `kind`, `name`, `rank` (1 is the most important)."""
    return read_layer(
        connection,
        "SELECT label_id, kind, name, rank, ST_AsBinary(geom) AS geom FROM label"
        " WHERE township_code = :township_code ORDER BY rank, label_id",
        index="label_id",
        township_code=township_code,
    )


def read_checkpoints(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return checkpoints, also closed ones, index `checkpoint_code`.

    Columns `name`, `kind`, `duty`, `n_visits_due`, `per`, `opened_on`, `closed_on`, and, null where nothing is asked:
    `hours_from`, `hours_until` (`datetime.time`), `season_from`, `season_until` (MM-DD), `least_stay_minutes`.
    """
    return read_layer(
        connection,
        "SELECT checkpoint_code, name, kind, duty, n_visits_due, per, opened_on, closed_on, hours_from, hours_until,"
        " season_from, season_until, least_stay_minutes, ST_AsBinary(geom) AS geom"
        " FROM checkpoint WHERE township_code = :township_code ORDER BY checkpoint_code",
        index="checkpoint_code",
        township_code=township_code,
    )
