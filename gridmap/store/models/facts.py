"""Facts are appended: check-ins, tracks, home visits, incidents and their steps. A correction is a new row, never a change."""

from datetime import date, datetime

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.codes import TOWNSHIP_PATTERN
from gridmap.frames import INCIDENT_KINDS, STEP_KINDS, STEP_LEVELS, URGENCIES
from gridmap.store.models.model import Instant, Model, geometry, matches, one_of, sound_geometry

APPEND_ONLY = ("checkin", "track_fix", "home_visit", "incident", "incident_step")


class Checkin(Model):
    """A member was at a place at a time (签到打卡); without a point where none was given."""

    __tablename__ = "checkin"
    __table_args__ = (
        UniqueConstraint("staff_id", "happened_at", "kind"),
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("accuracy_m IS NULL OR accuracy_m >= 0", name="accuracy_not_negative"),
        Index("ix_checkin_when", "township_code", "happened_at"),
        sound_geometry(),
    )

    checkin_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    staff_id: Mapped[str]
    group_name: Mapped[str | None]
    kind: Mapped[str]
    exception: Mapped[str | None]
    happened_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"))
    accuracy_m: Mapped[float | None]
    place: Mapped[str | None]
    note: Mapped[str | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"), index=True)
    geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))


class TrackFix(Model):
    """One fix of a patrol's GPS track (巡查轨迹). Read for visits of checkpoints and of lanes only, never shown as a way."""

    __tablename__ = "track_fix"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("btrim(track_code) <> ''", name="track_code_given"),
        CheckConstraint("accuracy_m IS NULL OR accuracy_m >= 0", name="accuracy_not_negative"),
        Index("ix_track_fix_when", "township_code", "happened_at"),
        sound_geometry(),
    )

    track_code: Mapped[str] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    township_code: Mapped[str]
    staff_id: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"))
    accuracy_m: Mapped[float | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"), index=True)
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))


class HomeVisit(Model):
    """A household was visited door to door (入户走访): which, by whom, when; nothing of what was said."""

    __tablename__ = "home_visit"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        Index("ix_home_visit_when", "township_code", "happened_at"),
    )

    household_code: Mapped[str] = mapped_column(ForeignKey("household.household_code"), primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    township_code: Mapped[str]
    staff_id: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"), index=True)


class Category(Model):
    """A kind of incident in one year's list; lists change, so an incident names code and list year."""

    __tablename__ = "category"
    __table_args__ = (
        one_of("kind", INCIDENT_KINDS),
        CheckConstraint("list_year BETWEEN 2000 AND 2100", name="list_year_plausible"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="period"),
    )

    category_code: Mapped[str] = mapped_column(primary_key=True)
    list_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    name: Mapped[str]
    is_private: Mapped[bool]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    successor_code: Mapped[str | None]


class Incident(Model):
    """Something reported at a place (事件): what was said of it when it came in; `grid_code` is the grid that was named.

    Where it lies, its place says; the named grid counts only where that lies in no grid (`analysis.counting.grids_of`).
    """

    __tablename__ = "incident"
    __table_args__ = (
        ForeignKeyConstraint(["category_code", "list_year"], ["category.category_code", "category.list_year"]),
        one_of("urgency", URGENCIES),
        matches("township_code", TOWNSHIP_PATTERN),
        Index("ix_incident_when", "township_code", "happened_at"),
        # The last number of a day is looked for by its beginning.
        Index("ix_incident_number", "incident_code", postgresql_ops={"incident_code": "text_pattern_ops"}),
        sound_geometry(),
    )

    incident_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    category_code: Mapped[str]
    list_year: Mapped[int]
    urgency: Mapped[str]
    source: Mapped[str | None]
    village_code: Mapped[str | None] = mapped_column(ForeignKey("area.area_code"))
    grid_code: Mapped[str | None] = mapped_column(ForeignKey("grid.grid_code"))
    place: Mapped[str | None]
    text: Mapped[str | None]
    happened_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"), index=True)
    geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))


class IncidentStep(Model):
    """One step of an incident (上报, 受理, 处置, … 回访); its state is a fold over them."""

    __tablename__ = "incident_step"
    __table_args__ = (
        UniqueConstraint("incident_code", "kind", "happened_at"),
        UniqueConstraint("incident_code", "automatic_key"),
        CheckConstraint("automatic_key IS NULL OR kind = 'escalated'", name="automatic_escalates"),
        CheckConstraint(
            "due_at IS NULL OR kind IN ('extension_asked', 'extended', 'resumed', 'reopened')", name="due_set_by"
        ),
        one_of("kind", STEP_KINDS),
        one_of("level", STEP_LEVELS),
        CheckConstraint("satisfaction BETWEEN 1 AND 5", name="satisfaction_scale"),
    )

    step_id: Mapped[int] = mapped_column(primary_key=True)
    incident_code: Mapped[str] = mapped_column(ForeignKey("incident.incident_code"))
    kind: Mapped[str]
    level: Mapped[str | None]
    staff_id: Mapped[str | None]
    team_code: Mapped[str | None] = mapped_column(ForeignKey("township_team.team_code"))
    note: Mapped[str | None]
    satisfaction: Mapped[int | None]
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    automatic_key: Mapped[str | None]
    happened_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=text("now()"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"), index=True)
