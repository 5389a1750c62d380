"""Which unit, given to the grid beside it, would even out most: the planner's table and what the teams carry together."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.fair.balance import moved_loads, unevenness
from gridmap.planning.draft import Draft
from gridmap.reports.ground import Ground
from gridmap.reports.plans import Board, plan_board
from gridmap.store.places import read_area_names
from gridmap.store.plans import read_plan_units, read_plans

# A unit with few incidents of its own is taken to have its grid's rate: so many incidents are dealt out by households.
_BY_HOUSEHOLDS = 10.0
_LEAST_GAIN_SHARE = 0.005


class _Move(NamedTuple):
    """A move that breaks no rule: a unit goes, and none or one comes back."""

    unit: Hashable
    back: Hashable | None
    from_grid: Hashable
    to_grid: Hashable
    n_households: float
    to_households: float


@dataclass(frozen=True, kw_only=True)
class MovedUnit:
    """What a unit would even out in the grid beside it.

    Parameters
    ----------
    unit_code, unit_name
        The unit; its name is that of its village group.
    back_name
        The unit that comes back in exchange; None: none.
    from_grid, to_grid
        Names of the grids.
    n_households
        That go along, less those that come back.
    to_households
        Of the other grid afterwards.
    from_before, from_after, to_before, to_after
        Incidents a member must expect next month.
    gain_share
        By what share the sum of squares over all members falls.
    """

    unit_code: str
    unit_name: str
    back_name: str | None
    from_grid: str
    to_grid: str
    n_households: int
    to_households: int
    from_before: float
    from_after: float
    to_before: float
    to_after: float
    gain_share: float


def moved_units(
    connection: Connection,
    ground: Ground,
    grids: pd.DataFrame,
    incidents: gpd.GeoDataFrame,
    *,
    on: date,
    barrier_slip_m: float,
    most: int,
) -> tuple[MovedUnit, ...]:
    """Find the units whose move to a neighbouring grid of their village evens out most.

    Parameters
    ----------
    connection
        Where to read the plan.
    ground
        Of the day of the plan.
    grids
        Index the grid: `name`, `forecast`, `team_size`.
    incidents
        In metres: a unit's share of its grid's load is its share of these.
    on
        The day whose plan in force is looked at.
    barrier_slip_m
        See `settings`.
    most
        So many at most, each of another unit.

    Returns
    -------
    tuple of MovedUnit
        Best first. Each leaves both grids whole and in their village, and none over the cap that was not, nor further over
        it; those that gain less than half a per cent are left out. Where no unit fits alone, one may come back for it.
    """
    township = ground.township.code
    plans = read_plans(connection, township_code=township)
    is_in_force = [
        state in {"published", "retired"} and begins is not None and begins <= on and (ends is None or on < ends)
        for state, begins, ends in zip(
            plans["state"],
            plans["valid_from"].astype(object).where(plans["valid_from"].notna(), None),
            plans["valid_until"].astype(object).where(plans["valid_until"].notna(), None),
            strict=True,
        )
    ]
    if not any(is_in_force) or grids["forecast"].isna().all():
        return ()
    plan_id = int(plans.index[is_in_force][0])
    board = plan_board(connection, township_code=township, plan_id=plan_id, barrier_slip_m=barrier_slip_m)
    moves = pd.DataFrame(_Table(board).legal_moves(), columns=list(_Move._fields))
    if moves.empty:
        return ()
    loads = _unit_loads(board, grids, incidents)
    moves["load"] = moves["unit"].map(loads) - moves["back"].map(loads).fillna(0.0)
    gained = moved_loads(grids["forecast"], grids["team_size"], moves[moves["load"] > 0])
    total = unevenness(grids["forecast"], grids["team_size"].fillna(0))
    gained = gained[gained["gain"] > _LEAST_GAIN_SHARE * total].drop_duplicates("unit").head(most)
    groups = read_area_names(connection, township_code=township, level="group")
    of_unit = read_plan_units(connection, plan_id=plan_id)["group_code"].map(groups)
    names = grids["name"].to_dict()
    return tuple(
        MovedUnit(
            unit_code=str(row["unit"]),
            unit_name=str(of_unit.get(row["unit"]) or row["unit"]),
            back_name=None if row["back"] is None else str(of_unit.get(row["back"]) or row["back"]),
            from_grid=str(names[row["from_grid"]]),
            to_grid=str(names[row["to_grid"]]),
            n_households=int(row["n_households"]),
            to_households=int(row["to_households"]),
            from_before=float(row["from_before"]),
            from_after=float(row["from_after"]),
            to_before=float(row["to_before"]),
            to_after=float(row["to_after"]),
            gain_share=float(row["gain"]) / total,
        )
        for _, row in gained.iterrows()
    )


class _Table:
    """The plan on the planner's table: every move is made, judged and undone."""

    def __init__(self, board: Board) -> None:
        self.draft = Draft(board.units, board.begun)
        self.cap = board.household_cap
        self.area = dict(zip(board.units.names, board.units.areas.tolist(), strict=True))
        self.before = {grid: self.draft.state(grid).weight for grid in self.draft.grids}
        self.members: dict[str, list[Hashable]] = {}
        for unit, grid in zip(board.units.names, board.begun, strict=True):
            self.members.setdefault(grid, []).append(unit)

    def legal_moves(self) -> Iterator[_Move]:
        """Try every unit in every grid of its village that it touches, alone and against a unit that comes back."""
        draft = self.draft
        for home, units in self.members.items():
            for unit in units:
                for grid in sorted(self.beside(unit) - {home}):
                    draft.move([unit], grid)
                    if self.keeps_the_rules(home, grid):
                        yield _Move(unit, None, home, grid, draft.unit_weight(unit), draft.state(grid).weight)
                    yield from self.exchanges(unit, home, grid)
                    draft.undo()

    def exchanges(self, unit: Hashable, home: str, grid: str) -> Iterator[_Move]:
        """Try which unit of the other grid may come back, once one has gone."""
        draft = self.draft
        for back in self.members[grid]:
            if home not in self.beside(back):
                continue
            draft.move([back], home)
            if self.keeps_the_rules(home, grid):
                goes = draft.unit_weight(unit) - draft.unit_weight(back)
                yield _Move(unit, back, home, grid, goes, draft.state(grid).weight)
            draft.undo()

    def beside(self, unit: Hashable) -> set[str]:
        """Return the grids of the same village that a unit touches."""
        others = [other for other in self.draft.neighbours(unit) if self.area[other] == self.area[unit]]
        return {str(self.draft.plan_of(other)) for other in others}

    def keeps_the_rules(self, *grids: str) -> bool:
        """Return whether grids are whole, in one village, and not over the cap, or no further over it than before."""
        return all(
            state.n_parts == 1 and state.n_areas == 1 and state.weight <= max(self.cap, self.before[grid])
            for grid, state in ((grid, self.draft.state(grid)) for grid in grids)
        )


def _unit_loads(board: Board, grids: pd.DataFrame, incidents: gpd.GeoDataFrame) -> pd.Series:
    """Deal the forecast of each grid out to its units, by their own incidents and by their households."""
    names = [str(name) for name in board.units.names]
    shapes = gpd.GeoDataFrame(geometry=board.units.shapes.to_numpy(), index=names, crs=board.units.shapes.crs)
    units = pd.DataFrame({"grid": list(board.begun), "homes": board.units.weights}, index=names)
    units["seen"] = locate(incidents, shapes).value_counts().reindex(names, fill_value=0)
    of_grid = units.groupby("grid")[["homes", "seen"]].transform("sum")
    by_homes = units["homes"] / of_grid["homes"].where(of_grid["homes"] > 0)
    loads: pd.Series = (
        units["grid"].map(grids["forecast"])
        * (units["seen"] + _BY_HOUSEHOLDS * by_homes)
        / (of_grid["seen"] + _BY_HOUSEHOLDS)
    )
    return loads
