"""Where something lies that comes in: its township, grid and village, and what was reported near it before."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.actions.arrivals import NotAccepted, Position, local_day, plain
from gridmap.analysis.counting import grids_of
from gridmap.analysis.duplicates import likely_duplicates
from gridmap.codes import VILLAGE_DIGITS
from gridmap.crs import STORED_CRS
from gridmap.settings import settings
from gridmap.store.intake import (
    Ground,
    read_grid_names,
    read_ground,
    read_possible_duplicates,
    read_township_at,
)
from gridmap.store.places import read_area_names, read_grids, read_townships
from gridmap.texts import t

_MOST_DUPLICATES = 5


@dataclass(frozen=True, kw_only=True)
class Named:
    """How a report says where it is, beside or instead of a position; None: not said."""

    grid_code: str | None = None
    grid_name: str | None = None
    village: str | None = None


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where something lies.

    Parameters
    ----------
    point
        In EPSG:4490; None without a position.
    ground
        Grid and village that answer for it.
    named_grid_code, named_village_code
        What was named, checked; None: nothing.
    warnings
        Sentences for the sender.
    """

    point: shapely.Point | None
    ground: Ground
    named_grid_code: str | None
    named_village_code: str | None
    warnings: tuple[str, ...]


def township_of_report(
    connection: Connection, *, asked: str | None, person: str | None, point: shapely.Point | None, named: Named
) -> str:
    """Return the township that a report is for: as asked, of the person, of the place, of the named grid, or the only one.

    Raises
    ------
    NotAccepted
        If it cannot be told, or there is no such township.
    """
    known = {town.code: town.name for town in read_townships(connection)}
    code = asked or person
    if code is None and point is not None:
        code = read_township_at(connection, lng=point.x, lat=point.y)
    if code is None and named.grid_code is not None:
        code = next((one for one in known if named.grid_code.startswith(one)), None)
    if code is None and len(known) == 1:
        code = next(iter(known))
    if code not in known:
        raise NotAccepted("unknown_township", t("intake.error_township"), field="township_code", choices=known)
    return code


def placed(
    connection: Connection,
    *,
    township_code: str,
    on: date,
    position: Position | None,
    point: shapely.Point | None,
    named: Named,
    has_place_text: bool,
) -> Placed:
    """Find the grid of something: by its place in the plan in force, else by the grid or village that was named.

    A place outside every grid is taken for the township: the sender is told which grid is nearest and how far; nothing is
    moved into it. Where a grid was named beside such a place, that one answers for it.

    Raises
    ------
    NotAccepted
        If nothing says where it is, or a named grid or village is not of the plan in force or not one only.
    """
    ground, village_code = _named_ground(connection, township_code=township_code, on=on, named=named)
    if point is None:
        if ground.village_code is None and not has_place_text:
            raise NotAccepted("no_place", t("intake.error_no_place"), field="position")
        told = () if ground.grid_code else (t("intake.warn_no_grid"),)
        return Placed(
            point=None,
            ground=ground,
            named_grid_code=ground.grid_code,
            named_village_code=village_code,
            warnings=told,
        )
    where = {"township_code": township_code, "on": on, "lng": point.x, "lat": point.y}
    at = read_ground(connection, **where)
    warnings = []
    if at is not None:
        if ground.grid_code not in (None, at[0].grid_code):
            warnings.append(t("intake.warn_other_grid", named=ground.grid_name, grid=at[0].grid_name))
        found = at[0]
    else:
        found = ground
        near = read_ground(connection, **where, nearest=True)
        if near is not None:
            words = {"grid": near[0].grid_name, "metres": f"{near[1]:.0f}"}
            key = "warn_outside_named" if ground.grid_code else "warn_outside"
            warnings.append(t(f"intake.{key}", named=ground.grid_name, **words))
        else:
            warnings.append(t("intake.warn_no_plan"))
    if position is not None and position.accuracy_m is not None and position.accuracy_m > settings().duplicate_m:
        warnings.append(t("intake.warn_inaccurate", metres=f"{position.accuracy_m:.0f}"))
    return Placed(
        point=point,
        ground=found,
        named_grid_code=ground.grid_code,
        named_village_code=found.village_code or village_code,
        warnings=tuple(warnings),
    )


def _named_ground(connection: Connection, *, township_code: str, on: date, named: Named) -> tuple[Ground, str | None]:
    """Return the grid and village that are named, and the village's code."""
    if named.grid_code is None and named.grid_name is None and named.village is None:
        return Ground(), None
    grids = read_grid_names(connection, township_code=township_code, on=on)
    village = _village(connection, township_code=township_code, written=named.village)
    code = (named.grid_code or "").strip()
    if code == township_code:
        return village, village.village_code
    if len(code) == VILLAGE_DIGITS and code.isascii() and code.isdigit():
        village = _village(connection, township_code=township_code, written=code)
        code = ""
    fitting = [grid for grid in grids if village.village_code in (None, grid.village_code)]
    if code:
        fitting = [grid for grid in fitting if grid.grid_code == code]
    if named.grid_name is not None:
        wanted = plain(named.grid_name)
        names = [({plain(one.grid_name), plain(f"{one.village_name}{one.grid_name}")}, one) for one in fitting]
        fitting = [one for known, one in names if wanted in known]
    if not code and named.grid_name is None:
        # Only the village is named: where it is one grid, that is the grid.
        return (fitting[0] if len(fitting) == 1 else village), village.village_code
    if len(fitting) != 1:
        shown = [
            {"grid_code": one.grid_code, "grid_name": one.grid_name, "village": one.village_name}
            for one in fitting or grids
        ]
        asked = code or named.grid_name
        key = "error_grid_ambiguous" if fitting else "error_grid"
        raise NotAccepted("unknown_grid", t(f"intake.{key}", grid=str(asked)[:40]), field="grid_code", choices=shown)
    return fitting[0], fitting[0].village_code


def _village(connection: Connection, *, township_code: str, written: str | None) -> Ground:
    if written is None or not written.strip():
        return Ground()
    names = read_area_names(connection, township_code=township_code, level="village")
    wanted = plain(written)
    found = [(str(code), str(name)) for code, name in names.items() if wanted in (code, plain(str(name)))]
    if len(found) != 1:
        choices = {str(code): str(name) for code, name in names.items()}
        raise NotAccepted(
            "unknown_village", t("intake.error_village", village=written[:40]), field="village", choices=choices
        )
    return Ground(village_code=found[0][0], village_name=found[0][1])


def look_alikes(
    connection: Connection,
    *,
    township_code: str,
    category: "pd.Series[Any]",
    happened_at: datetime,
    now: datetime,
    where: Placed,
    hides_private: bool,
) -> list[dict[str, Any]]:
    """Return likely duplicates as the answer tells them: number, metres (None without places), hours apart, category.

    A resident is told nothing of matters that are private (`hides_private`).
    """
    metric = next(town.metric_epsg for town in read_townships(connection) if town.code == township_code)
    hours = settings().duplicate_hours
    others = read_possible_duplicates(
        connection, township_code=township_code, happened_at=happened_at, within=timedelta(hours=hours)
    )
    others = others[
        others["category_code"].eq(category["category_code"]) | others["category_name"].eq(category["name"])
    ]
    if hides_private:
        others = others[~others["is_private"].astype(bool)]
    if others.empty:
        return []
    points = gpd.GeoDataFrame(others).to_crs(metric)
    point = None
    if where.point is not None:
        point = gpd.GeoSeries([where.point], crs=STORED_CRS).to_crs(metric).iloc[0]
    if point is None or points.geometry.isna().any():
        grids = read_grids(connection, township_code=township_code, on=local_day(now)).to_crs(metric)
        points = points.assign(grid_code=grids_of(points, grids))
    found = likely_duplicates(
        points.assign(grid_code=points.get("grid_code", None)),
        category_code=str(category["category_code"]),
        category_name=str(category["name"]),
        happened_at=happened_at,
        point=point,
        grid_code=where.ground.grid_code,
        within_m=settings().duplicate_m,
        within_hours=hours,
        most=_MOST_DUPLICATES,
    )
    return [
        {
            "number": str(number),
            "distance_m": None if pd.isna(row["distance_m"]) else round(float(row["distance_m"])),
            "hours": round(float(row["hours"]), 1),
            "category": str(row["category_name"]),
        }
        for number, row in found.iterrows()
    ]
