"""Monthly reviews: frozen packs, what was decided beside which figure, and who signed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.codes import TOWNSHIP_PATTERN
from gridmap.store.models.model import Instant, Model, matches, one_of

MONTH_PATTERN = "^20[0-9]{2}-(0[1-9]|1[0-2])$"
TASK_KINDS = ("decision", "task")
TASK_STEPS = ("done", "moved", "reopened", "dropped")
SIGNING_ROLES = ("chair", "leader", "grid_office", "recorder")


class ReviewPack(Model):
    """A review as it was frozen; never changed. A month may be frozen again, as known later."""

    __tablename__ = "review_pack"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        matches("month", MONTH_PATTERN),
        matches("digest", "^[0-9a-f]{64}$"),
        CheckConstraint("btrim(frozen_by) <> ''", name="frozen_by_given"),
        CheckConstraint("known_at <= frozen_at", name="known_before"),
        UniqueConstraint("township_code", "month", "digest"),
    )

    pack_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    month: Mapped[str]
    known_at: Mapped[datetime] = mapped_column(Instant)
    digest: Mapped[str]
    figures: Mapped[dict[str, Any]]
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime] = mapped_column(Instant)


class ReviewTask(Model):
    """What a meeting decided beside a figure: a decision, or a task for somebody until a day."""

    __tablename__ = "review_task"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        matches("month", MONTH_PATTERN),
        one_of("kind", TASK_KINDS),
        CheckConstraint("btrim(text) <> '' AND btrim(entered_by) <> ''", name="text_given"),
        CheckConstraint("kind = 'decision' OR (btrim(who) <> '' AND until IS NOT NULL)", name="who_and_until"),
        Index("ix_review_task_month", "township_code", "month"),
    )

    task_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    month: Mapped[str]
    figure_key: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    who: Mapped[str | None]
    until: Mapped[date | None]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(Instant)


class ReviewTaskStep(Model):
    """What became of a task: done, moved to another day, opened again, dropped; its state is the last."""

    __tablename__ = "review_task_step"
    __table_args__ = (
        one_of("kind", TASK_STEPS),
        CheckConstraint("(kind = 'moved') = (until IS NOT NULL)", name="moved_until"),
        CheckConstraint("btrim(done_by) <> ''", name="done_by_given"),
        Index("ix_review_task_step_task_id", "task_id"),
    )

    step_id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("review_task.task_id"))
    kind: Mapped[str]
    until: Mapped[date | None]
    note: Mapped[str]
    done_by: Mapped[str]
    done_at: Mapped[datetime] = mapped_column(Instant)


class ReviewSignature(Model):
    """Who signed a frozen pack, in which role; once a role."""

    __tablename__ = "review_signature"
    __table_args__ = (
        one_of("role", SIGNING_ROLES),
        CheckConstraint("btrim(name) <> ''", name="name_given"),
    )

    pack_id: Mapped[int] = mapped_column(ForeignKey("review_pack.pack_id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(Instant)
