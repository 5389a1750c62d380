"""Unpatrolled household-days: how long ago somebody passed each home, on the paths."""

from dataclasses import dataclass
from datetime import date, tzinfo

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.network.areas import Spans, reached_spans
from gridmap.analysis.network.attach import Attached, attach
from gridmap.analysis.network.network import Ints, Network
from gridmap.analysis.network.travel import SLACK_S

STATES = ("passed", "never", "unknown", "unmatched")
"""Of a home or path: somebody passed in the span; nobody did; there are no patrols to tell by; no path is near."""
_UNPLACED = ("no_position", "place_doubted", "inaccurate")
# Pairs of home and fix looked at in one go: a few ten MB.
_PAIRS = 4_000_000
_ONE_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, kw_only=True, eq=False)
class Patrolled:
    """Who was passed when, at the end of a span.

    Parameters
    ----------
    households
        On the households' index: `state`; `last_passed_on` (NaT: not passed); `days_since` (0: on the last day; `never`: the
        days of the span, as it is at least that long; NaN: cannot tell); `n_unpatrolled_days` (days of the span on which nobody
        passed; NaN: cannot tell).
    edges
        One row an edge of the network, in its order: `path` (label), `length_m`, `state`, `last_passed_on`, `days_since`.
    n_fixes
        Fixes of the span that lie on a path.
    n_fixes_unmatched, n_fixes_outside
        Fixes of the span that are far from every path; fixes outside the span or without a day.
    """

    households: pd.DataFrame
    edges: pd.DataFrame
    n_fixes: int
    n_fixes_unmatched: int
    n_fixes_outside: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Within:
    """The stretches of path from which each home is passed; the same for every span of days.

    Parameters
    ----------
    homes
        Attached to the network by length, in the order of the households.
    spans
        Of each home.
    """

    homes: Attached
    spans: Spans


def homes_within(
    households: gpd.GeoDataFrame,
    network: Network,
    *,
    reach_m: float,
    attach_limit_m: float,
    barriers: gpd.GeoSeries | None = None,
) -> Within:
    """Find the stretches of path from which each home is passed; for the options see `patrolled`.

    Raises
    ------
    CrsError
        If the homes have not the network's CRS.
    ValueError
        If a length is not above 0.
    """
    if not reach_m > 0:
        raise ValueError(f"`reach_m` must be above 0, got {reach_m}.")
    measured = network.by_length
    homes = attach(measured, households, limit_m=attach_limit_m, off_path_m_s=1.0, barriers=barriers)
    # One search a home, not a fix: homes are few, and a stretch of path holds its fixes in one row.
    return Within(homes=homes, spans=reached_spans(measured, homes, limit_s=reach_m, is_each=True))


def patrolled(
    households: gpd.GeoDataFrame,
    fixes: gpd.GeoDataFrame,
    network: Network,
    *,
    reach_m: float,
    attach_limit_m: float,
    first_day: date,
    last_day: date,
    barriers: gpd.GeoSeries | None = None,
    within: Within | None = None,
) -> Patrolled:
    """Say for each household and path how long ago a patrol passed.

    Passed = a fix of that day lies on a path (moved to the nearest place on one) from which the home is at most `reach_m` away
    along the paths, the home's own way to the path included. A patrol across the river passes nobody on this side.

    Parameters
    ----------
    households
        Points; the index names them. Metric CRS.
    fixes
        Points with `day` (date): check-ins, or the fixes of tracks. Same CRS. No person is needed, or used.
    network
        The paths.
    reach_m
        Metres along the paths that still count as passed; above 0.
    attach_limit_m
        Farther from any path than this a home is not matched and a fix is not used; above 0.
    first_day, last_day
        The span, both included.
    barriers
        Water that no home's way to a path crosses. Fixes are not held by it: noise puts some of them into the river.
    within
        What `homes_within` found with the same options, where several spans of days are asked for.

    Raises
    ------
    CrsError
        If the layers have not the network's CRS.
    ValueError
        If a length is not above 0, or the span ends before it begins.

    Notes
    -----
    One more fix raises no number but `n_fixes…`; a home nobody passed is not 0 but as long as the span. Rule: docs/kpi.md,
    "unpatrolled household-days".
    """
    first, last = np.datetime64(first_day, "D"), np.datetime64(last_day, "D")
    if not reach_m > 0:
        raise ValueError(f"`reach_m` must be above 0, got {reach_m}.")
    if last < first:
        raise ValueError(f"`last_day` must not be before `first_day`, got {first_day} to {last_day}.")
    n_days = int((last - first) / _ONE_DAY) + 1
    measured = network.by_length
    if within is None:
        within = homes_within(households, network, reach_m=reach_m, attach_limit_m=attach_limit_m, barriers=barriers)
    homes = within.homes
    days = pd.to_datetime(fixes["day"]).to_numpy().astype("datetime64[D]")
    in_span = (days >= first) & (days <= last)
    placed = attach(measured, fixes[in_span], limit_m=attach_limit_m, off_path_m_s=1.0)
    used = placed.take(placed.is_matched)
    day = ((days[in_span][placed.is_matched] - first) / _ONE_DAY).astype(np.intp)
    passed = _passed_days(measured, within, used, day, n_days=n_days)
    on_edge = np.full(network.n_edges, -1, dtype=np.intp)
    np.maximum.at(on_edge, used.edge, day)
    last_at_home = np.where(passed.any(axis=1), n_days - 1 - np.argmax(passed[:, ::-1], axis=1), -1)
    at_home = _since(last_at_home, first=first, n_days=n_days, n_fixes=len(used), is_matched=homes.is_matched)
    at_home["n_unpatrolled_days"] = np.where(at_home["days_since"].isna(), np.nan, n_days - passed.sum(axis=1))
    on_paths = _since(
        on_edge, first=first, n_days=n_days, n_fixes=len(used), is_matched=np.ones(network.n_edges, dtype=bool)
    )
    return Patrolled(
        households=at_home.set_axis(households.index),
        edges=pd.DataFrame({"path": network.path, "length_m": network.length_m}).join(on_paths),
        n_fixes=len(used),
        n_fixes_unmatched=int((~placed.is_matched).sum()),
        n_fixes_outside=int((~in_span).sum()),
    )


def seen_places(
    checkins: gpd.GeoDataFrame, matched: pd.DataFrame, tracks: gpd.GeoDataFrame, *, zone: tzinfo
) -> gpd.GeoDataFrame:
    """Return where somebody was on which day, as `patrolled` needs it; nobody's name is kept.

    Parameters
    ----------
    checkins, matched
        Check-ins and what `analysis.visits.match_visits` says of them, row by row. One whose place nobody knows for sure says
        nothing about a lane.
    tracks
        Fixes of tracks, same CRS.
    zone
        The township's clock.

    Returns
    -------
    GeoDataFrame
        Points with `day` (`datetime.date`).
    """
    placed = checkins[~matched["reason"].isin(_UNPLACED).to_numpy()]
    day = pd.concat([one["happened_at"] for one in (placed, tracks)]).dt.tz_convert(zone).dt.date
    points = pd.concat([placed.geometry, tracks.geometry])
    return gpd.GeoDataFrame({"day": day.to_numpy()}, geometry=points.to_numpy(), crs=checkins.crs)


def patrolled_by_grid(households: pd.DataFrame, *, grid_codes: pd.Series) -> pd.DataFrame:
    """Add up the household-days of each grid.

    Parameters
    ----------
    households
        As `Patrolled.households`.
    grid_codes
        The grid of each household, on the same index; null: in none, left out.

    Returns
    -------
    DataFrame
        Index `grid_code`, most household-days first: `n_households`, `n_unknown` (cannot tell; in none of the sums), `n_never`,
        `household_days` (sum of the days since each was passed), `n_unpatrolled_days` (sum of the days of the span on which
        each was not passed), `mean_days_since` (NaN where nothing is known).
    """
    by_grid = households.assign(
        is_unknown=households["days_since"].isna(), is_never=households["state"] == "never"
    ).groupby(grid_codes.rename("grid_code"))
    table = pd.DataFrame(
        {
            "n_households": by_grid.size(),
            "n_unknown": by_grid["is_unknown"].sum(),
            "n_never": by_grid["is_never"].sum(),
            "household_days": by_grid["days_since"].sum(min_count=1),
            "n_unpatrolled_days": by_grid["n_unpatrolled_days"].sum(min_count=1),
            "mean_days_since": by_grid["days_since"].mean(),
        }
    )
    return table.sort_values("household_days", ascending=False, kind="stable", na_position="last")


def patrolled_by_path(edges: pd.DataFrame) -> pd.DataFrame:
    """Say of each path how long ago somebody was anywhere on it, the longest unpatrolled first.

    Parameters
    ----------
    edges
        As `Patrolled.edges`.

    Returns
    -------
    DataFrame
        Index `path`: `length_m`, `days_since`, `last_passed_on`, `state`, `never_m` (metres of its edges on which nobody was in
        the span). Among equals the longest path comes first.
    """
    never_m = edges["length_m"].where(edges["state"] == "never", 0.0)
    by_path = edges.assign(never_m=never_m, is_passed=edges["state"] == "passed").groupby("path", sort=False)
    table = pd.DataFrame(
        {
            "length_m": by_path["length_m"].sum(),
            "days_since": by_path["days_since"].min(),
            "last_passed_on": by_path["last_passed_on"].max(),
            "state": by_path["is_passed"].any().map({True: "passed", False: "never"}),
            "never_m": by_path["never_m"].sum(),
        }
    )
    table["state"] = table["state"].mask(table["days_since"].isna(), "unknown")
    return table.sort_values(["days_since", "length_m"], ascending=False, kind="stable")


def longest_lanes(network: Network, homes: Attached, households: pd.DataFrame, *, from_days: float) -> gpd.GeoDataFrame:
    """Return the pieces of path with homes that nobody passed for long, the longest first.

    A hillside track without homes is no lane that owes a patrol.

    Parameters
    ----------
    network
        The paths.
    homes
        The households attached to it, in the order of `households`.
    households
        As `Patrolled.households`.
    from_days
        A home passed so many days ago, or more, was passed long ago.

    Returns
    -------
    GeoDataFrame
        One row an edge: `path` (label), `n_households` (homes on it passed long ago), `days_since` (the longest), the line. Homes
        of which nothing can be told are left out.
    """
    days = households["days_since"].to_numpy(dtype=float)
    rows = pd.DataFrame({"edge": homes.edge, "days_since": days})[homes.is_matched & (days >= from_days)]
    by_edge = rows.groupby("edge")["days_since"]
    table = pd.DataFrame({"n_households": by_edge.size(), "days_since": by_edge.max()})
    table = table.sort_values(["days_since", "n_households"], ascending=False, kind="stable")
    edge = table.index.to_numpy(dtype=np.intp)
    table.insert(0, "path", network.path[edge])
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=network.lines[edge], crs=network.crs)


def _passed_days(network: Network, within: Within, fixes: Attached, day: Ints, *, n_days: int) -> npt.NDArray[np.bool_]:
    """Return on which days each home was passed, shape (n_homes, n_days)."""
    passed = np.zeros((len(within.homes), n_days), dtype=bool)
    if not len(fixes):
        return passed
    spans = within.spans
    order = np.lexsort((fixes.along_m, fixes.edge))
    day = day[order]
    low, high = _rows_of_fixes(network, fixes, order, spans)
    n_pairs = high - low
    flat = passed.ravel()
    for part in np.split(np.arange(len(low)), np.flatnonzero(np.diff(np.cumsum(n_pairs) // _PAIRS)) + 1):
        n = n_pairs[part]
        fix = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n - low[part], n)
        flat[np.repeat(spans.point[part] * n_days, n) + day[fix]] = True
    return passed


def _rows_of_fixes(network: Network, fixes: Attached, order: Ints, spans: Spans) -> tuple[Ints, Ints]:
    """Return the first and the end of the row of sorted fixes on each span."""
    # Edges are laid behind each other with a gap, so that one sorted row is searched for all.
    before_m = np.concatenate([[0.0], np.cumsum(network.length_m + 1.0)])
    place_m = before_m[fixes.edge[order]] + fixes.along_m[order]
    low = np.searchsorted(place_m, before_m[spans.edge] + spans.low - SLACK_S, "left")
    high = np.searchsorted(place_m, before_m[spans.edge] + spans.high + SLACK_S, "right")
    return low, high


def _since(
    last_at: Ints, *, first: np.datetime64, n_days: int, n_fixes: int, is_matched: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Return state, last day and days since, from the number of the last day with a pass (-1: none)."""
    known = is_matched & (n_fixes > 0)
    days_since = np.where(known, np.where(last_at >= 0, n_days - 1 - last_at, n_days), np.nan)
    last_on = np.where(last_at >= 0, first + last_at * _ONE_DAY, np.datetime64("NaT", "D"))
    state = np.select([~is_matched, ~known, last_at >= 0], ["unmatched", "unknown", "passed"], default="never")
    return pd.DataFrame(
        {"state": state.astype(object), "last_passed_on": last_on.astype("datetime64[s]"), "days_since": days_since}
    )
