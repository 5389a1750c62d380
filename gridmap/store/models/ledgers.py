"""The three ledgers (台账): rules and entries of points, lists, conventions, practical things, counts of people by month."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, literal_column, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from gridmap.codes import TOWNSHIP_PATTERN
from gridmap.frames import POINT_COUNTS, TASK_KINDS, THING_STEPS
from gridmap.store.models.model import Instant, Model, matches, one_of

APPEND_ONLY = (
    "point_entry",
    "point_freeze",
    "task_list",
    "task_tick",
    "convention",
    "practical_thing",
    "practical_step",
    "opinion",
    "roster_update",
    "people_snapshot",
)
_FIRST_DAY = "extract(day FROM {0}) = 1"
_NOW = text("now()")


def _given(column: str) -> CheckConstraint:
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_given")


def _month(column: str = "month") -> CheckConstraint:
    return CheckConstraint(_FIRST_DAY.format(column), name=f"{column}_first_day")


class PointRule(Model):
    """What earns or costs how many points (积分规则), in which months. A rule is ended, never changed."""

    __tablename__ = "point_rule"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        matches("rule_code", "^[a-z][a-z0-9_]{0,39}$"),
        one_of("counts", POINT_COUNTS),
        _given("name"),
        _given("recorded_by"),
        CheckConstraint("points BETWEEN -1000 AND 1000 AND points <> 0", name="points_plausible"),
        CheckConstraint(
            "counts = 'manual' OR (points < 0) = (counts IN ('closed_late', 'missed_due'))", name="points_sign"
        ),
        CheckConstraint("monthly_ceiling > 0", name="ceiling_positive"),
        CheckConstraint("(counts = 'home_visit_share') = (threshold_percent IS NOT NULL)", name="threshold_of_share"),
        CheckConstraint("threshold_percent BETWEEN 1 AND 100", name="threshold_plausible"),
        _month("valid_from"),
        _month("valid_until"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="period"),
        CheckConstraint("num_nonnulls(ended_by, ended_at) <> 1", name="ended_by_at"),
        CheckConstraint("ended_at IS NULL OR valid_until IS NOT NULL", name="ended_until"),
        ExcludeConstraint(
            (literal_column("township_code"), "="),
            (literal_column("rule_code"), "="),
            (func.daterange(literal_column("valid_from", Date), literal_column("valid_until", Date)), "&&"),
            using="gist",
            name="ex_point_rule_no_overlap",
        ),
    )

    rule_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    rule_code: Mapped[str]
    name: Mapped[str]
    counts: Mapped[str]
    points: Mapped[int]
    monthly_ceiling: Mapped[int | None]
    threshold_percent: Mapped[int | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class PointEntry(Model):
    """Points that somebody entered and another person approved, or the counter-entry of an appeal (申诉冲销)."""

    __tablename__ = "point_entry"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        _month(),
        _given("reason"),
        _given("entered_by"),
        _given("approved_by"),
        CheckConstraint("points BETWEEN -1000 AND 1000 AND points <> 0", name="points_plausible"),
        CheckConstraint("lower(btrim(entered_by)) <> lower(btrim(approved_by))", name="approved_by_another"),
        CheckConstraint("num_nonnulls(counters_entry_id, counters_key) <= 1", name="counters_one"),
        UniqueConstraint("counters_entry_id"),
        UniqueConstraint("township_code", "counters_key"),
        Index("ix_point_entry_month", "township_code", "month"),
    )

    entry_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.staff_id"))
    month: Mapped[date]
    rule_code: Mapped[str]
    points: Mapped[int]
    reason: Mapped[str]
    entered_by: Mapped[str]
    approved_by: Mapped[str]
    counters_entry_id: Mapped[int | None] = mapped_column(ForeignKey("point_entry.entry_id"))
    counters_key: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class PointFreeze(Model):
    """The evaluation of a month as it was posted: what was known by then, and what came out."""

    __tablename__ = "point_freeze"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        _month(),
        _given("frozen_by"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("number = 1 OR btrim(coalesce(reason, '')) <> ''", name="again_with_reason"),
    )

    township_code: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    known_at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str | None]
    frozen_by: Mapped[str]
    digest: Mapped[str]
    result: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class TaskList(Model):
    """One thing on a grid's list of a month: publicity (宣传) or visits (走访)."""

    __tablename__ = "task_list"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        one_of("kind", TASK_KINDS),
        _month(),
        _given("title"),
        _given("entered_by"),
        UniqueConstraint("grid_code", "month", "kind", "title"),
        Index("ix_task_list_month", "township_code", "month"),
    )

    task_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"))
    month: Mapped[date]
    kind: Mapped[str]
    title: Mapped[str]
    entered_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class TaskTick(Model):
    """Somebody ticked a thing of a list off, or took the tick back; the last one counts."""

    __tablename__ = "task_tick"
    __table_args__ = (_given("ticked_by"),)

    tick_id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task_list.task_id"), index=True)
    is_done: Mapped[bool]
    ticked_by: Mapped[str]
    note: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class Convention(Model):
    """The grid convention (网格公约): agreed on which day, signed by how many of how many households; counted again, appended."""

    __tablename__ = "convention"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("n_households > 0 AND n_signed BETWEEN 0 AND n_households", name="signed_of_households"),
        _given("recorded_by"),
    )

    convention_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"))
    agreed_on: Mapped[date]
    n_signed: Mapped[int]
    n_households: Mapped[int]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class PracticalThing(Model):
    """A practical thing (实事) that a grid promised, with its date."""

    __tablename__ = "practical_thing"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        _given("title"),
        _given("recorded_by"),
        CheckConstraint("due_on >= promised_on", name="due_after_promise"),
    )

    thing_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"))
    title: Mapped[str]
    promised_on: Mapped[date]
    due_on: Mapped[date]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class PracticalStep(Model):
    """What became of a practical thing: begun, done, or dropped with a reason."""

    __tablename__ = "practical_step"
    __table_args__ = (
        one_of("kind", THING_STEPS),
        _given("recorded_by"),
        CheckConstraint("kind <> 'dropped' OR btrim(coalesce(reason, '')) <> ''", name="dropped_with_reason"),
        UniqueConstraint("thing_id", "kind"),
        Index(
            "uq_practical_step_one_end", "thing_id", unique=True, postgresql_where=text("kind IN ('done', 'dropped')")
        ),
    )

    step_id: Mapped[int] = mapped_column(primary_key=True)
    thing_id: Mapped[int] = mapped_column(ForeignKey("practical_thing.thing_id"))
    kind: Mapped[str]
    happened_on: Mapped[date]
    reason: Mapped[str | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class Opinion(Model):
    """An opinion collected in a grid (征集意见) is an incident: this says in which grid it was collected, and by whom."""

    __tablename__ = "opinion"
    __table_args__ = (matches("township_code", TOWNSHIP_PATTERN), _given("collected_by"))

    incident_code: Mapped[str] = mapped_column(ForeignKey("incident.incident_code"), primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"))
    collected_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class RosterUpdate(Model):
    """A grid's team went through its households and says that the counts are right (更新登记)."""

    __tablename__ = "roster_update"
    __table_args__ = (matches("township_code", TOWNSHIP_PATTERN), _given("updated_by"))

    update_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"))
    updated_on: Mapped[date]
    updated_by: Mapped[str]
    note: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)


class PeopleSnapshot(Model):
    """How many people of which need lived in a village group's part of a grid in a month: counts, never who."""

    __tablename__ = "people_snapshot"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        _month(),
        _given("taken_by"),
        UniqueConstraint("township_code", "month", "group_code", "grid_code", postgresql_nulls_not_distinct=True),
        CheckConstraint(
            "least(n_households, n_residents, n_living_alone, n_left_behind, n_disabled, n_low_income) >= 0",
            name="counts_not_negative",
        ),
    )

    snapshot_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    month: Mapped[date]
    group_code: Mapped[str]
    grid_code: Mapped[str | None]
    n_households: Mapped[int]
    n_residents: Mapped[int]
    n_living_alone: Mapped[int]
    n_left_behind: Mapped[int]
    n_disabled: Mapped[int]
    n_low_income: Mapped[int]
    newest_on: Mapped[date | None]
    oldest_on: Mapped[date | None]
    taken_by: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=_NOW)
