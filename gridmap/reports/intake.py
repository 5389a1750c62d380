"""What senders may ask: the list of categories, one case, the open cases of somebody's grids."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.clocks import Deadlines, case_clocks
from gridmap.analysis.counting import grids_of, locate
from gridmap.analysis.duties import levels_at
from gridmap.analysis.incidents import incident_states
from gridmap.analysis.lifecycle import legal_steps, standing_of
from gridmap.reports.township import find_township
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.cases import read_cases, read_incident
from gridmap.store.intake import Source, is_reported_by, read_categories_on, read_duties, read_ground_of
from gridmap.store.photos import read_photos
from gridmap.store.places import read_area_names, read_areas, read_grids
from gridmap.texts import t
from gridmap.workdays import work_calendar

Told = dict[str, Any]


def categories_told(connection: Connection, *, on: date) -> list[Told]:
    """Return the list in force on a day: `code`, `name`, `kind`, `list_year`."""
    listed = read_categories_on(connection, on=on).rename(columns={"category_code": "code"})
    return [
        {
            "code": str(row["code"]),
            "name": str(row["name"]),
            "kind": str(row["kind"]),
            "list_year": int(row["list_year"]),
        }
        for row in listed.to_dict("records")
    ]


def public_state(connection: Connection, *, number: str, now: datetime) -> Told | None:
    """Return what anybody may know of a case who has its number: `number`, `state`, `state_words`, `is_open`; None: no such.

    Nothing of what it is about, where, or who has it: numbers can be guessed.
    """
    incident, steps = read_cases(connection, incident_codes=[number])
    if incident.empty:
        return None
    state = incident_states(incident, steps, now=now, due_soon=timedelta(0)).iloc[0]
    return {"number": number, **_state_words(state)}


def may_read(connection: Connection, *, source: Source, number: str, on: date) -> bool:
    """Return whether a source may read a case: it came from there, or its person serves where it lies."""
    if is_reported_by(connection, incident_code=number, source_id=source.source_id):
        return True
    incident = read_incident(connection, incident_code=number)
    if source.staff_id is None or incident is None or incident["township_code"] != source.township_code:
        return False
    ground = read_ground_of(connection, incident_code=number, on=on)
    duties = read_duties(connection, staff_id=source.staff_id, on=on)
    return bool(levels_at(duties, grid_code=ground.grid_code, village_code=ground.village_code))


def case_told(
    connection: Connection, *, number: str, source: Source, now: datetime, zone: tzinfo, deadlines: str
) -> Told | None:
    """Return a case to who may read it, its public state to others, None where there is none.

    `number`, `category`, `category_code`, `urgency`, `text`, `place`, `grid_code`, `grid_name`, `village`, `happened_at`, `state`,
    `state_words`, `is_open`, `holder`, `team_code`, `due_at`, `next_due_at`, `legal_steps` (by level of who asks), `steps` (`step`,
    `level`, `staff_id`, `team_code`, `note`, `satisfaction`, `due_at`, `is_automatic`, `happened_at`) and `photos` (numbers).

    Raises
    ------
    InputError
        If `deadlines` cannot be read.
    """
    on = now.astimezone(zone).date()
    reported = read_incident(connection, incident_code=number)
    if reported is None or not may_read(connection, source=source, number=number, on=on):
        return public_state(connection, number=number, now=now)
    incident, steps = read_cases(connection, incident_codes=[number])
    states = incident_states(incident, steps, now=now, due_soon=timedelta(0))
    clocks = case_clocks(
        incident, states, steps, deadlines=Deadlines.parsed(deadlines), calendar=work_calendar(), now=now
    )
    state = states.iloc[0]
    ground = read_ground_of(connection, incident_code=number, on=on)
    levels: tuple[str, ...] = ()
    if source.staff_id is not None:
        duties = read_duties(connection, staff_id=source.staff_id, on=on)
        levels = levels_at(duties, grid_code=ground.grid_code, village_code=ground.village_code)
    return {
        "number": number,
        "category": str(reported["category_name"]),
        "category_code": str(reported["category_code"]),
        "urgency": str(reported["urgency"]),
        "text": _text(reported["text"]),
        "place": _text(reported["place"]),
        "grid_code": ground.grid_code,
        "grid_name": ground.grid_name,
        "village": ground.village_name,
        "happened_at": _instant(incident["happened_at"].iloc[0], zone),
        **_state_words(state),
        "holder": str(state["holder"]),
        "team_code": _text(state["team_code"]),
        "due_at": _instant(state["due_at"], zone),
        "next_due_at": _instant(clocks["next_due_at"].iloc[0], zone) if len(clocks) else None,
        "legal_steps": {level: list(legal_steps(standing_of(state), level=level)) for level in levels},
        "steps": [_step_told(step, zone) for step in steps[steps["happened_at"] <= now].to_dict("records")],
        "photos": [int(photo_id) for photo_id in read_photos(connection, incident_code=number).index],
    }


def cases_of(
    connection: Connection,
    *,
    staff_id: str,
    township_code: str,
    now: datetime,
    zone: tzinfo,
    due_soon_hours: int,
    deadlines: str,
) -> list[Told]:
    """Return the open cases where somebody serves, due first; paused ones last.

    `number`, `category`, `urgency`, `text`, `place`, `grid_code`, `grid_name`, `village`, `lng`, `lat` (CGCS2000; null), `happened_at`,
    `state`, `state_words`, `holder`, `is_overdue`, `is_due_soon`, `next_due_at`, `legal_steps` (by his levels there).

    Raises
    ------
    InputError
        If the township is unknown or `deadlines` cannot be read.
    """
    today = now.astimezone(zone).date()
    metric = find_township(connection, township_code=township_code).metric_epsg
    incidents = read_active_incidents(connection, township_code=township_code, since=now, now=now)
    incidents = gpd.GeoDataFrame(incidents[incidents["happened_at"] <= now])
    steps = read_active_steps(connection, township_code=township_code, since=now, now=now)
    states = incident_states(incidents, steps, now=now, due_soon=timedelta(hours=due_soon_hours))
    clocks = case_clocks(
        incidents, states, steps, deadlines=Deadlines.parsed(deadlines), calendar=work_calendar(), now=now
    )
    duties = read_duties(connection, staff_id=staff_id, on=today)
    grids = read_grids(connection, township_code=township_code, on=today)
    villages = read_areas(connection, township_code=township_code, level="village", on=today)
    village_names = read_area_names(connection, township_code=township_code, level="village")
    points = incidents.to_crs(metric)
    in_village = locate(points, villages.to_crs(metric))
    grid_of = grids_of(points, grids.to_crs(metric))
    village_of = grid_of.map(grids["village_code"])
    village_of = village_of.where(village_of.notna(), in_village).where(
        lambda code: code.notna(), incidents["village_code"]
    )
    soon = now + timedelta(hours=due_soon_hours)
    found = []
    for number in clocks.sort_values("next_due_at", kind="stable", na_position="last").index:
        grid_code, village_code = _text(grid_of[number]), _text(village_of[number])
        levels = levels_at(duties, grid_code=grid_code, village_code=village_code)
        if not levels:
            continue
        incident, state, next_due = incidents.loc[number], states.loc[number], clocks.loc[number, "next_due_at"]
        point = incident.geometry
        found.append(
            {
                "number": str(number),
                "category": str(incident["category_name"]),
                "urgency": str(incident["urgency"]),
                "text": _text(incident["text"]),
                "place": _text(incident["place"]),
                "grid_code": grid_code,
                "grid_name": None if grid_code is None else str(grids.loc[grid_code, "name"]),
                "village": None if village_code is None else str(village_names.loc[village_code]),
                "lng": None if point is None else round(point.x, 6),
                "lat": None if point is None else round(point.y, 6),
                "happened_at": _instant(incident["happened_at"], zone),
                **_state_words(state),
                "holder": str(state["holder"]),
                "is_overdue": bool(next_due < now) or bool(state["is_overdue"]),
                "is_due_soon": bool(now <= next_due <= soon),
                "next_due_at": _instant(next_due, zone),
                "legal_steps": {level: list(legal_steps(standing_of(state), level=level)) for level in levels},
            }
        )
    return found


def _state_words(state: "pd.Series[Any]") -> Told:
    name = str(state["state"])
    return {"state": name, "state_words": t(f"intake.state_{name}"), "is_open": bool(state["is_open"])}


def _step_told(step: Mapping[Any, Any], zone: tzinfo) -> Told:
    rating = step["satisfaction"]
    return {
        "step": str(step["kind"]),
        "level": _text(step["level"]),
        "staff_id": _text(step["staff_id"]),
        "team_code": _text(step["team_code"]),
        "note": _text(step["note"]),
        "satisfaction": None if pd.isna(rating) else int(rating),
        "due_at": _instant(step["due_at"], zone),
        "is_automatic": bool(step["is_automatic"]),
        "happened_at": _instant(step["happened_at"], zone),
    }


def _text(cell: Any) -> str | None:
    return cell if isinstance(cell, str) else None


def _instant(at: Any, zone: tzinfo) -> str | None:
    return None if pd.isna(at) else str(at.astimezone(zone).isoformat(timespec="seconds"))
