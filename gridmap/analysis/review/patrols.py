"""Patrols of a month: points visited, missed or not to be told, doors that were knocked at, homes that nobody passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.analysis.coverage import checkpoint_cover
from gridmap.analysis.home_visits import door_to_door
from gridmap.analysis.network.network import Network
from gridmap.analysis.patrolled import Within, patrolled, seen_places
from gridmap.analysis.review.frames import Frames, Rules, Span
from gridmap.analysis.review.measures import UNKNOWN, Measure, counted, quotient
from gridmap.analysis.rhythm import duty_periods
from gridmap.analysis.rounds import Rounds, VisitRule, rounds_of
from gridmap.analysis.verdicts import checkpoint_verdicts, duty_days, period_verdicts
from gridmap.analysis.visits import match_visits, visit_figures

# Hours across midnight belong to the day before, and a week to the months in which it begins and ends.
_RIM = timedelta(days=8)


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthPatrols:
    """Patrols of one month.

    Parameters
    ----------
    checkpoints
        Those open on some day of the month: the columns of the frame, `n_due`, `n_made`, `n_counted`, `n_missing`, `state` and
        the columns of `analysis.verdicts.checkpoint_verdicts`.
    excluded
        Check-ins that count nowhere: `reason`, `day`.
    traces
        Who left a trace on which day.
    """

    checkpoints: pd.DataFrame
    excluded: pd.DataFrame
    traces: pd.DataFrame


def month_patrols(checkpoints: gpd.GeoDataFrame, rounds: Rounds, span: Span, *, today: date) -> MonthPatrols:
    """Judge every checkpoint of a month.

    Parameters
    ----------
    checkpoints
        Of the frames, with `grid_code` and `village_code`.
    rounds
        From `review_rounds`.
    span
        The month, begun.
    today
        The day of the review; periods that end later are open yet.
    """
    points = pd.DataFrame(checkpoints.drop(columns=checkpoints.geometry.name))
    standing = points[(points["opened_on"] <= span.last_on) & (points["closed_on"] > span.first_on)]
    figures = visit_figures(standing, rounds.visits, first_on=span.first_on, last_on=span.last_on, today=today)
    table = standing.join(figures.drop(columns="last_visit_at"))
    table = table.join(_verdicts(standing, rounds, span, today=today))
    in_month = (rounds.traces["day"] >= span.first_on) & (rounds.traces["day"] <= span.last_on)
    excluded = (rounds.excluded["day"] >= span.first_on) & (rounds.excluded["day"] <= span.last_on)
    return MonthPatrols(
        checkpoints=table.assign(n_missing=table["n_due"] - table["n_counted"]),
        excluded=rounds.excluded[excluded],
        traces=rounds.traces[in_month],
    )


def review_rounds(
    frames: Frames,
    checkpoints: gpd.GeoDataFrame,
    spans: Sequence[Span],
    *,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
) -> Rounds:
    """Say of each check-in and pass of some months which checkpoint it visited and how.

    Parameters
    ----------
    frames
        The township.
    checkpoints
        Of the frames, with `grid_code`.
    spans
        The months.
    known_at
        Nothing that happened later counts.
    zone
        The township's clock.
    rules
        What counts.
    """

    def of_months(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        happened = rows["happened_at"]
        is_near = np.zeros(len(rows), dtype=bool)
        for span in spans:
            is_near |= ((happened >= span.since - _RIM) & (happened < span.until + _RIM)).to_numpy()
        return gpd.GeoDataFrame(rows[is_near & (happened <= known_at).to_numpy()])

    return rounds_of(
        of_months(frames.checkins),
        of_months(frames.fixes),
        checkpoints,
        frames.postings,
        now=known_at,
        zone=zone,
        rule=VisitRule(
            checkpoint_reach_m=rules.checkpoint_reach_m,
            fix_accuracy_m=rules.fix_accuracy_m,
            patrol_max_speed_kmh=rules.patrol_max_speed_kmh,
            far_checkin_m=rules.far_checkin_m,
        ),
    )


def _verdicts(standing: pd.DataFrame, rounds: Rounds, span: Span, *, today: date) -> pd.DataFrame:
    periods = duty_periods(standing, first_on=span.first_on, last_on=span.last_on)
    layout = duty_days(
        standing,
        rounds.visits,
        rounds.possible,
        rounds.traces,
        rounds.postings,
        first_on=min([span.first_on, *periods["first_on"]]),
        last_on=max([span.last_on, *periods["last_on"]]),
    )
    verdicts = period_verdicts(periods, layout, today=today)
    touching = verdicts[(verdicts["first_on"] <= span.last_on) & (verdicts["last_on"] >= span.first_on)]
    return checkpoint_verdicts(touching.reset_index(drop=True), pd.Index(standing.index))


def patrol_measures(patrols: MonthPatrols) -> dict[str, Measure]:
    """Return the figures of the patrols of a month: `coverage.*`."""
    points = patrols.checkpoints
    is_known = len(points) > 0 and len(patrols.traces) > 0
    if not is_known:
        return {f"coverage.{name}": UNKNOWN for name in ("visited", "kept", "cannot_tell", "n_points", "n_missed")}
    told = points[points["state"] != "unknown"]
    kept, missed, unsure = (int(points[name].sum()) for name in ("n_kept", "n_missed", "n_cannot_tell"))
    return {
        "coverage.visited": quotient(float(told["n_counted"].sum()), float(told["n_due"].sum())),
        "coverage.kept": quotient(kept, kept + missed),
        "coverage.cannot_tell": quotient(unsure, kept + missed + unsure),
        "coverage.n_points": counted(len(points)),
        "coverage.n_missed": counted(int(is_gap(points).sum())),
    }


def is_gap(checkpoints: pd.DataFrame) -> pd.Series:
    """Return which checkpoints are gaps of a month: a period of theirs ended without the visits it asked for.

    One of which nobody can tell is none.
    """
    gaps: pd.Series = checkpoints["verdict"] == "not_visited"
    return gaps.rename("is_gap")


def gap_changes(before: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """Say of each checkpoint what became of its gap.

    Parameters
    ----------
    before, now
        The checkpoints of two months, with `verdict`.

    Returns
    -------
    Series
        On the checkpoints of either month that are a gap in one of them: `opened` (was none), `new_point` (was not there, or could not
        be told), `persists`, `closed`, `cannot_tell` (was a gap, now nobody can tell or it runs yet), `gone` (was a gap, is no point
        any more).
    """
    codes = before.index.union(now.index)
    old, new = (table["verdict"].reindex(codes).fillna("").astype(str) for table in (before, now))
    was, is_now = old == "not_visited", new == "not_visited"
    change = np.select(
        [was & is_now, is_now & (old == "visited"), is_now, was & (new == "visited"), was & (new == "")],
        ["persists", "opened", "new_point", "closed", "gone"],
        default="cannot_tell",
    )
    return pd.Series(change, index=codes, name="change", dtype=object)[was | is_now]


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthHomes:
    """Homes of one month: covered by a point, visited at the door, passed by a patrol.

    Parameters
    ----------
    households
        Index the household: `grid_code`, `group_code`, `is_covered`, `days_since`, `state` (see `analysis.patrolled`).
    doors
        Index `grid_code`: `n_households`, `n_visited`, `visited_share` of the month.
    """

    households: pd.DataFrame
    doors: pd.DataFrame


def month_homes(
    frames: Frames,
    seen: gpd.GeoDataFrame,
    network: Network,
    span: Span,
    *,
    within: Within | None,
    zone: tzinfo,
    rules: Rules,
) -> MonthHomes:
    """Say of each home whether a point is near on the last day, and how long ago anybody passed by then.

    Parameters
    ----------
    frames
        The township, households with `grid_code`.
    seen
        From `review_places`.
    network
        The paths.
    span
        The month, begun.
    within
        See `analysis.patrolled.patrolled`.
    zone
        The township's clock.
    rules
        What counts.
    """
    households, checkpoints, last = frames.households, frames.checkpoints, span.last_on
    standing = checkpoints[(checkpoints["opened_on"] <= last) & (checkpoints["closed_on"] > last)]
    cover = checkpoint_cover(households, standing, reach_m=rules.cover_reach_m)
    passed = patrolled(
        households,
        seen,
        network,
        reach_m=rules.patrol_pass_m,
        attach_limit_m=rules.path_attach_m,
        first_day=last - timedelta(days=rules.patrolled_days - 1),
        last_day=last,
        within=within,
    )
    visits = frames.home_visits
    inside = visits[(visits["happened_at"] >= span.since) & (visits["happened_at"] < span.until)]
    doors = door_to_door(households, inside, months=[span.first_on], zone=zone)
    return MonthHomes(
        households=pd.DataFrame(households[["grid_code", "group_code"]])
        .join(cover["is_covered"])
        .join(passed.households[["days_since", "state"]]),
        doors=doors.set_index("grid_code").drop(columns="month"),
    )


def review_places(
    frames: Frames, checkpoints: gpd.GeoDataFrame, *, known_at: datetime, zone: tzinfo, rules: Rules
) -> gpd.GeoDataFrame:
    """Return where somebody was on which day: check-ins whose place is known, and the fixes of tracks.

    Parameters
    ----------
    frames
        Check-ins and fixes.
    checkpoints
        Of the frames.
    known_at
        Nothing that happened later counts.
    zone
        The township's clock.
    rules
        What counts.
    """
    checkins, tracks = (
        gpd.GeoDataFrame(one[one["happened_at"] <= known_at]) for one in (frames.checkins, frames.fixes)
    )
    matched = match_visits(checkins, checkpoints, reach_m=rules.checkpoint_reach_m, zone=zone)
    return seen_places(checkins, matched, tracks, zone=zone)


def home_measures(homes: MonthHomes, *, has_points: bool, long_days: int) -> dict[str, Measure]:
    """Return the figures of homes: `coverage.*`."""
    households = homes.households
    days = households["days_since"].dropna()
    known = homes.doors.dropna(subset="n_visited")
    n_covered = int(households["is_covered"].sum())
    return {
        "coverage.covered": quotient(n_covered, len(households), is_known=has_points),
        "coverage.n_uncovered": counted(len(households) - n_covered, is_known=has_points and len(households) > 0),
        "coverage.door_to_door": quotient(
            float(known["n_visited"].sum()), float(known["n_households"].sum()), is_known=len(known) > 0
        ),
        "coverage.mean_days": quotient(float(days.sum()), len(days), is_known=len(days) > 0),
        "coverage.long_share": quotient(int((days >= long_days).sum()), len(days), is_known=len(days) > 0),
    }
