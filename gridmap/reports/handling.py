"""What is to be handled: open cases with their clocks, due first, their history, and how long steps take."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.clocks import Deadlines, case_clocks, settled_by_month, step_times
from gridmap.analysis.counting import locate
from gridmap.analysis.incidents import closing_figures, incident_states
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.township import find_township
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.places import read_areas, read_grids
from gridmap.store.versions import read_known_at
from gridmap.workdays import work_calendar

_DAYS = 90
_SEARCHED = ("place", "text", "category_name", "village")


@dataclass(frozen=True, kw_only=True, eq=False)
class HandlingReport:
    """The page of cases.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    cases
        Points in degrees (null without a place), index `incident_code`, open ones first, due first: what was reported
        (`store.facts.read_incidents`), where it stands (`analysis.incidents.incident_states`), `village`, `grid_code`, `grid` (names),
        `next_due_at` and `mark` (`overdue`, `late`, `due_soon`, `running`, `paused`, `closed`).
    steps
        All their steps, in the order of their instants.
    n_open, n_overdue, n_late, n_due_soon, closing, on_time, in_grid, satisfied
        Figures.
    times
        `analysis.clocks.step_times`.
    settled
        `analysis.clocks.settled_by_month`, with the grids' names as index.
    unlisted_year
        The current year where its days off are not known, else None.
    """

    known_at: datetime | None
    cases: gpd.GeoDataFrame
    steps: pd.DataFrame
    n_open: Figure
    n_overdue: Figure
    n_late: Figure
    n_due_soon: Figure
    closing: Figure
    on_time: Figure
    in_grid: Figure
    satisfied: Figure
    times: pd.DataFrame
    settled: pd.DataFrame
    unlisted_year: int | None

    def queue(self, *, level: str | None, team: str | None, village_code: str | None, wanted: str) -> gpd.GeoDataFrame:
        """Return the open cases of a level, team and village; with words wanted also closed ones that hold them."""
        rows = self.cases
        words = wanted.casefold().strip()
        if words:
            columns = [rows[name].fillna("").astype(str) for name in _SEARCHED]
            texts = [" ".join(parts).casefold() for parts in zip(rows.index, *columns, strict=True)]
            rows = rows[np.array([words in one for one in texts], dtype=bool)]
        else:
            rows = rows[rows["is_open"]]
        for name, value in (("holder", level), ("team_code", team), ("village_code", village_code)):
            if value is not None:
                rows = rows[rows[name] == value]
        return gpd.GeoDataFrame(rows)


@depends_on("places", "incidents")
def handling_report(
    connection: Connection,
    *,
    township_code: str,
    now: datetime,
    zone: tzinfo,
    due_soon_hours: int,
    deadlines: str,
) -> HandlingReport:
    """Return the cases that are open or were worked on in the last 90 days.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    now
        The instant, tz-aware.
    zone
        The township's clock.
    due_soon_hours, deadlines
        See `settings`.

    Raises
    ------
    InputError
        If the township is unknown or `deadlines` cannot be read.
    """
    metric = find_township(connection, township_code=township_code).metric_epsg
    since = now - timedelta(days=_DAYS)
    incidents = read_active_incidents(connection, township_code=township_code, since=since, now=now)
    steps = read_active_steps(connection, township_code=township_code, since=since, now=now)
    incidents = gpd.GeoDataFrame(incidents[incidents["happened_at"] <= now])
    grids = read_grids(connection, township_code=township_code, on=now.astimezone(zone).date())
    villages = read_areas(connection, township_code=township_code, level="village")
    calendar = work_calendar()
    soon = timedelta(hours=due_soon_hours)
    states = incident_states(incidents, steps, now=now, due_soon=soon)
    clocks = case_clocks(
        incidents, states, steps, deadlines=Deadlines.parsed(deadlines), calendar=calendar, now=now
    ).reindex(states.index)
    points = incidents.to_crs(metric)
    grid_code, in_village = locate(points, grids.to_crs(metric)), locate(points, villages.to_crs(metric))
    village_code = in_village.where(in_village.notna(), incidents["village_code"])
    cases = gpd.GeoDataFrame(
        incidents.drop(columns="due_at")
        .join(states)
        .assign(
            grid_code=grid_code,
            grid=grid_code.map(grids["name"]),
            village_code=village_code,
            village=village_code.map(villages["name"]),
            next_due_at=clocks["next_due_at"],
            mark=_marks(states, clocks, now=now),
        )
        .sort_values(["is_open", "next_due_at", "happened_at"], ascending=[False, True, True], na_position="last")
    )
    shares = closing_figures(states)
    is_known = len(incidents) > 0

    def counted(rows: pd.Series, name: str) -> Figure:
        return count(
            int(rows.sum()) if is_known else None, unit="unit.incidents", formula_key=f"handling.formula_{name}"
        )

    def shared(row: str, name: str) -> Figure:
        made_of = shares.loc[row, ["numerator", "denominator"]].astype(float)
        return share(*made_of, formula_key=f"handling.formula_{name}")

    return HandlingReport(
        known_at=read_known_at(connection, township_code=township_code, until=now),
        cases=cases,
        steps=steps[steps["happened_at"] <= now],
        n_open=counted(cases["is_open"], "open"),
        n_overdue=counted(cases["is_overdue"], "overdue"),
        n_late=counted(cases["mark"] == "late", "late"),
        n_due_soon=counted(cases["is_due_soon"], "due_soon"),
        closing=shared("closing", "closing"),
        on_time=shared("on_time", "on_time"),
        in_grid=shared("in_grid", "in_grid"),
        satisfied=shared("satisfaction", "satisfied"),
        times=step_times(steps, calendar=calendar, now=now),
        settled=settled_by_month(cases, zone=zone).rename(index=grids["name"].to_dict()),
        unlisted_year=None if calendar.is_published(now.astimezone(zone).date()) else now.astimezone(zone).year,
    )


def _marks(states: pd.DataFrame, clocks: pd.DataFrame, *, now: datetime) -> pd.Series:
    choices = {
        "closed": ~states["is_open"],
        "overdue": states["is_overdue"],
        "paused": states["paused_at"].notna(),
        "late": clocks["next_due_at"] < now,
        "due_soon": states["is_due_soon"],
    }
    marks = np.select(list(choices.values()), list(choices), default="running")
    return pd.Series(marks, index=states.index)
