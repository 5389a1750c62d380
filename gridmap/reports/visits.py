"""Visits on the coverage page: verdicts, due and made in every cut, streaks, calendars, door-to-door shares."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.home_visits import door_to_door
from gridmap.analysis.rhythm import duty_periods
from gridmap.analysis.rounds import Rounds
from gridmap.analysis.verdicts import (
    DutyDays,
    checkpoint_verdicts,
    days_within,
    duty_calendar,
    duty_days,
    period_verdicts,
    streaks,
)
from gridmap.analysis.visit_classes import CLASSES, EXCLUDED
from gridmap.analysis.visits import span_instants
from gridmap.reports.figures import Figure, count, share
from gridmap.reports.ground import Ground
from gridmap.store.facts import read_home_visits

KEPT_APART = tuple(f"n_{name}" for name in CLASSES[1:])
"""Columns of visits that do not count: early, late, out of season, too short, by somebody not of the team."""
_DAYS_OF_A_DAILY_CALENDAR = 31
_MONTHS = 13
_SUMMED = (
    "n_due", "n_made", "n_counted", "n_missing", "n_periods", "n_kept", "n_missed", "n_cannot_tell", "n_waiting",
    "n_never", *KEPT_APART,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class VisitReport:
    """Visits of a span.

    Parameters
    ----------
    kept, cannot_tell
        Shares of periods: kept ÷ those that can be told; not to be told ÷ all that are over or decided.
    door_to_door
        Share of households visited in `door_month`.
    n_excluded
        Check-ins of the span that count nowhere because they lie in the future or far away (0,0 is both refused by
        the importer and far away).
    checkpoints
        Index `checkpoint_code`: `verdict`, `n_periods`, `n_kept`, `n_missed`, `n_cannot_tell`, `n_waiting` (periods that touch
        the span); `run_kept`, `run_missed`, `longest_kept`, `longest_missed` (periods, of everything known); `KEPT_APART`
        (days with such a visit in the span).
    periods
        One row a checkpoint and period that touches the span (`analysis.verdicts.period_verdicts`).
    by_duty, by_grid, by_village
        Index duty, `grid_code`, `village_code`: `name` (not by duty), `n_checkpoints`, and the sums of the checkpoints' `n_due`,
        `n_made`, `n_counted`, `n_missing`, `n_periods`, `n_kept`, `n_missed`, `n_cannot_tell`, `n_waiting`, `n_never`
        (checkpoints never visited), `KEPT_APART`; `made_share` (`n_counted` ÷ `n_due`) and `kept_share`, NaN without any.
    by_day
        Index `day`: `n_due` (in parts), `n_made`, `n_cannot_tell` (checkpoints), `n_missed` (periods that ended that day as not
        visited), `KEPT_APART`, `is_known` (somebody left a trace; else `n_made` is NaN).
    people
        Index `staff_id`, most visits first: `name`, `grid_code`, `grid_name` (of the posting; null for others), `n_made`
        (checkpoints and days with a visit that counts), `n_checkpoints`, `n_days`, `KEPT_APART`.
    grid_calendar, checkpoint_calendar
        See `analysis.verdicts.duty_calendar`; by day up to 31 days, else by week (`calendar_per`).
    calendar_per
        `day` or `week`.
    door_month
        First day of the last month of the span.
    doors
        Index `grid_code`, lowest share first: `name`, `village_name`, `n_households`, `n_visited`, `visited_share` of
        `door_month`; the last two NaN where nothing was recorded in the month.
    door_months
        The same by grid and month, up to 13 months back (`analysis.home_visits.door_to_door`).
    excluded
        Index the reason (`analysis.visit_classes.EXCLUDED`), check-ins of the span; `future` also those after it.
    """

    kept: Figure
    cannot_tell: Figure
    door_to_door: Figure
    n_excluded: Figure
    checkpoints: pd.DataFrame
    periods: pd.DataFrame
    by_duty: pd.DataFrame
    by_grid: pd.DataFrame
    by_village: pd.DataFrame
    by_day: pd.DataFrame
    people: pd.DataFrame
    grid_calendar: pd.DataFrame
    checkpoint_calendar: pd.DataFrame
    calendar_per: str
    door_month: date
    doors: pd.DataFrame
    door_months: pd.DataFrame
    excluded: pd.Series


def visit_report(
    connection: Connection,
    ground: Ground,
    checkpoints: gpd.GeoDataFrame,
    rounds: Rounds,
    *,
    households: pd.DataFrame,
    first_on: date,
    last_on: date,
    now: datetime,
    zone: tzinfo,
) -> VisitReport:
    """Put the visits of a span together.

    Parameters
    ----------
    connection
        Where to read door-to-door visits.
    ground
        Names of grids and villages.
    checkpoints
        Those of the page, with the figures of `analysis.visits.visit_figures`, `duty`, `grid_code`, `village_code`.
    rounds
        Everything known of the patrols.
    households
        Those of the page, with `grid_code`.
    first_on, last_on
        The span, both days inside.
    now
        The present instant.
    zone
        The township's clock.
    """
    today = now.astimezone(zone).date()
    codes = pd.Index(checkpoints.index)
    ours = rounds.visits[rounds.visits["place_code"].isin(codes)]
    begin = min([first_on, *rounds.traces["day"]])
    every = duty_periods(checkpoints, first_on=begin, last_on=max(last_on, begin))
    layout = duty_days(
        checkpoints,
        ours,
        rounds.possible,
        rounds.traces,
        rounds.postings,
        first_on=min([begin, *every["first_on"]]),
        last_on=max([last_on, today, *every["last_on"]]),
    )
    verdicts = period_verdicts(every, layout, today=today)
    periods = verdicts[(verdicts["first_on"] <= last_on) & (verdicts["last_on"] >= first_on)].reset_index(drop=True)
    apart = _kept_apart(ours, first_on=first_on, last_on=last_on)
    table = checkpoint_verdicts(periods, codes).join(streaks(verdicts, codes))
    table = table.join(_count_by(apart, "place_code", codes))
    span = days_within(layout, first_on=first_on, last_on=last_on)
    per = "day" if len(span.days) <= _DAYS_OF_A_DAILY_CALENDAR else "week"
    doors, month = _doors(connection, ground, households, last_on=min(last_on, today), now=now, zone=zone)
    excluded = _excluded(rounds, first_on=first_on, last_on=last_on, today=today)
    sums = checkpoints[["duty", "grid_code", "village_code", "n_due", "n_made", "n_counted", "n_missing"]].join(table)
    sums = sums.assign(n_never=checkpoints["last_visit_at"].isna().astype(int) if len(rounds.visits) else np.nan)
    of_month = doors[doors["month"] == month].set_index("grid_code").drop(columns="month")
    return VisitReport(
        **_figures(periods, of_month, excluded),
        checkpoints=table,
        periods=periods,
        by_duty=_summed(sums, "duty", None),
        by_grid=_summed(sums, "grid_code", ground.grids["name"]),
        by_village=_summed(sums, "village_code", ground.village_names),
        by_day=_by_day(span, apart, periods, rounds.traces),
        people=_people(ours, apart, rounds.postings, ground, first_on=first_on, last_on=last_on),
        grid_calendar=duty_calendar(span, checkpoints["grid_code"], per=per),
        checkpoint_calendar=duty_calendar(span, pd.Series(codes, index=codes, dtype=object), per=per),
        calendar_per=per,
        door_month=month,
        doors=pd.DataFrame(ground.grids[["name", "village_name"]])
        .join(of_month, how="right")
        .sort_values(["visited_share", "n_households"], ascending=[True, False], kind="stable"),
        door_months=doors,
        excluded=excluded,
    )


def _kept_apart(visits: pd.DataFrame, *, first_on: date, last_on: date) -> pd.DataFrame:
    """Return visits of the span that do not count, one a checkpoint, day, person and class."""
    rows = visits[visits["reason"].isin(CLASSES[1:]) & (visits["day"] >= first_on) & (visits["day"] <= last_on)]
    return rows.drop_duplicates(["place_code", "day", "staff_id", "reason"])[
        ["place_code", "day", "staff_id", "reason"]
    ]


def _count_by(apart: pd.DataFrame, name: str, index: pd.Index) -> pd.DataFrame:
    """Count the visits that do not count by class; one row an entry of `index`."""
    counted = pd.crosstab(apart[name], apart["reason"]) if len(apart) else pd.DataFrame()
    table = counted.reindex(index=index, columns=list(CLASSES[1:])).fillna(0).astype(int)
    table.columns = pd.Index(KEPT_APART)
    return table


def _summed(rows: pd.DataFrame, name: str, names: pd.Series | None) -> pd.DataFrame:
    groups = rows.dropna(subset=name).groupby(name)
    table = groups[list(_SUMMED)].sum(min_count=1)
    table.insert(0, "n_checkpoints", groups.size())
    if names is not None:
        table.insert(0, "name", names.reindex(table.index))
    told = table["n_kept"] + table["n_missed"]
    return table.assign(
        made_share=table["n_counted"] / table["n_due"].where(table["n_due"] > 0),
        kept_share=table["n_kept"] / told.where(told > 0),
    )


def _by_day(span: DutyDays, apart: pd.DataFrame, periods: pd.DataFrame, traces: pd.DataFrame) -> pd.DataFrame:
    days = pd.Index(span.days, dtype=object, name="day")
    known = days.isin(set(traces["day"]))
    missed = periods[periods["verdict"] == "not_visited"].groupby("last_on").size()
    table = pd.DataFrame(
        {
            "n_due": span.due.sum(axis=0),
            "n_made": np.where(known, span.is_made.sum(axis=0), np.nan),
            "n_cannot_tell": (span.is_possible & span.is_due).sum(axis=0),
            "n_missed": missed.reindex(days).fillna(0).to_numpy(dtype=int),
        },
        index=days,
    )
    return table.join(_count_by(apart, "day", days)).assign(is_known=known)


def _people(
    visits: pd.DataFrame, apart: pd.DataFrame, postings: pd.DataFrame, ground: Ground, *, first_on: date, last_on: date
) -> pd.DataFrame:
    """Count each person's own visits; which way anybody took is nobody's business."""
    made = visits[(visits["reason"] == "visit") & (visits["day"] >= first_on) & (visits["day"] <= last_on)]
    made = made.drop_duplicates(["staff_id", "place_code", "day"])
    serving = postings[
        (postings["valid_from"] <= last_on)
        & (postings["valid_until"].isna() | (postings["valid_until"].fillna(date.max) > first_on))
    ]
    posts = serving.sort_values("valid_from", kind="stable").drop_duplicates("staff_id", keep="last")
    posts = posts.set_index("staff_id")[["name", "grid_code"]]
    by_person = made.groupby("staff_id")
    counts = pd.DataFrame(
        {
            "n_made": by_person.size(),
            "n_checkpoints": by_person["place_code"].nunique(),
            "n_days": by_person["day"].nunique(),
        }
    )
    everybody = posts.index.union(counts.index).union(pd.Index(apart["staff_id"].dropna().unique()))
    table = posts.reindex(everybody)
    table["grid_name"] = table["grid_code"].map(ground.grids["name"])
    table = table.join(counts.reindex(everybody).fillna(0).astype(int))
    table = table.join(_count_by(apart, "staff_id", everybody)).rename_axis("staff_id")
    return table.sort_values("n_made", ascending=False, kind="stable")


def _doors(
    connection: Connection, ground: Ground, households: pd.DataFrame, *, last_on: date, now: datetime, zone: tzinfo
) -> tuple[pd.DataFrame, date]:
    months = [last_on.replace(day=1)]
    while len(months) < _MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    since, _ = span_instants(months[-1], months[-1], zone=zone)
    visits = read_home_visits(connection, township_code=ground.township.code, since=since, until=now, known_at=now)
    return door_to_door(households, visits, months=months, zone=zone), months[0]


def _excluded(rounds: Rounds, *, first_on: date, last_on: date, today: date) -> pd.Series:
    day, reason = rounds.excluded["day"], rounds.excluded["reason"]
    in_span = (day >= first_on) & (day <= last_on)
    ahead = (reason == "future") & (last_on >= today)
    counts: pd.Series = reason[in_span | ahead].value_counts().reindex(list(EXCLUDED), fill_value=0)
    return counts.rename_axis("reason").rename("n_checkins")


def _figures(periods: pd.DataFrame, doors: pd.DataFrame, excluded: pd.Series) -> dict[str, Figure]:
    verdict = periods["verdict"].value_counts()
    kept, missed, unknown = (int(verdict.get(name, 0)) for name in ("visited", "not_visited", "cannot_tell"))
    known = doors.dropna(subset="n_visited")
    return {
        "kept": share(kept, kept + missed, formula_key="coverage.formula_kept"),
        "cannot_tell": share(unknown, kept + missed + unknown, formula_key="coverage.formula_cannot_tell"),
        "door_to_door": share(
            float(known["n_visited"].sum()), float(known["n_households"].sum()), formula_key="coverage.formula_door"
        ),
        "n_excluded": count(
            int(excluded[["future", "far_away"]].sum()),
            unit="unit.checkins",
            formula_key="coverage.formula_excluded",
        ),
    }
