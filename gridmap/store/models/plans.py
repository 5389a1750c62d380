"""Units, grids and plans: a plan is a table unit → grid, so it is seamless by construction."""

from datetime import date, datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, Date, ForeignKey, literal_column
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from gridmap.codes import GRID_PATTERN, TOWNSHIP_PATTERN, UNIT_PATTERN
from gridmap.store.models.model import Instant, Model, geometry, matches, one_of, sound_geometry

PLAN_STATES = ("draft", "submitted", "published", "retired")
PLAN_EVENTS = ("branched", "saved", "submitted", "returned", "published")


class Unit(Model):
    """A piece of ground that belongs to one grid as a whole: a village group's land, or a part of it after a cut."""

    __tablename__ = "unit"
    __table_args__ = (
        matches("unit_code", UNIT_PATTERN),
        CheckConstraint("left(unit_code, 14) = group_code", name="group_of_code"),
        CheckConstraint("left(group_code, 12) = village_code", name="village_of_group"),
        CheckConstraint("left(village_code, 9) = township_code", name="township_of_village"),
        sound_geometry(),
    )

    unit_id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(unique=True)
    group_code: Mapped[str] = mapped_column(ForeignKey("area.area_code"), index=True)
    village_code: Mapped[str] = mapped_column(ForeignKey("area.area_code"), index=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("area.area_code"), index=True)
    retired_on: Mapped[date | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))


class Grid(Model):
    """A grid (网格): level 1 the township, level 2 a village, level 3 an area of groups. Codes are never reused."""

    __tablename__ = "grid"
    __table_args__ = (
        matches("grid_code", GRID_PATTERN),
        CheckConstraint("level = CASE length(grid_code) WHEN 9 THEN 1 WHEN 12 THEN 2 ELSE 3 END", name="level_of_code"),
        CheckConstraint(
            "(level = 1 AND parent_code IS NULL)"
            " OR parent_code = left(grid_code, CASE level WHEN 2 THEN 9 ELSE 12 END)",
            name="parent_of_code",
        ),
        CheckConstraint("left(grid_code, 9) = township_code", name="township_of_code"),
        CheckConstraint("closed_on IS NULL OR closed_on > opened_on", name="period"),
    )

    grid_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    level: Mapped[int]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("grid.grid_code"), index=True)
    name: Mapped[str]
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]


class Plan(Model):
    """A division of the township into grids: draft, submitted, published from a date, retired."""

    __tablename__ = "plan"
    __table_args__ = (
        one_of("state", PLAN_STATES),
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("household_cap > 0", name="household_cap_positive"),
        CheckConstraint("revision >= 0", name="revision_not_negative"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="period"),
        CheckConstraint("state NOT IN ('published', 'retired') OR valid_from IS NOT NULL", name="published_from"),
        ExcludeConstraint(
            (literal_column("township_code"), "="),
            (func.daterange(literal_column("valid_from", Date), literal_column("valid_until", Date)), "&&"),
            where=literal_column("state IN ('published', 'retired')"),
            using="gist",
            name="ex_plan_one_in_force",
        ),
    )

    plan_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("area.area_code"), index=True)
    name: Mapped[str]
    state: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    owner: Mapped[str]
    revision: Mapped[int]
    household_cap: Mapped[int]
    based_on: Mapped[int | None] = mapped_column(ForeignKey("plan.plan_id"))


class PlanUnit(Model):
    """Which grid a unit belongs to in a plan."""

    __tablename__ = "plan_unit"

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.plan_id", ondelete="CASCADE"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.unit_id"), primary_key=True)
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"), index=True)


class GridException(Model):
    """Permission for a grid of a plan to hold more households than the cap: with a reason and a name."""

    __tablename__ = "grid_exception"
    __table_args__ = (
        CheckConstraint("btrim(reason) <> ''", name="reason_given"),
        CheckConstraint("btrim(approved_by) <> ''", name="approved_by_given"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.plan_id", ondelete="CASCADE"), primary_key=True)
    grid_code: Mapped[str] = mapped_column(ForeignKey("grid.grid_code"), primary_key=True)
    reason: Mapped[str]
    approved_by: Mapped[str]
    valid_until: Mapped[date | None]


class PlanEdit(Model):
    """One edit of a draft: the edits in their order, done on the plan it is based on, are the draft."""

    __tablename__ = "plan_edit"
    __table_args__ = (CheckConstraint("number > 0", name="number_positive"),)

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.plan_id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edit: Mapped[dict[str, Any]]


class PlanEvent(Model):
    """What was done with a plan, by whom and when."""

    __tablename__ = "plan_event"
    __table_args__ = (one_of("kind", PLAN_EVENTS),)

    plan_event_id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.plan_id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    revision: Mapped[int]
    done_by: Mapped[str]
    done_at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str]
