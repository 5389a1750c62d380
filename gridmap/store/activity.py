"""Read what matters now: incidents that were touched lately or may still be open, however old they are."""

from collections.abc import Sequence
from datetime import datetime

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from gridmap.store.reading import read_layer, read_table, with_instants

# An incident without a closing, or with a reopening, may be open; whether it is, its steps say (analysis).
_TOUCHED = """
incident.township_code = :township_code AND incident.recorded_at <= :now AND (
    incident.happened_at >= :since
    OR incident.incident_code = ANY(:also)
    OR NOT EXISTS (SELECT FROM incident_step AS step WHERE step.incident_code = incident.incident_code
                   AND step.kind = 'closed' AND step.recorded_at <= :now)
    OR EXISTS (SELECT FROM incident_step AS step WHERE step.incident_code = incident.incident_code
               AND (step.kind = 'reopened' OR step.happened_at >= :since)))
"""


def read_active_incidents(
    connection: Connection, *, township_code: str, since: datetime, now: datetime, also: Sequence[str] = ()
) -> gpd.GeoDataFrame:
    """Return incidents that happened or were worked on since an instant, older ones that may be open, and those named.

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
        also=list(also),
    )
    return gpd.GeoDataFrame(with_instants(incidents, "happened_at", "recorded_at", "due_at"))


def read_active_steps(
    connection: Connection, *, township_code: str, since: datetime, now: datetime, also: Sequence[str] = ()
) -> pd.DataFrame:
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
        also=list(also),
    )
    return with_instants(steps, "happened_at", "recorded_at", "due_at")


def find_incidents(
    connection: Connection, *, township_code: str, wanted: str, now: datetime, most: int
) -> tuple[str, ...]:
    """Return the codes of the newest incidents, however old, whose number, place, text, category or village holds some words."""
    found = connection.execute(
        text(
            "SELECT incident_code FROM incident JOIN category USING (category_code, list_year)"
            " LEFT JOIN area ON area.area_code = incident.village_code"
            " WHERE incident.township_code = :township_code AND incident.recorded_at <= :now AND strpos(lower(concat_ws("
            "' ', incident_code, incident.place, incident.text, category.name, area.name)), lower(:wanted)) > 0"
            " ORDER BY happened_at DESC, incident_code LIMIT :most"
        ),
        {"township_code": township_code, "wanted": wanted, "now": now, "most": most},
    )
    return tuple(found.scalars())
