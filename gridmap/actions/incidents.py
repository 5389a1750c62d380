"""Take a step of an incident, and let go up what nobody moved in time. One transaction each; illegal steps are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, Engine

from gridmap.analysis.clocks import Deadlines, case_clocks, due_escalations
from gridmap.analysis.incidents import LEVEL_ABOVE, incident_states
from gridmap.analysis.lifecycle import Standing, refusal, standing_of
from gridmap.errors import ConflictError, InputError
from gridmap.frames import STEP_LEVELS, TEAM_CODES
from gridmap.settings import settings
from gridmap.store.cases import append_step, lock_incident, read_cases, read_open_codes
from gridmap.texts import t
from gridmap.workdays import WorkCalendar, work_calendar

_MAX_NOTE = 2000
_NEEDS_NOTE = ("paused", "reopened", "extension_asked")
_SETS_DUE = ("extension_asked", "extended")
_SATISFACTIONS = range(1, 6)


@dataclass(frozen=True, kw_only=True)
class NewStep:
    """A step that somebody wants to take.

    Parameters
    ----------
    incident_code
        Which incident.
    kind
        One of `analysis.lifecycle.STEPS`.
    level
        The level of whoever takes it.
    staff_id
        Who takes it; None where nobody is signed in.
    note
        What was done, or why; needed to pause, reopen and ask for an extension.
    team_code
        Township team, to dispatch.
    satisfaction
        1 to 5, to follow up.
    due_at
        New due time, to ask for or grant an extension.
    """

    incident_code: str
    kind: str
    level: str
    staff_id: str | None = None
    note: str | None = None
    team_code: str | None = None
    satisfaction: int | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Escalated:
    """What went up by itself: the incident, the level that let its time run out, and the level that has it now."""

    incident_code: str
    from_level: str
    to_level: str
    lapsed_at: datetime


def take_step(engine: Engine, step: NewStep, *, now: datetime) -> None:
    """Append a step that the rules allow; who comes second is told what happened meanwhile.

    Parameters
    ----------
    engine
        The writing engine.
    step
        What is to be done.
    now
        The instant, tz-aware.

    Raises
    ------
    ConflictError
        If the state of the incident does not allow the step (any more), such as a closing after a closing.
    InputError
        If the incident is unknown, the step belongs to another level, or something that it needs is missing or out of range.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    _require_sound(step, now=now)
    with engine.begin() as connection:
        if not lock_incident(connection, incident_code=step.incident_code):
            raise InputError(t("handling.error_unknown", number=step.incident_code[:60]))
        incident, steps = read_cases(connection, incident_codes=[step.incident_code])
        if len(steps) and (steps["happened_at"] > now).any():
            raise ConflictError(t("handling.error_later", number=step.incident_code))
        standing = _standing(incident, steps, now=now)
        why = refusal(standing, kind=step.kind, level=step.level)
        words = {
            "step": t(f"handling.kind_{step.kind}"),
            "level": t(f"handling.level_{step.level}"),
            "holder": t(f"handling.level_{standing.holder}"),
        }
        if why == "level":
            raise InputError(t("handling.refused_level", **words))
        if why is not None:
            last = steps.iloc[-1] if len(steps) else None
            told = "" if last is None else _last_words(last)
            raise ConflictError(t(f"handling.refused_{why}", **words) + told)
        append_step(
            connection,
            incident_code=step.incident_code,
            kind=step.kind,
            level=step.level,
            staff_id=step.staff_id,
            team_code=step.team_code if step.kind == "dispatched" else None,
            note=(step.note or "").strip() or None,
            satisfaction=step.satisfaction if step.kind == "followed_up" else None,
            due_at=_new_due(step, standing, incident, steps, now=now),
            now=now,
        )


def _require_sound(step: NewStep, *, now: datetime) -> None:
    """Refuse what no state could make right."""
    if step.level not in STEP_LEVELS:
        raise InputError(t("handling.error_level", level=step.level[:40], levels=", ".join(STEP_LEVELS)))
    if step.kind in _NEEDS_NOTE and not (step.note or "").strip():
        raise InputError(t("handling.error_note", step=t(f"handling.kind_{step.kind}")))
    if len(step.note or "") > _MAX_NOTE:
        raise InputError(t("handling.error_long", most=_MAX_NOTE))
    if step.kind == "dispatched" and step.team_code not in TEAM_CODES:
        raise InputError(t("handling.error_team"))
    if step.kind == "followed_up" and step.satisfaction not in _SATISFACTIONS:
        raise InputError(t("handling.error_satisfaction"))
    if step.kind in _SETS_DUE and (step.due_at is None or step.due_at <= now):
        raise InputError(t("handling.error_due"))


def _last_words(last: pd.Series) -> str:
    at = last["happened_at"].tz_convert(settings().zone)
    level = t(f"handling.level_{last['level']}") if isinstance(last["level"], str) else ""
    return " " + t("handling.last_step", at=f"{at:%m-%d %H:%M}", level=level, step=t(f"handling.kind_{last['kind']}"))


def _standing(incident: pd.DataFrame, steps: pd.DataFrame, *, now: datetime) -> Standing:
    return standing_of(incident_states(incident, steps, now=now, due_soon=timedelta(0)).iloc[0])


def _new_due(
    step: NewStep, standing: Standing, incident: pd.DataFrame, steps: pd.DataFrame, *, now: datetime
) -> datetime | None:
    """Return the due time that a step sets: as asked or granted, moved by a pause, or anew after a reopening."""
    if step.kind in _SETS_DUE:
        return step.due_at
    if step.kind not in ("resumed", "reopened"):
        return None
    calendar = work_calendar()
    row = incident.iloc[0]
    span = Deadlines.parsed(settings().deadlines).span(
        "close", urgency=str(row["urgency"]), category_code=str(row["category_code"])
    )
    if step.kind == "reopened":
        return calendar.add(now, span)
    if standing.due_at is None:
        return None
    paused_at = steps.loc[steps["kind"] == "paused", "happened_at"].max().to_pydatetime()
    if standing.due_at <= paused_at:
        return standing.due_at
    return calendar.later(standing.due_at, calendar.elapsed(paused_at, now, unit=span.unit), unit=span.unit)


def escalate_due(engine: Engine, *, now: datetime) -> list[Escalated]:
    """Let every incident go up whose clock at its level ran out; asked again, or by two processes at once, only once.

    Each is looked at again under a lock in a transaction of its own, so an interrupted run goes on where it stopped.

    Raises
    ------
    InputError
        If the setting `deadlines` cannot be read.
    sqlalchemy.exc.DBAPIError
        If the database refuses a step.
    """
    deadlines, calendar = Deadlines.parsed(settings().deadlines), work_calendar()
    with engine.connect() as connection:
        # One look at all of them without locks; only those whose time ran out are locked and looked at again.
        due, _ = _lapsed(connection, read_open_codes(connection, now=now), deadlines, calendar, now=now)
    done: list[Escalated] = []
    for code in due.index:
        with engine.begin() as connection:
            lock_incident(connection, incident_code=code)
            done += _escalate_one(connection, code, deadlines=deadlines, calendar=calendar, now=now)
    return done


def _lapsed(
    connection: Connection, codes: Sequence[str], deadlines: Deadlines, calendar: WorkCalendar, *, now: datetime
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return which of some incidents go up by themselves now, and where all of them stand."""
    incidents, steps = read_cases(connection, incident_codes=codes)
    # A step from the future is a clock that goes wrong: until it is past, nobody can say what comes after it.
    incidents = incidents[~incidents.index.isin(steps.loc[steps["happened_at"] > now, "incident_code"])]
    states = incident_states(incidents, steps, now=now, due_soon=timedelta(0))
    clocks = case_clocks(incidents, states, steps, deadlines=deadlines, calendar=calendar, now=now)
    return due_escalations(clocks, now=now), states


def _escalate_one(
    connection: Connection, code: str, *, deadlines: Deadlines, calendar: WorkCalendar, now: datetime
) -> Sequence[Escalated]:
    due, states = _lapsed(connection, [code], deadlines, calendar, now=now)
    done: list[Escalated] = []
    for _, lapsed in due.iterrows():
        level = str(states.loc[code, "holder"])
        is_new = append_step(
            connection,
            incident_code=code,
            kind="escalated",
            level=level,
            automatic_key=str(lapsed["automatic_key"]),
            now=now,
        )
        if is_new:
            lapsed_at = lapsed["escalates_at"].to_pydatetime()
            done.append(
                Escalated(incident_code=code, from_level=level, to_level=LEVEL_ABOVE[level], lapsed_at=lapsed_at)
            )
    return done
