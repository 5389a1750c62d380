"""The lists of the grids: publicity and visits ticked off, conventions with their signatures, opinions that become incidents."""

from datetime import date

import pandas as pd
import streamlit as st

from gridmap.actions.ledgers import NewOpinion, add_tasks, collect_opinion, count_signatures, tick_task
from gridmap.frames import TASK_KINDS
from gridmap.maps.palette import LIGHT
from gridmap.reports.ledgers.lists import ListsReport, categories_report
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import loaders, panels
from gridmap.ui.ledgers import frame
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

RIGHT = ("progress", "conventions", "opinions")
_TABLE_PX, _RIGHT_PX = 285, 245
_COLOURS = {"●": LIGHT.good, "○": LIGHT.wait}
_ALL = ""


def draw(township_code: str, first_on: date, where: frame.Where, room: Room) -> None:
    """Draw the lists."""
    report = frame.lists_of(first_on)
    panels.figures(
        [
            ("ledgers.ticked", report.n_ticked),
            ("ledgers.agreed", report.n_agreed),
            ("ledgers.signed", report.n_signed),
            ("ledgers.opinions", report.n_opinions),
        ]
    )
    left, right = st.columns([1.25, 1])
    with left:
        _tasks(report, township_code, where, room)
    with right:
        progress, conventions, opinions = st.tabs([t(f"ledgers.right_{name}") for name in RIGHT])
        with progress:
            _progress(report, where, room)
        with conventions:
            _conventions(report, township_code, where, room)
        with opinions:
            _opinions(report, township_code, where, room)


def _tasks(report: ListsReport, township_code: str, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(report.tasks, where)
    at = None
    if rows.empty:
        st.info(t("ledgers.tasks_none", month=f"{report.first_on:%Y-%m}"))
    else:
        shown = rows.assign(
            state=[t("ledgers.task_done" if done else "ledgers.task_open") for done in rows["is_done"]],
            kind=[t(f"ledgers.kind_{kind}") for kind in rows["kind"]],
            ticked_at=rows["ticked_at"].map(frame.local, na_action="ignore"),
        )
        at = frame.pick(
            shown,
            {
                "state": t("ledgers.entry_state"),
                "grid_name": st.column_config.TextColumn(t("ledgers.grid"), pinned=True),
                "kind": t("ledgers.kind"),
                "title": t("ledgers.task"),
                "ticked_by": t("ledgers.ticked_by"),
                "ticked_at": t("ledgers.ticked_at"),
                "note": t("ledgers.note"),
            },
            key="ledgers_tasks",
            height=room.tall(_TABLE_PX),
            style=frame.colour_signs(_COLOURS, "state"),
        )
    if not frame.may_write():
        return
    if at is not None:
        _tick(int(rows.index[at]), rows.iloc[at])
    elif len(rows):
        st.caption(t("ledgers.tick_hint"))
    with st.popover(t("ledgers.add_task"), width="stretch"), frame.form("task"):
        names = {_ALL: t("ledgers.to_all"), **frame.grid_names(report.first_on, where.village)}
        st.segmented_control(
            t("ledgers.kind"),
            TASK_KINDS,
            default=TASK_KINDS[0],
            format_func=lambda kind: t(f"ledgers.kind_{kind}"),
            key=frame.key("task_kind"),
        )
        st.text_input(t("ledgers.task"), key=frame.key("task_title"), max_chars=120)
        st.selectbox(t("ledgers.to_grids"), list(names), format_func=names.__getitem__, key=frame.key("task_grid"))
        st.text_input(t("ledgers.by"), key=frame.key("task_by"), max_chars=60)
        frame.send(
            t("ledgers.add_task_do"),
            lambda: _add(township_code, report.first_on, [code for code in names if code]),
            name="task_send",
        )


def _tick(task_id: int, task: pd.Series) -> None:
    st.caption(f"{task['grid_name']} · {task['title']}")
    with frame.form("tick"):
        by_place, note_place, button_place = st.columns([1, 1.6, 0.8], vertical_alignment="bottom")
        by_place.text_input(t("ledgers.ticked_by"), key=frame.key("tick_by"), max_chars=60)
        note_place.text_input(t("ledgers.note"), key=frame.key("tick_note"), max_chars=500)
        is_done = not task["is_done"]
        with button_place:
            frame.send(
                t("ledgers.tick" if is_done else "ledgers.untick"),
                lambda: tick_task(
                    frame.engine(),
                    task_id=task_id,
                    is_done=is_done,
                    ticked_by=frame.told("tick_by") or "",
                    note=frame.told("tick_note"),
                    now=frame.now(),
                ),
                name="tick_send",
            )


def _add(township_code: str, month: date, every: list[str]) -> str:
    chosen = frame.told("task_grid")
    n_new = add_tasks(
        frame.engine(),
        township_code=township_code,
        grid_codes=[chosen] if chosen else every,
        month=month,
        kind=frame.told("task_kind") or "",
        title=frame.told("task_title") or "",
        entered_by=frame.told("task_by") or "",
        now=frame.now(),
    )
    return t("ledgers.added", n=n_new)


def _progress(report: ListsReport, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(report.progress, where)
    shown = pd.DataFrame(
        {
            "name": rows["name"],
            **{
                kind: [f"{done}/{n}" for done, n in zip(rows[f"n_{kind}_done"], rows[f"n_{kind}"], strict=True)]
                for kind in TASK_KINDS
            },
            "open": rows["n_publicity"] + rows["n_visit"] - rows["n_publicity_done"] - rows["n_visit_done"],
        }
    ).sort_values("open", ascending=False, kind="stable")
    st.dataframe(
        shown,
        hide_index=True,
        height=room.tall(_RIGHT_PX),
        column_config={
            "name": t("ledgers.grid"),
            **{kind: t(f"ledgers.{kind}_done") for kind in TASK_KINDS},
            "open": t("ledgers.n_open"),
        },
        key="ledgers_progress",
    )


def _conventions(report: ListsReport, township_code: str, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(report.conventions, where)
    columns = {
        "name": st.column_config.TextColumn(t("ledgers.grid"), pinned=True),
        "agreed_on": st.column_config.DateColumn(t("ledgers.agreed_on"), format="YYYY-MM-DD"),
        "share": panels.percent_column(t("ledgers.signed_share")),
        "n_signed": st.column_config.NumberColumn(t("ledgers.n_signed")),
        "n_households": st.column_config.NumberColumn(t("ledgers.n_households")),
        "counted_on": st.column_config.DateColumn(t("ledgers.counted_on"), format="YYYY-MM-DD"),
    }
    st.dataframe(
        rows.assign(share=panels.as_percent(rows["signed_share"]))[list(columns)],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_RIGHT_PX),
        column_config=columns,
        key="ledgers_conventions",
    )
    if not frame.may_write():
        return
    with st.popover(t("ledgers.count_signatures"), width="stretch"), frame.form("convention"):
        names = frame.grid_names(report.first_on, where.village)
        today = loaders.today()
        st.selectbox(t("ledgers.grid"), list(names), format_func=names.__getitem__, key=frame.key("convention_grid"))
        on_place, signed_place, all_place = st.columns(3)
        on_place.date_input(t("ledgers.agreed_on"), value=today, max_value=today, key=frame.key("convention_on"))
        signed_place.number_input(t("ledgers.n_signed"), 0, 100_000, 0, key=frame.key("convention_signed"))
        all_place.number_input(t("ledgers.n_households"), 1, 100_000, 1, key=frame.key("convention_all"))
        st.text_input(t("ledgers.by"), key=frame.key("convention_by"), max_chars=60)
        frame.send(t("ledgers.count_signatures"), lambda: _sign(township_code), name="convention_send")


def _sign(township_code: str) -> None:
    count_signatures(
        frame.engine(),
        township_code=township_code,
        grid_code=frame.told("convention_grid") or "",
        agreed_on=frame.told("convention_on"),
        n_signed=int(frame.told("convention_signed")),
        n_households=int(frame.told("convention_all")),
        recorded_by=frame.told("convention_by") or "",
        now=frame.now(),
    )


def _opinions(report: ListsReport, township_code: str, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(report.opinions, where)
    if rows.empty:
        st.info(t("ledgers.opinions_none"))
    else:
        st.dataframe(
            pd.DataFrame(
                {
                    "at": [frame.local(at) for at in rows["happened_at"]],
                    "grid": rows["grid_name"],
                    "category": rows["category_name"],
                    "text": rows["text"],
                    "closed": [frame.local(at) for at in rows["closed_at"]],
                    "incident": rows.index,
                }
            ),
            hide_index=True,
            placeholder=UNKNOWN,
            height=room.tall(_RIGHT_PX),
            column_config={
                "at": t("ledgers.time"),
                "grid": t("ledgers.grid"),
                "category": t("ledgers.category"),
                "text": t("ledgers.opinion"),
                "closed": t("ledgers.closed_on"),
                "incident": t("ledgers.incident"),
            },
            key="ledgers_opinions",
        )
    if not frame.may_write():
        return
    categories = loaders.load(categories_report)
    with st.popover(t("ledgers.opinion_new"), width="stretch"), frame.form("opinion"):
        names = frame.grid_names(report.first_on, where.village)
        st.selectbox(t("ledgers.grid"), list(names), format_func=names.__getitem__, key=frame.key("opinion_grid"))
        st.selectbox(
            t("ledgers.category"),
            list(categories),
            format_func=lambda one: categories[one],
            key=frame.key("opinion_category"),
        )
        st.text_area(
            t("ledgers.opinion"),
            key=frame.key("opinion_text"),
            max_chars=500,
            height=90,
            help=t("ledgers.opinion_note"),
        )
        st.text_input(t("ledgers.collected_by"), key=frame.key("opinion_by"), max_chars=60)
        frame.send(t("ledgers.opinion_do"), lambda: _collect(township_code), name="opinion_send")


def _collect(township_code: str) -> str:
    code, year = frame.told("opinion_category") or ("", 0)
    number = collect_opinion(
        frame.engine(),
        NewOpinion(
            township_code=township_code,
            grid_code=frame.told("opinion_grid") or "",
            category_code=code,
            list_year=year,
            text=frame.told("opinion_text") or "",
        ),
        collected_by=frame.told("opinion_by") or "",
        settings=settings(),
        now=frame.now(),
    )
    return t("ledgers.opinion_made", number=number)
