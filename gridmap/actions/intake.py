"""Take in what is sent: a report, a check-in, a step. Once each, together with its receipt, in one transaction."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from gridmap.actions.arrivals import (
    MAX_PLACE,
    MAX_TEXT,
    MAX_WORD,
    NotAccepted,
    Position,
    category_of,
    clean_text,
    ground_words,
    local_day,
    local_words,
    located,
    person_acting,
    require_text,
    settled_instant,
)
from gridmap.actions.receipts import Answered, Recorded, once
from gridmap.actions.record import NewIncident, append_incident
from gridmap.actions.whereabouts import Named, look_alikes, placed, township_of_report
from gridmap.analysis.clocks import Deadlines
from gridmap.analysis.duties import levels_at, levels_of
from gridmap.errors import InputError
from gridmap.frames import URGENCIES
from gridmap.ingest.limits import Limits
from gridmap.ingest.sandbox import Photo, read_photos
from gridmap.settings import settings
from gridmap.store.intake import Ground, Source, read_duties, read_resident_source
from gridmap.store.photos import append_photo
from gridmap.texts import t
from gridmap.workdays import work_calendar

# How the sources of incidents are called among those of the imported ones.
_SOURCE_NAMES = {"member": "网格员上报", "resident": "居民扫码上报"}
_PHOTO_LIMITS = Limits(memory_mb=1536, cpu_s=15, wall_s=30.0)


@dataclass(frozen=True, kw_only=True)
class NewReport:
    """Something that is reported.

    Parameters
    ----------
    category
        Code or name in the list in force.
    text
        What is the matter; identity and telephone numbers in it are masked before it is stored.
    urgency
        `normal` or `urgent`.
    happened_at
        tz-aware; None: now.
    position
        Where; None where it is only named.
    grid_code, grid_name, village, place
        How the place is named; None: not.
    photos
        The files as they were sent.
    township_code
        Which township, where there is more than one and nothing else tells.
    staff_id
        Who reports, where a system sends it for somebody.
    """

    category: str
    text: str | None = None
    urgency: str = "normal"
    happened_at: datetime | None = None
    position: Position | None = None
    grid_code: str | None = None
    grid_name: str | None = None
    village: str | None = None
    place: str | None = None
    photos: Sequence[bytes] = ()
    township_code: str | None = None
    staff_id: str | None = None


def report(engine: Engine, source: Source, new: NewReport, *, key: str, now: datetime) -> Answered:
    """Record a report with its photos; the same key again gets the same answer and records nothing.

    Parameters
    ----------
    engine
        The writing engine.
    source
        Who sends (`store.intake.read_source`).
    new
        The report.
    key
        Chosen by the sender, the same each time he sends this report.
    now
        The instant, tz-aware.

    Returns
    -------
    Answered
        `number`, `grid_code`, `grid_name`, `village`, `category`, `category_code`, `urgency`, `happened_at`, `due_at`,
        `accept_due_at`, `duplicates`, `photos` (their numbers), `warnings`.

    Raises
    ------
    NotAccepted
        If something in it cannot be taken; `code` says which rule.
    ConflictError
        If the key was used for something else.
    sqlalchemy.exc.SQLAlchemyError
        If the database does not answer or refuses it; nothing is recorded then.
    """
    return once(engine, source, new, key=key, now=now, record=lambda link: _report(link, source, new, now=now))


def report_by_resident(engine: Engine, new: NewReport, *, key: str, now: datetime) -> Answered:
    """Record a resident's report from the form of a grid: nobody is named, the first step has no level.

    `new.grid_code` says which grid's form it was. Answer and errors as of `report`; of private matters no duplicates are told.

    Raises
    ------
    NotAccepted
        If no grid is named, or something in it cannot be taken.
    ConflictError
        If the key was used for something else.
    sqlalchemy.exc.SQLAlchemyError
        If the database does not answer or refuses it; nothing is recorded then.
    """
    if not new.grid_code:
        raise NotAccepted("no_place", t("intake.error_no_place"), field="grid_code")
    with engine.connect() as connection:
        source = read_resident_source(connection)
    return report(engine, source, new, key=key, now=now)


def _report(connection: Connection, source: Source, new: NewReport, *, now: datetime) -> Recorded:
    if new.urgency not in URGENCIES:
        raise NotAccepted("unknown_urgency", t("intake.error_urgency", words=", ".join(URGENCIES)), choices=URGENCIES)
    text = clean_text(new.text, field="text", most=MAX_TEXT)
    place_text = clean_text(new.place, field="place", most=MAX_PLACE)
    happened_at = settled_instant(new.happened_at, now=now)
    point = located(new.position)
    named = Named(
        grid_code=clean_name(new.grid_code), grid_name=clean_name(new.grid_name), village=clean_name(new.village)
    )
    today = local_day(now)
    staff_id, home = person_acting(connection, source=source, asked=new.staff_id)
    township = township_of_report(connection, asked=new.township_code, person=home, point=point, named=named)
    require_text(new.category, field="category")
    category = category_of(connection, written=new.category, happened_on=local_day(happened_at), today=today)
    where = placed(
        connection,
        township_code=township,
        on=today,
        position=new.position,
        point=point,
        named=named,
        has_place_text=place_text is not None,
    )
    photos = _cleaned(new.photos)
    policy = {"urgency": new.urgency, "category_code": str(category["category_code"])}
    deadlines, calendar = Deadlines.parsed(settings().deadlines), work_calendar()
    due_at, accept_due_at = (calendar.add(now, deadlines.span(clock, **policy)) for clock in ("close", "accept"))
    duplicates = look_alikes(
        connection,
        township_code=township,
        category=category,
        happened_at=happened_at,
        now=now,
        where=where,
        hides_private=source.kind == "resident",
    )
    number = append_incident(
        connection,
        NewIncident(
            township_code=township,
            category_code=str(category["category_code"]),
            list_year=int(category["list_year"]),
            urgency=new.urgency,
            happened_at=happened_at,
            due_at=due_at,
            point=point,
            village_code=where.named_village_code,
            grid_code=where.named_grid_code,
            place=place_text,
            text=text,
            source=_SOURCE_NAMES.get(source.kind, source.name),
        ),
        staff_id=staff_id,
        level=_reporting_level(connection, staff_id, where.ground, on=today),
        reported_at=now,
        now=now,
    )
    kept = [_keep(connection, number, photo, now=now) for photo in photos]
    answer = {
        "number": number,
        **ground_words(where.ground),
        "category": str(category["name"]),
        "category_code": str(category["category_code"]),
        "urgency": new.urgency,
        "happened_at": local_words(happened_at),
        "due_at": local_words(due_at),
        "accept_due_at": local_words(accept_due_at),
        "duplicates": duplicates,
        "photos": [photo_id for photo_id in kept if photo_id is not None],
        "warnings": list(where.warnings),
    }
    return answer, number


def clean_name(written: str | None) -> str | None:
    """Return a code or name without blank ends; None where nothing is left.

    Raises
    ------
    NotAccepted
        If it is too long or no text.
    """
    return clean_text(written, field="grid_code", most=MAX_WORD)


def _cleaned(photos: Sequence[bytes]) -> list[Photo]:
    most, most_mb = settings().intake_max_photos, settings().intake_max_photo_mb
    if len(photos) > most:
        raise NotAccepted("too_many_photos", t("intake.error_photos", most=most), most=most)
    if any(len(photo) > most_mb * 1_000_000 for photo in photos):
        raise NotAccepted("photo_too_large", t("intake.error_photo_size", most=most_mb), most_mb=most_mb)
    names = [t("intake.photo", number=number) for number in range(1, len(photos) + 1)]
    size = {"max_px": settings().intake_photo_px, "max_pixels": settings().intake_photo_mpx * 1_000_000}
    try:
        return read_photos(photos, names=names, limits=_PHOTO_LIMITS, **size)
    except InputError as error:
        raise NotAccepted("bad_photo", str(error), field="photo") from error


def _keep(connection: Connection, number: str, photo: Photo, *, now: datetime) -> int | None:
    return append_photo(
        connection,
        incident_code=number,
        content=photo.content,
        sha256=hashlib.sha256(photo.content).hexdigest(),
        width_px=photo.width_px,
        height_px=photo.height_px,
        now=now,
    )


def _reporting_level(connection: Connection, staff_id: str | None, ground: Ground, *, on: date) -> str | None:
    """Return the level of the first step: the lowest at which the person serves there, else anywhere; None without a person."""
    if staff_id is None:
        return None
    duties = read_duties(connection, staff_id=staff_id, on=on)
    there = levels_at(duties, grid_code=ground.grid_code, village_code=ground.village_code)
    return next(iter(there or levels_of(duties)), "member")
