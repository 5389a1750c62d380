"""What all tables share: naming of constraints, geometry columns and the checks that keep them sound."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase

from gridmap.crs import CHINA_BOX, STORED_EPSG

Instant = TIMESTAMP(timezone=True)


class Model(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text(), dict[str, Any]: JSONB()}  # noqa: RUF012  SQLAlchemy reads it from the class


def geometry(kind: str) -> Geometry:
    """Return a geometry type in the stored coordinate system, with a spatial index."""
    return Geometry(kind, srid=STORED_EPSG, spatial_index=True)


def sound_geometry() -> CheckConstraint:
    """Return the check that a geometry is valid, not empty and inside the China box (a NULL passes)."""
    west, south, east, north = CHINA_BOX
    return CheckConstraint(
        "ST_IsValid(geom) AND NOT ST_IsEmpty(geom)"
        f" AND ST_XMin(geom) >= {west:g} AND ST_XMax(geom) <= {east:g}"
        f" AND ST_YMin(geom) >= {south:g} AND ST_YMax(geom) <= {north:g}",
        name="geom_sound",
    )


def matches(column: str, pattern: str) -> CheckConstraint:
    """Return the check that a text column has the form of its code."""
    return CheckConstraint(f"{column} ~ '{pattern}'", name=f"{column}_form")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Return the check that a text column holds one of the given words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
