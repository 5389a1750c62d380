"""What stands beside the planning map: the tools, the grids, what is wrong, and what the machine proposes."""

import time
from collections.abc import Callable

import pandas as pd
import streamlit as st

from gridmap.codes import VILLAGE_DIGITS
from gridmap.maps.plan_map import CHOSEN, NEAR, OVER, TINTS
from gridmap.reports.desk import Desk, Suggestion
from gridmap.reports.plan_words import sentence
from gridmap.reports.plans import PlansReport
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import panels, planning_desk, planning_map
from gridmap.ui.room import Room

_TABLE_PX, _TARGET_PX, _SECONDS = 300, 300, 20
TABS = ("grids", "check", "suggest", "process", "files")
_PLAN = "planning_plan"
_SUGGESTION, _TARGET, _ONE = "planning_suggestion", "planning_target", "planning_one"
_NEW_NAME, _PICKED = "planning_new_name", "planning_picked"
_SHOWN_SENTENCES = 200


def pick_plan(report: PlansReport) -> int:
    """Let a person choose the plan: the draft that was begun here last, else the newest."""
    begun = st.session_state.pop(f"{_PLAN}_next", None)
    if begun is not None:
        st.session_state[_PLAN] = begun
    plans = report.plans
    chosen = st.selectbox(
        t("planning.plan"),
        [int(plan) for plan in plans.index],
        format_func=lambda plan: plan_words(report, plan),
        key=_PLAN,
    )
    return int(chosen)


def plan_words(report: PlansReport, plan: int) -> str:
    """Return how a plan is named where one is picked; the widget tells two of them apart by these words only."""
    row = report.plans.loc[plan]
    state = t(f"planning.state_{row['state']}")
    if pd.notna(row["valid_from"]):
        state = t("planning.from_day", state=state, day=row["valid_from"])
    return f"{plan} · {state} · {row['name']}"


def legend(desk: Desk) -> None:
    """Say what the map's colours mean."""
    cap = desk.board.household_cap
    panels.legend(
        [
            ("step", OVER, t("planning.legend_over", cap=cap)),
            ("step", NEAR, t("planning.legend_near", near=f"{settings().near_cap_share:.0%}")),
            ("step", TINTS[0], t("planning.legend_fine")),
            ("step", CHOSEN, t("planning.legend_chosen")),
        ],
        title=t("planning.legend"),
    )


def tools(desk: Desk, village: str | None) -> None:
    """Draw the line of tools over the map: give the chosen units to a grid, open one, undo, redo, save."""
    if desk.board.state != "draft":
        st.info(t("planning.read_only", state=t(f"planning.state_{desk.board.state}")))
        return
    grids = [str(grid) for grid in desk.draft.grids if village is None or str(grid).startswith(village)]
    with st.container(horizontal=True, vertical_alignment="bottom", key="planning_tools"):
        chosen = st.selectbox(
            t(
                "planning.target",
                n=len(desk.chosen),
                households=f"{sum(desk.draft.unit_weight(unit) for unit in desk.chosen):g}",
            ),
            sorted(grids),
            format_func=lambda grid: grid_words(desk, grid),
            key=_TARGET,
            width=_TARGET_PX,
        )
        st.button(
            t("planning.give"),
            key="planning_give",
            type="primary",
            disabled=not desk.chosen or chosen is None,
            # What is picked when the button is pressed, which may be later than what this run saw.
            on_click=_step(lambda: desk.give(str(st.session_state[_TARGET]))),
        )
        st.button(
            t("planning.open"),
            key="planning_open",
            help=t("planning.open_help"),
            disabled=village is None and not desk.chosen,
            on_click=_step(lambda: _open(desk, village)),
        )
        st.button(
            "↶",
            key="planning_undo",
            help=t("planning.undo"),
            disabled=not desk.draft.log,
            on_click=_step(desk.undo),
        )
        st.button(
            "↷",
            key="planning_redo",
            help=t("planning.redo"),
            disabled=not desk.draft.can_redo,
            on_click=_step(desk.redo),
        )
        st.button(
            "✕",
            key="planning_unchoose",
            help=t("planning.unchoose"),
            disabled=not desk.chosen,
            on_click=desk.chosen.clear,
        )
        st.button(
            t("planning.save"),
            key="planning_save",
            type="primary",
            disabled=not desk.is_changed,
            on_click=_step(lambda: planning_desk.save(desk)),
        )


def _step(step: Callable[[], object]) -> Callable[[], None]:
    def done() -> None:
        planning_desk.attempt(step)
        # A box goes on showing the words it had; what is set is drawn anew.
        st.session_state.update({key: st.session_state[key] for key in (_TARGET, _ONE) if key in st.session_state})

    return done


def _open(desk: Desk, village: str | None) -> None:
    """Open a grid, and give the chosen units to it."""
    code = desk.open_grid(village or min(desk.chosen)[:12])
    if desk.chosen:
        desk.give(code)


def grid_words(desk: Desk, grid: str) -> str:
    """Return how a grid is named where one is picked: number, name, households; no two have the same words."""
    return f"{short_words(desk, grid)} · {desk.draft.state(grid).weight:g}"


def short_words(desk: Desk, grid: str) -> str:
    """Return the number and the name of a grid."""
    return f"{int(grid[VILLAGE_DIGITS:] or 0)} · {desk.grid_name(grid)}"


def grids(desk: Desk, village: str | None, room: Room) -> None:
    """Draw the grids before and now, and what can be done with one."""
    table = planning_map.grid_table(desk, village)
    shown = table.reset_index()
    shown["change"] = [f"{change:+d}" if change else "" for change in shown["now"] - shown["before"]]
    shown["state"] = [t(f"planning.grid_{state}") for state in shown["state"]]
    shown["grid"] = [short_words(desk, code) for code in table.index]
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    st.dataframe(
        shown[["grid", "before", "now", "change", "n_units", "state"]],
        hide_index=True,
        height=room.tall(_TABLE_PX),
        column_config={
            "grid": text(t("planning.grid"), pinned=True),
            "before": number(t("planning.before")),
            "now": number(t("planning.now"), help=t("planning.now_help")),
            "change": text(t("planning.change"), help=t("planning.change_help"), alignment="right"),
            "n_units": number(t("planning.n_units")),
            "state": text(t("planning.state")),
        },
        key="planning_grids",
    )
    if desk.board.state != "draft":
        return
    locked = st.multiselect(
        t("planning.lock"),
        sorted(table.index),
        default=sorted(desk.locked & set(table.index)),
        format_func=lambda grid: grid_words(desk, grid),
        help=t("planning.lock_help"),
        placeholder=t("planning.none_chosen"),
        key=f"planning_lock_{village}",
    )
    others = {grid for grid in desk.locked if grid not in table.index}
    if {*locked, *others} != desk.locked:
        desk.locked = {*locked, *others}
        st.rerun()
    which, wanted, rename, retire = st.columns([2.6, 2, 1.5, 1.5], vertical_alignment="bottom")
    grid = which.selectbox(
        t("planning.grid"), sorted(table.index), format_func=lambda one: grid_words(desk, one), key=_ONE
    )
    called = wanted.text_input(t("planning.grid_name"), key=_NEW_NAME, help=t("planning.grid_name_help")).strip()
    rename.button(
        t("planning.rename"), key="planning_rename", disabled=not called, on_click=_step(lambda: _rename(desk))
    )
    retire.button(
        t("planning.retire"), key="planning_retire", disabled=grid is None,
        on_click=_step(lambda: desk.retire(str(st.session_state[_ONE]))),
    )  # fmt: skip


def _rename(desk: Desk) -> None:
    """Give a grid another number, or another name."""
    called = str(st.session_state[_NEW_NAME]).strip()
    give = desk.rename if called.isdigit() else desk.relabel
    give(str(st.session_state[_ONE]), called)


def violations(desk: Desk, village: str | None, room: Room) -> tuple[float, float] | None:
    """Draw what is wrong with the plan and return the place of the chosen breach, in metres."""
    certificate, cap = desk.certificate(), desk.board.household_cap
    bound = certificate.bound.n_grids
    if village is not None:
        bound = int(certificate.bound.by_area[desk.board.units.area_names.index(village)])
    held = [desk.draft.state(grid) for grid in desk.draft.grids if village is None or str(grid).startswith(village)]
    n_grids, largest = sum(one.n_units > 0 for one in held), max((one.weight for one in held), default=0)
    st.text(t("planning.bound", n_grids=n_grids, bound=bound, largest=f"{largest:g}", cap=cap))
    found = [
        one
        for one in certificate.violations
        if village is None or any(str(name).startswith(village) for name in (one.grid, *one.units))
    ][:_SHOWN_SENTENCES]
    if not found:
        st.success(t("planning.no_breach"))
        return None
    event = st.dataframe(
        pd.DataFrame(
            {"breach": [sentence(one, cap=cap, call=lambda grid: short_words(desk, str(grid))) for one in found]}
        ),
        hide_index=True,
        height=room.tall(_TABLE_PX),
        column_config={"breach": st.column_config.TextColumn(t("planning.breach"))},
        on_select="rerun",
        selection_mode="single-row",
        key="planning_breaches",
    )
    st.caption(t("planning.zoom_help"))
    rows = event.selection.rows
    return found[rows[0]].place if rows and rows[0] < len(found) else None


def suggestions(desk: Desk, village: str | None) -> None:
    """Let the machine propose a repair or a new division of a village, and take it over whole or grid by grid."""
    if desk.board.state != "draft":
        st.info(t("planning.only_drafts"))
        return
    if village is None:
        st.info(t("planning.choose_village"))
        return
    left, right = st.columns(2)
    if left.button(t("planning.suggest_repair"), key="planning_repair", help=t("planning.suggest_repair_help")):
        _propose(lambda has_time: desk.suggest_repair(village, has_time=has_time))
    if right.button(
        t("planning.suggest_partition"), key="planning_partition", help=t("planning.suggest_partition_help")
    ):
        _propose(lambda has_time: desk.suggest_partition(village, seed=0, has_time=has_time))
    found: Suggestion | None = st.session_state.get(_SUGGESTION)
    if found is None or found.village != village:
        return
    st.text(
        t(
            "planning.suggested",
            n_grids=found.n_grids,
            n_opened=found.n_opened,
            moved=f"{found.moved_households:g}",
            compactness=f"{found.compactness:.2f}",
        )
    )
    st.caption(
        t("planning.suggested_proven" if found.is_proven else "planning.suggested_bound", bound=f"{found.bound:g}")
    )
    if not found.is_complete:
        st.warning(t("plan.out_of_time"))
    after = pd.Series(found.grid_of)
    weights = pd.Series({unit: desk.draft.unit_weight(unit) for unit in after.index if unit in desk.draft.plan})
    if len(weights) < len(after):
        st.info(t("planning.suggestion_is_old"))
        return
    table = weights.groupby(after).sum()
    before = weights.groupby(pd.Series({unit: str(desk.draft.plan_of(unit)) for unit in weights.index})).sum()
    grids_of_both = sorted({*table.index, *before.index})
    st.dataframe(
        pd.DataFrame(
            {
                "grid": [short_words(desk, grid) for grid in grids_of_both],
                "now": [int(before.get(grid, 0)) for grid in grids_of_both],
                "then": [int(table.get(grid, 0)) for grid in grids_of_both],
            }
        ),
        hide_index=True,
        column_config={"grid": t("planning.grid"), "now": t("planning.now"), "then": t("planning.then")},
        key="planning_suggested",
    )
    picked = st.multiselect(
        t("planning.pick_grids"),
        sorted(table.index),
        format_func=lambda grid: f"{int(grid[12:])} · {table[grid]:g}",
        placeholder=t("planning.none_chosen"),
        key=_PICKED,
    )
    whole, some, drop = st.columns(3)
    whole.button(
        t("planning.take_whole"), key="planning_take", type="primary", on_click=_step(lambda: _take(desk, found, None))
    )
    some.button(
        t("planning.take_some"), key="planning_take_some", disabled=not picked,
        on_click=_step(lambda: _take(desk, found, set(st.session_state[_PICKED]))),
    )  # fmt: skip
    drop.button(t("planning.drop"), key="planning_drop", on_click=lambda: st.session_state.pop(_SUGGESTION, None))


def _propose(suggest: Callable[[Callable[[], bool]], Suggestion]) -> None:
    end = time.monotonic() + _SECONDS
    with st.spinner(t("planning.thinking")):
        planning_desk.attempt(
            lambda: st.session_state.__setitem__(_SUGGESTION, suggest(lambda: time.monotonic() < end))
        )
    planning_desk.tell()


def _take(desk: Desk, found: Suggestion, grids: set[str] | None) -> None:
    desk.take_over(found, grids)
    if grids is None:
        st.session_state.pop(_SUGGESTION, None)
