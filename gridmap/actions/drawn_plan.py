"""A file of hand-drawn grids becomes the plan in force: units assigned, checked by the database, published."""

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from gridmap.actions.stamp import Stamp, Stored
from gridmap.errors import ConflictError, InputError
from gridmap.planning.drawn import grids_of_units
from gridmap.store.places import read_townships, read_units
from gridmap.store.plans import end_plan_in_force, plan_faults
from gridmap.store.writing import Written, write_rows
from gridmap.texts import t


def store_grids(connection: Connection, frames: Mapping[str, pd.DataFrame], stamp: Stamp) -> Stored:
    """Publish the drawn grids as the plan in force from `stamp.valid_from`; nothing when it is in force already.

    Raises
    ------
    InfeasibleError
        If the drawing does not follow the units within the tolerance.
    ConflictError
        If a plan begins on that day or later.
    InputError
        If the database refuses the plan: a gap, a household outside, a grid over the cap without an exception.
    """
    drawn = gpd.GeoDataFrame(frames["grids"]).set_index("grid_code")
    zone = next(town.metric_epsg for town in read_townships(connection) if town.code == stamp.township_code)
    units = read_units(connection, township_code=stamp.township_code)
    found = grids_of_units(units.to_crs(zone), drawn.to_crs(zone), tolerance_m=stamp.drawn_tolerance_m)
    if _is_in_force(connection, stamp, found.grid_of_unit):
        return Stored(written=Written(n_new=0, n_updated=0, n_differing=0))
    _end_plan_in_force(connection, stamp)
    _open_grids(connection, drawn, stamp)
    plan_id = _write_draft(connection, stamp)
    assigned = pd.DataFrame(
        {"plan_id": plan_id, "unit_id": found.grid_of_unit.index, "grid_code": found.grid_of_unit.to_numpy()}
    )
    write_rows(connection, "plan_unit", assigned, key=["plan_id", "unit_id"])
    allowed = drawn[drawn["exception_reason"].notna() & drawn["exception_approved_by"].notna()]
    exceptions = pd.DataFrame(
        {
            "plan_id": plan_id,
            "grid_code": allowed.index,
            "reason": allowed["exception_reason"].to_numpy(),
            "approved_by": allowed["exception_approved_by"].to_numpy(),
        }
    )
    write_rows(connection, "grid_exception", exceptions, key=["plan_id", "grid_code"])
    _publish(connection, plan_id)
    notes = tuple(
        t(
            "load.drawn_difference",
            grid=drawn.loc[code, "name"],
            offset=f"{row.offset_m:.1f}",
            area=f"{row.moved_m2:.0f}",
        )
        for code, row in found.differences.iterrows()
        if row.moved_m2 >= 1
    )
    return Stored(written=Written(n_new=len(drawn), n_updated=0, n_differing=0), notes=notes)


def _is_in_force(connection: Connection, stamp: Stamp, grid_of_unit: pd.Series) -> bool:
    rows = connection.execute(
        text(
            "SELECT unit_id, grid_code FROM plan JOIN plan_unit USING (plan_id) WHERE township_code = :township"
            " AND state = 'published' AND valid_until IS NULL"
        ),
        {"township": stamp.township_code},
    )
    return {row.unit_id: row.grid_code for row in rows} == grid_of_unit.to_dict()


def _end_plan_in_force(connection: Connection, stamp: Stamp) -> None:
    later = end_plan_in_force(connection, township_code=stamp.township_code, until=stamp.valid_from)
    if later is not None:
        raise ConflictError(t("load.error_later_plan", plan=later, day=stamp.valid_from))


def _open_grids(connection: Connection, drawn: gpd.GeoDataFrame, stamp: Stamp) -> None:
    grids = pd.DataFrame(
        {
            "grid_code": drawn.index,
            "township_code": stamp.township_code,
            "level": 3,
            "parent_code": drawn["village_code"].to_numpy(),
            "name": drawn["name"].to_numpy(),
        }
    )
    known = set(connection.execute(text("SELECT grid_code FROM grid")).scalars())
    is_fresh = ~grids["grid_code"].isin(known)
    write_rows(connection, "grid", grids[is_fresh].assign(opened_on=stamp.valid_from), key=["grid_code"])


def _write_draft(connection: Connection, stamp: Stamp) -> int:
    plan_id: int = connection.execute(
        text(
            "INSERT INTO plan (township_code, name, state, valid_from, owner, revision, household_cap)"
            " VALUES (:township, :name, 'draft', :valid_from, :owner, 0, :cap) RETURNING plan_id"
        ),
        {
            "township": stamp.township_code,
            "name": t("load.plan_name", day=stamp.valid_from.isoformat()),
            "valid_from": stamp.valid_from,
            "owner": "gridmap load",
            "cap": stamp.household_cap,
        },
    ).scalar_one()
    return plan_id


def _publish(connection: Connection, plan_id: int) -> None:
    faults = plan_faults(connection, plan_id=plan_id)
    if faults:
        raise InputError(t("load.error_faulty_plan", faults=t("load.listed").join(faults)))
    connection.execute(text("UPDATE plan SET state = 'published' WHERE plan_id = :plan_id"), {"plan_id": plan_id})
