"""The ledger of points: people by rank, every entry of a person, grids, rules, entering, settling, files."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from gridmap.maps.palette import LIGHT
from gridmap.reports.figures import formula_words
from gridmap.reports.ledgers.points import SUMS, PointsReport, grade_limits, grade_words, points_report
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import loaders, panels
from gridmap.ui.ledgers import enter, frame
from gridmap.ui.ledgers.files import posting
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

RIGHT = ("grids", "rules", "enter", "files")
_TABLE_PX, _ENTRIES_PX, _RIGHT_PX = 215, 150, 330
_COLOURS = {"●": LIGHT.good, "○": LIGHT.wait, "▲": LIGHT.alarm}
_GRADE_SIGNS = {"excellent": "● ", "good": "", "fair": "", "poor": "▲ "}


def draw(township: Township, first_on: date, where: frame.Where, room: Room) -> None:
    """Draw the ledger."""
    report = loaders.load(points_report, month=first_on, **frame.as_known(first_on))
    _state(report)
    left, right = st.columns([1.5, 1])
    with left:
        _people(report, township.code, where, room)
    with right:
        grids, rules, entering, files = st.tabs([t(f"ledgers.right_{name}") for name in RIGHT])
        with grids:
            _grids(report, where, room)
        with rules:
            enter.rules(report, township.code, room)
        with entering:
            enter.entries(report, township.code)
        with files:
            posting(report, township, where.village)


def _state(report: PointsReport) -> None:
    """Say whether the month is settled, and whether it still comes out the same."""
    words = []
    if report.is_frozen:
        last = report.freezes[-1]
        at = frame.local(last.known_at, form="%Y-%m-%d %H:%M")
        words.append(t("ledgers.frozen", number=last.number, by=last.frozen_by, at=at))
        words.append(t("ledgers.frozen_same" if report.is_reproduced else "ledgers.frozen_differs"))
        live = loaders.load(points_report, month=report.month, is_live=True, **frame.as_known(report.month))
        n_late = _n_different(report, live)
        if n_late:
            words.append(t("ledgers.frozen_late", n=n_late))
    else:
        words.append(t("ledgers.open_month" if report.is_over else "ledgers.running"))
    words += [
        t(f"ledgers.{name}", count=count)
        for name, count in (("n_others", report.n_others), ("n_unassigned", report.n_unassigned))
        if count
    ]
    st.text(" · ".join(words))


def _n_different(frozen: PointsReport, live: PointsReport) -> int:
    one, other = (
        set(zip(report.entries["key"], report.entries["points"], report.entries["state"], strict=True))
        for report in (frozen, live)
    )
    return len({key for key, _, _ in one ^ other})


def _people(report: PointsReport, township_code: str, where: frame.Where, room: Room) -> None:
    people = frame.of_places(report.people, where)
    if people.empty:
        st.info(t("ledgers.no_people"))
        return
    shown = people.assign(
        role=[t(f"ledgers.role_{role}") for role in people["role"]],
        attainable=people["attainable_tenths"] / 10,
        share=people["share_permille"].astype(float) / 10,
        fair=people["fair_permille"].astype(float) / 10,
        grade=people["grade"].map(lambda one: _GRADE_SIGNS[one] + t(f"ledgers.grade_{one}"), na_action="ignore"),
    )
    number = st.column_config.NumberColumn
    words = grade_words(grade_limits(settings().point_grades))
    at = frame.pick(
        shown,
        {
            "rank": number(t("ledgers.rank"), help=formula_words("ledgers.formula_fair")),
            "name": st.column_config.TextColumn(t("ledgers.name"), pinned=True),
            "grid_name": t("ledgers.grid"),
            "points": number(t("ledgers.points"), help=formula_words("ledgers.formula_points")),
            "grade": t("ledgers.grade"),
            "share": number(
                t("ledgers.share"), help=t("ledgers.formula_share", point_grades_words=words), format="%.1f%%"
            ),
            "fair": number(t("ledgers.fair_share"), help=formula_words("ledgers.formula_fair"), format="%.1f%%"),
            "attainable": number(t("ledgers.attainable"), help=t("ledgers.formula_attainable"), format="%.1f"),
            **{name: number(t(f"ledgers.{name}")) for name in SUMS},
            "role": t("ledgers.role"),
        },
        key="ledgers_points",
        height=room.tall(_TABLE_PX),
        style=frame.colour_signs(_COLOURS, "grade"),
    )
    if at is None:
        st.caption(t("ledgers.entries_hint"))
        return
    _entries(report, township_code, str(people.index[at]), str(people["name"].iloc[at]))


def _entries(report: PointsReport, township_code: str, staff_id: str, name: str) -> None:
    entries = report.entries_of(staff_id)
    names = report.rules["name"].to_dict()
    total = int(report.people["points"].get(staff_id, 0))
    st.caption(t("ledgers.entries_of", name=name, n=len(entries), points=total))
    shown = pd.DataFrame(
        {
            "rule": [names.get(code, code) for code in entries["rule_code"]],
            "points": entries["points"].astype(int),
            "on": entries["happened_on"],
            "what": entries["what_name"].where(entries["what_name"].notna(), entries["reason"]),
            "state": [t(f"ledgers.entry_{state}") for state in entries["state"]],
            "reference": entries["reference"].where(entries["reference"].notna(), entries["key"]),
            "key": entries["key"],
        }
    ).sort_values(["on", "rule"], ascending=[False, True], kind="stable", na_position="first")
    at = frame.pick(
        shown,
        {
            "on": st.column_config.DateColumn(t("ledgers.day"), format="MM-DD"),
            "rule": t("ledgers.rule"),
            "points": st.column_config.NumberColumn(t("ledgers.points"), format="%+d"),
            "what": t("ledgers.what"),
            "state": t("ledgers.entry_state"),
            "reference": t("ledgers.reference"),
        },
        key=f"ledgers_entries_{staff_id}",
        height=_ENTRIES_PX,
    )
    if at is not None:
        chosen = shown.iloc[at]
        row = entries[entries["key"] == chosen["key"]].iloc[0]
        if row["state"] == "counts":
            enter.appeal(report, township_code, row, rule=str(chosen["rule"]))


def _grids(report: PointsReport, where: frame.Where, room: Room) -> None:
    rows = frame.of_places(report.grids, where)

    def of(made: str, due: str) -> list[str]:
        return [
            UNKNOWN if pd.isna(one) else f"{int(one)}/{int(all_)}"
            for one, all_ in zip(rows[made], rows[due], strict=True)
        ]

    shown = rows.assign(
        visits=of("n_visits_made", "n_visits_due"),
        homes=of("n_homes_visited", "n_households"),
        closed=of("n_on_time", "n_closings"),
        share=panels.as_percent(rows["share"]),
        shrunken=panels.as_percent(rows["shrunken"]),
    )
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        "rank": number(t("ledgers.rank"), format="%d"),
        "name": st.column_config.TextColumn(t("ledgers.grid"), pinned=True),
        "share": number(t("ledgers.grid_share"), help=formula_words("ledgers.formula_grid_share"), format="%.1f%%"),
        "shrunken": number(t("ledgers.grid_fair"), help=formula_words("ledgers.formula_grid_fair"), format="%.1f%%"),
        "visits": t("ledgers.n_visits"),
        "homes": t("ledgers.n_homes"),
        "closed": t("ledgers.n_closed"),
        "n_disputes": number(t("ledgers.n_in_grid")),
        "points": number(t("ledgers.points")),
        "n_people": number(t("ledgers.n_people")),
    }
    st.dataframe(
        shown[list(columns)],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_RIGHT_PX),
        column_config=columns,
        key="ledgers_grids",
    )
