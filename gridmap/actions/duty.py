"""Take in what a member does outside: he checks in, he takes a step of an incident. Once each, with its receipt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from gridmap.actions.arrivals import (
    MAX_NOTE,
    MAX_PLACE,
    MAX_WORD,
    NotAccepted,
    Position,
    clean_text,
    ground_words,
    local_day,
    local_words,
    located,
    person_acting,
    settled_instant,
)
from gridmap.actions.incidents import NewStep, append_legal_step, standing_now
from gridmap.actions.receipts import Answered, Recorded, once
from gridmap.actions.record import NewCheckin, append_checkin
from gridmap.analysis.duties import levels_at
from gridmap.analysis.lifecycle import LEVELS, STEPS, refusal
from gridmap.errors import ConflictError
from gridmap.settings import settings
from gridmap.store.cases import lock_incident, read_case
from gridmap.store.intake import (
    Ground,
    Source,
    read_duties,
    read_ground,
    read_ground_of,
    read_incident_township,
    read_nearest_checkpoint,
)
from gridmap.texts import t

CHECKIN_KIND = "外出打卡"


@dataclass(frozen=True, kw_only=True)
class NewArrival:
    """A check-in that is sent: somebody is at a place; `kind` as the work platform calls it."""

    kind: str = CHECKIN_KIND
    happened_at: datetime | None = None
    position: Position | None = None
    place: str | None = None
    note: str | None = None
    staff_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class WantedStep:
    """A step that is sent; `level` only where a system acts for nobody in particular."""

    number: str
    kind: str
    note: str | None = None
    team_code: str | None = None
    satisfaction: int | None = None
    due_at: datetime | None = None
    level: str | None = None
    staff_id: str | None = None


class StepConflict(ConflictError):  # noqa: N818  a finding, named as people say it
    """The state does not allow a step (any more).

    Parameters
    ----------
    message
        One sentence for a person.
    first
        The step that came before: `step`, `level`, `staff_id`, `happened_at`; None: there was none.
    """

    def __init__(self, message: str, *, first: dict[str, Any] | None) -> None:
        super().__init__(message)
        self.first = first


def check_in(engine: Engine, source: Source, new: NewArrival, *, key: str, now: datetime) -> Answered:
    """Record a check-in; the same key again gets the same answer and records nothing.

    Returns
    -------
    Answered
        `staff_id`, `kind`, `happened_at`, `grid_code`, `grid_name`, `village`, `checkpoint` (code, name and metres of the nearest
        within reach, else None), `is_new` (False: the same check-in came another way before), `warnings`.

    Raises
    ------
    NotAccepted
        If something in it cannot be taken.
    ConflictError
        If the key was used for something else.
    sqlalchemy.exc.SQLAlchemyError
        If the database does not answer or refuses it; nothing is recorded then.
    """
    return once(engine, source, new, key=key, now=now, record=lambda link: _check_in(link, source, new, now=now))


def take(engine: Engine, source: Source, wanted: WantedStep, *, key: str, now: datetime) -> Answered:
    """Take a step of an incident as the person who acts, at the level that his postings give him there.

    Returns
    -------
    Answered
        `number`, `step`, `level`, `happened_at`, `state`, `holder`, `is_open`, `due_at`.

    Raises
    ------
    NotAccepted
        If the incident is unknown (`unknown_report`), lies where the person does not serve (`not_yours`), or something is missing.
    StepConflict
        If the state does not allow the step (any more); it says who was first.
    ConflictError
        If the key was used for something else.
    InputError
        If the step belongs to another level, or something that it needs is missing.
    sqlalchemy.exc.SQLAlchemyError
        If the database does not answer or refuses it; nothing is recorded then.
    """
    return once(engine, source, wanted, key=key, now=now, record=lambda link: _take(link, source, wanted, now=now))


def _check_in(connection: Connection, source: Source, new: NewArrival, *, now: datetime) -> Recorded:
    kind = clean_text(new.kind, field="kind", most=MAX_WORD)
    if kind is None:
        raise NotAccepted("missing", t("intake.error_missing", field="kind"), field="kind")
    place_text = clean_text(new.place, field="place", most=MAX_PLACE)
    note = clean_text(new.note, field="note", most=MAX_NOTE)
    happened_at = settled_instant(new.happened_at, now=now)
    point = located(new.position)
    staff_id, township = person_acting(connection, source=source, asked=new.staff_id)
    if staff_id is None or township is None:
        raise NotAccepted("missing", t("intake.error_missing", field="staff_id"), field="staff_id")
    if point is None and place_text is None:
        raise NotAccepted("no_place", t("intake.error_no_place"), field="position")
    is_new = append_checkin(
        connection,
        NewCheckin(
            township_code=township,
            staff_id=staff_id,
            kind=kind,
            happened_at=happened_at,
            point=point,
            accuracy_m=new.position.accuracy_m if new.position else None,
            place=place_text,
            note=note,
        ),
        now=now,
    )
    ground, checkpoint, warnings = Ground(), None, []
    if point is None:
        warnings.append(t("intake.warn_no_position"))
    else:
        where = {"township_code": township, "on": local_day(happened_at), "lng": point.x, "lat": point.y}
        at = read_ground(connection, **where)
        ground = at[0] if at else Ground()
        checkpoint = read_nearest_checkpoint(connection, **where, reach_m=settings().checkpoint_reach_m)
    answer = {
        "staff_id": staff_id,
        "kind": kind,
        "happened_at": local_words(happened_at),
        **ground_words(ground),
        "checkpoint": None
        if checkpoint is None
        else {"code": checkpoint[0], "name": checkpoint[1], "distance_m": round(checkpoint[2])},
        "is_new": is_new,
        "warnings": warnings,
    }
    return answer, None


def _take(connection: Connection, source: Source, wanted: WantedStep, *, now: datetime) -> Recorded:
    code = wanted.number
    if wanted.kind not in STEPS:
        raise NotAccepted(
            "unknown_step", t("intake.error_step", step=wanted.kind[:40], steps=", ".join(STEPS)), choices=list(STEPS)
        )
    note = clean_text(wanted.note, field="note", most=MAX_NOTE)
    staff_id, township = person_acting(connection, source=source, asked=wanted.staff_id)
    lies_in = read_incident_township(connection, incident_code=code)
    if lies_in is None or (township is not None and township != lies_in):
        raise NotAccepted("unknown_report", t("handling.error_unknown", number=code[:60]))
    lock_incident(connection, incident_code=code)
    level = _acting_level(connection, source, wanted, staff_id, now=now)
    step = NewStep(
        incident_code=code,
        kind=wanted.kind,
        level=level,
        staff_id=staff_id,
        note=note,
        team_code=wanted.team_code,
        satisfaction=wanted.satisfaction,
        due_at=wanted.due_at,
    )
    try:
        append_legal_step(connection, step, now=now)
    except ConflictError as error:
        raise StepConflict(str(error), first=_last_step(connection, code)) from error
    after = standing_now(connection, incident_code=code, now=now)
    answer = {
        "number": code,
        "step": wanted.kind,
        "level": level,
        "happened_at": local_words(now),
        "is_open": after.is_open,
        "holder": after.holder,
        "due_at": None if after.due_at is None else local_words(after.due_at),
    }
    return answer, code


def _last_step(connection: Connection, code: str) -> dict[str, Any] | None:
    _, steps = read_case(connection, incident_code=code)
    if steps.empty:
        return None
    last = steps.iloc[-1]
    words = {name: last[name] if isinstance(last[name], str) else None for name in ("level", "staff_id")}
    return {"step": str(last["kind"]), **words, "happened_at": local_words(last["happened_at"].to_pydatetime())}


def _acting_level(
    connection: Connection, source: Source, wanted: WantedStep, staff_id: str | None, *, now: datetime
) -> str:
    """Return the level at which the step is taken: the lowest of the person's there that may, else his highest there."""
    if staff_id is None:
        if source.kind != "system" or wanted.level not in LEVELS:
            raise NotAccepted("missing", t("intake.error_missing", field="staff_id"), field="staff_id")
        return wanted.level
    ground = read_ground_of(connection, incident_code=wanted.number, on=local_day(now))
    duties = read_duties(connection, staff_id=staff_id, on=local_day(now))
    levels = levels_at(duties, grid_code=ground.grid_code, village_code=ground.village_code)
    if wanted.level is not None:
        levels = tuple(level for level in levels if level == wanted.level)
    if not levels:
        place = ground.grid_name or ground.village_name or t("intake.no_grid")
        raise NotAccepted("not_yours", t("intake.error_not_yours", place=place))
    standing = standing_now(connection, incident_code=wanted.number, now=now)
    may = (level for level in levels if refusal(standing, kind=wanted.kind, level=level) is None)
    return next(may, levels[-1])
