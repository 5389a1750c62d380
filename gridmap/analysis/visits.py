"""Visits of checkpoints: made against due, and who was not there.

A visit is a check-in within reach of an open checkpoint. What cannot tell (no position, a position that the platform
itself doubts) is kept apart and never counted as an absence or as a visit.
"""

import calendar
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs

_NO_CHECKIN, _PLACE_DOUBTED = "未打卡", "地点"
_DAYS_A_WEEK = 7
_NEVER = np.iinfo(np.int64).max


def match_visits(
    checkins: gpd.GeoDataFrame, checkpoints: gpd.GeoDataFrame, *, reach_m: float, zone: tzinfo
) -> pd.DataFrame:
    """Say of each check-in which checkpoint it visited, or why it is no visit.

    Parameters
    ----------
    checkins
        Points, may be null; `kind`, `exception`, `place` (may be null), `happened_at` (tz-aware). Metric CRS.
    checkpoints
        Points; `opened_on`, `closed_on` (may be null); the index names them. Same CRS.
    reach_m
        Metres from the checkpoint that still count as there; above 0. GPS error is its floor (phones: 10-20 m).
    zone
        The township's clock; a day ends at its midnight.

    Returns
    -------
    DataFrame
        On the check-ins' index: `checkpoint_code` (of the nearest checkpoint open that day; null unless a visit),
        `distance_m` to the visited, else the nearest checkpoint (NaN without a position), `happened_at`, `place`, `day`
        (`datetime.date`), `reason`: `visit`, `no_position` (also: missed, 未打卡), `place_doubted` (地点异常), `too_far`,
        `not_open` (every checkpoint within reach was closed that day).

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If `reach_m` is not above 0.

    Notes
    -----
    A longer reach never makes fewer visits. Rule: docs/kpi.md, "visit".
    """
    require_one_metric_crs(checkins=checkins, checkpoints=checkpoints)
    if not reach_m > 0:
        raise ValueError(f"`reach_m` must be above 0, got {reach_m}.")
    xy, points = coordinates_of(checkins), coordinates_of(checkpoints)
    exception = checkins["exception"].fillna("").astype(str)
    absent = exception.str.contains(_NO_CHECKIN) | (checkins["kind"] == _NO_CHECKIN)
    placed = np.isfinite(xy).all(axis=1) & ~absent.to_numpy()
    day = checkins["happened_at"].dt.tz_convert(zone).dt.date
    xy[~placed] = np.nan
    distance_m, at, open_then = _nearest_open(xy, day, points, checkpoints, reach_m=reach_m)
    near = distance_m <= reach_m
    doubted = exception.str.contains(_PLACE_DOUBTED).to_numpy()
    reason = np.select(
        [~placed, doubted, ~near, ~open_then], ["no_position", "place_doubted", "too_far", "not_open"], "visit"
    )
    codes = np.full(len(checkins), None, dtype=object)
    is_visit = reason == "visit"
    codes[is_visit] = checkpoints.index.to_numpy(dtype=object)[at[is_visit]]
    return pd.DataFrame(
        {
            "checkpoint_code": codes,
            "distance_m": distance_m,
            "happened_at": checkins["happened_at"],
            "day": day,
            "place": checkins["place"],
            "reason": reason,
        },
        index=checkins.index,
    )


def _nearest_open(
    xy: npt.NDArray[np.float64],
    days: pd.Series,
    points: npt.NDArray[np.float64],
    checkpoints: pd.DataFrame,
    *,
    reach_m: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return distance and place of the nearest checkpoint, one open that day first if any is within reach, and if open."""
    distance_m, at = np.full(len(xy), np.nan), np.zeros(len(xy), dtype=np.intp)
    placed = np.isfinite(xy).all(axis=1)
    day_numbers = _day_numbers(days)
    opened, closed = _day_numbers(checkpoints["opened_on"]), _day_numbers(checkpoints["closed_on"])
    standing = np.isfinite(points).all(axis=1)
    numbers = np.flatnonzero(standing)
    if not placed.any() or not len(numbers):
        return distance_m, at, np.zeros(len(xy), dtype=bool)
    tree = cKDTree(points[standing])
    distance_m[placed], nearest = tree.query(xy[placed])
    at[placed] = numbers[nearest]
    is_open = (opened[at] <= day_numbers) & (closed[at] > day_numbers)
    # A checkpoint may have closed and its successor stand beside it, even on the same spot.
    rest = np.flatnonzero((distance_m <= reach_m) & ~is_open)
    pairs = cKDTree(xy[rest].reshape(-1, 2)).sparse_distance_matrix(tree, reach_m, output_type="ndarray")
    rows, others, gaps = rest[pairs["i"]], numbers[pairs["j"]], pairs["v"]
    works = (opened[others] <= day_numbers[rows]) & (closed[others] > day_numbers[rows])
    farthest_first = np.flatnonzero(works)[np.argsort(-gaps[works], kind="stable")]
    rows = rows[farthest_first]
    at[rows], distance_m[rows], is_open[rows] = others[farthest_first], gaps[farthest_first], True
    return distance_m, at, is_open


def visits_due(checkpoints: pd.DataFrame, *, first_on: date, last_on: date) -> pd.Series:
    """Visits that each checkpoint's rhythm asks for in a span of days.

    Parameters
    ----------
    checkpoints
        `n_visits_due`, `per` (`week` or `month`), `opened_on`, `closed_on` (may be null).
    first_on, last_on
        First and last day, both inside.

    Returns
    -------
    Series
        On the checkpoints' index, float: n a week is n/7 a day, n a month is n over the days of that month; only days on
        which the checkpoint is open.

    Raises
    ------
    ValueError
        If the last day lies before the first.

    Notes
    -----
    Additive: the dues of two spans that meet add up to the due of both. Rule: docs/kpi.md, "visits due".
    """
    days = _days(first_on, last_on)
    day_numbers = _day_numbers(days)
    month_share = np.array([1 / calendar.monthrange(day.year, day.month)[1] for day in days])
    opened, closed = _day_numbers(checkpoints["opened_on"]), _day_numbers(checkpoints["closed_on"])
    is_open = (day_numbers >= opened[:, None]) & (day_numbers < closed[:, None])
    weekly = is_open.sum(axis=1) / _DAYS_A_WEEK
    monthly = is_open @ month_share
    times = np.where(checkpoints["per"] == "week", weekly, monthly) * checkpoints["n_visits_due"].to_numpy()
    return pd.Series(times.astype(float), index=checkpoints.index, name="n_due")


def visit_figures(
    checkpoints: pd.DataFrame, visits: pd.DataFrame, *, first_on: date, last_on: date, today: date
) -> pd.DataFrame:
    """Visits made against visits due, per checkpoint.

    Parameters
    ----------
    checkpoints
        See `visits_due`.
    visits
        From `match_visits`, everything known; rows outside the span serve "last visit" and "never" only.
    first_on, last_on
        First and last day of the span, both inside.
    today
        Days after it are not due yet.

    Returns
    -------
    DataFrame
        On the checkpoints' index: `n_due` (whole visits, rounded half up), `n_made` (at most one a day), `n_counted` (made,
        at most due), `last_visit_at` (NaT: none known), `state`: `visited` (made as often as due), `waiting` (the span goes
        on, and until yesterday nothing was missed), `never` (no visit known at all, though due), `missed`, `unknown` (nobody
        checked in anywhere in the span, so nothing can be said).

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    _days(first_on, last_on)
    n_due = np.floor(visits_due(checkpoints, first_on=first_on, last_on=last_on) + 0.5).astype(int)
    made = visits.dropna(subset="checkpoint_code")
    inside = made[(made["day"] >= first_on) & (made["day"] <= last_on)]
    n_made = (
        inside.drop_duplicates(["checkpoint_code", "day"])
        .groupby("checkpoint_code")
        .size()
        .reindex(checkpoints.index, fill_value=0)
    )
    last_visit_at = made.groupby("checkpoint_code")["happened_at"].max().reindex(checkpoints.index)
    anybody = ((visits["day"] >= first_on) & (visits["day"] <= last_on)).any()
    is_over = last_on < today
    due_so_far = n_due if is_over else np.floor(_due_before(checkpoints, first_on=first_on, today=today)).astype(int)
    state = np.select(
        [
            np.full(len(checkpoints), not anybody),
            n_made >= n_due,
            (n_made >= due_so_far) & (not is_over),
            last_visit_at.isna(),
        ],
        ["unknown", "visited", "waiting", "never"],
        default="missed",
    )
    return pd.DataFrame(
        {
            "n_due": n_due,
            "n_made": n_made,
            "n_counted": np.minimum(n_made, n_due),
            "last_visit_at": last_visit_at,
            "state": state,
        },
        index=checkpoints.index,
    )


def _due_before(checkpoints: pd.DataFrame, *, first_on: date, today: date) -> pd.Series:
    """Return the visits due from a first day until yesterday."""
    yesterday = today - timedelta(days=1)
    if yesterday < first_on:
        return pd.Series(0.0, index=checkpoints.index)
    return visits_due(checkpoints, first_on=first_on, last_on=yesterday)


def due_today(checkpoints: pd.DataFrame, visits: pd.DataFrame, *, today: date) -> pd.DataFrame:
    """Checkpoints whose rhythm asks for a visit today, and whether it was made.

    A checkpoint is due while the current week (from Monday) or month has fewer visits before today than its rhythm asks
    for; one visited today is always listed.

    Parameters
    ----------
    checkpoints
        `n_visits_due`, `per`, `opened_on`, `closed_on`, and `name` to recognise doubtful check-ins by.
    visits
        From `match_visits`.
    today
        The day.

    Returns
    -------
    DataFrame
        Index: the due checkpoints; `n_made` (days visited in the week or month before today) and `state`: `visited`,
        `waiting`, or `unknown` (somebody checked in today naming this place, but without a position that counts).

    Raises
    ------
    KeyError
        If a column is missing.
    """
    is_open = (_day_numbers(checkpoints["opened_on"]) <= today.toordinal()) & (
        _day_numbers(checkpoints["closed_on"]) > today.toordinal()
    )
    standing = checkpoints[is_open & (checkpoints["n_visits_due"] > 0)]
    starts = {"week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}
    made = visits.dropna(subset="checkpoint_code").drop_duplicates(["checkpoint_code", "day"])
    before = {
        per: made[(made["day"] >= start) & (made["day"] < today)].groupby("checkpoint_code").size()
        for per, start in starts.items()
    }
    this_week, this_month = (before[per].reindex(standing.index, fill_value=0) for per in ("week", "month"))
    n_made = np.where(standing["per"] == "week", this_week, this_month)
    seen_today = set(made.loc[made["day"] == today, "checkpoint_code"])
    doubtful = visits[(visits["day"] == today) & visits["reason"].isin(["no_position", "place_doubted"])]
    named = set(doubtful["place"].dropna())
    rows = pd.DataFrame(
        {
            "n_made": n_made.astype(int),
            "is_seen": standing.index.isin(seen_today),
            "is_doubtful": standing["name"].isin(named),
        },
        index=standing.index,
    )
    due = rows[rows["is_seen"] | (rows["n_made"] < standing["n_visits_due"])]
    state = np.select([due["is_seen"], due["is_doubtful"]], ["visited", "unknown"], default="waiting")
    return pd.DataFrame({"n_made": due["n_made"], "state": state}, index=due.index)


def visit_calendar(visits: pd.DataFrame, area_of_checkpoint: pd.Series, *, days: Sequence[date]) -> pd.DataFrame:
    """Checkpoints visited per area and day.

    Parameters
    ----------
    visits
        From `match_visits`.
    area_of_checkpoint
        Index the checkpoint's label, value the area's.
    days
        The columns wanted, in order.

    Returns
    -------
    DataFrame
        Index the areas, sorted; columns `days`; different checkpoints visited, float. NaN on days on which nobody checked
        in anywhere: unknown, not 0.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    made = visits.dropna(subset="checkpoint_code").drop_duplicates(["checkpoint_code", "day"])
    areas = sorted(set(area_of_checkpoint.dropna()))
    counted = pd.crosstab(made["checkpoint_code"].map(area_of_checkpoint), made["day"])
    table = counted.reindex(index=areas, columns=list(days), fill_value=0).astype(float)
    silent = [day for day in days if day not in set(visits["day"])]
    table[silent] = np.nan
    return table.rename_axis(index="area", columns="day")


def _days(first_on: date, last_on: date) -> list[date]:
    if last_on < first_on:
        raise ValueError(f"`last_on` must not lie before `first_on`, got {last_on} and {first_on}.")
    return [first_on + timedelta(days=step) for step in range((last_on - first_on).days + 1)]


def _day_numbers(days: Iterable[Any]) -> npt.NDArray[np.int64]:
    """Return days as numbers; a missing day lies after all others."""
    return np.array([_NEVER if pd.isna(day) else day.toordinal() for day in days], dtype=np.int64)


def span_instants(first_on: date, last_on: date, *, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the instants at which a span of days begins (inside) and ends (outside), by the township's clock.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    days = _days(first_on, last_on)
    begin = datetime(days[0].year, days[0].month, days[0].day, tzinfo=zone)
    after = days[-1] + timedelta(days=1)
    return begin, datetime(after.year, after.month, after.day, tzinfo=zone)
