"""Intake: who may send, receipts, and what a report needs to know of the places around it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

from gridmap.crs import STORED_EPSG
from gridmap.store.reading import read_layer, read_table, with_instants

RESIDENT = "resident"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Who sends.

    Parameters
    ----------
    source_id
        Its number; receipts are kept under it.
    name
        As given when the token was made.
    kind
        `member`, `system` or `resident`.
    staff_id
        Who acts: the member, or whom a system stands for; None: a report then has no person.
    township_code
        Of that person; None without one.
    """

    source_id: int
    name: str
    kind: str
    staff_id: str | None
    township_code: str | None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was answered to a key, and the hash of what had been asked."""

    body_sha256: str
    answer: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where something lies in the plan in force: grid and village, each None where there is none."""

    grid_code: str | None = None
    grid_name: str | None = None
    village_code: str | None = None
    village_name: str | None = None


def read_source(connection: Connection, *, token_sha256: str) -> Source | None:
    """Return the source that a token belongs to; None where there is none or it was revoked."""
    row = connection.execute(
        text(
            "SELECT source_id, intake_source.name, kind, staff_id, township_code FROM intake_source"
            " LEFT JOIN staff USING (staff_id) WHERE token_sha256 = :token_sha256 AND revoked_at IS NULL"
        ),
        {"token_sha256": token_sha256},
    ).one_or_none()
    if row is None:
        return None
    return Source(
        source_id=row.source_id,
        name=row.name,
        kind=row.kind,
        staff_id=row.staff_id,
        township_code=row.township_code,
    )


def read_resident_source(connection: Connection) -> Source:
    """Return the source that stands for all residents' forms."""
    source_id: int = connection.execute(
        text("SELECT source_id FROM intake_source WHERE kind = :kind"), {"kind": RESIDENT}
    ).scalar_one()
    return Source(source_id=source_id, name=RESIDENT, kind=RESIDENT, staff_id=None, township_code=None)


def read_sources(connection: Connection) -> pd.DataFrame:
    """Return every source by name: `name`, `kind`, `staff_id`, `created_at`, `revoked_at` (null while it may send)."""
    rows = read_table(
        connection,
        "SELECT name, kind, staff_id, created_at, revoked_at FROM intake_source WHERE kind <> 'resident' ORDER BY name",
    )
    return with_instants(rows, "created_at", "revoked_at")


def write_source(
    connection: Connection, *, name: str, kind: str, staff_id: str | None, token_sha256: str, now: datetime
) -> bool:
    """Insert a source, or give a revoked one of the same kind and person a new token; False where neither can be.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If there is no such person.
    """
    done = connection.execute(
        text(
            "INSERT INTO intake_source AS known (name, kind, staff_id, token_sha256, created_at)"
            " VALUES (:name, :kind, :staff_id, :token_sha256, :now) ON CONFLICT (name) DO UPDATE"
            " SET token_sha256 = excluded.token_sha256, created_at = excluded.created_at, revoked_at = NULL"
            " WHERE known.revoked_at IS NOT NULL AND known.kind = excluded.kind"
            " AND known.staff_id IS NOT DISTINCT FROM excluded.staff_id"
        ),
        {"name": name, "kind": kind, "staff_id": staff_id, "token_sha256": token_sha256, "now": now},
    )
    return done.rowcount == 1


def revoke_source(connection: Connection, *, name: str, now: datetime) -> bool:
    """Take a source's token away; False where there is none to take."""
    done = connection.execute(
        text(
            "UPDATE intake_source SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL"
            " AND kind <> 'resident'"
        ),
        {"name": name, "now": now},
    )
    return done.rowcount == 1


def lock_key(connection: Connection, *, source_id: int, key: str) -> None:
    """Wait until nobody else works on the same key of the source, until the transaction ends."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, :source_id))"), {"key": key, "source_id": source_id}
    )


def read_receipt(connection: Connection, *, source_id: int, key: str) -> Receipt | None:
    """Return what was answered to a key; None where nothing was."""
    row = connection.execute(
        text("SELECT body_sha256, answer FROM intake_receipt WHERE source_id = :source_id AND key = :key"),
        {"source_id": source_id, "key": key},
    ).one_or_none()
    return None if row is None else Receipt(body_sha256=row.body_sha256, answer=dict(row.answer))


def write_receipt(
    connection: Connection,
    *,
    source_id: int,
    key: str,
    body_sha256: str,
    incident_code: str | None,
    answer: dict[str, Any],
    now: datetime,
) -> None:
    """Keep what is answered to a key.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        If the key was answered before.
    """
    connection.execute(
        text(
            "INSERT INTO intake_receipt (source_id, key, body_sha256, incident_code, answer, recorded_at)"
            " VALUES (:source_id, :key, :body_sha256, :incident_code, :answer, :now)"
        ),
        {
            "source_id": source_id,
            "key": key,
            "body_sha256": body_sha256,
            "incident_code": incident_code,
            "answer": Jsonb(answer),
            "now": now,
        },
    )


def is_reported_by(connection: Connection, *, incident_code: str, source_id: int) -> bool:
    """Return whether an incident came from a source, or a step of it did."""
    found = connection.execute(
        text("SELECT 1 FROM intake_receipt WHERE incident_code = :code AND source_id = :source_id LIMIT 1"),
        {"code": incident_code, "source_id": source_id},
    )
    return found.scalar() is not None


def read_incident_township(connection: Connection, *, incident_code: str) -> str | None:
    """Return the township of an incident; None: there is no such incident."""
    code: str | None = connection.execute(
        text("SELECT township_code FROM incident WHERE incident_code = :code"), {"code": incident_code}
    ).scalar()
    return code


def read_township_at(connection: Connection, *, lng: float, lat: float) -> str | None:
    """Return the township that a point (EPSG:4490) lies in, else the nearest one; None without townships."""
    code: str | None = connection.execute(
        text(
            "SELECT area_code FROM area WHERE level = 'township'"
            " ORDER BY geom <-> ST_SetSRID(ST_MakePoint(:lng, :lat), :srid), area_code LIMIT 1"
        ),
        {"lng": lng, "lat": lat, "srid": STORED_EPSG},
    ).scalar()
    return code


def read_ground(
    connection: Connection, *, township_code: str, on: date, lng: float, lat: float, nearest: bool = False
) -> tuple[Ground, float] | None:
    """Return the grid of the plan in force at a point (EPSG:4490) and 0, or the nearest one and metres; None: no such.

    Of two grids that share a border the first by code counts, as in `analysis.counting.locate`.
    """
    place = "ST_SetSRID(ST_MakePoint(:lng, :lat), :srid)"
    condition = "" if nearest else f" AND ST_Covers(unit.geom, {place})"
    order = f"unit.geom <-> {place}, grid_code" if nearest else "grid_code"
    row = connection.execute(
        text(
            "SELECT grid.grid_code, grid.name AS grid_name, village.area_code AS village_code,"  # noqa: S608  constants above
            f" village.name AS village_name, ST_Distance(unit.geom::geography, {place}::geography) AS metres"
            " FROM plan JOIN plan_unit USING (plan_id) JOIN unit USING (unit_id) JOIN grid USING (grid_code)"
            " JOIN area AS village ON village.area_code = grid.parent_code"
            " WHERE plan.township_code = :township_code AND plan.state IN ('published', 'retired')"
            f" AND daterange(plan.valid_from, plan.valid_until) @> CAST(:on AS date){condition} ORDER BY {order} LIMIT 1"
        ),
        {"township_code": township_code, "on": on, "lng": lng, "lat": lat, "srid": STORED_EPSG},
    ).one_or_none()
    if row is None:
        return None
    return _ground(row), float(row.metres) if nearest else 0.0


def _ground(row: Row[Any]) -> Ground:
    return Ground(
        grid_code=row.grid_code,
        grid_name=row.grid_name,
        village_code=row.village_code,
        village_name=row.village_name,
    )


def read_grid_names(connection: Connection, *, township_code: str, on: date) -> list[Ground]:
    """Return the area grids of the plan in force on a day by code."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT grid.grid_code, grid.name AS grid_name, village.area_code AS village_code,"
            " village.name AS village_name FROM plan JOIN plan_unit USING (plan_id) JOIN grid USING (grid_code)"
            " JOIN area AS village ON village.area_code = grid.parent_code"
            " WHERE plan.township_code = :township_code AND plan.state IN ('published', 'retired')"
            " AND daterange(plan.valid_from, plan.valid_until) @> CAST(:on AS date) ORDER BY grid.grid_code"
        ),
        {"township_code": township_code, "on": on},
    )
    return [_ground(row) for row in rows]


def read_ground_of(connection: Connection, *, incident_code: str, on: date) -> Ground:
    """Return where an incident lies by the plan in force on a day: by its place, else by the grid, else by the village it names."""
    row = connection.execute(
        text(
            "SELECT township_code, grid_code, village_code, ST_X(geom) AS lng, ST_Y(geom) AS lat,"
            " (SELECT name FROM area WHERE area_code = incident.village_code) AS village_name"
            " FROM incident WHERE incident_code = :code"
        ),
        {"code": incident_code},
    ).one_or_none()
    if row is None:
        return Ground()
    if row.lng is not None:
        at = read_ground(connection, township_code=row.township_code, on=on, lng=row.lng, lat=row.lat)
        if at is not None:
            return at[0]
    if row.grid_code is not None:
        named = read_grid_names(connection, township_code=row.township_code, on=on)
        found = next((one for one in named if one.grid_code == row.grid_code), None)
        if found is not None:
            return found
    return Ground(village_code=row.village_code, village_name=row.village_name)


def read_categories_on(connection: Connection, *, on: date) -> pd.DataFrame:
    """Return the list in force on a day, by code: `category_code`, `list_year`, `kind`, `name`, `is_private`.

    Where lists of two years are open on that day, the newer one is in force.
    """
    return read_table(
        connection,
        "SELECT category_code, list_year, kind, name, is_private FROM ("
        "SELECT *, max(list_year) OVER () AS newest FROM category"
        " WHERE daterange(valid_from, valid_until) @> CAST(:on AS date)) AS listed"
        " WHERE list_year = newest ORDER BY category_code",
        on=on,
    )


def read_possible_duplicates(
    connection: Connection, *, township_code: str, happened_at: datetime, within: timedelta
) -> gpd.GeoDataFrame:
    """Return the incidents of a township that happened within a span of an instant, index `incident_code`.

    Columns `category_code`, `category_name`, `is_private`, `named_grid_code`, `happened_at`; geometry may be null.
    """
    rows = read_layer(
        connection,
        "SELECT incident_code, category_code, category.name AS category_name, is_private, grid_code AS named_grid_code,"
        " happened_at, ST_AsBinary(geom) AS geom FROM incident JOIN category USING (category_code, list_year)"
        " WHERE township_code = :township_code AND happened_at BETWEEN :since AND :until ORDER BY incident_code",
        index="incident_code",
        township_code=township_code,
        since=happened_at - within,
        until=happened_at + within,
    )
    return gpd.GeoDataFrame(with_instants(rows, "happened_at"))


def read_person(connection: Connection, *, staff_id: str) -> tuple[str, str] | None:
    """Return name and township of a member of staff; None: there is nobody of that account."""
    row = connection.execute(
        text("SELECT name, township_code FROM staff WHERE staff_id = :staff_id"), {"staff_id": staff_id}
    ).one_or_none()
    return None if row is None else (row.name, row.township_code)


def read_duties(connection: Connection, *, staff_id: str, on: date) -> pd.DataFrame:
    """Return where somebody serves on a day: `role`, `grid_code`, `team_code` (exactly one of the two is given)."""
    return read_table(
        connection,
        "SELECT role, grid_code, team_code FROM posting WHERE staff_id = :staff_id"
        " AND daterange(valid_from, valid_until) @> CAST(:on AS date) ORDER BY grid_code, team_code, role",
        staff_id=staff_id,
        on=on,
    )


def read_nearest_checkpoint(
    connection: Connection, *, township_code: str, on: date, lng: float, lat: float, reach_m: float
) -> tuple[str, str, float] | None:
    """Return code, name and metres of the nearest checkpoint that is open on a day and within reach; None: no such."""
    row = connection.execute(
        text(
            "SELECT checkpoint_code, name, metres FROM (SELECT checkpoint_code, name, opened_on, closed_on,"
            " ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:lng, :lat), :srid)::geography) AS metres"
            " FROM checkpoint WHERE township_code = :township_code) AS near"
            " WHERE metres <= :reach_m AND opened_on <= :on AND (closed_on IS NULL OR closed_on > :on)"
            " ORDER BY metres, checkpoint_code LIMIT 1"
        ),
        {
            "township_code": township_code,
            "on": on,
            "lng": lng,
            "lat": lat,
            "srid": STORED_EPSG,
            "reach_m": reach_m,
        },
    ).one_or_none()
    return None if row is None else (row.checkpoint_code, row.name, float(row.metres))
