"""What the review of a month is computed from: frames of one township in metres, a span, the rules."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import pandas as pd

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Span:
    """One calendar month as far as it is known.

    Parameters
    ----------
    month
        `YYYY-MM`.
    first_on, last_on
        Days that count, both inside: the whole month, or its days so far. `last_on` lies before `first_on` where the month had not
        begun.
    since, until
        The same as instants, `until` outside.
    """

    month: str
    first_on: date
    last_on: date
    since: datetime
    until: datetime

    @property
    def ends_at(self) -> datetime:
        """The last instant that belongs to it: cases are open or settled as of then."""
        return self.until - _A_MOMENT


def month_span(month: date, *, known_at: datetime, zone: tzinfo) -> Span:
    """Return a month as it can be known at an instant.

    Parameters
    ----------
    month
        Its first day.
    known_at
        Nothing later counts.
    zone
        The clock whose midnight ends a month.

    Examples
    --------
    >>> from datetime import UTC
    >>> span = month_span(date(2026, 2, 1), known_at=datetime(2026, 2, 10, 12, tzinfo=UTC), zone=UTC)
    >>> span.last_on.day, span.until.hour
    (10, 12)
    """
    following = (month + timedelta(days=31)).replace(day=1)
    since, until = (datetime(day.year, day.month, 1, tzinfo=zone) for day in (month, following))
    today = known_at.astimezone(zone).date()
    return Span(
        month=f"{month:%Y-%m}",
        first_on=month,
        last_on=min(following - timedelta(days=1), today),
        since=since,
        until=min(until, known_at + _A_MOMENT),
    )


def month_before(month: date, *, n: int = 1) -> date:
    """Return the first day of the month so many months earlier.

    Examples
    --------
    >>> month_before(date(2026, 1, 1)), month_before(date(2026, 2, 1), n=12)
    (datetime.date(2025, 12, 1), datetime.date(2025, 2, 1))
    """
    months = month.year * 12 + month.month - 1 - n
    return date(months // 12, months % 12 + 1, 1)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Numbers of policy that the figures rest on; each is the setting of its name."""

    household_cap: int
    near_cap_share: float
    checkpoint_reach_m: float
    fix_accuracy_m: float
    patrol_max_speed_kmh: float
    far_checkin_m: float
    cover_reach_m: float
    patrolled_days: int
    patrol_pass_m: float
    long_unpatrolled_days: int
    service_minutes: int
    walking_kmh: float
    path_attach_m: float
    path_snap_m: float
    drawn_tolerance_m: float
    hotspot_alpha: float
    hotspot_min_households: int
    hotspot_min_expected: float
    hotspot_permutations: int
    hotspot_seed: int
    fair_alpha: float
    fair_interval_share: float
    late_record_hours: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Frames:
    """One township, in metres; all that is known of it by the instant of the review.

    Parameters
    ----------
    villages
        Polygons, index `area_code`: `name`.
    grids
        Polygons of the plan in force on the last day of the month, index `grid_code`: `name`, `village_code`, `village_name`,
        `household_cap`, `exception_reason`. May be empty.
    grids_before
        The same of the month before.
    households
        Points, index `household_code`: `group_code`, `n_residents`.
    checkpoints
        Points, every one there ever was, index `checkpoint_code`, as `store.places.read_checkpoints`, each with a closing day.
    paths, water
        As stored.
    postings
        Everybody's, also past ones.
    incidents
        Points or null, index `incident_code`: `category` (newest name), `kind`, `village_code`, `happened_at`, `recorded_at`,
        `due_at`. All that happened or were worked on since the first day of the same month of last year and a
        month more, and older ones that may be open.
    steps
        All of those: `incident_code`, `kind`, `level`, `team_code`, `satisfaction`, `due_at`, `happened_at`, `recorded_at`.
    checkins, fixes
        From `patrolled_days` before the end of each of the three months to its end, as stored.
    home_visits
        Of the three months.
    teams
        Name of each township team by its code.
    """

    villages: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    grids_before: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    checkpoints: gpd.GeoDataFrame
    paths: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    postings: pd.DataFrame
    incidents: gpd.GeoDataFrame
    steps: pd.DataFrame
    checkins: gpd.GeoDataFrame
    fixes: gpd.GeoDataFrame
    home_visits: pd.DataFrame
    teams: pd.Series
