"""Workload per grid and village: who serves how many, what is to be done, and who does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.counting import grids_of
from gridmap.analysis.households import grid_load
from gridmap.analysis.incidents import incident_states
from gridmap.analysis.rounds import VisitRule
from gridmap.analysis.visits import span_instants, visit_figures
from gridmap.analysis.workload import workload
from gridmap.reports.figures import Figure, count, depends_on, share
from gridmap.reports.ground import read_ground, read_rounds
from gridmap.store.activity import read_active_incidents, read_active_steps
from gridmap.store.people import read_postings
from gridmap.store.plans import read_plan_in_force
from gridmap.store.versions import read_known_at

COUNTS = (
    "n_households",
    "n_residents",
    "n_new",
    "n_closed",
    "n_open",
    "n_overdue",
    "n_due",
    "n_made",
    "team_size",
)

# The columns that nobody can tell while a layer is empty.
_RESTS_ON = {
    "households": ("n_households", "n_residents", "cap_share", "households_per_member", "incidents_per_100_households"),
    "staff": ("team_size", "households_per_member", "open_per_member"),
    "checkpoints": ("n_due", "n_made"),
    "visits": ("n_made",),
    "incidents": ("n_new", "n_closed", "n_open", "n_overdue", "open_per_member", "incidents_per_100_households"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkloadReport:
    """The workload page.

    Parameters
    ----------
    known_at
        When the newest fact was recorded; None without facts.
    first_on, last_on
        The span of "new", "closed", "due" and "made".
    plan_on, plan_name
        The day whose plan in force gives the grids, and that plan; None without one.
    is_past_plan
        Whether another plan is in force today.
    household_cap
        Cap of the plan in force, None without a plan.
    grids
        Index `grid_code` (sorted): `name`, `village_code`, `village_name`, `chief`, `exception_reason`, the columns of
        `analysis.workload.workload`, `cap_share`, `load_class`, `made_share`.
    villages
        The same counts added up, index the village's code: `village_name`, `n_grids`, counts, shares.
    n_grids, n_over_cap, n_households, n_residents, households_per_member, n_open, n_overdue, made
        Figures of the whole township.
    """

    known_at: datetime | None
    first_on: date
    last_on: date
    plan_on: date
    plan_name: str | None
    is_past_plan: bool
    household_cap: int | None
    grids: pd.DataFrame
    villages: pd.DataFrame
    n_grids: Figure
    n_over_cap: Figure
    n_households: Figure
    n_residents: Figure
    households_per_member: Figure
    n_open: Figure
    n_overdue: Figure
    made: Figure


@depends_on("places", "households", "checkpoints", "checkins", "tracks", "incidents", "staff")
def workload_report(
    connection: Connection,
    *,
    township_code: str,
    first_on: date,
    last_on: date,
    now: datetime,
    zone: tzinfo,
    household_cap: int,
    near_cap_share: float,
    checkpoint_reach_m: float,
    fix_accuracy_m: float,
    patrol_max_speed_kmh: float,
    far_checkin_m: float,
    due_soon_hours: int,
    by_todays_plan: bool = False,
) -> WorkloadReport:
    """Measure the workload of every grid.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    first_on, last_on
        The span, both days inside.
    now
        The instant of "open" and "overdue"; only what was recorded by then counts.
    zone
        The township's clock.
    household_cap
        Used where the plan in force names no cap.
    near_cap_share, checkpoint_reach_m, fix_accuracy_m, patrol_max_speed_kmh, far_checkin_m, due_soon_hours
        See `settings`.
    by_todays_plan
        Whether a past span is counted by today's grids: each household, incident and checkpoint by its place. Else by those
        in force on its last day.

    Raises
    ------
    ValueError
        If the last day lies before the first.
    """
    today = now.astimezone(zone).date()
    plan_on = today if by_todays_plan else min(last_on, today)
    plan_name, todays_plan = (
        read_plan_in_force(connection, township_code=township_code, on=day) for day in (plan_on, today)
    )
    ground = read_ground(connection, township_code=township_code, on=plan_on)
    since, until = span_instants(first_on, last_on, zone=zone)
    cap = int(ground.grids["household_cap"].iloc[0]) if len(ground.grids) else household_cap
    load = grid_load(ground.households, ground.grids, household_cap=cap, near_cap_share=near_cap_share)
    incidents = read_active_incidents(connection, township_code=township_code, since=since, now=now)
    steps = read_active_steps(connection, township_code=township_code, since=since, now=now)
    states = incident_states(incidents, steps, now=now, due_soon=timedelta(hours=due_soon_hours))
    placed = grids_of(incidents.to_crs(ground.township.metric_epsg), ground.grids)
    visits = read_rounds(
        connection,
        ground.checkpoints,
        township=ground.township,
        since=since,
        until=until,
        now=now,
        zone=zone,
        rule=VisitRule(
            checkpoint_reach_m=checkpoint_reach_m,
            fix_accuracy_m=fix_accuracy_m,
            patrol_max_speed_kmh=patrol_max_speed_kmh,
            far_checkin_m=far_checkin_m,
        ),
    ).visits
    rounds = visit_figures(ground.checkpoints, visits, first_on=first_on, last_on=last_on, today=today)
    postings = read_postings(connection, township_code=township_code, on=plan_on)
    table = workload(
        load,
        incidents=states.assign(happened_at=incidents["happened_at"], grid_code=placed),
        checkpoints=rounds.assign(grid_code=ground.checkpoints["grid_code"]),
        postings=postings.dropna(subset="grid_code"),
        since=since,
        until=until,
    )
    held = {"households": ground.households, "staff": postings, "checkpoints": ground.checkpoints}
    recorded = {"visits": visits, "incidents": incidents}
    table = _with_unknowns(table, [name for name, rows in (held | recorded).items() if rows.empty])
    chiefs = postings[postings["role"] == "chief"].groupby("grid_code")["name"].agg("、".join)
    named = ground.grids[["name", "village_code", "village_name", "exception_reason"]]
    grids = named.join(table).assign(chief=chiefs.reindex(named.index))
    grids["made_share"] = grids["n_made"] / grids["n_due"].where(grids["n_due"] > 0)
    return WorkloadReport(
        known_at=read_known_at(connection, township_code=township_code, until=now),
        first_on=first_on,
        last_on=last_on,
        plan_on=plan_on,
        plan_name=plan_name,
        is_past_plan=plan_name != todays_plan,
        household_cap=cap if len(grids) else None,
        grids=grids,
        villages=_by_village(grids),
        **_figures(grids),
    )


def _with_unknowns(table: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """Say "unknown" where nothing of a kind was ever loaded or recorded: nobody reported is not "nothing happened"."""
    return table.assign(**{name: float("nan") for kind in missing for name in _RESTS_ON[kind]})


def _by_village(grids: pd.DataFrame) -> pd.DataFrame:
    by_village = grids.groupby("village_code")
    villages = by_village[list(COUNTS)].sum(min_count=1)
    villages.insert(0, "village_name", by_village["village_name"].first())
    villages.insert(1, "n_grids", by_village.size())
    is_over = grids["load_class"].eq("over").astype(float).where(grids["n_households"].notna())
    villages["n_over_cap"] = is_over.groupby(grids["village_code"]).sum(min_count=1)
    villages["households_per_member"] = villages["n_households"] / villages["team_size"].where(
        villages["team_size"] > 0
    )
    villages["made_share"] = villages["n_made"] / villages["n_due"].where(villages["n_due"] > 0)
    return villages


def _figures(grids: pd.DataFrame) -> dict[str, Figure]:
    def total(name: str) -> float | None:
        known = grids[name].dropna()
        return float(known.sum()) if len(known) else None

    n_grids = len(grids) or None
    households, members = total("n_households"), total("team_size")
    return {
        "n_grids": count(n_grids, unit="unit.grids", formula_key="workload.formula_grids"),
        "n_over_cap": count(
            int((grids["load_class"] == "over").sum()) if households is not None else None,
            unit="unit.grids",
            formula_key="workload.formula_over_cap",
        ),
        "n_households": count(households, unit="unit.households", formula_key="workload.formula_households"),
        "n_residents": count(total("n_residents"), unit="unit.residents", formula_key="workload.formula_residents"),
        "households_per_member": Figure(
            value=households / members if households is not None and members else None,
            unit="unit.households",
            formula_key="workload.formula_per_member",
            numerator=households,
            denominator=members,
        ),
        "n_open": count(total("n_open"), unit="unit.incidents", formula_key="workload.formula_open"),
        "n_overdue": count(total("n_overdue"), unit="unit.incidents", formula_key="workload.formula_overdue"),
        "made": share(total("n_made"), total("n_due"), formula_key="workload.formula_made"),
    }
