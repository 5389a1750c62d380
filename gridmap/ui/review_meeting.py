"""What the meeting does on the review page: decide beside a figure, follow up, freeze, sign, take the pack home."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from gridmap.actions.plans import Actor
from gridmap.actions.review import NewTask, decide, follow_up, freeze_review, sign_review
from gridmap.errors import ConflictError, InputError
from gridmap.exports.review import pack_files
from gridmap.reports.figures import depends_on
from gridmap.reports.review.canonical import CellDifference
from gridmap.reports.review.frozen import FrozenReview, Reproduction, late_differences, reproduce, tasks_report
from gridmap.reports.review.ground import review_ground
from gridmap.reports.review.report import rules_of
from gridmap.reports.review.shape import ReviewReport, Section
from gridmap.settings import settings
from gridmap.store.database import read_engine, write_engine
from gridmap.store.models.review import SIGNING_ROLES
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders
from gridmap.ui.review_view import Shown, title_markup
from gridmap.ui.roles import handles_matters, may
from gridmap.ui.theme import Markup
from gridmap.ui.versions import watch

SIGNING, FOLLOWED_UP = "signing", "actions"
_FORMS = "review_forms"
_STATES = {"open": "○", "done": "●", "dropped": "–"}


@dataclass
class _Forms:
    """The forms of a session: their turn, who filled in the last one, what is to be told, and a lock.

    The second click of a double click runs in a thread of its own while the first one still writes, and what the first
    one puts into the session's state from then on is lost: both share this.
    """

    turn: int = 0
    by: str = ""
    said: tuple[str, str] | None = None
    lock: Lock = field(default_factory=Lock)


def _forms() -> _Forms:
    found: _Forms = st.session_state.setdefault(_FORMS, _Forms())
    return found


@depends_on("reviews")
def _tasks(connection: Connection, *, township_code: str, now: datetime, on: date) -> pd.DataFrame:
    return tasks_report(connection, township_code=township_code, known_at=now, on=on)


def decisions(shown: Shown, section: Section) -> None:
    """Draw what was decided beside a point's figures, and let the meeting decide more; on the last point, follow tasks up."""
    report = shown.report
    tasks = loaders.load(_tasks)
    is_here = (tasks["month"] == report.month.month) & (tasks["figure_key"].str.split(".").str[0] == section.key)
    if section.key == FOLLOWED_UP:
        _follow_up(tasks[(tasks["month"] < report.month.month) & (tasks["kind"] == "task")], report.township_code)
    if may("editor"):
        _decide(report, section)
    # Below the form: whatever is told, the form stays where it is, and open.
    _tell()
    words = [_task_words(int(str(task_id)), row) for task_id, row in tasks[is_here].iterrows()]
    if words:
        with st.container(key="review_decided"):
            for said in words:
                st.text(said)


def _task_words(task_id: int, row: "pd.Series[Any]") -> str:
    about = t("review.about_" + row["figure_key"].replace(".", "_"))
    parts = [f"{_STATES[row['state']]} {t('review.task_kind_' + row['kind'])} {task_id} · {about}", row["text"]]
    if row["kind"] == "task":
        parts.append(t("meeting.by_until", who=row["who"], until=row["until"]))
        parts.append(t(f"review.task_{row['state']}"))
    return " · ".join(parts)


def _decide(report: ReviewReport, section: Section) -> None:
    turn = _forms().turn
    with st.expander(t("meeting.decide")), st.form(f"decide_{section.key}_{turn}", border=False):
        figures = {section.key: t(section.title_key)} | {one.key: t(one.title_key) for one in section.figures}
        first = st.columns([1.2, 3])
        key = f"{section.key}_{turn}"
        first[0].selectbox(
            t("meeting.about"), list(figures), format_func=figures.__getitem__, key=f"decide_about_{key}"
        )
        first[1].text_input(t("meeting.what"), max_chars=500, key=f"decide_what_{key}")
        second = st.columns([1, 1, 1, 0.6], vertical_alignment="bottom")
        second[0].text_input(t("meeting.who"), max_chars=40, help=t("meeting.who_help"), key=f"decide_who_{key}")
        second[1].date_input(t("meeting.until"), value=None, key=f"decide_until_{key}")
        second[2].text_input(t("meeting.entered_by"), max_chars=40, value=_forms().by, key=f"decide_by_{key}")
        second[3].form_submit_button(
            t("meeting.enter"),
            type="primary",
            on_click=_enter_decision,
            args=[report.township_code, report.month.month, key, turn],
        )


def _enter_decision(township_code: str, month: str, key: str, turn: int) -> None:
    told = st.session_state
    task = NewTask(
        township_code=township_code,
        month=month,
        figure_key=told[f"decide_about_{key}"],
        what=told[f"decide_what_{key}"],
        who=told[f"decide_who_{key}"] or None,
        until=told[f"decide_until_{key}"],
    )
    _do(
        lambda actor: decide(write_engine(), task, actor=actor),
        by=told[f"decide_by_{key}"],
        said="meeting.entered",
        turn=turn,
    )


def _follow_up(tasks: pd.DataFrame, township_code: str) -> None:
    if tasks.empty:
        return
    told = pd.DataFrame(
        {
            "task_id": tasks.index,
            "state": [f"{_STATES[state]} {t(f'review.task_{state}')}" for state in tasks["state"]],
            "overdue": ["▲" if flag else "" for flag in tasks["is_overdue"]],
            "month": tasks["month"],
            "text": tasks["text"],
            "who": tasks["who"],
            "until": tasks["until"],
            "note": tasks["note"].fillna(""),
        }
    )
    config = {name: t(f"meeting.task_{name}") for name in told.columns}
    st.dataframe(told, column_config=config, hide_index=True, key="review_tasks")
    if not may("editor"):
        return
    turn = _forms().turn
    with st.form(f"follow_up_{turn}", border=False):
        places = st.columns([1.6, 1, 1, 1.6, 1, 0.7], vertical_alignment="bottom")
        words = {int(str(task_id)): f"{task_id} · {row['text'][:24]}" for task_id, row in tasks.iterrows()}
        is_open = (tasks["state"] == "open").tolist()
        places[0].selectbox(
            t("meeting.which_task"),
            list(words),
            index=is_open.index(True) if any(is_open) else 0,
            format_func=words.__getitem__,
            key=f"follow_task_{turn}",
        )
        places[1].selectbox(
            t("meeting.became"),
            ("done", "moved", "reopened", "dropped"),
            format_func=lambda name: t(f"meeting.became_{name}"),
            key=f"follow_kind_{turn}",
        )
        places[2].date_input(t("meeting.moved_until"), value=None, key=f"follow_until_{turn}")
        places[3].text_input(t("meeting.task_note"), max_chars=300, key=f"follow_note_{turn}")
        places[4].text_input(t("meeting.entered_by"), max_chars=40, value=_forms().by, key=f"follow_by_{turn}")
        places[5].form_submit_button(t("meeting.enter"), on_click=_enter_follow_up, args=[township_code, turn])


def _enter_follow_up(township_code: str, turn: int) -> None:
    told = st.session_state
    kind = told[f"follow_kind_{turn}"]
    _do(
        lambda actor: follow_up(
            write_engine(),
            township_code=township_code,
            task_id=told[f"follow_task_{turn}"],
            kind=kind,
            until=told[f"follow_until_{turn}"] if kind == "moved" else None,
            note=told[f"follow_note_{turn}"],
            actor=actor,
        ),
        by=told[f"follow_by_{turn}"],
        said="meeting.entered",
        turn=turn,
    )


def sign_off(shown: Shown, township: Township) -> None:
    """Draw the end of the meeting: freeze the month, what late data would change, signatures by role, the pack to take home."""
    st.html(Markup(title_markup(t(f"meeting.{SIGNING}"))))
    _tell()
    if shown.pack is None:
        st.markdown(t("meeting.not_frozen"))
        _freeze(shown.report)
    else:
        _frozen(shown.pack)
    _take_home(shown.whole, township)


def _freeze(report: ReviewReport) -> None:
    if not may("editor"):
        return
    turn = _forms().turn
    with st.form("freeze", border=False):
        places = st.columns([1, 1, 3], vertical_alignment="bottom")
        places[0].text_input(t("meeting.entered_by"), max_chars=40, value=_forms().by, key="freeze_by")
        places[1].form_submit_button(
            t("meeting.freeze"),
            type="primary",
            disabled=not report.is_over,
            on_click=_enter_freeze,
            args=[report, turn],
        )


def _enter_freeze(report: ReviewReport, turn: int) -> None:
    _do(
        lambda actor: freeze_review(
            write_engine(),
            township_code=report.township_code,
            month=report.month.month,
            known_at=report.known_at,
            zone=settings().zone,
            rules=rules_of(settings()),
            actor=actor,
        ),
        by=st.session_state["freeze_by"],
        said="meeting.frozen",
        turn=turn,
    )


def _frozen(pack: FrozenReview) -> None:
    st.markdown(t("meeting.digest"))
    st.code(pack.digest, language=None)
    signed = pack.signatures.set_index("role")
    for place, role in zip(st.columns(len(SIGNING_ROLES)), SIGNING_ROLES, strict=True):
        with place, st.container(key=f"sign_{role}", border=True):
            st.markdown(f"**{t(f'review.role_{role}')}**")
            if role in signed.index:
                row = signed.loc[role]
                st.text(str(row["name"]))
                st.caption(f"{row['signed_at'].tz_convert(settings().zone):%Y-%m-%d %H:%M}")
            elif may("editor"):
                _sign(pack, role)
            else:
                st.caption(t("meeting.unsigned"))
    again = loaders.load(_again, pack_id=pack.pack_id)
    late = loaders.load(_late, pack_id=pack.pack_id)
    is_same = again.has_same_figures
    st.markdown(t("meeting.reproduced" if is_same else "meeting.not_reproduced", n=len(again.differences)))
    if is_same and not again.is_identical:
        st.caption(t("meeting.other_program"))
    if not is_same:
        _differences(again.differences)
    else:
        st.markdown(t("meeting.late", n=len(late.differences)) if late.differences else t("meeting.nothing_late"))
        _differences(late.differences)


def _again(connection: Connection, *, pack_id: int) -> Reproduction:
    return reproduce(connection, pack_id=pack_id)


@loaders.renewed_daily
def _late(connection: Connection, *, pack_id: int, now: datetime) -> Reproduction:
    return late_differences(connection, pack_id=pack_id, known_at=now)


def _differences(found: tuple[CellDifference, ...]) -> None:
    if not found or not handles_matters():  # rows of single cases are among them
        return
    rows = pd.DataFrame(
        {
            "place": [t(f"meeting.place_{one.place}") for one in found],
            "key": [_what_words(one) for one in found],
            "row": [" ".join(str(part) for part in one.row) for one in found],
            "column": [one.column for one in found],
            "before": [_cell(one.before) for one in found],
            "after": [_cell(one.after) for one in found],
        }
    )
    st.dataframe(rows, column_config={name: t(f"meeting.difference_{name}") for name in rows.columns}, hide_index=True)


def _what_words(one: CellDifference) -> str:
    name = one.key.replace(".", "_")
    key = {"figure": f"review.figure_{name}", "table": f"review.table_{name}", "map": f"review.map_{name}"}.get(
        one.place
    )
    try:
        return one.key if key is None else t(key)
    except KeyError:
        return one.key


def _cell(value: object) -> str:
    return "—" if value is None else str(value)


def _sign(pack: FrozenReview, role: str) -> None:
    turn = _forms().turn
    with st.form(f"sign_form_{role}", border=False):
        st.text_input(
            t("meeting.name"),
            max_chars=40,
            label_visibility="collapsed",
            placeholder=t("meeting.name"),
            key=f"sign_name_{role}",
        )
        st.form_submit_button(t("meeting.sign"), on_click=_enter_signature, args=[pack.pack_id, role, turn])


def _enter_signature(pack_id: int, role: str, turn: int) -> None:
    _do(
        lambda actor: sign_review(write_engine(), pack_id=pack_id, role=role, actor=actor),
        by=st.session_state[f"sign_name_{role}"],
        said="meeting.signed",
        turn=turn,
    )


def _take_home(report: ReviewReport, township: Township) -> None:
    name = f"{township.name}-{t('shell.review')}-{report.month.month}"
    with st.container(horizontal=True):
        if handles_matters():
            st.download_button(
                t("meeting.pack_files"),
                lambda: _zipped(report, is_public=False),
                f"{name}.zip",
                key="review_pack",
                on_click="ignore",
            )
        st.download_button(
            t("meeting.public_files"),
            lambda: _zipped(report, is_public=True),
            f"{name}-{t('meeting.public')}.zip",
            key="review_public",
            on_click="ignore",
        )


def _zipped(report: ReviewReport, *, is_public: bool) -> bytes:
    with read_engine().connect() as connection:
        ground = review_ground(connection, report=report)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in pack_files(report, ground=ground, is_public=is_public).items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return packed.getvalue()


def _do(work: Callable[[Actor], object], *, by: str, said: str, turn: int) -> None:
    """Do what the meeting asked before the page is drawn anew, so that a click elsewhere loses nothing; a refusal is told.

    What was asked from a form whose turn is over has been done: it was clicked twice.
    """
    forms = _forms()
    with forms.lock:
        if turn != forms.turn:
            return
        try:
            work(Actor(name=by, at=datetime.now(UTC)))
        except (InputError, ConflictError) as error:
            forms.said = ("error", str(error))
            return
        watch().look_now()
        forms.turn, forms.by = forms.turn + 1, by
        forms.said = ("success", t(said))


def _tell() -> None:
    forms = _forms()
    said, forms.said = forms.said, None
    if said:
        (st.toast if said[0] == "success" else st.error)(said[1])
