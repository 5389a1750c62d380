"""What all ledgers share: month, grid, which ledger, what was said last, and how something is written."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from gridmap.errors import GridmapError
from gridmap.reports.ledgers.lists import lists_report
from gridmap.reports.ledgers.month import month_settled_at
from gridmap.settings import settings
from gridmap.store.database import write_engine
from gridmap.texts import t
from gridmap.ui import loaders
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.roles import may
from gridmap.ui.versions import watch

LEDGERS = ("people", "patrols", "points", "lists")
_MONTHS = 13
_SAID, _TURN = "ledgers_said", "ledgers_turn"
_ALL = ""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Village and grid that a person chose; None: all of them."""

    village: str | None
    grid: str | None


def month() -> date:
    """Let a person choose a month; returns its first day."""
    months = [loaders.today().replace(day=1)]
    while len(months) < _MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    chosen: date = st.selectbox(
        t("ledgers.month"), months, index=1, format_func=lambda day: f"{day:%Y-%m}", key="ledgers_month"
    )
    return chosen


def grid(first_on: date, village_code: str | None) -> str | None:
    """Let a person choose a grid of the village; None for all."""
    grids = loaders.load(lists_report, month=first_on).progress.sort_index()
    if village_code is not None:
        grids = grids[grids["village_code"] == village_code]
    names = {_ALL: t("ledgers.all_grids"), **{str(code): str(name) for code, name in grids["name"].items()}}
    chosen: str = st.selectbox(t("ledgers.grid"), list(names), format_func=names.__getitem__, key="ledgers_grid")
    return chosen or None


def as_known(first_on: date) -> dict[str, datetime]:
    """Return the instant that a report of a month is of; none while it runs: then it is renewed each minute."""
    at = loaders.load(month_settled_at, month=first_on)
    return {} if at is None else {"now": at}


def which() -> str:
    """Let a person choose the ledger: only that one is read."""
    chosen = st.segmented_control(
        t("ledgers.book"),
        LEDGERS,
        default=LEDGERS[0],
        required=True,
        format_func=lambda name: t(f"ledgers.tab_{name}"),
        key="ledgers_which",
        label_visibility="collapsed",
    )
    return chosen or LEDGERS[0]


def of_places(rows: pd.DataFrame, where: Where) -> pd.DataFrame:
    """Return the rows of a village and grid; `grid_code` is a column of the frame, or its index."""
    grids = rows["grid_code"] if "grid_code" in rows else pd.Series(rows.index, index=rows.index)
    is_there = grids.fillna("").astype(str).str.startswith(where.village or "")
    if where.grid is not None:
        is_there &= grids == where.grid
    return rows[is_there]


def grid_names(first_on: date, village_code: str | None) -> dict[str, str]:
    """Return the names of the grids of a village by their code."""
    grids = loaders.load(lists_report, month=first_on).progress.sort_index()
    names = grids if village_code is None else grids[grids["village_code"] == village_code]
    return {str(code): str(name) for code, name in names["name"].items()}


def pick(rows: pd.DataFrame, columns: Mapping[str, Any], *, key: str, height: int, style: Any = None) -> int | None:
    """Draw a table of which one row can be chosen; returns its place, None without a choice.

    Parameters
    ----------
    rows
        What is shown.
    columns
        Column → its configuration, in order; others are not shown.
    key
        Of the table; a new turn clears the choice.
    height
        In pixels.
    style
        Applied to the table, see `colour_signs`.
    """
    shown = rows[list(columns)].reset_index(drop=True)
    told = st.dataframe(
        shown if style is None else style(shown),
        hide_index=True,
        placeholder=UNKNOWN,
        height=height,
        column_config=dict(columns),
        on_select="rerun",
        selection_mode="single-row",
        key=f"{key}_{turn()}",
    )
    return next((at for at in told.selection.rows if at < len(rows)), None)


def colour_signs(colours: Mapping[str, str], *columns: str) -> Callable[[pd.DataFrame], Any]:
    """Return how words that begin with a sign are coloured: colour and shape together."""

    def of(words: object) -> str:
        colour = colours.get(words[0]) if isinstance(words, str) and words else None
        return f"color: {colour}; font-weight: 600" if colour else ""

    return lambda rows: rows.style.map(of, subset=list(columns))


def turn() -> int:
    """Return how often something was written in this session: forms and choices begin anew with it."""
    return int(st.session_state.get(_TURN, 0))


def key(name: str) -> str:
    """Return the key of a field of a form that is empty again after it was sent."""
    return f"{name}_{turn()}"


def told(name: str) -> Any:
    """Return what stands in a field."""
    return st.session_state.get(key(name))


def form(name: str) -> AbstractContextManager[Any]:
    """Begin a form of this turn."""
    return st.form(key(name), border=False, enter_to_submit=False)


def send(words: str, write: Callable[[], str | None], *, name: str, is_first: bool = True) -> None:
    """Draw the button that sends a form."""
    st.form_submit_button(words, on_click=do, args=(write,), key=key(name), type="primary" if is_first else "secondary")


def do(write: Callable[[], str | None]) -> None:
    """Write, and say what came of it on the next run."""
    try:
        said = write()
        watch().look_now()
    except GridmapError as error:
        st.session_state[_SAID] = ("error", str(error))
    except SQLAlchemyError:
        st.session_state[_SAID] = ("error", t("ledgers.no_database"))
    else:
        st.session_state[_SAID] = ("success", said or t("ledgers.done_said"))
        st.session_state[_TURN] = turn() + 1


def tell() -> None:
    """Say what the last writing had to say, once."""
    with st.container(key="ledgers_told"):
        said = st.session_state.pop(_SAID, None)
        if said:
            (st.toast if said[0] == "success" else st.error)(said[1])


def may_write() -> bool:
    """Return whether this session may write; where not, say so."""
    if may("editor"):
        return True
    st.caption(t("ledgers.may_not_write"))
    return False


def engine() -> Any:
    """Return the engine that writes."""
    return write_engine()


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def local(at: Any, *, form: str = "%m-%d %H:%M") -> str | None:
    """Return an instant by the township's clock, None where there is none."""
    return None if pd.isna(at) else f"{at.astimezone(settings().zone):{form}}"
