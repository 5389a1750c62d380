"""Record single facts as they come in: a check-in, an incident. One transaction each."""

from dataclasses import dataclass
from datetime import datetime

import shapely
from sqlalchemy import Engine, text

from gridmap.crs import STORED_EPSG
from gridmap.errors import InputError
from gridmap.settings import settings
from gridmap.texts import t


@dataclass(frozen=True, kw_only=True)
class NewCheckin:
    """A check-in to be recorded; `point` in EPSG:4490, None without a position."""

    township_code: str
    staff_id: str
    kind: str
    happened_at: datetime
    point: shapely.Point | None
    accuracy_m: float | None = None
    place: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewIncident:
    """An incident to be recorded; `point` in EPSG:4490, None without a place."""

    township_code: str
    category_code: str
    list_year: int
    urgency: str
    happened_at: datetime
    due_at: datetime | None
    point: shapely.Point | None
    village_code: str | None = None
    place: str | None = None
    text: str | None = None
    source: str | None = None


def record_checkin(engine: Engine, checkin: NewCheckin, *, now: datetime) -> bool:
    """Record a check-in; False when the same one (who, when, kind) was recorded before.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    with engine.begin() as connection:
        result = connection.execute(
            text(
                "INSERT INTO checkin (township_code, staff_id, kind, happened_at, recorded_at, accuracy_m, place, geom)"
                " VALUES (:township_code, :staff_id, :kind, :happened_at, :recorded_at, :accuracy_m, :place,"
                " ST_GeomFromWKB(:point, :srid)) ON CONFLICT (staff_id, happened_at, kind) DO NOTHING"
            ),
            {**vars(checkin), "point": _wkb(checkin.point), "srid": STORED_EPSG, "recorded_at": now},
        )
    return result.rowcount == 1


def record_incident(engine: Engine, incident: NewIncident, *, staff_id: str | None, now: datetime) -> str:
    """Record an incident with its first step (上报); returns its number: day and running number of the day.

    Raises
    ------
    InputError
        If the township is unknown.
    sqlalchemy.exc.DBAPIError
        If the database refuses it, such as an unknown category.
    """
    day = now.astimezone(settings().zone).strftime("%Y%m%d")
    with engine.begin() as connection:
        known = connection.execute(
            text("SELECT 1 FROM area WHERE area_code = :code AND level = 'township' FOR UPDATE"),
            {"code": incident.township_code},
        ).scalar()
        if not known:
            raise InputError(t("load.error_unknown_township", township=incident.township_code))
        prefix = f"{incident.township_code}-{day}-"
        last: str | None = connection.execute(
            text("SELECT max(incident_code) FROM incident WHERE incident_code LIKE :prefix || '%'"),
            {"prefix": prefix},
        ).scalar()
        number = f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:04d}"
        connection.execute(
            text(
                "INSERT INTO incident (incident_code, township_code, category_code, list_year, urgency, source,"
                " village_code, place, text, happened_at, recorded_at, due_at, geom) VALUES (:incident_code,"
                " :township_code, :category_code, :list_year, :urgency, :source, :village_code, :place, :text,"
                " :happened_at, :recorded_at, :due_at, ST_GeomFromWKB(:point, :srid))"
            ),
            {
                **vars(incident),
                "incident_code": number,
                "point": _wkb(incident.point),
                "srid": STORED_EPSG,
                "recorded_at": now,
            },
        )
        connection.execute(
            text(
                "INSERT INTO incident_step (incident_code, kind, level, staff_id, happened_at, recorded_at)"
                " VALUES (:incident_code, 'reported', 'member', :staff_id, :happened_at, :recorded_at)"
            ),
            {
                "incident_code": number,
                "staff_id": staff_id,
                "happened_at": incident.happened_at,
                "recorded_at": now,
            },
        )
    return number


def _wkb(point: shapely.Point | None) -> bytes | None:
    return None if point is None else bytes(shapely.to_wkb(point))
