"""What comes in over HTTP: who may send (sources), what was answered to which key (receipts), photos of incidents."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.frames import SOURCE_KINDS
from gridmap.store.models.model import Instant, Model, matches, one_of

APPEND_ONLY = ("intake_receipt", "incident_photo")
_SHA256 = "^[0-9a-f]{64}$"


class IntakeSource(Model):
    """Who may send: a member's device, another system, or the residents' form; of the token only its hash."""

    __tablename__ = "intake_source"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("token_sha256"),
        one_of("kind", SOURCE_KINDS),
        matches("token_sha256", _SHA256),
        CheckConstraint("btrim(name) <> ''", name="name_given"),
        CheckConstraint("kind <> 'member' OR staff_id IS NOT NULL", name="member_is_somebody"),
        CheckConstraint("kind <> 'resident' OR num_nonnulls(token_sha256, staff_id) = 0", name="resident_is_nobody"),
    )

    source_id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.staff_id"))
    token_sha256: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class IntakeReceipt(Model):
    """What a source was answered to a key; written in one transaction with the fact, so both are there or neither."""

    __tablename__ = "intake_receipt"
    __table_args__ = (
        matches("body_sha256", _SHA256),
        CheckConstraint("char_length(key) BETWEEN 8 AND 200", name="key_length"),
        Index("ix_intake_receipt_incident_code", "incident_code"),
    )

    source_id: Mapped[int] = mapped_column(ForeignKey("intake_source.source_id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[str]
    incident_code: Mapped[str | None] = mapped_column(ForeignKey("incident.incident_code"))
    answer: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class IncidentPhoto(Model):
    """A photo of an incident: decoded and written anew without metadata before it came here."""

    __tablename__ = "incident_photo"
    __table_args__ = (
        UniqueConstraint("incident_code", "sha256"),
        matches("sha256", _SHA256),
        CheckConstraint("width_px > 0 AND height_px > 0", name="size_positive"),
        CheckConstraint("octet_length(content) > 0", name="content_given"),
    )

    photo_id: Mapped[int] = mapped_column(primary_key=True)
    incident_code: Mapped[str] = mapped_column(ForeignKey("incident.incident_code"))
    width_px: Mapped[int]
    height_px: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
