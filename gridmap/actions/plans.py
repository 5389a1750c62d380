"""What is done with plans: branched, saved, submitted, returned, published; each in one transaction of the caller's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from gridmap.codes import VILLAGE_DIGITS
from gridmap.crs import STORED_CRS
from gridmap.errors import ConflictError, InfeasibleError, InputError
from gridmap.planning.certificate import Violation, certify
from gridmap.planning.degrees import in_stored_degrees
from gridmap.planning.draft import Draft
from gridmap.planning.edits import Edit, as_record
from gridmap.planning.standing import standing_units
from gridmap.reports.plans import Board, plan_board
from gridmap.store.plans import (
    end_plan_in_force,
    plan_faults,
    raise_revision,
    read_exceptions,
    read_plan_units,
    replace_edits,
    set_state,
    write_draft,
    write_event,
)
from gridmap.store.writing import write_rows
from gridmap.texts import t

# What a recorded exception allows.
_EXCEPTED = ("over_cap", "unit_over_cap")


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something, and when.

    Parameters
    ----------
    name
        As it will stand in the history; not blank.
    at
        The instant.
    """

    name: str
    at: datetime


class StaleDraftError(ConflictError):
    """Another planner saved first."""


def branch_plan(connection: Connection, board: Board, *, name: str, actor: Actor) -> int:
    """Make a draft that begins as a plan stands, with its edits if it is a draft itself; returns its id.

    Raises
    ------
    InputError
        If the name is blank.
    """
    if not name.strip() or not actor.name.strip():
        raise InputError(t("plan.name_missing"))
    plan_id = write_draft(
        connection,
        township_code=board.township.code,
        name=name.strip(),
        owner=actor.name,
        household_cap=board.household_cap,
        based_on=board.based_on,
    )
    replace_edits(connection, plan_id=plan_id, edits=board.records)
    allowed = board.exceptions.reset_index().assign(plan_id=plan_id)
    write_rows(connection, "grid_exception", allowed, key=["plan_id", "grid_code"])
    _write(connection, plan_id, "branched", actor, note=board.name)
    return plan_id


def save_draft(
    connection: Connection, *, plan_id: int, revision: int, edits: Sequence[Edit], actor: Actor, note: str = ""
) -> int:
    """Save the edits of a draft if nobody saved since it was opened; returns the new revision.

    Raises
    ------
    StaleDraftError
        If its revision is another one, or it is no draft any more.
    """
    if not raise_revision(connection, plan_id=plan_id, revision=revision):
        raise StaleDraftError(t("plan.stale"))
    replace_edits(connection, plan_id=plan_id, edits=[as_record(edit) for edit in edits])
    _write(connection, plan_id, "saved", actor, note=note)
    return revision + 1


def submit_plan(connection: Connection, *, plan_id: int, revision: int, actor: Actor) -> None:
    """Lay a draft before those who decide; it is edited no more.

    Raises
    ------
    StaleDraftError
        If it was saved since it was opened, or is no draft.
    """
    if not raise_revision(connection, plan_id=plan_id, revision=revision):
        raise StaleDraftError(t("plan.stale"))
    set_state(connection, plan_id=plan_id, before="draft", after="submitted")
    _write(connection, plan_id, "submitted", actor)


def return_plan(connection: Connection, *, plan_id: int, actor: Actor, note: str) -> None:
    """Give a submitted plan back to its planner.

    Raises
    ------
    ConflictError
        If it is not submitted.
    """
    if not set_state(connection, plan_id=plan_id, before="submitted", after="draft"):
        raise ConflictError(t("plan.not_submitted"))
    _write(connection, plan_id, "returned", actor, note=note)


def allow_exception(
    connection: Connection, board: Board, *, grid_code: str, reason: str, valid_until: date | None, actor: Actor
) -> None:
    """Record that a grid of a plan may hold more households than the cap; a grid that the plan opens is opened for it.

    Raises
    ------
    InputError
        If the reason or the name is blank.
    """
    if not reason.strip() or not actor.name.strip():
        raise InputError(t("plan.exception_incomplete"))
    _open_grids(connection, board, {grid_code: board.grid_name(grid_code)}, actor.at.date())
    row = {
        "plan_id": board.plan_id,
        "grid_code": grid_code,
        "reason": reason.strip(),
        "approved_by": actor.name.strip(),
        "valid_until": valid_until,
    }
    write_rows(connection, "grid_exception", pd.DataFrame([row]), key=["plan_id", "grid_code"])


def publish_plan(
    connection: Connection, *, township_code: str, plan_id: int, valid_from: date, barrier_slip_m: float, actor: Actor
) -> None:
    """Put a submitted plan in force from a day: judged, written out as units, and the plan before it ended.

    Raises
    ------
    ConflictError
        If it is not submitted, was begun from a plan that is no longer the one in force, or a plan begins on that day or later.
    InfeasibleError
        If it breaks a rule without a recorded exception; `reason` holds the `violations`.
    InputError
        If the database refuses it.
    """
    connection.execute(text("SELECT 1 FROM plan WHERE plan_id = :plan_id FOR UPDATE"), {"plan_id": plan_id})
    board = plan_board(connection, township_code=township_code, plan_id=plan_id, barrier_slip_m=barrier_slip_m)
    if board.state != "submitted":
        raise ConflictError(t("plan.not_submitted"))
    _require_base_in_force(connection, board)
    draft = board.draft()
    breaches = _breaches(connection, board, draft, valid_from=valid_from)
    if breaches:
        raise InfeasibleError(t("plan.breaks_rules", n=len(breaches)), reason={"violations": breaches})
    _write_units(connection, board, draft, valid_from)
    _write_grids(connection, board, draft, valid_from)
    _write_assignment(connection, board, draft)
    later = end_plan_in_force(connection, township_code=township_code, until=valid_from)
    if later is not None:
        raise ConflictError(t("plan.later_plan", plan=later, day=valid_from))
    faults = plan_faults(connection, plan_id=plan_id)
    if faults:
        raise InputError(t("plan.database_refuses", faults="; ".join(faults)))
    try:
        set_state(connection, plan_id=plan_id, before="submitted", after="published", valid_from=valid_from)
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except IntegrityError as error:
        raise InputError(t("plan.database_refuses", faults=str(error.orig).splitlines()[0])) from error
    _write(connection, plan_id, "published", actor, note=valid_from.isoformat())


def _write(connection: Connection, plan_id: int, kind: str, actor: Actor, *, note: str = "") -> None:
    write_event(connection, plan_id=plan_id, kind=kind, done_by=actor.name, done_at=actor.at, note=note)


def _require_base_in_force(connection: Connection, board: Board) -> None:
    """Refuse a plan begun from one that is no longer in force: its units may have been cut meanwhile."""
    last = connection.execute(
        text(
            "SELECT plan_id FROM plan WHERE township_code = :township_code AND state = 'published'"
            " AND valid_until IS NULL"
        ),
        {"township_code": board.township.code},
    ).scalar()
    if last is not None and last != board.based_on:
        raise ConflictError(t("plan.base_is_old"))


def _breaches(connection: Connection, board: Board, draft: Draft, *, valid_from: date) -> list[Violation]:
    """Return the breaches that no exception, still valid on the first day, allows."""
    units, grids = standing_units(draft, board.units)
    allowed = read_exceptions(connection, plan_id=board.plan_id)
    valid = {
        str(code)
        for code, until in allowed["valid_until"].items()
        if until is None or pd.isna(until) or until >= valid_from
    }
    found = certify(units, grids, cap=board.household_cap).violations
    return [one for one in found if not (one.kind in _EXCEPTED and str(one.grid) in valid)]


def _write_units(connection: Connection, board: Board, draft: Draft, valid_from: date) -> None:
    """Retire the units that were cut, write their pieces, and set corners into the outlines of those beside them."""
    begun, stands = set(board.units.names), draft.plan
    cut = sorted(str(code) for code in begun - stands.keys())
    if not cut:
        return
    before = dict(zip(board.units.names, board.units.shapes, strict=True))
    fresh = {str(code): draft.shape(code) for code in stands if code not in begun}
    changed = {
        str(code): draft.shape(code)
        for code in stands
        if code in begun and not shapely.equals_exact(draft.shape(code), before[code])
    }
    base = read_plan_units(connection, plan_id=board.based_on)
    shapes = in_stored_degrees({**fresh, **changed}, base.geometry, metric_epsg=board.township.metric_epsg)
    connection.execute(
        text("UPDATE unit SET retired_on = :day WHERE unit_code = ANY(:codes)"), {"day": valid_from, "codes": cut}
    )
    pieces = gpd.GeoDataFrame(
        {
            "unit_code": list(fresh),
            "group_code": [code[:14] for code in fresh],
            "village_code": [code[:VILLAGE_DIGITS] for code in fresh],
            "township_code": board.township.code,
        },
        geometry=[shapes[code] for code in fresh],
        crs=STORED_CRS,
    )
    write_rows(connection, "unit", pieces, key=["unit_code"])
    for code in changed:
        connection.execute(
            text("UPDATE unit SET geom = ST_GeomFromWKB(:geom, ST_SRID(geom)) WHERE unit_code = :code"),
            {"geom": shapely.to_wkb(shapes[code]), "code": code},
        )


def _write_grids(connection: Connection, board: Board, draft: Draft, valid_from: date) -> None:
    """Open new grids and close those that are left without units."""
    held = {str(grid) for grid in draft.plan.values() if grid is not None}
    names = {code: draft.label(code) or board.grid_name(code) for code in sorted(held)}
    _open_grids(connection, board, names, valid_from)
    connection.execute(
        text(
            "UPDATE grid SET closed_on = :day WHERE grid_code = ANY(:codes) AND closed_on IS NULL AND opened_on < :day"
        ),
        {"day": valid_from, "codes": sorted(set(board.begun) - held)},
    )


def _open_grids(connection: Connection, board: Board, names: dict[str, str], opened_on: date) -> None:
    new = sorted(names.keys() - board.grid_names.keys())
    called_anew = sorted(code for code in names if names[code] != board.grid_names.get(code, names[code]))
    connection.execute(
        text(
            "UPDATE grid SET name = given.name FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]))"
            " AS given (grid_code, name) WHERE grid.grid_code = given.grid_code"
        ),
        {"codes": called_anew, "names": [names[code] for code in called_anew]},
    )
    rows = pd.DataFrame(
        {
            "grid_code": new,
            "township_code": board.township.code,
            "level": 3,
            "parent_code": [code[:VILLAGE_DIGITS] for code in new],
            "name": [names[code] for code in new],
            "opened_on": opened_on,
        }
    )
    write_rows(connection, "grid", rows, key=["grid_code"])


def _write_assignment(connection: Connection, board: Board, draft: Draft) -> None:
    plan = {str(unit): str(grid) for unit, grid in draft.plan.items()}
    connection.execute(
        text(
            "INSERT INTO plan_unit (plan_id, unit_id, grid_code)"
            " SELECT :plan_id, unit_id, given.grid_code"
            " FROM unnest(CAST(:units AS text[]), CAST(:grids AS text[])) AS given (unit_code, grid_code)"
            " JOIN unit USING (unit_code)"
        ),
        {"plan_id": board.plan_id, "units": list(plan), "grids": list(plan.values())},
    )
