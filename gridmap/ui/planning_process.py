"""The planning page's process: drafts branched, submitted, returned, published; exceptions; history; two plans side by side."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from gridmap.actions.plans import Actor, allow_exception, branch_plan, publish_plan, return_plan, submit_plan
from gridmap.errors import GridmapError, InfeasibleError
from gridmap.reports.desk import Desk
from gridmap.reports.plan_words import sentence
from gridmap.reports.plans import PlansReport, plan_board
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import loaders, planning_desk, planning_map
from gridmap.ui.planning_view import grid_words, plan_words, short_words
from gridmap.ui.room import Room

_STILL_PX, _TABLE_PX = 380, 260
_PLAN, _FIRST, _NOTE = "planning_plan", "planning_valid_from", "planning_note"


def branch_form(desk: Desk) -> None:
    """Let a planner begin a draft from the plan as it is saved."""
    with st.form("planning_branch", border=True):
        name = st.text_input(
            t("planning.new_name"), value=t("planning.new_name_default", day=loaders.today()), max_chars=60
        )
        if st.form_submit_button(t("planning.branch")):
            planning_desk.attempt(lambda: _branch(desk, name))
            st.rerun()


def _branch(desk: Desk, name: str) -> None:
    with planning_desk.writing() as connection:
        plan_id = branch_plan(connection, desk.board, name=name, actor=_named_actor())
    st.session_state[f"{_PLAN}_next"] = plan_id


def _named_actor() -> Actor:
    if not planning_desk.who():
        raise GridmapError(t("planning.say_who"))
    return planning_desk.actor()


def steps(desk: Desk) -> None:
    """Offer what may be done next with the plan: submit a draft, return or publish a submitted one."""
    state = desk.board.state
    if state == "draft":
        st.button(
            t("planning.submit"), key="planning_submit", disabled=desk.is_changed, help=t("planning.submit_help"),
            on_click=lambda: planning_desk.attempt(lambda: _submit(desk), done=t("planning.submitted_done")),
        )  # fmt: skip
    if state in ("draft", "submitted"):
        _exceptions(desk)
    if state == "submitted":
        st.date_input(t("planning.valid_from"), value=loaders.today() + timedelta(days=1), key=_FIRST)
        st.text_input(t("planning.return_note"), key=_NOTE, max_chars=200)
        left, right = st.columns(2)
        left.button(
            t("planning.publish"), key="planning_publish", type="primary",
            on_click=lambda: planning_desk.attempt(
                lambda: _publish(desk, st.session_state[_FIRST]), done=t("planning.published_done", day=st.session_state[_FIRST])
            ),
        )  # fmt: skip
        right.button(
            t("planning.return"), key="planning_return",
            on_click=lambda: planning_desk.attempt(lambda: _return(desk, st.session_state[_NOTE])),
        )  # fmt: skip


def _submit(desk: Desk) -> None:
    with planning_desk.writing() as connection:
        submit_plan(connection, plan_id=desk.board.plan_id, revision=desk.board.revision, actor=_named_actor())
    _lay_out_anew(desk)


def _return(desk: Desk, note: str) -> None:
    with planning_desk.writing() as connection:
        return_plan(connection, plan_id=desk.board.plan_id, actor=_named_actor(), note=note)
    _lay_out_anew(desk)


def _publish(desk: Desk, first: date) -> None:
    board = desk.board
    try:
        with planning_desk.writing() as connection:
            publish_plan(
                connection,
                township_code=board.township.code,
                plan_id=board.plan_id,
                valid_from=first,
                barrier_slip_m=settings().barrier_slip_m,
                actor=_named_actor(),
            )
    except InfeasibleError as error:
        first_ones = [
            sentence(one, cap=board.household_cap, call=lambda grid: short_words(desk, str(grid)))
            for one in error.reason["violations"][:3]
        ]
        raise GridmapError(f"{error} {t('planning.between_breaches').join(first_ones)}") from error
    _lay_out_anew(desk)


def _lay_out_anew(desk: Desk) -> None:
    """Forget the desk; the box of plans says its new state only when it is set again."""
    planning_desk.close_desk()
    st.session_state[_PLAN] = desk.board.plan_id


def _exceptions(desk: Desk) -> None:
    over = [
        str(grid)
        for grid in desk.draft.grids
        if desk.draft.state(grid).weight > desk.board.household_cap and str(grid) not in desk.board.exceptions.index
    ]
    if not desk.board.exceptions.empty:
        st.dataframe(
            desk.board.exceptions.reset_index(),
            hide_index=True,
            column_config={
                "grid_code": t("planning.grid_code"),
                "reason": t("planning.reason"),
                "approved_by": t("planning.approved_by"),
                "valid_until": t("planning.valid_until"),
            },
            key="planning_exceptions",
        )
    if not over:
        return
    with st.form("planning_exception", border=True):
        st.text(t("planning.exception"))
        grid = st.selectbox(t("planning.grid"), over, format_func=lambda one: grid_words(desk, one))
        reason = st.text_input(t("planning.reason"), max_chars=200)
        until = st.date_input(t("planning.valid_until"), value=None)
        if st.form_submit_button(t("planning.allow")):
            planning_desk.attempt(lambda: _allow(desk, str(grid), reason, until))
            st.rerun()


def _allow(desk: Desk, grid: str, reason: str, until: date | None) -> None:
    with planning_desk.writing() as connection:
        allow_exception(connection, desk.board, grid_code=grid, reason=reason, valid_until=until, actor=_named_actor())
    fresh = loaders.load(plan_board, plan_id=desk.board.plan_id)
    desk.board = fresh


def history(report: PlansReport) -> None:
    """Draw what was done with plans, newest first."""
    rows = report.history
    if rows.empty:
        st.caption(t("planning.no_history"))
        return
    shown = pd.DataFrame(
        {
            "at": [f"{at.astimezone(settings().zone):%Y-%m-%d %H:%M}" for at in rows["done_at"]],
            "what": [t(f"planning.event_{kind}") for kind in rows["kind"]],
            "plan": [report.plans["name"].get(plan, "") for plan in rows["plan_id"]],
            "who": rows["done_by"],
            "revision": rows["revision"],
            "note": rows["note"],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=_TABLE_PX,
        column_config={name: t(f"planning.history_{name}") for name in shown.columns},
        key="planning_history",
    )


def side_by_side(desk: Desk, report: PlansReport, village: str | None, room: Room) -> None:
    """Draw another plan and this one beside each other, with what moves between them."""
    own = desk.board.plan_id
    begun_from = report.plans["based_on"].fillna(pd.Series(report.plans.index, index=report.plans.index)).astype(int)
    same = [int(plan) for plan in begun_from.index[begun_from == desk.board.based_on].to_numpy() if plan != own]
    if not same:
        st.info(t("planning.nothing_to_compare"))
        return
    other_id = st.selectbox(
        t("planning.compare_with"),
        sorted(same),
        format_func=lambda plan: plan_words(report, plan),
        key="planning_other",
    )
    other = loaders.load(plan_board, plan_id=int(other_id)).draft()
    difference = desk.difference(other)
    moved = {str(unit) for unit in difference.moved.index}
    n_units, n_households = len(moved), difference.moved_households
    st.text(t("planning.moved_between", n_units=n_units, n_households=f"{n_households:g}"))
    left, right = st.columns(2)
    height = room.tall(_STILL_PX)
    with left:
        st.caption(str(report.plans["name"][other_id]))
        planning_map.draw_still(desk, other, village=village, height_px=height, key="plan_still_other", chosen=moved)
    with right:
        st.caption(desk.board.name)
        planning_map.draw_still(desk, desk.draft, village=village, height_px=height, key="plan_still_own", chosen=moved)
    table = (
        difference.grids[(difference.grids["gained"] > 0) | (difference.grids["lost"] > 0)].astype(int).reset_index()
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "grid": t("planning.grid_code"),
            "before": t("planning.before"),
            "after": t("planning.now"),
            "gained": t("planning.gained"),
            "lost": t("planning.lost"),
        },
        key="planning_moved",
    )


def conflicts(desk: Desk) -> None:
    """Let the planner decide each unit that another planner changed too."""
    for unit, wanted in planning_desk.conflicts().copy().items():
        words, mine, theirs = st.columns([6, 1, 1], vertical_alignment="center")
        standing = desk.draft.plan_of(unit) if unit in desk.draft.plan else None
        named = [short_words(desk, str(grid)) if grid else "—" for grid in (wanted, standing)]
        words.text(t("planning.conflict", unit=unit, mine=named[0], theirs=named[1]))
        mine.button(
            t("planning.mine"), key=f"mine_{unit}", disabled=wanted is None or standing is None,
            on_click=lambda unit=unit: planning_desk.attempt(lambda: planning_desk.settle(unit, mine=True, desk=desk)),
        )  # fmt: skip
        theirs.button(
            t("planning.theirs"), key=f"theirs_{unit}",
            on_click=lambda unit=unit: planning_desk.settle(unit, mine=False, desk=desk),
        )  # fmt: skip
