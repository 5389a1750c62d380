"""Plans: which there are, what was done with them, and one opened as a board that a planner edits."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.codes import VILLAGE_DIGITS
from gridmap.errors import InputError
from gridmap.planning.draft import Draft
from gridmap.planning.edits import from_record
from gridmap.planning.neighbours import Barriers
from gridmap.planning.units import Units, make_units
from gridmap.reports.figures import depends_on
from gridmap.reports.township import find_township
from gridmap.store.places import Township, read_area_names, read_households, read_paths, read_water
from gridmap.store.plans import (
    read_codes,
    read_edits,
    read_exceptions,
    read_history,
    read_plan_units,
    read_plans,
)
from gridmap.texts import t

# A canal or a pond is stepped over; a river needs a bridge.
_WALLS = ("river",)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlansReport:
    """All plans of a township.

    Parameters
    ----------
    plans
        Newest first, index `plan_id`; see `store.plans.read_plans`.
    history
        Newest first; see `store.plans.read_history`.
    """

    plans: pd.DataFrame
    history: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Board:
    """One plan, laid out to be edited.

    Parameters
    ----------
    plan_id, name, state, owner, revision, household_cap, based_on
        As stored; `based_on` is the plan that the edits begin from, itself when it is no draft.
    township
        Whose plan it is.
    units
        The units of that plan, named by their code, in metres; areas are villages.
    begun
        Grid of each unit before any edit.
    records
        The saved edits.
    homes
        A point each, index the household, with `unit_code`.
    grid_names
        Name of each grid that ever was.
    used_units
        Every unit code ever used.
    village_names
        By code.
    exceptions
        Index `grid_code`; see `store.plans.read_exceptions`.
    """

    plan_id: int
    name: str
    state: str
    owner: str
    revision: int
    household_cap: int
    based_on: int
    township: Township
    units: Units
    begun: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    homes: gpd.GeoDataFrame
    grid_names: dict[str, str]
    used_units: frozenset[str]
    village_names: dict[str, str]
    exceptions: pd.DataFrame

    def draft(self) -> Draft:
        """Return the plan as it is saved, open to edits."""
        draft = Draft(self.units, self.begun)
        draft.replay([from_record(record) for record in self.records])
        return draft

    def grid_name(self, code: str) -> str:
        """Return the name of a grid; of a new one its village and its number."""
        known = self.grid_names.get(code)
        village = self.village_names.get(code[:VILLAGE_DIGITS], code[:VILLAGE_DIGITS])
        return known or t("plan.new_grid_name", village=village, number=int(code[VILLAGE_DIGITS:] or 0))

    @cached_property
    def homes_of(self) -> dict[str, list[tuple[shapely.Point, float]]]:
        """Place and weight of the households of each unit."""
        found: dict[str, list[tuple[shapely.Point, float]]] = {}
        for unit, place in zip(self.homes["unit_code"], self.homes.geometry, strict=True):
            found.setdefault(str(unit), []).append((place, 1.0))
        return found


@depends_on("plans", "places")
def plans_report(connection: Connection, *, township_code: str) -> PlansReport:
    """Return all plans and their history."""
    return PlansReport(
        plans=read_plans(connection, township_code=township_code),
        history=read_history(connection, township_code=township_code),
    )


@depends_on("plans", "places", "households", "base_map")
def plan_board(connection: Connection, *, township_code: str, plan_id: int, barrier_slip_m: float) -> Board:
    """Open a plan.

    Raises
    ------
    InputError
        If there is no such plan in the township.
    """
    township = find_township(connection, township_code=township_code)
    plans = read_plans(connection, township_code=township_code)
    if plan_id not in plans.index:
        raise InputError(t("plan.no_plan", plan=plan_id))
    plan: dict[Any, Any] = plans.loc[plan_id].to_dict()
    based_on = plan_id if pd.isna(plan["based_on"]) else int(plan["based_on"])
    zone = township.metric_epsg
    frame = read_plan_units(connection, plan_id=based_on).to_crs(zone)
    households = read_households(connection, township_code=township_code).to_crs(zone)[["geometry"]]
    homes = households.assign(unit_code=locate(households, frame)).dropna(subset=["unit_code"])
    weights = homes["unit_code"].value_counts().reindex(frame.index, fill_value=0)
    barriers = _barriers(connection, township, slip_m=barrier_slip_m)
    units = make_units(
        frame.assign(n_households=weights), weight="n_households", within="village_code", barriers=barriers
    )
    villages = read_area_names(connection, township_code=township_code, level="village")
    grid_names, used_units = read_codes(connection, township_code=township_code)
    return Board(
        plan_id=plan_id,
        name=str(plan["name"]),
        state=str(plan["state"]),
        owner=str(plan["owner"]),
        revision=int(plan["revision"]),
        household_cap=int(plan["household_cap"]),
        based_on=based_on,
        township=township,
        units=units,
        begun=tuple(frame["grid_code"].astype(str)),
        records=tuple(read_edits(connection, plan_id=plan_id)),
        homes=homes,
        grid_names=grid_names,
        used_units=frozenset(used_units),
        village_names={str(code): str(name) for code, name in villages.items()},
        exceptions=read_exceptions(connection, plan_id=plan_id),
    )


def _barriers(connection: Connection, township: Township, *, slip_m: float) -> Barriers:
    """Return rivers, and the bridges of the path network over them."""
    water = read_water(connection, township_code=township.code).to_crs(township.metric_epsg)
    paths = read_paths(connection, township_code=township.code).to_crs(township.metric_epsg)
    bridges = paths.geometry[paths["is_bridge"].astype(bool)].explode(index_parts=False)
    return Barriers(walls=water.geometry[water["kind"].isin(_WALLS)], bridges=bridges, slip_m=slip_m)


@depends_on("base_map")
def water_shapes(connection: Connection, *, township_code: str) -> gpd.GeoSeries:
    """Return all water, in metres."""
    township = find_township(connection, township_code=township_code)
    return read_water(connection, township_code=township_code).to_crs(township.metric_epsg).geometry
