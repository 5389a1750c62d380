"""The ledger of points (网格员+积分): computed from check-ins, reports and closings, with entries by hand; frozen by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from gridmap.analysis.fair.shares import shrunken_shares
from gridmap.analysis.points.compare import GRADES, attainable_points, compared, team_parts
from gridmap.analysis.points.entries import computed_entries, digest, hand_entries, points_by_rule, settled_entries
from gridmap.errors import InputError
from gridmap.frames import POINT_COUNTS
from gridmap.reports.figures import depends_on
from gridmap.reports.ground import VisitRule
from gridmap.reports.ledgers.month import MonthFacts, month_of, read_month
from gridmap.store.points import read_freezes, read_point_entries, read_rules, read_rules_in_force
from gridmap.texts import t

GROUPS = {
    "patrol_visit": "points_patrol",
    "home_visit": "points_homes",
    "home_visit_share": "points_homes",
    "manual": "points_hand",
}
"""In which column the points of a rule stand, by what it counts; all others that earn stand in `points_cases`."""
SUMS = ("points_patrol", "points_homes", "points_cases", "points_hand", "points_minus")
_RESULT = ("people", "by_rule", "grids", "rules")
_MOST_PERCENT = 1000


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """A month as it was posted: version, what was known by then, by whom, and why again."""

    number: int
    known_at: datetime
    frozen_by: str
    reason: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PointsReport:
    """Points of one month.

    Parameters
    ----------
    month, first_on, last_on
        First day of the month, and its days, both inside.
    known_at
        Only what was recorded by then counts.
    is_over
        Whether the month was over by then.
    freezes
        How the month was frozen, oldest first. Unless asked for live figures, the last one says what `people`, `by_rule`,
        `grids` and `rules` are.
    is_reproduced
        Whether computing the frozen month again from the rows gives exactly what was frozen; None while it is not.
    people
        Members of the area grids' teams, best rank first, index `staff_id`: `name`, `role`, `grid_code`, `grid_name`,
        `village_code`, `village_name`; `points` and what they are made of (`SUMS`); `n_entries`; `attainable_tenths`,
        `share_permille`, `fair_permille`, `rank`, `grade` (`analysis.points.compare.compared`).
    by_rule
        `staff_id`, `rule_code`, `n_entries`, `raw_points`, `points` (under the ceiling).
    grids
        Best rank first, index `grid_code`: `name`, `village_code`, `village_name`, `n_people`, `points`; `n_due`, `n_done` of
        duties, made of `n_visits_due`, `n_visits_made` (null: unknown), `n_households`, `n_homes_visited` (null: unknown),
        `n_closings`, `n_on_time`; `n_disputes` (settled in the grid), `n_missed` (periods); `share`, `shrunken`, `rank`
        (`analysis.fair.shares.shrunken_shares`).
    rules
        Those of the month, index `rule_code`: `name`, `counts`, `points`, `monthly_ceiling`, `threshold_percent`.
    entries
        Every entry as computed now for `known_at` (`analysis.points.entries.ENTRY_COLUMNS`), with `name`,
        `grid_name` and `what_name` (checkpoints and grids by their names, all else by code).
    digest
        Fingerprint of the entries.
    n_others, n_unassigned
        Entries of people outside the area grids' teams, and of nobody (no chief in service): they count for no one.
    """

    month: date
    first_on: date
    last_on: date
    known_at: datetime
    is_over: bool
    freezes: tuple[Freeze, ...]
    is_reproduced: bool | None
    people: pd.DataFrame
    by_rule: pd.DataFrame
    grids: pd.DataFrame
    rules: pd.DataFrame
    entries: pd.DataFrame
    digest: str
    n_others: int
    n_unassigned: int

    @property
    def is_frozen(self) -> bool:
        """Whether the month was posted."""
        return bool(self.freezes)

    def entries_of(self, staff_id: str) -> pd.DataFrame:
        """Return the entries of one person."""
        return self.entries[self.entries["staff_id"] == staff_id]


def grade_limits(written: str) -> tuple[int, ...]:
    """Return the per cents of a setting such as `90 75 60`.

    Raises
    ------
    InputError
        If it does not hold three falling whole numbers of at most 1000.

    Examples
    --------
    >>> grade_limits("90 75 60")
    (90, 75, 60)
    """
    parts = written.split()
    if all(part.isdecimal() for part in parts) and len(parts) == len(GRADES) - 1:
        limits = tuple(int(part) for part in parts)
        if list(limits) == sorted(set(limits), reverse=True) and limits[0] <= _MOST_PERCENT:
            return limits
    raise InputError(t("ledgers.error_grades", written=written[:40]))


def grade_words(limits: Sequence[int]) -> str:
    """Return the limits of the grades as a person reads them."""
    first, second, third = limits
    return t("ledgers.grades_words", first=first, second=second, third=third)


@depends_on("places", "households", "checkpoints", "checkins", "tracks", "home_visits", "incidents", "staff", "ledgers")
def points_report(
    connection: Connection,
    *,
    township_code: str,
    month: date,
    now: datetime,
    zone: tzinfo,
    checkpoint_reach_m: float,
    fix_accuracy_m: float,
    patrol_max_speed_kmh: float,
    far_checkin_m: float,
    point_prior: int,
    point_grades: str,
    known_at: datetime | None = None,
    is_live: bool = False,
) -> PointsReport:
    """Compute the points of a month, or show them as they were frozen.

    Parameters
    ----------
    connection
        Where to read.
    township_code
        Nine digits.
    month
        A day of it.
    now
        The present instant.
    zone
        The township's clock.
    checkpoint_reach_m, fix_accuracy_m, patrol_max_speed_kmh, far_checkin_m, point_prior, point_grades
        See `settings`.
    known_at
        Only what was recorded by then counts, and nothing frozen later; None: now, or when the month was frozen.
    is_live
        Leave out what was frozen, and compute with what is known.

    Raises
    ------
    InputError
        If the township is unknown or `point_grades` cannot be read.
    """
    limits = grade_limits(point_grades)
    stored = read_freezes(connection, township_code=township_code, month=month.replace(day=1))
    if known_at is not None:
        stored = [one for one in stored if one["known_at"] <= known_at]
    freezes = tuple(
        Freeze(number=one["number"], known_at=one["known_at"], frozen_by=one["frozen_by"], reason=one["reason"])
        for one in stored
    )
    last = stored[-1] if stored and not is_live else None
    at = last["known_at"] if last is not None else (known_at or now)
    rule = VisitRule(
        checkpoint_reach_m=checkpoint_reach_m,
        fix_accuracy_m=fix_accuracy_m,
        patrol_max_speed_kmh=patrol_max_speed_kmh,
        far_checkin_m=far_checkin_m,
    )
    first_on, last_on = month_of(month)
    facts = read_month(connection, township_code=township_code, first_on=first_on, known_at=at, zone=zone, rule=rule)
    rules = read_rules_in_force(connection, township_code=township_code, month=first_on, known_at=at)
    by_hand = read_point_entries(connection, township_code=township_code, month=first_on, known_at=at)
    entries = settled_entries(computed_entries(facts.events, rules), hand_entries(by_hand, rules))
    parts = team_parts(facts.team, first_on=first_on, last_on=facts.until_on)
    by_rule = points_by_rule(entries, rules)
    is_ours = by_rule["staff_id"].isin(set(parts["staff_id"]))
    frames = {
        "people": _people(facts, parts, by_rule[is_ours], rules, prior=point_prior, limits=limits),
        "by_rule": by_rule[is_ours].reset_index(drop=True),
        "grids": pd.DataFrame(),
        "rules": rules.drop(columns=["valid_from", "valid_until"]),
    }
    frames["grids"] = _grids(facts, frames["people"])
    fingerprint = digest(entries)
    names, grid_names = facts.names.to_dict(), facts.ground.grids["name"].to_dict()
    called = {**facts.ground.checkpoints["name"].to_dict(), **grid_names}
    return PointsReport(
        month=first_on,
        first_on=first_on,
        last_on=last_on,
        known_at=at,
        is_over=at.astimezone(zone).date() > last_on,
        freezes=freezes,
        is_reproduced=None if last is None else last["digest"] == fingerprint and as_result(frames) == last["result"],
        **(frames if last is None else from_result(last["result"])),
        entries=entries.assign(
            name=entries["staff_id"].map(names),
            grid_name=entries["grid_code"].map(grid_names),
            what_name=[called.get(code, code) for code in entries["what"]],
        ),
        digest=fingerprint,
        n_others=int(by_rule.loc[~is_ours, "n_entries"].sum()),
        n_unassigned=int((entries["staff_id"].isna() & (entries["state"] == "counts")).sum()),
    )


def _people(
    facts: MonthFacts,
    parts: pd.DataFrame,
    by_rule: pd.DataFrame,
    rules: pd.DataFrame,
    *,
    prior: int,
    limits: Sequence[int],
) -> pd.DataFrame:
    staff = pd.Index(sorted(set(parts["staff_id"])), name="staff_id", dtype=object)
    sums = by_rule.groupby("staff_id")
    points = sums["points"].sum().reindex(staff, fill_value=0).astype(int)
    attainable = attainable_points(parts, rules, chances=facts.chances, own=facts.own_chances).reindex(staff)
    table = compared(points, attainable, prior_points=prior, grades=limits)
    column = by_rule["rule_code"].map(rules["counts"]).map(GROUPS).fillna("points_cases")
    split = by_rule.assign(column=column.where(by_rule["points"] >= 0, "points_minus"))
    wide = split.pivot_table(index="staff_id", columns="column", values="points", aggfunc="sum", fill_value=0)
    wide = wide.reindex(index=staff, columns=list(SUMS)).fillna(0).astype(int)
    wide.columns.name = None
    latest = facts.team.sort_values(["valid_from", "grid_code"], kind="stable").drop_duplicates("staff_id", keep="last")
    who = latest.set_index("staff_id").reindex(staff)[["name", "role", "grid_code"]]
    who["grid_name"] = who["grid_code"].map(facts.ground.grids["name"])
    who["village_code"] = who["grid_code"].str[:12]
    who["village_name"] = who["village_code"].map(facts.ground.village_names)
    n_entries = sums["n_entries"].sum().reindex(staff, fill_value=0).astype(int).rename("n_entries")
    joined = who.join(table["points"]).join(wide).join(n_entries).join(table.drop(columns="points"))
    order = joined.assign(last=joined["rank"].astype(float)).sort_values(
        ["last", "points", "name"], ascending=[True, False, True], kind="stable", na_position="last"
    )
    return order.drop(columns="last")


def _grids(facts: MonthFacts, people: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(facts.ground.grids[["name", "village_code", "village_name"]])
    of_team = people.groupby("grid_code")
    table["n_people"] = of_team.size().reindex(table.index).fillna(0).astype(int)
    table["points"] = of_team["points"].sum().reindex(table.index).fillna(0).astype(int)
    table = table.join(facts.duties)
    table = table.join(shrunken_shares(table["n_done"], table["n_due"]))
    return table.sort_values(["rank", "name"], kind="stable", na_position="last")


def as_result(frames: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return what a freeze keeps, as JSON: the tables of a month."""
    return {name: _as_json(frames[name]) for name in _RESULT}


def from_result(result: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables that a freeze kept, by their names in `PointsReport`."""
    return {name: _from_json(result[name]) for name in _RESULT}


def _as_json(table: pd.DataFrame) -> dict[str, Any]:
    rows = table.reset_index() if table.index.name else table
    cells = [
        [None if pd.isna(value) else value.item() if hasattr(value, "item") else value for value in row]
        for row in rows.astype(object).itertuples(index=False, name=None)
    ]
    kinds = {name: str(kind) for name, kind in rows.dtypes.items()}
    if table.index.name:
        kinds[str(table.index.name)] = str(table.index.dtype)
    return {"index": table.index.name, "columns": list(rows.columns), "kinds": kinds, "rows": cells}


def _from_json(kept: dict[str, Any]) -> pd.DataFrame:
    rows = pd.DataFrame(kept["rows"], columns=kept["columns"], dtype=object).astype(kept["kinds"])
    name = kept["index"]
    if not name:
        return rows
    index = pd.Index(rows.pop(name).tolist(), dtype=kept["kinds"][name], name=name)
    return rows.set_axis(index, axis=0)


@depends_on("ledgers")
def rules_report(connection: Connection, *, township_code: str) -> pd.DataFrame:
    """Return every rule there is or was (`store.points.read_rules`)."""
    return read_rules(connection, township_code=township_code)


def in_order(rules: pd.DataFrame) -> pd.DataFrame:
    """Return rules in the order of what they count: patrols, homes, cases, what is taken off, by hand."""
    rank = rules["counts"].map({name: at for at, name in enumerate(POINT_COUNTS)})
    return rules.assign(rank=rank).sort_values(["rank", "name"], kind="stable").drop(columns="rank")


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
