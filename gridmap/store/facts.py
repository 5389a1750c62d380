"""Read facts: check-ins, tracks, home visits, incidents and their steps, of a span of time and as known at an instant."""

from datetime import datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.store.reading import read_layer, read_table, with_instants

_CHECKINS = """
SELECT checkin_id, staff_id, kind, exception, happened_at, recorded_at, accuracy_m, place, ST_AsBinary(geom) AS geom
FROM checkin
WHERE township_code = :township_code AND happened_at >= :since AND happened_at < :until
  AND (CAST(:known_at AS timestamptz) IS NULL OR recorded_at <= :known_at)
ORDER BY happened_at, checkin_id
"""
_FIXES = """
SELECT track_code, staff_id, happened_at, recorded_at, accuracy_m, ST_AsBinary(geom) AS geom
FROM track_fix
WHERE township_code = :township_code AND happened_at >= :since AND happened_at < :until
  AND (CAST(:known_at AS timestamptz) IS NULL OR recorded_at <= :known_at)
ORDER BY track_code, happened_at
"""
_HOME_VISITS = """
SELECT household_code, staff_id, happened_at, recorded_at
FROM home_visit
WHERE township_code = :township_code AND happened_at >= :since AND happened_at < :until
  AND (CAST(:known_at AS timestamptz) IS NULL OR recorded_at <= :known_at)
ORDER BY happened_at, household_code
"""
_INCIDENTS = """
SELECT incident_code, category_code, list_year, category.name AS category_name, category.kind, category.is_private,
       urgency, source, village_code, grid_code AS named_grid_code, place, incident.text AS text, happened_at, recorded_at, due_at,
       ST_AsBinary(geom) AS geom
FROM incident JOIN category USING (category_code, list_year)
WHERE township_code = :township_code AND happened_at >= :since AND happened_at < :until
  AND (CAST(:known_at AS timestamptz) IS NULL OR recorded_at <= :known_at)
ORDER BY happened_at, incident_code
"""
_STEPS = """
SELECT step.incident_code, step.kind, step.level, step.staff_id, step.team_code, step.note, step.satisfaction,
       step.due_at, step.automatic_key IS NOT NULL AS is_automatic, step.happened_at, step.recorded_at
FROM incident_step AS step JOIN incident USING (incident_code)
WHERE incident.township_code = :township_code AND incident.happened_at >= :since AND incident.happened_at < :until
  AND (CAST(:known_at AS timestamptz) IS NULL OR step.recorded_at <= :known_at)
ORDER BY step.happened_at, step.step_id
"""


def read_checkins(
    connection: Connection,
    *,
    township_code: str,
    since: datetime,
    until: datetime,
    known_at: datetime | None = None,
) -> gpd.GeoDataFrame:
    """Return the check-ins of a span (`since` inside, `until` outside), index `checkin_id`.

    Columns `staff_id`, `kind`, `exception`, `happened_at`, `recorded_at`, `accuracy_m`, `place`; geometry may be null.
    With `known_at` only what was recorded by then.
    """
    checkins = read_layer(
        connection,
        _CHECKINS,
        index="checkin_id",
        township_code=township_code,
        since=since,
        until=until,
        known_at=known_at,
    )
    return gpd.GeoDataFrame(with_instants(checkins, "happened_at", "recorded_at"))


def read_fixes(
    connection: Connection,
    *,
    township_code: str,
    since: datetime,
    until: datetime,
    known_at: datetime | None = None,
) -> gpd.GeoDataFrame:
    """Return the fixes of GPS tracks of a span (`since` inside, `until` outside), by track and instant.

    Columns `track_code`, `staff_id`, `happened_at`, `recorded_at`, `accuracy_m`. With `known_at` only what was recorded by
    then. They serve visits and lanes that nobody walked; a person's way is shown nowhere.
    """
    fixes = read_layer(
        connection,
        _FIXES,
        index=None,
        township_code=township_code,
        since=since,
        until=until,
        known_at=known_at,
    )
    return gpd.GeoDataFrame(with_instants(fixes, "happened_at", "recorded_at"))


def read_home_visits(
    connection: Connection,
    *,
    township_code: str,
    since: datetime,
    until: datetime,
    known_at: datetime | None = None,
) -> pd.DataFrame:
    """Return the door-to-door visits of a span: `household_code`, `staff_id`, `happened_at`, `recorded_at`."""
    visits = read_table(
        connection,
        _HOME_VISITS,
        township_code=township_code,
        since=since,
        until=until,
        known_at=known_at,
    )
    return with_instants(visits, "happened_at", "recorded_at")


def read_incidents(
    connection: Connection,
    *,
    township_code: str,
    since: datetime,
    until: datetime,
    known_at: datetime | None = None,
) -> gpd.GeoDataFrame:
    """Return the incidents that happened in a span, index `incident_code`, with the words of their category.

    Columns `category_code`, `list_year`, `category_name`, `kind`, `is_private`, `urgency`, `source`, `village_code`,
    `named_grid_code` (the grid that was named; null), `place`, `text`, `happened_at`, `recorded_at`, `due_at`; geometry may be null.
    """
    incidents = read_layer(
        connection,
        _INCIDENTS,
        index="incident_code",
        township_code=township_code,
        since=since,
        until=until,
        known_at=known_at,
    )
    return gpd.GeoDataFrame(with_instants(incidents, "happened_at", "recorded_at", "due_at"))


def read_incident_steps(
    connection: Connection,
    *,
    township_code: str,
    since: datetime,
    until: datetime,
    known_at: datetime | None = None,
) -> pd.DataFrame:
    """Return the steps of the incidents that happened in a span, in the order of their instants.

    Columns `incident_code`, `kind`, `level`, `staff_id`, `team_code`, `note`, `satisfaction`, `due_at` (where the step sets a
    new one), `is_automatic`, `happened_at`, `recorded_at`.
    """
    steps = read_table(
        connection,
        _STEPS,
        township_code=township_code,
        since=since,
        until=until,
        known_at=known_at,
    )
    return with_instants(steps, "happened_at", "recorded_at", "due_at")
