"""How what comes from the work platform goes into the database: orders become incidents, its grids find ours."""

from collections.abc import Hashable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.actions.stamp import Stamp, Stored
from gridmap.analysis.clocks import Deadlines
from gridmap.analysis.grid_names import match_grids, team_differences
from gridmap.codes import grid_level, plain_name
from gridmap.errors import InputError
from gridmap.ingest.columns import read_mapping
from gridmap.ingest.context import KnownPosting, ListedCategory
from gridmap.ingest.layers.orders import PLATFORM_COLUMNS
from gridmap.settings import settings
from gridmap.store.categories import read_listed_categories
from gridmap.store.people import read_all_postings, read_postings
from gridmap.store.places import read_grids
from gridmap.store.work_platform import read_known_incidents, read_open_grids, read_platform_grids
from gridmap.store.writing import Written, write_rows
from gridmap.texts import t
from gridmap.workdays import work_calendar

_LEVELS = {1: "township", 2: "village"}
_SHOWN = 10


def platform_knowledge(connection: Connection, *, township_code: str) -> dict[str, Any]:
    """Return what orders are checked against: fields of `TownshipContext` that only they need.

    Raises
    ------
    InputError
        If the file of the setting `wecom_cases_file` cannot be read.
    """
    named = settings().wecom_cases_file
    cases = read_mapping(Path(named).expanduser()) if named else {}
    categories = read_listed_categories(connection)
    postings: dict[str, list[KnownPosting]] = {}
    for row in read_all_postings(connection, township_code=township_code).to_dict("records"):
        level = _level(row["grid_code"], str(row["role"]))
        posting = KnownPosting(level=level, valid_from=row["valid_from"], valid_until=row["valid_until"])
        postings.setdefault(str(row["staff_id"]), []).append(posting)
    platform = read_platform_grids(connection, township_code=township_code)["grid_code"].dropna()
    names = read_open_grids(connection, township_code=township_code)["name"].map(plain_name)
    unique = names[~names.duplicated(keep=False)]
    return {
        "categories": tuple(
            ListedCategory(
                code=row["category_code"],
                list_year=row["list_year"],
                name=plain_name(row["name"]),
                valid_from=row["valid_from"],
                valid_until=row["valid_until"],
            )
            for row in categories.to_dict("records")
        ),
        "case_codes": {plain_name(name): code for name, code in cases.items()},
        "postings": {account: tuple(known) for account, known in postings.items()},
        "platform_grids": platform.to_dict(),
        "grids_by_name": {name: str(code) for code, name in unique.items()},
    }


def _level(grid_code: object, role: str) -> str:
    """Return the level at which somebody of a posting acts; a township team acts for the township."""
    if not isinstance(grid_code, str):
        return "township"
    return _LEVELS.get(grid_level(grid_code), "grid" if role == "chief" else "member")


def are_orders(frames: Mapping[str, pd.DataFrame]) -> bool:
    """Tell whether frames of the layer `incidents` were read from orders of the work platform."""
    return "order_id" in frames["incidents"]


def store_orders(connection: Connection, frames: Mapping[str, pd.DataFrame], stamp: Stamp) -> Stored:
    """Append orders as incidents with their due times, their steps, and beside them what only the platform knows.

    An order that is known keeps what was recorded first; only the steps that are new are appended.
    """
    orders = frames["incidents"]
    known = read_known_incidents(connection, incident_codes=orders["incident_code"].tolist())
    is_new = ~orders["incident_code"].isin(known.index)
    incidents = orders.drop(columns=list(PLATFORM_COLUMNS))
    # What we made of an order stays as it was, also when a deadline or the name of a grid has changed since.
    kept = known.to_dict("index")
    rows = [
        kept.get(row["incident_code"])
        or {"due_at": _due_at(row), "village_code": row["village_code"], "grid_code": named}
        for row, named in zip(incidents.to_dict("records"), _named_grids(orders), strict=True)
    ]
    for name in ("due_at", "village_code", "grid_code"):
        incidents[name] = pd.Series([row[name] for row in rows], index=incidents.index, dtype=object)
    if not stamp.trusts_source_clock:
        incidents["recorded_at"] = incidents["happened_at"].map(lambda at: max(at, pd.Timestamp(stamp.loaded_at)))
    written = append_cases(connection, incidents, frames["incident_steps"], stamp)
    beside = orders.loc[is_new, ["incident_code", *PLATFORM_COLUMNS]]
    by_place = _grids_of_places(connection, incidents.loc[is_new], stamp)
    beside = beside.assign(
        grid_code=by_place.where(by_place.notna(), beside["platform_grid_code"]),
        township_code=stamp.township_code,
        import_id=stamp.import_id,
    )
    write_rows(
        connection,
        "work_platform_order",
        beside.drop(columns="platform_grid_code"),
        key=["order_id"],
        append_only=True,
    )
    return Stored(written=written)


def _named_grids(orders: pd.DataFrame) -> list[str | None]:
    """Return the grid that each order names, where it says no place; a place finds its grid by itself."""
    named = zip(orders["platform_grid_code"], orders["geometry"], strict=True)
    return [code if isinstance(code, str) and point is None else None for code, point in named]


def append_cases(connection: Connection, incidents: pd.DataFrame, steps: pd.DataFrame, stamp: Stamp) -> Written:
    """Append incidents and steps; known ones stay as they were recorded first. Returns the rows of both together."""
    stamped = incidents.assign(township_code=stamp.township_code, import_id=stamp.import_id)
    written = write_rows(connection, "incident", stamped, key=["incident_code"], append_only=True)
    recorded_at = steps["happened_at"] if stamp.trusts_source_clock else stamp.loaded_at
    steps_written = write_rows(
        connection,
        "incident_step",
        steps.assign(import_id=stamp.import_id, recorded_at=recorded_at),
        key=["incident_code", "kind", "happened_at"],
        append_only=True,
    )
    return Written(
        n_new=written.n_new + steps_written.n_new,
        n_updated=0,
        n_differing=written.n_differing + steps_written.n_differing,
    )


def _due_at(incident: Mapping[Hashable, Any]) -> datetime | None:
    """Return by when an order is to be closed; None where its time lies outside the calendar."""
    span = Deadlines.parsed(settings().deadlines).span(
        "close", urgency=str(incident["urgency"]), category_code=str(incident["category_code"])
    )
    try:
        return work_calendar().add(incident["happened_at"].to_pydatetime(), span)
    except InputError:
        return None


def _grids_of_places(connection: Connection, incidents: pd.DataFrame, stamp: Stamp) -> pd.Series:
    """Return the area grid that covers each incident's point today, None without one."""
    today = stamp.loaded_at.astimezone(settings().zone).date()
    grids = read_grids(connection, township_code=stamp.township_code, on=today)
    if grids.empty or incidents.empty:
        return pd.Series(None, index=incidents.index, dtype=object)
    points = gpd.GeoDataFrame(incidents[["incident_code"]], geometry=gpd.GeoSeries(incidents.geometry))
    found: pd.Series = points.sjoin(grids[["geometry"]], how="left", predicate="intersects")["grid_code"]
    first: pd.Series = found[~found.index.duplicated()].astype(object)
    return first


def store_platform_grids(connection: Connection, frames: Mapping[str, pd.DataFrame], stamp: Stamp) -> Stored:
    """Store the platform's grids with the grid of ours that each is, by name; tell what fits none and how teams differ.

    Nothing of ours is renamed and nobody is posted anew: differences are told, people decide.
    """
    theirs = frames["platform_grids"]
    ours = read_open_grids(connection, township_code=stamp.township_code)
    codes = match_grids(theirs.set_index("grid_id"), ours)
    rows = theirs.assign(
        grid_code=codes.to_numpy(), township_code=stamp.township_code, import_id=stamp.import_id
    ).astype({"grid_code": object})
    written = write_rows(connection, "work_platform_grid", rows, key=["grid_id"])
    postings = read_postings(connection, township_code=stamp.township_code, on=stamp.valid_from)
    return Stored(written=written, notes=(*_unmatched(rows, ours), *_team_notes(rows, ours, postings)))


def _unmatched(theirs: pd.DataFrame, ours: pd.DataFrame) -> list[str]:
    without = theirs.loc[theirs["grid_code"].isna(), "name"].tolist()
    missing = ours.loc[~ours.index.isin(theirs["grid_code"].dropna()), "name"].tolist()
    notes = [t("wecom.grids_matched", n=len(theirs) - len(without), n_all=len(theirs))]
    if without:
        notes.append(t("wecom.grids_without", n=len(without), names=_listed(without)))
    if missing:
        notes.append(t("wecom.grids_missing", n=len(missing), names=_listed(missing)))
    return notes


def _team_notes(theirs: pd.DataFrame, ours: pd.DataFrame, postings: pd.DataFrame) -> list[str]:
    matched = theirs[theirs["grid_code"].notna()]
    people = [
        (row["grid_code"], account)
        for row in matched.to_dict("records")
        for account in dict.fromkeys([*row["admins"], *row["members"]])
    ]
    their_teams = pd.DataFrame(people, columns=["grid_code", "staff_id"])
    differing = team_differences(their_teams, postings[postings["grid_code"].notna()])
    return [
        t(
            "wecom.team_differs",
            grid=ours["name"].loc[row["grid_code"]],
            theirs=_listed(list(row["only_theirs"])) or "—",
            ours=_listed(list(row["only_ours"])) or "—",
        )
        for row in differing.reset_index().to_dict("records")
    ]


def _listed(names: list[str]) -> str:
    shown = t("load.listed").join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else t("wecom.and_more", shown=shown, n=len(names) - _SHOWN)
