"""Visited, not visited, or nobody can tell: per checkpoint and period, with streaks and the table of days.

Nobody can tell where the data would have missed a visit (docs/kpi.md, "Verdict"): a track may have passed between two
fixes, a check-in names the place without a position or lies as near as its accuracy allows, or nobody of the team left
any trace in the period at all. An absence is said only of the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.rhythm import daily_dues, day_numbers, due_days, restriction, span_days
from gridmap.analysis.visit_classes import in_force

Flags = npt.NDArray[np.bool_]

VERDICTS = ("visited", "not_visited", "cannot_tell", "waiting")


@dataclass(frozen=True, kw_only=True, eq=False)
class DutyDays:
    """What is known of each checkpoint (rows) on each day (columns).

    Parameters
    ----------
    checkpoint_codes
        Names of the rows.
    days
        The columns, in order, without gaps.
    due
        Visits due, in parts (`rhythm.daily_dues`).
    is_due, is_made, is_possible, is_active
        Due that day at all; a visit that counts; none, but there may have been one; somebody of the team left a trace
        anywhere.
    """

    checkpoint_codes: pd.Index
    days: tuple[date, ...]
    due: npt.NDArray[np.float64]
    is_due: Flags
    is_made: Flags
    is_possible: Flags
    is_active: Flags


def duty_days(
    checkpoints: pd.DataFrame,
    visits: pd.DataFrame,
    possible: pd.DataFrame,
    traces: pd.DataFrame,
    postings: pd.DataFrame,
    *,
    first_on: date,
    last_on: date,
) -> DutyDays:
    """Lay visits, possible visits and traces out by checkpoint and day.

    Parameters
    ----------
    checkpoints
        What `rhythm.visits_due` needs; `grid_code` (may be null or left out).
    visits
        From `visit_classes.judge_visits`: `checkpoint_code` (null unless the visit counts), `day`.
    possible
        `place_code`, `day`: from `visits.possible_visits` and `tracks.track_visits`, of people of the team.
    traces
        `staff_id`, `day`: whoever checked in anywhere or recorded a track, in whatever way.
    postings
        `staff_id`, `grid_code` (null for a township team), `valid_from`, `valid_until` (may be null: outside). Of a grid to
        which nobody is posted that day nobody's silence says anything: there everybody's trace counts.
    first_on, last_on
        First and last day, both inside.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    days = span_days(first_on, last_on)
    codes = pd.Index(checkpoints.index, dtype=object)
    made = _marked(codes, days, visits["checkpoint_code"], visits["day"])
    own = postings[["staff_id", "grid_code", "valid_from", "valid_until"]].dropna(subset="grid_code").astype(object)
    teams = pd.Index(own["grid_code"].unique(), dtype=object)
    seen = traces[["staff_id", "day"]].drop_duplicates().astype(object).merge(own, on="staff_id")
    seen = seen[in_force(seen)]
    by_team = np.where(
        _manned(teams, days, own), _marked(teams, days, seen["grid_code"], seen["day"]), _any_trace(days, traces)
    )
    at = teams.get_indexer(pd.Index(restriction(checkpoints, "grid_code"), dtype=object))
    # A row more for the checkpoints in no team's grid; -1 finds it.
    is_active = np.vstack([by_team, _any_trace(days, traces)])[at]
    return DutyDays(
        checkpoint_codes=codes,
        days=tuple(days),
        due=daily_dues(checkpoints, days),
        is_due=due_days(checkpoints, days),
        is_made=made,
        is_possible=_marked(codes, days, possible["place_code"], possible["day"]) & ~made,
        is_active=is_active | made,
    )


def days_within(duty: DutyDays, *, first_on: date, last_on: date) -> DutyDays:
    """Return the days of a layout that lie in a span, both ends inside."""
    kept = [at for at, day in enumerate(duty.days) if first_on <= day <= last_on]
    return DutyDays(
        checkpoint_codes=duty.checkpoint_codes,
        days=tuple(duty.days[at] for at in kept),
        due=duty.due[:, kept],
        is_due=duty.is_due[:, kept],
        is_made=duty.is_made[:, kept],
        is_possible=duty.is_possible[:, kept],
        is_active=duty.is_active[:, kept],
    )


def _manned(teams: pd.Index, days: Sequence[date], postings: pd.DataFrame) -> Flags:
    """Tell on which days each grid has anybody of its own."""
    manned = np.zeros((len(teams), len(days)), dtype=bool)
    on = day_numbers(days)
    rows = teams.get_indexer(pd.Index(postings["grid_code"], dtype=object))
    for row, begin, end in zip(
        rows, day_numbers(postings["valid_from"]), day_numbers(postings["valid_until"]), strict=True
    ):
        manned[row] |= (on >= begin) & (on < end)
    return manned


def _any_trace(days: Sequence[date], traces: pd.DataFrame) -> Flags:
    found: Flags = np.isin(day_numbers(days), day_numbers(traces["day"].unique()))[None, :]
    return found


def _marked(codes: pd.Index, days: Sequence[date], names: pd.Series, on: pd.Series) -> Flags:
    marks = np.zeros((len(codes), len(days)), dtype=bool)
    row = codes.get_indexer(pd.Index(names, dtype=object))
    column = np.array([day.toordinal() for day in on], dtype=np.int64) - days[0].toordinal()
    inside = (row >= 0) & (column >= 0) & (column < len(days))
    marks[row[inside], column[inside]] = True
    return marks


def period_verdicts(periods: pd.DataFrame, duty: DutyDays, *, today: date) -> pd.DataFrame:
    """Say of each period whether its checkpoint was visited as often as needed.

    Parameters
    ----------
    periods
        From `rhythm.duty_periods`; their days must lie within `duty`, but for those after its last day.
    duty
        From `duty_days`.
    today
        Later days are open yet; periods that begin later are left out.

    Returns
    -------
    DataFrame
        The periods with `n_made` (days with a visit that counts), `n_possible` (further days due on which there may have
        been one) and `verdict`: `visited` (made as often as needed), `waiting` (can still be), `cannot_tell` (would be with
        the possible ones, or nobody of the team left a trace in the whole period), `not_visited`.

    Raises
    ------
    KeyError
        If a period is of a checkpoint that `duty` does not hold.
    ValueError
        If a period begins before the first day of `duty`.

    Notes
    -----
    One more visit never makes a worse verdict, but in a period that was silent until then; one more possible visit never
    makes `not_visited`.
    """
    begun = periods[periods["first_on"] <= today].reset_index(drop=True)
    row = duty.checkpoint_codes.get_indexer(pd.Index(begun["checkpoint_code"], dtype=object))
    if (row < 0).any():
        raise KeyError(f"`{begun['checkpoint_code'].iloc[int(np.argmax(row < 0))]}` is no checkpoint of `duty`.")
    zero = duty.days[0].toordinal()
    first, last = (
        np.array([day.toordinal() for day in begun[name]], dtype=np.int64) - zero for name in ("first_on", "last_on")
    )
    if (first < 0).any():
        raise ValueError(f"`periods` begin before `{duty.days[0]}`, the first day of `duty`. Lay out more days.")
    now = today.toordinal() - zero
    ahead = duty.is_due & ~duty.is_made & (np.arange(len(duty.days)) >= now)[None, :]
    past_possible = duty.is_possible & duty.is_due & ~ahead

    def total(flags: Flags) -> npt.NDArray[np.int64]:
        sums = np.concatenate([np.zeros((len(flags), 1), dtype=np.int64), np.cumsum(flags, axis=1)], axis=1)
        end = np.minimum(last + 1, len(duty.days))
        counted: npt.NDArray[np.int64] = sums[row, end] - sums[row, np.minimum(first, len(duty.days))]
        return counted

    n_made, n_possible, n_ahead = total(duty.is_made), total(past_possible), total(ahead)
    # Days after the layout's last are ahead as well.
    n_ahead = n_ahead + np.maximum(last - np.maximum(first, len(duty.days)) + 1, 0) * (last >= len(duty.days))
    silent = total(duty.is_active) == 0
    needed = begun["n_needed"].to_numpy()
    verdict = np.select(
        [
            n_made >= needed,
            (last >= now) & (n_made + n_ahead >= needed),
            (n_made + n_ahead + n_possible >= needed) | silent,
        ],
        ["visited", "waiting", "cannot_tell"],
        default="not_visited",
    )
    return begun.assign(n_made=n_made, n_possible=n_possible, verdict=verdict)


def checkpoint_verdicts(verdicts: pd.DataFrame, codes: pd.Index) -> pd.DataFrame:
    """Sum the verdicts of the periods up per checkpoint.

    Parameters
    ----------
    verdicts
        From `period_verdicts`.
    codes
        The checkpoints wanted.

    Returns
    -------
    DataFrame
        On `codes`: `n_periods`, `n_kept`, `n_missed`, `n_cannot_tell`, `n_waiting` (int, the last four add up to the first)
        and `verdict`: `not_visited` if any period was missed, else `cannot_tell`, else `waiting`, else `visited`; null without
        periods.
    """
    names = {"visited": "n_kept", "not_visited": "n_missed", "cannot_tell": "n_cannot_tell", "waiting": "n_waiting"}
    counts = pd.crosstab(verdicts["checkpoint_code"], verdicts["verdict"]) if len(verdicts) else pd.DataFrame()
    counts = counts.reindex(index=codes, columns=list(names), fill_value=0).fillna(0).astype(int).rename(columns=names)
    worst = np.select(
        [counts["n_missed"] > 0, counts["n_cannot_tell"] > 0, counts["n_waiting"] > 0, counts["n_kept"] > 0],
        ["not_visited", "cannot_tell", "waiting", "visited"],
        default="",
    )
    counts.insert(0, "n_periods", counts.sum(axis=1))
    counts["verdict"] = pd.Series(worst, index=codes, dtype=object).replace("", None)
    summed: pd.DataFrame = counts.set_axis(codes)
    summed.columns.name = None
    return summed


def streaks(verdicts: pd.DataFrame, codes: pd.Index) -> pd.DataFrame:
    """Find the current and the longest run of periods kept and missed.

    A period that nobody can tell, and one that goes on, neither counts nor breaks a run.

    Parameters
    ----------
    verdicts
        From `period_verdicts`, everything known.
    codes
        The checkpoints wanted.

    Returns
    -------
    DataFrame
        On `codes`: `run_kept`, `run_missed` (the current run; one of the two is 0), `longest_kept`, `longest_missed` (int).
    """
    told = verdicts[verdicts["verdict"].isin(["visited", "not_visited"])].sort_values(
        ["checkpoint_code", "first_on"], kind="stable"
    )
    kept = told["verdict"].eq("visited").to_numpy()
    code = told["checkpoint_code"].to_numpy(dtype=object)
    begins = np.ones(len(told), dtype=bool)
    begins[1:] = (code[1:] != code[:-1]) | (kept[1:] != kept[:-1])
    runs = (
        pd.DataFrame({"run": np.cumsum(begins), "code": code, "kept": kept})
        .groupby("run")
        .agg(code=("code", "first"), kept=("kept", "first"), length=("kept", "size"))
    )
    columns = {}
    for name, is_kept in (("kept", True), ("missed", False)):
        longest = runs[runs["kept"] == is_kept].groupby("code")["length"].max()
        last = runs.drop_duplicates("code", keep="last")
        current = last[last["kept"] == is_kept].set_index("code")["length"]
        columns[f"run_{name}"] = current.reindex(codes).fillna(0).astype(int)
        columns[f"longest_{name}"] = longest.reindex(codes).fillna(0).astype(int)
    return pd.DataFrame(columns, index=codes)[["run_kept", "run_missed", "longest_kept", "longest_missed"]]


def duty_calendar(duty: DutyDays, area_of_checkpoint: pd.Series, *, per: str) -> pd.DataFrame:
    """Lay dues and visits out as a table of areas and days or weeks.

    Parameters
    ----------
    duty
        From `duty_days`.
    area_of_checkpoint
        Index the checkpoint, value its area (a grid, or the checkpoint itself); null: left out.
    per
        `day` or `week` (Monday to Sunday; cut at the ends of `duty`).

    Returns
    -------
    DataFrame
        One row a cell: `area`, `first_on`, `n_due` (float), `n_made` (checkpoints and days with a visit that counts; NaN where
        no team of the area left a trace: unknown, not 0), `n_cannot_tell` (checkpoints and days due on which there may have
        been one), sorted by area and time.

    Raises
    ------
    ValueError
        If `per` is neither.
    """
    if per not in {"day", "week"}:
        raise ValueError(f"`per` must be `day` or `week`, got {per!r}.")
    step = [day if per == "day" else day - timedelta(days=day.weekday()) for day in duty.days]
    areas = area_of_checkpoint.reindex(duty.checkpoint_codes).to_numpy(dtype=object)
    n_days = len(duty.days)
    cells = pd.DataFrame(
        {
            "area": np.repeat(areas, n_days),
            "first_on": step * len(areas),
            "n_due": duty.due.ravel(),
            "n_made": duty.is_made.ravel().astype(float),
            "n_cannot_tell": (duty.is_possible & duty.is_due).ravel().astype(int),
            "is_active": duty.is_active.ravel(),
        }
    ).dropna(subset="area")
    table = (
        cells.groupby(["area", "first_on"])
        .agg(
            n_due=("n_due", "sum"), n_made=("n_made", "sum"), n_cannot_tell=("n_cannot_tell", "sum"),
            is_active=("is_active", "any"),
        )
        .reset_index()
    )  # fmt: skip
    return table.assign(n_made=table["n_made"].where(table["is_active"])).drop(columns="is_active")
