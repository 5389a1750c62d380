"""Read and write plans: their state, units, edits, exceptions and history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from gridmap.store.reading import read_layer, read_table
from gridmap.texts import t


def read_plans(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return all plans, newest first, index `plan_id`.

    Columns `name`, `state`, `valid_from`, `valid_until`, `owner`, `revision`, `household_cap`, `based_on` (null: of itself),
    `changed_at`.
    """
    return read_table(
        connection,
        "SELECT plan.plan_id, name, state, valid_from, valid_until, owner, plan.revision, household_cap, based_on,"
        " max(done_at) AS changed_at FROM plan LEFT JOIN plan_event USING (plan_id)"
        " WHERE township_code = :township_code GROUP BY plan.plan_id ORDER BY plan.plan_id DESC",
        index="plan_id",
        township_code=township_code,
    )


def read_plan_in_force(connection: Connection, *, township_code: str, on: date) -> str | None:
    """Return the name of the plan in force on a day, with its number; None: there was none."""
    row = connection.execute(
        text(
            "SELECT plan_id, name FROM plan WHERE township_code = :township_code AND state IN ('published', 'retired')"
            " AND daterange(valid_from, valid_until) @> CAST(:on AS date)"
        ),
        {"township_code": township_code, "on": on},
    ).one_or_none()
    return None if row is None else f"{row.plan_id} · {row.name}"


@dataclass(frozen=True, kw_only=True)
class PlanKnown:
    """A plan that was in force, as far as was known at an instant; `valid_from` is its first day."""

    plan_id: int
    name: str
    valid_from: date
    household_cap: int


def read_plan_known(connection: Connection, *, township_code: str, on: date, known_at: datetime) -> PlanKnown | None:
    """Return the plan in force on a day as was known at an instant; None: there was none.

    A plan that was published later was not known, and did not yet end the one before it. One without a publication in its
    history was loaded from a file and counts as always known.
    """
    row = connection.execute(
        text(
            "WITH known AS (SELECT plan.* FROM plan WHERE township_code = :township_code"
            " AND state IN ('published', 'retired') AND NOT EXISTS (SELECT FROM plan_event"
            " WHERE plan_event.plan_id = plan.plan_id AND kind = 'published' AND done_at > :known_at))"
            " SELECT plan_id, name, valid_from, household_cap FROM known WHERE valid_from <= :on"
            " AND (valid_until IS NULL OR valid_until > :on OR EXISTS (SELECT FROM plan AS later"
            " WHERE later.township_code = :township_code AND later.valid_from = known.valid_until"
            " AND later.state IN ('published', 'retired') AND later.plan_id NOT IN (SELECT plan_id FROM known)))"
            " ORDER BY valid_from DESC LIMIT 1"
        ),
        {"township_code": township_code, "on": on, "known_at": known_at},
    ).one_or_none()
    if row is None:
        return None
    return PlanKnown(plan_id=row.plan_id, name=row.name, valid_from=row.valid_from, household_cap=row.household_cap)


def read_history(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return what was done with plans, newest first: `plan_id`, `kind`, `revision`, `done_by`, `done_at`, `note`."""
    return read_table(
        connection,
        "SELECT plan_id, kind, plan_event.revision, done_by, done_at, note FROM plan_event JOIN plan USING (plan_id)"
        " WHERE township_code = :township_code ORDER BY plan_event_id DESC",
        township_code=township_code,
    )


def read_plan_units(connection: Connection, *, plan_id: int) -> gpd.GeoDataFrame:
    """Return the units of a published plan, index `unit_code`: `group_code`, `village_code`, `grid_code`."""
    return read_layer(
        connection,
        "SELECT unit_code, group_code, village_code, grid_code, ST_AsBinary(geom) AS geom"
        " FROM plan_unit JOIN unit USING (unit_id) WHERE plan_id = :plan_id ORDER BY unit_code",
        index="unit_code",
        plan_id=plan_id,
    )


def read_edits(connection: Connection, *, plan_id: int) -> list[dict[str, Any]]:
    """Return the edits of a draft in their order, as records of `planning.edits`."""
    rows = connection.execute(
        text("SELECT edit FROM plan_edit WHERE plan_id = :plan_id ORDER BY number"), {"plan_id": plan_id}
    )
    return list(rows.scalars())


def read_exceptions(connection: Connection, *, plan_id: int) -> pd.DataFrame:
    """Return who may be over the cap, index `grid_code`: `reason`, `approved_by`, `valid_until`."""
    return read_table(
        connection,
        "SELECT grid_code, reason, approved_by, valid_until FROM grid_exception WHERE plan_id = :plan_id"
        " ORDER BY grid_code",
        index="grid_code",
        plan_id=plan_id,
    )


def read_codes(connection: Connection, *, township_code: str) -> tuple[dict[str, str], set[str]]:
    """Return the name of each grid there ever was by its code, and every unit code ever used."""
    grids = connection.execute(
        text("SELECT grid_code, name FROM grid WHERE township_code = :township_code"), {"township_code": township_code}
    )
    units = connection.execute(
        text("SELECT unit_code FROM unit WHERE township_code = :township_code"), {"township_code": township_code}
    )
    return {row.grid_code: row.name for row in grids}, set(units.scalars())


def write_draft(
    connection: Connection, *, township_code: str, name: str, owner: str, household_cap: int, based_on: int
) -> int:
    """Insert a draft without edits and return its id."""
    plan_id: int = connection.execute(
        text(
            "INSERT INTO plan (township_code, name, state, owner, revision, household_cap, based_on)"
            " VALUES (:township_code, :name, 'draft', :owner, 0, :household_cap, :based_on) RETURNING plan_id"
        ),
        {
            "township_code": township_code,
            "name": name,
            "owner": owner,
            "household_cap": household_cap,
            "based_on": based_on,
        },
    ).scalar_one()
    return plan_id


def raise_revision(connection: Connection, *, plan_id: int, revision: int) -> bool:
    """Raise the revision of a draft if it still has the one given; tell whether it had."""
    done = connection.execute(
        text(
            "UPDATE plan SET revision = revision + 1"
            " WHERE plan_id = :plan_id AND revision = :revision AND state = 'draft'"
        ),
        {"plan_id": plan_id, "revision": revision},
    )
    return bool(done.rowcount)


def replace_edits(connection: Connection, *, plan_id: int, edits: Sequence[dict[str, Any]]) -> None:
    """Write the edits of a draft in place of those it had."""
    connection.execute(text("DELETE FROM plan_edit WHERE plan_id = :plan_id"), {"plan_id": plan_id})
    if edits:
        connection.execute(
            text("INSERT INTO plan_edit (plan_id, number, edit) VALUES (:plan_id, :number, :edit)"),
            [{"plan_id": plan_id, "number": number, "edit": Jsonb(edit)} for number, edit in enumerate(edits, start=1)],
        )


def set_state(connection: Connection, *, plan_id: int, before: str, after: str, valid_from: date | None = None) -> bool:
    """Move a plan from one state to another; tell whether it was in the first."""
    done = connection.execute(
        text(
            "UPDATE plan SET state = :after, valid_from = coalesce(:valid_from, valid_from)"
            " WHERE plan_id = :plan_id AND state = :before"
        ),
        {"plan_id": plan_id, "before": before, "after": after, "valid_from": valid_from},
    )
    return bool(done.rowcount)


def write_event(
    connection: Connection, *, plan_id: int, kind: str, done_by: str, done_at: datetime, note: str = ""
) -> None:
    """Write what was done with a plan."""
    connection.execute(
        text(
            "INSERT INTO plan_event (plan_id, kind, revision, done_by, done_at, note)"
            " SELECT plan_id, :kind, revision, :done_by, :done_at, :note FROM plan WHERE plan_id = :plan_id"
        ),
        {"plan_id": plan_id, "kind": kind, "done_by": done_by, "done_at": done_at, "note": note},
    )


def end_plan_in_force(connection: Connection, *, township_code: str, until: date) -> str | None:
    """End the plan in force on a day; returns the name of one that begins on that day or later, which cannot be ended."""
    last = connection.execute(
        text(
            "SELECT plan_id, name, valid_from FROM plan WHERE township_code = :township_code"
            " AND state = 'published' AND valid_until IS NULL FOR UPDATE"
        ),
        {"township_code": township_code},
    ).one_or_none()
    if last is None:
        return None
    if last.valid_from >= until:
        return f"{last.name} ({last.valid_from})"
    connection.execute(
        text("UPDATE plan SET state = 'retired', valid_until = :until WHERE plan_id = :plan_id"),
        {"until": until, "plan_id": last.plan_id},
    )
    return None


def plan_faults(connection: Connection, *, plan_id: int, most: int = 5) -> list[str]:
    """Return what the database itself finds wrong with a plan."""
    rows = connection.execute(
        text("SELECT kind, place, measured FROM gridmap_plan_faults(:plan_id) LIMIT :most"),
        {"plan_id": plan_id, "most": most},
    )
    return [t(f"db.fault_{row.kind}", place=row.place, measured=f"{row.measured or 0:.10g}") for row in rows]
