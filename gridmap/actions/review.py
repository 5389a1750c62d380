"""What a meeting does with a review: freeze it, decide beside a figure, follow tasks up, sign. One transaction each."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sqlalchemy import Engine

from gridmap.actions.plans import Actor
from gridmap.analysis.review.frames import Rules
from gridmap.errors import ConflictError, InputError
from gridmap.reports.review.build import KINDS
from gridmap.reports.review.canonical import digest_of, to_record
from gridmap.reports.review.report import parse_month, review_report
from gridmap.store.models.review import SIGNING_ROLES, TASK_STEPS
from gridmap.store.review import (
    append_pack,
    append_signature,
    append_task,
    append_task_step,
    read_pack,
    read_packs,
    read_tasks,
    wait_for_facts,
)
from gridmap.texts import t


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A pack: its id, its digest, and whether it was frozen now or had been before, just so."""

    pack_id: int
    digest: str
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """What is decided beside a figure; a decision needs neither `who` nor `until`, a task both."""

    township_code: str
    month: str
    figure_key: str
    what: str
    who: str | None = None
    until: date | None = None


def freeze_review(
    engine: Engine, *, township_code: str, month: str, known_at: datetime, zone: tzinfo, rules: Rules, actor: Actor
) -> Frozen:
    """Freeze the review of a month as known at an instant: its figures, plan, settings and program, for ever.

    A month may be frozen again as known later; both stay. The same one twice is one.

    Raises
    ------
    InputError
        If the month is not over at that instant, nobody's name is given, or see `review_report`.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    _require_name(actor.name)
    # Every frame must be of one moment, whatever is recorded meanwhile.
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        wait_for_facts(connection)
        report = review_report(
            connection, township_code=township_code, month=month, known_at=known_at, zone=zone, rules=rules
        )
        if not report.is_over:
            raise InputError(t("review.error_not_over", month=month))
        record = to_record(report)
        digest = digest_of(record)
        pack_id = append_pack(
            connection,
            township_code=township_code,
            month=report.month.month,
            known_at=known_at,
            digest=digest,
            figures=record,
            frozen_by=actor.name.strip(),
            frozen_at=actor.at,
        )
        if pack_id is not None:
            return Frozen(pack_id=pack_id, digest=digest, is_new=True)
        packs = read_packs(connection, township_code=township_code)
    return Frozen(pack_id=int(packs.index[packs["digest"] == digest][0]), digest=digest, is_new=False)


def decide(engine: Engine, task: NewTask, *, actor: Actor) -> int:
    """Enter a decision, or a task for somebody until a day, beside a figure or section; returns its id.

    Raises
    ------
    InputError
        If there is no such month or figure, nothing is said, only one of `who` and `until` is given, or that day is before the
        month that the meeting looks at.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    _require_name(actor.name)
    first_on = parse_month(task.month)
    month = f"{first_on:%Y-%m}"
    sections = {key.split(".")[0] for key in KINDS}
    if task.figure_key not in KINDS and task.figure_key not in sections:
        raise InputError(t("review.error_figure", figure=task.figure_key[:60]))
    if not task.what.strip():
        raise InputError(t("review.error_nothing_said"))
    who = (task.who or "").strip() or None
    if (who is None) != (task.until is None):
        raise InputError(t("review.error_who_until"))
    if task.until is not None:
        _require_later(task.until, first_on)
    with engine.begin() as connection:
        return append_task(
            connection,
            township_code=task.township_code,
            month=month,
            figure_key=task.figure_key,
            kind="decision" if who is None else "task",
            what=task.what.strip(),
            who=who,
            until=task.until,
            entered_by=actor.name.strip(),
            entered_at=actor.at,
        )


def follow_up(
    engine: Engine,
    *,
    township_code: str,
    task_id: int,
    kind: str,
    actor: Actor,
    until: date | None = None,
    note: str = "",
) -> None:
    """Say what became of a task: `done`, `moved` (to another day), `reopened` or `dropped`.

    Raises
    ------
    InputError
        If there is no such task or step, or a day is missing, given too much, or before the month in which the task was given.
    ConflictError
        If the task is not in a state for it: only an open one is done, moved or dropped, only one that is not is opened again.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    _require_name(actor.name)
    if kind not in TASK_STEPS:
        raise InputError(t("review.error_step", step=kind[:40]))
    if (kind == "moved") != (until is not None):
        raise InputError(t("review.error_moved_until"))
    with engine.begin() as connection:
        tasks = read_tasks(connection, township_code=township_code, known_at=actor.at)
        if task_id not in tasks.index:
            raise InputError(t("review.error_no_task", task=task_id))
        if until is not None:
            _require_later(until, parse_month(str(tasks["month"].to_dict()[task_id])))
        state = str(tasks["state"].to_dict()[task_id])
        if (state == "open") == (kind == "reopened"):
            raise ConflictError(t("review.error_task_state", state=t(f"review.task_{state}")))
        append_task_step(
            connection,
            task_id=task_id,
            kind=kind,
            until=until,
            note=note.strip(),
            done_by=actor.name.strip(),
            done_at=actor.at,
        )


def sign_review(engine: Engine, *, pack_id: int, role: str, actor: Actor) -> None:
    """Sign a frozen pack in a role, with one's name.

    Raises
    ------
    InputError
        If there is no such pack or role, or no name is given.
    ConflictError
        If the role has signed.
    sqlalchemy.exc.DBAPIError
        If the database refuses it.
    """
    _require_name(actor.name)
    if role not in SIGNING_ROLES:
        raise InputError(t("review.error_role", role=role[:40]))
    with engine.begin() as connection:
        if read_pack(connection, pack_id=pack_id) is None:
            raise InputError(t("review.error_no_pack", pack=pack_id))
        is_new = append_signature(connection, pack_id=pack_id, role=role, name=actor.name.strip(), signed_at=actor.at)
    if not is_new:
        raise ConflictError(t("review.error_signed", role=t(f"review.role_{role}")))


def _require_later(until: date, first_on: date) -> None:
    """Refuse a day that can only be a slip: a meeting gives nothing to be done before the month it looks at."""
    if until < first_on:
        raise InputError(t("review.error_until_past", until=until, month=f"{first_on:%Y-%m}"))


def _require_name(name: str) -> None:
    if not name.strip():
        raise InputError(t("review.error_no_name"))
