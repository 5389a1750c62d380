"""What links us to the work platform (企业微信): its grids, its orders, and how far each list has been pulled."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.codes import TOWNSHIP_PATTERN
from gridmap.store.models.model import Instant, Model, matches, one_of

FAMILIES = ("patrol", "resident")
PULLED = (*FAMILIES, "grids")


class WorkPlatformGrid(Model):
    """A node of the platform's grid tree, and which of our grids it is; without one where no name fits exactly one."""

    __tablename__ = "work_platform_grid"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("btrim(grid_id) <> ''", name="grid_id_given"),
    )

    grid_id: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    parent_id: Mapped[str | None]
    admins: Mapped[list[Any]] = mapped_column(JSONB)
    members: Mapped[list[Any]] = mapped_column(JSONB)
    grid_code: Mapped[str | None] = mapped_column(ForeignKey("grid.grid_code"), index=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))


class WorkPlatformOrder(Model):
    """An order (工单) of the platform that became an incident: what the platform said that an incident has no place for.

    `grid_code` is the grid of its place on the day it came in, or, without a place, the one that the platform named.
    """

    __tablename__ = "work_platform_order"
    __table_args__ = (
        one_of("family", FAMILIES),
        matches("township_code", TOWNSHIP_PATTERN),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    incident_code: Mapped[str] = mapped_column(ForeignKey("incident.incident_code"), unique=True)
    township_code: Mapped[str] = mapped_column(index=True)
    family: Mapped[str]
    urge_type: Mapped[int | None]
    platform_grid_id: Mapped[str | None]
    platform_grid_name: Mapped[str | None]
    grid_code: Mapped[str | None] = mapped_column(ForeignKey("grid.grid_code"), index=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"), index=True)


class WorkPlatformPull(Model):
    """How far one list has been pulled. `begun_at` is given while a run is under way: it goes on at `cursor`.

    `modified_since` is what the run under way asks for, `next_since` what the next one will ask for.
    """

    __tablename__ = "work_platform_pull"
    __table_args__ = (
        one_of("family", PULLED),
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("cursor IS NULL OR begun_at IS NOT NULL", name="cursor_of_a_run"),
    )

    township_code: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime | None] = mapped_column(Instant)
    modified_since: Mapped[datetime | None] = mapped_column(Instant)
    cursor: Mapped[str | None]
    next_since: Mapped[datetime | None] = mapped_column(Instant)
    n_orders: Mapped[int] = mapped_column(server_default=text("0"))
    pulled_at: Mapped[datetime] = mapped_column(Instant)
