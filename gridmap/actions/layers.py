"""How each layer's checked frames go into the database; called by `load_layer` inside its transaction."""

from collections.abc import Callable, Mapping

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from gridmap.actions.drawn_plan import store_grids
from gridmap.actions.platform import append_cases, are_orders, store_orders, store_platform_grids
from gridmap.actions.stamp import Stamp, Stored
from gridmap.analysis.clocks import Deadlines
from gridmap.codes import grid_level
from gridmap.errors import InputError
from gridmap.frames import SERVICE_NEEDS
from gridmap.store.places import read_area_ends, read_areas
from gridmap.store.writing import Written, write_rows
from gridmap.texts import t
from gridmap.workdays import work_calendar

Frames = Mapping[str, pd.DataFrame]
_LABEL_RANKS = {"township": 1, "village": 2, "group": 4}
_WATER_LABEL_RANK = 3
_LABELLED_WATER = ("river", "reservoir")
_HELD_SHARE = 0.99
_END = (
    "UPDATE area SET valid_until = greatest(CAST(:day AS date), valid_from + 1) WHERE area_code = ANY(:codes)",
    "UPDATE unit SET retired_on = :day WHERE group_code = ANY(:codes) AND retired_on IS NULL",
    "UPDATE grid SET closed_on = :day WHERE grid_code = ANY(:codes) AND closed_on IS NULL AND opened_on < :day",
)


def store_areas(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store townships, villages and groups; each group is a unit, each township and village a grid of its level.

    A village or group that the file does not name and whose land others of its level hold has ended on the first day of the
    file; so have its unit and its grid.

    Raises
    ------
    InputError
        If the file names one that has ended: codes are never used again.
    """
    areas = _stamped(frames["areas"], stamp).sort_values("area_code", key=lambda codes: codes.str.len())
    areas.geometry = _as_multi(areas.geometry)
    before = read_area_ends(connection, township_code=stamp.township_code)
    _refuse_ended(areas, before)
    notes = _end_areas(connection, areas, stamp)
    written = write_rows(connection, "area", areas, key=["area_code"])
    if len(before):
        new = {"day": stamp.valid_from, "codes": sorted(set(areas["area_code"]) - set(before.index))}
        connection.execute(text("UPDATE area SET valid_from = :day WHERE area_code = ANY(:codes)"), new)
    groups = areas[areas["level"] == "group"]
    units = gpd.GeoDataFrame(
        {
            "unit_code": groups["area_code"] + "00",
            "group_code": groups["area_code"],
            "village_code": groups["parent_code"],
            "township_code": stamp.township_code,
        },
        geometry=groups.geometry,
    )
    write_rows(connection, "unit", units, key=["unit_code"])
    upper = areas[areas["level"] != "group"]
    grids = pd.DataFrame(
        {
            "grid_code": upper["area_code"],
            "township_code": stamp.township_code,
            "level": upper["area_code"].map(grid_level),
            "parent_code": upper["parent_code"],
            "name": upper["name"],
        }
    )
    known = set(connection.execute(text("SELECT grid_code FROM grid")).scalars())
    fresh = grids[~grids["grid_code"].isin(known)].assign(opened_on=stamp.valid_from)
    write_rows(connection, "grid", fresh, key=["grid_code"])
    centres = areas.geometry.set_axis(areas["area_code"]).map(_label_point)
    _write_labels(
        connection,
        stamp,
        pd.DataFrame({"kind": areas["level"], "name": areas["name"], "rank": areas["level"].map(_LABEL_RANKS)}),
        gpd.GeoSeries(centres.to_numpy(), crs=areas.crs),
    )
    return Stored(written=written, notes=notes)


def _refuse_ended(areas: gpd.GeoDataFrame, before: pd.DataFrame) -> None:
    again = before[before["valid_until"].notna() & before.index.isin(areas["area_code"])]
    if len(again):
        first = again.iloc[0]
        raise InputError(t("load.error_area_again", name=first["name"], area=first.name, day=first["valid_until"]))


def _end_areas(connection: Connection, areas: gpd.GeoDataFrame, stamp: Stamp) -> tuple[str, ...]:
    """End the areas whose land others hold in this file; returns what a person must know."""
    ended: dict[str, str] = {}
    for level in ("village", "group"):
        others = areas[areas["level"] == level]
        standing = read_areas(connection, township_code=stamp.township_code, level=level, on=stamp.valid_from)
        missing = standing.drop(index=others["area_code"], errors="ignore")
        shapes = missing.geometry.to_numpy()
        held = shapely.area(shapely.intersection(shapes, shapely.union_all(others.geometry.to_numpy())))
        ended |= missing.loc[held > _HELD_SHARE * shapely.area(shapes), "name"].to_dict()
    if not ended:
        return ()
    for statement in _END:
        connection.execute(text(statement), {"day": stamp.valid_from, "codes": sorted(ended)})
    return (t("load.areas_ended", names=t("load.listed").join(ended.values()), day=stamp.valid_from, n=len(ended)),)


def store_households(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store households and their service-need counts."""
    households = _stamped(frames["households"], stamp)
    needs = households[["household_code", *(f"n_{need}" for need in SERVICE_NEEDS)]].melt(
        id_vars="household_code", var_name="need_code", value_name="n_people"
    )
    needs["need_code"] = needs["need_code"].str.removeprefix("n_")
    plain = households.drop(columns=[f"n_{need}" for need in SERVICE_NEEDS])
    written = write_rows(connection, "household", plain, key=["household_code"])
    gone = needs[needs["n_people"] == 0]
    connection.execute(
        text(
            "DELETE FROM household_need USING unnest(CAST(:households AS text[]), CAST(:needs AS text[]))"
            " AS gone (household_code, need_code) WHERE household_need.household_code = gone.household_code"
            " AND household_need.need_code = gone.need_code"
        ),
        {"households": gone["household_code"].tolist(), "needs": gone["need_code"].tolist()},
    )
    present = needs[needs["n_people"] > 0]
    changed = write_rows(connection, "household_need", present, key=["household_code", "need_code"])
    if changed.n_new + changed.n_updated and not written.n_new + written.n_updated:
        written = Written(n_new=0, n_updated=changed.n_new + changed.n_updated, n_differing=0)
    return Stored(written=written)


def store_paths(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store the edges of the path network."""
    paths = _stamped(frames["paths"], stamp)
    paths.geometry = _as_multi(paths.geometry)
    return Stored(written=write_rows(connection, "path", paths, key=["path_code"]))


def store_water(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store water and the names of rivers and reservoirs."""
    water = _stamped(frames["water"], stamp)
    written = write_rows(connection, "water", water, key=["water_code"])
    named = water[water["name"].notna() & water["kind"].isin(_LABELLED_WATER)].drop_duplicates("name")
    _write_labels(
        connection,
        stamp,
        pd.DataFrame({"kind": named["kind"], "name": named["name"], "rank": _WATER_LABEL_RANK}),
        gpd.GeoSeries(named.geometry.map(_label_point).to_numpy(), crs=water.crs),
    )
    return Stored(written=written)


def store_checkpoints(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store checkpoints."""
    return Stored(
        written=write_rows(connection, "checkpoint", _stamped(frames["checkpoints"], stamp), key=["checkpoint_code"])
    )


def store_staff(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store staff by account and their postings; a posting that ended is updated with its last day."""
    rows = frames["staff"]
    people = _stamped(rows[["staff_id", "name"]].drop_duplicates("staff_id"), stamp)
    written = write_rows(connection, "staff", people, key=["staff_id"])
    postings = rows[["staff_id", "grid_code", "team_code", "role", "valid_from", "valid_until"]]
    changed = write_rows(
        connection, "posting", postings, key=["staff_id", "grid_code", "team_code", "role", "valid_from"]
    )
    return Stored(written=Written(n_new=changed.n_new, n_updated=changed.n_updated + written.n_updated, n_differing=0))


def store_checkins(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Append check-ins; one that is known stays as it was recorded first."""
    checkins = _recorded(_stamped(frames["checkins"], stamp), stamp)
    written = write_rows(connection, "checkin", checkins, key=["staff_id", "happened_at", "kind"], append_only=True)
    return Stored(written=written)


def store_tracks(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Append the fixes of GPS tracks; one that is known stays as it was recorded first."""
    fixes = _recorded(_stamped(frames["tracks"], stamp), stamp)
    return Stored(
        written=write_rows(connection, "track_fix", fixes, key=["track_code", "happened_at"], append_only=True)
    )


def store_home_visits(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Append door-to-door visits; one that is known stays as it was recorded first."""
    visits = _recorded(_stamped(frames["home_visits"], stamp), stamp)
    return Stored(
        written=write_rows(connection, "home_visit", visits, key=["household_code", "happened_at"], append_only=True)
    )


def store_incidents(connection: Connection, frames: Frames, stamp: Stamp) -> Stored:
    """Store the categories and append incidents and steps; known ones stay as they were recorded first.

    An incident whose file names no time by which it is to be closed gets that of the deadlines in force.
    """
    if are_orders(frames):
        return store_orders(connection, frames, stamp)
    write_rows(connection, "category", frames["categories"], key=["category_code", "list_year"])
    incidents = _with_due(frames["incidents"].copy(), Deadlines.parsed(stamp.deadlines))
    return Stored(written=append_cases(connection, incidents, frames["incident_steps"], stamp))


def _with_due(incidents: gpd.GeoDataFrame, deadlines: Deadlines) -> gpd.GeoDataFrame:
    """Give each incident without one the time by which it is to be closed; without it nothing would ever be overdue."""
    missing = incidents["due_at"].isna()
    if not missing.any():
        return incidents
    calendar = work_calendar()
    without = incidents.loc[missing, ["urgency", "category_code", "happened_at"]]
    due = [
        calendar.add(at.to_pydatetime(), deadlines.span("close", urgency=str(urgency), category_code=str(category)))
        for urgency, category, at in without.itertuples(index=False)
    ]
    incidents.loc[missing, "due_at"] = pd.to_datetime(pd.Series(due, index=without.index), utc=True).astype(
        incidents["due_at"].dtype
    )
    return incidents


STORE: Mapping[str, Callable[[Connection, Frames, Stamp], Stored]] = {
    "areas": store_areas,
    "households": store_households,
    "paths": store_paths,
    "water": store_water,
    "grids": store_grids,
    "staff": store_staff,
    "platform_grids": store_platform_grids,
    "checkpoints": store_checkpoints,
    "checkins": store_checkins,
    "tracks": store_tracks,
    "home_visits": store_home_visits,
    "incidents": store_incidents,
}
"""What stores each layer, in an order in which each layer finds what it refers to."""


def _stamped(rows: pd.DataFrame, stamp: Stamp) -> gpd.GeoDataFrame:
    return rows.assign(township_code=stamp.township_code, import_id=stamp.import_id)


def _recorded(rows: pd.DataFrame, stamp: Stamp) -> pd.DataFrame:
    return rows.assign(recorded_at=rows["happened_at"] if stamp.trusts_source_clock else stamp.loaded_at)


def _as_multi(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return polygons as multipolygons and lines as multilines; the vertices stay."""
    multi = [shape if shape.geom_type.startswith("Multi") else _MULTI[shape.geom_type]([shape]) for shape in shapes]
    return gpd.GeoSeries(multi, index=shapes.index, crs=shapes.crs)


_MULTI = {"Polygon": shapely.MultiPolygon, "LineString": shapely.MultiLineString}


def _label_point(shape: shapely.Geometry) -> shapely.Point:
    """Return where a name stands best: the middle of the widest part of a polygon, half-way along a line."""
    if shape.geom_type.endswith("Polygon"):
        return shapely.get_point(shapely.maximum_inscribed_circle(shape), 0)
    longest = max(shapely.get_parts(shapely.line_merge(shape)), key=shapely.length)
    return shapely.line_interpolate_point(longest, 0.5, normalized=True)


def _write_labels(connection: Connection, stamp: Stamp, labels: pd.DataFrame, points: gpd.GeoSeries) -> None:
    connection.execute(
        text("DELETE FROM label WHERE township_code = :township AND kind = ANY (:kinds)"),
        {"township": stamp.township_code, "kinds": sorted(set(labels["kind"]))},
    )
    rows = gpd.GeoDataFrame(labels.reset_index(drop=True).assign(township_code=stamp.township_code), geometry=points)
    rows["label_id"] = [
        connection.execute(text("SELECT nextval('label_label_id_seq')")).scalar_one() for _ in range(len(rows))
    ]
    write_rows(connection, "label", rows, key=["label_id"])
