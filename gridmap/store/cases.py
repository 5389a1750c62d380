"""Incidents in hand: locked, read with all their steps, a step appended."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, text

from gridmap.store.reading import read_table, with_instants


def lock_incident(connection: Connection, *, incident_code: str) -> bool:
    """Wait until nobody else takes a step of the incident, until the transaction ends; False where there is none."""
    found = connection.execute(
        text("SELECT 1 FROM incident WHERE incident_code = :code FOR UPDATE"), {"code": incident_code}
    )
    return found.scalar() is not None


def read_cases(connection: Connection, *, incident_codes: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return incidents (index `incident_code`) and their steps in the order of their instants; unknown ones are left out.

    Columns `category_code`, `urgency`, `happened_at`, `due_at`, and as of `store.facts.read_incident_steps`.
    """
    incidents = read_table(
        connection,
        "SELECT incident_code, category_code, urgency, happened_at, due_at FROM incident"
        " WHERE incident_code = ANY(:codes) ORDER BY incident_code",
        index="incident_code",
        codes=list(incident_codes),
    )
    steps = read_table(
        connection,
        "SELECT incident_code, kind, level, staff_id, team_code, note, satisfaction, due_at,"
        " automatic_key IS NOT NULL AS is_automatic, happened_at, recorded_at FROM incident_step"
        " WHERE incident_code = ANY(:codes) ORDER BY happened_at, step_id",
        codes=list(incident_codes),
    )
    return (
        with_instants(incidents, "happened_at", "due_at"),
        with_instants(steps, "happened_at", "recorded_at", "due_at"),
    )


def read_open_codes(connection: Connection, *, now: datetime) -> list[str]:
    """Return the incidents that may be open: without a closing, or reopened."""
    codes = connection.execute(
        text(
            "SELECT incident_code FROM incident WHERE happened_at <= :now AND ("
            "NOT EXISTS (SELECT FROM incident_step AS step WHERE step.incident_code = incident.incident_code"
            " AND step.kind = 'closed') OR EXISTS (SELECT FROM incident_step AS step"
            " WHERE step.incident_code = incident.incident_code AND step.kind = 'reopened')) ORDER BY incident_code"
        ),
        {"now": now},
    )
    return list(codes.scalars())


def append_step(
    connection: Connection,
    *,
    incident_code: str,
    kind: str,
    level: str | None,
    now: datetime,
    staff_id: str | None = None,
    team_code: str | None = None,
    note: str | None = None,
    satisfaction: int | None = None,
    due_at: datetime | None = None,
    automatic_key: str | None = None,
) -> bool:
    """Append a step that happens now; False where one with the same automatic key, or the same kind and instant, is there.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as an unknown incident or team.
    """
    result = connection.execute(
        text(
            "INSERT INTO incident_step (incident_code, kind, level, staff_id, team_code, note, satisfaction, due_at,"
            " automatic_key, happened_at, recorded_at) VALUES (:incident_code, :kind, :level, :staff_id, :team_code, :note,"
            " :satisfaction, :due_at, :automatic_key, :now, :now) ON CONFLICT DO NOTHING"
        ),
        {
            "incident_code": incident_code,
            "kind": kind,
            "level": level,
            "staff_id": staff_id,
            "team_code": team_code,
            "note": note,
            "satisfaction": satisfaction,
            "due_at": due_at,
            "automatic_key": automatic_key,
            "now": now,
        },
    )
    return result.rowcount == 1
