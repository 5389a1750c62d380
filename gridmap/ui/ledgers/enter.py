"""Forms of the ledger of points: rules begun and ended, entries by hand, appeals, a month settled."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from gridmap.actions.points import (
    Appeal,
    NewEntry,
    NewRule,
    begin_rule,
    enter_points,
    finish_rule,
    freeze_month,
    grant_appeal,
)
from gridmap.frames import POINT_COUNTS
from gridmap.reports.ledgers.points import PointsReport, in_order, next_month, rules_report
from gridmap.settings import settings
from gridmap.texts import t
from gridmap.ui import loaders
from gridmap.ui.ledgers import frame
from gridmap.ui.numbers import UNKNOWN
from gridmap.ui.room import Room

_RULES_PX = 245


def rules(report: PointsReport, township_code: str, room: Room) -> None:
    """Draw the rules of the month, and the forms that begin and end one."""
    if report.rules.empty:
        st.info(t("ledgers.rules_none", month=f"{report.month:%Y-%m}"))
    else:
        _rule_table(report.rules, room)
    if not frame.may_write():
        return
    begin, end = st.columns(2)
    with begin, st.popover(t("ledgers.rule_new"), width="stretch"), frame.form("rule"):
        _new_rule(report.month, township_code)
    every = loaders.load(rules_report)
    running = every[every["valid_until"].isna()]
    with end, st.popover(t("ledgers.rule_end"), width="stretch", disabled=running.empty), frame.form("rule_end"):
        names = dict(zip(running.index.tolist(), running["name"].tolist(), strict=True))
        st.selectbox(t("ledgers.rule"), list(names), format_func=lambda one: names[one], key=frame.key("end_rule"))
        _month_box(t("ledgers.valid_until"), _months(report.month)[1:], name="end_month")
        st.text_input(t("ledgers.by"), key=frame.key("end_by"), max_chars=60)
        frame.send(t("ledgers.rule_end"), lambda: _end(township_code), name="end_send")


def _rule_table(table: pd.DataFrame, room: Room) -> None:
    number = st.column_config.NumberColumn
    shown = in_order(table)
    shown = shown.assign(counts=[t(f"ledgers.counts_{counts}") for counts in shown["counts"]])
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn(t("ledgers.rule_name"), pinned=True),
        "points": number(t("ledgers.points"), format="%+d"),
        "monthly_ceiling": number(t("ledgers.ceiling")),
        "threshold_percent": number(t("ledgers.threshold")),
        "counts": t("ledgers.counts"),
    }
    st.dataframe(
        shown[list(columns)],
        hide_index=True,
        placeholder=UNKNOWN,
        height=room.tall(_RULES_PX),
        column_config=columns,
        key="ledgers_rules",
    )


def _months(first_on: date) -> list[date]:
    months = [first_on]
    while len(months) < 4:  # noqa: PLR2004  this month and the three after it
        months.append(next_month(months[-1]))
    return months


def _month_box(label: str, months: Sequence[date], *, name: str) -> None:
    st.selectbox(label, months, format_func=lambda day: f"{day:%Y-%m}", key=frame.key(name))


def _new_rule(first_on: date, township_code: str) -> None:
    st.selectbox(
        t("ledgers.counts"),
        POINT_COUNTS,
        format_func=lambda name: t(f"ledgers.counts_{name}"),
        key=frame.key("rule_counts"),
    )
    name_place, code_place = st.columns(2)
    name_place.text_input(t("ledgers.rule_name"), key=frame.key("rule_name"), max_chars=60)
    code_place.text_input(t("ledgers.rule_code"), key=frame.key("rule_code"), max_chars=40, placeholder="visit")
    points_place, ceiling_place, threshold_place = st.columns(3)
    points_place.number_input(t("ledgers.points"), -1000, 1000, 1, key=frame.key("rule_points"))
    ceiling_place.number_input(
        t("ledgers.ceiling"), 0, 10_000, 0, key=frame.key("rule_ceiling"), help=t("ledgers.ceiling_none")
    )
    threshold_place.number_input(t("ledgers.threshold"), 0, 100, 0, key=frame.key("rule_threshold"))
    month_place, by_place = st.columns(2)
    with month_place:
        _month_box(t("ledgers.valid_from"), _months(first_on), name="rule_month")
    by_place.text_input(t("ledgers.by"), key=frame.key("rule_by"), max_chars=60)
    frame.send(t("ledgers.rule_new"), lambda: _begin(township_code), name="rule_send")


def _begin(township_code: str) -> None:
    begin_rule(
        frame.engine(),
        NewRule(
            township_code=township_code,
            rule_code=(frame.told("rule_code") or "").strip(),
            name=frame.told("rule_name") or "",
            counts=frame.told("rule_counts"),
            points=int(frame.told("rule_points")),
            monthly_ceiling=int(frame.told("rule_ceiling")) or None,
            threshold_percent=int(frame.told("rule_threshold")) or None,
            valid_from=frame.told("rule_month"),
        ),
        recorded_by=frame.told("rule_by") or "",
        now=frame.now(),
    )


def _end(township_code: str) -> None:
    finish_rule(
        frame.engine(),
        township_code=township_code,
        rule_id=int(frame.told("end_rule")),
        valid_until=frame.told("end_month"),
        ended_by=frame.told("end_by") or "",
        now=frame.now(),
    )


def entries(report: PointsReport, township_code: str) -> None:
    """Draw the forms for points by hand and for settling the month."""
    if not frame.may_write():
        return
    by_hand = report.rules[report.rules["counts"] == "manual"].sort_values("points", ascending=False, kind="stable")
    st.markdown(f"**{t('ledgers.enter')}**")
    if by_hand.empty or report.people.empty:
        st.caption(t("ledgers.error_no_manual_rule", month=f"{report.month:%Y-%m}"))
    else:
        with frame.form("entry"):
            _entry_fields(report, by_hand)
            frame.send(t("ledgers.enter_do"), lambda: _enter(township_code, report.month), name="entry_send")
    st.markdown(f"**{t('ledgers.freeze')}**")
    if not report.is_over:
        st.caption(t("ledgers.error_running", month=f"{report.month:%Y-%m}"))
        return
    with frame.form("freeze"):
        by_place, why_place = st.columns([1, 1.6])
        by_place.text_input(t("ledgers.by"), key=frame.key("freeze_by"), max_chars=60)
        why_place.text_input(
            t("ledgers.reason"), key=frame.key("freeze_why"), max_chars=500, disabled=not report.is_frozen
        )
        words = t("ledgers.freeze_again" if report.is_frozen else "ledgers.freeze_do")
        frame.send(words, lambda: _freeze(township_code, report.month), name="freeze_send")


def _entry_fields(report: PointsReport, by_hand: pd.DataFrame) -> None:
    who = {str(staff): f"{row['name']}（{row['grid_name']}）" for staff, row in report.people.iterrows()}
    names = {str(code): f"{row['name']}（{row['points']:+d}）" for code, row in by_hand.iterrows()}
    who_place, rule_place, points_place = st.columns([1.5, 1.2, 0.8])
    who_place.selectbox(t("ledgers.person"), list(who), format_func=who.__getitem__, key=frame.key("entry_who"))
    rule_place.selectbox(
        t("ledgers.rule"), list(names), format_func=lambda one: names[one], key=frame.key("entry_rule")
    )
    points_place.number_input(
        t("ledgers.points"), -1000, 1000, int(by_hand["points"].iloc[0]), key=frame.key("entry_points")
    )
    st.text_input(t("ledgers.reason"), key=frame.key("entry_why"), max_chars=500)
    _two_people("entry")


def _two_people(name: str) -> None:
    by_place, approver_place = st.columns(2)
    by_place.text_input(t("ledgers.entered_by"), key=frame.key(f"{name}_by"), max_chars=60)
    approver_place.text_input(t("ledgers.approved_by"), key=frame.key(f"{name}_approver"), max_chars=60)


def _enter(township_code: str, month: date) -> None:
    enter_points(
        frame.engine(),
        NewEntry(
            township_code=township_code,
            staff_id=frame.told("entry_who") or "",
            month=month,
            rule_code=frame.told("entry_rule") or "",
            points=int(frame.told("entry_points")),
            reason=frame.told("entry_why") or "",
            entered_by=frame.told("entry_by") or "",
            approved_by=frame.told("entry_approver") or "",
        ),
        now=frame.now(),
    )


def _freeze(township_code: str, month: date) -> None:
    freeze_month(
        frame.engine(),
        township_code=township_code,
        month=month,
        frozen_by=frame.told("freeze_by") or "",
        reason=frame.told("freeze_why"),
        settings=settings(),
        now=frame.now(),
    )


def appeal(report: PointsReport, township_code: str, entry: pd.Series, *, rule: str) -> None:
    """Draw the form that takes an entry back."""
    what = next((str(entry[name]) for name in ("what_name", "reason") if isinstance(entry[name], str)), UNKNOWN)
    st.caption(t("ledgers.appeal_of", rule=rule, points=f"{int(entry['points']):+d}", what=what))
    if not frame.may_write():
        return
    with frame.form("appeal"):
        why, by, approver, button = st.columns([1.5, 1, 1, 1.1], vertical_alignment="bottom")
        why.text_input(t("ledgers.reason"), key=frame.key("appeal_why"), max_chars=500)
        by.text_input(t("ledgers.entered_by"), key=frame.key("appeal_by"), max_chars=60)
        approver.text_input(t("ledgers.approved_by"), key=frame.key("appeal_approver"), max_chars=60)
        key = str(entry["key"])
        with button:
            frame.send(t("ledgers.appeal_do"), lambda: _appeal(township_code, report.month, key), name="appeal_send")


def _appeal(township_code: str, month: date, entry_key: str) -> None:
    grant_appeal(
        frame.engine(),
        Appeal(
            township_code=township_code,
            month=month,
            key=entry_key,
            reason=frame.told("appeal_why") or "",
            entered_by=frame.told("appeal_by") or "",
            approved_by=frame.told("appeal_approver") or "",
        ),
        settings=settings(),
        now=frame.now(),
    )
