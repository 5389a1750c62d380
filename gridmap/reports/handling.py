"""What is to be handled: open cases with their clocks, due first, their history, and how long steps take."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.clocks import Deadlines, case_clocks, settled_by_month, step_times
from gridmap.analysis.counting import grids_of, locate
from gridmap.analysis.incidents import closing_figures, incident_states
from gridmap.analysis.visits import span_instants
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.township import find_township
from gridmap.store.activity import find_incidents, read_active_incidents, read_active_steps
from gridmap.store.photos import read_contents
from gridmap.store.places import read_area_names, read_areas, read_grids
from gridmap.store.versions import read_known_at
from gridmap.workdays import work_calendar

_DAYS, _MONTHS, _MOST_FOUND = 90, 6, 200
_ELSEWHERE = ""
_SEARCHED = ("place", "text", "category_name", "village")


@dataclass(frozen=True, kw_only=True, eq=False)
class HandlingReport:
    """The page of cases.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    cases
        Those open or worked on in the last 90 days, and those that were looked for; points in degrees (null without a place), index
        `incident_code`, open ones first, due first, then the newest: what was reported
        (`store.facts.read_incidents`), where it stands (`analysis.incidents.incident_states`), `village`, `grid_code`, `grid` (names),
        `next_due_at` and `mark` (`overdue`, `late`, `due_soon`, `running`, `paused`, `closed`).
    steps
        All their steps, in the order of their instants.
    n_open, n_overdue, n_late, n_due_soon, closing, on_time, in_grid, satisfied
        Figures.
    times
        `analysis.clocks.step_times`.
    settled
        Index `grid_code`, every grid of today: `name`, `n_met` (months that are over in which it settled as many disputes as it
        should, Int64), and one column a month (`YYYY-MM`, Int64, the running one last): disputes settled, by the instant of
        closing. Null where nothing of any kind was recorded in the month.
    n_settled_elsewhere
        Disputes settled in these months that lie in no grid.
    has_older
        Whether more were found than are shown: the newest are.
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
    n_settled_elsewhere: int
    has_older: bool
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
    disputes_a_month: int,
    wanted: str,
) -> HandlingReport:
    """Return the cases that are open or were worked on in the last 90 days, and what grids settled in half a year.

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
    due_soon_hours, deadlines, disputes_a_month
        See `settings`.
    wanted
        Words that are looked for in all cases, however old; empty for none. They change no figure.

    Raises
    ------
    InputError
        If the township is unknown or `deadlines` cannot be read.
    """
    metric = find_township(connection, township_code=township_code).metric_epsg
    today = now.astimezone(zone).date()
    since = now - timedelta(days=_DAYS)
    months = pd.period_range(end=pd.Period(today, freq="M"), periods=_MONTHS, freq="M")
    longer, _ = span_instants(months[0].start_time.date(), today, zone=zone)
    words = wanted.strip()
    found = (
        find_incidents(connection, township_code=township_code, wanted=words, now=now, most=_MOST_FOUND)
        if words
        else ()
    )
    span: dict[str, Any] = {"township_code": township_code, "since": min(since, longer), "now": now, "also": found}
    incidents, steps = read_active_incidents(connection, **span), read_active_steps(connection, **span)
    incidents = gpd.GeoDataFrame(incidents[incidents["happened_at"] <= now])
    grids = read_grids(connection, township_code=township_code, on=today)
    villages = read_areas(connection, township_code=township_code, level="village", on=today)
    village_names = read_area_names(connection, township_code=township_code, level="village")
    calendar = work_calendar()
    states = incident_states(incidents, steps, now=now, due_soon=timedelta(hours=due_soon_hours))
    grid_code = grids_of(incidents.to_crs(metric), grids.to_crs(metric))
    facts = pd.concat([incidents["happened_at"], steps.loc[steps["happened_at"] <= now, "happened_at"]])
    settled = _settled(
        incidents[["kind"]].assign(grid_code=grid_code, closed_at=states["closed_at"]),
        grids["name"],
        facts,
        months,
        zone=zone,
    )
    is_lately = states["is_open"] | (states["last_step_at"] >= since) | (incidents["happened_at"] >= since)
    lately = states[is_lately]
    is_shown = is_lately | incidents.index.isin(found)
    incidents, states, grid_code = gpd.GeoDataFrame(incidents[is_shown]), states[is_shown], grid_code[is_shown]
    steps = steps[steps["incident_code"].isin(incidents.index)]
    clocks = case_clocks(
        incidents, states, steps, deadlines=Deadlines.parsed(deadlines), calendar=calendar, now=now
    ).reindex(states.index)
    in_village = locate(incidents.to_crs(metric), villages.to_crs(metric))
    village_code = in_village.where(in_village.notna(), incidents["village_code"])
    cases = gpd.GeoDataFrame(
        incidents.drop(columns="due_at")
        .join(states)
        .assign(
            grid_code=grid_code,
            grid=grid_code.map(grids["name"]),
            village_code=village_code,
            village=village_code.map(village_names),
            next_due_at=clocks["next_due_at"],
            mark=_marks(states, clocks, now=now),
        )
        .sort_values(["is_open", "next_due_at", "happened_at"], ascending=[False, True, False], na_position="last")
    )
    shares = closing_figures(lately)
    is_known = len(lately) > 0

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
        times=step_times(steps[steps["incident_code"].isin(lately.index)], calendar=calendar, now=now),
        settled=_met(settled, at_least=disputes_a_month).drop(index=_ELSEWHERE),
        n_settled_elsewhere=int(settled[settled.index == _ELSEWHERE].drop(columns="name").sum().sum()),
        has_older=len(found) == _MOST_FOUND,
        unlisted_year=None if calendar.is_published(today) else today.year,
    )


def _settled(
    cases: pd.DataFrame, names: pd.Series, facts: pd.Series, months: pd.PeriodIndex, *, zone: tzinfo
) -> pd.DataFrame:
    """Return `name` and the disputes settled in each month, of every grid and of no grid (`_ELSEWHERE`)."""
    counted = settled_by_month(cases.assign(grid_code=cases["grid_code"].fillna(_ELSEWHERE)), zone=zone)
    counted = counted.reindex(index=[*names.index, _ELSEWHERE], columns=months.astype(str), fill_value=0).astype(
        "Int64"
    )
    known = set(facts.dt.tz_convert(zone).dt.strftime("%Y-%m"))
    counted.loc[:, [month not in known for month in counted]] = pd.NA
    counted.insert(0, "name", [*names, _ELSEWHERE])
    return counted.rename_axis("grid_code")


def _met(settled: pd.DataFrame, *, at_least: int) -> pd.DataFrame:
    """Add in how many of the months that are over a grid settled enough."""
    over = settled[settled.columns[1:-1]]
    met = (over >= at_least).sum(axis=1).astype("Int64").mask(over.isna().all(axis=1))
    return settled.assign(n_met=met)[["name", "n_met", *settled.columns[1:]]]


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


@depends_on("incidents")
def case_photos(connection: Connection, *, incident_code: str) -> tuple[bytes, ...]:
    """Return the photos of a case (JPEG) in the order they came, for those who handle it."""
    return tuple(read_contents(connection, incident_code=incident_code))
