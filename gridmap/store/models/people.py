"""The teams of the grids: staff are users of the system and named as such; residents are only counted."""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, UniqueConstraint, literal_column
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from gridmap.codes import TOWNSHIP_PATTERN
from gridmap.frames import POSTING_ROLES, TEAM_CODES
from gridmap.store.models.model import Model, matches, one_of


class TownshipTeam(Model):
    """One of the five township teams (咨询服务, 民生通道, 矛调处理, 应急处突, 文明实践)."""

    __tablename__ = "township_team"
    __table_args__ = (one_of("team_code", TEAM_CODES),)

    team_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Staff(Model):
    """A chief, member or leader, by the account of the work platform."""

    __tablename__ = "staff"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("btrim(name) <> ''", name="name_given"),
    )

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))


class Posting(Model):
    """Who serves which grid or township team, in which role, from when to when."""

    __tablename__ = "posting"
    __table_args__ = (
        one_of("role", POSTING_ROLES),
        UniqueConstraint(
            "staff_id", "grid_code", "team_code", "role", "valid_from", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("num_nonnulls(grid_code, team_code) = 1", name="grid_or_team"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="period"),
        ExcludeConstraint(
            (literal_column("staff_id"), "="),
            (func.coalesce(literal_column("grid_code"), literal_column("team_code")), "="),
            (func.daterange(literal_column("valid_from", Date), literal_column("valid_until", Date)), "&&"),
            using="gist",
            name="ex_posting_no_overlap",
        ),
    )

    posting_id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.staff_id"), index=True)
    grid_code: Mapped[str | None] = mapped_column(ForeignKey("grid.grid_code"), index=True)
    team_code: Mapped[str | None] = mapped_column(ForeignKey("township_team.team_code"))
    role: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
