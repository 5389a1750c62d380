"""Each visit has one class: it counts, or it was early, late, out of season, too short, or made by somebody else."""

from datetime import datetime, tzinfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.rhythm import day_numbers, due_days, hours_class, in_season, restriction

CLASSES = ("visit", "early", "late", "out_of_season", "too_short", "foreign")
"""Classes of what happened at a checkpoint; only `visit` counts."""
EXCLUDED = ("future", "far_away", "no_position", "place_doubted", "inaccurate", "too_far", "not_open")
"""Reasons of check-ins that are no visit of any checkpoint."""


def judge_visits(
    visits: pd.DataFrame,
    checkpoints: pd.DataFrame,
    postings: pd.DataFrame,
    *,
    now: datetime,
    zone: tzinfo,
    far_m: float,
) -> pd.DataFrame:
    """Give each visit its class, and set aside what lies in the future or far away.

    Of several faults of one visit the first of this order is its class: not of the team, out of season, early or late,
    too short. Stay is known from tracks only; too short is a stay whose longest possible length is below the least.

    Parameters
    ----------
    visits
        From `match_visits` and `track_visits`, put together.
    checkpoints
        With `grid_code` (may be null) and what `rhythm.due_days` needs; hours and least stay may be left out.
    postings
        `staff_id`, `grid_code` (null for a township team), `valid_from`, `valid_until` (may be null: outside). The team of a
        checkpoint is everybody posted that day to its grid, to a grid above it or to a township team. Where nobody is
        posted to the grid itself, nobody is a stranger.
    now
        The present instant; what happens later never counts.
    zone
        The township's clock.
    far_m
        Metres from the nearest checkpoint beyond which a check-in is far away, not just beside the place.

    Returns
    -------
    DataFrame
        `visits` with `reason` one of `CLASSES` and `EXCLUDED`, `checkpoint_code` null unless it counts, and `day` the day to
        which it belongs (hours that cross midnight begin on the day before).
    """
    reason = visits["reason"].to_numpy(dtype=object).copy()
    reason[(visits["reason"] == "too_far").to_numpy() & (visits["distance_m"] > far_m).to_numpy()] = "far_away"
    days = visits["day"].to_numpy(dtype=object).copy()
    rows = np.flatnonzero(visits["place_code"].notna().to_numpy() & (reason == "visit"))
    at = checkpoints.index.get_indexer(pd.Index(visits["place_code"].iloc[rows]))
    clock = visits["happened_at"].iloc[rows].dt.tz_convert(zone)
    in_hours, days[rows] = _hours(clock, checkpoints, at)
    judged = pd.DataFrame(
        {
            "staff_id": visits["staff_id"].iloc[rows].to_numpy(dtype=object),
            "grid_code": restriction(checkpoints, "grid_code").to_numpy()[at],
            "day": days[rows],
        }
    )
    is_foreign = ~of_team(judged, postings)
    is_open, is_season = _open_and_in_season(checkpoints, at, days[rows])
    least_s = pd.to_numeric(restriction(checkpoints, "least_stay_minutes")).to_numpy(dtype=float)[at] * 60
    with np.errstate(invalid="ignore"):
        too_short = visits["stay_most_s"].to_numpy(dtype=float)[rows] < least_s
    reason[rows] = np.select(
        [~is_open, is_foreign, ~is_season, in_hours != "visit", too_short],
        ["not_open", "foreign", "out_of_season", in_hours, "too_short"],
        "visit",
    )
    reason[(visits["happened_at"] > now).to_numpy()] = "future"
    counts = reason == "visit"
    return visits.assign(
        reason=reason, day=days, checkpoint_code=visits["place_code"].astype(object).where(counts, None)
    )


def _hours(
    clock: pd.Series, checkpoints: pd.DataFrame, at: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Return how each visit lies to the hours of its checkpoint, and its day."""
    how, day = np.full(len(clock), "visit", dtype=object), clock.dt.date.to_numpy(dtype=object).copy()
    begin, end = (restriction(checkpoints, name).to_numpy()[at] for name in ("hours_from", "hours_until"))
    for row in np.flatnonzero(pd.notna(begin) & pd.notna(end)):
        how[row], day[row] = hours_class(clock.iloc[row], begin[row], end[row])
    return how, day


def _open_and_in_season(
    checkpoints: pd.DataFrame, at: npt.NDArray[np.intp], days: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    distinct = sorted(set(days))
    column = pd.Index(distinct, dtype=object).get_indexer(days)
    season = in_season(checkpoints, distinct)
    open_all_year = due_days(checkpoints.drop(columns=["season_from", "season_until"], errors="ignore"), distinct)
    return open_all_year[at, column], season[at, column]


def of_team(rows: pd.DataFrame, postings: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which people are of the team of a grid on a day.

    Parameters
    ----------
    rows
        `staff_id`, `grid_code` (may be null), `day`; any index.
    postings
        See `judge_visits`.

    Returns
    -------
    ndarray of bool
        By position; True also where the grid is unknown or has nobody of its own that day.
    """
    asked = rows[["staff_id", "grid_code", "day"]].reset_index(drop=True).astype(object)
    asked = asked.rename(columns={"grid_code": "asked_code"})
    asked["row"] = asked.index
    own = postings[["staff_id", "grid_code", "valid_from", "valid_until"]].astype(object)
    theirs = asked.merge(own, on="staff_id")
    serving = theirs[in_force(theirs)]
    everywhere = serving["grid_code"].isna()
    above = [
        isinstance(asked_code, str) and asked_code.startswith(code)
        for asked_code, code in zip(serving["asked_code"], serving["grid_code"].fillna("-"), strict=True)
    ]
    members = set(serving.loc[everywhere | np.array(above, dtype=bool), "row"])
    # Nulls would find each other in a merge: a checkpoint in no grid and a township team.
    own = own.dropna(subset="grid_code")
    pairs = asked[["asked_code", "day"]].drop_duplicates().merge(own, left_on="asked_code", right_on="grid_code")
    manned = set(pairs[in_force(pairs)][["asked_code", "day"]].itertuples(index=False, name=None))
    is_judged = [pair in manned for pair in zip(asked["asked_code"], asked["day"], strict=True)]
    known: npt.NDArray[np.bool_] = asked["row"].isin(members).to_numpy(dtype=bool)
    is_open_to_all: npt.NDArray[np.bool_] = ~np.array(is_judged, dtype=bool)
    return known | is_open_to_all


def in_force(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell by position whether a posting (`valid_from`, `valid_until`, may be null) is in force on the `day` beside it."""
    begins, ends, on = (day_numbers(rows[name]) for name in ("valid_from", "valid_until", "day"))
    serves: npt.NDArray[np.bool_] = (begins <= on) & (ends > on)
    return serves
