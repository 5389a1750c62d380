"""Write the ledger of points: rules begun and ended, entries by hand, appeals, months frozen. One transaction each."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from gridmap.actions.words import require_another, require_words, require_written
from gridmap.errors import ConflictError, InputError
from gridmap.frames import POINT_COUNTS
from gridmap.reports.ledgers.month import month_of
from gridmap.reports.ledgers.points import PointsReport, as_result, points_report
from gridmap.settings import Settings, settings
from gridmap.store.points import add_freeze, add_point_entry, add_rule, end_rule, read_rules, read_rules_in_force
from gridmap.texts import t

_MOST_POINTS = 1000
_MOST_NAME, _MOST_REASON = 60, 500


@dataclass(frozen=True, kw_only=True)
class NewRule:
    """A rule of points.

    Parameters
    ----------
    township_code
        Nine digits.
    rule_code
        Short name: small letters, digits and `_`; a later rule with the same one takes its place from its first month on.
    name
        What people read.
    counts
        One of `frames.POINT_COUNTS`.
    points
        Below 0 for what costs.
    monthly_ceiling
        Most points of a month that it gives or costs; None: no ceiling.
    threshold_percent
        Of `home_visit_share`: from which share on.
    valid_from
        First day of its first month.
    valid_until
        First day of the month from which on it counts no more; None: it goes on.
    """

    township_code: str
    rule_code: str
    name: str
    counts: str
    points: int
    monthly_ceiling: int | None
    threshold_percent: int | None
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """Points by hand: for whom, in which month (a day of it), by which rule (`manual`), how many, why, by whom, approved by whom."""

    township_code: str
    staff_id: str
    month: date
    rule_code: str
    points: int
    reason: str
    entered_by: str
    approved_by: str


@dataclass(frozen=True, kw_only=True)
class Appeal:
    """An appeal that was granted: which entry of which month is taken back, why, by whom, approved by whom."""

    township_code: str
    month: date
    key: str
    reason: str
    entered_by: str
    approved_by: str


def begin_rule(engine: Engine, rule: NewRule, *, recorded_by: str, now: datetime) -> int:
    """Record a rule; returns its id.

    Raises
    ------
    InputError
        If something that it needs is missing or out of range.
    ConflictError
        If another version of the rule counts in one of its months.
    """
    require_words(rule.name, what="ledgers.rule_name", most=_MOST_NAME)
    by = require_words(recorded_by, what="ledgers.by", most=_MOST_NAME)
    if rule.counts not in POINT_COUNTS:
        raise InputError(t("ledgers.error_counts", counts=rule.counts[:40]))
    if not 0 < abs(rule.points) <= _MOST_POINTS:
        raise InputError(t("ledgers.error_points", most=_MOST_POINTS))
    row = {**vars(rule), "name": rule.name.strip(), "recorded_by": by}
    with engine.begin() as connection:
        try:
            return add_rule(connection, rule=row, recorded_at=now)
        except DBAPIError as error:
            if "ex_point_rule_no_overlap" in str(error):
                raise ConflictError(t("ledgers.error_rule_overlap", rule=rule.rule_code)) from error
            raise InputError(t("ledgers.error_rule", rule=rule.rule_code[:40])) from error


def finish_rule(
    engine: Engine, *, township_code: str, rule_id: int, valid_until: date, ended_by: str, now: datetime
) -> None:
    """Let a rule count no more from a month on.

    Raises
    ------
    InputError
        If there is no such rule, or the month is not after its first.
    ConflictError
        If it was ended before.
    """
    by = require_words(ended_by, what="ledgers.by", most=_MOST_NAME)
    with engine.begin() as connection:
        rules = read_rules(connection, township_code=township_code)
        begun = rules["valid_from"].to_dict()
        if rule_id not in begun or valid_until.day != 1 or valid_until <= begun[rule_id]:
            raise InputError(t("ledgers.error_rule_end"))
        try:
            end_rule(connection, rule_id=rule_id, valid_until=valid_until, ended_by=by, ended_at=now)
        except DBAPIError as error:
            raise ConflictError(t("ledgers.error_rule_ended")) from error


def enter_points(engine: Engine, entry: NewEntry, *, now: datetime) -> int:
    """Record points by hand; returns the entry's id.

    Raises
    ------
    InputError
        If the rule is none for entries by hand in that month, the points have another sign than the rule, the person is unknown, the
        month has not begun, or reason, entrant or approver (another person) is missing.
    """
    reason = require_written(entry.reason, what="ledgers.reason", most=_MOST_REASON)
    by, approver = require_another(entry.entered_by, entry.approved_by, most=_MOST_NAME)
    first_on, _ = month_of(entry.month)
    if first_on > now.astimezone(settings().zone).date():
        raise InputError(t("ledgers.error_month_ahead", month=f"{first_on:%Y-%m}"))
    with engine.begin() as connection:
        rules = read_rules_in_force(connection, township_code=entry.township_code, month=first_on, known_at=now)
        rules = rules[rules["counts"] == "manual"]
        if entry.rule_code not in rules.index:
            raise InputError(t("ledgers.error_no_manual_rule", month=f"{first_on:%Y-%m}"))
        worth = rules["points"].to_dict()[entry.rule_code]
        if not 0 < abs(entry.points) <= _MOST_POINTS or (entry.points > 0) != (worth > 0):
            raise InputError(t("ledgers.error_entry_sign", rule=rules.loc[entry.rule_code, "name"], points=worth))
        _require_staff(connection, entry.township_code, entry.staff_id)
        row = {**vars(entry), "month": first_on, "reason": reason, "entered_by": by, "approved_by": approver}
        return add_point_entry(connection, entry=row, recorded_at=now)


def grant_appeal(engine: Engine, appeal: Appeal, *, settings: Settings, now: datetime) -> int:
    """Take an entry back by a counter-entry that refers to it; returns the counter-entry's id.

    In a month that was frozen it counts with the next freezing, which says why.

    Raises
    ------
    InputError
        If the month has no such entry that somebody answers for, or reason, entrant or approver (another person) is missing.
    ConflictError
        If it was taken back before.
    """
    reason = require_written(appeal.reason, what="ledgers.reason", most=_MOST_REASON)
    by, approver = require_another(appeal.entered_by, appeal.approved_by, most=_MOST_NAME)
    first_on, _ = month_of(appeal.month)
    with engine.begin() as connection:
        report = _live(connection, township_code=appeal.township_code, month=first_on, settings=settings, now=now)
        found = report.entries[(report.entries["key"] == appeal.key) & report.entries["staff_id"].notna()]
        if found.empty or found["state"].iloc[0] in {"counter", "void"}:
            raise InputError(t("ledgers.error_no_entry"))
        if found["state"].iloc[0] == "countered":
            raise ConflictError(t("ledgers.error_countered"))
        row = found.iloc[0]
        target: dict[str, Any] = (
            {"counters_key": appeal.key}
            if row["is_computed"]
            else {"counters_entry_id": int(appeal.key.removeprefix("entry|"))}
        )
        entry = {
            "township_code": appeal.township_code,
            "staff_id": row["staff_id"],
            "month": first_on,
            "rule_code": row["rule_code"],
            "points": -int(row["points"]),
            "reason": reason,
            "entered_by": by,
            "approved_by": approver,
            **target,
        }
        try:
            return add_point_entry(connection, entry=entry, recorded_at=now)
        except IntegrityError as error:
            raise ConflictError(t("ledgers.error_countered")) from error


def freeze_month(
    engine: Engine,
    *,
    township_code: str,
    month: date,
    frozen_by: str,
    reason: str | None,
    settings: Settings,
    now: datetime,
) -> int:
    """Keep the evaluation of a month as it is known now; returns the number of the version.

    Raises
    ------
    InputError
        If the month is not over, nobody is named, no rule counts in it, or it was frozen before and no reason is given.
    ConflictError
        If somebody else froze it at the same time.
    """
    by = require_words(frozen_by, what="ledgers.by", most=_MOST_NAME)
    first_on, _ = month_of(month)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        live = _live(connection, township_code=township_code, month=first_on, settings=settings, now=now)
        if not live.is_over:
            raise InputError(t("ledgers.error_running", month=f"{first_on:%Y-%m}"))
        if live.rules.empty:
            raise InputError(t("ledgers.error_no_rules", month=f"{first_on:%Y-%m}"))
        why = (reason or "").strip() or None
        if live.freezes and why is None:
            raise InputError(t("ledgers.error_again", month=f"{first_on:%Y-%m}"))
        frames = {name: getattr(live, name) for name in ("people", "by_rule", "grids", "rules")}
        try:
            return add_freeze(
                connection,
                freeze={
                    "township_code": township_code,
                    "month": first_on,
                    "known_at": now,
                    "reason": None if why is None else require_written(why, what="ledgers.reason", most=_MOST_REASON),
                    "frozen_by": by,
                    "digest": live.digest,
                    "result": as_result(frames),
                },
                recorded_at=now,
            )
        except IntegrityError as error:
            raise ConflictError(t("ledgers.error_frozen_meanwhile", month=f"{first_on:%Y-%m}")) from error


def _live(
    connection: Connection, *, township_code: str, month: date, settings: Settings, now: datetime
) -> PointsReport:
    return points_report(
        connection,
        township_code=township_code,
        month=month,
        now=now,
        zone=settings.zone,
        checkpoint_reach_m=settings.checkpoint_reach_m,
        fix_accuracy_m=settings.fix_accuracy_m,
        patrol_max_speed_kmh=settings.patrol_max_speed_kmh,
        far_checkin_m=settings.far_checkin_m,
        point_prior=settings.point_prior,
        point_grades=settings.point_grades,
        is_live=True,
    )


def _require_staff(connection: Connection, township_code: str, staff_id: str) -> None:
    known = connection.execute(
        text("SELECT 1 FROM staff WHERE staff_id = :staff_id AND township_code = :township"),
        {"staff_id": staff_id, "township": township_code},
    ).scalar()
    if pd.isna(known):
        raise InputError(t("ledgers.error_staff", staff=staff_id[:40]))
