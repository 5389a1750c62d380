"""Passes of checkpoints in GPS tracks: sure, possible, or none.

Between two fixes a person can have been anywhere in an ellipse with the fixes as foci, whose long axis is the way that
fits into the time (the space-time prism of Hägerstrand; Pfoser and Jensen 1999). A pass is sure where a fix lies inside
the reach with its accuracy, or where the reach closes off the whole ellipse; it is possible where the ellipse touches
the reach. A circle of 120 m with a fix every 100 m misses one pass in five when only fixes count (traccar #3779).
"""

from datetime import tzinfo
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from gridmap.analysis.geometry import coordinates_of
from gridmap.crs import require_one_metric_crs

Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

# The fastest leg of a track is measured in a straight line; ways in hilly country are up to half as long again.
_WAY_FACTOR = 1.5
_WALKING_M_S = 1.4
_LONGEST_GAP_S = 12 * 3600.0


class _Fixes(NamedTuple):
    """Fixes in the order of their tracks: places, accuracy, seconds, and which begin a track."""

    rows: pd.DataFrame
    xy: Numbers
    error_m: Numbers
    at_s: Numbers
    starts: npt.NDArray[np.bool_]


class _Pairs(NamedTuple):
    """Fixes or legs (by number) and checkpoints (by number) that are near each other."""

    one: Rows
    point: Rows


def track_visits(
    fixes: gpd.GeoDataFrame,
    checkpoints: gpd.GeoDataFrame,
    *,
    reach_m: float,
    accuracy_m: float,
    max_speed_m_s: float,
    zone: tzinfo,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the sure and the possible passes of checkpoints.

    Parameters
    ----------
    fixes
        Points; `track_code`, `staff_id`, `happened_at` (tz-aware), `accuracy_m` (may be null). Metric CRS. A gap of more than
        twelve hours ends a track.
    checkpoints
        Points; the index names them. Same CRS.
    reach_m
        Metres from the checkpoint that still count as there; above 0.
    accuracy_m
        Metres by which a fix may be off that does not say so; not below 0.
    max_speed_m_s
        Nobody is faster; above 0. A track is taken to be at most half as fast again as its own fastest leg, and
        as somebody who walks.
    zone
        The township's clock.

    Returns
    -------
    tuple of DataFrames
        Sure passes, columns as of `match_visits`, one row a stay at a checkpoint, with `stay_least_s` and `stay_most_s`
        (infinite where the track begins or ends there). Possible ones: `place_code`, `staff_id`, `day`, `why`: `gap` (between
        two fixes) or `accuracy` (a fix that may lie inside).

    Raises
    ------
    CrsError
        If the layers do not share one metric CRS.
    ValueError
        If a number is out of its range.

    Notes
    -----
    Where nobody recorded a track nothing is said. Rule: docs/kpi.md, "Verdict".
    """
    require_one_metric_crs(fixes=fixes, checkpoints=checkpoints)
    if not (reach_m > 0 and max_speed_m_s > 0 and accuracy_m >= 0):
        raise ValueError(
            f"`reach_m` and `max_speed_m_s` must be above 0 and `accuracy_m` not below,"
            f" got {reach_m}, {max_speed_m_s} and {accuracy_m}."
        )
    ordered = _ordered(fixes, accuracy_m=accuracy_m)
    points = coordinates_of(checkpoints)
    points[~np.isfinite(points).all(axis=1)] = np.inf
    standing = np.flatnonzero(np.isfinite(points).all(axis=1)).astype(np.int64)
    codes = checkpoints.index.to_numpy(dtype=object)
    if not len(ordered.at_s) or not len(standing):
        nothing = _Pairs(*_none())
        return _visit_rows(ordered, codes, _no_stays(), zone=zone), _possible_rows(
            ordered, codes, nothing, nothing, zone
        )
    tree = cKDTree(points[standing])
    near = _near(tree, standing, ordered.xy, reach_m + ordered.error_m)
    stays = _stays(ordered, near, points, reach_m=reach_m)
    possible, crossings = _legs(ordered, tree, standing, points, reach_m=reach_m, max_speed_m_s=max_speed_m_s)
    stays = pd.concat([stays, crossings], ignore_index=True)
    return _visit_rows(ordered, codes, stays, zone=zone), _possible_rows(ordered, codes, near, possible, zone)


def _ordered(fixes: gpd.GeoDataFrame, *, accuracy_m: float) -> _Fixes:
    placed = fixes[np.isfinite(coordinates_of(fixes)).all(axis=1)]
    rows = placed.sort_values(["track_code", "staff_id", "happened_at"], kind="stable")
    at_s = rows["happened_at"].astype("int64").to_numpy() / _ticks(rows["happened_at"])
    same = (rows["track_code"] == rows["track_code"].shift()) & (rows["staff_id"] == rows["staff_id"].shift())
    gap_s = np.diff(at_s, prepend=np.nan)
    return _Fixes(
        rows=pd.DataFrame(rows.drop(columns=rows.geometry.name)),
        xy=coordinates_of(rows),
        error_m=rows["accuracy_m"].astype(float).fillna(accuracy_m).to_numpy(),
        at_s=at_s,
        starts=~same.to_numpy(dtype=bool) | (gap_s > _LONGEST_GAP_S),
    )


def _ticks(instants: pd.Series) -> float:
    """Return how many of an instant's whole numbers make a second."""
    return float(
        {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[
            pd.DatetimeTZDtype(tz="UTC").unit if instants.empty else instants.dt.unit
        ]
    )


def _near(tree: cKDTree, standing: Rows, places: Numbers, radius_m: Numbers) -> _Pairs:
    found = tree.query_ball_point(places, radius_m, return_sorted=True)
    counts = np.array([len(one) for one in found], dtype=np.int64)
    if not counts.sum():
        return _Pairs(*_none())
    flat = np.concatenate([np.asarray(one, dtype=np.int64) for one in found if one])
    return _Pairs(np.repeat(np.arange(len(places), dtype=np.int64), counts), standing[flat])


def _none() -> tuple[Rows, Rows]:
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


def _no_stays() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fix": np.zeros(0, dtype=np.int64),
            "point": np.zeros(0, dtype=np.int64),
            "at_s": np.zeros(0),
            "distance_m": np.zeros(0),
            "stay_least_s": np.zeros(0),
            "stay_most_s": np.zeros(0),
        }
    )


def _stays(fixes: _Fixes, pairs: _Pairs, points: Numbers, *, reach_m: float) -> pd.DataFrame:
    """Find runs of fixes that may lie inside, of which at least one surely does."""
    if not len(pairs.one):
        return _no_stays()
    order = np.lexsort((pairs.one, pairs.point))
    fix, point = pairs.one[order], pairs.point[order]
    off_m = np.hypot(*(fixes.xy[fix] - points[point]).T)
    sure = off_m + fixes.error_m[fix] <= reach_m
    begins = np.ones(len(fix), dtype=bool)
    begins[1:] = (point[1:] != point[:-1]) | (fix[1:] != fix[:-1] + 1) | fixes.starts[fix[1:]]
    at_s = fixes.at_s[fix]
    table = pd.DataFrame(
        {
            "run": np.cumsum(begins),
            "fix": fix,
            "point": point,
            "off_m": off_m,
            "first_sure_s": np.where(sure, at_s, np.inf),
            "last_sure_s": np.where(sure, at_s, -np.inf),
            "sure_fix": np.where(sure, fix, np.iinfo(np.int64).max),
        }
    )
    runs = table.groupby("run").agg(
        first=("fix", "min"), last=("fix", "max"), point=("point", "first"), distance_m=("off_m", "min"),
        first_sure_s=("first_sure_s", "min"), last_sure_s=("last_sure_s", "max"), fix=("sure_fix", "min"),
    )  # fmt: skip
    runs = runs[np.isfinite(runs["first_sure_s"])]
    first, last = runs["first"].to_numpy(), runs["last"].to_numpy()
    after = np.minimum(last + 1, len(fixes.at_s) - 1)
    came = np.where(fixes.starts[first], -np.inf, fixes.at_s[np.maximum(first - 1, 0)])
    left = np.where((last + 1 >= len(fixes.at_s)) | fixes.starts[after], np.inf, fixes.at_s[after])
    return pd.DataFrame(
        {
            "fix": runs["fix"].to_numpy(),
            "point": runs["point"].to_numpy(),
            "at_s": runs["first_sure_s"].to_numpy(),
            "distance_m": runs["distance_m"].to_numpy(),
            "stay_least_s": (runs["last_sure_s"] - runs["first_sure_s"]).to_numpy(),
            "stay_most_s": left - came,
        }
    )


def _legs(
    fixes: _Fixes, tree: cKDTree, standing: Rows, points: Numbers, *, reach_m: float, max_speed_m_s: float
) -> tuple[_Pairs, pd.DataFrame]:
    """Legs on which a checkpoint may have been passed, and those on which it must have been."""
    first = np.flatnonzero(~fixes.starts[1:]).astype(np.int64)
    if not len(first):
        return _Pairs(*_none()), _no_stays()
    gap_s = fixes.at_s[first + 1] - fixes.at_s[first]
    apart_m = np.hypot(*(fixes.xy[first + 1] - fixes.xy[first]).T)
    track = np.cumsum(fixes.starts)[first]
    error_m = fixes.error_m[first] + fixes.error_m[first + 1]
    # Noise is no haste: what the errors of both ends explain is not counted as way.
    sure_m = np.maximum(apart_m - error_m, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        legs = pd.Series(np.where(gap_s > 0, sure_m / gap_s, 0.0))
    pace = np.maximum(legs.groupby(track).transform("max").to_numpy(), _WALKING_M_S)
    way_m = np.maximum(gap_s * np.minimum(max_speed_m_s, _WAY_FACTOR * pace), apart_m) + error_m
    middles = (fixes.xy[first] + fixes.xy[first + 1]) / 2
    near = _near(tree, standing, middles, way_m / 2 + reach_m)
    leg, point = near.one, near.point
    from_m = np.hypot(*(fixes.xy[first[leg]] - points[point]).T)
    to_m = np.hypot(*(fixes.xy[first[leg] + 1] - points[point]).T)
    touches = from_m + to_m <= way_m[leg] + 2 * reach_m
    crossings = _crossings(fixes, first, leg, point, points, apart_m=apart_m, way_m=way_m, reach_m=reach_m)
    return _Pairs(first[leg[touches]], point[touches]), crossings


def _crossings(
    fixes: _Fixes,
    first: Rows,
    leg: Rows,
    point: Rows,
    points: Numbers,
    *,
    apart_m: Numbers,
    way_m: Numbers,
    reach_m: float,
) -> pd.DataFrame:
    """Legs whose whole ellipse is closed off by the reach of a checkpoint: whoever goes from end to end goes through it."""
    start, end = fixes.xy[first[leg]], fixes.xy[first[leg] + 1]
    length = apart_m[leg]
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = (end - start) / length[:, None]
        along = ((points[point] - start) * ahead).sum(axis=1)
        aside = np.abs((points[point] - start)[:, 0] * ahead[:, 1] - (points[point] - start)[:, 1] * ahead[:, 0])
        half_long = way_m[leg] / 2
        half_wide = np.sqrt(np.maximum(half_long**2 - (length / 2) ** 2, 0))
        width = half_wide * np.sqrt(np.maximum(1 - ((along - length / 2) / half_long) ** 2, 0))
        between = (along > fixes.error_m[first[leg]]) & (along < length - fixes.error_m[first[leg] + 1])
        sure = between & (aside + width <= reach_m)
    leg, point, along, length, aside = leg[sure], point[sure], along[sure], length[sure], aside[sure]
    fix = first[leg]
    begin, finish = fixes.at_s[fix], fixes.at_s[fix + 1]
    inside = [np.hypot(*(fixes.xy[one] - points[point]).T) - fixes.error_m[one] <= reach_m for one in (fix, fix + 1)]
    return pd.DataFrame(
        {
            "fix": fix,
            "point": point,
            "at_s": begin + (finish - begin) * along / length,
            "distance_m": aside,
            "stay_least_s": 0.0,
            "stay_most_s": np.where(inside[0] | inside[1], np.inf, finish - begin),
        }
    )


def _visit_rows(fixes: _Fixes, codes: npt.NDArray[np.object_], stays: pd.DataFrame, *, zone: tzinfo) -> pd.DataFrame:
    fix = stays["fix"].to_numpy(dtype=np.int64)
    place = codes[stays["point"].to_numpy(dtype=np.int64)] if len(stays) else np.zeros(0, dtype=object)
    instants = pd.to_datetime(pd.Series(np.round(stays["at_s"].to_numpy(dtype=float)), dtype=float), unit="s", utc=True)
    visits = pd.DataFrame(
        {
            "checkpoint_code": place,
            "place_code": place,
            "distance_m": stays["distance_m"].to_numpy(dtype=float),
            "happened_at": instants,
            "day": instants.dt.tz_convert(zone).dt.date.astype(object),
            "place": None,
            "staff_id": fixes.rows["staff_id"].to_numpy(dtype=object)[fix],
            "source": "track",
            "stay_least_s": stays["stay_least_s"].to_numpy(dtype=float),
            "stay_most_s": stays["stay_most_s"].to_numpy(dtype=float),
            "reason": "visit",
        }
    )
    return visits.sort_values("happened_at", kind="stable").reset_index(drop=True)


def _possible_rows(
    fixes: _Fixes, codes: npt.NDArray[np.object_], near: _Pairs, legs: _Pairs, zone: tzinfo
) -> pd.DataFrame:
    day = fixes.rows["happened_at"].dt.tz_convert(zone).dt.date.to_numpy(dtype=object)
    staff_id = fixes.rows["staff_id"].to_numpy(dtype=object)
    found = ((near.one, near.point, "accuracy"), (legs.one, legs.point, "gap"), (legs.one + 1, legs.point, "gap"))
    tables = [
        pd.DataFrame({"place_code": codes[point], "staff_id": staff_id[one], "day": day[one], "why": why})
        for one, point, why in found
    ]
    return pd.concat(tables, ignore_index=True).drop_duplicates(ignore_index=True)
