"""What happens today: incidents and patrols for the live wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.incidents import closing_figures, daily_counts, incident_states
from gridmap.analysis.rounds import VisitRule
from gridmap.analysis.small_counts import known_public, public_incidents
from gridmap.analysis.visits import due_today, span_instants, visit_calendar
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import read_rounds
from gridmap.reports.township import find_township, open_on, read_standing_checkpoints
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.places import read_area_names, read_areas, read_grids
from gridmap.store.versions import read_known_at

DISPUTE_DAYS, CALENDAR_DAYS, N_EVENTS = 30, 14, 7


@dataclass(frozen=True, kw_only=True, eq=False)
class Mark:
    """A point on the wall's map; `state` is `visited`, `waiting`, `unknown` or `incident`."""

    state: str
    longitude: float
    latitude: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PatrolReport:
    """Today's patrol, and the last two weeks by village and day.

    Parameters
    ----------
    due, visited, waiting, unknown, visited_share
        Checkpoints due today and what is known of them; unknown before anybody's first check-in ever.
    checkpoints
        The due ones, for the map.
    days, villages, calendar
        Columns, rows and cells of the calendar: share of a village's open checkpoints that were visited that day, None
        where it cannot be told.
    """

    due: Figure
    visited: Figure
    waiting: Figure
    unknown: Figure
    visited_share: Figure
    checkpoints: tuple[Mark, ...]
    days: tuple[date, ...]
    villages: tuple[str, ...]
    calendar: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class DayCount:
    """Disputes of one day, by whether they are closed now."""

    day: date
    n_closed: int
    n_open: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """One incident in the running list; the exact point is given only where it may be shown.

    Parameters
    ----------
    incident_code
        Its number.
    happened_at, recorded_at
        In the world; known to us.
    kind, category
        `dispute`, `hazard`, `request` or `clue`, and the name in the list of its year; None for private matters.
    village
        Where; None: not told, and for private matters.
    is_private
        Whether everybody may know no more than that it happened: a family's matter named with its village, a family could be
        recognised.
    state, level
        Where it stands (`analysis.incidents.incident_states`) and who had the last step; the level may be None.
    is_overdue
        Open past its due time.
    point
        Longitude and latitude; None without a point, and for private matters.
    """

    incident_code: str
    happened_at: datetime
    recorded_at: datetime
    kind: str
    category: str | None
    village: str | None
    is_private: bool
    state: str
    level: str | None
    is_overdue: bool
    point: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class IncidentsReport:
    """Today's incidents, the last 30 days of disputes, and the latest events.

    Parameters
    ----------
    known_at
        When the newest fact (check-in, incident, step) was recorded; None without any.
    new, new_yesterday, closed, due_soon, overdue
        Of today so far; yesterday's up to the same time of day. Unknown while no incident was ever recorded.
    disputes
        One entry a day, oldest first.
    in_grid, on_time, satisfied
        Of the incidents closed in those days.
    events
        Latest first.
    marks
        Today's incidents for the map, without private matters.
    """

    known_at: datetime | None
    new: Figure
    new_yesterday: Figure
    closed: Figure
    due_soon: Figure
    overdue: Figure
    disputes: tuple[DayCount, ...]
    in_grid: Figure
    on_time: Figure
    satisfied: Figure
    events: tuple[Event, ...]
    marks: tuple[Mark, ...]


@depends_on("places", "checkpoints", "checkins", "tracks", "staff")
def patrol_report(
    connection: Connection,
    *,
    township_code: str,
    now: datetime,
    zone: tzinfo,
    checkpoint_reach_m: float,
    fix_accuracy_m: float,
    patrol_max_speed_kmh: float,
    far_checkin_m: float,
) -> PatrolReport:
    """Return today's patrol and the last two weeks.

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
    checkpoint_reach_m, fix_accuracy_m, patrol_max_speed_kmh, far_checkin_m
        See `settings`.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    township = find_township(connection, township_code=township_code)
    metric = township.metric_epsg
    today = now.astimezone(zone).date()
    days = _days_up_to(today, CALENDAR_DAYS)
    since, _ = span_instants(min(days[0], today.replace(day=1)), today, zone=zone)
    checkpoints = read_standing_checkpoints(connection, township_code=township_code)
    grids = read_grids(connection, township_code=township_code, on=today).to_crs(metric)
    villages = read_areas(connection, township_code=township_code, level="village", on=today)
    placed = checkpoints.to_crs(metric)
    visits = read_rounds(
        connection,
        placed.assign(grid_code=locate(placed, grids)),
        township=township,
        since=since,
        until=now,
        now=now,
        zone=zone,
        rule=VisitRule(
            checkpoint_reach_m=checkpoint_reach_m,
            fix_accuracy_m=fix_accuracy_m,
            patrol_max_speed_kmh=patrol_max_speed_kmh,
            far_checkin_m=far_checkin_m,
        ),
    ).visits
    due = due_today(checkpoints, visits, today=today)
    known = len(checkpoints) > 0 and len(visits) > 0
    n_due = len(due) if known else None
    states = due["state"].value_counts() if known else pd.Series(dtype=int)
    n_of = {state: int(states.get(state, 0)) if known else None for state in ("visited", "waiting", "unknown")}
    return PatrolReport(
        due=_points(n_due, "due"),
        visited=_points(n_of["visited"], "visited"),
        waiting=_points(n_of["waiting"], "waiting"),
        unknown=_points(n_of["unknown"], "unknown"),
        visited_share=share(n_of["visited"], n_due, formula_key="live.formula_visited_share"),
        checkpoints=_marks(checkpoints.loc[due.index], due["state"]) if known else (),
        days=days,
        villages=tuple(villages["name"]),
        calendar=_calendar(visits, placed, villages.to_crs(metric), days),
    )


def _days_up_to(today: date, n_days: int) -> tuple[date, ...]:
    return tuple(today - timedelta(days=n_days - 1 - step) for step in range(n_days))


def _points(value: int | None, name: str) -> Figure:
    return count(value, unit="unit.points", formula_key=f"live.formula_{name}")


def _marks(points: gpd.GeoDataFrame, states: pd.Series) -> tuple[Mark, ...]:
    return tuple(
        Mark(state=str(state), longitude=point.x, latitude=point.y)
        for point, state in zip(points.geometry, states, strict=True)
    )


def _calendar(
    visits: pd.DataFrame, checkpoints: gpd.GeoDataFrame, villages: gpd.GeoDataFrame, days: Sequence[date]
) -> tuple[tuple[float | None, ...], ...]:
    """Return the share of each village's open checkpoints visited on each day."""
    village_of = locate(checkpoints, villages)
    made = visit_calendar(visits, village_of, days=days).reindex(villages.index)
    n_open = pd.DataFrame({day: village_of[open_on(checkpoints, day)].value_counts() for day in days}, index=made.index)
    shares = made / n_open.where(n_open > 0)
    return tuple(tuple(None if pd.isna(cell) else float(cell) for cell in row) for row in shares.to_numpy())


@depends_on("places", "incidents", "checkins")
def incidents_report(
    connection: Connection, *, township_code: str, now: datetime, zone: tzinfo, due_soon_hours: int
) -> IncidentsReport:
    """Return today's incidents, the disputes of the last 30 days and the latest events.

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
    due_soon_hours
        An open incident due within so many hours is due soon.
    """
    today = now.astimezone(zone).date()
    midnight, _ = span_instants(today, today, zone=zone)
    days = _days_up_to(today, DISPUTE_DAYS)
    since, _ = span_instants(days[0], today, zone=zone)
    incidents = read_active_incidents(connection, township_code=township_code, since=since, now=now)
    steps = read_active_steps(connection, township_code=township_code, since=since, now=now)
    villages = read_area_names(connection, township_code=township_code, level="village")
    states = incident_states(incidents, steps, now=now, due_soon=timedelta(hours=due_soon_hours))
    known = len(incidents) > 0
    happened_at = incidents["happened_at"]
    is_new = (happened_at >= midnight) & (happened_at <= now)
    one_day = timedelta(days=1)
    was_new = (happened_at >= midnight - one_day) & (happened_at <= now - one_day)
    closing = closing_figures(states[states["closed_at"] >= since])
    disputes = (incidents["kind"] == "dispute") & (happened_at >= since)

    def counted(rows: pd.Series, name: str) -> Figure:
        return count(int(rows.sum()) if known else None, unit="unit.incidents", formula_key=f"live.formula_{name}")

    def closed_share(row: str, name: str) -> Figure:
        return share(
            int(closing["numerator"][row]),
            int(closing["denominator"][row]),
            formula_key=f"live.formula_{name}",
        )

    return IncidentsReport(
        known_at=read_known_at(connection, township_code=township_code, until=now),
        new=counted(is_new, "new"),
        new_yesterday=counted(was_new, "new"),
        closed=counted(states["closed_at"] >= midnight, "closed"),
        due_soon=counted(states["is_due_soon"], "due_soon"),
        overdue=counted(states["is_overdue"], "overdue"),
        disputes=_disputes(incidents[disputes], states[disputes]["is_open"], days, zone=zone) if known else (),
        in_grid=closed_share("in_grid", "in_grid"),
        on_time=closed_share("on_time", "on_time"),
        satisfied=closed_share("satisfaction", "satisfied"),
        events=_events(incidents, states, villages),
        marks=_today_marks(incidents[is_new]),
    )


def _disputes(
    disputes: pd.DataFrame, is_open: pd.Series, days: Sequence[date], *, zone: tzinfo
) -> tuple[DayCount, ...]:
    closed, still_open = (
        daily_counts(disputes[chosen], zone=zone, first_on=days[0], last_on=days[-1]) for chosen in (~is_open, is_open)
    )
    return tuple(DayCount(day=day, n_closed=int(closed[day]), n_open=int(still_open[day])) for day in days)


def _events(incidents: gpd.GeoDataFrame, states: pd.DataFrame, villages: pd.Series) -> tuple[Event, ...]:
    latest = incidents.sort_values("happened_at", ascending=False, kind="stable").head(N_EVENTS)
    is_told = known_public(latest["is_private"])
    points = _public_points(latest)
    return tuple(
        Event(
            incident_code=str(code),
            happened_at=row["happened_at"].to_pydatetime(),
            recorded_at=row["recorded_at"].to_pydatetime(),
            kind=row["kind"],
            category=row["category_name"] if is_told[code] else None,
            village=villages.get(row["village_code"]) if is_told[code] else None,
            is_private=not is_told[code],
            state=str(states.loc[code, "state"]),
            level=states.loc[code, "level"] if isinstance(states.loc[code, "level"], str) else None,
            is_overdue=bool(states.loc[code, "is_overdue"]),
            point=(points[code].x, points[code].y) if code in points.index else None,
        )
        for code, row in latest.iterrows()
    )


def _public_points(incidents: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return public_incidents(incidents, private=incidents["is_private"], kept=[]).geometry


def _today_marks(incidents: gpd.GeoDataFrame) -> tuple[Mark, ...]:
    shown = _public_points(incidents).to_frame("geometry")
    return _marks(shown, pd.Series("incident", index=shown.index))
