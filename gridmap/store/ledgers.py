"""Read and append the lists of the grids: tasks, conventions, practical things, opinions, counts of people by month."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from gridmap.store.reading import read_table, with_instants

_TASKS = """
SELECT task.task_id, task.grid_code, task.month, task.kind, task.title, task.entered_by,
       coalesce(last.is_done, false) AS is_done, last.ticked_by, last.note, last.recorded_at AS ticked_at
FROM task_list AS task
LEFT JOIN LATERAL (
    SELECT is_done, ticked_by, note, recorded_at FROM task_tick
    WHERE task_tick.task_id = task.task_id AND recorded_at <= :known_at ORDER BY recorded_at DESC, tick_id DESC LIMIT 1
) AS last ON true
WHERE task.township_code = :township_code AND task.month BETWEEN :since AND :until AND task.recorded_at <= :known_at
ORDER BY task.month, task.grid_code, task.kind, task.task_id
"""
_THINGS = """
SELECT thing.thing_id, thing.grid_code, thing.title, thing.promised_on, thing.due_on, thing.recorded_by,
       begun.happened_on AS begun_on, ended.kind AS ended_as, ended.happened_on AS ended_on, ended.reason
FROM practical_thing AS thing
LEFT JOIN practical_step AS begun
    ON begun.thing_id = thing.thing_id AND begun.kind = 'begun' AND begun.recorded_at <= :known_at
LEFT JOIN practical_step AS ended
    ON ended.thing_id = thing.thing_id AND ended.kind IN ('done', 'dropped') AND ended.recorded_at <= :known_at
WHERE thing.township_code = :township_code AND thing.recorded_at <= :known_at
ORDER BY thing.due_on, thing.thing_id
"""
_INSERTS = {
    "task_list": ("task_id", "township_code, grid_code, month, kind, title, entered_by"),
    "task_tick": ("tick_id", "task_id, is_done, ticked_by, note"),
    "convention": ("convention_id", "township_code, grid_code, agreed_on, n_signed, n_households, recorded_by"),
    "practical_thing": ("thing_id", "township_code, grid_code, title, promised_on, due_on, recorded_by"),
    "practical_step": ("step_id", "thing_id, kind, happened_on, reason, recorded_by"),
    "opinion": ("incident_code", "incident_code, township_code, grid_code, collected_by"),
    "roster_update": ("update_id", "township_code, grid_code, updated_on, updated_by, note"),
    "people_snapshot": (
        "snapshot_id",
        (
            "township_code, month, group_code, grid_code, n_households, n_residents, n_living_alone, n_left_behind,"
            " n_disabled, n_low_income, newest_on, oldest_on, taken_by"
        ),
    ),
}


def read_tasks(
    connection: Connection, *, township_code: str, since: date, until: date, known_at: datetime
) -> pd.DataFrame:
    """Return the lists of some months (first days, both inside) with their last tick by an instant, index `task_id`.

    Columns `grid_code`, `month`, `kind`, `title`, `entered_by`, `is_done`, and of the tick `ticked_by`, `note`, `ticked_at`.
    """
    tasks = read_table(
        connection,
        _TASKS,
        index="task_id",
        township_code=township_code,
        since=since,
        until=until,
        known_at=known_at,
    )
    return with_instants(tasks, "ticked_at").astype({"is_done": bool})


def read_things(connection: Connection, *, township_code: str, known_at: datetime) -> pd.DataFrame:
    """Return all practical things as known at an instant, due first, index `thing_id`.

    Columns `grid_code`, `title`, `promised_on`, `due_on`, `recorded_by`, `begun_on`, `ended_as` (`done`, `dropped`, null),
    `ended_on`, `reason`.
    """
    return read_table(connection, _THINGS, index="thing_id", township_code=township_code, known_at=known_at)


def read_conventions(connection: Connection, *, township_code: str, known_at: datetime) -> pd.DataFrame:
    """Return every count of the conventions' signatures, oldest first.

    Columns `grid_code`, `agreed_on`, `n_signed`, `n_households`, `recorded_by`, `recorded_at`.
    """
    rows = read_table(
        connection,
        "SELECT grid_code, agreed_on, n_signed, n_households, recorded_by, recorded_at FROM convention"
        " WHERE township_code = :township_code AND recorded_at <= :known_at ORDER BY recorded_at, convention_id",
        township_code=township_code,
        known_at=known_at,
    )
    return with_instants(rows, "recorded_at")


def read_opinions(connection: Connection, *, township_code: str, known_at: datetime) -> pd.DataFrame:
    """Return the opinions collected, newest first, index `incident_code`.

    Columns `grid_code`, `collected_by`, `category_name`, `text`, `happened_at`, `closed_at` (of the last closing, NaT without).
    """
    rows = read_table(
        connection,
        "SELECT opinion.incident_code, opinion.grid_code, collected_by, category.name AS category_name, incident.text,"
        " happened_at, (SELECT max(step.happened_at) FROM incident_step AS step"
        "  WHERE step.incident_code = opinion.incident_code AND step.kind = 'closed' AND step.recorded_at <= :known_at)"
        " AS closed_at FROM opinion JOIN incident USING (incident_code) JOIN category USING (category_code, list_year)"
        " WHERE opinion.township_code = :township_code AND opinion.recorded_at <= :known_at"
        " ORDER BY happened_at DESC, incident_code",
        index="incident_code",
        township_code=township_code,
        known_at=known_at,
    )
    return with_instants(rows, "happened_at", "closed_at")


def read_roster_updates(connection: Connection, *, township_code: str, known_at: datetime) -> pd.DataFrame:
    """Return when whose counts were gone through: `grid_code`, `updated_on`, `updated_by`, `note`, newest first."""
    return read_table(
        connection,
        "SELECT grid_code, updated_on, updated_by, note FROM roster_update WHERE township_code = :township_code"
        " AND recorded_at <= :known_at ORDER BY updated_on DESC, update_id DESC",
        township_code=township_code,
        known_at=known_at,
    )


def read_snapshots(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return the counts of people by month, group and grid.

    Columns `month`, `group_code`, `grid_code`, `n_households`, `n_residents`, one `n_<need>` each, `newest_on`, `oldest_on`.
    """
    return read_table(
        connection,
        "SELECT month, group_code, grid_code, n_households, n_residents, n_living_alone, n_left_behind, n_disabled,"
        " n_low_income, newest_on, oldest_on FROM people_snapshot WHERE township_code = :township_code"
        " ORDER BY month, grid_code, group_code",
        township_code=township_code,
    )


def append_row(connection: Connection, table: str, /, *, row: Mapping[str, Any], recorded_at: datetime) -> Any:
    """Append one row to a table of the lists; returns its key, None where the same row was there (`task_list`, `people_snapshot`).

    Raises
    ------
    KeyError
        If the table is none of the lists, or a column is missing.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    key, columns = _INSERTS[table]
    names = columns.split(", ")
    known = " ON CONFLICT DO NOTHING" if table in ("task_list", "people_snapshot") else ""
    statement = (
        f"INSERT INTO {table} ({columns}, recorded_at) VALUES ({', '.join(f':{name}' for name in names)}, :recorded_at)"  # noqa: S608  constants
        f"{known} RETURNING {key}"
    )
    return connection.execute(
        text(statement), {**{name: row[name] for name in names}, "recorded_at": recorded_at}
    ).scalar()
