"""The planner's desk in a session: opened, kept between reruns, saved; what the map tells becomes an edit once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import shapely
import streamlit as st
from sqlalchemy import Connection

from gridmap.actions.plans import Actor, StaleDraftError, save_draft
from gridmap.errors import GridmapError
from gridmap.planning.together import bring_together
from gridmap.reports.desk import Desk
from gridmap.reports.plans import plan_board
from gridmap.store.database import write_engine
from gridmap.texts import t
from gridmap.ui import loaders
from gridmap.ui.versions import watch

_DESK, _HEARD, _SAID, _WHO = "planning_desk", "planning_heard", "planning_said", "planning_who"
_SAID_FOR_S = 8.0
_CONFLICTS, _TURN = "planning_conflicts", "planning_turn"


def open_desk(plan_id: int) -> Desk:
    """Return this session's work on a plan; another plan, or a plan that others took further while nothing is unsaved, is laid out anew."""
    desk: Desk | None = st.session_state.get(_DESK)
    board = loaders.load(plan_board, plan_id=plan_id)
    known = desk.board if desk is not None else None
    is_same = known is not None and (known.plan_id, known.state) == (board.plan_id, board.state)
    if desk is not None and is_same and (desk.is_changed or desk.board.revision == board.revision):
        return desk
    fresh = Desk.at(board)
    st.session_state[_DESK] = fresh
    st.session_state.pop(_CONFLICTS, None)
    return fresh


def close_desk() -> None:
    """Forget the unsaved work of this session."""
    st.session_state.pop(_DESK, None)


def who() -> str:
    """Return the name that this session's planner gave."""
    return str(st.session_state.get(_WHO, "")).strip()


def ask_who() -> None:
    """Let the planner say who he is: it stands in the history."""
    st.text_input(t("planning.who"), key=_WHO, max_chars=40)


def actor() -> Actor:
    """Return who does something now."""
    return Actor(name=who(), at=datetime.now(UTC))


def attempt(step: Callable[[], Any], *, done: str | None = None) -> None:
    """Do a step; what went wrong, or that it is done, is said on the next drawing of the page."""
    st.session_state.pop(_SAID, None)
    try:
        step()
    except GridmapError as error:
        _say("error", str(error))
    else:
        if done:
            _say("success", done)


def _say(kind: str, words: str) -> None:
    """Keep what a step has to say for the next drawings of the page."""
    st.session_state[_SAID] = (kind, words, time.monotonic())


def tell() -> None:
    """Say what the last step had to say, in every drawing of the next seconds: one may follow another before it is seen."""
    kind, words, said_at = st.session_state.get(_SAID, ("", "", 0.0))
    if words and time.monotonic() - said_at < _SAID_FOR_S:
        (st.error if kind == "error" else st.success)(words)


def hear(desk: Desk, told: dict[str, Any] | None) -> bool:
    """Turn what the map tells (a click, a drawn line or lasso) into a step, each once; tells whether there was one."""
    told = told or {}
    heard: dict[str, Any] = st.session_state.setdefault(_HEARD, {})
    news = {
        name: told.get(name)
        for name in ("last_clicked", "last_active_drawing")
        if told.get(name) is not None and told.get(name) != heard.get(name)
    }
    heard.update(news)
    place, drawing = news.get("last_clicked"), news.get("last_active_drawing")
    # A click on a unit tells the unit's outline as well; only what was drawn by hand has no properties.
    if drawing is not None and not drawing.get("properties"):
        st.session_state[_TURN] = turn() + 1
        shape = shapely.from_geojson(_as_geojson(drawing["geometry"]))
        attempt(lambda: desk.choose_inside(shape) if shape.geom_type == "Polygon" else _cut(desk, shape))
    elif place is not None:
        attempt(lambda: desk.click(place["lng"], place["lat"]))
    return bool(news)


def turn() -> int:
    """Return how many lines and lassos were heard: with each the map forgets what was drawn."""
    return int(st.session_state.get(_TURN, 0))


def _as_geojson(geometry: dict[str, Any]) -> str:
    return str(shapely.to_geojson(shapely.geometry.shape(geometry)))


def _cut(desk: Desk, line: shapely.LineString) -> None:
    unit, (west, east) = desk.cut(line)
    _say("success", t("planning.cut_done", unit=unit, west=f"{west:g}", east=f"{east:g}"))


@contextmanager
def writing() -> Iterator[Connection]:
    """Open a transaction; when it is through, what this session reads next is new."""
    with write_engine().begin() as connection:
        yield connection
    watch().look_now()


def save(desk: Desk) -> None:
    """Save the desk; when another planner saved first, bring both together and leave what both changed to be decided.

    Raises
    ------
    InputError
        If the planner has not said who he is, or the plan is no draft.
    """
    begin = actor()
    if not begin.name:
        raise GridmapError(t("planning.say_who"))
    board = desk.board
    try:
        with writing() as connection:
            save_draft(connection, plan_id=board.plan_id, revision=board.revision, edits=desk.draft.log, actor=begin)
    except StaleDraftError:
        _bring_together(desk)
        return
    close_desk()
    _say("success", t("planning.saved"))


def _bring_together(desk: Desk) -> None:
    newest = loaders.load(plan_board, plan_id=desk.board.plan_id)
    if newest.state != "draft":
        raise StaleDraftError(t("planning.no_draft_any_more"))
    theirs = newest.draft()
    both = bring_together(newest.units, newest.begun, mine=desk.draft.log, theirs=theirs.log)
    fresh = Desk.at(newest)
    fresh.draft = both.draft
    st.session_state[_DESK] = fresh
    st.session_state[_CONFLICTS] = {str(unit): grid for unit, grid in both.conflicts.items()}
    _say("error", t("planning.others_saved", who=newest.owner, n=len(both.conflicts)))


def conflicts() -> dict[str, str | None]:
    """Return the units that both planners changed: the grid that this one wanted."""
    found: dict[str, str | None] = st.session_state.get(_CONFLICTS, {})
    return found


def settle(unit: str, *, mine: bool, desk: Desk) -> None:
    """Decide a unit that both changed."""
    wanted = conflicts().pop(unit)
    if mine and wanted is not None:
        desk.draft.move([unit], wanted)
