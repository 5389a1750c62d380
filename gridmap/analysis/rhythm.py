"""When a checkpoint is due: its rhythm (n a week or month), the days on which it is open and in season, its hours."""

import calendar
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import NaTType

Flags = npt.NDArray[np.bool_]

_DAYS_A_WEEK = 7
_NEVER = np.iinfo(np.int64).max
RESTRICTIONS = ("hours_from", "hours_until", "season_from", "season_until", "least_stay_minutes")
"""Columns of checkpoints that may be left out, or be null: then nothing is asked."""


def span_days(first_on: date, last_on: date) -> list[date]:
    """Return the days of a span, both ends inside.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    if last_on < first_on:
        raise ValueError(f"`last_on` must not lie before `first_on`, got {last_on} and {first_on}.")
    return [first_on + timedelta(days=step) for step in range((last_on - first_on).days + 1)]


def day_numbers(days: Iterable[Any]) -> npt.NDArray[np.int64]:
    """Return days as numbers; a missing day lies after all others."""
    return np.array(
        [day.toordinal() if isinstance(day, date) and not isinstance(day, NaTType) else _NEVER for day in days],
        dtype=np.int64,
    )


def due_days(checkpoints: pd.DataFrame, days: Sequence[date]) -> Flags:
    """Tell on which days each checkpoint is due: open and in season.

    Parameters
    ----------
    checkpoints
        `opened_on`, `closed_on` (may be null: the first day on which it is closed); `season_from`, `season_until` (MM-DD,
        both inside, across the new year where the end comes first; null or left out: all year).
    days
        The days, in any order.

    Returns
    -------
    ndarray of bool
        One row a checkpoint, one column a day.
    """
    numbers = day_numbers(days)
    opened, closed = day_numbers(checkpoints["opened_on"]), day_numbers(checkpoints["closed_on"])
    is_open: Flags = (numbers >= opened[:, None]) & (numbers < closed[:, None])
    return is_open & in_season(checkpoints, days)


def in_season(checkpoints: pd.DataFrame, days: Sequence[date]) -> Flags:
    """Tell which days lie in the season of each checkpoint; one row a checkpoint, one column a day."""
    written = np.array([f"{day:%m-%d}" for day in days], dtype="<U5")
    start, end = (restriction(checkpoints, name) for name in ("season_from", "season_until"))
    has_season = start.notna().to_numpy() & end.notna().to_numpy()
    first, last = (column.fillna("").to_numpy(dtype="<U5")[:, None] for column in (start, end))
    after, before = written[None, :] >= first, written[None, :] <= last
    inside: Flags = np.where(first <= last, after & before, after | before)
    return inside | ~has_season[:, None]


def restriction(checkpoints: pd.DataFrame, name: str) -> pd.Series:
    """Return one of `RESTRICTIONS`, null where the frame lacks it."""
    if name in checkpoints:
        return checkpoints[name].astype(object)
    return pd.Series(None, index=checkpoints.index, dtype=object)


def daily_dues(checkpoints: pd.DataFrame, days: Sequence[date]) -> npt.NDArray[np.float64]:
    """Return the visits due of each checkpoint (rows) on each day (columns): n/7, or n over the days of the month."""
    month_share = _month_shares(days)
    weekly = (checkpoints["per"] == "week").to_numpy()[:, None]
    a_day = np.where(weekly, 1 / _DAYS_A_WEEK, month_share[None, :])
    dues: npt.NDArray[np.float64] = (
        due_days(checkpoints, days) * a_day * checkpoints["n_visits_due"].to_numpy(dtype=float)[:, None]
    )
    return dues


def _month_shares(days: Sequence[date]) -> npt.NDArray[np.float64]:
    return np.array([1 / calendar.monthrange(day.year, day.month)[1] for day in days])


def visits_due(checkpoints: pd.DataFrame, *, first_on: date, last_on: date) -> pd.Series:
    """Visits that each checkpoint's rhythm asks for in a span of days.

    Parameters
    ----------
    checkpoints
        `n_visits_due`, `per` (`week` or `month`) and what `due_days` needs.
    first_on, last_on
        First and last day, both inside.

    Returns
    -------
    Series
        On the checkpoints' index, float: n a week is n/7 a day, n a month is n over the days of that month; only days on
        which the checkpoint is open and in season.

    Raises
    ------
    ValueError
        If the last day lies before the first.

    Notes
    -----
    Additive: the dues of two spans that meet add up to the due of both. Rule: docs/kpi.md, "visits due".
    """
    days = span_days(first_on, last_on)
    is_due = due_days(checkpoints, days)
    # Whole days are counted before they are divided: fourteen sevenths are two, not a hair less.
    weekly = is_due.sum(axis=1) / _DAYS_A_WEEK
    monthly = is_due @ _month_shares(days)
    times = np.where(checkpoints["per"] == "week", weekly, monthly) * checkpoints["n_visits_due"].to_numpy(dtype=float)
    return pd.Series(times, index=checkpoints.index, name="n_due")


def duty_periods(checkpoints: pd.DataFrame, *, first_on: date, last_on: date) -> pd.DataFrame:
    """List the periods in which each checkpoint must be visited, as its rhythm says.

    Seven or more a week is a visit each day; else the period is the week (Monday to Sunday) or the month.

    Parameters
    ----------
    checkpoints
        See `visits_due`; the index names them.
    first_on, last_on
        Periods that touch this span are given, whole.

    Returns
    -------
    DataFrame
        `checkpoint_code`, `per` (`day`, `week`, `month`), `first_on`, `last_on`, `n_needed` (visits, at least 1: the
        rhythm in proportion to the days due, rounded half up, at most one a day), by checkpoint and time. Periods that
        need none are left out.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    span_days(first_on, last_on)
    start = min(first_on - timedelta(days=first_on.weekday()), first_on.replace(day=1))
    month_end = last_on.replace(day=calendar.monthrange(last_on.year, last_on.month)[1])
    days = span_days(start, max(last_on + timedelta(days=_DAYS_A_WEEK - 1 - last_on.weekday()), month_end))
    is_due = due_days(checkpoints, days)
    rhythm = np.where(
        checkpoints["per"] == "month", "month", np.where(checkpoints["n_visits_due"] >= _DAYS_A_WEEK, "day", "week")
    )
    tables = [
        _periods(checkpoints[rhythm == per], is_due[rhythm == per], days, per=per) for per in ("day", "week", "month")
    ]
    periods = pd.concat(tables, ignore_index=True)
    touching = (periods["first_on"] <= last_on) & (periods["last_on"] >= first_on) & (periods["n_needed"] > 0)
    return periods[touching].sort_values(["checkpoint_code", "first_on"], kind="stable").reset_index(drop=True)


def _periods(checkpoints: pd.DataFrame, is_due: Flags, days: list[date], *, per: str) -> pd.DataFrame:
    starts = [at for at, day in enumerate(days) if at == 0 or _begins(day, per)]
    ends = [*(at - 1 for at in starts[1:]), len(days) - 1]
    n_days = np.diff([*starts, len(days)])
    n_due = np.add.reduceat(is_due.astype(np.int64), starts, axis=1) if len(checkpoints) else np.zeros((0, len(starts)))
    times = 1.0 if per == "day" else checkpoints["n_visits_due"].to_numpy(dtype=float)[:, None]
    # A week at the edge that is cut short by the frame is whole by construction, or touches no span that is asked for.
    whole_days = np.full(len(starts), _DAYS_A_WEEK) if per == "week" else n_days
    needed = np.minimum(np.floor(times * n_due / whole_days + 0.5), n_due).astype(int)
    n_points, n_periods = needed.shape
    return pd.DataFrame(
        {
            "checkpoint_code": np.repeat(checkpoints.index.to_numpy(dtype=object), n_periods),
            "per": per,
            "first_on": [days[at] for at in starts] * n_points,
            "last_on": [days[at] for at in ends] * n_points,
            "n_needed": needed.ravel(),
        }
    )


def _begins(day: date, per: str) -> bool:
    return per == "day" or (day.weekday() == 0 if per == "week" else day.day == 1)


def hours_class(at: datetime, hours_from: time | None, hours_until: time | None) -> tuple[str, date]:
    """Say whether a visit lies inside the hours, and to which day it belongs.

    Parameters
    ----------
    at
        The instant by the township's clock.
    hours_from, hours_until
        The hours, the end outside; they cross midnight where the end is not after the beginning; None: at any time.

    Returns
    -------
    tuple
        `visit`, `early` or `late` (outside: whichever of the next beginning and the last end is nearer), and the day;
        after midnight inside hours that cross it, the day on which they began.
    """
    today = at.date()
    if hours_from is None or hours_until is None:
        return "visit", today
    now, start, end = (60 * clock.hour + clock.minute for clock in (at, hours_from, hours_until))
    is_across = end <= start
    if is_across and now < end:
        return "visit", today - timedelta(days=1)
    if now >= start and (is_across or now < end):
        return "visit", today
    to_start, since_end = (start - now) % 1440, (now - end) % 1440
    return ("early" if to_start <= since_end else "late"), today
