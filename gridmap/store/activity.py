"""Read what matters now: incidents that were touched lately or may still be open, however old they are."""

from datetime import datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.store.reading import read_layer, read_table, with_instants

# An incident without a closing, or with a reopening, may be open; whether it is, its steps say (analysis).
_TOUCHED = """
incident.township_code = :township_code AND incident.recorded_at <= :now AND (
    incident.happened_at >= :since
    OR NOT EXISTS (SELECT FROM incident_step AS step WHERE step.incident_code = incident.incident_code
                   AND step.kind = 'closed' AND step.recorded_at <= :now)
    OR EXISTS (SELECT FROM incident_step AS step WHERE step.incident_code = incident.incident_code
               AND (step.kind = 'reopened' OR step.happened_at >= :since)))
"""


def read_active_incidents(
    connection: Connection, *, township_code: str, since: datetime, now: datetime
) -> gpd.GeoDataFrame:
    """Return incidents that happened or were worked on since an instant, and older ones that may be open.

    Columns as `store.facts.read_incidents`. Only what was recorded by `now`.
    """
    incidents = read_layer(
        connection,
        "SELECT incident_code, category_code, list_year, category.name AS category_name, category.kind,"  # noqa: S608  a constant
        " category.is_private, urgency, source, village_code, grid_code AS named_grid_code, place, incident.text AS text, happened_at, recorded_at,"
        " due_at, ST_AsBinary(geom) AS geom"
        " FROM incident JOIN category USING (category_code, list_year)"
        f" WHERE {_TOUCHED} ORDER BY happened_at, incident_code",
        index="incident_code",
        township_code=township_code,
        since=since,
        now=now,
    )
    return gpd.GeoDataFrame(with_instants(incidents, "happened_at", "recorded_at", "due_at"))


def read_active_steps(connection: Connection, *, township_code: str, since: datetime, now: datetime) -> pd.DataFrame:
    """Return all steps of the incidents that `read_active_incidents` gives, as `store.facts.read_incident_steps`."""
    steps = read_table(
        connection,
        "SELECT step.incident_code, step.kind, step.level, step.staff_id, step.team_code, step.note,"  # noqa: S608  a constant
        " step.satisfaction, step.due_at, step.automatic_key IS NOT NULL AS is_automatic, step.happened_at, step.recorded_at"
        " FROM incident_step AS step JOIN incident USING (incident_code)"
        f" WHERE {_TOUCHED} AND step.recorded_at <= :now ORDER BY step.happened_at, step.step_id",
        township_code=township_code,
        since=since,
        now=now,
    )
    return with_instants(steps, "happened_at", "recorded_at", "due_at")
