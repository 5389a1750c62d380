"""The ledger of fixed-point patrols (辖区定点巡查台账): checkpoint × month, what was found, practical things, both targets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.clocks import settled_by_month
from gridmap.analysis.counting import grids_of
from gridmap.analysis.incidents import incident_states
from gridmap.analysis.links import linked_incidents
from gridmap.analysis.rhythm import duty_periods
from gridmap.analysis.verdicts import checkpoint_verdicts, duty_days, period_verdicts
from gridmap.analysis.visits import span_instants, visit_figures
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import Ground, Rounds, VisitRule, read_ground, read_rounds
from gridmap.reports.ledgers.month import month_of
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.ledgers import read_things

N_MONTHS = 6
THING_STATES = ("overdue", "promised", "begun", "done", "dropped")
_DAYS_A_WEEK = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class PatrolLedger:
    """Fixed-point patrols of a month, and of those before it.

    Parameters
    ----------
    first_on, last_on
        The month, both days inside.
    made, n_missed, n_findings, n_disputes, n_things
        Figures: visits made of those due; checkpoints not visited as often as needed; incidents found at checkpoints; grids that
        settled as many disputes as asked for; practical things done this year of those promised for it.
    checkpoints
        Those open in the month, index `checkpoint_code`: `name`, `duty`, `grid_code`, `grid_name`, `village_code`, `village_name`,
        `n_due`, `n_made`, `n_missing`, `last_visit_at`, `verdict` (null without a period), `n_kept`, `n_missed`, `n_cannot_tell`,
        `n_findings`; the most missed first.
    months
        One row a checkpoint and month, six months up to this one: `checkpoint_code`, `month`, `n_due`, `n_made`, `verdict` of the
        periods that end in it.
    visits
        Visits of the month, of every class: `checkpoint_code`, `day`, `happened_at`, `staff_id`, `name`, `source`, `reason`.
    findings
        Incidents of the month linked to a checkpoint (`analysis.links.linked_incidents`), index `incident_code`: `checkpoint_code`,
        `checkpoint_name`, `grid_code`, `kind`, `category_name` (null for private matters), `happened_at`, `state`, `distance_m`, `how`.
    things
        Practical things, index `thing_id`: `store.ledgers.read_things`, `grid_name`, `village_code`, `village_name`, `state` (one of `THING_STATES`).
    targets
        Index `grid_code`: `name`, `village_code`, `village_name`, `n_disputes` (settled in the month; null: no incidents are known),
        `is_disputes_met`, `n_promised`, `n_done` (practical things due or done in the year of the month), `is_things_met`.
    """

    first_on: date
    last_on: date
    made: Figure
    n_missed: Figure
    n_findings: Figure
    n_disputes: Figure
    n_things: Figure
    checkpoints: pd.DataFrame
    months: pd.DataFrame
    visits: pd.DataFrame
    findings: pd.DataFrame
    things: pd.DataFrame
    targets: pd.DataFrame


@depends_on("places", "households", "checkpoints", "checkins", "tracks", "incidents", "staff", "ledgers")
def patrol_ledger(
    connection: Connection,
    *,
    township_code: str,
    month: date,
    now: datetime,
    on: date,
    zone: tzinfo,
    checkpoint_reach_m: float,
    fix_accuracy_m: float,
    patrol_max_speed_kmh: float,
    far_checkin_m: float,
    ledger_link_m: float,
    ledger_link_hours: float,
    disputes_a_month: int,
    things_a_year: int,
) -> PatrolLedger:
    """Put the patrols of a month together.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    month
        A day of it.
    now
        Only what was recorded by then counts.
    on
        The day after whose date a practical thing is overdue.
    zone
        The township's clock.
    checkpoint_reach_m, fix_accuracy_m, patrol_max_speed_kmh, far_checkin_m, ledger_link_m, ledger_link_hours, disputes_a_month, things_a_year
        See `settings`.

    Raises
    ------
    InputError
        If the township is not in the database.
    """
    first_on, last_on = month_of(month)
    today = now.astimezone(zone).date()
    ground = read_ground(connection, township_code=township_code, on=max(first_on, min(last_on, today)))
    firsts = _months_until(first_on)
    since, until = span_instants(firsts[0], last_on, zone=zone)
    rounds = read_rounds(
        connection,
        ground.checkpoints,
        township=ground.township,
        since=since - timedelta(days=_DAYS_A_WEEK),
        until=until,
        now=now,
        zone=zone,
        rule=VisitRule(
            checkpoint_reach_m=checkpoint_reach_m,
            fix_accuracy_m=fix_accuracy_m,
            patrol_max_speed_kmh=patrol_max_speed_kmh,
            far_checkin_m=far_checkin_m,
        ),
    )
    months = _months(ground, rounds, firsts, today=today)
    visits = _visits(rounds, first_on=first_on, last_on=last_on)
    cases = _cases(connection, ground, first_on=first_on, last_on=last_on, now=now, zone=zone)
    findings = _findings(
        ground,
        rounds,
        cases,
        reach_m=ledger_link_m,
        within=timedelta(hours=ledger_link_hours),
        first_on=first_on,
        last_on=last_on,
        zone=zone,
    )
    checkpoints = _checkpoints(ground, rounds, months, findings, first_on=first_on, last_on=last_on, today=today)
    things = _things(read_things(connection, township_code=township_code, known_at=now), ground, today=on)
    targets = _targets(
        ground, cases, things, first_on=first_on, zone=zone, disputes=disputes_a_month, things_a_year=things_a_year
    )
    told = checkpoints[checkpoints["n_made"].notna()]
    this_year = targets[["n_done", "n_promised"]].sum()
    is_met = targets["is_disputes_met"].dropna()
    return PatrolLedger(
        first_on=first_on,
        last_on=last_on,
        made=share(float(told["n_counted"].sum()), float(told["n_due"].sum()), formula_key="coverage.formula_visited"),
        n_missed=count(
            int((checkpoints["verdict"] == "not_visited").sum()) if len(told) else None,
            unit="unit.points",
            formula_key="ledgers.formula_missed",
        ),
        n_findings=count(
            len(findings) if len(cases) else None, unit="unit.incidents", formula_key="ledgers.formula_findings"
        ),
        n_disputes=share(int(is_met.sum()), len(is_met), formula_key="ledgers.formula_disputes"),
        n_things=share(
            int(this_year["n_done"]) if len(things) else None,
            int(this_year["n_promised"]),
            formula_key="ledgers.formula_things",
        ),
        checkpoints=checkpoints,
        months=months,
        visits=visits,
        findings=findings,
        things=things,
        targets=targets,
    )


def _months_until(first_on: date) -> list[date]:
    months = [first_on]
    while len(months) < N_MONTHS:
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    return months


def _months(ground: Ground, rounds: Rounds, firsts: list[date], *, today: date) -> pd.DataFrame:
    points = ground.checkpoints
    begin, (_, end) = firsts[0], month_of(firsts[-1])
    periods = duty_periods(points, first_on=begin, last_on=end)
    layout = duty_days(
        points,
        rounds.visits,
        rounds.possible,
        rounds.traces,
        rounds.postings,
        first_on=min([begin, *periods["first_on"]]),
        last_on=max([end, today, *periods["last_on"]]),
    )
    verdicts = period_verdicts(periods, layout, today=today)
    tables = []
    for first in firsts:
        _, last = month_of(first)
        figures = visit_figures(points, rounds.visits, first_on=first, last_on=last, today=today)
        ending = verdicts[(verdicts["last_on"] >= first) & (verdicts["last_on"] <= last)]
        told = checkpoint_verdicts(ending, points.index)
        is_open = (points["opened_on"] <= last) & (points["closed_on"] > first)
        is_known = bool(((rounds.traces["day"] >= first) & (rounds.traces["day"] <= last)).any())
        table = figures[["n_due"]].assign(
            n_made=_known(figures["n_made"], is_known=is_known),
            verdict=told["verdict"],
            n_kept=told["n_kept"],
            n_missed=told["n_missed"],
            n_cannot_tell=told["n_cannot_tell"],
            month=first,
        )
        tables.append(table[is_open].rename_axis("checkpoint_code").reset_index())
    months: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return months


def _known(counts: pd.Series, *, is_known: bool) -> pd.Series:
    """Return counts as they are, or null where nobody can tell."""
    return counts.astype("Int64") if is_known else pd.Series(pd.NA, index=counts.index, dtype="Int64")


def _checkpoints(
    ground: Ground,
    rounds: Rounds,
    months: pd.DataFrame,
    findings: pd.DataFrame,
    *,
    first_on: date,
    last_on: date,
    today: date,
) -> pd.DataFrame:
    this = months[months["month"] == first_on].set_index("checkpoint_code").drop(columns="month")
    figures = visit_figures(ground.checkpoints, rounds.visits, first_on=first_on, last_on=last_on, today=today)
    table = this.join(ground.checkpoints[["name", "duty", "grid_code", "village_code"]])
    table = table.join(figures[["n_counted", "last_visit_at"]])
    table["grid_name"] = table["grid_code"].map(ground.grids["name"])
    table["village_name"] = table["village_code"].map(ground.village_names)
    table["n_missing"] = table["n_due"] - table["n_counted"]
    table["n_findings"] = findings.groupby("checkpoint_code").size().reindex(table.index).fillna(0).astype(int)
    return table.sort_values(["n_missed", "n_missing", "name"], ascending=[False, False, True], kind="stable")


def _visits(rounds: Rounds, *, first_on: date, last_on: date) -> pd.DataFrame:
    visits = rounds.visits
    there = visits[visits["place_code"].notna() & (visits["day"] >= first_on) & (visits["day"] <= last_on)]
    names = rounds.postings.drop_duplicates("staff_id").set_index("staff_id")["name"]
    rows = there[["place_code", "day", "happened_at", "staff_id", "source", "reason"]]
    rows = rows.rename(columns={"place_code": "checkpoint_code"}).assign(name=rows["staff_id"].map(names))
    return rows.sort_values("happened_at", ascending=False, kind="stable").reset_index(drop=True)


def _cases(
    connection: Connection, ground: Ground, *, first_on: date, last_on: date, now: datetime, zone: tzinfo
) -> gpd.GeoDataFrame:
    since, until = span_instants(first_on, last_on, zone=zone)
    code = ground.township.code
    incidents = read_active_incidents(connection, township_code=code, since=since, now=now)
    steps = read_active_steps(connection, township_code=code, since=since, now=now)
    end = min(now, until - timedelta(microseconds=1))
    incidents = gpd.GeoDataFrame(incidents[incidents["happened_at"] <= end]).to_crs(ground.township.metric_epsg)
    states = incident_states(incidents, steps, now=end, due_soon=timedelta(0))
    reported = steps[steps["kind"] == "reported"].drop_duplicates("incident_code").set_index("incident_code")
    return gpd.GeoDataFrame(
        incidents.drop(columns="due_at")
        .join(states)
        .assign(grid_code=grids_of(incidents, ground.grids), reporter=reported["staff_id"].reindex(incidents.index))
    )


def _findings(
    ground: Ground,
    rounds: Rounds,
    cases: gpd.GeoDataFrame,
    *,
    reach_m: float,
    within: timedelta,
    first_on: date,
    last_on: date,
    zone: tzinfo,
) -> pd.DataFrame:
    since, until = span_instants(first_on, last_on, zone=zone)
    of_month = gpd.GeoDataFrame(cases[cases["happened_at"].between(since, until, inclusive="left")])
    links = linked_incidents(of_month, rounds.visits, ground.checkpoints, reach_m=reach_m, within=within, zone=zone)
    table = links.join(of_month[["kind", "category_name", "is_private", "happened_at", "state", "grid_code"]])
    table["category_name"] = table["category_name"].where(~table["is_private"].fillna(value=True).astype(bool), None)
    table["checkpoint_name"] = table["checkpoint_code"].map(ground.checkpoints["name"])
    return table.drop(columns="is_private").sort_values("happened_at", ascending=False, kind="stable")


def _things(things: pd.DataFrame, ground: Ground, *, today: date) -> pd.DataFrame:
    state = [
        ended if isinstance(ended, str) else "overdue" if due_on < today else "begun" if pd.notna(begun) else "promised"
        for ended, due_on, begun in zip(things["ended_as"], things["due_on"], things["begun_on"], strict=True)
    ]
    villages = things["grid_code"].str[:12]
    return things.assign(
        state=pd.Series(state, index=things.index, dtype=object),
        grid_name=things["grid_code"].map(ground.grids["name"]),
        village_code=villages,
        village_name=villages.map(ground.village_names),
    )


def _targets(
    ground: Ground,
    cases: gpd.GeoDataFrame,
    things: pd.DataFrame,
    *,
    first_on: date,
    zone: tzinfo,
    disputes: int,
    things_a_year: int,
) -> pd.DataFrame:
    table = pd.DataFrame(ground.grids[["name", "village_code", "village_name"]])
    settled = settled_by_month(cases, zone=zone)
    month = f"{first_on:%Y-%m}"
    counted = settled[month] if month in settled else pd.Series(dtype=int)
    table["n_disputes"] = _known(counted.reindex(table.index).fillna(0), is_known=len(cases) > 0)
    table["is_disputes_met"] = (table["n_disputes"] >= disputes).astype("boolean")
    year = first_on.year
    is_done = (things["ended_as"] == "done") & things["ended_on"].map(lambda day: pd.notna(day) and day.year == year)
    is_due = things["due_on"].map(lambda day: day.year == year) & (things["ended_as"] != "dropped")
    for name, rows in (
        ("n_promised", things[(is_due | is_done).astype(bool)]),
        ("n_done", things[is_done.astype(bool)]),
    ):
        table[name] = rows.groupby("grid_code").size().reindex(table.index).fillna(0).astype(int)
    return table.assign(is_things_met=table["n_done"] >= things_a_year)
