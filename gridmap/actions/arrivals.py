"""What something that comes in says, checked: texts, instant, position, category, person; and how answers write it."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from gridmap.crs import CHINA_BOX
from gridmap.errors import InputError
from gridmap.ingest.datum import DATUMS, to_cgcs2000
from gridmap.ingest.personal import mask_text
from gridmap.settings import settings
from gridmap.store.intake import Ground, Source, read_categories_on, read_person
from gridmap.texts import t

MAX_TEXT, MAX_PLACE, MAX_NOTE, MAX_WORD = 2000, 200, 2000, 60
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MOST_ACCURACY_M = 100_000.0


class NotAccepted(InputError):  # noqa: N818  a finding, named as people say it
    """What came in cannot be taken as it is.

    Parameters
    ----------
    code
        Which rule, as a word for programs.
    message
        One sentence for a person.
    data
        What helps to mend it, such as the choices.
    """

    def __init__(self, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.data: Mapping[str, Any] = data


@dataclass(frozen=True, kw_only=True)
class Position:
    """A place in degrees of a named datum, and by how many metres it may be off (None: not said)."""

    lng: float
    lat: float
    datum: str
    accuracy_m: float | None = None


def require_text(written: str, *, field: str) -> None:
    """Refuse what is no text.

    Raises
    ------
    NotAccepted
        If it holds a NUL or half a surrogate pair.
    """
    if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in written):
        raise NotAccepted("not_text", t("intake.error_not_text", field=field), field=field)


def clean_text(written: str | None, *, field: str, most: int) -> str | None:
    """Return a text without blank ends, its identity and telephone numbers masked; None where nothing is left.

    Raises
    ------
    NotAccepted
        If it is too long, or holds a NUL or half a surrogate pair, which are no text.
    """
    if written is None:
        return None
    require_text(written, field=field)
    if len(written) > most:
        raise NotAccepted("too_long", t("intake.error_too_long", field=field, most=most), field=field, most=most)
    return mask_text(written.strip()) or None


def settled_instant(happened_at: datetime | None, *, now: datetime) -> datetime:
    """Return when it happened: now where nothing is said or the sender's clock is a little ahead.

    Raises
    ------
    NotAccepted
        If it has no zone, lies further ahead than clocks may be, or before 2000.
    """
    if happened_at is None:
        return now
    if happened_at.tzinfo is None:
        raise NotAccepted("no_zone", t("intake.error_no_zone"), field="happened_at")
    if happened_at > now + timedelta(seconds=settings().intake_clock_skew_s):
        local = now.astimezone(settings().zone)
        raise NotAccepted(
            "future",
            t("intake.error_future", now=f"{local:%Y-%m-%d %H:%M:%S}"),
            field="happened_at",
            now=now.isoformat(),
        )
    if happened_at < _EARLIEST:
        raise NotAccepted("too_early", t("intake.error_too_early"), field="happened_at")
    return min(happened_at, now).astimezone(UTC)


def local_day(instant: datetime) -> date:
    """Return the day of an instant by the township's clock."""
    return instant.astimezone(settings().zone).date()


def local_words(instant: datetime) -> str:
    """Return an instant as answers write it: ISO 8601 by the township's clock."""
    return instant.astimezone(settings().zone).isoformat(timespec="seconds")


def ground_words(ground: Ground) -> dict[str, str | None]:
    """Return grid and village as answers write them."""
    return {"grid_code": ground.grid_code, "grid_name": ground.grid_name, "village": ground.village_name}


def located(position: Position | None) -> shapely.Point | None:
    """Return a position as a point in EPSG:4490.

    Raises
    ------
    NotAccepted
        If the datum is not one of those known, a number is not finite, or the point lies outside China.
    """
    if position is None:
        return None
    if position.datum not in DATUMS:
        raise NotAccepted("unknown_datum", t("intake.error_datum", datums=", ".join(DATUMS)), choices=list(DATUMS))
    accuracy = position.accuracy_m
    if accuracy is not None and not 0 <= accuracy <= _MOST_ACCURACY_M:
        raise NotAccepted("bad_accuracy", t("intake.error_accuracy"), field="accuracy_m")
    west, south, east, north = CHINA_BOX
    if not (math.isfinite(position.lng) and math.isfinite(position.lat)) or not (
        west < position.lng < east and south < position.lat < north
    ):
        raise NotAccepted("outside_china", t("intake.error_outside_china"), field="position")
    lng, lat = to_cgcs2000(np.array([position.lng]), np.array([position.lat]), datum=position.datum)
    return shapely.Point(float(lng[0]), float(lat[0]))


def plain(written: str | None) -> str:
    """Return a name as it is compared: without blank ends, of one width and case."""
    return unicodedata.normalize("NFKC", written or "").strip().casefold()


def category_of(connection: Connection, *, written: str, happened_on: date, today: date) -> "pd.Series[Any]":
    """Return the category by code or name, of the list in force on the day it happened, else of today's.

    Raises
    ------
    NotAccepted
        If neither list has it; the choices are today's.
    """
    wanted = plain(written)
    for day in dict.fromkeys((happened_on, today)):
        listed = read_categories_on(connection, on=day)
        is_it = (listed["category_code"].map(plain) == wanted) | (listed["name"].map(plain) == wanted)
        if is_it.any():
            return listed[is_it].iloc[0]
    choices = [
        {"code": str(code), "name": str(name)}
        for code, name in zip(listed["category_code"], listed["name"], strict=True)
    ]
    words = "、".join(f"{one['code']} {one['name']}" for one in choices)
    sentence = t("intake.error_category", category=written[:40], choices=words)
    raise NotAccepted("unknown_category", sentence, field="category", choices=choices)


def person_acting(connection: Connection, *, source: Source, asked: str | None) -> tuple[str | None, str | None]:
    """Return who acts and of which township: the member himself, whom a system names, or nobody.

    Raises
    ------
    NotAccepted
        If a member names somebody else, or there is nobody of that account.
    """
    if source.kind == "member" and asked not in (None, source.staff_id):
        raise NotAccepted("not_yours", t("intake.error_other_person"), field="staff_id")
    staff_id = asked or source.staff_id
    if staff_id is None:
        return None, None
    person = read_person(connection, staff_id=staff_id)
    if person is None:
        raise NotAccepted("unknown_staff", t("intake.error_staff", staff=staff_id[:40]), field="staff_id")
    return staff_id, person[1]
