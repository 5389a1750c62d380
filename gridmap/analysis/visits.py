"""Visits of checkpoints: made against due, and who was not there.

A visit is a check-in within reach of an open checkpoint. What cannot tell (no position, a position that the platform
itself doubts) is kept apart and never counted as an absence or as a visit.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from gridmap.analysis.geometry import coordinates_of
from gridmap.analysis.rhythm import day_numbers, due_days, span_days, visits_due
from gridmap.analysis.visit_classes import CLASSES
from gridmap.crs import require_one_metric_crs

_NO_CHECKIN, _PLACE_DOUBTED = "未打卡", "地点"


def match_visits(
    checkins: gpd.GeoDataFrame, checkpoints: gpd.GeoDataFrame, *, reach_m: float, zone: tzinfo
) -> pd.DataFrame:
    """Say of each check-in which checkpoint it visited, or why it is no visit.

    Parameters
    ----------
    checkins
        Points, may be null; `kind`, `exception`, `place` (may be null), `happened_at` (tz-aware); `staff_id` and `accuracy_m`
        (may be null) where they are known. Metric CRS.
    checkpoints
        Points; `opened_on`, `closed_on` (may be null); the index names them. Same CRS.
    reach_m
        Metres from the checkpoint that still count as there; above 0. GPS error is its floor (phones: 10-20 m).
    zone
        The township's clock; a day ends at its midnight.

    Returns
    -------
    DataFrame
        On the check-ins' index: `checkpoint_code` and `place_code` (of the nearest checkpoint open that day; null unless a
        visit), `distance_m` to the visited, else the nearest checkpoint (NaN without a position), `happened_at`, `day`
        (`datetime.date`), `place`, `staff_id`, `source` (`checkin`), `stay_least_s` (0) and `stay_most_s` (infinite: unknown),
        `reason`: `visit`, `no_position` (also: missed, 未打卡), `place_doubted` (地点异常), `inaccurate` (may be
        off by more than the reach), `too_far`, `not_open` (every checkpoint within reach was closed that day).

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
    placed = np.isfinite(xy).all(axis=1) & ~_is_absent(checkins)
    day = checkins["happened_at"].dt.tz_convert(zone).dt.date
    xy[~placed] = np.nan
    distance_m, at, open_then = _nearest_open(xy, day, points, checkpoints, reach_m=reach_m)
    near = distance_m <= reach_m
    inaccurate = accuracy_of(checkins) > reach_m
    doubted = exception.str.contains(_PLACE_DOUBTED).to_numpy()
    reason = np.select(
        [~placed, doubted, inaccurate, ~near, ~open_then],
        ["no_position", "place_doubted", "inaccurate", "too_far", "not_open"],
        "visit",
    )
    codes = np.full(len(checkins), None, dtype=object)
    is_visit = reason == "visit"
    codes[is_visit] = checkpoints.index.to_numpy(dtype=object)[at[is_visit]]
    return pd.DataFrame(
        {
            "checkpoint_code": codes,
            "place_code": codes,
            "distance_m": distance_m,
            "happened_at": checkins["happened_at"],
            "day": day,
            "place": checkins["place"],
            "staff_id": checkins.get("staff_id"),
            "source": "checkin",
            "stay_least_s": 0.0,
            "stay_most_s": np.inf,
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
    on = day_numbers(days)
    opened, closed = day_numbers(checkpoints["opened_on"]), day_numbers(checkpoints["closed_on"])
    standing = np.isfinite(points).all(axis=1)
    numbers = np.flatnonzero(standing)
    if not placed.any() or not len(numbers):
        return distance_m, at, np.zeros(len(xy), dtype=bool)
    tree = cKDTree(points[standing])
    distance_m[placed], nearest = tree.query(xy[placed])
    at[placed] = numbers[nearest]
    is_open = (opened[at] <= on) & (closed[at] > on)
    # A checkpoint may have closed and its successor stand beside it, even on the same spot.
    rest = np.flatnonzero((distance_m <= reach_m) & ~is_open)
    pairs = cKDTree(xy[rest].reshape(-1, 2)).sparse_distance_matrix(tree, reach_m, output_type="ndarray")
    rows, others, gaps = rest[pairs["i"]], numbers[pairs["j"]], pairs["v"]
    works = (opened[others] <= on[rows]) & (closed[others] > on[rows])
    farthest_first = np.flatnonzero(works)[np.argsort(-gaps[works], kind="stable")]
    rows = rows[farthest_first]
    at[rows], distance_m[rows], is_open[rows] = others[farthest_first], gaps[farthest_first], True
    return distance_m, at, is_open


def _is_absent(checkins: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which rows say that nobody checked in (未打卡)."""
    said = checkins["exception"].fillna("").astype(str).str.contains(_NO_CHECKIN, regex=False)
    absent: npt.NDArray[np.bool_] = (said | (checkins["kind"] == _NO_CHECKIN)).to_numpy(dtype=bool)
    return absent


def accuracy_of(checkins: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return by how many metres each check-in may be off; 0 where it does not say."""
    if "accuracy_m" not in checkins:
        return np.zeros(len(checkins))
    return checkins["accuracy_m"].fillna(0.0).to_numpy(dtype=np.float64)


def possible_visits(
    checkins: gpd.GeoDataFrame, visits: pd.DataFrame, checkpoints: gpd.GeoDataFrame, *, reach_m: float
) -> pd.DataFrame:
    """Check-ins that may have been visits but cannot be told to be.

    A check-in without a usable position that names a checkpoint; one whose place the source doubts, within reach; and one
    that is no visit, but with its stated accuracy may lie within reach.

    Parameters
    ----------
    checkins, visits
        The check-ins and what `match_visits` says of them, row by row.
    checkpoints
        Points; `name`; the index names them. Same CRS.
    reach_m
        See `match_visits`.

    Returns
    -------
    DataFrame
        `place_code`, `staff_id`, `day`, `why` (`named`, `doubted`, `accuracy`); a check-in may stand for several checkpoints.

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    """
    require_one_metric_crs(checkins=checkins, checkpoints=checkpoints)
    reason = visits["reason"].to_numpy(dtype=object)
    code_of = checkpoints["name"].rename_axis("place_code").reset_index()
    unsure = np.isin(reason, ["no_position", "place_doubted"]) & ~_is_absent(checkins)
    lost = visits[unsure & visits["place"].notna().to_numpy()]
    # The importer puts the address behind the title, with a blank between.
    titles = pd.concat(
        [lost.assign(title=lost["place"]), lost.assign(title=lost["place"].astype(str).str.split().str[0])]
    )
    named = titles.merge(code_of, left_on="title", right_on="name", suffixes=("_none", ""))
    near = np.isin(reason, ["place_doubted", "inaccurate", "too_far"])
    xy, points = coordinates_of(checkins), coordinates_of(checkpoints)
    error_m = np.where(reason == "place_doubted", 0.0, accuracy_of(checkins))
    rows = np.flatnonzero(near & np.isfinite(xy).all(axis=1) & ((error_m > 0) | (reason == "place_doubted")))
    standing = np.flatnonzero(np.isfinite(points).all(axis=1))
    found = cKDTree(points[standing].reshape(-1, 2)).query_ball_point(xy[rows].reshape(-1, 2), reach_m + error_m[rows])
    pairs = [(row, standing[point]) for row, near_points in zip(rows, found, strict=True) for point in near_points]
    at, which = (np.array(side, dtype=np.int64) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
    wide = visits.iloc[at].assign(
        place_code=checkpoints.index.to_numpy(dtype=object)[which],
        why=np.where(reason[at] == "place_doubted", "doubted", "accuracy"),
    )
    columns = ["place_code", "staff_id", "day", "why"]
    both = [named.assign(why="named")[columns], wide[columns]]
    return pd.concat(both, ignore_index=True).drop_duplicates(ignore_index=True)


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
        at most due), `last_visit_at` (of whatever class; NaT: none known), `state`: `visited` (made as often as due), `waiting` (the span goes
        on, and until yesterday nothing was missed), `never` (no visit known at all, though due), `missed`, `unknown` (nobody
        checked in anywhere in the span, so nothing can be said).

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    span_days(first_on, last_on)
    n_due = np.floor(visits_due(checkpoints, first_on=first_on, last_on=last_on) + 0.5).astype(int)
    made = visits.dropna(subset="checkpoint_code")
    inside = made[(made["day"] >= first_on) & (made["day"] <= last_on)]
    n_made = (
        inside.drop_duplicates(["checkpoint_code", "day"])
        .groupby("checkpoint_code")
        .size()
        .reindex(checkpoints.index, fill_value=0)
    )
    there = visits[visits["place_code"].notna() & visits["reason"].isin(CLASSES)]
    last_visit_at = there.groupby("place_code")["happened_at"].max().reindex(checkpoints.index)
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
    is_open = due_days(checkpoints, [today])[:, 0]
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


def span_instants(first_on: date, last_on: date, *, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the instants at which a span of days begins (inside) and ends (outside), by the township's clock.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    days = span_days(first_on, last_on)
    begin = datetime(days[0].year, days[0].month, days[0].day, tzinfo=zone)
    after = days[-1] + timedelta(days=1)
    return begin, datetime(after.year, after.month, after.day, tzinfo=zone)
