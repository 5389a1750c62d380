"""Everything that the ledgers read of one month, as known at an instant: who did what, and what was due."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import locate
from gridmap.analysis.home_visits import door_to_door
from gridmap.analysis.incidents import incident_states
from gridmap.analysis.points.events import (
    case_events,
    home_events,
    missed_events,
    share_events,
    together,
    visit_events,
)
from gridmap.analysis.rhythm import duty_periods
from gridmap.analysis.verdicts import duty_days, period_verdicts
from gridmap.analysis.visits import span_instants, visit_figures
from gridmap.reports.figures import depends_on
from gridmap.reports.ground import Ground, VisitRule, read_ground, read_rounds
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.facts import read_home_visits
from gridmap.store.versions import TOPICS, read_last_change

_AREA_GRID_DIGITS = 15
_DAYS_A_WEEK = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthFacts:
    """What a month holds, as known at an instant.

    Parameters
    ----------
    ground
        Places on its last day.
    until_on
        Its last day, or the day of the instant while it runs.
    events
        `analysis.points.events.COLUMNS`.
    team
        Postings to area grids that touch the month: `staff_id`, `name`, `grid_code`, `role`, `valid_from`, `valid_until`.
    names
        Everybody's name by `staff_id`.
    chances, own_chances
        What was due of grids and people, see `analysis.points.compare.attainable_points`.
    duties
        By `grid_code`: `n_visits_due`, `n_visits_made` (Int64; null: nobody left a trace in the month), `n_households`,
        `n_homes_visited` (Int64; null: no visit was recorded), `n_closings`, `n_on_time`, `n_disputes`, `n_missed`, `n_due`, `n_done`.
    cases
        Incidents that were open or touched in the month, with their state at its end, `grid_code`.
    steps
        Their steps.
    """

    ground: Ground
    until_on: date
    events: pd.DataFrame
    team: pd.DataFrame
    names: pd.Series
    chances: dict[str, pd.Series]
    own_chances: dict[str, pd.Series]
    duties: pd.DataFrame
    cases: gpd.GeoDataFrame
    steps: pd.DataFrame


def month_of(day: date) -> tuple[date, date]:
    """Return the first and the last day of the month of a day.

    Examples
    --------
    >>> month_of(date(2024, 2, 11))
    (datetime.date(2024, 2, 1), datetime.date(2024, 2, 29))
    """
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


@depends_on(*TOPICS)
def month_settled_at(connection: Connection, *, month: date, now: datetime, zone: tzinfo) -> datetime | None:
    """Return an instant from which on a month stays as it is until something is written; None while it runs.

    Parameters
    ----------
    connection
        Where to read.
    month
        A day of it.
    now
        The present instant.
    zone
        The township's clock.
    """
    _, end = span_instants(*month_of(month), zone=zone)
    if now < end:
        return None
    changed = read_last_change(connection)
    return end if changed is None else max(end, changed)


def read_month(
    connection: Connection,
    *,
    township_code: str,
    first_on: date,
    known_at: datetime,
    zone: tzinfo,
    rule: VisitRule,
) -> MonthFacts:
    """Read a month.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    first_on
        First day of the month.
    known_at
        Only what was recorded by then counts.
    zone
        The township's clock.
    rule
        What counts as a visit.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    first_on, last_on = month_of(first_on)
    since, until = span_instants(first_on, last_on, zone=zone)
    today = known_at.astimezone(zone).date()
    until_on = max(first_on, min(last_on, today))
    ground = read_ground(connection, township_code=township_code, on=until_on)
    # A week that ends in the month begins up to six days before it.
    rounds = read_rounds(
        connection,
        ground.checkpoints,
        township=ground.township,
        since=since - timedelta(days=_DAYS_A_WEEK),
        until=until,
        now=known_at,
        zone=zone,
        rule=rule,
    )
    postings = rounds.postings
    is_area = postings["grid_code"].astype(str).str.len() == _AREA_GRID_DIGITS
    touches = (postings["valid_from"] <= until_on) & (
        postings["valid_until"].isna() | (postings["valid_until"].fillna(date.max) > first_on)
    )
    team = postings[is_area & touches].reset_index(drop=True)
    homes = read_home_visits(connection, township_code=township_code, since=since, until=until, known_at=known_at)
    doors = door_to_door(ground.households, homes, months=[first_on], zone=zone)
    cases, steps = _cases(connection, ground, since=since, until=until, known_at=known_at)
    grid_of = ground.checkpoints["grid_code"]
    periods = duty_periods(ground.checkpoints, first_on=first_on, last_on=last_on)
    layout = duty_days(
        ground.checkpoints,
        rounds.visits,
        rounds.possible,
        rounds.traces,
        postings,
        first_on=min([first_on, *periods["first_on"]]),
        last_on=max([last_on, today, *periods["last_on"]]),
    )
    verdicts = period_verdicts(periods, layout, today=today)
    events = together(
        [
            visit_events(rounds.visits, grid_of, first_on=first_on, last_on=last_on),
            home_events(homes, ground.households["grid_code"], since=since, until=until, zone=zone),
            share_events(doors, _serving(team, until_on), month=first_on, last_on=until_on),
            missed_events(
                verdicts[verdicts["last_on"] < today],
                team[team["role"] == "chief"],
                grid_of,
                first_on=first_on,
                last_on=last_on,
            ),
            case_events(cases, steps, since=since, until=until, zone=zone),
        ]
    )
    has_traces = bool(((rounds.traces["day"] >= first_on) & (rounds.traces["day"] <= last_on)).any())
    visits = visit_figures(ground.checkpoints, rounds.visits, first_on=first_on, last_on=until_on, today=today)
    duties = _duties(ground, visits, doors, events, has_traces=has_traces)
    return MonthFacts(
        ground=ground,
        until_on=until_on,
        events=events,
        team=team,
        names=postings.drop_duplicates("staff_id").set_index("staff_id")["name"],
        chances=_chances(duties, has_traces=has_traces),
        own_chances={
            "closed_on_time": events[events["counts"].isin(["closed_on_time", "closed_late"])]
            .groupby("staff_id")
            .size()
        },
        duties=duties,
        cases=cases,
        steps=steps,
    )


def _serving(team: pd.DataFrame, day: date) -> pd.DataFrame:
    ends = team["valid_until"].fillna(date.max)
    return team[(team["valid_from"] <= day) & (ends > day)]


def _cases(
    connection: Connection, ground: Ground, *, since: datetime, until: datetime, known_at: datetime
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return incidents open or touched since an instant, as they stood at the end of the span."""
    code = ground.township.code
    incidents = read_active_incidents(connection, township_code=code, since=since, now=known_at)
    steps = read_active_steps(connection, township_code=code, since=since, now=known_at)
    end = min(known_at, until - timedelta(microseconds=1))
    incidents = gpd.GeoDataFrame(incidents[incidents["happened_at"] <= end]).to_crs(ground.township.metric_epsg)
    states = incident_states(incidents, steps, now=end, due_soon=timedelta(0))
    cases = incidents.drop(columns="due_at").join(states).assign(grid_code=locate(incidents, ground.grids))
    return gpd.GeoDataFrame(cases), steps[steps["happened_at"] <= end]


def _duties(
    ground: Ground, visits: pd.DataFrame, doors: pd.DataFrame, events: pd.DataFrame, *, has_traces: bool
) -> pd.DataFrame:
    grids = ground.grids.index
    by_grid = visits.assign(grid_code=ground.checkpoints["grid_code"]).groupby("grid_code")
    door = doors.drop_duplicates("grid_code").set_index("grid_code")

    def counted(*names: str) -> pd.Series:
        return events[events["counts"].isin(names)].groupby("grid_code").size().reindex(grids).fillna(0).astype(int)

    table = pd.DataFrame(
        {
            "n_visits_due": by_grid["n_due"].sum().reindex(grids).fillna(0).astype(int),
            "n_visits_made": by_grid["n_counted"].sum().reindex(grids).fillna(0).astype("Int64"),
            "n_households": door["n_households"].reindex(grids).fillna(0).astype(int),
            "n_homes_visited": door["n_visited"].reindex(grids).astype("Int64"),
            "n_closings": counted("closed_on_time", "closed_late"),
            "n_on_time": counted("closed_on_time"),
            "n_disputes": counted("dispute_in_grid"),
            "n_missed": counted("missed_due"),
        },
        index=grids,
    )
    if not has_traces:
        table["n_visits_made"] = pd.array([pd.NA] * len(table), dtype="Int64")
    homes_due = table["n_households"].where(table["n_homes_visited"].notna(), 0)
    visits_due = table["n_visits_due"] if has_traces else 0
    table["n_due"] = (visits_due + homes_due + table["n_closings"]).astype(int)
    done = table["n_visits_made"].fillna(0) + table["n_homes_visited"].fillna(0) + table["n_on_time"]
    table["n_done"] = done.astype(int)
    return table


def _chances(duties: pd.DataFrame, *, has_traces: bool) -> dict[str, pd.Series]:
    chances: dict[str, pd.Series] = {}
    if has_traces:
        chances["patrol_visit"] = duties["n_visits_due"]
    known = duties["n_homes_visited"].notna()
    if known.any():
        chances["home_visit"] = duties["n_households"].where(known, 0)
        chances["home_visit_share"] = known.astype(int)
    return chances
