"""The ledger of people: counts per grid and group, who is due to update, history; what everybody may see."""

from datetime import date
from typing import Any

import streamlit as st

from gridmap.actions.ledgers import keep_counts, log_update
from gridmap.maps.palette import LIGHT
from gridmap.reports.ledgers.people import COUNTS, NEEDS, PeopleLedger, people_ledger
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import charts, loaders, panels
from gridmap.ui.ledgers import frame
from gridmap.ui.room import Room

_TABLE_PX, _GROUPS_PX, _CHART_PX = 215, 145, 145
_COLOURS = {"▲": LIGHT.alarm, "●": LIGHT.good}


def draw(township_code: str, first_on: date, where: frame.Where, room: Room) -> None:
    """Draw the ledger."""
    ledger = loaders.load(people_ledger)
    panels.figures(
        [
            ("ledgers.household_count", ledger.n_households),
            ("ledgers.resident_count", ledger.n_residents),
            ("ledgers.roster_due_count", ledger.n_due),
            ("ledgers.n_stale", ledger.n_stale),
        ]
    )
    left, right = st.columns([1.9, 1])
    with left:
        is_public = st.toggle(t("ledgers.public_view"), key="ledgers_public", help=t("ledgers.public_view_help"))
        (_public if is_public else _grids)(ledger, where, room)
        st.caption(t("ledgers.people_now", day=ledger.on))
        if ledger.n_nowhere:
            st.caption(t("ledgers.nowhere", count=ledger.n_nowhere))
    with right:
        if not is_public:  # exact sums beside hidden counts would give them away
            _history(ledger, where, room)
        _write(township_code, first_on, where)


def _grids(ledger: PeopleLedger, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(ledger.grids, where)
    shown = rows.assign(state=[t("ledgers.roster_due" if due else "ledgers.roster_fine") for due in rows["is_due"]])
    at = frame.pick(
        shown,
        {
            "state": st.column_config.TextColumn(t("ledgers.roster_state")),
            "name": st.column_config.TextColumn(t("ledgers.grid"), pinned=True),
            **_counts(),
            "newest_on": _day("last_on"),
            "due_on": _day("due_on"),
            "n_stale": st.column_config.NumberColumn(t("ledgers.n_stale_count")),
            "oldest_on": _day("oldest_on"),
        },
        key="ledgers_people",
        height=room.tall(_TABLE_PX),
        style=frame.colour_signs(_COLOURS, "state"),
    )
    if at is None:
        st.caption(t("ledgers.groups_hint"))
        return
    code = rows.index[at]
    st.caption(t("ledgers.groups_of", name=rows["name"].iloc[at]))
    st.dataframe(
        ledger.groups[ledger.groups["grid_code"] == code][["name", *COUNTS, "newest_on", "oldest_on", "n_stale"]],
        hide_index=True,
        height=_GROUPS_PX,
        column_config={
            "name": t("ledgers.group"),
            **_counts(),
            "newest_on": _day("last_on"),
            "oldest_on": _day("oldest_on"),
            "n_stale": t("ledgers.n_stale_count"),
        },
        key="ledgers_groups",
    )


def _counts() -> dict[str, Any]:
    return {name: st.column_config.NumberColumn(t(f"ledgers.{name}")) for name in COUNTS}


def _day(name: str) -> Any:
    return st.column_config.DateColumn(t(f"ledgers.{name}"), format="YYYY-MM-DD")


def _public(ledger: PeopleLedger, where: frame.Where, room: Room) -> None:
    table = ledger.public_table(hidden_below=settings().public_hidden_below)
    names = ledger.grids["name"].to_dict()
    inside = frame.of_places(ledger.grids, where).index
    is_all = where.village is None and where.grid is None
    # Totals belong to all grids: beside a part of them they would give what is hidden away.
    rows = table if is_all else table.loc[table.index.isin(inside), list(NEEDS)]
    st.dataframe(
        rows.assign(name=[names.get(code, code) for code in rows.index])[["name", *rows.columns]],
        hide_index=True,
        height=room.tall(_TABLE_PX),
        column_config={"name": t("ledgers.grid"), **{name: t(f"ledgers.{name}") for name in NEEDS}},
        key="ledgers_public_table",
    )


def _history(ledger: PeopleLedger, where: frame.Where, room: Room) -> None:
    st.caption(t("ledgers.history"))
    rows = frame.of_places(ledger.history, where)
    if rows.empty:
        st.info(t("ledgers.history_none"))
    else:
        by_month = rows.groupby("month")[list(COUNTS)].sum().sort_index(ascending=False).reset_index()
        st.dataframe(
            by_month.assign(month=[f"{month:%Y-%m}" for month in by_month["month"]]),
            hide_index=True,
            height=room.tall(_CHART_PX),
            column_config={"month": t("ledgers.month"), **_counts()},
            key="ledgers_history",
        )
    st.caption(t("ledgers.updates"))
    months = [f"{month:%y-%m}" for month in ledger.updates.index]
    st.echarts_chart(
        charts.bars_option(months, ledger.updates["n_households"].tolist(), colour=LIGHT.load[3]),
        height=120,
        theme=None,
        renderer="svg",
        key="ledgers_updates",
    )


def _write(township_code: str, first_on: date, where: frame.Where) -> None:
    if not frame.may_write():
        return
    with st.popover(t("ledgers.log_update"), width="stretch"), frame.form("roster"):
        names = frame.grid_names(first_on, where.village)
        st.selectbox(t("ledgers.grid"), list(names), format_func=names.__getitem__, key=frame.key("roster_grid"))
        today = loaders.today()
        st.date_input(t("ledgers.updated_on"), value=today, max_value=today, key=frame.key("roster_on"))
        st.text_input(t("ledgers.by"), key=frame.key("roster_by"), max_chars=60)
        st.text_input(t("ledgers.note"), key=frame.key("roster_note"), max_chars=500)
        frame.send(t("ledgers.log"), lambda: _log(township_code), name="roster_send")
    with st.popover(t("ledgers.keep_counts"), width="stretch"), frame.form("keep"):
        st.text_input(t("ledgers.by"), key=frame.key("keep_by"), max_chars=60)
        frame.send(t("ledgers.keep_counts"), lambda: _keep(township_code), name="keep_send")


def _log(township_code: str) -> None:
    log_update(
        frame.engine(),
        township_code=township_code,
        grid_code=frame.told("roster_grid") or "",
        updated_on=frame.told("roster_on"),
        updated_by=frame.told("roster_by") or "",
        note=frame.told("roster_note"),
        now=frame.now(),
    )


def _keep(township_code: str) -> str:
    n_new = keep_counts(
        frame.engine(),
        township_code=township_code,
        taken_by=frame.told("keep_by") or "",
        settings=settings(),
        now=frame.now(),
    )
    return t("ledgers.kept_counts", n=n_new) if n_new else t("ledgers.kept_before")
