"""Write the lists of the grids: tasks and ticks, practical things, conventions, opinions, updates of counts. One transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from gridmap.actions.record import NewIncident, append_incident
from gridmap.actions.words import require_words, require_written
from gridmap.analysis.clocks import Deadlines
from gridmap.analysis.rosters import people_counts
from gridmap.errors import ConflictError, InputError
from gridmap.frames import TASK_KINDS, THING_STEPS
from gridmap.reports.ground import read_ground
from gridmap.reports.ledgers.month import month_of
from gridmap.reports.ledgers.people import COUNTS, NEEDS
from gridmap.settings import Settings, settings
from gridmap.store.ledgers import append_row, read_things
from gridmap.texts import t
from gridmap.workdays import work_calendar

_MOST_NAME, _MOST_TITLE, _MOST_TEXT = 60, 120, 500


@dataclass(frozen=True, kw_only=True)
class NewThing:
    """A practical thing (实事) that a grid promises: what, on which day, until when."""

    township_code: str
    grid_code: str
    title: str
    promised_on: date
    due_on: date


@dataclass(frozen=True, kw_only=True)
class NewOpinion:
    """An opinion of somebody in a grid, without who said it: what, in which category of the year's list."""

    township_code: str
    grid_code: str
    category_code: str
    list_year: int
    text: str


def add_tasks(
    engine: Engine,
    *,
    township_code: str,
    grid_codes: Sequence[str],
    month: date,
    kind: str,
    title: str,
    entered_by: str,
    now: datetime,
) -> int:
    """Put one thing on the lists of some grids for a month; returns on how many it was not yet.

    Raises
    ------
    InputError
        If no grid is named, one is unknown, the kind is unknown, or title or entrant is missing.
    """
    by = require_words(entered_by, what="ledgers.by", most=_MOST_NAME)
    words = require_written(title, what="ledgers.task", most=_MOST_TITLE)
    if kind not in TASK_KINDS:
        raise InputError(t("ledgers.error_task_kind", kind=kind[:40]))
    if not grid_codes:
        raise InputError(t("ledgers.error_missing", what=t("ledgers.grid")))
    n_new = 0
    with engine.begin() as connection:
        for grid_code in grid_codes:
            _require_grid(connection, township_code, grid_code)
            row = {
                "township_code": township_code,
                "grid_code": grid_code,
                "month": month_of(month)[0],
                "kind": kind,
                "title": words,
                "entered_by": by,
            }
            n_new += append_row(connection, "task_list", row=row, recorded_at=now) is not None
    return n_new


def tick_task(engine: Engine, *, task_id: int, is_done: bool, ticked_by: str, note: str | None, now: datetime) -> None:
    """Tick a thing of a list off, or take the tick back.

    Raises
    ------
    InputError
        If nobody is named or there is no such thing.
    """
    by = require_words(ticked_by, what="ledgers.by", most=_MOST_NAME)
    said = require_written(note, what="ledgers.note", most=_MOST_TEXT) if (note or "").strip() and note else None
    row = {"task_id": task_id, "is_done": is_done, "ticked_by": by, "note": said}
    with engine.begin() as connection:
        try:
            append_row(connection, "task_tick", row=row, recorded_at=now)
        except IntegrityError as error:
            raise InputError(t("ledgers.error_no_task")) from error


def promise_thing(engine: Engine, thing: NewThing, *, recorded_by: str, now: datetime) -> int:
    """Record a practical thing; returns its id.

    Raises
    ------
    InputError
        If the grid is unknown, title or recorder is missing, or it is due before it is promised.
    """
    by = require_words(recorded_by, what="ledgers.by", most=_MOST_NAME)
    title = require_written(thing.title, what="ledgers.thing", most=_MOST_TITLE)
    if thing.due_on < thing.promised_on:
        raise InputError(t("ledgers.error_due_before"))
    with engine.begin() as connection:
        _require_grid(connection, thing.township_code, thing.grid_code)
        row = {**vars(thing), "title": title, "recorded_by": by}
        return int(append_row(connection, "practical_thing", row=row, recorded_at=now))


def step_thing(
    engine: Engine,
    *,
    township_code: str,
    thing_id: int,
    kind: str,
    happened_on: date,
    reason: str | None,
    recorded_by: str,
    now: datetime,
) -> None:
    """Record that a practical thing was begun, done, or dropped with a reason.

    Raises
    ------
    InputError
        If there is no such thing, the step is unknown, lies before the promise or in the future, or a reason or recorder is missing.
    ConflictError
        If it has ended already, or was begun before.
    """
    by = require_words(recorded_by, what="ledgers.by", most=_MOST_NAME)
    if kind not in THING_STEPS:
        raise InputError(t("ledgers.error_thing_step", kind=kind[:40]))
    why = (reason or "").strip()
    if kind == "dropped" or why:
        why = require_written(why, what="ledgers.reason", most=_MOST_TEXT)
    with engine.begin() as connection:
        connection.execute(text("SELECT 1 FROM practical_thing WHERE thing_id = :id FOR UPDATE"), {"id": thing_id})
        things = read_things(connection, township_code=township_code, known_at=now)
        if thing_id not in things.index:
            raise InputError(t("ledgers.error_no_thing"))
        thing = things.loc[thing_id]
        if happened_on < thing["promised_on"] or happened_on > _today(now):
            raise InputError(t("ledgers.error_thing_day"))
        row = {
            "thing_id": thing_id,
            "kind": kind,
            "happened_on": happened_on,
            "reason": why or None,
            "recorded_by": by,
        }
        if isinstance(thing["ended_as"], str):
            raise ConflictError(t("ledgers.error_thing_ended", state=t(f"ledgers.state_{thing['ended_as']}")))
        try:
            append_row(connection, "practical_step", row=row, recorded_at=now)
        except IntegrityError as error:
            raise ConflictError(t("ledgers.error_thing_begun")) from error


def count_signatures(
    engine: Engine,
    *,
    township_code: str,
    grid_code: str,
    agreed_on: date,
    n_signed: int,
    n_households: int,
    recorded_by: str,
    now: datetime,
) -> None:
    """Record the day of a grid's convention and how many of its households have signed; counted again later, it is a new row.

    Raises
    ------
    InputError
        If the grid is unknown, more have signed than there are, the day lies ahead, or nobody is named.
    """
    by = require_words(recorded_by, what="ledgers.by", most=_MOST_NAME)
    if not 0 <= n_signed <= n_households or n_households < 1:
        raise InputError(t("ledgers.error_signed", n_households=n_households))
    if agreed_on > _today(now):
        raise InputError(t("ledgers.error_day_ahead"))
    with engine.begin() as connection:
        _require_grid(connection, township_code, grid_code)
        row = {
            "township_code": township_code,
            "grid_code": grid_code,
            "agreed_on": agreed_on,
            "n_signed": n_signed,
            "n_households": n_households,
            "recorded_by": by,
        }
        append_row(connection, "convention", row=row, recorded_at=now)


def collect_opinion(
    engine: Engine, opinion: NewOpinion, *, collected_by: str, settings: Settings, now: datetime
) -> str:
    """Record an opinion as an incident, with its due time; returns its number.

    Raises
    ------
    InputError
        If the grid is unknown, the category is none of requests, or text or collector is missing.
    """
    by = require_words(collected_by, what="ledgers.by", most=_MOST_NAME)
    said = require_written(opinion.text, what="ledgers.opinion", most=_MOST_TEXT)
    with engine.connect() as connection:
        _require_grid(connection, opinion.township_code, opinion.grid_code)
        kind = connection.execute(
            text("SELECT kind FROM category WHERE category_code = :code AND list_year = :year"),
            {"code": opinion.category_code, "year": opinion.list_year},
        ).scalar()
    if kind != "request":
        raise InputError(t("ledgers.error_category"))
    span = Deadlines.parsed(settings.deadlines).span("close", urgency="normal", category_code=opinion.category_code)
    incident = NewIncident(
        township_code=opinion.township_code,
        category_code=opinion.category_code,
        list_year=opinion.list_year,
        urgency="normal",
        happened_at=now,
        due_at=work_calendar().add(now, span),
        point=None,
        village_code=opinion.grid_code[:12],
        grid_code=opinion.grid_code,
        text=said,
        source=t("ledgers.opinion_source"),
    )
    with engine.begin() as connection:
        number = append_incident(connection, incident, staff_id=None, level="member", reported_at=now, now=now)
        row = {
            "incident_code": number,
            "township_code": opinion.township_code,
            "grid_code": opinion.grid_code,
            "collected_by": by,
        }
        append_row(connection, "opinion", row=row, recorded_at=now)
    return number


def log_update(
    engine: Engine,
    *,
    township_code: str,
    grid_code: str,
    updated_on: date,
    updated_by: str,
    note: str | None,
    now: datetime,
) -> None:
    """Record that a grid's team went through the counts of all its households.

    Raises
    ------
    InputError
        If the grid is unknown, the day lies ahead, or nobody is named.
    """
    by = require_words(updated_by, what="ledgers.by", most=_MOST_NAME)
    said = require_written(note, what="ledgers.note", most=_MOST_TEXT) if note and note.strip() else None
    if updated_on > _today(now):
        raise InputError(t("ledgers.error_day_ahead"))
    with engine.begin() as connection:
        _require_grid(connection, township_code, grid_code)
        row = {
            "township_code": township_code,
            "grid_code": grid_code,
            "updated_on": updated_on,
            "updated_by": by,
            "note": said,
        }
        append_row(connection, "roster_update", row=row, recorded_at=now)


def keep_counts(engine: Engine, *, township_code: str, taken_by: str, settings: Settings, now: datetime) -> int:
    """Keep this month's counts of people per group and grid; returns how many rows are new, 0 where the month has its counts.

    Raises
    ------
    InputError
        If the township is unknown, has no households, or nobody is named.
    """
    by = require_words(taken_by, what="ledgers.by", most=_MOST_NAME)
    today = now.astimezone(settings.zone).date()
    with engine.begin() as connection:
        ground = read_ground(connection, township_code=township_code, on=today)
        homes = pd.DataFrame(ground.households.drop(columns="geometry"))
        if homes.empty:
            raise InputError(t("ledgers.error_no_households"))
        homes["grid_code"] = homes["grid_code"].astype(object).where(homes["grid_code"].notna(), "")
        counted = people_counts(homes, by=["group_code", "grid_code"], needs=list(NEEDS), today=today, stale_days=1)
        n_new = 0
        for row in counted.reset_index().to_dict("records"):
            kept: dict[str, Any] = {name: int(row[name]) for name in COUNTS}
            days = {name: row[name] if pd.notna(row[name]) else None for name in ("newest_on", "oldest_on")}
            kept |= {
                "township_code": township_code,
                "month": today.replace(day=1),
                "group_code": row["group_code"],
                "grid_code": row["grid_code"] or None,
                "taken_by": by,
                **days,
            }
            n_new += append_row(connection, "people_snapshot", row=kept, recorded_at=now) is not None
    return n_new


def _today(now: datetime) -> date:
    return now.astimezone(settings().zone).date()


def _require_grid(connection: Connection, township_code: str, grid_code: str) -> None:
    known = connection.execute(
        text("SELECT 1 FROM grid WHERE grid_code = :grid AND township_code = :township AND level = 3"),
        {"grid": grid_code, "township": township_code},
    ).scalar()
    if not known:
        raise InputError(t("ledgers.error_grid", grid=grid_code[:40]))
