"""Clocks of incidents in working time: when each step is due, what goes up by itself, how long steps took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np
import pandas as pd

from gridmap.analysis.incidents import in_order
from gridmap.errors import InputError
from gridmap.texts import t
from gridmap.workdays import Span, WorkCalendar

CLOCKS = ("accept", "member", "grid", "village", "close")
_URGENCIES = ("normal", "urgent")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Deadlines:
    """How long what may take.

    Parameters
    ----------
    spans
        By clock (`CLOCKS`), urgency and category code; None stands for every urgency or category.
    """

    spans: Mapping[tuple[str, str | None, str | None], Span]

    @classmethod
    def parsed(cls, written: str) -> "Deadlines":
        """Return what a setting such as `accept=1wd accept.urgent=2h close=7wd close.D12=30wd` means.

        Raises
        ------
        InputError
            If a part is written otherwise, a clock is unknown or has no span for every case.
        """
        spans: dict[tuple[str, str | None, str | None], Span] = {}
        for part in written.split():
            name, equals, span = part.partition("=")
            clock, *others = name.split(".")
            urgency = next((other for other in others if other in _URGENCIES), None)
            categories = [other for other in others if other not in _URGENCIES]
            if not equals or clock not in CLOCKS or len(categories) > 1 or len(others) - len(categories) > 1:
                raise InputError(t("handling.error_deadline", part=part[:60], clocks=", ".join(CLOCKS)))
            spans[clock, urgency, next(iter(categories), None)] = Span.parsed(span)
        missing = [clock for clock in CLOCKS if (clock, None, None) not in spans]
        if missing:
            raise InputError(t("handling.error_deadline", part=f"{missing[0]}=?", clocks=", ".join(CLOCKS)))
        return cls(spans)

    def span(self, clock: str, *, urgency: str, category_code: str) -> Span:
        """Return the span of the most exact rule: category and urgency, category, urgency, every case.

        Raises
        ------
        KeyError
            If there is no such clock.
        """
        exact = ((clock, urgency, category_code), (clock, None, category_code), (clock, urgency, None))
        return next((self.spans[one] for one in exact if one in self.spans), None) or self.spans[clock, None, None]


def case_clocks(
    incidents: pd.DataFrame,
    states: pd.DataFrame,
    steps: pd.DataFrame,
    *,
    deadlines: Deadlines,
    calendar: WorkCalendar,
    now: datetime,
) -> pd.DataFrame:
    """Return when the open incidents are due next, and where they go by themselves if nobody moves.

    Parameters
    ----------
    incidents
        Index the incident's code; `urgency`, `category_code`, `happened_at`.
    states
        From `analysis.incidents.incident_states`, on the same index.
    steps
        `incident_code`, `kind`, `happened_at`; in any order.
    deadlines, calendar
        How long what may take, and how time is counted.
    now
        The instant, tz-aware; later steps are left out.

    Returns
    -------
    DataFrame
        Index the open incidents: `close_due_at` (as set, else counted from the happening), `accept_due_at` (NaT once signed),
        `level_due_at` (NaT at the township), `escalates_at` (the first of the two; NaT at the township, dispatched, or
        paused), `next_due_at` (the first of all three; NaT while paused), `automatic_key` (holder and the instant it came
        there: the same however often it is asked).

    Raises
    ------
    InputError
        If an instant lies outside the calendar.
    KeyError
        If a column is missing.

    Notes
    -----
    While a case is paused its clocks stand: what was left at the pause is left after it. A granted extension also keeps
    it from going up until then. Rule: docs/kpi.md, "Clocks".
    """
    open_states = states[states["is_open"]]
    pauses = _pauses(steps, now)
    rows = {}
    told = incidents.loc[open_states.index, ["urgency", "category_code", "happened_at"]]
    for (code, state), (_, incident) in zip(open_states.iterrows(), told.iterrows(), strict=True):
        policy = {"urgency": str(incident["urgency"]), "category_code": str(incident["category_code"])}
        held_at = incident["happened_at"] if pd.isna(state["held_at"]) else state["held_at"]

        def due(clock: str, since: pd.Timestamp, policy: Mapping[str, str] = policy, code: object = code) -> datetime:
            span = deadlines.span(clock, **policy)
            first = calendar.add(since.to_pydatetime(), span)
            spells = [(max(begin, since), end) for begin, end in pauses.get(code, ()) if end > since]
            stood = [calendar.elapsed(begin, end, unit=span.unit) for begin, end in spells]
            return calendar.later(first, sum(stood, timedelta(0)), unit=span.unit)

        is_top = state["holder"] == "township"
        is_set = not pd.isna(state["due_at"])
        level_due = None if is_top else due(str(state["holder"]), held_at)
        if level_due is not None and is_set and state["is_extended"]:
            level_due = max(level_due, state["due_at"].to_pydatetime())
        accept_due = None if state["is_accepted"] else due("accept", held_at)
        rows[code] = {
            "close_due_at": state["due_at"] if is_set else due("close", incident["happened_at"]),
            "accept_due_at": accept_due,
            "level_due_at": level_due,
            "automatic_key": f"{state['holder']} {held_at:%Y-%m-%dT%H:%M:%S.%f%z}",
        }
    columns = ["close_due_at", "accept_due_at", "level_due_at"]
    clocks = pd.DataFrame.from_dict(rows, orient="index", columns=[*columns, "automatic_key"]).reindex(
        open_states.index
    )
    clocks[columns] = clocks[columns].apply(pd.to_datetime, utc=True)
    is_paused, is_top = open_states["paused_at"].notna(), open_states["holder"] == "township"
    clocks["escalates_at"] = clocks[["accept_due_at", "level_due_at"]].min(axis=1).mask(is_paused | is_top)
    clocks["next_due_at"] = clocks[columns].min(axis=1).mask(is_paused)
    return clocks


def _pauses(steps: pd.DataFrame, now: datetime) -> dict[object, list[tuple[pd.Timestamp, pd.Timestamp]]]:
    """Return the pauses of each incident, the last one until now where it goes on."""
    known = steps[(steps["happened_at"] <= now) & steps["kind"].isin(["paused", "resumed", "closed", "reopened"])]
    found: dict[object, list[tuple[pd.Timestamp, pd.Timestamp]]] = {}
    for code, rows in in_order(known).groupby("incident_code"):
        since = None
        for kind, at in zip(rows["kind"], rows["happened_at"], strict=True):
            if kind == "paused" and since is None:
                since = at
            elif kind != "paused" and since is not None:
                found.setdefault(code, []).append((since, at))
                since = None
        if since is not None:
            found.setdefault(code, []).append((since, pd.Timestamp(now)))
    return found


def due_escalations(clocks: pd.DataFrame, *, now: datetime) -> pd.DataFrame:
    """Return the incidents that go up by themselves now: those whose clock at their level ran out, longest first.

    Parameters
    ----------
    clocks
        From `case_clocks`.
    now
        The instant, tz-aware.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    return clocks[clocks["escalates_at"] <= now].sort_values("escalates_at", kind="stable")


def step_times(steps: pd.DataFrame, *, calendar: WorkCalendar, now: datetime) -> pd.DataFrame:
    """Return how long steps took: from the step before, in working days of 24 hours.

    Parameters
    ----------
    steps
        `incident_code`, `kind`, `level`, `happened_at`; in any order. Steps later than `now` are left out.
    calendar
        How time is counted.
    now
        The instant, tz-aware.

    Returns
    -------
    DataFrame
        Index `kind`, `level`; `n_steps` (int), `median_days`, `p90_days` (linear between order statistics). The first step of
        an incident took no time and is not counted; steps that name no level are of the level "".

    Raises
    ------
    KeyError
        If a column is missing.
    """
    known = in_order(steps[steps["happened_at"] <= now])
    before = known.groupby("incident_code")["happened_at"].shift()
    timed = known[before.notna()]
    days = [
        calendar.elapsed(one.to_pydatetime(), two.to_pydatetime(), unit="wd") / _DAY
        for one, two in zip(before[before.notna()], timed["happened_at"], strict=True)
    ]
    groups = pd.Series(np.array(days, dtype=float), index=timed.index).groupby(
        [timed["kind"], timed["level"].astype(object).fillna("")]
    )
    return pd.DataFrame(
        {"n_steps": groups.size(), "median_days": groups.median(), "p90_days": groups.quantile(0.9)}
    ).rename_axis(["kind", "level"])


def settled_by_month(cases: pd.DataFrame, *, zone: tzinfo) -> pd.DataFrame:
    """Return how many disputes each grid settled in each month (每网格每月化解 1-2 件).

    Parameters
    ----------
    cases
        One row an incident: `kind`, `grid_code` (null: in no grid), `closed_at` (NaT while open).
    zone
        The clock whose midnight ends a month.

    Returns
    -------
    DataFrame
        Index `grid_code`, one int column a month (`YYYY-MM`) of closing, every month from the first to the last.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    settled = cases[(cases["kind"] == "dispute") & cases["closed_at"].notna()].dropna(subset="grid_code")
    months = settled["closed_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.to_period("M")
    counted = pd.crosstab(settled["grid_code"], months)
    if counted.size:
        every = pd.period_range(counted.columns.min(), counted.columns.max(), freq="M")
        counted = counted.reindex(columns=every, fill_value=0)
    counted.columns = counted.columns.astype(str)
    return counted
