"""What the page of cases draws: the queue, its map, one case with its history and the steps that are legal now."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import pandas as pd
import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from gridmap.actions.incidents import NewStep, take_step
from gridmap.analysis.lifecycle import LEVELS, STEPS, legal_steps, standing_of
from gridmap.errors import GridmapError
from gridmap.frames import TEAM_CODES
from gridmap.maps.deck import CachedDeck
from gridmap.maps.office import CASE_MARKS, MapGround, cases_deck
from gridmap.reports.handling import HandlingReport
from gridmap.settings import settings
from gridmap.store.database import write_engine
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, panels
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.roles import may
from gridmap.ui.room import Room
from gridmap.ui.versions import watch

TABS = ("case", "times", "settled")
_ALL = ""
_MAP_PX, _QUEUE_PX, _TABLE_PX, _KEPT = 235, 215, 330, 8
_SAID, _TURN, _SHOWN, _AFTER_STEP = "handling_said", "handling_turn", "handling_shown", "after a step"
_FILTERS = ("handling_level", "handling_team", "village", "handling_search")
# A sign beside the word, so that it does not hang on the colour.
_SIGNS = {"overdue": "▲", "late": "△", "due_soon": "◆", "running": "●", "paused": "‖", "closed": "✓"}


def level() -> str | None:
    """Let a person choose whose queue; None for all levels."""
    words = {_ALL: t("handling.all"), **{name: t(f"handling.level_{name}") for name in LEVELS}}
    chosen: str = st.selectbox(t("handling.level"), list(words), format_func=words.__getitem__, key="handling_level")
    return chosen or None


def team() -> str | None:
    """Let a person choose a township team; None for all."""
    words = {_ALL: t("handling.all"), **{name: t(f"handling.team_{name}") for name in TEAM_CODES}}
    chosen: str = st.selectbox(t("handling.team"), list(words), format_func=words.__getitem__, key="handling_team")
    return chosen or None


def search() -> str:
    """Let a person look for a number, a text or a place; among closed cases too."""
    return str(st.text_input(t("handling.search"), key="handling_search", max_chars=60))


def queue(report: HandlingReport, rows: pd.DataFrame, room: Room) -> str:
    """Draw the queue and return the code of the case that was chosen, the first one initially."""
    shown = pd.DataFrame(
        {
            "mark": [f"{_SIGNS[mark]} {t(f'handling.{mark}')}" for mark in rows["mark"]],
            "due": [_local(at) for at in rows["next_due_at"]],
            "category": rows["category_name"],
            "place": rows["grid"].where(rows["grid"].notna(), rows["village"]),
            "holder": [t(f"handling.level_{one}") for one in rows["holder"]],
            "number": rows.index,
        }
    )
    labels = {
        "mark": "sign",
        "due": "due",
        "category": "category",
        "place": "grid",
        "holder": "holder",
        "number": "number",
    }
    colours = {_SIGNS[mark]: f"color: {colour}; font-weight: 600" for mark, (colour, _) in CASE_MARKS.items()}
    told = st.dataframe(
        shown.style.map(lambda words: colours.get(words[0], ""), subset=["mark"]),
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_QUEUE_PX),
        column_config={name: st.column_config.TextColumn(t(f"handling.{key}")) for name, key in labels.items()},
        on_select="rerun",
        selection_mode="single-row",
        key=f"handling_queue_{st.session_state.get(_TURN, 0)}",  # a step clears the choice: the order is another one then
    )
    return _chosen(report, rows, next((at for at in told.selection.rows if at < len(rows)), None))


def _chosen(report: HandlingReport, rows: pd.DataFrame, picked: int | None) -> str:
    """Return the case to show: it stays the same when the order changes, so that nobody's next click is for another case."""
    heard = (st.session_state.get(_TURN, 0), picked, *(str(st.session_state.get(key)) for key in _FILTERS))
    kept: tuple[object, str] | None = st.session_state.get(_SHOWN)
    if kept is not None and kept[1] in report.cases.index and (kept[0] == heard or kept[0] == _AFTER_STEP):
        code = kept[1]
    else:
        code = str(rows.index[picked or 0])
    st.session_state[_SHOWN] = (heard, code)
    return code


def _local(at: datetime) -> str:
    return UNKNOWN if pd.isna(at) else f"{at.astimezone(settings().zone):%m-%d %H:%M}"


@lru_cache(maxsize=_KEPT)
def _deck(report: HandlingReport, codes: tuple[str, ...], chosen: str, ground: MapGround) -> CachedDeck:
    cases = report.cases.loc[list(codes)]
    return cases_deck(ground, cases=cases[cases.geometry.notna()], chosen=chosen)


def draw_map(report: HandlingReport, rows: pd.DataFrame, chosen: str, township: Township, room: Room) -> None:
    """Draw the cases of the queue, the chosen one framed, with the legend and how many have no place."""
    keys = [("dot big", colour, f"{_SIGNS[mark]} {t(f'handling.{mark}')}") for mark, (colour, _) in CASE_MARKS.items()]
    panels.legend(keys, title="")
    height = room.tall(_MAP_PX)
    ground = panels.map_ground(township, width_px=room.half_px, height_px=height)
    st.pydeck_chart(_deck(report, tuple(rows.index), chosen, ground), height=height, key="handling_map")
    n_nowhere = int(rows["geometry"].isna().sum())
    if n_nowhere:
        st.caption(t("handling.without_place", count=n_nowhere))


def tell() -> None:
    """Say what the last step had to say, once."""
    with st.container(key="handling_told"):
        said = st.session_state.pop(_SAID, None)
        if said:
            # What went well moves nothing on the page, what went wrong stays.
            (st.toast if said[0] == "success" else st.error)(said[1])


def case(report: HandlingReport, code: str) -> None:
    """Draw one case: what was reported, the steps that are legal now, its history."""
    row = report.cases.loc[code]
    parts = [code, row["category_name"], row["village"], row["place"]]
    st.text(" · ".join(str(part) for part in parts if isinstance(part, str)))
    if isinstance(row["text"], str):
        st.text(row["text"])
    mark, holder = row["mark"], row["holder"]
    words = [
        f"{_SIGNS[mark]} {t(f'handling.{mark}')}",
        f"{t('handling.happened')} {_local(row['happened_at'])}",
        f"{t('handling.due')} {_local(row['next_due_at'])}",
        t(f"handling.level_{holder}"),
    ]
    st.text(" · ".join(words))
    if may("editor"):
        _steps_to_take(row, code)
    _history(report, code)


def _steps_to_take(row: pd.Series, code: str) -> None:
    turn = st.session_state.get(_TURN, 0)
    standing = standing_of(row)
    as_place, who_place = st.columns(2)
    acting = as_place.selectbox(
        t("handling.act_as"),
        LEVELS,
        index=LEVELS.index(standing.holder),
        format_func=lambda name: t(f"handling.level_{name}"),
        key=f"act_{code}_{standing.holder}",
    )
    who_place.text_input(t("handling.who"), key="handling_who", max_chars=40)
    kinds = legal_steps(standing, level=acting)
    if not kinds:
        st.info(t("handling.no_step"))
        return
    st.text_input(t("handling.note"), key=f"note_{turn}", max_chars=2000)
    _what_steps_need(kinds, turn)
    with st.container(key="handling_steps", horizontal=True):
        for at, kind in enumerate(kinds):
            st.button(
                t(f"handling.kind_{kind}"),
                key=f"step_{kind}",
                type="primary" if at == 0 else "secondary",
                on_click=_take,
                args=(code, kind, acting, turn),
            )


def _what_steps_need(kinds: tuple[str, ...], turn: int) -> None:
    """Ask, side by side, for what some of the steps need beside a note."""
    is_due_asked = bool({"extension_asked", "extended"} & set(kinds))
    asked = [is_due_asked, "dispatched" in kinds, "followed_up" in kinds]
    if not any(asked):
        return
    places = iter(st.columns(sum(asked)))
    if asked[0]:
        first = loaders.today() + timedelta(days=1)
        label, said = t("handling.new_due"), t("handling.last_day")
        next(places).date_input(label, value=first, min_value=first, key=f"due_{turn}", help=said)
    if asked[1]:
        words = {name: t(f"handling.team_{name}") for name in TEAM_CODES}
        label = t("handling.to_team")
        next(places).selectbox(label, list(words), format_func=words.__getitem__, key=f"team_{turn}")
    if asked[2]:
        next(places).segmented_control(t("handling.satisfaction"), [1, 2, 3, 4, 5], key=f"satisfaction_{turn}")


def _take(code: str, kind: str, acting: str, turn: int) -> None:
    told = st.session_state
    day: date | None = told.get(f"due_{turn}")
    step = NewStep(
        incident_code=code,
        kind=kind,
        level=acting,
        staff_id=str(told.get("handling_who", "")).strip() or None,
        note=told.get(f"note_{turn}") or None,
        team_code=told.get(f"team_{turn}") if kind == "dispatched" else None,
        satisfaction=told.get(f"satisfaction_{turn}"),
        due_at=datetime.combine(day + timedelta(days=1), time(), tzinfo=settings().zone)
        if day is not None and kind in {"extension_asked", "extended"}
        else None,
    )
    try:
        take_step(write_engine(), step, now=datetime.now(UTC))
        watch().look_now()
    except GridmapError as error:
        told[_SAID] = ("error", str(error))
    except SQLAlchemyError:
        told[_SAID] = ("error", t("handling.no_database"))
    else:
        told[_SAID] = ("success", t("handling.done", step=t(f"handling.kind_{kind}")))
        told[_TURN] = turn + 1
        told[_SHOWN] = (_AFTER_STEP, code)


def _history(report: HandlingReport, code: str) -> None:
    steps = report.steps[report.steps["incident_code"] == code]
    by = steps["staff_id"].where(~steps["is_automatic"].astype(bool), t("handling.automatic"))
    st.dataframe(
        pd.DataFrame(
            {
                "at": [_local(at) for at in steps["happened_at"]],
                "step": [t(f"handling.kind_{kind}") for kind in steps["kind"]],
                "level": [t(f"handling.level_{one}") if isinstance(one, str) else None for one in steps["level"]],
                "team": [t(f"handling.team_{one}") if isinstance(one, str) else None for one in steps["team_code"]],
                "by": by,
                "note": steps["note"],
                "satisfaction": steps["satisfaction"],
                "new_due": [None if pd.isna(at) else _local(at) for at in steps["due_at"]],
            }
        ).dropna(axis=1, how="all"),
        hide_index=True,
        placeholder=UNKNOWN,
        column_config={
            name: t(f"handling.{name}")
            for name in ("at", "step", "level", "team", "by", "note", "satisfaction", "new_due")
        },
        key="handling_history",
    )


def times(report: HandlingReport, room: Room) -> None:
    """Draw how long steps took."""
    order = {name: at for at, name in enumerate([*STEPS, *LEVELS])}
    rows = report.times.reset_index().sort_values(["kind", "level"], key=lambda names: names.map(order))
    rows = rows.assign(
        kind=[t(f"handling.kind_{kind}") for kind in rows["kind"]],
        level=[t(f"handling.level_{one}") if one else UNKNOWN for one in rows["level"]],
    )
    number = st.column_config.NumberColumn
    st.caption(t("handling.formula_times"))
    st.dataframe(
        rows,
        hide_index=True,
        height=room.tall(_TABLE_PX),
        column_config={
            "kind": t("handling.step"),
            "level": t("handling.level"),
            "n_steps": number(t("handling.n_steps")),
            "median_days": number(t("handling.median_days"), format="%.1f"),
            "p90_days": number(t("handling.p90_days"), format="%.1f"),
        },
        key="handling_times",
    )


def settled(report: HandlingReport, room: Room) -> None:
    """Draw how many disputes each grid settled a month."""
    st.caption(t("handling.formula_settled"))
    rows = report.settled.rename_axis("grid").reset_index()
    st.dataframe(
        rows,
        hide_index=True,
        height=room.tall(_TABLE_PX),
        column_config={"grid": st.column_config.TextColumn(t("handling.grid"), pinned=True)},
        key="handling_settled",
    )
