"""The township as it stands: counts, the load of its grids, and names for the map."""

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.households import grid_load
from gridmap.errors import InputError
from gridmap.reports.figures import Figure, count, depends_on
from gridmap.store.places import (
    Township,
    read_checkpoints,
    read_grids,
    read_households,
    read_labels,
    read_townships,
)
from gridmap.texts import t

_MAP_NAMES = ("village", "river", "reservoir")


@dataclass(frozen=True, kw_only=True, eq=False)
class MapName:
    """A name on the map: `kind` is `village`, `river` or `reservoir`."""

    kind: str
    name: str
    longitude: float
    latitude: float


@dataclass(frozen=True, kw_only=True, eq=False)
class GridLoad:
    """Households of one grid against the cap."""

    grid_code: str
    name: str
    n_households: int
    cap_share: float
    has_exception: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class TownshipReport:
    """The township as it stands: counts, names, load of its grids (fullest first)."""

    name: str
    bounds: tuple[float, float, float, float]
    n_grids: Figure
    n_households: Figure
    n_residents: Figure
    household_cap: int
    loads: tuple[GridLoad, ...]
    names: tuple[MapName, ...]


def find_township(connection: Connection, *, township_code: str) -> Township:
    """Return one township of the database.

    Raises
    ------
    InputError
        If the database does not hold it.
    """
    for town in read_townships(connection):
        if town.code == township_code:
            return town
    raise InputError(t("load.error_unknown_township", township=township_code))


def read_standing_checkpoints(connection: Connection, *, township_code: str) -> gpd.GeoDataFrame:
    """Return the checkpoints with a closing day each: the end of all days where none is set, so that days compare."""
    checkpoints = read_checkpoints(connection, township_code=township_code)
    closed_on = checkpoints["closed_on"].astype(object)
    return checkpoints.assign(closed_on=closed_on.where(closed_on.notna(), date.max))


def open_on(checkpoints: gpd.GeoDataFrame, day: date) -> pd.Series:
    """Return which of the standing checkpoints are open on a day."""
    is_open: pd.Series = (checkpoints["opened_on"] <= day) & (checkpoints["closed_on"] > day)
    return is_open


@depends_on("places", "households", "base_map")
def township_report(
    connection: Connection, *, township_code: str, on: date, household_cap: int, near_cap_share: float
) -> TownshipReport:
    """Return the township as it stands on a day.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    on
        The day whose plan in force counts.
    household_cap
        Used where the plan in force names no cap of its own.
    near_cap_share
        Share of the cap from which a grid is near it.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    town = find_township(connection, township_code=township_code)
    grids = read_grids(connection, township_code=township_code, on=on)
    households = read_households(connection, township_code=township_code)
    cap = int(grids["household_cap"].iloc[0]) if len(grids) else household_cap
    return TownshipReport(
        name=town.name,
        bounds=town.bounds,
        n_grids=count(len(grids) or None, unit="unit.grids", formula_key="live.formula_grids"),
        n_households=count(len(households) or None, unit="unit.households", formula_key="live.formula_households"),
        n_residents=count(
            int(households["n_residents"].sum()) if len(households) else None,
            unit="unit.residents",
            formula_key="live.formula_residents",
        ),
        household_cap=cap,
        loads=_loads(town, grids, households, cap=cap, near_cap_share=near_cap_share),
        names=_names(connection, township_code),
    )


def _loads(
    town: Township, grids: gpd.GeoDataFrame, households: gpd.GeoDataFrame, *, cap: int, near_cap_share: float
) -> tuple[GridLoad, ...]:
    if grids.empty or households.empty:  # without homes the load is unknown, not 0
        return ()
    load = grid_load(
        households.to_crs(town.metric_epsg),
        grids.to_crs(town.metric_epsg),
        household_cap=cap,
        near_cap_share=near_cap_share,
    )
    rows = load.join(grids[["name", "exception_reason"]]).sort_values("cap_share", ascending=False, kind="stable")
    return tuple(
        GridLoad(
            grid_code=str(code),
            name=str(row["name"]),
            n_households=int(row["n_households"]),
            cap_share=float(row["cap_share"]),
            has_exception=isinstance(row["exception_reason"], str),
        )
        for code, row in rows.iterrows()
    )


def _names(connection: Connection, township_code: str) -> tuple[MapName, ...]:
    labels = read_labels(connection, township_code=township_code)
    return tuple(
        MapName(kind=label["kind"], name=label["name"], longitude=label.geometry.x, latitude=label.geometry.y)
        for _, label in labels[labels["kind"].isin(_MAP_NAMES)].iterrows()
    )
