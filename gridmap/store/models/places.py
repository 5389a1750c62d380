"""Places: administrative areas, households, the base map and checkpoints."""

from datetime import date, time

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.codes import GROUP_PATTERN, TOWNSHIP_PATTERN
from gridmap.frames import (
    AREA_KINDS,
    AREA_LEVELS,
    DUTIES,
    MAX_RESIDENTS,
    MAX_STAY_MINUTES,
    PATH_KINDS,
    RHYTHMS,
    WATER_KINDS,
)
from gridmap.store.models.model import Model, geometry, matches, one_of, sound_geometry

# A day of any year as MM-DD; such texts sort like the days.
_SEASON_DAY = "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class Area(Model):
    """A township, a village or community, or a village group (村民小组) with its polygon."""

    __tablename__ = "area"
    __table_args__ = (
        matches("area_code", "^[0-9]{9}([0-9]{3}([0-9]{2})?)?$"),
        matches("township_code", TOWNSHIP_PATTERN),
        one_of("level", AREA_LEVELS),
        one_of("kind", AREA_KINDS),
        CheckConstraint(
            "length(area_code) = CASE level WHEN 'township' THEN 9 WHEN 'village' THEN 12 ELSE 14 END",
            name="level_of_code",
        ),
        CheckConstraint(
            "(parent_code IS NULL AND level = 'township')"
            " OR parent_code = left(area_code, CASE level WHEN 'village' THEN 9 ELSE 12 END)",
            name="parent_of_code",
        ),
        CheckConstraint("left(area_code, 9) = township_code", name="township_of_code"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="period"),
        sound_geometry(),
    )

    area_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    level: Mapped[str]
    kind: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("area.area_code"), index=True)
    name: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))


class Household(Model):
    """A household (户): a point with a number of residents. No name, no identity, no telephone."""

    __tablename__ = "household"
    __table_args__ = (
        CheckConstraint(f"n_residents BETWEEN 0 AND {MAX_RESIDENTS}", name="n_residents_plausible"),
        CheckConstraint("left(group_code, 9) = township_code", name="township_of_group"),
        matches("group_code", GROUP_PATTERN),
        sound_geometry(),
    )

    household_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    group_code: Mapped[str] = mapped_column(ForeignKey("area.area_code"), index=True)
    n_residents: Mapped[int]
    updated_on: Mapped[date | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))


class ServiceNeed(Model):
    """A kind of service need that is counted per household, such as 独居老人."""

    __tablename__ = "service_need"

    need_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class HouseholdNeed(Model):
    """How many people of a household have one service need: a count, never who."""

    __tablename__ = "household_need"
    __table_args__ = (CheckConstraint(f"n_people BETWEEN 1 AND {MAX_RESIDENTS}", name="n_people_plausible"),)

    household_code: Mapped[str] = mapped_column(
        ForeignKey("household.household_code", ondelete="CASCADE"), primary_key=True
    )
    need_code: Mapped[str] = mapped_column(ForeignKey("service_need.need_code"), primary_key=True)
    n_people: Mapped[int]


class Path(Model):
    """One edge of the path network that people walk on."""

    __tablename__ = "path"
    __table_args__ = (one_of("kind", PATH_KINDS), matches("township_code", TOWNSHIP_PATTERN), sound_geometry())

    path_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    name: Mapped[str | None]
    is_bridge: Mapped[bool]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTILINESTRING"))


class Water(Model):
    """A river, canal, pond or reservoir of the base map."""

    __tablename__ = "water"
    __table_args__ = (one_of("kind", WATER_KINDS), matches("township_code", TOWNSHIP_PATTERN), sound_geometry())

    water_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    name: Mapped[str | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))


class Label(Model):
    """A name on the base map and where it stands."""

    __tablename__ = "label"
    __table_args__ = (
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("btrim(name) <> ''", name="name_given"),
        sound_geometry(),
    )

    label_id: Mapped[int] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    name: Mapped[str]
    rank: Mapped[int]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))


class Checkpoint(Model):
    """A place that must be visited so many times a week or month (巡查点); duty `service` is a service point.

    Hours may cross midnight and a season the new year; a null means at any time, all year, however short.
    """

    __tablename__ = "checkpoint"
    __table_args__ = (
        one_of("duty", DUTIES),
        one_of("per", RHYTHMS),
        matches("township_code", TOWNSHIP_PATTERN),
        CheckConstraint("n_visits_due BETWEEN 0 AND 200", name="n_visits_due_plausible"),
        CheckConstraint(
            "num_nonnulls(hours_from, hours_until) <> 1 AND (hours_from IS NULL OR hours_from <> hours_until)",
            name="hours_from_until",
        ),
        CheckConstraint("num_nonnulls(season_from, season_until) <> 1", name="season_from_until"),
        matches("season_from", _SEASON_DAY),
        matches("season_until", _SEASON_DAY),
        CheckConstraint(f"least_stay_minutes BETWEEN 1 AND {MAX_STAY_MINUTES}", name="least_stay_plausible"),
        CheckConstraint("closed_on IS NULL OR closed_on > opened_on", name="period"),
        sound_geometry(),
        Index("ix_checkpoint_open", "township_code", postgresql_where="closed_on IS NULL"),
    )

    checkpoint_code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    duty: Mapped[str]
    n_visits_due: Mapped[int]
    per: Mapped[str]
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    hours_from: Mapped[time | None]
    hours_until: Mapped[time | None]
    season_from: Mapped[str | None]
    season_until: Mapped[str | None]
    least_stay_minutes: Mapped[int | None]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_record.import_id"))
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
