"""The ledger of patrols: checkpoint × month with its visits and findings, practical things, the two targets."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from gridmap.actions.ledgers import NewThing, promise_thing, step_thing
from gridmap.exports.ledger_book import months_wide
from gridmap.frames import THING_STEPS
from gridmap.maps.palette import LIGHT
from gridmap.reports.figures import formula_words
from gridmap.reports.ledgers.patrols import PatrolLedger, patrol_ledger
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import loaders, panels
from gridmap.ui.ledgers import frame
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

RIGHT = ("things", "targets", "findings")
_TABLE_PX, _ROWS_PX, _RIGHT_PX = 235, 165, 250
_COLOURS = {"▲": LIGHT.alarm, "●": LIGHT.good, "○": LIGHT.wait, "◐": LIGHT.wait, "–": LIGHT.unknown, "×": LIGHT.unknown}


def draw(township_code: str, first_on: date, where: frame.Where, room: Room) -> None:
    """Draw the ledger."""
    ledger = loaders.load(patrol_ledger, month=first_on, **frame.as_known(first_on))
    panels.figures(
        [
            ("ledgers.made", ledger.made),
            ("ledgers.missed_points", ledger.n_missed),
            ("ledgers.findings", ledger.n_findings),
            ("ledgers.disputes_met", ledger.n_disputes),
            ("ledgers.things_done", ledger.n_things),
        ]
    )
    left, right = st.columns([1.35, 1])
    with left:
        _checkpoints(ledger, where, room)
    with right:
        things, targets, findings = st.tabs([t(f"ledgers.right_{name}") for name in RIGHT])
        with things:
            _things(ledger, township_code, first_on, where, room)
        with targets:
            _targets(ledger, where, room)
        with findings:
            _findings(frame.of_places(ledger.findings, where), room.tall(_RIGHT_PX), key="all")


def _checkpoints(ledger: PatrolLedger, where: frame.Where, room: Room) -> None:
    wide, months = months_wide(ledger)
    rows = frame.of_places(wide, where)
    shown = rows.assign(
        verdict=rows["verdict"].map(lambda one: t(f"ledgers.verdict_{one}"), na_action="ignore"),
        duty=[t(f"controls.duty_{duty}") for duty in rows["duty"]],
    )
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    at = frame.pick(
        shown,
        {
            "verdict": text(t("ledgers.verdict")),
            "name": text(t("ledgers.checkpoint"), pinned=True),
            "n_missed": number(t("ledgers.n_missed"), help=formula_words("ledgers.formula_missed")),
            "n_findings": number(t("ledgers.n_findings"), help=formula_words("ledgers.formula_findings")),
            **{name: text(f"{month:%y-%m}") for name, month in reversed(months.items())},
            "grid_name": text(t("ledgers.grid")),
            "duty": text(t("controls.duty")),
        },
        key="ledgers_points_of_patrol",
        height=room.tall(_TABLE_PX),
        style=frame.colour_signs(_COLOURS, "verdict"),
    )
    if at is None:
        st.caption(t("ledgers.visits_hint"))
        return
    code = rows.index[at]
    _visits(ledger.visits[ledger.visits["checkpoint_code"] == code], rows["name"].iloc[at])
    linked = ledger.findings[ledger.findings["checkpoint_code"] == code]
    if len(linked):
        st.caption(t("ledgers.linked"))
        _findings(linked, _ROWS_PX // 2 + 35, key="one")


def _visits(visits: pd.DataFrame, name: str) -> None:
    st.caption(t("ledgers.visits_of", name=name))
    if visits.empty:
        st.info(t("ledgers.no_visits"))
        return
    st.dataframe(
        pd.DataFrame(
            {
                "at": [frame.local(at) for at in visits["happened_at"]],
                "name": visits["name"].where(visits["name"].notna(), visits["staff_id"]),
                "class": [t(f"ledgers.class_{one}") for one in visits["reason"]],
                "source": [t(f"ledgers.source_{one}") for one in visits["source"]],
            }
        ),
        hide_index=True,
        placeholder=UNKNOWN,
        height=_ROWS_PX,
        column_config={
            "at": t("ledgers.time"),
            "name": t("ledgers.person"),
            "class": t("ledgers.class"),
            "source": t("ledgers.source"),
        },
        key="ledgers_visits",
    )


def _findings(findings: pd.DataFrame, height: int, *, key: str) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "at": [frame.local(at) for at in findings["happened_at"]],
                "kind": [t(f"controls.kind_{kind}") for kind in findings["kind"]],
                "category": findings["category_name"],
                "state": [t(f"live.state_{state}") for state in findings["state"]],
                "checkpoint": findings["checkpoint_name"],
                "distance_m": findings["distance_m"].round(),
                "how": [t(f"ledgers.how_{how}") for how in findings["how"]],
                "incident": findings.index,
            }
        ),
        hide_index=True,
        placeholder=UNKNOWN,
        height=height,
        column_config={
            "at": t("ledgers.time"),
            "kind": t("controls.kind"),
            "category": t("ledgers.category"),
            "state": t("ledgers.state"),
            "checkpoint": t("ledgers.checkpoint"),
            "distance_m": st.column_config.NumberColumn(t("ledgers.distance_m"), format="%d"),
            "how": t("ledgers.how"),
            "incident": t("ledgers.incident"),
        },
        key=f"ledgers_findings_{key}",
    )


def _things(ledger: PatrolLedger, township_code: str, first_on: date, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(ledger.things, where)
    at = None
    if rows.empty:
        st.info(t("ledgers.things_none"))
    else:
        order = {"overdue": 0, "begun": 1, "promised": 2, "done": 3, "dropped": 4}
        rows = rows.sort_values(["state", "due_on"], key=lambda one: one.map(order) if one.name == "state" else one)
        shown = rows.assign(state=[t(f"ledgers.state_{state}") for state in rows["state"]])
        day = st.column_config.DateColumn
        at = frame.pick(
            shown,
            {
                "state": t("ledgers.state"),
                "title": t("ledgers.thing"),
                "grid_name": t("ledgers.grid"),
                "due_on": day(t("ledgers.thing_due"), format="YYYY-MM-DD"),
                "promised_on": day(t("ledgers.promised_on"), format="YYYY-MM-DD"),
                "ended_on": day(t("ledgers.ended_on"), format="YYYY-MM-DD"),
                "reason": t("ledgers.reason"),
            },
            key="ledgers_things",
            height=room.tall(_RIGHT_PX - 40),
            style=frame.colour_signs(_COLOURS, "state"),
        )
    if not frame.may_write():
        return
    if at is not None:
        _step(township_code, rows.iloc[at], int(rows.index[at]))
    with st.popover(t("ledgers.promise"), width="stretch"), frame.form("promise"):
        names = frame.grid_names(first_on, where.village)
        today = loaders.today()
        st.text_input(t("ledgers.thing"), key=frame.key("thing_title"), max_chars=120)
        st.selectbox(t("ledgers.grid"), list(names), format_func=names.__getitem__, key=frame.key("thing_grid"))
        from_place, until_place = st.columns(2)
        from_place.date_input(t("ledgers.promised_on"), value=today, key=frame.key("thing_from"))
        until_place.date_input(t("ledgers.thing_due"), value=today + timedelta(days=90), key=frame.key("thing_until"))
        st.text_input(t("ledgers.by"), key=frame.key("thing_by"), max_chars=60)
        frame.send(t("ledgers.promise_do"), lambda: _promise(township_code), name="thing_send")


def _step(township_code: str, thing: pd.Series, thing_id: int) -> None:
    st.caption(t("ledgers.thing_chosen", title=thing["title"], grid=thing["grid_name"]))
    if isinstance(thing["ended_as"], str):
        return
    with frame.form("thing_step"):
        day_place, by_place, why_place = st.columns([1, 1, 1.4])
        today = loaders.today()
        day_place.date_input(t("ledgers.happened_on"), value=today, max_value=today, key=frame.key("step_on"))
        by_place.text_input(t("ledgers.by"), key=frame.key("step_by"), max_chars=60)
        why_place.text_input(t("ledgers.reason"), key=frame.key("step_why"), max_chars=500)
        with st.container(horizontal=True):
            for kind in THING_STEPS:
                if kind == "begun" and pd.notna(thing["begun_on"]):
                    continue
                frame.send(
                    t(f"ledgers.step_{kind}"),
                    lambda kind=kind: _take(township_code, thing_id, kind),  # type: ignore[misc]
                    name=f"step_{kind}",
                    is_first=kind == "done",
                )


def _promise(township_code: str) -> None:
    promise_thing(
        frame.engine(),
        NewThing(
            township_code=township_code,
            grid_code=frame.told("thing_grid") or "",
            title=frame.told("thing_title") or "",
            promised_on=frame.told("thing_from"),
            due_on=frame.told("thing_until"),
        ),
        recorded_by=frame.told("thing_by") or "",
        now=frame.now(),
    )


def _take(township_code: str, thing_id: int, kind: str) -> None:
    step_thing(
        frame.engine(),
        township_code=township_code,
        thing_id=thing_id,
        kind=kind,
        happened_on=frame.told("step_on"),
        reason=frame.told("step_why"),
        recorded_by=frame.told("step_by") or "",
        now=frame.now(),
    )


def _targets(ledger: PatrolLedger, where: frame.Where, room: Room) -> None:
    st.caption(t("ledgers.targets_note", disputes=settings().disputes_a_month, things=settings().things_a_year))
    rows = frame.of_places(ledger.targets, where)

    def words(met: pd.Series) -> list[str]:
        return [UNKNOWN if pd.isna(one) else t("ledgers.met" if one else "ledgers.not_met") for one in met]

    shown = rows.assign(disputes=words(rows["is_disputes_met"]), things=words(rows["is_things_met"]))
    shown = shown.sort_values(["n_disputes", "n_done"], kind="stable")[
        ["name", "disputes", "n_disputes", "things", "n_done", "n_promised"]
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        frame.colour_signs(_COLOURS, "disputes", "things")(shown),
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_RIGHT_PX),
        column_config={
            "name": st.column_config.TextColumn(t("ledgers.grid"), pinned=True),
            "disputes": t("ledgers.disputes_target"),
            "n_disputes": number(t("ledgers.n_disputes")),
            "things": t("ledgers.things_target"),
            "n_done": number(t("ledgers.n_things_done")),
            "n_promised": number(t("ledgers.n_promised")),
        },
        key="ledgers_targets",
    )
